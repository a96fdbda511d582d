/** How many waves a map holds that know nothing of each other. */
import { column, RealFft2d } from "../../qpi/maths/realFft.ts";

/** Of Nyquist's wave vector, where the power is taken for noise. */
const NOISE = 0.7;

/**
 * How many independent real numbers say what is seen of an image above its white noise: (sum P)^2 / sum P^2 over its power spectrum P, the participation number, of what a measured
 * power, which scatters as much as it is, says of P. An image of one wavelength has few, however many pixels it has.
 * @param image first index x @param weights 0 where a pixel does not count
 */
export function independentWaves(
	image: ArrayLike<number>,
	weights: Float64Array,
	nx: number,
	ny: number,
): number {
	const counted = weights.reduce((sum, w) => sum + w, 0);
	const mean =
		weights.reduce((sum, w, p) => sum + w * image[p], 0) / (counted || 1);
	const fft = new RealFft2d(...RealFft2d.sizes(nx, ny));
	const spectrum = fft.spectrum();
	fft.forward(
		weights.map((w, p) => w * (image[p] - mean)),
		nx,
		ny,
		spectrum,
	);
	const power: number[] = [];
	const times: number[] = [];
	const far: number[] = [];
	for (let ky = 0; ky <= fft.ny / 2; ky++) {
		const { base, step } = column(fft.nx, fft.ny, ky);
		for (let kx = 0, i = base; kx < fft.nx; kx++, i += step) {
			const q = Math.hypot(Math.min(kx, fft.nx - kx) / fft.nx, ky / fft.ny);
			const p = spectrum.re[i] ** 2 + spectrum.im[i] ** 2;
			power.push(p);
			times.push(ky === 0 || 2 * ky === fft.ny ? 1 : 2);
			if (2 * q > NOISE && 2 * q < 1) far.push(p);
		}
	}
	// The median of what is distributed exponentially is ln 2 of its mean.
	const floor = (far.sort((a, b) => a - b)[far.length >> 1] ?? 0) / Math.LN2;
	let [sum, squares] = [0, 0];
	power.forEach((p, i) => {
		sum += times[i] * (p - floor);
		squares += times[i] * (p * p - 4 * floor * p + 2 * floor * floor);
	});
	if (!(sum > 0 && squares > 0)) return counted;
	return Math.min(
		counted,
		(2 * sum * sum * counted) / (squares * fft.nx * fft.ny),
	);
}
