/** The files that a command line means. */
import { existsSync } from "node:fs";
import { isAbsolute, resolve, sep } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { FormatError } from "../../formats/measurement.ts";

/** Whether it is a pattern such as `scans/*.sxm`, and not the name of a file. In quotes, and on Windows, the shell leaves patterns to us. */
export const isPattern = (word: string): boolean =>
	!existsSync(word) && isDynamicPattern(slashes(word));

/** Patterns have slashes; a backslash parts folders on Windows and elsewhere makes the next character plain. */
const slashes = (word: string) =>
	sep === "\\" ? word.replaceAll("\\", "/") : word;

/**
 * Each file once, in the order of the words; those of a pattern in the order of their names, with folders if asked for. A word without a pattern stays although there may be no such file.
 * @throws FormatError on a pattern that no file matches
 */
export async function expandInputs(
	words: readonly string[],
	{ folders = false }: { readonly folders?: boolean } = {},
): Promise<string[]> {
	const files = new Map<string, string>();
	for (const word of words)
		for (const file of isPattern(word) ? await matches(word, folders) : [word])
			if (!files.has(resolve(file))) files.set(resolve(file), file);
	return [...files.values()];
}

async function matches(pattern: string, folders: boolean): Promise<string[]> {
	const found = await glob(slashes(pattern), {
		expandDirectories: false,
		onlyFiles: !folders,
		absolute: isAbsolute(pattern),
	});
	if (found.length === 0)
		throw new FormatError(`${pattern}: found no file of such a name`);
	return found.sort();
}

/** The lines of a list of files; empty ones and those that begin with # say nothing. @throws FormatError on a list without a file */
export function readList(text: string, file: string): string[] {
	const lines = text
		.split(/\r?\n/)
		.map((line) => line.trim())
		.filter((line) => line && !line.startsWith("#"));
	if (lines.length === 0)
		throw new FormatError(`${file}: found no file in this list`);
	return lines;
}
