/** Places that no kind explains. */
import type { SitedMap } from "../kernels/sitedMap.ts";
import { peaks, smoothed, spreadOf } from "./grid.ts";

export interface Place {
	/** Pixels. */
	readonly x: number;
	readonly y: number;
	readonly significance: number;
	readonly looks: string;
}

/** Widths that are looked for, Angstrom, what a place stands out by at least, and how many are listed at most. */
const WIDTHS = [4, 8, 16];
const LEAST = 8;
const MOST = 24;

/** Spots in what is left, the most outstanding first: brighter or darker than their surroundings, of one of a few widths. */
export function leftoversOf(
	{ nx, ny, pixel, weights, sites }: SitedMap,
	rest: Float64Array,
): Place[] {
	const found: Place[] = [];
	for (const width of WIDTHS) {
		const sigma = Math.max(0.8, width / 2.355 / pixel);
		const inner = smoothed(rest, weights, nx, ny, sigma);
		const outer = smoothed(rest, weights, nx, ny, 2 * sigma);
		const spots = inner.map((v, p) => (weights[p] > 0.5 ? v - outer[p] : 0));
		const noise = spreadOf(spots, weights);
		if (!(noise > 0)) continue;
		for (const { x, y, value } of peaks(
			spots.map(Math.abs),
			nx,
			ny,
			2 * sigma,
			LEAST * noise,
		)) {
			const sign = spots[x * ny + y] > 0 ? "bright" : "dark";
			found.push({
				...{ x, y, significance: value / noise },
				looks: `${sign} spot of ${width} A`,
			});
		}
	}
	found.sort((a, b) => b.significance - a.significance);
	const places: Place[] = [];
	for (const place of found) {
		const near = (q: { x: number; y: number }) =>
			Math.hypot(q.x - place.x, q.y - place.y) * pixel < WIDTHS[2];
		if (!places.some(near) && !sites.some(near)) places.push(place);
		if (places.length === MOST) break;
	}
	return places;
}
