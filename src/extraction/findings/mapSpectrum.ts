/** |FFT| of a measured map, as it is usually looked at: all scatterers at once, their phases mixed. */
import { Fft2d } from "../../qpi/maths/fft.ts";
import { smooth } from "../../qpi/maths/realFft.ts";
import type { Spectrum } from "./spectrum.ts";

export interface MapImage {
	/** [nx][ny] */
	readonly image: ArrayLike<number>;
	readonly nx: number;
	readonly ny: number;
	/** What each pixel counts; all of them when not given. */
	readonly weights?: ArrayLike<number>;
	/** Angstrom a pixel. */
	readonly spacing: number;
}

/** What was done before the transform. */
export interface MapSpectrum extends Spectrum {
	/** For people: window and zero padding. */
	readonly note: string;
}

/**
 * |FFT| of a map less its mean, under a Hann window along each axis (times what each pixel counts), with zeros around it to a square of an even side made of 2, 3 and 5, so that both axes have the same step.
 * In the map's unit times A^2, over the root of the number of pixels that count, for noise to have the same level in maps of all sizes.
 */
export function mapSpectrum({
	image,
	nx,
	ny,
	weights,
	spacing,
}: MapImage): MapSpectrum {
	const side = smooth(Math.max(nx, ny, 128), 2);
	const window = (i: number, n: number) =>
		Math.sin((Math.PI * (i + 0.5)) / n) ** 2;
	const [wx, wy] = [nx, ny].map((n) =>
		Float64Array.from({ length: n }, (_, i) => window(i, n)),
	);
	let [total, sum, squares] = [0, 0, 0];
	for (let i = 0, p = 0; i < nx; i++)
		for (let j = 0; j < ny; j++, p++) {
			const w = wx[i] * wy[j] * (weights?.[p] ?? 1);
			total += w;
			squares += w * w;
			sum += w * image[p];
		}
	const mean = total > 0 ? sum / total : 0;
	const re = new Float64Array(side * side);
	const im = new Float64Array(side * side);
	for (let i = 0, p = 0; i < nx; i++)
		for (let j = 0; j < ny; j++, p++) {
			const w = wx[i] * wy[j] * (weights?.[p] ?? 1);
			re[i * side + j] = w * (image[p] - mean);
		}
	new Fft2d(side, side).transform(re, im);
	const half = side / 2;
	const scale = spacing ** 2 / Math.sqrt(squares || 1);
	const magnitude = new Float32Array(side * side);
	for (let i = 0; i < side; i++)
		for (let j = 0; j < side; j++) {
			const from = ((i + half) % side) * side + ((j + half) % side);
			magnitude[i * side + j] = scale * Math.hypot(re[from], im[from]);
		}
	return {
		magnitude,
		size: side,
		step: (2 * Math.PI) / (side * spacing),
		note: `${nx} x ${ny} pixels less their mean, Hann window along each axis; zeros around to ${side} x ${side}`,
	};
}
