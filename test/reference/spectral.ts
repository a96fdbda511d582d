import { type Nd, nd } from "../opTesting.ts";

/** Transforms as plain double sums over a complex grid [re, im] of n x n, index x * n + y. */
type Grid = [Float64Array, Float64Array];

/** sum over r of f(r) exp(sign 2 pi i k r / n), first along one axis, then along the other. */
function transform(grid: Grid, n: number, sign: 1 | -1): Grid {
	const cos = Float64Array.from({ length: n }, (_, i) =>
		Math.cos((2 * Math.PI * i) / n),
	);
	const sin = Float64Array.from({ length: n }, (_, i) =>
		Math.sin((sign * 2 * Math.PI * i) / n),
	);
	const along = ([re, im]: Grid, step: number, across: number): Grid => {
		const out: Grid = [new Float64Array(n * n), new Float64Array(n * n)];
		for (let line = 0; line < n; line++)
			for (let r = 0; r < n; r++) {
				const vr = re[line * across + r * step];
				const vi = im[line * across + r * step];
				if (vr === 0 && vi === 0) continue;
				for (let k = 0, turn = 0; k < n; k++, turn = (turn + r) % n) {
					const to = line * across + k * step;
					out[0][to] += vr * cos[turn] - vi * sin[turn];
					out[1][to] += vr * sin[turn] + vi * cos[turn];
				}
			}
		return out;
	};
	return along(along(grid, 1, n), n, 1);
}

/** x [B, side, side] at (start, start) of a grid of n x n, times a spectrum [B, n/2 + 1, n, 2] -> [B, sideOut, sideOut] at (startOut, startOut). */
export function filter(
	x: Nd,
	spectrum: Nd,
	start: number,
	sideOut: number,
	startOut: number,
	conjugate = false,
): Nd {
	const [batch, side] = x.shape;
	const n = spectrum.shape[2];
	const out = new Float64Array(batch * sideOut * sideOut);
	for (let b = 0; b < batch; b++) {
		const grid: Grid = [new Float64Array(n * n), new Float64Array(n * n)];
		for (let i = 0; i < side * side; i++)
			grid[0][(start + Math.floor(i / side)) * n + start + (i % side)] =
				x.data[b * side * side + i];
		const [re, im] = transform(grid, n, -1);
		for (let kx = 0; kx < n; kx++)
			for (let ky = 0; ky < n; ky++) {
				// The half that is not stored is the conjugate of the one that is.
				const mirror = ky > n / 2;
				const [px, py] = mirror ? [(n - kx) % n, n - ky] : [kx, ky];
				const at = 2 * ((b * (n / 2 + 1) + py) * n + px);
				const sr = spectrum.data[at];
				const si = spectrum.data[at + 1] * (mirror !== conjugate ? -1 : 1);
				const i = kx * n + ky;
				[re[i], im[i]] = [re[i] * sr - im[i] * si, re[i] * si + im[i] * sr];
			}
		const [value] = transform([re, im], n, 1);
		for (let i = 0; i < sideOut * sideOut; i++)
			out[b * sideOut * sideOut + i] =
				value[
					(startOut + Math.floor(i / sideOut)) * n + startOut + (i % sideOut)
				] /
				n ** 2;
	}
	return { shape: [batch, sideOut, sideOut], data: out };
}

/** sum_j w_j exp(2 pi i kx sx / n) exp(2 pi i ky sy / n), with the real part of a factor at Nyquist. */
export function pointSpectrum(points: Nd, n: number): Nd {
	const [batch, count] = points.shape;
	const half = n / 2;
	const factors = (shift: number) =>
		Array.from({ length: n }, (_, i) => {
			const k = i > half ? i - n : i;
			const angle = (2 * Math.PI * k * shift) / n;
			return [Math.cos(angle), k === half ? 0 : Math.sin(angle)];
		});
	const out = nd([batch, half + 1, n, 2], () => 0);
	for (let point = 0; point < batch * count; point++) {
		const weight = points.data[3 * point + 2];
		const fx = factors(points.data[3 * point]);
		const fy = factors(points.data[3 * point + 1]);
		let at = Math.floor(point / count) * (half + 1) * 2 * n;
		for (let ky = 0; ky <= half; ky++)
			for (let kx = 0; kx < n; kx++, at += 2) {
				out.data[at] +=
					weight * (fx[kx][0] * fy[ky][0] - fx[kx][1] * fy[ky][1]);
				out.data[at + 1] +=
					weight * (fx[kx][0] * fy[ky][1] + fx[kx][1] * fy[ky][0]);
			}
	}
	return out;
}
