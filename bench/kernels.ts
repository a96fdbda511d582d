/** Kernels of known waves with their errors, for the benches of symmetry and significance. Lengths in pixels of the kernel. */
import { hankel0 } from "../src/qpi/maths/bessel.ts";
import { Fft2d } from "../src/qpi/maths/fft.ts";
import type { Random } from "../src/random.ts";

export const between = (random: Random, low: number, high: number) =>
	low + (high - low) * random.uniform();

/** A kernel that is zero outside its window, and what an extraction would say of its errors. */
export interface Drawn {
	readonly kernel: Float64Array;
	readonly samples: readonly Float64Array[];
	readonly groups: readonly Float64Array[];
}

/** A function of the place (pixels) on an n x n grid whose middle is the origin. */
export function grid(
	n: number,
	f: (x: number, y: number) => number,
): Float64Array {
	const middle = (n - 1) / 2;
	return Float64Array.from({ length: n * n }, (_, p) =>
		f(Math.floor(p / n) - middle, (p % n) - middle),
	);
}

/** `Re[exp(i phase) H0(qr/2)^2] exp(-r/decay)` over its envelope at one wavelength; smooth within a sixth of it. */
export function rings(
	q: number,
	phase: number,
	decay: number,
): (r: number) => number {
	const wave = (2 * Math.PI) / q;
	const scale = Math.hypot(...hankel0(Math.PI)) ** -2 * Math.exp(wave / decay);
	return (r) => {
		const [re, im] = hankel0((q / 2) * (r ** 4 + (wave / 6) ** 4) ** 0.25);
		const value =
			(re * re - im * im) * Math.cos(phase) - 2 * re * im * Math.sin(phase);
		return scale * value * Math.exp(-r / decay);
	};
}

/** What a linear filter with the real or complex transfer `f(qx, qy) = [re, im]` makes of an image; periodic. */
export function filtered(
	image: Float64Array,
	n: number,
	f: (qx: number, qy: number) => readonly [number, number],
): Float64Array {
	const fft = new Fft2d(n, n);
	const re = image.slice();
	const im = new Float64Array(n * n);
	fft.transform(re, im);
	const q = (i: number) => ((i < n / 2 ? i : i - n) * 2 * Math.PI) / n;
	for (let i = 0; i < n; i++)
		for (let j = 0; j < n; j++) {
			const p = i * n + j;
			const [a, b] = f(q(i), q(j));
			[re[p], im[p]] = [
				(a * re[p] - b * im[p]) / n ** 2,
				(a * im[p] + b * re[p]) / n ** 2,
			];
		}
	// the inverse is the same with both parts exchanged
	fft.transform(im, re);
	return re;
}

/** The n x n middle of a side x side image. */
export function middle(image: Float64Array, side: number, n: number) {
	const rim = (side - n) / 2;
	return Float64Array.from(
		{ length: n * n },
		(_, p) => image[(Math.floor(p / n) + rim) * side + (p % n) + rim],
	);
}

/** Draws, groups left out, and pixels over which the noise is smoothed (Gaussian, s.d.). */
const [SAMPLES, GROUPS, SMOOTH] = [12, 5, 0.8];
/** Noise that only the groups know of, over the noise of the samples. */
const UNKNOWN = 0.5;

/** A true kernel with noise of this standard deviation within the window. The groups' errors are those of marks and misfit too. */
export function measured(
	random: Random,
	truth: Float64Array,
	radius: number,
	sigma: number,
	unknown = UNKNOWN,
): Drawn {
	const n = Math.sqrt(truth.length);
	const inside = grid(n, (x, y) => (Math.hypot(x, y) <= radius ? 1 : 0));
	const noise = (scale: number) => smoothNoise(random, n, scale);
	const parts = Array.from({ length: GROUPS }, () =>
		noise(sigma * Math.sqrt(GROUPS) * Math.hypot(1, unknown)),
	);
	const sum = truth.map((_, p) => parts.reduce((s, part) => s + part[p], 0));
	const kernel = truth.map((v, p) => inside[p] * (v + sum[p] / GROUPS));
	return {
		kernel,
		samples: Array.from({ length: SAMPLES }, () => {
			const own = noise(sigma);
			return kernel.map((v, p) => v + inside[p] * own[p]);
		}),
		groups: parts.map((part) =>
			truth.map((v, p) => inside[p] * (v + (sum[p] - part[p]) / (GROUPS - 1))),
		),
	};
}

const TAPS = [-2, -1, 0, 1, 2].map((x) => Math.exp((-x * x) / 2 / SMOOTH ** 2));
const NORM = Math.hypot(...TAPS);

function smoothNoise(random: Random, n: number, sigma: number): Float64Array {
	const side = n + 4;
	const white = Float64Array.from({ length: side * side }, () =>
		random.normal(),
	);
	const along = (image: Float64Array, stride: number) =>
		image.map((_, p) =>
			TAPS.reduce((s, w, t) => s + w * (image[p + t * stride] ?? 0), 0),
		);
	const both = along(along(white, 1), side);
	const scale = sigma / NORM ** 2;
	return Float64Array.from(
		{ length: n * n },
		(_, p) => scale * both[Math.floor(p / n) * side + (p % n)],
	);
}
