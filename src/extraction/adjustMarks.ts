/** Places and amplitudes of scatterers on a map, from a given kernel. */
import { cholesky, choleskySolve, inverseDiagonal } from "../qpi/cholesky.ts";
import { HALF, taps } from "../qpi/interpolate.ts";
import type { Site } from "../qpi/mapOperator.ts";

/** A map without its scatterers' patterns, and the kernels. */
export interface Explained {
	readonly nx: number;
	readonly ny: number;
	/** Map less background less model, [nx][ny]. */
	readonly rest: Float64Array;
	/** What each pixel counts. */
	readonly weights: ArrayLike<number>;
	/** [kinds][size][size], size odd. */
	readonly kernels: Float64Array;
	readonly size: number;
	/** Noise of a pixel of weight 1, one standard deviation. */
	readonly sigma: number;
}

/** What is expected of marks before the map is looked at, one standard deviation. */
export interface MarkPrior {
	/** Relative. */
	readonly amplitude: number;
	/** Pixels. */
	readonly shift: number;
}

export interface AdjustedSites {
	readonly sites: readonly Required<Site>[];
	/** Of each site as it was found: standard deviations of its amplitude and place (pixels, along x and y), the kernel taken as known. */
	readonly errors: readonly {
		readonly weight: number;
		readonly x: number;
		readonly y: number;
	}[];
	/** Of each site, the amplitude that the map alone asks for, whatever was expected of it, and that over its standard deviation. */
	readonly amplitudes: Float64Array;
	readonly significances: Float64Array;
	/** By how much the logarithm of the evidence would grow if the kernel stayed as it is; negative where the map asks for no change. */
	readonly promise: number;
	/**
	 * Logarithm of what the adjustment costs in evidence (negative): how unlikely the changes were beforehand, and how much of what
	 * was thought possible the map rules out (Laplace's approximation; MacKay, Neural Comput. 4, 415 (1992)).
	 */
	readonly occam: number;
}

/** Pixels about a site that are looked at, at most: where its kernel is strongest. */
const PATCH = 14;
/** Steps of the numerical derivative, pixels. */
const STEP = 0.25;

/**
 * One Gauss-Newton step for the amplitudes and places of all sites together, with normal priors about the marks. The mean amplitude of each kind stays (it is the kernel's own).
 * Each site is seen on a patch about it, so that the price grows with the number of neighbours and not with the map.
 *
 * @param marks where and how strong the sites were thought to be at first: what the priors are about
 */
export function adjustSites(
	map: Explained,
	sites: readonly Required<Site>[],
	marks: readonly Required<Site>[],
	prior: MarkPrior,
): AdjustedSites {
	const reach = Math.min(PATCH, (map.size - 1) / 2);
	const patches = sites.map((site) => patchOf(map, site, reach));
	const n = 3 * sites.length;
	const scales = (j: number) => [
		prior.amplitude * Math.abs(marks[j].weight || 1),
		prior.shift,
		prior.shift,
	];
	const normal = new Float64Array(n * n);
	const right = new Float64Array(n);
	const side = 2 * reach + 1;
	for (const [j, a] of patches.entries())
		for (let i = 0; i <= j; i++) {
			const b = patches[i];
			const [dx, dy] = [a.x - b.x, a.y - b.y];
			if (Math.abs(dx) >= side || Math.abs(dy) >= side) continue;
			overlaps(map, a, b, reach, (p, q, value) => {
				normal[(3 * j + p) * n + 3 * i + q] = value / map.sigma ** 2;
			});
		}
	const bare = new Float64Array(sites.length);
	for (const [j, patch] of patches.entries()) {
		const toward = project(map, patch, reach);
		bare[j] = toward[0] / map.sigma ** 2;
		const [mark, site] = [marks[j], sites[j]];
		const away = [site.weight - mark.weight, site.x - mark.x, site.y - mark.y];
		scales(j).forEach((scale, p) => {
			right[3 * j + p] = toward[p] / map.sigma ** 2 - away[p] / scale ** 2;
		});
	}
	const { amplitudes, significances } = free(normal, bare, sites, scales);
	// in units of the priors' deviations
	const unit = Float64Array.from(
		{ length: n },
		(_, a) => scales(Math.floor(a / 3))[a % 3],
	);
	for (let a = 0; a < n; a++) {
		right[a] *= unit[a];
		for (let b = 0; b <= a; b++) normal[a * n + b] *= unit[a] * unit[b];
		normal[a * n + a] += 1;
	}
	const root = cholesky(normal, n);
	const change = choleskySolve(root, n, right);
	const spread = inverseDiagonal(root, n).map((v, a) => Math.sqrt(v) * unit[a]);
	let [logdet, gain] = [0, 0];
	for (let a = 0; a < n; a++) {
		logdet += 2 * Math.log(root[a * n + a]);
		gain += right[a] * change[a];
	}
	const step = (a: number) => unit[a] * change[a];
	const moved = sites.map((site, j) => ({
		...site,
		weight: plausible(site.weight + step(3 * j), marks[j].weight),
		x: site.x + within(step(3 * j + 1), prior.shift),
		y: site.y + within(step(3 * j + 2), prior.shift),
	}));
	const scaled = keepMean(moved, marks);
	let unlikely = 0;
	scaled.forEach((site, j) => {
		const [amplitude, shift] = scales(j);
		const mark = marks[j];
		unlikely +=
			((site.weight - mark.weight) / amplitude) ** 2 +
			((site.x - mark.x) ** 2 + (site.y - mark.y) ** 2) / shift ** 2;
	});
	return {
		sites: scaled,
		errors: sites.map((_, j) => ({
			weight: spread[3 * j],
			x: spread[3 * j + 1],
			y: spread[3 * j + 2],
		})),
		amplitudes,
		significances,
		promise: (gain - logdet) / 2,
		occam: -(unlikely + logdet) / 2,
	};
}

/** Amplitudes by least squares over their standard deviations, places held: what the map says of each when nothing was expected. */
function free(
	normal: Float64Array,
	toward: Float64Array,
	sites: readonly Required<Site>[],
	scales: (j: number) => number[],
): Pick<AdjustedSites, "amplitudes" | "significances"> {
	const n = 3 * sites.length;
	const m = sites.length;
	const gram = new Float64Array(m * m);
	for (let j = 0; j < m; j++) {
		for (let i = 0; i <= j; i++) gram[j * m + i] = normal[3 * j * n + 3 * i];
		// a pattern that no pixel sees has no amplitude: it stays as it is
		gram[j * m + j] += 1e-6 / scales(j)[0] ** 2;
	}
	const root = cholesky(gram, m);
	const change = choleskySolve(root, m, toward);
	const variance = inverseDiagonal(root, m);
	const amplitudes = change.map((v, j) => sites[j].weight + v);
	return {
		amplitudes,
		significances: amplitudes.map((v, j) => v / Math.sqrt(variance[j])),
	};
}

/** No amplitude is believed to be off by more than a factor of two: where a scatterer's centre is not seen, a little noise would say anything. */
function plausible(weight: number, mark: number): number {
	if (mark === 0) return 0;
	return mark * Math.max(0.5, Math.min(2, weight / mark));
}

/** A Gauss-Newton step trusts its slopes no further than two deviations. */
function within(shift: number, deviation: number): number {
	return Math.max(-2 * deviation, Math.min(2 * deviation, shift));
}

function keepMean(
	moved: readonly Required<Site>[],
	marks: readonly Required<Site>[],
): Required<Site>[] {
	const sums = (list: readonly Required<Site>[]) => {
		const sum = new Map<number, number>();
		for (const { kind, weight } of list)
			sum.set(kind, (sum.get(kind) ?? 0) + weight);
		return sum;
	};
	const [now, before] = [sums(moved), sums(marks)];
	return moved.map((site) => {
		const ratio = (before.get(site.kind) ?? 1) / (now.get(site.kind) ?? 1);
		return { ...site, weight: ratio > 0 ? site.weight * ratio : site.weight };
	});
}

/** How the map changes with a site's amplitude, x and y, on the pixels about (x, y). */
interface Patch {
	readonly x: number;
	readonly y: number;
	/** Three arrays of (2 reach + 1)^2. */
	readonly columns: readonly [Float64Array, Float64Array, Float64Array];
}

function patchOf(
	{ kernels, size }: Explained,
	{ x, y, weight, kind }: Required<Site>,
	reach: number,
): Patch {
	const kernel = kernels.subarray(kind * size ** 2, (kind + 1) * size ** 2);
	const [px, py] = [Math.round(x), Math.round(y)];
	const at = (dx: number, dy: number) =>
		shifted(kernel, size, px - x - dx, py - y - dy, reach);
	const along = (dx: number, dy: number) => {
		const [ahead, behind] = [at(dx, dy), at(-dx, -dy)];
		return ahead.map((v, i) => (weight * (v - behind[i])) / (2 * STEP));
	};
	return {
		x: px,
		y: py,
		columns: [at(0, 0), along(STEP, 0), along(0, STEP)],
	};
}

/** The kernel at lags (i - reach + dx, j - reach + dy) of its middle; zero outside it. */
function shifted(
	kernel: Float64Array,
	size: number,
	dx: number,
	dy: number,
	reach: number,
): Float64Array {
	const side = 2 * reach + 1;
	const middle = (size - 1) / 2;
	const tx = taps(dx - Math.floor(dx));
	const ty = taps(dy - Math.floor(dy));
	const x0 = middle - reach + Math.floor(dx) + tx.first;
	const y0 = middle - reach + Math.floor(dy) + ty.first;
	const rows = side + 2 * HALF;
	const half = new Float64Array(rows * side);
	for (let i = 0; i < rows; i++) {
		const u = x0 + i;
		if (u < 0 || u >= size) continue;
		for (let j = 0; j < side; j++) {
			let sum = 0;
			for (let q = 0; q < 2 * HALF; q++) {
				const v = y0 + j + q;
				if (v >= 0 && v < size) sum += ty.weights[q] * kernel[u * size + v];
			}
			half[i * side + j] = sum;
		}
	}
	const out = new Float64Array(side * side);
	for (let p = 0; p < 2 * HALF; p++) {
		const w = tx.weights[p];
		for (let i = 0; i < side; i++)
			for (let j = 0; j < side; j++)
				out[i * side + j] += w * half[(i + p) * side + j];
	}
	return out;
}

/** Weighted products of two patches' columns over the pixels that they share. */
function overlaps(
	{ nx, ny, weights }: Explained,
	a: Patch,
	b: Patch,
	reach: number,
	tell: (p: number, q: number, value: number) => void,
): void {
	const side = 2 * reach + 1;
	const sums = new Float64Array(9);
	const [x0, x1] = [Math.max(a.x, b.x) - reach, Math.min(a.x, b.x) + reach];
	const [y0, y1] = [Math.max(a.y, b.y) - reach, Math.min(a.y, b.y) + reach];
	const [a0, a1, a2] = a.columns;
	const [b0, b1, b2] = b.columns;
	for (let x = Math.max(0, x0); x <= Math.min(nx - 1, x1); x++)
		for (let y = Math.max(0, y0); y <= Math.min(ny - 1, y1); y++) {
			const w = weights[x * ny + y];
			if (!(w > 0)) continue;
			const i = (x - a.x + reach) * side + y - a.y + reach;
			const j = (x - b.x + reach) * side + y - b.y + reach;
			const [u0, u1, u2] = [w * a0[i], w * a1[i], w * a2[i]];
			const [v0, v1, v2] = [b0[j], b1[j], b2[j]];
			sums[0] += u0 * v0;
			sums[1] += u0 * v1;
			sums[2] += u0 * v2;
			sums[3] += u1 * v0;
			sums[4] += u1 * v1;
			sums[5] += u1 * v2;
			sums[6] += u2 * v0;
			sums[7] += u2 * v1;
			sums[8] += u2 * v2;
		}
	sums.forEach((value, k) => {
		tell(Math.floor(k / 3), k % 3, value);
	});
}

/** Weighted products of a patch's columns with the residual. */
function project(
	{ nx, ny, weights, rest }: Explained,
	{ x: px, y: py, columns }: Patch,
	reach: number,
): number[] {
	const side = 2 * reach + 1;
	const out = [0, 0, 0];
	for (let x = Math.max(0, px - reach); x <= Math.min(nx - 1, px + reach); x++)
		for (
			let y = Math.max(0, py - reach);
			y <= Math.min(ny - 1, py + reach);
			y++
		) {
			const v = weights[x * ny + y] * rest[x * ny + y];
			if (v === 0) continue;
			const i = (x - px + reach) * side + y - py + reach;
			for (let p = 0; p < 3; p++) out[p] += columns[p][i] * v;
		}
	return out;
}
