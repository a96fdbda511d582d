/** How many Angstrom a node of the prior is. */
import { besselJ } from "../../qpi/maths/bessel.ts";

export interface WorkingPixel {
	/** Angstrom a node of the prior. */
	readonly workingPixel: number;
	/** Evidence of each working pixel that was tried. */
	readonly tried: readonly {
		readonly pixel: number;
		readonly evidence: number;
	}[];
}

/** Working pixels are this far apart. */
const RATIO = Math.SQRT2;
/** The most radians a working pixel that the kernels which the prior was learned from have. */
const WAVES = 2.7;

/**
 * The working pixel of the greatest evidence: from the one that gives the waves about a radian, in steps of the root of two, uphill. Never below the map's own pixel (the
 * prior would have detail that the map has not), nor where the waves would be longer or shorter than those that the prior was learned from.
 */
export function chooseWorkingPixel(
	pixel: number,
	kernels: readonly Float64Array[],
	evidenceOf: (working: number) => number,
): WorkingPixel {
	const waves = kernels.map(waveVector);
	const q = waves.reduce((a, b) => a + b, 0) / kernels.length;
	const limit = Math.max(0, Math.log(WAVES / q) / Math.log(RATIO));
	const last = Math.floor(limit);
	const start = Math.min(
		last,
		Math.max(0, Math.round(Math.log(1 / q) / Math.log(RATIO))),
	);
	const known = new Map<number, number>();
	const evidence = (k: number) => {
		const value = known.get(k) ?? evidenceOf(pixel * RATIO ** k);
		known.set(k, value);
		return value;
	};
	let best = start;
	for (const way of [-1, 1]) {
		let k = best;
		while (k + way >= 0 && k + way <= last && evidence(k + way) > evidence(k))
			k += way;
		if (k !== best) {
			best = k;
			break;
		}
	}
	return {
		workingPixel: pixel * RATIO ** best,
		tried: [...known]
			.sort(([a], [b]) => a - b)
			.map(([k, value]) => ({ pixel: pixel * RATIO ** k, evidence: value })),
	};
}

/** Radians a pixel of a kernel's waves: the root mean square of q over its power, from its differences, noise taken for white left out by a lag of two. */
export function waveVector(kernel: Float64Array): number {
	const size = Math.sqrt(kernel.length);
	// mean cos(q d) along both axes, from the correlation of pixels one and two apart: white noise is in neither
	const lag = (d: number) => {
		let sum = 0;
		for (let i = 0; i + d < size; i++)
			for (let j = 0; j + d < size; j++) {
				const v = kernel[i * size + j];
				sum += v * (kernel[(i + d) * size + j] + kernel[i * size + j + d]);
			}
		return sum;
	};
	const [one, two] = [lag(1), lag(2)];
	// for one wave vector at all angles, <cos(q d cos t)> = J0(q d): 1 - (q d)^2 / 4 + (q d)^4 / 64
	// Where neighbours are no more alike than not, the waves are as short as they can be.
	const ratio = one > 0 ? Math.min(0.999, two / one) : Number.NEGATIVE_INFINITY;
	let [low, high] = [0.05, 2.4];
	for (let round = 0; round < 40; round++) {
		const q = (low + high) / 2;
		if (besselJ(2 * q, 0)[0] / besselJ(q, 0)[0] > ratio) low = q;
		else high = q;
	}
	return (low + high) / 2;
}
