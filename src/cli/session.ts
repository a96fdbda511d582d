/** The work on a file as one file (.qpi), which the page writes and reads too. */
import {
	mkdir,
	mkdtemp,
	open,
	readFile,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import {
	argumentsOf,
	type ExtractSettings,
} from "../extraction/results/commandLine.ts";
import {
	decodeSession,
	encodeSession,
	isSession,
	LISTS,
} from "../extraction/results/session.ts";
import { writeFileAtomic } from "../node/files/files.ts";
import { readText } from "../node/files/input.ts";
import { openWeights } from "../node/files/shippedWeights.ts";

/**
 * Where the file is a session: unpacks it, and has `use` do what it says.
 * @param use is given the words of a command line
 * @returns whether it is one
 */
export async function useSession(
	file: string,
	use: (words: readonly string[]) => Promise<void>,
): Promise<boolean> {
	if (!(await beginsAsSession(file))) return false;
	const { settings, ...packed } = decodeSession(await readFile(file), file);
	const folder = await mkdtemp(join(tmpdir(), "qpi-session-"));
	try {
		const measured = packed.files.map(({ name }) => join(folder, name));
		for (const [i, { bytes }] of packed.files.entries())
			await writeFile(measured[i], bytes);
		const lists: { scatterers?: string; mask?: string; weights?: string } = {};
		for (const name of ["scatterers", "mask"] as const) {
			const text = packed[name];
			if (text === undefined) continue;
			lists[name] = join(folder, LISTS[name]);
			await writeFile(lists[name], text);
		}
		if (packed.weights && settings.weights) {
			lists.weights = join(folder, settings.weights);
			await mkdir(lists.weights);
			for (const [name, bytes] of packed.weights)
				await writeFile(join(lists.weights, name), bytes);
		}
		await use([
			...(measured.length > 1 ? ["--series"] : []),
			...argumentsOf({ ...settings, ...lists }),
			...["--", ...measured],
		]);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
	return true;
}

async function beginsAsSession(file: string): Promise<boolean> {
	// What cannot be opened is told by who reads it.
	const handle = await open(file).catch(() => undefined);
	if (!handle) return false;
	try {
		const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64);
		return isSession(buffer.subarray(0, bytesRead));
	} catch {
		return false; // a folder
	} finally {
		await handle.close();
	}
}

/** Packs a file, or those of a series, and how it was extracted from. */
export async function saveSession(
	out: string,
	files: readonly string[],
	settings: ExtractSettings,
): Promise<void> {
	const list = async (name: string | undefined) =>
		name === undefined ? undefined : readText(name);
	const { scatterers, mask, weights } = settings;
	const packed = [];
	for (const file of files)
		packed.push({ name: basename(file), bytes: await readFile(file) });
	await writeFileAtomic(
		out,
		encodeSession({
			files: packed,
			settings: {
				...settings,
				scatterers: scatterers && LISTS.scatterers,
				mask: mask && LISTS.mask,
				weights: weights && basename(resolve(weights)),
			},
			scatterers: await list(scatterers),
			mask: await list(mask),
			weights: weights ? await (await openWeights(weights)).files() : undefined,
		}),
	);
}
