/** What is searched: one image on pixels no finer than its pattern needs. */
import { binned } from "../kernels/bin.ts";
import { SIDE } from "../kernels/markedMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { finenessOf } from "./fineness.ts";
import { clipped, medianOf } from "./grid.ts";
import type { Searched } from "./searched.ts";

/** Angstrom: radius of the kernels that are searched with, and of their seeds. */
const REACH = 64;
const SEED = 28;
/** Pixels: seeds are no smaller. */
const SMALLEST = 5;
/** Share of the shorter side: kernels are no larger, but for waves that outlive them. */
const LARGEST = 0.18;

export interface SearchImage {
	readonly searched: Searched;
	/** The image that is searched, not clipped. */
	readonly image: ArrayLike<number>;
	/** Pixels of the map along a side of one that is searched. */
	readonly factor: number;
	/** The least that it may be. */
	readonly finest: number;
}

/**
 * @param map at its own pixels, without sites
 * @param reach Angstrom, of the kernels, where it is not the usual one
 * @param most pixels of the map along a side of one that is searched
 * @param largest share of the shorter side that kernels reach at most
 */
export function prepared(
	map: SitedMap,
	signed: boolean,
	reach = REACH,
	most = Number.POSITIVE_INFINITY,
	largest = LARGEST,
): SearchImage {
	const counted = Array.from(map.image).filter((_, p) => map.weights[p] > 0);
	const middle = medianOf(counted);
	const image = Float64Array.from(map.image, (v, p) =>
		map.weights[p] > 0 ? v - middle : 0,
	);
	const radius = Math.min(
		reach,
		largest * Math.min(map.nx, map.ny) * map.pixel,
	);
	const { factor: fine, noise } = finenessOf(
		{ image: clipped(image, map.weights), weights: map.weights },
		map.nx,
		map.ny,
	);
	const finest = Math.max(1, Math.ceil((2 * radius) / map.pixel / SIDE));
	const factor = Math.max(finest, Math.min(fine, most));
	// Its background is gone but for what does not matter to a search.
	const coarse = binned({ ...map, image, order: 0 }, factor);
	const seen = {
		image: clipped(coarse.image, coarse.weights),
		weights: coarse.weights,
	};
	const pixels = Math.max(SMALLEST, Math.round(radius / coarse.pixel));
	return {
		factor,
		finest,
		image: coarse.image,
		searched: {
			map: { ...coarse, image: seen.image },
			seen,
			size: 2 * pixels + 1,
			seedReach: Math.min(
				pixels,
				Math.max(SMALLEST, Math.round(SEED / coarse.pixel)),
			),
			white: noise / factor,
			signed,
		},
	};
}
