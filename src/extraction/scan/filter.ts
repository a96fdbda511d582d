/** Filters in the plane of wave vectors q (1/Angstrom, q = 2 pi / wavelength), and the power there. */
import { Fft2d } from "../../qpi/maths/fft.ts";
import { smooth } from "../../qpi/maths/realFft.ts";
import { mirror, type Scan } from "./scan.ts";

/** Angular frequency of each index of a transform of length n at spacing dx, 1/Angstrom. */
const frequencies = (n: number, dx: number) =>
	Float64Array.from(
		{ length: n },
		(_, k) => (2 * Math.PI * (k <= n / 2 ? k : k - n)) / (n * dx),
	);

/**
 * Multiplies the image's spectrum by `transfer(q)`, q = |q| in 1/Angstrom. Beyond its edges the image is continued as its mirror image for `margin`
 * Angstrom, the filter's reach. No value may be NaN.
 */
export function radialFilter(
	scan: Scan,
	transfer: (q: number) => number,
	margin: number,
): Scan {
	const { nx, ny, spacing } = scan;
	const pad = (n: number, dx: number) => Math.min(n, Math.ceil(margin / dx));
	const [mx, my] = [pad(nx, spacing.x), pad(ny, spacing.y)];
	const [wx, wy] = [smooth(nx + 2 * mx), smooth(ny + 2 * my)];
	const re = new Float64Array(wx * wy);
	const im = new Float64Array(wx * wy);
	for (let ix = 0; ix < wx; ix++)
		for (let iy = 0; iy < wy; iy++)
			re[ix * wy + iy] =
				scan.image[mirror(ix - mx, nx) * ny + mirror(iy - my, ny)];
	const fft = new Fft2d(wx, wy);
	fft.transform(re, im);
	const [qx, qy] = [frequencies(wx, spacing.x), frequencies(wy, spacing.y)];
	for (let kx = 0; kx < wx; kx++)
		for (let ky = 0; ky < wy; ky++) {
			const pass = transfer(Math.hypot(qx[kx], qy[ky]));
			re[kx * wy + ky] *= pass;
			im[kx * wy + ky] *= pass;
		}
	fft.transform(re, im, true);
	const image = new Float32Array(nx * ny);
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++)
			image[ix * ny + iy] = re[(ix + mx) * wy + iy + my];
	return { ...scan, image };
}

/** Keeps what is slower than `cut` (1/Angstrom): from 1 at 0.85 cut by a cosine to 1/2 at the cut and 0 at 1.15 cut. No value may be NaN. */
export function lowPass(scan: Scan, cut: number): Scan {
	const transfer = (q: number) => {
		const t = Math.max(0, Math.min(1, (q / cut - 0.85) / 0.3));
		return Math.cos((Math.PI / 2) * t) ** 2;
	};
	return radialFilter(scan, transfer, 30 / cut);
}

/**
 * Where a square's power lies: mean removed, Hann window, |FFT|^2.
 * @returns share(q): the share of it with |qx| or |qy| beyond q (1/Angstrom)
 */
export function powerBeyond(scan: Scan): (q: number) => number {
	const { image, nx, ny, spacing } = scan;
	const [wx, wy] = [smooth(nx), smooth(ny)];
	const hann = (i: number, n: number) =>
		Math.sin((Math.PI * (i + 0.5)) / n) ** 2;
	let [sum, weight] = [0, 0];
	image.forEach((v, p) => {
		const w = hann(Math.floor(p / ny), nx) * hann(p % ny, ny);
		sum += w * v;
		weight += w;
	});
	const re = new Float64Array(wx * wy);
	const im = new Float64Array(wx * wy);
	image.forEach((v, p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		re[ix * wy + iy] = (v - sum / weight) * hann(ix, nx) * hann(iy, ny);
	});
	new Fft2d(wx, wy).transform(re, im);
	const [qx, qy] = [frequencies(wx, spacing.x), frequencies(wy, spacing.y)];
	const power = re.map((r, p) => r * r + im[p] * im[p]);
	const highest = re.map((_, p) =>
		Math.max(Math.abs(qx[Math.floor(p / wy)]), Math.abs(qy[p % wy])),
	);
	const total = power.reduce((all, p) => all + p, 0);
	return (q) =>
		total > 0
			? power.reduce((all, p, i) => (highest[i] > q ? all + p : all), 0) / total
			: 0;
}
