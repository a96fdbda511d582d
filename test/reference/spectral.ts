import { type Nd, nd } from "../opTesting.ts";

/** Transforms as plain double sums over a complex grid [re, im] of n x m, index x * m + y. */
type Grid = [Float64Array, Float64Array];

/** sum over r of f(r) exp(sign 2 pi i k r / size), first along y, then along x. */
function transform(grid: Grid, n: number, m: number, sign: 1 | -1): Grid {
	const along = (
		[re, im]: Grid,
		size: number,
		step: number,
		lines: number,
		across: number,
	): Grid => {
		const wave = (f: (angle: number) => number) =>
			Float64Array.from({ length: size }, (_, i) =>
				f((sign * 2 * Math.PI * i) / size),
			);
		const [cos, sin] = [wave(Math.cos), wave(Math.sin)];
		const out: Grid = [new Float64Array(n * m), new Float64Array(n * m)];
		for (let line = 0; line < lines; line++)
			for (let r = 0; r < size; r++) {
				const vr = re[line * across + r * step];
				const vi = im[line * across + r * step];
				if (vr === 0 && vi === 0) continue;
				for (let k = 0, turn = 0; k < size; k++, turn = (turn + r) % size) {
					const to = line * across + k * step;
					out[0][to] += vr * cos[turn] - vi * sin[turn];
					out[1][to] += vr * sin[turn] + vi * cos[turn];
				}
			}
		return out;
	};
	return along(along(grid, m, 1, n, m), n, m, m, 1);
}

/** x [B, h, w] in the corner of a grid of n x m, times spectra [B or 1, m/2 + 1, n, 2] (or their conjugates), back -> its corner [B, ...size]. */
export function filter(
	x: Nd,
	spectra: Nd,
	m: number,
	size: readonly [number, number],
	conjugate = false,
): Nd {
	const [batch, h, w] = x.shape;
	const [count, frequencies, n] = spectra.shape;
	const parts = Array.from({ length: batch }, (_, b) => {
		const grid: Grid = [new Float64Array(n * m), new Float64Array(n * m)];
		for (let i = 0; i < h * w; i++)
			grid[0][Math.floor(i / w) * m + (i % w)] = x.data[b * h * w + i];
		const [re, im] = transform(grid, n, m, -1);
		for (let kx = 0; kx < n; kx++)
			for (let ky = 0; ky < m; ky++) {
				// The half that is not stored is the conjugate of the one that is.
				const mirror = ky > m / 2;
				const [px, py] = mirror ? [(n - kx) % n, m - ky] : [kx, ky];
				const sample = count === 1 ? 0 : b;
				const at = 2 * ((sample * frequencies + py) * n + px);
				const sr = spectra.data[at];
				const si = spectra.data[at + 1] * (mirror !== conjugate ? -1 : 1);
				const i = kx * m + ky;
				[re[i], im[i]] = [re[i] * sr - im[i] * si, re[i] * si + im[i] * sr];
			}
		return transform([re, im], n, m, 1)[0];
	});
	return nd([batch, ...size], (i) => {
		const [rows, columns] = size;
		const b = Math.floor(i / (rows * columns));
		const x = Math.floor(i / columns) % rows;
		return parts[b][x * m + (i % columns)] / (n * m);
	});
}

/** The spectrum [1, m/2 + 1, n, 2] of a real image on the whole grid of n x m. */
export function spectrumOf(image: Float64Array, n: number, m: number): Nd {
	const [re, im] = transform([image, new Float64Array(n * m)], n, m, -1);
	return nd([1, m / 2 + 1, n, 2], (i) => {
		const at = (Math.floor(i / 2) % n) * m + Math.floor(i / 2 / n);
		return (i % 2 === 0 ? re : im)[at];
	});
}
