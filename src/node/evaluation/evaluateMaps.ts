/** How well an extraction finds the kernels of maps whose kernels are known. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
	type DetectedScatterer,
	readScatterers,
} from "../../extraction/marks/scatterers.ts";
import type { Scan } from "../../extraction/scan/scan.ts";
import { FormatError } from "../../formats/measurement.ts";
import { decodeNpy } from "../../formats/npy.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";
import { type Centred, centredCorrelation } from "../../qpi/scores/metrics.ts";
import { readTruth, TRUTH, type TrueMap } from "../datasets/mapsFolder.ts";
import { isIn, markOf, type Shard, type ShardMark } from "../files/shard.ts";

/** What an extraction is given: a map as measured, and where its scatterers are, all of amplitude 1, as a user marks them. */
export interface MapToExtract {
	readonly name: string;
	readonly scan: Scan;
	readonly marks: readonly DetectedScatterer[];
}

/** What is judged of what it finds. */
export interface ExtractedKernels {
	readonly method: string;
	/** By kind; size x size nodes of the map's pixel, first index x, the scatterer on the middle one. */
	readonly kinds: readonly {
		readonly kind: number;
		readonly kernel: ArrayLike<number>;
	}[];
	/** Odd. */
	readonly size: number;
	/** Shares of the variance of held-out pixels, by method. */
	readonly explained: Readonly<
		Partial<Record<string, { readonly heldOut: number | null }>>
	>;
}

/** Plain JSON. */
export interface MapScore {
	/** Of each kind's kernel with the true one. */
	readonly ncc: readonly number[];
	/** Of the extraction, with its preprocessing. */
	readonly seconds: number;
	readonly method: string;
	/** Share of the variance of held-out pixels; null where none were held out. */
	readonly explained: number | null;
	readonly pixels: readonly [number, number];
	/** How many. */
	readonly marks: number;
	readonly noise: number | null;
}

/** Plain JSON. */
export interface MapsEvaluation {
	/** Angstrom around the scatterer that the correlation is over. */
	readonly radius: number;
	readonly maps: Readonly<Record<string, MapScore>>;
	/** Over all kernels, and over all maps. */
	readonly mean: { readonly ncc: number; readonly seconds: number };
	/** Where only these of the folder's maps were looked at. */
	readonly shard?: ShardMark;
}

/**
 * Extracts the kernels of each map in a folder of `generate --maps` and compares them with the true ones.
 * @param radius Angstrom around the scatterer that kernels are compared in
 * @throws FormatError where the folder is not as it should be, and what `extract` throws
 */
export async function evaluateMaps(
	folder: string,
	extract: (map: MapToExtract) => Promise<ExtractedKernels>,
	{
		radius = 60,
		shard,
		onProgress,
	}: {
		readonly radius?: number;
		/** Only these of the maps. */
		readonly shard?: Shard;
		/** Told before each map how many are done, of how many, and at the end. */
		readonly onProgress?: (done: number, total: number) => void;
	} = {},
): Promise<MapsEvaluation> {
	const all = Object.entries(await readTruth(folder));
	const truth = all.filter((_, i) => isIn(shard, i));
	const maps: Record<string, MapScore> = {};
	for (const [i, [name, entry]] of truth.entries()) {
		onProgress?.(i, truth.length);
		const { scan, list, kernels } = await openMap(folder, entry);
		if (kernels.length === 0)
			throw new FormatError(
				`${join(folder, TRUTH)}, map ${name}: found no kernels, expected one or more but with --blind`,
			);
		const marks = list.map((mark) => ({ ...mark, weight: 1 }));
		const began = performance.now();
		const found = await extract({ name, scan, marks });
		const seconds = (performance.now() - began) / 1000;
		maps[name] = {
			ncc: kernels.map((kernel, k) => {
				if (kernel.size * entry.pixel < 2 * radius - entry.pixel)
					throw new FormatError(
						`${join(folder, entry.kernels[k])}: found ${kernel.size} pixels of ${entry.pixel} A along a side, expected a radius of ${radius} A or more`,
					);
				const values = found.kinds.find(({ kind }) => kind === k + 1)?.kernel;
				if (!values) return 0;
				const estimate = { values, size: found.size };
				return centredCorrelation(estimate, kernel, radius / entry.pixel);
			}),
			seconds,
			method: found.method,
			explained: found.explained[found.method]?.heldOut ?? null,
			pixels: entry.pixels,
			marks: marks.length,
			noise: entry.noise ?? null,
		};
	}
	onProgress?.(truth.length, truth.length);
	return { ...mapsEvaluation(radius, maps), ...markOf(shard, all.length) };
}

/** The scores with their means. */
export function mapsEvaluation(
	radius: number,
	maps: Readonly<Record<string, MapScore>>,
): MapsEvaluation {
	const scores = Object.values(maps);
	return {
		radius,
		maps,
		mean: {
			ncc: mean(scores.flatMap(({ ncc }) => ncc)),
			seconds: mean(scores.map(({ seconds }) => seconds)),
		},
	};
}

const mean = (values: readonly number[]) =>
	values.reduce((sum, v) => sum + v, 0) / values.length;

/** A map as measured, its true scatterers and kernels. */
export async function openMap(
	folder: string,
	entry: TrueMap,
): Promise<{
	scan: Scan;
	list: readonly DetectedScatterer[];
	kernels: readonly Centred[];
}> {
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

/** The evaluation as a table for people. */
export function mapsTable({ radius, maps, mean }: MapsEvaluation): string {
	const number = (v: number | null, digits: number) =>
		v?.toFixed(digits) ?? "-";
	const rows = [
		["map", "pixels", "marks", "noise", "method", "explained", "seconds"],
		...Object.entries(maps).map(([name, map]) => [
			name,
			map.pixels.join("x"),
			String(map.marks),
			number(map.noise, 2),
			map.method,
			number(map.explained, 3),
			number(map.seconds, 1),
		]),
		["mean", "", "", "", "", "", number(mean.seconds, 1)],
	];
	const nccs = [
		`NCC within ${radius} A`,
		...Object.values(maps).map(({ ncc }) =>
			ncc.map((v) => number(v, 4)).join(" "),
		),
		number(mean.ncc, 4),
	];
	const widths = rows[0].map((_, c) => maxOf(rows.map((row) => row[c].length)));
	return rows
		.map((row, r) => {
			const cells = row.map((cell, c) =>
				c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]),
			);
			return [...cells, nccs[r]].join("  ");
		})
		.join("\n");
}
