/** Spots of one width and polarity: what a search starts from, and what people can look at while they choose both. */
import { checked, type MarkedStack } from "../kernels/markedMap.ts";
import type { Seen } from "./deconvolve.ts";
import { type Peak, peaks, smoothed, spreadOf } from "./grid.ts";
import { prepared } from "./prepare.ts";

/** Of the ring that a spot is compared with, times its width. */
const OUTER = 1.6;

/** How far each pixel stands out of what is around it. */
export class Spots {
	/** Robust standard deviation of what stands out; 0 where nothing does. */
	readonly noise: number;
	readonly #out: Float64Array;
	readonly #grid: readonly [nx: number, ny: number];
	readonly #sigma: number;

	/**
	 * @param width of the spots, Angstrom
	 * @param pixel Angstrom
	 */
	constructor(
		{ image, weights }: Seen,
		nx: number,
		ny: number,
		pixel: number,
		width: number,
	) {
		this.#grid = [nx, ny];
		this.#sigma = Math.max(0.8, width / pixel);
		const inner = smoothed(image, weights, nx, ny, this.#sigma);
		const outer = smoothed(image, weights, nx, ny, OUTER * this.#sigma);
		this.#out = inner.map((v, p) => (weights[p] > 0.5 ? v - outer[p] : 0));
		this.noise = spreadOf(this.#out, weights);
	}

	/** Those of one sign (1: brighter than what is around them) that stand out by more than `least` times the noise, the first most. */
	peaks(sign: 1 | -1, least: number): Peak[] {
		const out = this.#out.map((v) => sign * v);
		return peaks(out, ...this.#grid, 2 * this.#sigma, least * this.noise);
	}
}

/** Angstrom from the map's middle. */
export interface Spot {
	readonly x: number;
	readonly y: number;
	/** Of those that stand out: 1 bright, -1 dark. */
	readonly sign: 1 | -1;
	/** Robust standard deviations. */
	readonly significance: number;
}

export interface SpotOptions {
	/** Angstrom. */
	readonly width: number;
	/** Robust standard deviations that they stand out by at least. */
	readonly least: number;
	readonly polarity: "bright" | "dark" | "either";
}

/** The map as a search sees it: once for many calls of spotsIn(). @throws RangeError when sizes do not fit or next to nothing counts */
export function seenBySearch(stack: Omit<MarkedStack, "marks">) {
	const { nx, ny, pixel, order = 0 } = stack;
	const { images, weights } = checked(stack);
	const map = { image: images[0], nx, ny, pixel, weights, order };
	return prepared({ ...map, kinds: 1, sites: [] }, false).searched;
}

/**
 * The spots of a map, on the pixels that a search of it works on.
 * @throws RangeError for a width or a threshold that is not above zero
 */
export function spotsIn(
	{ map, seen }: ReturnType<typeof seenBySearch>,
	{ width, least, polarity }: SpotOptions,
): Spot[] {
	if (!(width > 0 && least > 0))
		throw new RangeError(
			`spots: expected a width and a threshold above 0, got ${width} A and ${least}`,
		);
	const { nx, ny, pixel } = map;
	const spots = new Spots(seen, nx, ny, pixel, width);
	if (!(spots.noise > 0)) return [];
	const signs = ([1, -1] as const).filter(
		(sign) => polarity === "either" || (polarity === "bright") === sign > 0,
	);
	return signs
		.flatMap((sign) =>
			spots.peaks(sign, least).map(({ x, y, value }) => ({
				x: (x - (nx - 1) / 2) * pixel,
				y: (y - (ny - 1) / 2) * pixel,
				...{ sign, significance: value / spots.noise },
			})),
		)
		.sort((a, b) => b.significance - a.significance);
}
