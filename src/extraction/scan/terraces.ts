/** Terraces: which part of a scan belongs to which, and how they come to one level. */
import { minOf } from "../../qpi/maths/extremes.ts";
import { distances, parts } from "./areas.ts";
import type { Background, Terraces } from "./background.ts";
import { type Coarse, columnsOf } from "./polynomials.ts";
import { median, type Scan, spread } from "./scan.ts";
import { percent } from "./told.ts";

/** Angstrom on either side of an edge that do not count. */
const MARGIN = 12;
/** A terrace runs along the scan's frame for this share of its shorter side (what lies within is a cluster), and has this share of its area. */
const LEAST = { frame: 0.1, area: 0.03 };
/** A step is higher than so many robust sigmas of the terraces, and of the same sign along this share of its length. */
const STEP = { sigmas: 3, same: 0.8 };
/** Terraces are seen over so many Angstrom beside an edge. */
const RIM = 20;
/** A difference that is left between terraces that touch, robust sigmas: more is not aligned. */
const LEFT = 1.5;

export interface Steps extends Terraces {
	/** As labels, but on the edges the nearest terrace. */
	readonly owner: Int32Array;
	/** Heights of the steps between terraces that touch, as they lie side by side. */
	readonly heights: readonly number[];
}

/** The terraces that edges part, where they differ; undefined when there are none. @param edge 1 on the lines that part the scan */
export function part(
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
	const sigma = minOf(
		large.map((k) => spread(flat.filter((_, p) => labels[p] === k))),
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
	const share = area.reduce((sum, a) => sum + a, 0) / area.length;
	const told = [...heights]
		.sort((a, b) => b - a)
		.map((h) => Number(h.toPrecision(3)));
	return {
		scan: {
			...scan,
			image: scan.image.map((v, p) => v - levels[owner[block(p)]]),
		},
		area,
		note: `${count} terraces, step${told.length === 1 ? "" : "s"} of ${told.join(", ")}, brought to one level${lost.size > 0 ? `, but for ${lost.size} that do not fit and are masked` : ""}; edges masked, ${percent(share)} of the scan`,
	};
}
