/** Step edges: where they run. On the coarse scan, whose blocks are narrower than ripples. */
import { parts } from "./areas.ts";
import { type Coarse, columnsOf, robustFit } from "./polynomials.ts";
import { median, robustSigma } from "./scan.ts";
import { part, type Steps } from "./terraces.ts";

/** Reach of the means on either side of a place, Angstrom, the closer first; blocks at least. */
const SIDE = { reaches: [12, 24], least: 2 };
/** An edge is a line where these differ by so many robust sigmas; it goes on where they differ by the highest of the others at which it parts terraces. */
const EDGE = { sigmas: 6, goesOn: [4, 3, 2.5, 2] };
/** Share of the scan's shorter side that an edge is long. */
const LENGTH = 0.35;
/** Lag of the differences that the background is found from before the terraces are known, share of the side. */
const LAG = 1 / 16;

/**
 * Finds the edges that part a scan into terraces.
 *
 * A background of fourth order goes first, fitted to differences between places a 16th of the side apart: steps are few among those, and do not bend it. Then at
 * every place the means of the blocks on its two sides are compared, along x and y: over some 12 A, or 24, ripples, adatoms and noise cancel for the most part, a step does
 * not. Lines of large differences part the scan; what they part are terraces where the two sides differ by three sigmas, of one sign all along.
 * @returns undefined when there is none
 */
export function findSteps(coarse: Coarse): Steps | undefined {
	const flat = withoutBackground(coarse);
	for (const reach of SIDE.reaches) {
		const jump = jumps(flat, reach, coarse);
		const middle = median(jump);
		const sigma = robustSigma(jump);
		if (!(sigma > 0)) return undefined;
		for (const goesOn of EDGE.goesOn) {
			const [low, high] = [goesOn, EDGE.sigmas].map((k) => middle + k * sigma);
			const edge = longLines(jump, low, high, coarse);
			const found = edge && part(flat, edge, coarse);
			if (found) return found;
		}
	}
	return undefined;
}

/** The connected places above `low` that reach `high` somewhere and are long; undefined when there are none. */
function longLines(
	jump: Float64Array,
	low: number,
	high: number,
	coarse: Coarse,
): Uint8Array | undefined {
	const { nx, ny, spacing } = coarse;
	const band = Uint8Array.from(jump, (g) => (g > low ? 1 : 0));
	const { labels, sizes } = parts(band, coarse);
	const box = sizes.map(() => [nx, -1, ny, -1]);
	const clear = new Set<number>();
	labels.forEach((label, p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		const [x0, x1, y0, y1] = box[label];
		box[label] = [
			Math.min(x0, ix),
			Math.max(x1, ix),
			Math.min(y0, iy),
			Math.max(y1, iy),
		];
		if (jump[p] > high) clear.add(label);
	});
	const shorter = Math.min(nx * spacing.x, ny * spacing.y);
	const long = box.map(
		([x0, x1, y0, y1], label) =>
			label > 0 &&
			clear.has(label) &&
			Math.max((x1 - x0 + 1) * spacing.x, (y1 - y0 + 1) * spacing.y) >=
				LENGTH * shorter,
	);
	return long.some(Boolean)
		? Uint8Array.from(labels, (label) => (long[label] ? 1 : 0))
		: undefined;
}

/** The coarse scan less a polynomial of fourth order that was fitted to differences. */
function withoutBackground(coarse: Coarse): Float64Array {
	const { values, nx, ny } = coarse;
	const order = 4;
	const columns = columnsOf(coarse, order).slice(1);
	const [from, to] = [[], []] as [number[], number[]];
	const pair = (a: number, b: number) => {
		from.push(a);
		to.push(b);
	};
	const lag = Math.max(1, Math.round(Math.min(nx, ny) * LAG));
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const p = ix * ny + iy;
			if (ix + lag < nx) pair(p, p + lag * ny);
			if (iy + lag < ny) pair(p, p + lag);
		}
	const differences = (of: Float64Array) => {
		const out = new Float64Array(from.length);
		for (let k = 0; k < out.length; k++) out[k] = of[to[k]] - of[from[k]];
		return out;
	};
	const { coefficients } = robustFit(
		columns.map(differences),
		differences(values),
	);
	const rest = values.slice();
	columns.forEach((column, i) => {
		const c = coefficients[i];
		for (let p = 0; p < rest.length; p++) rest[p] -= c * column[p];
	});
	return rest;
}

/** At each block, how much the means of what lies left and right, or below and above, differ; NaN where one of them is not known. */
function jumps(
	flat: Float64Array,
	reach: number,
	{ nx, ny, spacing }: Coarse,
): Float64Array {
	const [mx, my] = [spacing.x, spacing.y].map((dx) =>
		Math.max(SIDE.least, Math.round(reach / dx)),
	);
	const mean = meansOf(flat, nx, ny);
	return Float64Array.from(flat, (_, p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		const [hx, hy] = [mx >> 1, my >> 1];
		const across =
			mean(ix + 1, ix + mx, iy - hy, iy + hy) -
			mean(ix - mx, ix - 1, iy - hy, iy + hy);
		const along =
			mean(ix - hx, ix + hx, iy + 1, iy + my) -
			mean(ix - hx, ix + hx, iy - my, iy - 1);
		// At the scan's edges only one of them is there.
		if (Number.isNaN(across)) return Math.abs(along);
		return Number.isNaN(along) ? Math.abs(across) : Math.hypot(across, along);
	});
}

/** Means over rectangles of blocks (inclusive, cut at the scan's edges), of those that are known: NaN where none is. */
function meansOf(values: Float64Array, nx: number, ny: number) {
	const width = ny + 1;
	const [sums, counts] = [0, 0].map(() => new Float64Array((nx + 1) * width));
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const v = values[ix * ny + iy];
			const to = (ix + 1) * width + iy + 1;
			const rest = (of: Float64Array) =>
				of[to - 1] + of[to - width] - of[to - width - 1];
			sums[to] = rest(sums) + (Number.isNaN(v) ? 0 : v);
			counts[to] = rest(counts) + (Number.isNaN(v) ? 0 : 1);
		}
	return (x0: number, x1: number, y0: number, y1: number) => {
		const [a, b] = [Math.max(0, x0), Math.min(nx, x1 + 1)];
		const [c, d] = [Math.max(0, y0), Math.min(ny, y1 + 1)];
		if (a >= b || c >= d) return Number.NaN;
		const over = (of: Float64Array) =>
			of[b * width + d] -
			of[a * width + d] -
			of[b * width + c] +
			of[a * width + c];
		return over(sums) / over(counts);
	};
}
