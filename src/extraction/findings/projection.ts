/** Transforms of a kernel along directions: of the pixels ahead ("outgoing") or of all. */
import { hann } from "./radial.ts";

/** Pixels, and the window that is put on them. */
export interface Grid {
	readonly n: number;
	readonly spacing: number;
	readonly reach: number;
	readonly outgoing: boolean;
}

/**
 * The pixels that a direction sees: their numbers, weights and lags along the direction. A transform along the direction is that of the sums over each lag, so that the pixels are first spread
 * onto a line, a quarter of a pixel fine, each by the four weights of a cubic B-spline.
 */
export interface View {
	readonly pixel: Int32Array;
	readonly weight: Float64Array;
	readonly lag: Float64Array;
	readonly bin: Int32Array;
	readonly taps: Float64Array;
}

/** Points of the line a pixel, and those beyond the last lag that a spline reaches. */
const [FINE, MARGIN] = [4, 2];

/** Views and tables of the last grids: the kernels of a stack are all looked at alike. */
const seen = new Map<
	string,
	{ views: Map<number, View>; tables: Map<number, Table> }
>();
/** How many grids, and how many views of one. */
const [GRIDS, VIEWS] = [6, 128];

function seenOf({ n, spacing, reach, outgoing }: Grid) {
	const name = [n, spacing, reach, outgoing].join();
	let known = seen.get(name);
	if (!known) {
		const [oldest] = seen.keys();
		if (seen.size >= GRIDS) seen.delete(oldest);
		known = { views: new Map(), tables: new Map() };
		seen.set(name, known);
	}
	return known;
}

export function view(grid: Grid, angle: number): View {
	const { views } = seenOf(grid);
	const found = views.get(angle) ?? viewOf(grid, angle);
	if (views.size < VIEWS) views.set(angle, found);
	return found;
}

function viewOf({ n, spacing, reach, outgoing }: Grid, angle: number): View {
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	const size = n * n;
	const [pixel, bin] = [new Int32Array(size), new Int32Array(size)];
	const [weight, lag] = [new Float64Array(size), new Float64Array(size)];
	const taps = new Float64Array(4 * size);
	const zero = FINE * Math.ceil(reach / spacing) + MARGIN;
	let p = 0;
	for (let i = 0; i < n; i++)
		for (let j = 0; j < n; j++) {
			const x = (i - (n - 1) / 2) * spacing;
			const y = (j - (n - 1) / 2) * spacing;
			const r = Math.sqrt(x * x + y * y);
			const t = c * x + s * y;
			if (r >= reach || (outgoing && t <= 0)) continue;
			// the squared cosine lets the half plane begin softly, at right angles to the direction
			const w =
				(outgoing
					? (Math.sin((Math.PI * r) / reach) * (t / r)) ** 2
					: hann(r, reach)) *
				spacing ** 2;
			const at = (FINE * t) / spacing + zero;
			const floor = Math.floor(at);
			const f = at - floor;
			const g = 1 - f;
			pixel[p] = i * n + j;
			lag[p] = t;
			weight[p] = w;
			bin[p] = floor - 1;
			taps[4 * p] = (w * g ** 3) / 6;
			taps[4 * p + 1] = w * (2 / 3 - f * f + f ** 3 / 2);
			taps[4 * p + 2] = w * (2 / 3 - g * g + g ** 3 / 2);
			taps[4 * p + 3] = (w * f ** 3) / 6;
			p++;
		}
	return {
		pixel: pixel.subarray(0, p),
		weight: weight.subarray(0, p),
		lag: lag.subarray(0, p),
		bin: bin.subarray(0, p),
		taps: taps.subarray(0, 4 * p),
	};
}

/** exp(-i q lag) of the line's points, [point][q], over the spline's own transform. */
export interface Table {
	readonly points: number;
	readonly re: Float64Array;
	readonly im: Float64Array;
}

/** @param q evenly from 0, as many as the grid always has */
export function tableOf(grid: Grid, q: Float64Array): Table {
	const { tables } = seenOf(grid);
	const found = tables.get(q.length) ?? newTable(grid, q);
	tables.set(q.length, found);
	return found;
}

function newTable({ spacing, reach }: Grid, q: Float64Array): Table {
	const half = FINE * Math.ceil(reach / spacing) + MARGIN;
	const points = 2 * half + 1;
	const re = new Float64Array(points * q.length);
	const im = new Float64Array(points * q.length);
	for (let k = 0; k < q.length; k++) {
		const x = (q[k] * spacing) / FINE / 2;
		const spline = x > 0 ? (Math.sin(x) / x) ** 4 : 1;
		for (let b = 0; b < points; b++) {
			const phase = 2 * x * (b - half);
			re[b * q.length + k] = Math.cos(phase) / spline;
			im[b * q.length + k] = -Math.sin(phase) / spline;
		}
	}
	return { points, re, im };
}

export interface Transform {
	readonly re: Float64Array;
	readonly im: Float64Array;
}

/** sum_p weight_p kernel_p exp(-i q lag_p) for each q. */
export function transform(
	kernel: ArrayLike<number>,
	{ pixel, bin, taps }: View,
	table: Table,
): Transform {
	const line = new Float64Array(table.points);
	for (let p = 0; p < pixel.length; p++) {
		const value = kernel[pixel[p]];
		for (let t = 0; t < 4; t++) line[bin[p] + t] += value * taps[4 * p + t];
	}
	const m = table.re.length / table.points;
	const re = new Float64Array(m);
	const im = new Float64Array(m);
	for (let b = 0; b < table.points; b++) {
		const value = line[b];
		if (value === 0) continue;
		for (let k = 0, at = b * m; k < m; k++, at++) {
			re[k] += value * table.re[at];
			im[k] += value * table.im[at];
		}
	}
	return { re, im };
}
