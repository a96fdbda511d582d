/** What all commands share: how options are read, and how a command ends. */
import { type Command, InvalidArgumentError } from "commander";
import { MachineError } from "../node/device/adapter.ts";
import { oneLine, shellWord, visibleLines } from "../text.ts";

/** A number with at most nine digits: a count or a seed. */
export function whole(text: string): number {
	if (!/^\d{1,9}$/.test(text))
		throw new InvalidArgumentError("Expected a whole number.");
	return Number(text);
}

/** A count of one or more. */
export function positiveWhole(text: string): number {
	const n = whole(text);
	if (n < 1) throw new InvalidArgumentError("Expected 1 or more.");
	return n;
}

/** A number above zero. */
export function positive(text: string): number {
	const value = number(text);
	if (!(value > 0))
		throw new InvalidArgumentError("Expected a number above zero.");
	return value;
}

/** Any finite number. */
export function number(text: string): number {
	const value = Number(text);
	if (text.trim() === "" || !Number.isFinite(value))
		throw new InvalidArgumentError("Expected a number.");
	return value;
}

/** How a user calls a command: as part of the program, or by a script of this repository ("npm run train --"). */
export function callOf(name: string): string {
	return name.includes(" ") ? name : `npx qpi-lens ${name}`;
}

/** What the user typed, to type it again: all that follows `call`, but for the words in `without`. */
export function commandLine(
	call: string,
	without: readonly string[] = [],
): string {
	// A script of this repository has no name of a command before its options.
	const script = call.endsWith(" --");
	const given = process.argv
		.slice(script ? 2 : 3)
		.filter((word) => !without.includes(word))
		.map(shellWord);
	return given.length > 0
		? [call, ...given].join(" ")
		: call.replace(/ --$/, "");
}

/** Says lines on standard output; what a terminal would obey is written out. */
export function say(text: string): void {
	console.log(visibleLines(text));
}

/** Says a warning on standard error, on one line. */
export function warn(text: string): void {
	console.warn(oneLine(text));
}

/** Faults of the machine rather than of what it was given. */
const SYSTEM = new Set([
	"ENOSPC",
	"EDQUOT",
	"EROFS",
	"EBUSY",
	"EMFILE",
	"ENFILE",
	"ENOMEM",
	"EIO",
	"ERR_DLOPEN_FAILED",
	"ERR_WORKER_OUT_OF_MEMORY",
]);

const isMachine = (error: unknown): boolean =>
	error instanceof MachineError ||
	SYSTEM.has((error as NodeJS.ErrnoException).code ?? "") ||
	/^Array buffer allocation failed/.test((error as Error).message);

/** One line that says what happened. */
function faultOf(error: unknown): string {
	const { message, code, path, syscall } = error as NodeJS.ErrnoException;
	if (code === "ENOENT" && path)
		return oneLine(
			syscall === "mkdir"
				? `${path}: this folder cannot be made here`
				: `${path}: there is no such file`,
		);
	return oneLine(message);
}

/**
 * Whoever reads the output may go away (`| head -1`): the work goes on without it. Anything else that keeps output from where it should be (a full disk) is
 * said, once, and the program ends with code 2.
 */
function watchOutput(): void {
	process.stderr.on("error", () => {});
	process.stdout.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code === "EPIPE" || process.exitCode) return;
		process.exitCode = 2;
		console.error(`error: standard output: ${faultOf(error)}`);
	});
}

/**
 * Runs what the command line asks for. An error becomes one line on standard error, and the exit code 2 where the machine is at fault, else 1;
 * with QPI_LENS_DEBUG set its stack follows.
 */
export async function runCommand(command: Command): Promise<void> {
	watchOutput();
	for (const each of [command, ...command.commands])
		each.configureOutput({
			outputError: (text, write) => write(`${oneLine(text)}\n`),
		});
	try {
		await command.parseAsync();
	} catch (error) {
		console.error(`error: ${faultOf(error)}`);
		if (process.env.QPI_LENS_DEBUG) console.error(error);
		process.exitCode = isMachine(error) ? 2 : 1;
	}
}
