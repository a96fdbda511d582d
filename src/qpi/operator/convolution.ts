/** Maps convolved with small kernels, and the two adjoints: what blind deconvolution alternates between. */
import { column, type HalfSpectrum, RealFft2d } from "../maths/realFft.ts";

/**
 * `Y(r) = sum_k K(k) X(r - k + middle)`: an activation map X and a kernel K of size x size (odd) about its middle node give a map Y. Both maps are [nx][ny] and zero outside;
 * the convolution is linear, for the transforms' periods are longer than the map by half a kernel. Spectra are kept by the caller, so that what stays fixed is transformed once.
 */
export class MapConvolution {
	readonly nx: number;
	readonly ny: number;
	readonly size: number;
	readonly #fft: RealFft2d;
	readonly #work: HalfSpectrum;
	/** exp(2 pi i k middle / period): takes the kernel's middle to the origin. */
	readonly #phase: HalfSpectrum;

	/** @throws RangeError when a size is no whole number from 1, or the kernel's is even */
	constructor(nx: number, ny: number, size: number) {
		for (const n of [nx, ny, size])
			if (!Number.isInteger(n) || n < 1)
				throw new RangeError(
					`MapConvolution: expected sizes of 1 or more, got ${nx} x ${ny} and ${size}`,
				);
		if (size % 2 === 0)
			throw new RangeError(
				`MapConvolution: expected a kernel of odd size, got ${size}`,
			);
		this.nx = nx;
		this.ny = ny;
		this.size = size;
		const half = (size - 1) / 2;
		const period = (n: number) => Math.max(n + half, size);
		this.#fft = new RealFft2d(...RealFft2d.sizes(period(nx), period(ny)));
		this.#work = this.#fft.spectrum();
		this.#phase = this.#fft.spectrum();
		const { nx: px, ny: py } = this.#fft;
		for (let ky = 0; ky <= py / 2; ky++) {
			const { base, step } = column(px, py, ky);
			for (let kx = 0; kx < px; kx++) {
				const angle = 2 * Math.PI * half * (kx / px + ky / py);
				this.#phase.re[base + kx * step] = Math.cos(angle);
				this.#phase.im[base + kx * step] = Math.sin(angle);
			}
		}
	}

	/** Of a map, for `convolve` and `kernelOf`. */
	mapSpectrum(
		map: ArrayLike<number>,
		out: HalfSpectrum = this.#fft.spectrum(),
	): HalfSpectrum {
		this.#fft.forward(map, this.nx, this.ny, out);
		return out;
	}

	/** Of a kernel, for `convolve` and `mapOf`. */
	kernelSpectrum(
		kernel: ArrayLike<number>,
		out: HalfSpectrum = this.#fft.spectrum(),
	): HalfSpectrum {
		this.#fft.forward(kernel, this.size, this.size, out);
		multiply(out, out, this.#phase, 1);
		return out;
	}

	/** X * K: the map. */
	convolve(
		map: HalfSpectrum,
		kernel: HalfSpectrum,
		out: Float64Array = new Float64Array(this.nx * this.ny),
	): Float64Array {
		multiply(this.#work, map, kernel, 1);
		this.#fft.inverse(this.#work, out, this.nx, this.ny);
		return out;
	}

	/** The adjoint for a fixed kernel: sum_r K(r - x + middle) Y(r), a map. */
	mapOf(
		kernel: HalfSpectrum,
		seen: ArrayLike<number>,
		out: Float64Array = new Float64Array(this.nx * this.ny),
	): Float64Array {
		this.mapSpectrum(seen, this.#work);
		multiply(this.#work, this.#work, kernel, -1);
		this.#fft.inverse(this.#work, out, this.nx, this.ny);
		return out;
	}

	/** The adjoint for a fixed map: sum_r X(r - k + middle) Y(r), a kernel. */
	kernelOf(
		map: HalfSpectrum,
		seen: ArrayLike<number>,
		out: Float64Array = new Float64Array(this.size ** 2),
	): Float64Array {
		this.mapSpectrum(seen, this.#work);
		multiply(this.#work, this.#work, map, -1);
		multiply(this.#work, this.#work, this.#phase, -1);
		this.#fft.inverse(this.#work, out, this.size, this.size);
		return out;
	}
}

/** out = a b, or a b* for sign -1. */
function multiply(
	out: HalfSpectrum,
	{ re: ar, im: ai }: HalfSpectrum,
	{ re: br, im: bi }: HalfSpectrum,
	sign: 1 | -1,
): void {
	const { re, im } = out;
	for (let i = 0; i < re.length; i++) {
		const r = ar[i];
		const s = sign * bi[i];
		const j = ai[i];
		re[i] = r * br[i] - j * s;
		im[i] = r * s + j * br[i];
	}
}

/** Greatest |spectrum|^2: no convolution with it makes a map's power grow by more. */
export function largestPower({ re, im }: HalfSpectrum): number {
	let most = 0;
	for (let i = 0; i < re.length; i++)
		most = Math.max(most, re[i] ** 2 + im[i] ** 2);
	return most;
}
