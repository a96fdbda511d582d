/** Cuts through a kernel's |F(q)|: along directions, and around rings. */
import { view } from "./projection.ts";
import { type Errors, extent, sideOf } from "./radial.ts";

/** |F| around a ring of q. */
export interface RingCut {
	/** 1/A. */
	readonly q: number;
	/** Radians from the x axis, evenly over the whole turn. */
	readonly angles: Float64Array;
	readonly value: Float64Array;
	/** One standard deviation of each, where draws or groups say it. */
	readonly error?: Float64Array;
}

export interface RingOptions extends Errors {
	/** Angstrom a pixel. */
	readonly spacing: number;
	/** Kernels with one group of scatterers left out each. */
	readonly groups?: readonly ArrayLike<number>[];
	/** Angles of the whole turn; 72 by default. */
	readonly angles?: number;
}

/**
 * |F| of the waves that go out, around the ring |q|: as `profile` transforms them, half a plane for each direction, so that q and -q are two values where a scatterer's pattern is not even.
 * @throws Error when the kernel is not square or not finite, or q is not above zero
 */
export function ringCut(
	kernel: ArrayLike<number>,
	q: number,
	{ spacing, samples, uncertainty, groups, angles: count = 72 }: RingOptions,
): RingCut {
	const n = sideOf(kernel, "ringCut");
	if (!(q > 0)) throw new Error(`ringCut: expected q above 0 1/A, got ${q}`);
	const reach = spacing * extent(kernel, n, { samples, uncertainty });
	const grid = { n, spacing, reach, outgoing: true };
	const angles = Float64Array.from(
		{ length: count },
		(_, a) => (2 * Math.PI * a) / count,
	);
	const rows = [[kernel], samples ?? [], groups ?? []].map((kernels) =>
		kernels.map(() => new Float64Array(count)),
	);
	angles.forEach((angle, a) => {
		const { pixel, weight, lag } = view(grid, angle);
		const cos = lag.map((t, p) => weight[p] * Math.cos(q * t));
		const sin = lag.map((t, p) => weight[p] * Math.sin(q * t));
		[[kernel], samples ?? [], groups ?? []].forEach((kernels, set) => {
			kernels.forEach((of, k) => {
				let [re, im] = [0, 0];
				for (let p = 0; p < pixel.length; p++) {
					const value = of[pixel[p]];
					re += value * cos[p];
					im += value * sin[p];
				}
				rows[set][k][a] = Math.hypot(re, im);
			});
		});
	});
	const [[value], drawn, left] = rows;
	const known = drawn.length > 2 || left.length > 2;
	const error = angles.map((_, a) =>
		Math.sqrt(
			Math.max(
				varianceAt(drawn, a),
				// the jackknife of groups that are left out
				left.length > 2
					? ((left.length - 1) ** 2 / left.length) * varianceAt(left, a)
					: 0,
			),
		),
	);
	return { q, angles, value, ...(known && { error }) };
}

function varianceAt(rows: readonly Float64Array[], a: number): number {
	if (rows.length < 3) return 0;
	const mean = rows.reduce((sum, row) => sum + row[a], 0) / rows.length;
	return (
		rows.reduce((sum, row) => sum + (row[a] - mean) ** 2, 0) / (rows.length - 1)
	);
}
