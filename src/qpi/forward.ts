import { column, type HalfSpectrum, RealFft2d } from "./realFft.ts";

/** A scatterer's position in Angstrom, the field's centre at (0, 0). */
export interface Position {
	readonly x: number;
	readonly y: number;
}

const HALF_FIELD = 200;
const plans = new Map<number, RealFft2d>();

/** The (fractional) pixel of a coordinate in Angstrom on `linspace(-200, 200, size)`. */
export function pixelOf(angstrom: number, size = 64): number {
	return ((angstrom + HALF_FIELD) / (2 * HALF_FIELD)) * (size - 1);
}

/**
 * The superposition `Y = A K`: Y(r) = sum_j w_j K(r - r_j), linear in the kernel, with scatterers at known positions.
 *
 * - The image has 64 x 64 pixels at -200 + i dx; the kernel 128 x 128 nodes at the half-integer lags (m - 63.5) dx, so that its
 *   central 64 x 64 nodes are the pixels of a kernel image (one scatterer at (0, 0), which is no pixel), and every lag between
 *   a scatterer in the field and a pixel is inside. Nothing wraps around the image's edges.
 * - Subpixel positions are exact for band-limited kernels: the shift of each scatterer is a Fourier phase on the 128 x 128
 *   grid. At the Nyquist frequency the phase exp(i pi s) is replaced by its real part, for then a real kernel gives a real image and
 *   shifts by whole nodes stay exact.
 * - A is a Toeplitz matrix, `gram` = A A^T too; both are applied by transforms of period 128, the smallest that separates all lags.
 *
 * Images and kernels are Float64Arrays, first index x. Instances of a size share work arrays: use them from one thread.
 */
export class ForwardOperator {
	/** Pixels along an image's side. */
	readonly size: number;
	/** Nodes along the kernel's side, 2 * size. */
	readonly support: number;
	/** The scatterers inside the field, with their weights. */
	readonly scatterers: readonly Position[];
	readonly weights: readonly number[];
	readonly #fft: RealFft2d;
	readonly #phases: HalfSpectrum;
	readonly #power: Float64Array;
	readonly #work: HalfSpectrum;

	/**
	 * @param scatterers positions in Angstrom; those more than a pixel outside the field (absent places hold 1000) are left out
	 * @param weights amplitude of each scatterer, 1 when not given
	 * @param size pixels along the image's side, a multiple of 8; 64 but in tests
	 * @throws when the numbers of weights and scatterers differ, or a position is not finite
	 */
	constructor(
		scatterers: readonly Position[],
		weights?: readonly number[],
		size = 64,
	) {
		if (weights && weights.length !== scatterers.length)
			throw new Error(
				`ForwardOperator: ${scatterers.length} scatterers but ${weights.length} weights`,
			);
		const bad = scatterers.findIndex(
			({ x, y }) => !Number.isFinite(x) || !Number.isFinite(y),
		);
		if (bad >= 0)
			throw new Error(
				`ForwardOperator: scatterer ${bad} has a position that is not a finite number`,
			);
		const margin = HALF_FIELD + (2 * HALF_FIELD) / (size - 1);
		const inside = scatterers
			.map(({ x, y }, i) => ({ x, y, weight: weights?.[i] ?? 1 }))
			.filter(({ x, y }) => Math.max(Math.abs(x), Math.abs(y)) <= margin);
		this.size = size;
		this.support = 2 * size;
		this.scatterers = inside.map(({ x, y }) => ({ x, y }));
		this.weights = inside.map(({ weight }) => weight);
		this.#fft = plans.get(size) ?? new RealFft2d(this.support);
		plans.set(size, this.#fft);
		this.#work = this.#fft.spectrum();
		this.#phases = this.#structure();
		const { re, im } = this.#phases;
		this.#power = re.map((r, i) => r * r + im[i] * im[i]);
	}

	/** sum_j w_j exp(2 pi i k s_j / support): pixel i sees node i + s_j, s_j = size - 1/2 - (pixel of scatterer j). */
	#structure(): HalfSpectrum {
		const { size, support: n } = this;
		const { re, im } = this.#fft.spectrum();
		this.scatterers.forEach(({ x, y }, j) => {
			const [xc, xs] = phases(n, size - 0.5 - pixelOf(x, size));
			const [yc, ys] = phases(n, size - 0.5 - pixelOf(y, size));
			for (let ky = 0; ky <= n / 2; ky++) {
				const { base, step } = column(n, ky);
				const c = this.weights[j] * yc[ky];
				const s = this.weights[j] * ys[ky];
				for (let kx = 0, i = base; kx < n; kx++, i += step) {
					re[i] += xc[kx] * c - xs[kx] * s;
					im[i] += xc[kx] * s + xs[kx] * c;
				}
			}
		});
		return { re, im };
	}

	/** A K: kernel (support x support) -> image (size x size). */
	apply(
		kernel: Float64Array,
		out = new Float64Array(this.size ** 2),
	): Float64Array {
		return this.applySpectrum(this.spectrum(kernel), out);
	}

	/** A kernel's half spectrum, the same for every operator of this size: to apply one kernel to many arrangements. */
	spectrum(kernel: Float64Array): HalfSpectrum {
		this.#check("spectrum", kernel, this.support);
		const out = this.#fft.spectrum();
		this.#fft.forward(kernel, this.support, this.support, out);
		return out;
	}

	/** `apply`, from `spectrum(kernel)`. */
	applySpectrum(
		spectrum: HalfSpectrum,
		out = new Float64Array(this.size ** 2),
	): Float64Array {
		this.#work.re.set(spectrum.re);
		this.#work.im.set(spectrum.im);
		this.#multiply(1);
		this.#fft.inverse(this.#work, out, this.size, this.size);
		return out;
	}

	/** A^T y: image (size x size) -> kernel (support x support). */
	adjoint(
		image: Float64Array,
		out = new Float64Array(this.support ** 2),
	): Float64Array {
		this.#check("adjoint", image, this.size);
		this.#fft.forward(image, this.size, this.size, this.#work);
		this.#multiply(-1);
		this.#fft.inverse(this.#work, out, this.support, this.support);
		return out;
	}

	/** A A^T y: image -> image, at a third of the price of `adjoint` and `apply`. */
	gram(
		image: Float64Array,
		out = new Float64Array(this.size ** 2),
	): Float64Array {
		this.#check("gram", image, this.size);
		const { re, im } = this.#work;
		this.#fft.forward(image, this.size, this.size, this.#work);
		for (let i = 0; i < re.length; i++) {
			re[i] *= this.#power[i];
			im[i] *= this.#power[i];
		}
		this.#fft.inverse(this.#work, out, this.size, this.size);
		return out;
	}

	#multiply(sign: 1 | -1): void {
		const { re, im } = this.#work;
		const { re: pr, im: pi } = this.#phases;
		for (let i = 0; i < re.length; i++) {
			const r = re[i];
			const s = sign * pi[i];
			re[i] = r * pr[i] - im[i] * s;
			im[i] = r * s + im[i] * pr[i];
		}
	}

	#check(name: string, array: Float64Array, side: number): void {
		if (array.length !== side * side)
			throw new Error(
				`ForwardOperator.${name}: expected ${side} x ${side} = ${side * side} values, got ${array.length}`,
			);
	}
}

/** Cosine and sine of 2 pi k shift / n for the n frequencies, -n/2 < k <= n/2; the sine is left out at Nyquist. */
function phases(n: number, shift: number): [Float64Array, Float64Array] {
	const cos = new Float64Array(n);
	const sin = new Float64Array(n);
	for (let k = 0; k <= n / 2; k++) {
		const angle = (2 * Math.PI * k * shift) / n;
		cos[k] = Math.cos(angle);
		sin[k] = k === n / 2 ? 0 : Math.sin(angle);
		if (k === 0) continue;
		cos[n - k] = cos[k];
		sin[n - k] = -sin[k];
	}
	return [cos, sin];
}
