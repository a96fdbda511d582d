/** Small helpers on [nx][ny] grids. */
import { maxima } from "../marks/maxima.ts";
import { ranked } from "../scan/scan.ts";

/** Smoothed by a Gaussian of `sigma` pixels, what counts weighing by `weights`; zero where nothing near counts. */
export function smoothed(
	image: ArrayLike<number>,
	weights: ArrayLike<number>,
	nx: number,
	ny: number,
	sigma: number,
): Float64Array {
	const clean = Float64Array.from(image, (v, p) =>
		weights[p] > 0 ? weights[p] * v : 0,
	);
	const top = blurred(clean, nx, ny, sigma);
	const share = blurred(weights, nx, ny, sigma);
	return top.map((v, p) => (share[p] > 0.02 ? v / share[p] : 0));
}

/** Blurred by a Gaussian of `sigma` pixels (unit sum), zero outside. */
export function blurred(
	image: ArrayLike<number>,
	nx: number,
	ny: number,
	sigma: number,
): Float64Array {
	const reach = Math.max(1, Math.ceil(3.5 * sigma));
	const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
		Math.exp(-(((i - reach) / sigma) ** 2) / 2),
	);
	const sum = taps.reduce((a, b) => a + b, 0);
	for (let i = 0; i < taps.length; i++) taps[i] /= sum;
	const half = new Float64Array(nx * ny);
	for (let x = 0; x < nx; x++)
		for (let t = -reach; t <= reach; t++) {
			const from = x + t;
			if (from < 0 || from >= nx) continue;
			const w = taps[t + reach];
			for (let y = 0; y < ny; y++) half[x * ny + y] += w * image[from * ny + y];
		}
	const out = new Float64Array(nx * ny);
	for (let x = 0; x < nx; x++)
		for (let y = 0; y < ny; y++) {
			let v = 0;
			const [low, high] = [Math.max(-reach, -y), Math.min(reach, ny - 1 - y)];
			for (let t = low; t <= high; t++)
				v += taps[t + reach] * half[x * ny + y + t];
			out[x * ny + y] = v;
		}
	return out;
}

export interface Peak {
	/** Pixels, whole. */
	readonly x: number;
	readonly y: number;
	readonly value: number;
}

/** The pixels above `least` that no other within `apart` pixels exceeds, the highest first. */
export function peaks(
	map: ArrayLike<number>,
	nx: number,
	ny: number,
	apart: number,
	least: number,
): Peak[] {
	const chosen: Peak[] = [];
	for (const peak of maxima(map, nx, ny, least))
		if (
			!chosen.some(
				({ x, y }) => (x - peak.x) ** 2 + (y - peak.y) ** 2 < apart ** 2,
			)
		)
			chosen.push(peak);
	return chosen;
}

/** The upper one of two in the middle; 0 of no values. */
export const medianOf = (values: ArrayLike<number>): number =>
	ranked(Float64Array.from(values), values.length >> 1) ?? 0;

/** Robust standard deviation about zero of what counts, from the median of absolute values: of residuals and filtered noise, whose middle is known (robustSigma() finds it). */
export function spreadOf(
	values: ArrayLike<number>,
	weights: ArrayLike<number>,
): number {
	const counted: number[] = [];
	for (let p = 0; p < values.length; p++)
		if (weights[p] > 0.5) counted.push(Math.abs(values[p]));
	return 1.4826 * medianOf(counted);
}

/** Robust standard deviations beyond which a pixel says no more. */
const CLIP = 6;

/** What counts, cut off where it stands out too far, zero elsewhere. */
export function clipped(
	image: ArrayLike<number>,
	weights: ArrayLike<number>,
): Float64Array {
	const most = CLIP * spreadOf(image, weights);
	return Float64Array.from(image, (v, p) =>
		weights[p] > 0 ? Math.max(-most, Math.min(most, v)) : 0,
	);
}
