/** Turning a kernel about its centre, the middle of the image, and averaging over turns. */
import { HALF, taps } from "../../qpi/maths/interpolate.ts";
import { sideOf } from "./radial.ts";

/** An order of rotation; "isotropic" stands for all of them. */
export type Order = 1 | 2 | 3 | 4 | 6 | "isotropic";

/**
 * The kernel turned counterclockwise by `angle` radians about the middle of an n x n image. Multiples of a quarter turn move pixels exactly; other angles are interpolated by a
 * windowed sinc, which continues the image's rim outside. NaN where the image turned out of sight.
 * @throws Error when the image is not square or not finite
 */
export function rotate(kernel: ArrayLike<number>, angle: number): Float32Array {
	const n = sideOf(kernel, "rotate");
	const out = new Float32Array(n * n);
	const quarters = angle / (Math.PI / 2);
	const exact = Math.abs(quarters - Math.round(quarters)) < 1e-9;
	const c = exact ? Math.round(Math.cos(angle)) : Math.cos(angle);
	const s = exact ? Math.round(Math.sin(angle)) : Math.sin(angle);
	const middle = (n - 1) / 2;
	const at = sampler(kernel, n);
	for (let i = 0; i < n; i++)
		for (let j = 0; j < n; j++) {
			const u = c * (i - middle) + s * (j - middle) + middle;
			const v = -s * (i - middle) + c * (j - middle) + middle;
			const inside = Math.min(u, v) >= 0 && Math.max(u, v) <= n - 1;
			out[i * n + j] = exact
				? kernel[u * n + v]
				: inside
					? at(u, v)
					: Number.NaN;
		}
	return out;
}

/** Turns that stand for all angles: harmonics below this many are averaged away, except the zeroth. */
const ALL_TURNS = 48;

/**
 * Mean of a kernel (64 x 64, or its 128 x 128 support) over the turns of an order; exact for 1, 2 and 4. Outside the inscribed circle some turns fall out of the image: there the mean is over the others.
 * @throws Error when the image is not square or not finite
 */
export function symmetrise(
	kernel: ArrayLike<number>,
	order: Order,
): Float32Array {
	const turns = order === "isotropic" ? ALL_TURNS : order;
	const sum = new Float64Array(kernel.length);
	const count = new Float64Array(kernel.length);
	for (let t = 0; t < turns; t++)
		rotate(kernel, (2 * Math.PI * t) / turns).forEach((value, i) => {
			if (Number.isNaN(value)) return;
			sum[i] += value;
			count[i]++;
		});
	return Float32Array.from(sum, (value, i) => value / count[i]);
}

/** Values of an n x n image at fractional pixels (u, v); beyond the rim its pixels count again. */
export function sampler(
	image: ArrayLike<number>,
	n: number,
): (u: number, v: number) => number {
	const side = n + 2 * HALF;
	const wide = Float64Array.from({ length: side * side }, (_, p) => {
		const clamp = (i: number) => Math.min(n - 1, Math.max(0, i - HALF));
		return image[clamp(Math.floor(p / side)) * n + clamp(p % side)];
	});
	return (u, v) => {
		const [i, j] = [Math.floor(u), Math.floor(v)];
		const { weights: wu } = taps(u - i);
		const { weights: wv } = taps(v - j);
		let value = 0;
		for (let p = 0; p < 2 * HALF; p++) {
			let line = 0;
			let at = (i + 1 + p) * side + j + 1;
			for (let q = 0; q < 2 * HALF; q++, at++) line += wv[q] * wide[at];
			value += wu[p] * line;
		}
		return value;
	};
}
