/**
 * Wave vectors of a kernel: |FFT|, profiles of it, and the dominant q*. Everything in 1/Angstrom, q = 2 pi / wavelength.
 *
 * The |FFT| of an isotropic pattern has an edge, not a peak, at 2k: `Re[f H0(kr)^2]` falls off as cos(2kr + phase)/r, whose transform is
 * 1/sqrt(q^2 - 4k^2) on one side of 2k or the other as the phase will have it. A window smears that edge, and the maximum then lies
 * beside 2k: by up to 0.03 1/A (20 %) in a field of 400 A with a Hann window. Profiles for measuring therefore transform only the waves that go
 * out: for a direction u the half plane r.u > 0. There the integral over the angle has one point of stationary phase and
 * what is left is the one-sided transform of exp(i (2k - q) r), whose modulus is even about 2k whatever the phase is.
 */
import { Fft2d } from "../qpi/fft.ts";

export {
	describePeak,
	dominantPeak,
	findPeaks,
	type Peak,
	type PeakOptions,
	withError,
} from "./peaks.ts";

/** Angstrom a pixel of the reference grid, linspace(-200, 200, 64). */
export const MODEL_SPACING = 400 / 63;

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
	{ spacing = MODEL_SPACING, window = "hann", pad = 256 }: SpectrumOptions = {},
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

/** |F| along q, averaged over directions. */
export interface Profile {
	/** 1/A, from 0 to Nyquist, evenly. */
	readonly q: Float64Array;
	readonly value: Float64Array;
	/** q.length square: of the values' errors; undefined when nothing is known about the kernel's. */
	readonly covariance?: Float64Array;
	/** One standard deviation of each value. */
	readonly error?: Float64Array;
	/** 2 pi / reach: what the window resolves, 1/A. */
	readonly resolution: number;
	/** What the position of a peak is off by without noise, on generated kernels of known q: 0.03 of the resolution, in a sector 0.1; 1/A. */
	readonly systematic: number;
}

export interface ProfileOptions {
	/** Angstrom a pixel; 400/63 by default. */
	spacing?: number;
	/** Radians from the x axis, modulo pi: a sector in place of the mean over all directions. */
	direction?: number;
	/** Half the sector's opening, radians; pi/12 by default. */
	width?: number;
	/**
	 * "outgoing" (default, for measuring q): half planes, windowed by sin^2(pi r / reach), which also leaves out the scatterer's near field;
	 * "full": the plain |FFT| with the Hann window of `spectrum`, its mean over directions.
	 */
	waves?: "outgoing" | "full";
	/** Angstrom from the scatterer at which the window ends; the inscribed circle's radius by default. */
	reach?: number;
	/** One standard deviation of each pixel of the kernel. */
	uncertainty?: ArrayLike<number>;
	/**
	 * How many pixels err together, 4 by default (a patch of 2 x 2), 1 for white noise: the errors' spectrum is taken as flat with this many times the power of white ones. Errors of
	 * least-squares kernels of generated images have 2 to 6 times the white power at the kernel's own q (in one of twenty 11 times), and less than it beyond.
	 */
	correlation?: number;
	/** Kernels drawn from the posterior: the errors are then their spread, and `uncertainty` is not used. At least 3. */
	samples?: readonly ArrayLike<number>[];
}

/** Directions in the mean over all, and in a sector. */
const [DIRECTIONS, SECTOR] = [48, 7];

/**
 * Radial profile (mean of |F| over directions) or that of a sector and its opposite. Evaluated at each q and direction by the sum over pixels, without interpolation. Errors
 * are propagated to first order, with the correlation between different q; where the signal is below the noise |F| is biased upward, as a modulus is.
 * @throws Error when sizes differ, values are not finite, or there are fewer than 3 samples
 */
export function profile(
	kernel: ArrayLike<number>,
	options: ProfileOptions = {},
): Profile {
	const { spacing = MODEL_SPACING, samples, uncertainty } = options;
	const n = sideOf(kernel, "profile");
	const reach = options.reach ?? ((n - 1) / 2) * spacing;
	const q = Float64Array.from(
		{ length: 2 * n },
		(_, k) => ((k / (2 * n - 1)) * Math.PI) / spacing,
	);
	const views = directions(options).map((angle) =>
		view(n, spacing, reach, angle, options.waves !== "full"),
	);
	const value = meanModulus(kernel, views, q);
	const resolution = (2 * Math.PI) / reach;
	const systematic =
		(options.direction === undefined ? 0.03 : 0.1) * resolution;
	const known = { q, value, resolution, systematic };
	if (!samples && !uncertainty) return known;
	for (const other of samples ?? [uncertainty ?? []])
		if (sideOf(other, "profile") !== n)
			throw new Error(
				`profile: the kernel has ${n} x ${n} pixels, its ${samples ? "sample" : "uncertainty"} ${other.length}`,
			);
	if (samples && samples.length < 3)
		throw new Error(
			`profile: expected at least 3 samples of the kernel, got ${samples.length}`,
		);
	const covariance = samples
		? spread(samples.map((sample) => meanModulus(sample, views, q)))
		: propagated(kernel, views, q, uncertainty ?? [], options.correlation ?? 4);
	const error = q.map((_, k) => Math.sqrt(covariance[k * (q.length + 1)]));
	return { ...known, covariance, error };
}

/** Pixels that a direction sees: their numbers, weights and lags along the direction. */
interface View {
	readonly pixel: Int32Array;
	readonly weight: Float64Array;
	readonly lag: Float64Array;
}

function directions({ direction, width, waves }: ProfileOptions): number[] {
	if (direction === undefined) {
		const turn = waves === "full" ? Math.PI : 2 * Math.PI;
		return Array.from(
			{ length: DIRECTIONS },
			(_, a) => ((a + 0.5) / DIRECTIONS) * turn,
		);
	}
	const half = width ?? Math.PI / 12;
	const sector = Array.from(
		{ length: SECTOR },
		(_, a) => direction + half * ((2 * a + 1) / SECTOR - 1),
	);
	// the modulus of a real image's transform is the same at -q; a half plane's is not
	return waves === "full"
		? sector
		: [...sector, ...sector.map((angle) => angle + Math.PI)];
}

function view(
	n: number,
	spacing: number,
	reach: number,
	angle: number,
	outgoing: boolean,
): View {
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	const pixel: number[] = [];
	const weight: number[] = [];
	const lag: number[] = [];
	for (let i = 0; i < n; i++)
		for (let j = 0; j < n; j++) {
			const x = (i - (n - 1) / 2) * spacing;
			const y = (j - (n - 1) / 2) * spacing;
			const r = Math.hypot(x, y);
			const t = c * x + s * y;
			if (r >= reach || (outgoing && t <= 0)) continue;
			pixel.push(i * n + j);
			lag.push(t);
			// the squared cosine lets the half plane begin softly, at right angles to the direction
			const w = outgoing
				? (Math.sin((Math.PI * r) / reach) * (t / r)) ** 2
				: hann(r, reach);
			weight.push(w * spacing ** 2);
		}
	return {
		pixel: Int32Array.from(pixel),
		weight: Float64Array.from(weight),
		lag: Float64Array.from(lag),
	};
}

/** Calls back with sum_p weight_p kernel_p exp(-i q lag_p) for each q (evenly spaced from zero). */
function transform(
	kernel: ArrayLike<number>,
	{ pixel, weight, lag }: View,
	q: Float64Array,
): { re: Float64Array; im: Float64Array } {
	const re = new Float64Array(q.length);
	const im = new Float64Array(q.length);
	for (let p = 0; p < pixel.length; p++) {
		const [c, s] = [Math.cos(q[1] * lag[p]), -Math.sin(q[1] * lag[p])];
		let a = weight[p] * kernel[pixel[p]];
		let b = 0;
		for (let k = 0; k < q.length; k++) {
			re[k] += a;
			im[k] += b;
			const next = a * c - b * s;
			b = a * s + b * c;
			a = next;
		}
	}
	return { re, im };
}

function meanModulus(
	kernel: ArrayLike<number>,
	views: readonly View[],
	q: Float64Array,
): Float64Array {
	const mean = new Float64Array(q.length);
	for (const view of views) {
		const { re, im } = transform(kernel, view, q);
		for (let k = 0; k < q.length; k++)
			mean[k] += Math.hypot(re[k], im[k]) / views.length;
	}
	return mean;
}

/** Covariance of the mean moduli: d|F| = Re[conj(F)/|F| dF], summed over directions before it is squared, for they share pixels. */
function propagated(
	kernel: ArrayLike<number>,
	views: readonly View[],
	q: Float64Array,
	uncertainty: ArrayLike<number>,
	correlation: number,
): Float64Array {
	const m = q.length;
	const jacobian = new Float64Array(kernel.length * m);
	for (const view of views) {
		const { re, im } = transform(kernel, view, q);
		for (let k = 0; k < m; k++) {
			const modulus = Math.hypot(re[k], im[k]) * views.length || 1;
			re[k] /= modulus;
			im[k] /= modulus;
		}
		const { pixel, weight, lag } = view;
		for (let p = 0; p < pixel.length; p++) {
			const [c, s] = [Math.cos(q[1] * lag[p]), -Math.sin(q[1] * lag[p])];
			let a = weight[p] * uncertainty[pixel[p]];
			let b = 0;
			const row = pixel[p] * m;
			for (let k = 0; k < m; k++) {
				jacobian[row + k] += a * re[k] + b * im[k];
				const next = a * c - b * s;
				b = a * s + b * c;
				a = next;
			}
		}
	}
	return gram(jacobian, m, correlation);
}

/** Sample covariance. */
function spread(rows: readonly Float64Array[]): Float64Array {
	const m = rows[0].length;
	const centred = new Float64Array(rows.length * m);
	for (let k = 0; k < m; k++) {
		const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length;
		rows.forEach((row, s) => {
			centred[s * m + k] = row[k] - mean;
		});
	}
	return gram(centred, m, 1 / (rows.length - 1));
}

/** scale * A^T A of rows of m. */
function gram(rows: Float64Array, m: number, scale: number): Float64Array {
	const out = new Float64Array(m * m);
	for (let at = 0; at < rows.length; at += m)
		for (let k = 0; k < m; k++) {
			const v = scale * rows[at + k];
			if (v !== 0)
				for (let l = 0; l <= k; l++) out[k * m + l] += v * rows[at + l];
		}
	for (let k = 0; k < m; k++)
		for (let l = 0; l < k; l++) out[l * m + k] = out[k * m + l];
	return out;
}

function hann(r: number, reach: number): number {
	return r < reach ? Math.cos((Math.PI * r) / (2 * reach)) ** 2 : 0;
}

/**
 * Side of a square image.
 * @throws Error when it is not square, smaller than 8 x 8, or has a value that is not finite
 */
export function sideOf(image: ArrayLike<number>, who: string): number {
	const n = Math.sqrt(image.length);
	if (!Number.isInteger(n) || n < 8)
		throw new Error(
			`${who}: expected a square image of at least 8 x 8 pixels, got ${image.length} values`,
		);
	for (let i = 0; i < image.length; i++)
		if (!Number.isFinite(image[i]))
			throw new Error(
				`${who}: value ${i} (pixel ${Math.floor(i / n)}, ${i % n}) is ${image[i]}, expected a finite number`,
			);
	return n;
}
