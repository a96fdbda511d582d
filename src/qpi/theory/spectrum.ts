/** |FFT| of a theory's pattern on the q-grid of a measured kernel's, under the same window. */
import { Fft2d } from "../maths/fft.ts";
import type { Pattern } from "./green.ts";
import { areaOf, type Cell, fractionsOf } from "./model.ts";

/** The q-grid of |FFT| of a kernel: element (i, j) of size x size at ((i - size/2) step, (j - size/2) step). */
export interface QGrid {
	readonly size: number;
	/** 1/A. */
	readonly step: number;
	/** Angstrom at which the window, cos^2(pi r / 2 reach), ends. */
	readonly reach: number;
}

/** Points of the transform a resolution, at least: between them it is interpolated. */
const FINE = 4;

/**
 * |sum_R w(R) f(R) exp(-iqR)| times the cell's area, R the lattice's points. A lattice's q is periodic: beyond its first cell the pattern comes again.
 * @throws RangeError when the pattern's grid is too small for the window
 */
export function patternSpectrum(
	{ value, points }: Pattern,
	cell: Cell,
	{ size, step, reach }: QGrid,
): { magnitude: Float32Array; size: number; step: number } {
	const area = areaOf(cell);
	// The rows of the inverse: how many cells along a and b a circle reaches.
	const [na, nb] = [cell.b, cell.a].map((side) =>
		Math.ceil((reach * Math.hypot(...side)) / area),
	);
	if (FINE * Math.max(na, nb) > points)
		throw new RangeError(
			`theory: a window of ${reach.toFixed(0)} A needs ${FINE * Math.max(na, nb)} points a side, the grid has ${points}`,
		);
	const re = new Float64Array(points * points);
	const im = new Float64Array(points * points);
	const wrap = (i: number) => (i + points) % points;
	for (let i = -na; i <= na; i++)
		for (let j = -nb; j <= nb; j++) {
			const r = Math.hypot(
				i * cell.a[0] + j * cell.b[0],
				i * cell.a[1] + j * cell.b[1],
			);
			if (r >= reach) continue;
			const p = wrap(i) * points + wrap(j);
			re[p] = area * value[p] * Math.cos((Math.PI * r) / (2 * reach)) ** 2;
		}
	new Fft2d(points, points).transform(re, im);
	const magnitude = new Float32Array(size * size);
	for (let i = 0; i < size; i++)
		for (let j = 0; j < size; j++) {
			const [u, v] = fractionsOf(
				cell,
				(i - size / 2) * step,
				(j - size / 2) * step,
			).map((f) => (f - Math.floor(f)) * points);
			const [i0, j0] = [Math.floor(u), Math.floor(v)];
			const [s, t] = [u - i0, v - j0];
			let [sumRe, sumIm] = [0, 0];
			for (const [di, wi] of [
				[0, 1 - s],
				[1, s],
			])
				for (const [dj, wj] of [
					[0, 1 - t],
					[1, t],
				]) {
					const p = ((i0 + di) % points) * points + ((j0 + dj) % points);
					sumRe += wi * wj * re[p];
					sumIm += wi * wj * im[p];
				}
			magnitude[i * size + j] = Math.hypot(sumRe, sumIm);
		}
	return { magnitude, size, step };
}
