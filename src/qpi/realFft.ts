import { FftLines } from "./fft.ts";

const BATCH = FftLines.batch;

/**
 * Half of the spectrum of a real n x n image, n (n/2 + 1) values. Frequency (kx, ky) of 0 <= ky < n/2 lies at
 * [(ky >> 3) * 8 n + kx * 8 + (ky & 7)], in the blocks that `FftLines` works on; ky = n/2 lies at [n * n/2 + kx].
 */
export interface HalfSpectrum {
	readonly re: Float64Array;
	readonly im: Float64Array;
}

/**
 * Two-dimensional transform of real n x n images that are zero outside (or only wanted in) a corner of rows x columns:
 * two real rows travel as one complex line, empty rows are left out, and so is the redundant half of the spectrum. About four
 * times as fast as `Fft2d` for a quarter-filled image.
 */
export class RealFft2d {
	readonly n: number;
	readonly #lines: FftLines;
	/** Row spectra between the two passes, in the layout of a half spectrum. */
	readonly #re: Float64Array;
	readonly #im: Float64Array;

	/** @throws when n is not a multiple of 16 made of the factors 2, 3 and 5 */
	constructor(n: number) {
		if (n % (2 * BATCH) !== 0)
			throw new Error(`RealFft2d: expected a multiple of 16, got ${n}`);
		this.n = n;
		this.#lines = new FftLines(n);
		this.#re = new Float64Array(n * (n / 2 + 1));
		this.#im = new Float64Array(n * (n / 2 + 1));
	}

	/** An empty spectrum of this size. */
	spectrum(): HalfSpectrum {
		const length = this.n * (this.n / 2 + 1);
		return { re: new Float64Array(length), im: new Float64Array(length) };
	}

	/** image: rows x columns at the origin (rows even), zero elsewhere -> out, unscaled. */
	forward(
		image: Float64Array,
		rows: number,
		columns: number,
		out: HalfSpectrum,
	): void {
		const { n } = this;
		const lines = this.#lines;
		const half = n / 2;
		for (let first = 0; first < rows; first += 2 * BATCH) {
			lines.re.fill(0);
			lines.im.fill(0);
			const pairs = Math.min(BATCH, (rows - first) / 2);
			for (let q = 0; q < pairs; q++) {
				const a = (first + 2 * q) * columns;
				for (let y = 0; y < columns; y++) {
					lines.re[y * BATCH + q] = image[a + y];
					lines.im[y * BATCH + q] = image[a + columns + y];
				}
			}
			lines.run();
			this.#splitPairs(lines, first, pairs);
		}
		for (let block = 0; block < half / BATCH; block++) {
			const start = block * n * BATCH;
			const used = start + rows * BATCH;
			lines.re.fill(0, rows * BATCH);
			lines.im.fill(0, rows * BATCH);
			lines.re.set(this.#re.subarray(start, used));
			lines.im.set(this.#im.subarray(start, used));
			// The columns ky = 0 and ky = n/2 are real here, so the second rides as the imaginary part of the first.
			if (block === 0)
				for (let x = 0; x < rows; x++)
					lines.im[x * BATCH] = this.#re[n * half + x];
			lines.run();
			out.re.set(lines.re, start);
			out.im.set(lines.im, start);
		}
		for (let k = 0; k <= half; k++) {
			const i = k * BATCH;
			const j = ((n - k) % n) * BATCH;
			const zr = out.re[i];
			const zi = out.im[i];
			const wr = out.re[j];
			const wi = out.im[j];
			const m = (n - k) % n;
			out.re[i] = out.re[j] = (zr + wr) / 2;
			out.im[i] = (zi - wi) / 2;
			out.im[j] = -out.im[i];
			out.re[n * half + k] = out.re[n * half + m] = (zi + wi) / 2;
			out.im[n * half + k] = (wr - zr) / 2;
			out.im[n * half + m] = -out.im[n * half + k];
		}
	}

	/** The rows x columns corner (rows even) of the image with this half spectrum, divided by n * n. */
	inverse(
		spectrum: HalfSpectrum,
		image: Float64Array,
		rows: number,
		columns: number,
	): void {
		const { n } = this;
		const lines = this.#lines;
		const half = n / 2;
		const scale = 1 / (n * n);
		for (let block = 0; block < half / BATCH; block++) {
			const start = block * n * BATCH;
			lines.re.set(spectrum.re.subarray(start, start + n * BATCH));
			lines.im.set(spectrum.im.subarray(start, start + n * BATCH));
			if (block === 0)
				for (let x = 0; x < n; x++) {
					lines.re[x * BATCH] -= spectrum.im[n * half + x];
					lines.im[x * BATCH] += spectrum.re[n * half + x];
				}
			lines.run(true);
			this.#re.set(lines.re.subarray(0, rows * BATCH), start);
			this.#im.set(lines.im.subarray(0, rows * BATCH), start);
			if (block === 0)
				for (let x = 0; x < rows; x++) {
					this.#re[n * half + x] = lines.im[x * BATCH];
					this.#im[x * BATCH] = 0;
				}
		}
		for (let first = 0; first < rows; first += 2 * BATCH) {
			const pairs = Math.min(BATCH, (rows - first) / 2);
			this.#joinPairs(lines, first, pairs);
			lines.run(true);
			for (let q = 0; q < pairs; q++) {
				const a = (first + 2 * q) * columns;
				for (let y = 0; y < columns; y++) {
					image[a + y] = lines.re[y * BATCH + q] * scale;
					image[a + columns + y] = lines.im[y * BATCH + q] * scale;
				}
			}
		}
	}

	/** Z = A + iB, A and B spectra of real rows: A_k = (Z_k + Z*_-k)/2, B_k = (Z_k - Z*_-k)/2i. */
	#splitPairs({ re, im }: FftLines, first: number, pairs: number): void {
		const { n } = this;
		const half = n / 2;
		for (let k = 0; k <= half; k++) {
			const { base, step } = column(n, k);
			const i = k * BATCH;
			const j = ((n - k) % n) * BATCH;
			let o = base + first * step;
			for (let q = 0; q < pairs; q++, o += 2 * step) {
				this.#re[o] = (re[i + q] + re[j + q]) / 2;
				this.#im[o] = (im[i + q] - im[j + q]) / 2;
				this.#re[o + step] = (im[i + q] + im[j + q]) / 2;
				this.#im[o + step] = (re[j + q] - re[i + q]) / 2;
			}
		}
	}

	#joinPairs({ re, im }: FftLines, first: number, pairs: number): void {
		const { n } = this;
		const half = n / 2;
		for (let k = 0; k <= half; k++) {
			const { base, step } = column(n, k);
			const i = k * BATCH;
			const j = ((n - k) % n) * BATCH;
			const real = k === 0 || k === half;
			let o = base + first * step;
			for (let q = 0; q < pairs; q++, o += 2 * step) {
				const ar = this.#re[o];
				const ai = real ? 0 : this.#im[o];
				const br = this.#re[o + step];
				const bi = real ? 0 : this.#im[o + step];
				re[i + q] = ar - bi;
				im[i + q] = ai + br;
				if (real) continue;
				re[j + q] = ar + bi;
				im[j + q] = br - ai;
			}
		}
	}
}

/** Where the column ky of a half spectrum of size n begins, and the distance between its elements. */
export function column(n: number, ky: number): { base: number; step: number } {
	return ky === n / 2
		? { base: (n * n) / 2, step: 1 }
		: { base: Math.floor(ky / BATCH) * n * BATCH + (ky % BATCH), step: BATCH };
}
