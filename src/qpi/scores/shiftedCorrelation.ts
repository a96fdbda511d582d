/** Likeness of kernels whose middles need not be the same place. */
import { taps } from "../maths/interpolate.ts";
import { type Centred, centredCorrelation } from "./metrics.ts";

/** Finer than whole pixels: this part of one, so many either way. */
const PART = 0.25;
const PARTS = 3;

/**
 * The greatest `centredCorrelation` with an estimate that may be moved by up to `shift` pixels: first by whole ones, then to the nearest quarter.
 * @param radius of the truth that is compared, pixels
 */
export function shiftedCorrelation(
	estimate: Centred,
	truth: Centred,
	radius: number,
	shift: number,
): { ncc: number; x: number; y: number } {
	let best = { ncc: Number.NEGATIVE_INFINITY, x: 0, y: 0 };
	const look = (x: number, y: number) => {
		if (Math.hypot(x, y) > shift) return;
		const ncc = centredCorrelation(lookedAt(estimate, x, y), truth, radius);
		if (ncc > best.ncc) best = { ncc, x, y };
	};
	const whole = Math.floor(shift);
	for (let x = -whole; x <= whole; x++)
		for (let y = -whole; y <= whole; y++) look(x, y);
	const { x, y } = best;
	for (let i = -PARTS; i <= PARTS; i++)
		for (let j = -PARTS; j <= PARTS; j++) look(x + i * PART, y + j * PART);
	return best;
}

/** The image about a place (x, y) pixels from its middle. */
export function lookedAt(
	{ values, size }: Centred,
	x: number,
	y: number,
): Centred {
	const along = (image: ArrayLike<number>, at: number, step: number) => {
		if (at === 0) return image;
		const { first, weights } = taps(at);
		const used = Number.isInteger(at)
			? [[at, 1]]
			: Array.from(weights, (w, p) => [first + p, w]);
		const out = new Float64Array(size ** 2);
		for (let p = 0; p < out.length; p++) {
			const i = step === 1 ? p % size : Math.floor(p / size);
			for (const [d, w] of used)
				if (i + d >= 0 && i + d < size) out[p] += w * image[p + d * step];
		}
		return out;
	};
	return { values: along(along(values, x, size), y, 1), size };
}
