/** What another program found, read from its files. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlindFound } from "../../src/node/evaluation/evaluateBlind.ts";

/** Of one map: what is judged, and how long the program took on one core. */
export interface OtherFound extends BlindFound {
	readonly seconds: number;
}

/**
 * FOLDER/LEVEL/NAME.json: {seconds, marks: [{x, y, weight, kind}] in Angstrom from the map's middle (x: first index), kernels: [{kind, size, values}]}, size x size (odd) on the map's
 * pixels, first index x.
 */
export async function readOther(
	folder: string,
	level: string,
	name: string,
): Promise<OtherFound> {
	const path = join(folder, level, `${name}.json`);
	const found = JSON.parse(await readFile(path, "utf8"));
	if (
		!(Number.isFinite(found.seconds) && Array.isArray(found.marks)) ||
		!Array.isArray(found.kernels)
	)
		throw new Error(`${path}: expected {seconds, marks, kernels}`);
	return found;
}
