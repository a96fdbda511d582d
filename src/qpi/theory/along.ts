/** A theory's pattern along a direction, transformed as a measured kernel is. */
import type { Pattern } from "./green.ts";
import { areaOf, type Cell } from "./model.ts";

/** Points of the line that the pattern is spread on, a wavelength of the greatest q. */
const FINE = 32;

/**
 * Mean over directions of `|sum_R w(R) f(R) exp(-i q u.R)|` times the cell's area, over the lattice's points ahead of the scatterer: the waves that go out, in the window
 * `w = (sin(pi r / reach) cos(angle to u))^2`, as the profiles of kernels have it.
 * @param directions radians from the x axis
 * @param q evenly from 0, 1/A
 * @param reach Angstrom at which the window ends
 * @throws RangeError when the pattern's grid is too small for the window
 */
export function outgoingAlong(
	{ value, points }: Pattern,
	cell: Cell,
	directions: readonly number[],
	q: ArrayLike<number>,
	reach: number,
): Float64Array {
	const area = areaOf(cell);
	const [na, nb] = [cell.b, cell.a].map((side) =>
		Math.ceil((reach * Math.hypot(...side)) / area),
	);
	if (2 * Math.max(na, nb) >= points)
		throw new RangeError(
			`theory: a window of ${reach.toFixed(0)} A needs ${2 * Math.max(na, nb) + 1} points a side, the grid has ${points}`,
		);
	const step = (2 * Math.PI) / q[q.length - 1] / FINE;
	const length = Math.ceil(reach / step) + 2;
	const out = new Float64Array(q.length);
	for (const angle of directions) {
		const line = new Float64Array(length);
		const [c, s] = [Math.cos(angle), Math.sin(angle)];
		for (let i = -na; i <= na; i++)
			for (let j = -nb; j <= nb; j++) {
				const x = i * cell.a[0] + j * cell.b[0];
				const y = i * cell.a[1] + j * cell.b[1];
				const r = Math.hypot(x, y);
				const t = c * x + s * y;
				if (r >= reach || t <= 0) continue;
				const p = ((i + points) % points) * points + ((j + points) % points);
				const weight = (Math.sin((Math.PI * r) / reach) * (t / r)) ** 2;
				const at = t / step;
				const bin = Math.floor(at);
				const part = area * weight * value[p];
				line[bin] += (1 - at + bin) * part;
				line[bin + 1] += (at - bin) * part;
			}
		for (let k = 0; k < q.length; k++) {
			let [re, im] = [0, 0];
			for (let b = 0; b < length; b++) {
				re += line[b] * Math.cos(q[k] * step * b);
				im -= line[b] * Math.sin(q[k] * step * b);
			}
			// what spreading a point over two takes away
			const half = (q[k] * step) / 2;
			const spread = half > 0 ? (Math.sin(half) / half) ** 2 : 1;
			out[k] += Math.hypot(re, im) / spread / directions.length;
		}
	}
	return out;
}
