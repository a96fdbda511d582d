/** How well an extraction finds the kernels of maps whose kernels are known. */
import { join } from "node:path";
import type { DetectedScatterer } from "../../extraction/marks/scatterers.ts";
import type { Scan } from "../../extraction/scan/scan.ts";
import { FormatError } from "../../formats/measurement.ts";
import { centredCorrelation } from "../../qpi/scores/metrics.ts";
import { TRUTH } from "../datasets/mapsFolder.ts";
import { judgeTrueMaps, type TrueMapsOptions } from "../datasets/trueMaps.ts";
import type { ShardMark } from "../files/shard.ts";

/** What an extraction is given: a map as measured, and where its scatterers are, all of amplitude 1, as a user marks them. */
export interface MapToExtract {
	readonly name: string;
	readonly scan: Scan;
	readonly marks: readonly DetectedScatterer[];
}

/** The part of an extraction's results that is scored. */
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
 * @throws FormatError where the folder is not as it should be, and what `extract` throws
 */
export async function evaluateMaps(
	folder: string,
	extract: (map: MapToExtract) => Promise<ExtractedKernels>,
	options: TrueMapsOptions = {},
): Promise<MapsEvaluation> {
	const { radius, maps, mark } = await judgeTrueMaps(
		folder,
		async ({ name, entry, radius, scan, list, kernels }): Promise<MapScore> => {
			if (kernels.length === 0)
				throw new FormatError(
					`${join(folder, TRUTH)}, map ${name}: found no kernels, expected one or more but with --blind`,
				);
			const marks = list.map((mark) => ({ ...mark, weight: 1 }));
			const began = performance.now();
			const found = await extract({ name, scan, marks });
			const seconds = (performance.now() - began) / 1000;
			return {
				ncc: kernels.map((kernel, k) => {
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
		},
		options,
	);
	return { ...mapsEvaluation(radius, maps), ...mark };
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
