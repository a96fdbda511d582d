/** The maps of a folder whose scatterers and kernels are known, one after another. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
	type DetectedScatterer,
	readScatterers,
} from "../../extraction/marks/scatterers.ts";
import type { Scan } from "../../extraction/scan/scan.ts";
import { FormatError } from "../../formats/measurement.ts";
import { decodeNpy } from "../../formats/npy.ts";
import type { Centred } from "../../qpi/scores/metrics.ts";
import { isIn, markOf, type Shard, type ShardMark } from "../files/shard.ts";
import { readTruth, type TrueMap } from "./mapsFolder.ts";

/** A map as measured, its true scatterers and kernels. */
export interface OpenedMap {
	readonly scan: Scan;
	readonly list: readonly DetectedScatterer[];
	readonly kernels: readonly Centred[];
}

export interface TrueMapsOptions {
	/** Angstrom around the scatterer that kernels are compared in; 60 by default. */
	readonly radius?: number;
	/** Only these of the maps. */
	readonly shard?: Shard;
	/** Told before each map how many are done, of how many, and at the end. */
	readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Judges what is found in each map of a folder of `generate --maps`.
 * @param judge is awaited before the next map is read
 * @throws FormatError where the folder is not as it should be, and what `judge` throws
 */
export async function judgeTrueMaps<Score>(
	folder: string,
	judge: (
		map: OpenedMap & {
			readonly name: string;
			readonly entry: TrueMap;
			readonly radius: number;
		},
	) => Promise<Score>,
	{ radius = 60, shard, onProgress }: TrueMapsOptions,
): Promise<{
	readonly radius: number;
	readonly maps: Readonly<Record<string, Score>>;
	readonly mark: { readonly shard?: ShardMark };
}> {
	const all = Object.entries(await readTruth(folder));
	const mine = all.filter((_, i) => isIn(shard, i));
	const maps: Record<string, Score> = {};
	for (const [i, [name, entry]] of mine.entries()) {
		onProgress?.(i, mine.length);
		const opened = await openMap(folder, entry);
		for (const [k, { size }] of opened.kernels.entries())
			if (size * entry.pixel < 2 * radius - entry.pixel)
				throw new FormatError(
					`${join(folder, entry.kernels[k])}: found ${size} pixels of ${entry.pixel} A along a side, expected a radius of ${radius} A or more`,
				);
		maps[name] = await judge({ name, entry, radius, ...opened });
	}
	onProgress?.(mine.length, mine.length);
	return { radius, maps, mark: markOf(shard, all.length) };
}

async function openMap(folder: string, entry: TrueMap): Promise<OpenedMap> {
	const { file, pixels, pixel, kernels } = entry;
	const [nx, ny] = pixels;
	const scan = {
		image: await readImage(join(folder, file), nx, ny),
		nx,
		ny,
		spacing: { x: pixel, y: pixel },
	};
	const path = join(folder, entry.marks);
	const list = readScatterers(await readFile(path, "utf8"), path).filter(
		({ keep }) => keep,
	);
	const known: Centred[] = [];
	for (const name of kernels) {
		const values = await readImage(join(folder, name));
		known.push({ values, size: Math.sqrt(values.length) });
	}
	return { scan, list, kernels: known };
}

/** An image of nx x ny pixels, or square and odd where no numbers are given. */
async function readImage(
	path: string,
	nx?: number,
	ny?: number,
): Promise<Float32Array> {
	const { shape, data } = decodeNpy(await readFile(path), path);
	const [width, height] = shape;
	const fits =
		shape.length === 2 &&
		(nx === undefined
			? width === height && width % 2 === 1
			: width === nx && height === ny);
	if (!fits)
		throw new FormatError(
			`${path}: found shape (${shape.join(", ")}), expected ${nx === undefined ? "a square of odd side" : `(${nx}, ${ny})`}`,
		);
	return Float32Array.from(data as ArrayLike<number>, Number);
}
