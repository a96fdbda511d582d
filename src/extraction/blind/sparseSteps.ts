/** The two steps that sparse blind deconvolution alternates: the activation map for a fixed kernel, and the kernel for a fixed map. */

import type { HalfSpectrum } from "../../qpi/maths/realFft.ts";
import {
	largestPower,
	type MapConvolution,
} from "../../qpi/operator/convolution.ts";
import { dot } from "../../qpi/operator/ridge.ts";

/** `1/2 |sqrt(W) (Y - A * X)|^2 + lambda sum h(X)`, h Huber's function: x^2 / 2 mu up to |x| = mu, |x| - mu / 2 beyond; |x| for mu = 0. */
export interface SparseProblem {
	readonly convolution: MapConvolution;
	/** Y: the map less all other kinds' parts. */
	readonly map: Float64Array;
	/** W, 0 to 1 a pixel. */
	readonly weights: ArrayLike<number>;
	readonly lambda: number;
	readonly mu: number;
	/** Whether activations may have either sign. */
	readonly signed: boolean;
}

/** What the model leaves of the map, times the weights: out = W (A * X - Y). */
function misfit(
	{ convolution, map, weights }: SparseProblem,
	activation: HalfSpectrum,
	kernel: HalfSpectrum,
	out: Float64Array,
): Float64Array {
	convolution.convolve(activation, kernel, out);
	for (let p = 0; p < out.length; p++) out[p] = weights[p] * (out[p] - map[p]);
	return out;
}

/** The least of t h(x) + (x - v)^2 / 2. */
export function shrink(v: number, t: number, mu: number): number {
	const size = Math.abs(v);
	if (size <= mu + t) return mu > 0 ? (v * mu) / (mu + t) : 0;
	return v - Math.sign(v) * t;
}

/** FISTA (Beck & Teboulle, SIAM J. Imaging Sci. 2, 183 (2009)) from an earlier activation map. */
export function findActivation(
	problem: SparseProblem,
	kernel: Float64Array,
	from: Float64Array,
	steps: number,
): Float64Array {
	const { convolution, lambda, mu, signed } = problem;
	const ofKernel = convolution.kernelSpectrum(kernel);
	const bound = largestPower(ofKernel);
	if (!(bound > 0)) return from;
	const spectrum = convolution.mapSpectrum(from);
	const [left, gradient] = [0, 0].map(() => new Float64Array(from.length));
	const ahead = from.slice();
	let now = from.slice();
	let next = new Float64Array(from.length);
	let t = 1;
	for (let step = 0; step < steps; step++) {
		convolution.mapSpectrum(ahead, spectrum);
		misfit(problem, spectrum, ofKernel, left);
		convolution.mapOf(ofKernel, left, gradient);
		const grown = (1 + Math.sqrt(1 + 4 * t * t)) / 2;
		const momentum = (t - 1) / grown;
		for (let p = 0; p < next.length; p++) {
			const v = shrink(ahead[p] - gradient[p] / bound, lambda / bound, mu);
			next[p] = signed ? v : Math.max(0, v);
			ahead[p] = next[p] + momentum * (next[p] - now[p]);
		}
		[now, next] = [next, now];
		t = grown;
	}
	return now;
}

/** Conjugate gradients on the unit sphere (Polak & Ribiere), with exact steps along great circles: the kernel of norm 1 for a fixed map. */
export function findKernel(
	problem: SparseProblem,
	activation: Float64Array,
	from: Float64Array,
	steps: number,
): Float64Array {
	const { convolution, map, weights } = problem;
	const ofMap = convolution.mapSpectrum(activation);
	const spectrum = convolution.kernelSpectrum(from);
	const seen = map.map((v, p) => weights[p] * v);
	const drawn = new Float64Array(map.length);
	const draw = (kernel: Float64Array) =>
		convolution
			.convolve(ofMap, convolution.kernelSpectrum(kernel, spectrum), drawn)
			.slice();
	const weighted = (a: Float64Array, b: Float64Array) =>
		a.reduce((sum, v, p) => sum + weights[p] * v * b[p], 0);
	let kernel = from.slice();
	let model = draw(kernel);
	let way: Float64Array | undefined;
	let last: Float64Array | undefined;
	for (let step = 0; step < steps; step++) {
		const left = model.map((v, p) => seen[p] - weights[p] * v);
		const down = tangent(convolution.kernelOf(ofMap, left), kernel);
		const steep = dot(down, down);
		if (!(steep > 0)) break;
		const turn =
			last && way
				? Math.max(0, (steep - dot(down, last)) / dot(last, last))
				: 0;
		way = tangent(
			down.map((v, i) => v + turn * (way?.[i] ?? 0)),
			kernel,
		);
		const length = Math.sqrt(dot(way, way));
		const unit = way.map((v) => v / length);
		const change = draw(unit);
		const angle = bestAngle(
			[dot(seen, model), dot(seen, change)],
			[
				weighted(model, model),
				weighted(model, change),
				weighted(change, change),
			],
		);
		const [c, s] = [Math.cos(angle), Math.sin(angle)];
		kernel = kernel.map((v, i) => c * v + s * unit[i]);
		model = model.map((v, p) => c * v + s * change[p]);
		last = down;
	}
	return kernel;
}

/** The part at right angles to a unit vector. */
function tangent(v: Float64Array, unit: Float64Array): Float64Array {
	const along = dot(v, unit);
	return v.map((a, i) => a - along * unit[i]);
}

/** Where (c^2 mm + 2 c s md + s^2 dd) / 2 - c ym - s yd is least, c and s the angle's cosine and sine, within a quarter turn. */
function bestAngle(
	[ym, yd]: readonly [number, number],
	[mm, md, dd]: readonly [number, number, number],
): number {
	const at = (angle: number) => {
		const [c, s] = [Math.cos(angle), Math.sin(angle)];
		return (c * c * mm + 2 * c * s * md + s * s * dd) / 2 - c * ym - s * yd;
	};
	let [best, reach] = [0, Math.PI / 4];
	// Ever finer about the best of so many: the curve is smooth.
	for (let round = 0; round < 12; round++, reach /= 4) {
		const centre = best;
		for (let k = -4; k <= 4; k++) {
			const angle = centre + (k * reach) / 4;
			if (at(angle) < at(best)) best = angle;
		}
	}
	return best;
}
