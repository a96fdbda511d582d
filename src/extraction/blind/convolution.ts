/** Convolution of a map's activation, a value a pixel, with a kernel on a bounded square of pixels. */
import { column, type HalfSpectrum, RealFft2d } from "../../qpi/realFft.ts";

/**
 * `model = X * K`: X on the map's nx x ny pixels, K on size x size (odd) of them about the scatterer, cropped to the map; linear, nothing wraps around. Spectra are made once
 * and used for many products.
 */
export class Convolution {
	readonly nx: number;
	readonly ny: number;
	readonly size: number;
	readonly #fft: RealFft2d;
	readonly #work: HalfSpectrum;
	/** What moves a kernel from the corner to about the first pixel. */
	readonly #centring: HalfSpectrum;

	constructor(nx: number, ny: number, size: number) {
		this.nx = nx;
		this.ny = ny;
		this.size = size;
		const middle = (size - 1) / 2;
		this.#fft = new RealFft2d(
			...RealFft2d.sizes(
				Math.max(nx + middle, size),
				Math.max(ny + middle, size),
			),
		);
		this.#work = this.#fft.spectrum();
		this.#centring = this.#fft.spectrum();
		const { re, im } = this.#centring;
		for (let ky = 0; ky <= this.#fft.ny / 2; ky++) {
			const { base, step } = column(this.#fft.nx, this.#fft.ny, ky);
			for (let kx = 0, i = base; kx < this.#fft.nx; kx++, i += step) {
				const angle =
					2 * Math.PI * middle * (kx / this.#fft.nx + ky / this.#fft.ny);
				re[i] = Math.cos(angle);
				im[i] = Math.sin(angle);
			}
		}
	}

	/** Of a kernel, about its middle. */
	ofKernel(kernel: Float64Array): HalfSpectrum {
		const out = this.#fft.spectrum();
		this.#fft.forward(kernel, this.size, this.size, out);
		multiply(out, this.#centring, out, 1);
		return out;
	}

	/** Of what is on the map's pixels. */
	ofMap(map: ArrayLike<number>, out = this.#fft.spectrum()): HalfSpectrum {
		this.#fft.forward(map, this.nx, this.ny, out);
		return out;
	}

	/** X * K on the map. */
	model(x: HalfSpectrum, kernel: HalfSpectrum, out: Float64Array): void {
		multiply(x, kernel, this.#work, 1);
		this.#fft.inverse(this.#work, out, this.nx, this.ny);
	}

	/** Correlation of a map with the kernel: for each pixel what a scatterer there would see. */
	match(map: HalfSpectrum, kernel: HalfSpectrum, out: Float64Array): void {
		multiply(map, kernel, this.#work, -1);
		this.#fft.inverse(this.#work, out, this.nx, this.ny);
	}

	/** Correlation of a map with the activation, at the kernel's lags. */
	kernelOf(map: HalfSpectrum, x: HalfSpectrum): Float64Array {
		const out = new Float64Array(this.size ** 2);
		multiply(map, x, this.#work, -1);
		multiply(this.#work, this.#centring, this.#work, -1);
		this.#fft.inverse(this.#work, out, this.size, this.size);
		return out;
	}
}

/** Greatest power of a spectrum: the square of the convolution's norm, or a little more. */
export function greatestPower({ re, im }: HalfSpectrum): number {
	let most = 0;
	for (let i = 0; i < re.length; i++)
		most = Math.max(most, re[i] * re[i] + im[i] * im[i]);
	return most;
}

/** out = a b, or a b* for sign -1; out may be a. */
function multiply(
	a: HalfSpectrum,
	b: HalfSpectrum,
	out: HalfSpectrum,
	sign: 1 | -1,
): void {
	const [xr, xi, yr, yi] = [a.re, a.im, b.re, b.im];
	for (let i = 0; i < xr.length; i++) {
		const r = xr[i];
		const s = xi[i];
		const t = sign * yi[i];
		out.re[i] = r * yr[i] - s * t;
		out.im[i] = r * t + s * yr[i];
	}
}
