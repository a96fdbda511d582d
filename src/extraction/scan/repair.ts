/** Faults of the measurement: rows that were never scanned, jumps of the tip, bad rows and spikes. A scan line is a row of constant y. */
import { fill, median, mirror, robustSigma, type Scan } from "./scan.ts";

export interface Missing {
	/** 1 measured, 0 not, a pixel. */
	readonly valid: Float32Array;
	/** Rows without a single measured value. */
	readonly rows: number;
	/** Other pixels that are not finite, or hold the value of the empty rows at the end of one that was broken off. */
	readonly pixels: number;
}

/**
 * What was not measured: values that are not finite, rows of one value throughout (an unfinished scan is padded with zeros, or with its mean), and what has that same
 * value at the ends of a row beside them, where the scan was broken off.
 */
export function findMissing({ image, nx, ny }: Scan): Missing {
	const valid = Float32Array.from(image, (v) => (Number.isFinite(v) ? 1 : 0));
	/** The value that stands for nothing in a row: undefined when it was measured. */
	const padding = Array.from({ length: ny }, (_, iy) => {
		let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
		for (let p = iy; p < image.length; p += ny)
			if (valid[p]) {
				low = Math.min(low, image[p]);
				high = Math.max(high, image[p]);
			}
		return low < high ? undefined : low;
	});
	const clear = (ix: number, iy: number) => {
		valid[ix * ny + iy] = 0;
	};
	padding.forEach((value, iy) => {
		if (value !== undefined) {
			for (let ix = 0; ix < nx; ix++) clear(ix, iy);
			return;
		}
		const empty = padding[iy - 1] ?? padding[iy + 1];
		if (empty === undefined) return;
		let [first, last] = [0, nx - 1];
		while (image[first * ny + iy] === empty) first++;
		while (image[last * ny + iy] === empty) last--;
		// One equal value may be chance.
		if (first > 1) for (let ix = 0; ix < first; ix++) clear(ix, iy);
		if (last < nx - 2) for (let ix = last + 1; ix < nx; ix++) clear(ix, iy);
	});
	const rows = padding.filter((value) => value !== undefined).length;
	const lost = valid.reduce((sum, v) => sum + 1 - v, 0);
	return { valid, rows, pixels: lost - rows * nx };
}

/** A value counts with at most this many sigmas, so that no peak looks like a streak. */
const MOST = 3;
/** A pixel of a streak has to be off by more than this many sigmas on average. */
const LEAST = 1;
/** Sum over a streak of what is above that: 8 pixels at 3 sigmas or more, 32 at 1.5. */
const EVIDENCE = 15;
/** How many times more than the next rows differ among themselves, along the same stretch. */
const CLEAR = 3;

/**
 * Puts back the stretches of a scan line that are off their neighbours by a step, as after a change of the tip.
 *
 * e = row - mean of its two neighbours, over its robust sigma; a streak is the stretch with the largest sum of min(|e|, 3) - 1 (Kadane's scan), e of one sign. Ripples along the
 * row make such stretches too, but there the next rows differ among themselves as much: the step has to be three times that.
 * @returns the scan (the same when there are none), the stretches found, which no longer count, and the median of their steps
 */
export function removeStreaks(
	scan: Scan,
	valid: Float32Array,
): {
	scan: Scan;
	valid: Float32Array;
	count: number;
	rows: number;
	step: number;
} {
	const { nx, ny } = scan;
	const image = scan.image.slice();
	const left = valid.slice();
	const at = (ix: number, iy: number) =>
		iy >= 0 && iy < ny && valid[ix * ny + iy] > 0
			? image[ix * ny + iy]
			: Number.NaN;
	const off = (ix: number, iy: number) =>
		at(ix, iy) - (at(ix, iy - 1) + at(ix, iy + 1)) / 2;
	const sigma = robustSigma(
		Float64Array.from(image, (_, p) => off(Math.floor(p / ny), p % ny)),
	);
	const steps: number[] = [];
	const rows = new Set<number>();
	for (let iy = 1; iy < ny - 1 && sigma > 0; iy++)
		// A row may hold several; each pass takes the clearest.
		for (let pass = 0; pass < 4; pass++) {
			const row = Float64Array.from(
				{ length: nx },
				(_, ix) => off(ix, iy) / sigma,
			);
			const { from, to, evidence } = clearest(row);
			if (evidence < EVIDENCE) break;
			const over = (value: (ix: number) => number) =>
				median(
					Float64Array.from({ length: to - from }, (_, i) => value(from + i)),
				);
			const step = over((ix) => off(ix, iy));
			const among = [-4, -3, -2, -1, 1, 2, 3, 4].map((k) =>
				over((ix) =>
					Math.abs(at(ix, iy + k) - (at(ix, iy - 1) + at(ix, iy + 1)) / 2),
				),
			);
			if (among.some((spread) => Math.abs(step) < CLEAR * spread)) break;
			for (let ix = from; ix < to; ix++) {
				image[ix * ny + iy] -= step;
				left[ix * ny + iy] = 0;
			}
			steps.push(Math.abs(step));
			rows.add(iy);
		}
	return steps.length === 0
		? { scan, valid, count: 0, rows: 0, step: 0 }
		: {
				scan: { ...scan, image },
				valid: left,
				count: steps.length,
				rows: rows.size,
				step: median(steps),
			};
}

/** The stretch with the largest sum of min(|e|, MOST) - LEAST, taken with the sign of e, of either sign. */
function clearest(row: Float64Array) {
	let best = { from: 0, to: 0, evidence: 0 };
	for (const sign of [1, -1]) {
		let [sum, from] = [0, 0];
		row.forEach((e, ix) => {
			if (sum <= 0) [sum, from] = [0, ix];
			// A gap ends a stretch.
			sum = Number.isNaN(e)
				? 0
				: sum + Math.max(-MOST, Math.min(MOST, sign * e)) - LEAST;
			if (sum > best.evidence) best = { from, to: ix + 1, evidence: sum };
		});
	}
	return best;
}

/** A row is bad when it scatters about its neighbours so many times more than they do among themselves. */
const BAD_ROW = 4;

/** Rows of noise (a contact, an interference): replaced by the mean of their neighbours, and no longer valid. */
export function removeBadRows(
	scan: Scan,
	valid: Float32Array,
): { scan: Scan; valid: Float32Array; rows: number } {
	const { image, nx, ny } = scan;
	const spread = (
		weights: readonly (readonly [row: number, weight: number])[],
	) =>
		robustSigma(
			Float64Array.from({ length: nx }, (_, ix) =>
				weights.reduce((sum, [iy, weight]) => {
					const p = ix * ny + iy;
					const known = iy >= 0 && iy < ny && valid[p] > 0;
					return sum + (known ? weight * image[p] : Number.NaN);
				}, 0),
			),
		);
	const offs = Float64Array.from({ length: ny }, (_, iy) =>
		spread([
			[iy, 1],
			[iy - 1, -0.5],
			[iy + 1, -0.5],
		]),
	);
	const usual = median(offs);
	const bad = [...offs.keys()].filter((iy) => {
		if (!(offs[iy] > BAD_ROW * usual)) return false;
		const among = [
			[iy - 1, iy + 1],
			[iy + 1, iy + 2],
			[iy - 1, iy - 2],
		].map(([a, b]) =>
			spread([
				[a, 1],
				[b, -1],
			]),
		);
		return among.every((s) => !(offs[iy] <= BAD_ROW * s));
	});
	if (bad.length === 0) return { scan, valid, rows: 0 };
	const left = valid.slice();
	for (const iy of bad) for (let ix = 0; ix < nx; ix++) left[ix * ny + iy] = 0;
	return {
		scan: { ...scan, image: fill(scan, left) },
		valid: left,
		rows: bad.length,
	};
}

/** A pixel among the 24 around that is off by this share, up or down, makes an outlier part of the pattern. */
const COMPANY = 0.3;

/**
 * Replaces single pixels that are more than `sigmas` robust sigmas off the median of their four neighbours by that median; they are no longer valid. A
 * pixel in company of others that are off is a peak of the pattern, however high, and stays.
 */
export function removeSpikes(
	scan: Scan,
	valid: Float32Array,
	sigmas: number,
): { scan: Scan; valid: Float32Array; pixels: number } {
	const { image, nx, ny } = scan;
	const at = (ix: number, iy: number) => mirror(ix, nx) * ny + mirror(iy, ny);
	const middle = Float64Array.from(image, (_, p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		const [a, b] = [image[at(ix - 1, iy)], image[at(ix + 1, iy)]];
		const [c, d] = [image[at(ix, iy - 1)], image[at(ix, iy + 1)]];
		return (a + b + c + d - Math.min(a, b, c, d) - Math.max(a, b, c, d)) / 2;
	});
	const off = image.map((v, p) => (valid[p] > 0 ? v - middle[p] : Number.NaN));
	const limit = sigmas * robustSigma(off);
	const alone = (p: number) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		for (let q = 0; q < 25; q++) {
			const o = at(ix + Math.floor(q / 5) - 2, iy + (q % 5) - 2);
			if (
				o !== p &&
				Math.abs(image[o] - middle[p]) > COMPANY * Math.abs(off[p])
			)
				return false;
		}
		return true;
	};
	const out = image.slice();
	const left = valid.slice();
	let pixels = 0;
	off.forEach((d, p) => {
		if (!(Math.abs(d) > limit && alone(p))) return;
		out[p] = middle[p];
		left[p] = 0;
		pixels++;
	});
	return pixels === 0
		? { scan, valid, pixels }
		: { scan: { ...scan, image: out }, valid: left, pixels };
}
