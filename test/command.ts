/** Runs the repository's commands as child processes, as a user does, without a terminal. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	/** Without the lines in which Dawn talks to itself. */
	readonly stderr: string;
}

export interface Running {
	readonly child: ChildProcess;
	/** Throws, and kills the process, where it runs longer than it may. */
	readonly ended: Promise<Ended>;
}

/** Starts `node FILE ARGUMENTS`, FILE below the repository's root; variables set to undefined are taken out of the environment. */
export function start(
	file: string,
	args: readonly string[],
	{
		env = {},
		seconds = 300,
		cwd,
	}: { env?: NodeJS.ProcessEnv; seconds?: number; cwd?: string } = {},
): Running {
	const child = spawn(
		process.execPath,
		[fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args],
		{
			cwd,
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, FORCE_COLOR: undefined, ...env },
		},
	);
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (chunk: Buffer) => {
		stdout += chunk;
	});
	child.stderr.on("data", (chunk: Buffer) => {
		stderr += chunk;
	});
	const ended = new Promise<Ended>((resolve, reject) => {
		const timer = setTimeout(() => {
			child.kill("SIGKILL");
			reject(
				new Error(
					`${file} ${args.join(" ")} did not end in ${seconds} s; it had written:\n${stdout}${stderr}`,
				),
			);
		}, seconds * 1000);
		child.on("close", (code, signal) => {
			clearTimeout(timer);
			const talk = /^Warning: max\w+ artificially reduced .*\n/gm;
			resolve({ code, signal, stdout, stderr: stderr.replace(talk, "") });
		});
	});
	// Who awaits it hears of a failure; until then it must not count as unhandled.
	ended.catch(() => {});
	return { child, ended };
}

/** Waits until `there` is true, or the process has ended. */
export async function until(
	{ child }: Running,
	there: () => boolean,
): Promise<void> {
	while (!there() && child.exitCode === null && child.signalCode === null)
		await sleep(5);
}
