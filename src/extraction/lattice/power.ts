/** The power spectrum of a scan, as Bragg peaks are looked for in it. */
import { Fft2d } from "../../qpi/maths/fft.ts";
import { smooth } from "../../qpi/maths/realFft.ts";
import { fill, type Scan } from "../scan/scan.ts";

/** |FFT|^2 under a Hann window, the plane that fits best taken away; gaps are filled in from their neighbours. */
export function powerOf(scan: Scan, counts: ArrayLike<number>) {
	const { nx, ny } = scan;
	const image = fill(scan, counts);
	const [wx, wy] = [smooth(nx), smooth(ny)];
	const hann = (i: number, n: number) =>
		Math.sin((Math.PI * (i + 0.5)) / n) ** 2;
	let [mean, slopeX, slopeY] = [0, 0, 0];
	const [ux, uy] = [(nx * (nx * nx - 1)) / 12, (ny * (ny * ny - 1)) / 12];
	for (const v of image) mean += v / image.length;
	image.forEach((v, p) => {
		slopeX += ((v - mean) * (Math.floor(p / ny) - (nx - 1) / 2)) / (ux * ny);
		slopeY += ((v - mean) * ((p % ny) - (ny - 1) / 2)) / (uy * nx);
	});
	const re = new Float64Array(wx * wy);
	const im = new Float64Array(wx * wy);
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++)
			re[ix * wy + iy] =
				(image[ix * ny + iy] -
					mean -
					slopeX * (ix - (nx - 1) / 2) -
					slopeY * (iy - (ny - 1) / 2)) *
				hann(ix, nx) *
				hann(iy, ny);
	new Fft2d(wx, wy).transform(re, im);
	return { power: re.map((r, p) => r * r + im[p] * im[p]), wx, wy };
}
