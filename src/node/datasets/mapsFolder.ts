/** The file that says what a folder of test maps holds, and which kernels are true. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "../../formats/measurement.ts";

export const TRUTH = "truth.json";

/** A map with its marks and its true kernels; further fields say how it was made. */
export interface TrueMap {
	/** Files in the folder: the map (.npy, first index x) and the list of its scatterers. */
	readonly file: string;
	readonly marks: string;
	/** Files of the true kernels (.npy), kind 1 first; an empty list where the map has no scatterer. A kernel is a square of an odd number of the map's pixels, first index x, with the scatterer on the middle one. */
	readonly kernels: readonly string[];
	/** Along x and y. */
	readonly pixels: readonly [number, number];
	/** Angstrom. */
	readonly pixel: number;
	/** White and line noise over the standard deviation of the ripples. */
	readonly noise?: number;
	/** Relative, of the amplitudes. */
	readonly spread?: number;
	/** Standard deviation of the background over that of the ripples. */
	readonly background?: number;
}

/**
 * The maps of a folder that `generate --maps` made, or of one like it.
 * @throws FormatError where there is no such file or a map lacks what it needs
 */
export async function readTruth(
	folder: string,
): Promise<Record<string, TrueMap>> {
	const path = join(folder, TRUTH);
	const text = await readFile(path, "utf8").catch(
		(error: NodeJS.ErrnoException) => {
			if (error.code !== "ENOENT") throw error;
			throw new FormatError(
				`${folder}: found no ${TRUTH}, expected a folder that generate --maps made`,
			);
		},
	);
	let maps: unknown;
	try {
		maps = JSON.parse(text).maps;
	} catch {
		throw new FormatError(`${path}: found no JSON object`);
	}
	if (typeof maps !== "object" || maps === null || Object.keys(maps).length < 1)
		throw new FormatError(`${path}: found no maps, expected one or more`);
	for (const [name, map] of Object.entries(maps)) {
		const wrong = Object.entries(FIELDS).find(([f, [ok]]) => !ok(map?.[f]));
		if (wrong)
			throw new FormatError(
				`${path}, map ${name}: found ${JSON.stringify(map?.[wrong[0]]) ?? "nothing"} as ${wrong[0]}, expected ${wrong[1][1]}`,
			);
	}
	return maps as Record<string, TrueMap>;
}

const isName = (v: unknown) => typeof v === "string" && v !== "";
const isPositive = (v: unknown) => typeof v === "number" && v > 0;
const isLevel = (v: unknown) => v === undefined || isPositive(v) || v === 0;
const isList = (v: unknown, ok: (v: unknown) => boolean, least = 1) =>
	Array.isArray(v) && v.length >= least && v.every(ok);
const FIELDS: Record<
	keyof TrueMap,
	readonly [(value: unknown) => boolean, string]
> = {
	file: [isName, "a file"],
	marks: [isName, "a file"],
	kernels: [(v) => isList(v, isName, 0), "a list of files"],
	pixels: [
		(v) => isList(v, Number.isInteger) && (v as number[]).length === 2,
		"two whole numbers",
	],
	pixel: [isPositive, "Angstrom above zero"],
	noise: [isLevel, "0 or more"],
	spread: [isLevel, "0 or more"],
	background: [isLevel, "0 or more"],
};
