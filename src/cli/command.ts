/** What all commands share: how options are read, and how a command ends. */
import { type Command, InvalidArgumentError } from "commander";
import { MachineError } from "../node/adapter.ts";
import { oneLine, shellWord } from "../text.ts";

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

/** Faults of the machine rather than of what it was given. */
const SYSTEM = new Set([
	"ENOSPC",
	"EDQUOT",
	"EMFILE",
	"ENFILE",
	"ENOMEM",
	"EIO",
]);

/**
 * Runs what the command line asks for. An error becomes one line on standard error, and the exit code 2 where the machine is at fault, else 1;
 * with QPI_LENS_DEBUG set its stack follows.
 */
export async function runCommand(command: Command): Promise<void> {
	for (const each of [command, ...command.commands])
		each.configureOutput({
			outputError: (text, write) => write(`${oneLine(text)}\n`),
		});
	try {
		await command.parseAsync();
	} catch (error) {
		const { message, code, path } = error as NodeJS.ErrnoException;
		const missing = code === "ENOENT" && path;
		console.error(
			`error: ${missing ? `${path}: there is no such file` : oneLine(message)}`,
		);
		if (process.env.QPI_LENS_DEBUG) console.error(error);
		const machine = error instanceof MachineError || SYSTEM.has(code ?? "");
		process.exitCode = machine ? 2 : 1;
	}
}
