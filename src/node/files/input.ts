import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import {
	checkSize,
	type Input,
	parseInput,
} from "../../extraction/results/input.ts";
import { seriesOf } from "../../extraction/results/series.ts";
import { FormatError } from "../../formats/measurement.ts";
import { naming } from "./files.ts";
import { expandInputs } from "./inputs.ts";

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

/** The files that are meant: in a folder those with its most frequent extension, else those that match a pattern or are named. Throws FormatError where there are none. */
export async function filesOf(names: readonly string[]): Promise<string[]> {
	const lists = await Promise.all(
		names.map(async (name) => {
			const found = await stat(name).catch(() => undefined);
			return found?.isDirectory() ? inFolder(name) : expandInputs([name]);
		}),
	);
	const files = lists.flat();
	if (files.length === 0)
		throw new FormatError(`${names.join(", ")}: found no files, expected some`);
	return files;
}

async function inFolder(folder: string): Promise<string[]> {
	const entries = await readdir(folder, { withFileTypes: true });
	const names = entries
		.filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
		.map(({ name }) => name)
		.sort();
	const of = (name: string) => extname(name).toLowerCase();
	const counts = new Map<string, number>();
	for (const name of names)
		counts.set(of(name), (counts.get(of(name)) ?? 0) + 1);
	const [most] = [...counts].sort(([, a], [, b]) => b - a);
	return names
		.filter((name) => of(name) === most?.[0])
		.map((name) => join(folder, name));
}

/** One file, or several of a series as a stack. Throws FormatError or DatasetError where they are not what they should be, and the file system's error. */
export async function readInputs(
	names: readonly string[],
	channel: string | undefined,
): Promise<Input> {
	const files = await filesOf(names);
	if (files.length === 1) return readInput(files[0]);
	const inputs: Input[] = [];
	for (const file of files) inputs.push(await readInput(file));
	return seriesOf(inputs, { channel });
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
