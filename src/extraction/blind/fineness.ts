/** How fine pixels have to be to show what there is. */
import { column, RealFft2d } from "../../qpi/maths/realFft.ts";
import type { Seen } from "./deconvolve.ts";
import { medianOf } from "./grid.ts";

/** Share of the power above the noise that larger pixels may lose. */
const LOST = 0.03;
/** The shares of the wave vectors, from the longest on, whose power is taken for noise. */
const NOISE = 0.3;
/** Of Nyquist's wave vector, what pixels still carry well. */
const CARRIED = 0.8;
/** Pixels along the shorter side that must be left. */
const FEWEST = 96;

export interface Fineness {
	/** Pixels along a side that may be one: the power that stands above the noise stays but for a thirtieth. */
	readonly factor: number;
	/** Standard deviation of a pixel's white noise, from the power of the shortest waves. */
	readonly noise: number;
}

export function finenessOf(
	{ image, weights }: Seen,
	nx: number,
	ny: number,
): Fineness {
	const fft = new RealFft2d(...RealFft2d.sizes(nx, ny));
	const spectrum = fft.spectrum();
	fft.forward(
		image.map((v, p) => v * weights[p]),
		nx,
		ny,
		spectrum,
	);
	const rings = Math.floor(Math.min(nx, ny) / 2);
	const power = new Float64Array(rings);
	const count = new Float64Array(rings);
	for (let ky = 0; ky <= fft.ny / 2; ky++) {
		const { base, step } = column(fft.nx, fft.ny, ky);
		for (let kx = 0, i = base; kx < fft.nx; kx++, i += step) {
			const [qx, qy] = [Math.min(kx, fft.nx - kx) / fft.nx, ky / fft.ny];
			const ring = Math.floor(2 * Math.hypot(qx, qy) * rings);
			if (ring >= rings) continue;
			power[ring] += spectrum.re[i] ** 2 + spectrum.im[i] ** 2;
			count[ring]++;
		}
	}
	const mean = power.map((v, k) => v / Math.max(1, count[k]));
	const floor = medianOf(mean.subarray(Math.floor((1 - NOISE) * rings)));
	// Noise that scatters about its floor is no signal.
	const above = mean.map((v, k) =>
		v > 1.5 * floor ? (v - floor) * count[k] : 0,
	);
	const total = above.reduce((a, b) => a + b, 0);
	let [last, sum] = [rings - 1, 0];
	while (last > 0 && sum + above[last] < LOST * total) sum += above[last--];
	const most = Math.max(1, Math.floor(Math.min(nx, ny) / FEWEST));
	const counted = weights.reduce((sum, w) => sum + w * w, 0);
	return {
		factor: Math.max(
			1,
			Math.min(most, Math.floor((CARRIED * rings) / (last + 1))),
		),
		noise: counted > 0 ? Math.sqrt(floor / counted) : 0,
	};
}
