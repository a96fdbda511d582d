/** Step edges: where they run, and which terraces lie between them. On the coarse scan, whose blocks are narrower than ripples. */
import { distances, parts } from "./areas.ts";
import type { Background, Terraces } from "./background.ts";
import { type Coarse, columnsOf, robustFit } from "./polynomials.ts";
import { median, robustSigma, type Scan, spread } from "./scan.ts";

/** Reach of the means on either side of a place, Angstrom, the closer first; blocks at least. */
const SIDE = { reaches: [12, 24], least: 2 };
/** An edge is a line where these differ by so many robust sigmas; it goes on where they differ by the least of the others at which it parts terraces. */
const EDGE = { sigmas: 6, goesOn: [4, 3, 2.5, 2] };
/** Angstrom on either side of an edge that do not count. */
const MARGIN = 12;
/** Shares of the scan's shorter side that an edge is long, and that a terrace runs along the scan's frame: what lies within is a cluster. And of its area. */
const LEAST = { length: 0.35, frame: 0.1, area: 0.03 };
/** A step is higher than so many robust sigmas of the terraces, and of the same sign along this share of its length. */
const STEP = { sigmas: 3, same: 0.8 };
/** Terraces are seen over so many Angstrom beside an edge. */
const RIM = 20;
/** Lag of the differences that the background is found from before the terraces are known, share of the side. */
const LAG = 1 / 16;

export interface Steps extends Terraces {
	/** As labels, but on the edges the nearest terrace. */
	readonly owner: Int32Array;
	/** Heights of the steps between terraces that touch, as they lie side by side. */
	readonly heights: readonly number[];
}

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
				LEAST.length * shorter,
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
	const pairs: [number, number][] = [];
	const lag = Math.max(1, Math.round(Math.min(nx, ny) * LAG));
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const p = ix * ny + iy;
			if (ix + lag < nx) pairs.push([p, p + lag * ny]);
			if (iy + lag < ny) pairs.push([p, p + lag]);
		}
	const differences = (of: Float64Array) =>
		Float64Array.from(pairs, ([a, b]) => of[b] - of[a]);
	const { coefficients } = robustFit(
		columns.map(differences),
		differences(values),
	);
	return values.map((v, p) =>
		columns.reduce((rest, column, i) => rest - coefficients[i] * column[p], v),
	);
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

/** The terraces that edges part, where they differ. */
function part(
	flat: Float64Array,
	edge: Uint8Array,
	coarse: Coarse,
): Steps | undefined {
	const { nx, ny } = coarse;
	const between = flat.map((v, p) => (edge[p] || Number.isNaN(v) ? 0 : 1));
	const { labels, sizes } = parts(between, coarse);
	const known = between.reduce((sum, v) => sum + v, 0);
	const frame = sizes.map(() => 0);
	labels.forEach((label, p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		if (ix === 0 || iy === 0 || ix === nx - 1 || iy === ny - 1) frame[label]++;
	});
	const large = [...sizes.keys()].filter(
		(k) =>
			k > 0 &&
			sizes[k] >= LEAST.area * known &&
			frame[k] >= LEAST.frame * Math.min(nx, ny),
	);
	if (large.length < 2) return undefined;
	// Each block's distance to each terrace, and the nearest.
	const away = large.map((k) =>
		distances(
			labels.map((label) => (label === k ? 1 : 0)),
			coarse,
		),
	);
	const nearest = Int32Array.from(flat, (_, p) =>
		away.reduce((best, d, k) => (d[p] < away[best][p] ? k : best), 0),
	);
	const sigma = Math.min(
		...large.map((k) => spread(flat.filter((_, p) => labels[p] === k))),
	);
	// Terraces that touch without a step are one.
	const joined = large.map((_, k) => k);
	const find = (k: number): number => (joined[k] === k ? k : find(joined[k]));
	const real = new Uint8Array(edge.length);
	const heights: number[] = [];
	large.forEach((_, a) => {
		for (let b = a + 1; b < large.length; b++) {
			const border = borderOf(nearest, a, b, nx, ny);
			if (border.length === 0) continue;
			const step = stepAlong(
				flat,
				labels,
				[large[a], large[b]],
				border,
				coarse,
			);
			if (
				!(Math.abs(step.height) > STEP.sigmas * sigma && step.same > STEP.same)
			) {
				joined[find(b)] = find(a);
				continue;
			}
			heights.push(Math.abs(step.height));
			for (const p of border) real[p] = 1;
		}
	});
	const roots = [...new Set(joined.map((_, k) => find(k)))];
	if (roots.length < 2) return undefined;
	const far = distances(real, coarse);
	const owner = nearest.map((k) => roots.indexOf(find(k)));
	return {
		labels: owner.map((k, p) => (far[p] <= MARGIN ? -1 : k)),
		owner,
		count: roots.length,
		heights,
	};
}

/** Blocks of one terrace that have a neighbour of the other. */
function borderOf(
	nearest: Int32Array,
	a: number,
	b: number,
	nx: number,
	ny: number,
): number[] {
	const border: number[] = [];
	const touch = (p: number, q: number) => {
		if (nearest[p] === a && nearest[q] === b) border.push(p, q);
		else if (nearest[p] === b && nearest[q] === a) border.push(p, q);
	};
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const p = ix * ny + iy;
			if (iy + 1 < ny) touch(p, p + 1);
			if (ix + 1 < nx) touch(p, p + ny);
		}
	return [...new Set(border)];
}

/** The median of what the second terrace lies above the first beside their border, and the share of its length with that sign. */
function stepAlong(
	flat: Float64Array,
	labels: Int32Array,
	[a, b]: readonly [number, number],
	border: readonly number[],
	{ nx, ny, spacing }: Coarse,
): { height: number; same: number } {
	const reach = (dx: number) => Math.max(3, Math.ceil((MARGIN + RIM) / dx));
	const [mx, my] = [reach(spacing.x), reach(spacing.y)];
	const differences = border.map((p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		const sides = [a, b].map((label) => {
			let [sum, count] = [0, 0];
			for (let jx = Math.max(0, ix - mx); jx <= Math.min(nx - 1, ix + mx); jx++)
				for (
					let jy = Math.max(0, iy - my);
					jy <= Math.min(ny - 1, iy + my);
					jy++
				)
					if (labels[jx * ny + jy] === label) {
						sum += flat[jx * ny + jy];
						count++;
					}
			return sum / count;
		});
		return sides[1] - sides[0];
	});
	const seen = differences.filter((d) => !Number.isNaN(d));
	const height = median(seen);
	const same = seen.filter((d) => d * height > 0).length / seen.length;
	return { height, same };
}

/** A difference that is left between terraces that touch, robust sigmas: more is not aligned. */
const LEFT = 1.5;

/** Brings the terraces to the level of the largest. Of two that do not meet afterwards (one has a tilt of its own) the smaller is masked. */
export function alignSteps(
	scan: Scan,
	coarse: Coarse,
	steps: Steps,
	{ levels, coefficients, order, sigma }: Background,
): { scan: Scan; area: Uint8Array; note: string } {
	const { nx, ny, factor } = coarse;
	const { owner, labels, count, heights } = steps;
	const under = columnsOf(coarse, order);
	const flat = coarse.values.map(
		(v, p) =>
			v -
			levels[owner[p]] -
			under.reduce((sum, column, i) => sum + coefficients[i] * column[p], 0),
	);
	const sizes = levels.map((_, k) => labels.filter((l) => l === k).length);
	const lost = new Set<number>();
	for (let a = 0; a < count; a++)
		for (let b = a + 1; b < count; b++) {
			const border = borderOf(owner, a, b, nx, ny);
			if (border.length === 0) continue;
			const { height } = stepAlong(flat, labels, [a, b], border, coarse);
			if (Math.abs(height) > LEFT * sigma)
				lost.add(sizes[a] < sizes[b] ? a : b);
		}
	const block = (p: number) =>
		Math.floor(Math.floor(p / scan.ny) / factor.x) * ny +
		Math.floor((p % scan.ny) / factor.y);
	const area = Uint8Array.from(scan.image, (_, p) => {
		const k = labels[block(p)];
		return k < 0 || lost.has(k) ? 1 : 0;
	});
	const told = [...heights]
		.sort((a, b) => b - a)
		.map((h) => Number(h.toPrecision(3)));
	return {
		scan: {
			...scan,
			image: scan.image.map((v, p) => v - levels[owner[block(p)]]),
		},
		area,
		note: `${count} terraces, step${told.length === 1 ? "" : "s"} of ${told.join(", ")}, brought to one level${lost.size > 0 ? `, but for ${lost.size} that do not fit and are masked` : ""}; edges masked`,
	};
}
