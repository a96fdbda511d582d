/**
 * Wave vectors of a kernel: |FFT|, profiles of it, and the dominant q*. Everything in 1/Angstrom, q = 2 pi / wavelength.
 */
import { PIXEL } from "../../qpi/dataset/format.ts";
import { Fft2d } from "../../qpi/maths/fft.ts";
import { hann, sideOf } from "./radial.ts";

export {
	describePeak,
	dominantPeak,
	findPeaks,
	heldPeaks,
	type JudgedPeak,
	judgePeak,
	type Peak,
	type PeakOptions,
	withError,
} from "./peaks.ts";
export {
	type Profile,
	type ProfileOptions,
	profile,
	SECTOR,
} from "./profile.ts";
export { sideOf } from "./radial.ts";

/** |FFT| on a zero-centred square grid. */
export interface Spectrum {
	/** size x size, first index qx: element (i, j) is at ((i - size/2) step, (j - size/2) step); the kernel's unit times A^2. */
	readonly magnitude: Float32Array;
	readonly size: number;
	/** 1/A. */
	readonly step: number;
}

export interface SpectrumOptions {
	/** Angstrom a pixel; 400/63 by default. */
	spacing?: number;
	/** "hann" (default): cos^2(pi r / 2R) within the inscribed circle, no ripples from the image's edge; "none": the square as it is. */
	window?: "hann" | "none";
	/** Side of the zero-padded grid, 256 by default: made of the factors 2, 3, 5, even, at least the kernel's. */
	pad?: number;
}

/**
 * |FFT| of a square kernel whose centre is the middle of the image: pixel (i, j) of n x n at ((i - (n-1)/2) d, (j - (n-1)/2) d). The modulus does
 * not know where the origin is, so that half-integer lags need no phase.
 * @throws Error when the kernel is not square or not finite, or does not fit on the padded grid
 */
export function spectrum(
	kernel: ArrayLike<number>,
	{ spacing = PIXEL, window = "hann", pad = 256 }: SpectrumOptions = {},
): Spectrum {
	const n = sideOf(kernel, "spectrum");
	if (pad < n || pad % 2 !== 0)
		throw new Error(
			`spectrum: expected an even padded size of at least ${n}, got ${pad}`,
		);
	const re = new Float64Array(pad * pad);
	const reach = ((n - 1) / 2) * spacing;
	for (let i = 0; i < n; i++)
		for (let j = 0; j < n; j++) {
			const r = Math.hypot(i - (n - 1) / 2, j - (n - 1) / 2) * spacing;
			const weight = window === "none" ? 1 : hann(r, reach);
			re[i * pad + j] = weight * kernel[i * n + j];
		}
	const im = new Float64Array(pad * pad);
	new Fft2d(pad, pad).transform(re, im);
	const magnitude = new Float32Array(pad * pad);
	const half = pad / 2;
	for (let i = 0; i < pad; i++)
		for (let j = 0; j < pad; j++) {
			const from = ((i + half) % pad) * pad + ((j + half) % pad);
			magnitude[i * pad + j] = spacing ** 2 * Math.hypot(re[from], im[from]);
		}
	return { magnitude, size: pad, step: (2 * Math.PI) / (pad * spacing) };
}
