import { readFile, stat } from "node:fs/promises";
import {
	checkSize,
	type Input,
	parseInput,
} from "../../extraction/results/input.ts";
import { FormatError } from "../../formats/measurement.ts";
import { naming } from "./files.ts";

/** Reads a file. Throws FormatError or DatasetError where it is not what it should be, and the file system's error. */
export async function readInput(file: string): Promise<Input> {
	const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
		throw error.code === "ENOENT"
			? new FormatError(`${file}: there is no such file`)
			: error;
	});
	if (!found.isFile())
		throw new FormatError(
			`${file}: found ${found.isDirectory() ? "a folder" : "no ordinary file"}, expected a file`,
		);
	checkSize(file, found.size);
	return parseInput(await naming(file, readFile(file)), file);
}

/** Longer lists are nobody's: bytes. */
const MOST_TEXT = 2 ** 26;

/** A file that people edit, as UTF-8. Throws FormatError where it is very long, and the file system's error, which names the file. */
export async function readText(file: string): Promise<string> {
	const { size } = await stat(file);
	if (size > MOST_TEXT)
		throw new FormatError(
			`${file}: found ${(size / 2 ** 20).toFixed(0)} MiB of text, expected at most ${MOST_TEXT / 2 ** 20} MiB`,
		);
	return naming(file, readFile(file, "utf8"));
}
