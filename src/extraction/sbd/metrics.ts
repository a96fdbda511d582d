/** The published figures of merit of sparse blind deconvolution (Cheung et al. 2020, and MC-SBD-STM). */

import { Fft2d } from "../../qpi/maths/fft.ts";
import { smooth } from "../../qpi/maths/realFft.ts";
import { MapConvolution } from "../../qpi/operator/convolution.ts";
import { dot } from "../../qpi/operator/ridge.ts";
import { type Centred, correlation } from "../../qpi/scores/metrics.ts";

/** `2/pi arccos |<A, A'>|` of two kernels of the same pixel, each of norm 1, at the best shift: 0 for the same kernel, 1 for unrelated ones. */
export function kernelAngle(a: Centred, b: Centred): number {
	const size = Math.max(a.size, b.size);
	const [u, v] = [a, b].map((kernel) => centred(kernel, size));
	const scale = Math.sqrt(dot(u, u) * dot(v, v));
	if (!(scale > 0)) return 1;
	// Products at all shifts: the smaller one in a field that holds both.
	const wide = 2 * size + 1;
	const convolution = new MapConvolution(wide, wide, size);
	const field = centred({ values: u, size }, wide);
	const products = convolution.mapOf(convolution.kernelSpectrum(v), field);
	const best = products.reduce((most, p) => Math.max(most, Math.abs(p)), 0);
	return (2 / Math.PI) * Math.acos(Math.min(1, best / scale));
}

/** Correlation of the moduli of two kernels' Fourier transforms, the mean taken away from each kernel: where it is no shift counts. */
export function spectrumCorrelation(a: Centred, b: Centred): number {
	const size = Math.max(a.size, b.size);
	const period = smooth(size);
	const fft = new Fft2d(period, period);
	const [u, v] = [a, b].map((kernel) => {
		const values = centred(kernel, size);
		const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
		const re = new Float64Array(period ** 2);
		const im = new Float64Array(period ** 2);
		values.forEach((x, p) => {
			re[Math.floor(p / size) * period + (p % size)] = x - mean;
		});
		fft.transform(re, im);
		return re.map((r, p) => Math.hypot(r, im[p]));
	});
	return correlation(u, v);
}

/** An activation at a place, Angstrom. */
export interface Activation {
	readonly x: number;
	readonly y: number;
	readonly weight: number;
}

/** Cosine of two activation maps, each smoothed by a Gaussian of `sigma` Angstrom: 1 for the same map, 0 where they have no place in common. */
export function activationOverlap(
	a: readonly Activation[],
	b: readonly Activation[],
	sigma = 2,
): number {
	// The product of two Gaussians falls off as one of twice the variance.
	const product = (us: readonly Activation[], vs: readonly Activation[]) =>
		us.reduce(
			(sum, u) =>
				sum +
				vs.reduce((part, v) => {
					const d2 = (u.x - v.x) ** 2 + (u.y - v.y) ** 2;
					return part + u.weight * v.weight * Math.exp(-d2 / (4 * sigma ** 2));
				}, 0),
			0,
		);
	const scale = Math.sqrt(product(a, a) * product(b, b));
	return scale > 0 ? product(a, b) / scale : 0;
}

/** A kernel on size x size nodes about its middle, zero where it does not reach. */
function centred({ values, size: from }: Centred, size: number): Float64Array {
	const out = new Float64Array(size ** 2);
	const shift = (size - from) / 2;
	for (let p = 0; p < values.length; p++) {
		const [i, j] = [Math.floor(p / from) + shift, (p % from) + shift];
		out[i * size + j] = values[p];
	}
	return out;
}
