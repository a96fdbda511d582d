/** First guesses of a kernel: what the most outstanding spots of one width and polarity have in common. */

import type { Seen } from "./deconvolve.ts";
import type { Peak } from "./grid.ts";
import type { Searched } from "./searched.ts";
import { Spots } from "./spots.ts";
import { unit } from "./windows.ts";

export interface Seed {
	/** size x size pixels, tapered to its edges, unit norm. */
	readonly kernel: Float64Array;
	readonly size: number;
	/** How far the spots stand out, robust standard deviations. */
	readonly merit: number;
}

/** Widths of the spots, Angstrom, as the literature's scatterers have them. */
const WIDTHS = [3, 5, 8, 12];
/** A spot stands out by more than this, robust standard deviations; where scatterers are dense, few do so by the first. */
const LEAST = [4, 2.5];
/** Spots that are averaged, and how many there must be. */
const MOST = 12;
const FEW = 3;
/** How many of the first spots say how far a width stands out. */
const JUDGED = 12;

/** The best guess of each width and polarity, the one whose spots stand out most first. */
export function seedsOf(
	{ image, weights }: Seen,
	nx: number,
	ny: number,
	pixel: number,
	reach: number,
): Seed[] {
	const found: Seed[] = [];
	for (const width of WIDTHS) {
		const spots = new Spots({ image, weights }, nx, ny, pixel, width);
		if (!(spots.noise > 0)) continue;
		for (const sign of [1, -1] as const) {
			const list = LEAST.map((least) => spots.peaks(sign, least)).find(
				({ length }) => length >= FEW,
			);
			if (!list) continue;
			const top = list.slice(0, JUDGED);
			const merit = top[top.length >> 1].value / spots.noise;
			const kernel = commonOf(image, weights, nx, ny, list, reach);
			if (kernel) found.push({ kernel, size: 2 * reach + 1, merit });
		}
	}
	return found.sort((a, b) => b.merit - a.merit);
}

/** Mean of the windows of `reach` pixels around the first spots that lie wholly in what counts. */
function commonOf(
	image: Float64Array,
	weights: Float64Array,
	nx: number,
	ny: number,
	spots: readonly Peak[],
	reach: number,
): Float64Array | undefined {
	const size = 2 * reach + 1;
	const sum = new Float64Array(size * size);
	let count = 0;
	for (const { x, y } of spots) {
		if (x < reach || y < reach || x >= nx - reach || y >= ny - reach) continue;
		const at = (i: number, j: number) => (x - reach + i) * ny + y - reach + j;
		let seen = 0;
		for (let i = 0; i < size; i++)
			for (let j = 0; j < size; j++) if (weights[at(i, j)] > 0) seen++;
		if (seen < 0.9 * size * size) continue;
		for (let i = 0; i < size; i++)
			for (let j = 0; j < size; j++) sum[i * size + j] += image[at(i, j)];
		if (++count === MOST) break;
	}
	return count >= FEW ? tapered(sum, size) : undefined;
}

/** Falls to zero at its edges; unit norm. */
export function tapered(kernel: Float64Array, size: number): Float64Array {
	const edge = Float64Array.from({ length: size }, (_, i) =>
		Math.sin((Math.PI * (i + 1)) / (size + 1)),
	);
	return unit(
		kernel.map((v, p) => v * edge[Math.floor(p / size)] * edge[p % size]),
	);
}

/** What a window of the map shows, on its pixels. @throws RangeError when the window leaves the map or is too small */
export function seedAt(
	{ map, seen, size: largest }: Pick<Searched, "map" | "seen" | "size">,
	{
		x,
		y,
		size,
	}: { readonly x: number; readonly y: number; readonly size: number },
): Seed {
	const { nx, ny, pixel } = map;
	const reach = Math.min((largest - 1) / 2, Math.round(size / 2 / pixel));
	const [px, py] = [
		Math.round(x / pixel + (nx - 1) / 2),
		Math.round(y / pixel + (ny - 1) / 2),
	];
	const inside = [
		[px, nx],
		[py, ny],
	].every(([p, n]) => p - reach >= -1 && p + reach <= n);
	if (!(reach >= 2 && inside))
		throw new RangeError(
			`findScatterers: expected a seed window inside the map and of ${(4 * pixel).toPrecision(3)} A or more, got ${size} A at (${x}, ${y})`,
		);
	const side = 2 * reach + 1;
	const kernel = Float64Array.from({ length: side * side }, (_, p) => {
		const i = px - reach + Math.floor(p / side);
		const j = py - reach + (p % side);
		return i >= 0 && j >= 0 && i < nx && j < ny ? seen.image[i * ny + j] : 0;
	});
	return { kernel: tapered(kernel, side), size: side, merit: 0 };
}
