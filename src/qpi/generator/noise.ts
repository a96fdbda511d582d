/**
 * What a microscope adds, in the amounts measured on real images (FeSe on SrTiO3 and Ag(111)): small functions that change an image (first index x, 64 x 64 but for `addLines` and `addWhite`; a scan
 * line is a row of constant y) in place, and one that applies them in the order in which they happen.
 */
import type { Random } from "../../random.ts";
import { PIXEL, RESOLUTION } from "../dataset/format.ts";
import type { Scatterer } from "./scattering.ts";

/** All zero by default: nothing happens. */
export interface NoiseOptions {
	/** White noise, sigma over the signal's standard deviation. */
	white?: number;
	/** Offset of each scan line, 1/f from line to line, sigma over the signal's standard deviation. */
	line?: number;
	/** Blur by the tip, sigma in pixels. */
	psf?: number;
	/** Mean number of streaks by tip changes. */
	streaks?: number;
	/** Share of the last scan lines that was never measured; they hold the mean of the rest. */
	missing?: number;
	/** Drift: shear of x with y. */
	shear?: number;
	/** Relative spread of the scatterers' amplitudes. */
	amplitude?: number;
	/** Standard deviation of the marked positions' errors, pixels. */
	jitter?: number;
	/** Share of the marks that are wrong: lost, invented or elsewhere, a third each. */
	wrong?: number;
}

/** Share of the noise variance that comes a scan line at a time on real dI/dV images. */
const LINE_SHARE = 0.14;

/** Noise of a total sigma (over the signal's standard deviation), white and by lines in the measured ratio. */
export function measuredNoise(level: number): NoiseOptions {
	return {
		white: level * Math.sqrt(1 - LINE_SHARE),
		line: level * Math.sqrt(LINE_SHARE),
	};
}

/** Random imperfections for training, each within the range seen on real images. */
export function randomNoise(random: Random): NoiseOptions {
	const sometimes = (share: number, value: number) =>
		random.uniform() < share ? value : 0;
	return {
		white: random.uniform(0, 0.5),
		line: random.uniform(0, 0.15),
		psf: random.uniform(0, 0.6),
		streaks: sometimes(0.3, random.uniform(0, 3)),
		missing: sometimes(0.2, random.uniform(0, 0.25)),
		shear: random.uniform(-0.02, 0.02),
		amplitude: random.uniform(0, 0.3),
		jitter: random.uniform(0, 0.5),
		wrong: sometimes(0.3, random.uniform(0, 0.3)),
	};
}

/** Standard deviation of an image's values. */
export function deviation(image: Float32Array): number {
	let sum = 0;
	let squares = 0;
	for (const value of image) {
		sum += value;
		squares += value * value;
	}
	const mean = sum / image.length;
	return Math.sqrt(Math.max(0, squares / image.length - mean * mean));
}

/**
 * Applies blur, streaks, lines, white noise and missing lines to an image, in place, and returns it. Shear and amplitudes belong to
 * `observation`, jitter and wrong marks to `marks`.
 */
export function addNoise(
	image: Float32Array,
	random: Random,
	{ white = 0, line = 0, psf = 0, streaks = 0, missing = 0 }: NoiseOptions = {},
): Float32Array {
	const sigma = deviation(image);
	if (psf > 0) blur(image, psf);
	if (streaks > 0) addStreaks(image, random, streaks, 1.5 * sigma);
	if (line > 0) addLines(image, random, line * sigma);
	if (white > 0) addWhite(image, random, white * sigma);
	if (missing > 0) dropLines(image, missing);
	return image;
}

/** Independent normal noise of standard deviation sigma. */
export function addWhite(
	image: Float32Array,
	random: Random,
	sigma: number,
): void {
	for (let p = 0; p < image.length; p++) image[p] += sigma * random.normal();
}

/** An offset for each of an image's `lines` scan lines, with a 1/f power spectrum and the expected standard deviation sigma. */
export function addLines(
	image: Float32Array,
	random: Random,
	sigma: number,
	lines = RESOLUTION,
): void {
	const offsets = new Float64Array(lines);
	let power = 0;
	for (let f = 1; f <= lines / 2; f++) {
		const a = random.normal() / Math.sqrt(f);
		const b = random.normal() / Math.sqrt(f);
		power += 1 / f;
		for (let iy = 0; iy < lines; iy++) {
			const angle = (2 * Math.PI * f * iy) / lines;
			offsets[iy] += a * Math.cos(angle) + b * Math.sin(angle);
		}
	}
	const scale = sigma / Math.sqrt(power);
	for (let p = 0; p < image.length; p++) image[p] += scale * offsets[p % lines];
}

/** Gaussian blur, sigma in pixels; the image goes on beyond its edge with the edge's values. */
export function blur(image: Float32Array, sigma: number): void {
	const reach = Math.ceil(4 * sigma);
	const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
		Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)),
	);
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	for (const [along, across] of [
		[RESOLUTION, 1],
		[1, RESOLUTION],
	])
		for (let l = 0; l < RESOLUTION; l++) {
			const row = Array.from(
				{ length: RESOLUTION },
				(_, i) => image[i * along + l * across],
			);
			for (let i = 0; i < RESOLUTION; i++) {
				let sum = 0;
				for (let k = -reach; k <= reach; k++)
					sum +=
						weights[k + reach] *
						row[Math.min(RESOLUTION - 1, Math.max(0, i + k))];
				image[i * along + l * across] = sum / total;
			}
		}
}

/** On average `mean` stretches of a scan line that are off by a normal step of standard deviation `height`. */
export function addStreaks(
	image: Float32Array,
	random: Random,
	mean: number,
	height: number,
): void {
	const count = Math.floor(mean + random.uniform());
	for (let k = 0; k < count; k++) {
		const iy = random.integer(0, RESOLUTION);
		const start = random.integer(0, RESOLUTION);
		const end = Math.min(RESOLUTION, start + random.integer(4, RESOLUTION));
		const step = height * random.normal();
		for (let ix = start; ix < end; ix++) image[ix * RESOLUTION + iy] += step;
	}
}

/** Replaces the last `share` of the scan lines by the mean of the others. */
export function dropLines(image: Float32Array, share: number): void {
	const kept = RESOLUTION - Math.round(share * RESOLUTION);
	let sum = 0;
	for (let p = 0; p < image.length; p++)
		if (p % RESOLUTION < kept) sum += image[p];
	for (let p = 0; p < image.length; p++)
		if (p % RESOLUTION >= kept) image[p] = sum / (kept * RESOLUTION);
}

/** Where an imperfect eye would mark the scatterers: jittered, some lost, invented or elsewhere; never more than `most`, at least one. */
export function marks(
	scatterers: readonly Scatterer[],
	random: Random,
	{ jitter = 0, wrong = 0 }: NoiseOptions,
	halfWidth = 170,
	most = 20,
): Scatterer[] {
	const anywhere = () => ({
		x: random.uniform(-halfWidth, halfWidth),
		y: random.uniform(-halfWidth, halfWidth),
	});
	const result: Scatterer[] = [];
	for (const { x, y } of scatterers) {
		const mark = {
			x: x + jitter * PIXEL * random.normal(),
			y: y + jitter * PIXEL * random.normal(),
		};
		const fate = random.uniform() / (wrong / 3 || Number.MIN_VALUE);
		if (fate < 1) continue;
		result.push(fate < 2 ? anywhere() : mark);
		if (fate >= 2 && fate < 3) result.push(anywhere());
	}
	if (result.length === 0) result.push({ ...scatterers[0] });
	return result.slice(0, most);
}

/** Amplitudes around 1 with the given relative spread (uniform, so none changes its sign). */
export function amplitudes(
	count: number,
	random: Random,
	spread: number,
): number[] {
	return Array.from(
		{ length: count },
		() => 1 + random.uniform(-spread, spread),
	);
}
