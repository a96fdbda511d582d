/** A scan as a picture with a size, and the robust statistics that its preprocessing rests on. */

/** One image. Not a number: not measured. */
export interface Scan {
	/** image[ix * ny + iy], x from left to right, y from bottom to top. */
	readonly image: Float32Array;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom a pixel. Pixel (ix, iy) lies at ((ix - (nx - 1) / 2) * x, (iy - (ny - 1) / 2) * y): the origin is the image's centre. */
	readonly spacing: { readonly x: number; readonly y: number };
}

/** Of more values than this so many are sampled: a median does not need them all. */
const SAMPLES = 1 << 16;
/** Steps of the golden section of the whole length spread evenly and never keep to a few rows. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The finite values, or so many of them that quantiles need no more; a copy. */
function sampled(values: ArrayLike<number>): Float64Array {
	const all = values.length;
	const sample = new Float64Array(Math.min(all, SAMPLES));
	let n = 0;
	for (let i = 0; i < sample.length; i++) {
		const v = values[all > SAMPLES ? Math.floor(((i * GOLDEN) % 1) * all) : i];
		if (Number.isFinite(v)) sample[n++] = v;
	}
	return sample.subarray(0, n);
}

/** The value of this rank from 0; reorders the values so that none before it is larger, and none after it smaller (Hoare, Commun. ACM 4, 321 (1961)). */
export function ranked(values: Float64Array, rank: number): number {
	let [low, high] = [0, values.length - 1];
	while (low < high) {
		const pivot = values[(low + high) >> 1];
		let [i, j] = [low, high];
		while (i <= j) {
			while (values[i] < pivot) i++;
			while (values[j] > pivot) j--;
			if (i > j) break;
			const v = values[i];
			values[i++] = values[j];
			values[j--] = v;
		}
		if (rank <= j) high = j;
		else if (rank >= i) low = i;
		else break;
	}
	return values[rank];
}

/** Of values that are all finite, in any order, which it changes; NaN when there are none. */
function medianOf(values: Float64Array): number {
	const n = values.length;
	if (n === 0) return Number.NaN;
	const upper = ranked(values, n >> 1);
	return n % 2 ? upper : (upper + ranked(values, (n >> 1) - 1)) / 2;
}

/** Median of the finite values; NaN when there are none. */
export const median = (values: ArrayLike<number>): number =>
	medianOf(sampled(values));

/** Standard deviation of normal values from their median absolute deviation: 1.4826 MAD. Outliers of less than half do not matter. */
export function robustSigma(values: ArrayLike<number>): number {
	const sample = sampled(values);
	const middle = medianOf(sample);
	return 1.4826 * medianOf(sample.map((v) => Math.abs(v - middle)));
}

/** Share of normal values within 1.645 standard deviations. */
const WITHIN = { share: 0.9, sigmas: 1.645 };

/**
 * The robust standard deviation, or where it is more the one of normal values of the same 90 % quantile: where few scatterers stand on an empty ground, the
 * first says nothing of their patterns.
 */
export function spread(values: ArrayLike<number>): number {
	const sample = sampled(values);
	const middle = medianOf(sample);
	const off = sample.map((v) => Math.abs(v - middle));
	const inner = 1.4826 * medianOf(off);
	const outer = ranked(off, Math.floor(WITHIN.share * off.length));
	return off.length > 0 ? Math.max(inner, outer / WITHIN.sigmas) : Number.NaN;
}

/** Standard deviation of values that are all finite. */
export function deviation(values: Float32Array): number {
	const n = values.length;
	let [sum, squares] = [0, 0];
	const shift = values[0]; // against cancellation: heights lie far from zero
	for (const v of values) {
		sum += v - shift;
		squares += (v - shift) ** 2;
	}
	return Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
}

/** What lies beyond an edge: the image mirrored in it, again and again. */
export function mirror(i: number, n: number): number {
	const j = ((i % (2 * n)) + 2 * n) % (2 * n);
	return j < n ? j : 2 * n - 1 - j;
}

/**
 * The image with each pixel that is not `valid` (or not finite) replaced by the mean of its measured neighbours, from the rim of a hole inward. No
 * data, only something to filter across; a copy.
 */
export function fill(
	{ image, nx, ny }: Pick<Scan, "image" | "nx" | "ny">,
	valid?: ArrayLike<number>,
): Float32Array {
	const out = image.slice();
	const known = new Uint8Array(out.length);
	for (let p = 0; p < out.length; p++)
		if (Number.isFinite(out[p]) && (valid?.[p] ?? 1) > 0) known[p] = 1;
	/** Calls `each` with the eight neighbours of a pixel, fewer at the edges. */
	const around = (p: number, each: (q: number) => void) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		const [low, high] = [Math.max(0, iy - 1), Math.min(ny - 1, iy + 1)];
		for (let jx = Math.max(0, ix - 1); jx <= Math.min(nx - 1, ix + 1); jx++)
			for (let jy = low; jy <= high; jy++) each(jx * ny + jy);
	};
	const queued = new Uint8Array(out.length);
	let rim: number[] = [];
	known.forEach((k, p) => {
		if (k) return;
		around(p, (q) => {
			queued[p] |= known[q];
		});
		if (queued[p]) rim.push(p);
	});
	while (rim.length > 0) {
		const next: number[] = [];
		for (const p of rim) {
			let [sum, count] = [0, 0];
			around(p, (q) => {
				if (known[q]) {
					sum += out[q];
					count++;
				} else if (!queued[q]) {
					queued[q] = 1;
					next.push(q);
				}
			});
			out[p] = sum / count;
		}
		for (const p of rim) known[p] = 1;
		rim = next;
	}
	return out;
}

/** The scan with its pixels of valid = 0 as NaN: as pictures show it. */
export function shown<S extends Pick<Scan, "image">>(
	scan: S,
	valid: ArrayLike<number>,
): S {
	if (scan.image.every((_, p) => valid[p] > 0)) return scan;
	return {
		...scan,
		image: scan.image.map((v, p) => (valid[p] > 0 ? v : Number.NaN)),
	};
}
