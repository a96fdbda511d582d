/** The kernel's part of sparse deconvolution. */
import type { MapConvolution } from "../../qpi/operator/convolution.ts";

/** What is looked at: [nx][ny], zero where nothing counts. */
export interface Seen {
	readonly image: Float64Array;
	/** From 0 to 1. */
	readonly weights: Float64Array;
}

/** The kernel that goes with an activation: least squares with a ridge of `ridge` |X|^2, by conjugate gradients from `kernel` on. */
export function kernelFor(
	convolution: MapConvolution,
	x: Float64Array,
	{ image, weights }: Seen,
	kernel: Float64Array,
	{ ridge, steps }: { ridge: number; steps: number },
): Float64Array {
	const spectrum = convolution.mapSpectrum(x);
	const lambda = ridge * x.reduce((sum, v) => sum + v * v, 0);
	if (!(lambda > 0)) return kernel;
	const map = new Float64Array(image.length);
	const normal = (k: Float64Array, from?: Float64Array) => {
		convolution.convolve(spectrum, convolution.kernelSpectrum(k), map);
		for (let p = 0; p < map.length; p++)
			map[p] = weights[p] * (from ? from[p] - map[p] : map[p]);
		return convolution.kernelOf(spectrum, map);
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
