import { column, type HalfSpectrum, RealFft2d } from "../maths/realFft.ts";

/** A scatterer on the pixels of a map: (0, 0) is the first pixel's middle. */
export interface Site {
	readonly x: number;
	readonly y: number;
	/** Amplitude, 1 when not given. */
	readonly weight?: number;
	/** Which kernel is its own, from 0; 0 when not given. */
	readonly kind?: number;
}

/** Sizes of a map and of the kernels in it. */
export interface MapShape {
	/** Pixels of the map; first index x. */
	readonly nx: number;
	readonly ny: number;
	/** Nodes along a kernel's side, one a pixel, the scatterer in their middle: lags are whole pixels for odd sizes, half-integer for even ones. */
	readonly size: number;
	/** Numbers of kernels; 1 when not given. */
	readonly kinds?: number;
}

/** An operator as plain arrays, for another thread or a graphics device. */
export interface OperatorDescription {
	readonly shape: Required<MapShape>;
	/** Of the transforms, x and y. */
	readonly period: readonly [number, number];
	/** Of each kind: sum_j w_j exp(-2 pi i k s_j / period), s_j the shift from node to pixel. */
	readonly structures: readonly HalfSpectrum[];
}

const plans = new Map<string, RealFft2d>();
/** A plan and its work array of each size, shared by all operators of one thread. */
const works = new Map<string, HalfSpectrum>();

/**
 * The superposition `Y = sum_s A_s K_s`: Y(r) = sum_j w_j K_kind(j)(r - r_j), linear in the kernels, with scatterers at known positions, on a map of any size.
 *
 * - A kernel lives on size x size nodes about its scatterer and is zero outside. The convolution is linear: nothing wraps around the map's edges, because the
 *   transforms' periods are longer than the map by half a kernel. Scatterers may lie outside the map.
 * - Subpixel positions are exact for band-limited kernels: each scatterer's shift is a Fourier phase. At the Nyquist frequency the
 *   phase exp(i pi s) is replaced by its real part, for then a real kernel gives a real image and shifts by whole nodes stay exact.
 *
 * Maps are Float64Arrays [nx][ny], kernels [kinds][size][size]. Instances of a size share work arrays: use them from one thread.
 */
export class MapOperator {
	readonly nx: number;
	readonly ny: number;
	readonly size: number;
	readonly kinds: number;
	readonly #fft: RealFft2d;
	readonly #work: HalfSpectrum;
	/** See OperatorDescription. */
	readonly #structures: readonly HalfSpectrum[];
	readonly #sum: HalfSpectrum | undefined;

	/**
	 * @param period of the transforms, x and y; the smallest that do when not given
	 * @param structures of the sites, where they are known already
	 * @throws RangeError when a site's position or amplitude is not finite, its kind is none of `kinds`, or the shape is no shape
	 */
	constructor(
		{ nx, ny, size, kinds = 1 }: MapShape,
		sites: readonly Site[],
		period?: readonly [number, number],
		structures?: readonly HalfSpectrum[],
	) {
		for (const [name, value] of Object.entries({ nx, ny, size, kinds }))
			if (!Number.isInteger(value) || value < 1)
				throw new RangeError(
					`MapOperator: expected ${name} of 1 or more, got ${value}`,
				);
		sites.forEach(({ x, y, weight = 1, kind = 0 }, j) => {
			if (![x, y, weight].every(Number.isFinite))
				throw new RangeError(
					`MapOperator: scatterer ${j} has a position or amplitude that is not a finite number`,
				);
			if (!Number.isInteger(kind) || kind < 0 || kind >= kinds)
				throw new RangeError(
					`MapOperator: scatterer ${j} is of kind ${kind}, expected one below ${kinds}`,
				);
		});
		this.nx = nx;
		this.ny = ny;
		this.size = size;
		this.kinds = kinds;
		const periods = period ?? periodOf({ nx, ny, size }, sites);
		const name = periods.join();
		this.#fft = plans.get(name) ?? new RealFft2d(...periods);
		plans.set(name, this.#fft);
		this.#work = works.get(name) ?? this.#fft.spectrum();
		works.set(name, this.#work);
		this.#structures =
			structures ??
			Array.from({ length: kinds }, (_, s) =>
				this.#structure(sites.filter(({ kind = 0 }) => kind === s)),
			);
		this.#sum = kinds > 1 ? this.#fft.spectrum() : undefined;
	}

	static of({ shape, period, structures }: OperatorDescription): MapOperator {
		return new MapOperator(shape, [], period, structures);
	}

	describe(): OperatorDescription {
		const { nx, ny, size, kinds } = this;
		return {
			shape: { nx, ny, size, kinds },
			period: [this.#fft.nx, this.#fft.ny],
			structures: this.#structures,
		};
	}

	/** Of a map. */
	get pixels(): number {
		return this.nx * this.ny;
	}

	/** Of all kernels. */
	get nodes(): number {
		return this.kinds * this.size ** 2;
	}

	#structure(sites: readonly Site[]): HalfSpectrum {
		const { nx, ny } = this.#fft;
		const { re, im } = this.#fft.spectrum();
		const middle = (this.size - 1) / 2;
		for (const { x, y, weight = 1 } of sites) {
			const [xc, xs] = phases(nx, x - middle);
			const [yc, ys] = phases(ny, y - middle);
			for (let ky = 0; ky <= ny / 2; ky++) {
				const { base, step } = column(nx, ny, ky);
				const c = weight * yc[ky];
				const s = weight * ys[ky];
				for (let kx = 0, i = base; kx < nx; kx++, i += step) {
					re[i] += xc[kx] * c - xs[kx] * s;
					im[i] += xc[kx] * s + xs[kx] * c;
				}
			}
		}
		return { re, im };
	}

	/** A K: kernels -> map. */
	apply(
		kernels: Float64Array,
		out: Float64Array = new Float64Array(this.pixels),
	): Float64Array {
		const { size, kinds } = this;
		this.#check("apply", kernels, this.nodes, `${kinds} x ${size} x ${size}`);
		const work = this.#work;
		for (let s = 0; s < kinds; s++) {
			const kernel =
				kinds === 1
					? kernels
					: kernels.subarray(s * size ** 2, (s + 1) * size ** 2);
			this.#fft.forward(kernel, size, size, work);
			multiply(work, this.#structures[s], 1);
			if (!this.#sum) break;
			const { re, im } = this.#sum;
			if (s === 0) {
				re.set(work.re);
				im.set(work.im);
				continue;
			}
			for (let i = 0; i < re.length; i++) {
				re[i] += work.re[i];
				im[i] += work.im[i];
			}
		}
		this.#fft.inverse(this.#sum ?? work, out, this.nx, this.ny);
		return out;
	}

	/** A kernel's half spectrum, the same for every operator of this shape and of one kind: to apply one kernel to many arrangements. */
	spectrum(kernel: Float64Array): HalfSpectrum {
		const { size } = this;
		this.#check("spectrum", kernel, size ** 2, `${size} x ${size}`);
		const out = this.#fft.spectrum();
		this.#fft.forward(kernel, size, size, out);
		return out;
	}

	/** `apply` of one kind, from `spectrum(kernel)`. */
	applySpectrum(
		spectrum: HalfSpectrum,
		out: Float64Array = new Float64Array(this.pixels),
		kind = 0,
	): Float64Array {
		this.#work.re.set(spectrum.re);
		this.#work.im.set(spectrum.im);
		multiply(this.#work, this.#structures[kind], 1);
		this.#fft.inverse(this.#work, out, this.nx, this.ny);
		return out;
	}

	/** A^T y: map -> kernels. */
	adjoint(map: Float64Array, out = new Float64Array(this.nodes)): Float64Array {
		const { nx, ny, size, kinds } = this;
		this.#check("adjoint", map, this.pixels, `${nx} x ${ny}`);
		this.#fft.forward(map, nx, ny, this.#work);
		if (this.#sum) {
			this.#sum.re.set(this.#work.re);
			this.#sum.im.set(this.#work.im);
		}
		for (let s = 0; s < kinds; s++) {
			if (s > 0 && this.#sum) {
				this.#work.re.set(this.#sum.re);
				this.#work.im.set(this.#sum.im);
			}
			multiply(this.#work, this.#structures[s], -1);
			const kernel =
				kinds === 1 ? out : out.subarray(s * size ** 2, (s + 1) * size ** 2);
			this.#fft.inverse(this.#work, kernel, size, size);
		}
		return out;
	}

	/** A A^T y, map -> map, at a third of the price of `adjoint` and `apply`: of one kind whose kernel fills the whole period. */
	gram(
		map: Float64Array,
		out: Float64Array = new Float64Array(this.pixels),
	): Float64Array {
		const { nx, ny, size } = this;
		this.#check("gram", map, this.pixels, `${nx} x ${ny}`);
		if (this.kinds > 1 || size !== this.#fft.nx || size !== this.#fft.ny)
			throw new RangeError(
				`MapOperator.gram: expected one kernel as large as the period of ${this.#fft.nx} x ${this.#fft.ny}, got ${this.kinds} of ${size}`,
			);
		const { re, im } = this.#work;
		const [{ re: pr, im: pi }] = this.#structures;
		this.#fft.forward(map, nx, ny, this.#work);
		for (let i = 0; i < re.length; i++) {
			const power = pr[i] * pr[i] + pi[i] * pi[i];
			re[i] *= power;
			im[i] *= power;
		}
		this.#fft.inverse(this.#work, out, nx, ny);
		return out;
	}

	#check(
		name: string,
		array: ArrayLike<number>,
		length: number,
		shape: string,
	): void {
		if (array.length !== length)
			throw new RangeError(
				`MapOperator.${name}: expected ${shape} = ${length} values, got ${array.length}`,
			);
	}
}

/** Periods of transforms in which no lag of a map and a kernel wraps around: longer than the map by half a kernel and what scatterers lie outside, and no shorter than the kernel. */
function periodOf(
	{ nx, ny, size }: MapShape,
	sites: readonly Site[],
): [number, number] {
	const period = (n: number, at: (site: Site) => number) =>
		sites.reduce(
			(most, site) =>
				Math.max(most, n + size / 2 - at(site), size / 2 + at(site) + 1),
			Math.max(size, n + size / 2),
		);
	return RealFft2d.sizes(
		period(nx, (s) => s.x),
		period(ny, (s) => s.y),
	);
}

/** a *= b, or a *= b* for sign -1. */
function multiply(
	{ re, im }: HalfSpectrum,
	{ re: br, im: bi }: HalfSpectrum,
	sign: 1 | -1,
): void {
	for (let i = 0; i < re.length; i++) {
		const r = re[i];
		const s = sign * bi[i];
		re[i] = r * br[i] - im[i] * s;
		im[i] = r * s + im[i] * br[i];
	}
}

/** Cosine and sine of -2 pi k shift / n for the n frequencies, -n/2 < k <= n/2; the sine is left out at Nyquist. */
function phases(n: number, shift: number): [Float64Array, Float64Array] {
	const cos = new Float64Array(n);
	const sin = new Float64Array(n);
	for (let k = 0; k <= n / 2; k++) {
		const angle = (-2 * Math.PI * k * shift) / n;
		cos[k] = Math.cos(angle);
		sin[k] = k === n / 2 ? 0 : Math.sin(angle);
		if (k === 0) continue;
		cos[n - k] = cos[k];
		sin[n - k] = -sin[k];
	}
	return [cos, sin];
}
