/** Sparse deconvolution: where one kernel is, and what it is, found in turns. */
import type { HalfSpectrum } from "../../qpi/realFft.ts";
import { type Convolution, greatestPower } from "./convolution.ts";

/** What is looked at: [nx][ny], zero where nothing counts. */
export interface Seen {
	readonly image: Float64Array;
	/** From 0 to 1. */
	readonly weights: Float64Array;
}

/**
 * The activation of a known kernel: `min_X 1/2 |W^(1/2) (X * K - Y)|^2 + lambda |X|_1`, X >= 0 unless signed, by FISTA (Beck & Teboulle, SIAM J. Imaging Sci. 2, 183 (2009)).
 * @param from the activation to start with
 */
export function activation(
	convolution: Convolution,
	kernel: HalfSpectrum,
	{ image, weights }: Seen,
	from: Float64Array,
	{ lambda, steps, signed }: { lambda: number; steps: number; signed: boolean },
): Float64Array {
	const rate = 1 / greatestPower(kernel);
	const cut = lambda * rate;
	let x: Float64Array = from;
	let next: Float64Array = new Float64Array(x.length);
	const ahead = Float64Array.from(x);
	const rest = new Float64Array(x.length);
	const work = convolution.ofMap(ahead);
	let t = 1;
	for (let step = 0; step < steps; step++) {
		convolution.model(convolution.ofMap(ahead, work), kernel, rest);
		for (let p = 0; p < rest.length; p++)
			rest[p] = weights[p] * (image[p] - rest[p]);
		convolution.match(convolution.ofMap(rest, work), kernel, rest);
		const later = (1 + Math.sqrt(1 + 4 * t * t)) / 2;
		const momentum = (t - 1) / later;
		for (let p = 0; p < rest.length; p++) {
			const v = ahead[p] + rate * rest[p];
			const u = v > cut ? v - cut : signed && v < -cut ? v + cut : 0;
			next[p] = u;
			ahead[p] = u + momentum * (u - x[p]);
		}
		t = later;
		[x, next] = [next, x === from ? new Float64Array(x.length) : x];
	}
	return x;
}

/** The kernel that goes with an activation: least squares with a ridge of `ridge` |X|^2, by conjugate gradients from `kernel` on. */
export function kernelFor(
	convolution: Convolution,
	x: Float64Array,
	{ image, weights }: Seen,
	kernel: Float64Array,
	{ ridge, steps }: { ridge: number; steps: number },
): Float64Array {
	const spectrum = convolution.ofMap(x);
	const lambda = ridge * x.reduce((sum, v) => sum + v * v, 0);
	if (!(lambda > 0)) return kernel;
	const map = new Float64Array(image.length);
	const normal = (k: Float64Array, from?: Float64Array) => {
		convolution.model(spectrum, convolution.ofKernel(k), map);
		for (let p = 0; p < map.length; p++)
			map[p] = weights[p] * (from ? from[p] - map[p] : map[p]);
		return convolution.kernelOf(convolution.ofMap(map), spectrum);
	};
	const out = Float64Array.from(kernel);
	const gradient = normal(out, image).map((v, i) => v - lambda * out[i]);
	const direction = Float64Array.from(gradient);
	let power = gradient.reduce((sum, v) => sum + v * v, 0);
	for (let step = 0; step < steps && power > 0; step++) {
		const image = normal(direction).map((v, i) => v + lambda * direction[i]);
		let along = 0;
		for (let i = 0; i < image.length; i++) along += direction[i] * image[i];
		const length = power / along;
		let left = 0;
		for (let i = 0; i < out.length; i++) {
			out[i] += length * direction[i];
			gradient[i] -= length * image[i];
			left += gradient[i] ** 2;
		}
		for (let i = 0; i < out.length; i++)
			direction[i] = gradient[i] + (left / power) * direction[i];
		power = left;
	}
	return out;
}
