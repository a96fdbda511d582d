/** Activation maps as lists of scatterers. */

import type { MapMark } from "../kernels/markedMap.ts";
import { maxima } from "../marks/maxima.ts";
import { radialFilter } from "../scan/filter.ts";
import { median, type Scan } from "../scan/scan.ts";

/** Angstrom: what activations are smoothed by, how near to a maximum they count to it, and how near maxima may be. */
const SMOOTH = 4;
const NEAR = 6;
const APART = 5.5;
/** A maximum counts above this share of the strongest, and an amplitude above this share of the median of the stronger half. */
const STRONG = 0.3;
const USUAL = 0.4;

/** A pixel grid in Angstrom. */
export interface Grid {
	readonly nx: number;
	readonly ny: number;
	readonly pixel: number;
}

/**
 * The discrete scatterers of an activation map: maxima of the smoothed map, at the centroid of the activations about each.
 * @returns in Angstrom from the map's middle, weight the sum of the activations over the median of all
 */
export function marksOf(
	activation: Float64Array,
	{ nx, ny, pixel }: Grid,
): Required<Omit<MapMark, "kind">>[] {
	const size = activation.map(Math.abs);
	if (!size.some((v) => v > 0)) return [];
	const smooth = radialFilter(
		{
			image: Float32Array.from(size),
			nx,
			ny,
			spacing: { x: pixel, y: pixel },
		} satisfies Scan,
		(q) => Math.exp(-((q * SMOOTH) ** 2) / 2),
		4 * SMOOTH,
	).image;
	const peaks = maxima(smooth, nx, ny, 0);
	const tops: typeof peaks = [];
	for (const peak of peaks) {
		if (peak.value < STRONG * strongest(peaks)) break;
		const free = tops.every(
			({ x, y }) => Math.hypot(peak.x - x, peak.y - y) * pixel >= APART,
		);
		if (free) tops.push(peak);
	}
	const found = tops.map((top) => centroid(activation, { nx, ny, pixel }, top));
	const amplitudes = found.map(({ weight }) => Math.abs(weight));
	amplitudes.sort((a, b) => a - b);
	const usual = median(amplitudes.slice(Math.floor(amplitudes.length / 2)));
	const kept = found.filter(({ weight }) => Math.abs(weight) > USUAL * usual);
	const middle = median(kept.map(({ weight }) => Math.abs(weight)));
	return kept.map((mark) => ({ ...mark, weight: mark.weight / middle }));
}

/** One maximum may be a fluke: the third highest. */
const strongest = (peaks: readonly { readonly value: number }[]) =>
	peaks[Math.min(2, peaks.length - 1)].value;

function centroid(
	activation: Float64Array,
	{ nx, ny, pixel }: Grid,
	top: { readonly x: number; readonly y: number },
) {
	const reach = Math.ceil(NEAR / pixel);
	let [size, weight, x, y] = [0, 0, 0, 0];
	for (
		let i = Math.max(0, top.x - reach);
		i <= Math.min(nx - 1, top.x + reach);
		i++
	)
		for (
			let j = Math.max(0, top.y - reach);
			j <= Math.min(ny - 1, top.y + reach);
			j++
		) {
			if (Math.hypot(i - top.x, j - top.y) * pixel > NEAR) continue;
			const v = activation[i * ny + j];
			weight += v;
			size += Math.abs(v);
			x += Math.abs(v) * i;
			y += Math.abs(v) * j;
		}
	return {
		x: (x / size - (nx - 1) / 2) * pixel,
		y: (y / size - (ny - 1) / 2) * pixel,
		weight,
	};
}
