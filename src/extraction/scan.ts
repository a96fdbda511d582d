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

/** Median of the finite values; NaN when there are none. */
export function median(values: ArrayLike<number>): number {
	const all = values.length;
	const sample = new Float64Array(Math.min(all, SAMPLES));
	let n = 0;
	for (let i = 0; i < sample.length; i++) {
		const v = values[all > SAMPLES ? Math.floor(((i * GOLDEN) % 1) * all) : i];
		if (Number.isFinite(v)) sample[n++] = v;
	}
	const sorted = sample.subarray(0, n).sort();
	return n === 0
		? Number.NaN
		: (sorted[(n - 1) >> 1] + sorted[Math.floor(n / 2)]) / 2;
}

/** Standard deviation of normal values from their median absolute deviation: 1.4826 MAD. Outliers of less than half do not matter. */
export function robustSigma(values: ArrayLike<number>): number {
	const middle = median(values);
	return (
		1.4826 * median(Float64Array.from(values, (v) => Math.abs(v - middle)))
	);
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
	const known = Uint8Array.from(image, (v, i) =>
		Number.isFinite(v) && (valid?.[i] ?? 1) > 0 ? 1 : 0,
	);
	const neighbours = (p: number): number[] => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		const found: number[] = [];
		for (let jx = Math.max(0, ix - 1); jx <= Math.min(nx - 1, ix + 1); jx++)
			for (let jy = Math.max(0, iy - 1); jy <= Math.min(ny - 1, iy + 1); jy++)
				found.push(jx * ny + jy);
		return found;
	};
	let rim: number[] = [];
	known.forEach((k, p) => {
		if (!k && neighbours(p).some((q) => known[q])) rim.push(p);
	});
	while (rim.length > 0) {
		const next = new Set<number>();
		for (const p of rim) {
			let [sum, count] = [0, 0];
			for (const q of neighbours(p))
				if (known[q]) {
					sum += out[q];
					count++;
				} else next.add(q);
			out[p] = sum / count;
		}
		for (const p of rim) {
			known[p] = 1;
			next.delete(p);
		}
		rim = [...next];
	}
	return out;
}
