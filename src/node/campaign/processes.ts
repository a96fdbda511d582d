/** Programs that run beside each other, and end with this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { oneLine } from "../../text.ts";

/** How a program ended. */
export interface Ended {
	/** One line; undefined where all went well. */
	readonly error?: string;
	readonly seconds: number;
}

/** So long may a program take to leave nothing behind, milliseconds. */
const GRACE = 15_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Children are a process group of their own: a terminal's Ctrl-C reaches only this process, which tells each child once. */
const detached = process.platform !== "win32";

/** Programs of ours, some at a time. */
export class Processes {
	readonly #running = new Set<ChildProcess>();
	#stopped: NodeJS.Signals | undefined;
	/** Ends all that run, with the signal. */
	readonly stop = (signal: NodeJS.Signals): void => {
		this.#stopped ??= signal;
		for (const child of this.#running) {
			child.kill(signal);
			setTimeout(() => child.kill("SIGKILL"), GRACE).unref();
		}
	};

	/** From here on, signals that end this program end those that it runs; to be closed. */
	constructor() {
		for (const signal of SIGNALS) process.on(signal, this.stop);
	}

	/** The exit code after `stop`, undefined before: nothing is to be started any more. */
	get stopped(): number | undefined {
		return this.#stopped && 128 + constants.signals[this.#stopped];
	}

	/** Runs this program again with other arguments and waits for its end. Its output is not shown; if it fails, the line of its error is returned. */
	run(words: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
		const began = performance.now();
		const child = spawn(
			process.execPath,
			[...process.execArgv, process.argv[1], ...words],
			{
				...{ detached, windowsHide: true, env: { ...process.env, ...env } },
				stdio: ["ignore", "ignore", "pipe"],
			},
		);
		this.#running.add(child);
		let tail = "";
		child.stderr.on("data", (chunk: Buffer) => {
			tail = (tail + chunk).slice(-20_000);
		});
		return new Promise((resolve) => {
			const end = (fault: string | undefined) => {
				this.#running.delete(child);
				const seconds = (performance.now() - began) / 1000;
				const said = /^error: (.*)$/m.exec(tail)?.[1];
				resolve({ error: fault && oneLine(said ?? fault), seconds });
			};
			child.on("error", (error) => end(error.message));
			child.on("close", (code, signal) =>
				end(
					code === 0
						? undefined
						: signal
							? `ended by ${signal}${signal === "SIGKILL" ? ": too little memory?" : ""}`
							: `ended with exit code ${code}: ${tail.trim().split("\n").at(-1)}`,
				),
			);
		});
	}

	close(): void {
		for (const signal of SIGNALS) process.off(signal, this.stop);
	}
}
