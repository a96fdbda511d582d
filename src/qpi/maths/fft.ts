/**
 * Discrete Fourier transforms in float64, sizes with the prime factors 2, 3 and 5.
 *
 * Stockham's self-sorting scheme (Van Loan, "Computational Frameworks for the FFT", 1992, section 1.7): no bit reversal, and
 * a stride that grows from the number of lines transformed together, so that a twiddle is read once for `BATCH` lines.
 * A block of lines fits into the first- and second-level caches, and both axes of an image go through the same code.
 */

/** Lines transformed together. */
const BATCH = 8;
const SIN60 = Math.sqrt(3) / 2;

interface Stage {
	readonly radix: 2 | 3 | 4 | 5;
	/** Butterflies of this stage: the length still to be transformed over the radix. */
	readonly count: number;
	/** exp(-2 pi i p k / length) for p < count, 1 <= k < radix. */
	readonly cos: Float64Array;
	readonly sin: Float64Array;
}

function stages(n: number): Stage[] {
	if (!Number.isInteger(n) || n < 1)
		throw new Error(`fft: a size must be a positive integer, got ${n}`);
	const plan: Stage[] = [];
	let length = n;
	while (length > 1) {
		const radix = ([4, 2, 3, 5] as const).find((r) => length % r === 0);
		if (!radix)
			throw new Error(
				`fft: size ${n} has a prime factor other than 2, 3 and 5`,
			);
		const count = length / radix;
		const cos = new Float64Array(count * (radix - 1));
		const sin = new Float64Array(count * (radix - 1));
		for (let p = 0; p < count; p++)
			for (let k = 1; k < radix; k++) {
				const angle = (-2 * Math.PI * ((p * k) % length)) / length;
				cos[p * (radix - 1) + k - 1] = Math.cos(angle);
				sin[p * (radix - 1) + k - 1] = Math.sin(angle);
			}
		plan.push({ radix, count, cos, sin });
		length = count;
	}
	return plan;
}

/**
 * A batch of eight one-dimensional transforms of length n: fill `re` and `im` ([index * 8 + line]), call `run`, and read
 * the results from `re` and `im`, which are then other arrays than before.
 */
export class FftLines {
	static readonly batch = BATCH;
	readonly n: number;
	re: Float64Array;
	im: Float64Array;
	#re2: Float64Array;
	#im2: Float64Array;
	readonly #stages: Stage[];

	/** @throws when n is not a positive integer made of the factors 2, 3 and 5 */
	constructor(n: number) {
		this.n = n;
		this.#stages = stages(n);
		this.re = new Float64Array(n * BATCH);
		this.im = new Float64Array(n * BATCH);
		this.#re2 = new Float64Array(n * BATCH);
		this.#im2 = new Float64Array(n * BATCH);
	}

	/** Forward transform with exp(-2 pi i jk/n); the inverse (not divided by n) is the same with re and im exchanged. */
	run(inverse = false): void {
		if (inverse) this.#exchange();
		let stride = BATCH;
		for (const stage of this.#stages) {
			BUTTERFLY[stage.radix](
				stage,
				stride,
				this.re,
				this.im,
				this.#re2,
				this.#im2,
			);
			[this.re, this.#re2] = [this.#re2, this.re];
			[this.im, this.#im2] = [this.#im2, this.im];
			stride *= stage.radix;
		}
		if (inverse) this.#exchange();
	}

	#exchange(): void {
		[this.re, this.im] = [this.im, this.re];
		[this.#re2, this.#im2] = [this.#im2, this.#re2];
	}
}

/**
 * One stage: for each p < count, q < stride, the inputs x[q + stride (p + count j)] become
 * y[q + stride (radix p + k)] = w^(pk) sum_j x_j exp(-2 pi i jk / radix).
 */
type Butterfly = (
	stage: Stage,
	stride: number,
	xr: Float64Array,
	xi: Float64Array,
	yr: Float64Array,
	yi: Float64Array,
) => void;

const radix2: Butterfly = ({ count, cos, sin }, stride, xr, xi, yr, yi) => {
	const step = stride * count;
	for (let p = 0; p < count; p++) {
		const c = cos[p];
		const s = sin[p];
		let o = 2 * stride * p;
		for (let i = stride * p; i < stride * (p + 1); i++, o++) {
			const ar = xr[i];
			const ai = xi[i];
			const br = xr[i + step];
			const bi = xi[i + step];
			yr[o] = ar + br;
			yi[o] = ai + bi;
			const dr = ar - br;
			const di = ai - bi;
			yr[o + stride] = dr * c - di * s;
			yi[o + stride] = dr * s + di * c;
		}
	}
};

const radix3: Butterfly = ({ count, cos, sin }, stride, xr, xi, yr, yi) => {
	const step = stride * count;
	for (let p = 0; p < count; p++) {
		const c1 = cos[2 * p];
		const s1 = sin[2 * p];
		const c2 = cos[2 * p + 1];
		const s2 = sin[2 * p + 1];
		let o = 3 * stride * p;
		for (let i = stride * p; i < stride * (p + 1); i++, o++) {
			const ar = xr[i];
			const ai = xi[i];
			const sr = xr[i + step] + xr[i + 2 * step];
			const si = xi[i + step] + xi[i + 2 * step];
			const dr = SIN60 * (xr[i + step] - xr[i + 2 * step]);
			const di = SIN60 * (xi[i + step] - xi[i + 2 * step]);
			yr[o] = ar + sr;
			yi[o] = ai + si;
			const mr = ar - 0.5 * sr;
			const mi = ai - 0.5 * si;
			const ur = mr + di;
			const ui = mi - dr;
			yr[o + stride] = ur * c1 - ui * s1;
			yi[o + stride] = ur * s1 + ui * c1;
			const vr = mr - di;
			const vi = mi + dr;
			yr[o + 2 * stride] = vr * c2 - vi * s2;
			yi[o + 2 * stride] = vr * s2 + vi * c2;
		}
	}
};

const radix4: Butterfly = ({ count, cos, sin }, stride, xr, xi, yr, yi) => {
	const step = stride * count;
	for (let p = 0; p < count; p++) {
		const c1 = cos[3 * p];
		const s1 = sin[3 * p];
		const c2 = cos[3 * p + 1];
		const s2 = sin[3 * p + 1];
		const c3 = cos[3 * p + 2];
		const s3 = sin[3 * p + 2];
		let o = 4 * stride * p;
		for (let i = stride * p; i < stride * (p + 1); i++, o++) {
			const i2 = i + 2 * step;
			const acr = xr[i] + xr[i2];
			const aci = xi[i] + xi[i2];
			const amr = xr[i] - xr[i2];
			const ami = xi[i] - xi[i2];
			const i1 = i + step;
			const i3 = i + 3 * step;
			const bdr = xr[i1] + xr[i3];
			const bdi = xi[i1] + xi[i3];
			const bmr = xr[i1] - xr[i3];
			const bmi = xi[i1] - xi[i3];
			yr[o] = acr + bdr;
			yi[o] = aci + bdi;
			const ur = amr + bmi;
			const ui = ami - bmr;
			yr[o + stride] = ur * c1 - ui * s1;
			yi[o + stride] = ur * s1 + ui * c1;
			const vr = acr - bdr;
			const vi = aci - bdi;
			yr[o + 2 * stride] = vr * c2 - vi * s2;
			yi[o + 2 * stride] = vr * s2 + vi * c2;
			const wr = amr - bmi;
			const wi = ami + bmr;
			yr[o + 3 * stride] = wr * c3 - wi * s3;
			yi[o + 3 * stride] = wr * s3 + wi * c3;
		}
	}
};

const COS72 = Math.cos((2 * Math.PI) / 5);
const COS144 = Math.cos((4 * Math.PI) / 5);
const SIN72 = Math.sin((2 * Math.PI) / 5);
const SIN144 = Math.sin((4 * Math.PI) / 5);

/** Opposite inputs come as sums and differences (Winograd's five points without his saving of products). */
const radix5: Butterfly = ({ count, cos, sin }, stride, xr, xi, yr, yi) => {
	const step = stride * count;
	for (let p = 0; p < count; p++) {
		const c1 = cos[4 * p];
		const s1 = sin[4 * p];
		const c2 = cos[4 * p + 1];
		const s2 = sin[4 * p + 1];
		const c3 = cos[4 * p + 2];
		const s3 = sin[4 * p + 2];
		const c4 = cos[4 * p + 3];
		const s4 = sin[4 * p + 3];
		let o = 5 * stride * p;
		for (let i = stride * p; i < stride * (p + 1); i++, o++) {
			const i1 = i + step;
			const i2 = i1 + step;
			const i3 = i2 + step;
			const i4 = i3 + step;
			const ar = xr[i];
			const ai = xi[i];
			const pr = xr[i1] + xr[i4];
			const pi = xi[i1] + xi[i4];
			const mr = xr[i1] - xr[i4];
			const mi = xi[i1] - xi[i4];
			const qr = xr[i2] + xr[i3];
			const qi = xi[i2] + xi[i3];
			const nr = xr[i2] - xr[i3];
			const ni = xi[i2] - xi[i3];
			yr[o] = ar + pr + qr;
			yi[o] = ai + pi + qi;
			const er = ar + COS72 * pr + COS144 * qr;
			const ei = ai + COS72 * pi + COS144 * qi;
			const fr = ar + COS144 * pr + COS72 * qr;
			const fi = ai + COS144 * pi + COS72 * qi;
			const gr = SIN72 * mr + SIN144 * nr;
			const gi = SIN72 * mi + SIN144 * ni;
			const hr = SIN144 * mr - SIN72 * nr;
			const hi = SIN144 * mi - SIN72 * ni;
			// outputs 1 and 4: e -+ i g, 2 and 3: f -+ i h
			const o1 = o + stride;
			const o2 = o1 + stride;
			const o3 = o2 + stride;
			const o4 = o3 + stride;
			yr[o1] = (er + gi) * c1 - (ei - gr) * s1;
			yi[o1] = (er + gi) * s1 + (ei - gr) * c1;
			yr[o2] = (fr + hi) * c2 - (fi - hr) * s2;
			yi[o2] = (fr + hi) * s2 + (fi - hr) * c2;
			yr[o3] = (fr - hi) * c3 - (fi + hr) * s3;
			yi[o3] = (fr - hi) * s3 + (fi + hr) * c3;
			yr[o4] = (er - gi) * c4 - (ei + gr) * s4;
			yi[o4] = (er - gi) * s4 + (ei + gr) * c4;
		}
	}
};

const BUTTERFLY = { 2: radix2, 3: radix3, 4: radix4, 5: radix5 } as const;

/**
 * Two-dimensional complex transform in place; element (ix, iy) is at [ix * ny + iy]. Not reentrant: an instance holds its
 * work arrays.
 */
export class Fft2d {
	readonly nx: number;
	readonly ny: number;
	readonly #x: FftLines;
	readonly #y: FftLines;

	/** @throws when a size is not a positive integer made of the factors 2, 3 and 5 */
	constructor(nx: number, ny: number) {
		this.nx = nx;
		this.ny = ny;
		this.#x = new FftLines(nx);
		this.#y = ny === nx ? this.#x : new FftLines(ny);
	}

	/**
	 * Forward with exp(-2 pi i ...), unscaled; the inverse is divided by nx * ny.
	 * @throws when an array does not hold nx * ny values
	 */
	transform(re: Float64Array, im: Float64Array, inverse = false): void {
		const { nx, ny } = this;
		if (re.length !== nx * ny || im.length !== nx * ny)
			throw new Error(
				`Fft2d.transform: expected ${nx} x ${ny} = ${nx * ny} values, got ${re.length} real and ${im.length} imaginary`,
			);
		axis(this.#y, re, im, nx, ny, 1, inverse, inverse ? 1 / (nx * ny) : 1);
		axis(this.#x, re, im, ny, 1, ny, inverse, 1);
	}
}

/** Transforms `lines` lines that start `lineStep` apart and whose elements lie `step` apart. */
function axis(
	fft: FftLines,
	re: Float64Array,
	im: Float64Array,
	lines: number,
	lineStep: number,
	step: number,
	inverse: boolean,
	scale: number,
): void {
	for (let first = 0; first < lines; first += BATCH) {
		// The last block may be short: its spare places transform leftovers that nobody reads.
		const width = Math.min(BATCH, lines - first);
		const { re: fr, im: fi } = fft;
		for (let k = 0; k < fft.n; k++)
			for (let q = 0; q < width; q++) {
				const i = (first + q) * lineStep + k * step;
				fr[k * BATCH + q] = re[i] * scale;
				fi[k * BATCH + q] = im[i] * scale;
			}
		fft.run(inverse);
		const { re: gr, im: gi } = fft;
		for (let k = 0; k < fft.n; k++)
			for (let q = 0; q < width; q++) {
				const i = (first + q) * lineStep + k * step;
				re[i] = gr[k * BATCH + q];
				im[i] = gi[k * BATCH + q];
			}
	}
}
