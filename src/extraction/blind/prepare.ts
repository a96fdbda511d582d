/** What is searched: one image on pixels no finer than its pattern needs. */
import { binned } from "../bin.ts";
import type { SitedMap } from "../refineMap.ts";
import { finenessOf } from "./fineness.ts";
import type { Searched } from "./first.ts";
import { clipped, medianOf } from "./grid.ts";

/** Angstrom: radius of the kernels that are searched with, and of their seeds. */
const REACH = 64;
const SEED = 28;
/** Pixels: seeds are no smaller. */
const SMALLEST = 5;
/** Share of the shorter side: kernels are no larger. */
const LARGEST = 0.4;

export interface Prepared {
	readonly searched: Searched;
	/** Pixels of the map along a side of one that is searched. */
	readonly factor: number;
}

/** @param map at its own pixels, without sites @param reach Angstrom, of the kernels, where it is not the usual one */
export function prepared(
	map: SitedMap,
	signed: boolean,
	reach = REACH,
): Prepared {
	const counted = Array.from(map.image).filter((_, p) => map.weights[p] > 0);
	const middle = medianOf(counted);
	const image = Float64Array.from(map.image, (v, p) =>
		map.weights[p] > 0 ? v - middle : 0,
	);
	const { factor, noise } = finenessOf(
		{ image: clipped(image, map.weights), weights: map.weights },
		map.nx,
		map.ny,
	);
	// Its background is gone but for what does not matter to a search.
	const coarse = binned({ ...map, image, order: 0 }, factor);
	const seen = {
		image: clipped(coarse.image, coarse.weights),
		weights: coarse.weights,
	};
	const shorter = Math.min(coarse.nx, coarse.ny);
	const radius = Math.max(
		SMALLEST,
		Math.min(Math.round(reach / coarse.pixel), Math.floor(LARGEST * shorter)),
	);
	return {
		factor,
		searched: {
			map: { ...coarse, image: seen.image },
			seen,
			size: 2 * radius + 1,
			seedReach: Math.min(
				radius,
				Math.max(SMALLEST, Math.round(SEED / coarse.pixel)),
			),
			white: noise / factor,
			signed,
		},
	};
}
