/** How a map asks for its scatterers' amplitudes and places to change, the kernels taken as known. */
import {
	cholesky,
	choleskySolve,
	inverseDiagonal,
} from "../../qpi/maths/cholesky.ts";
import { HALF, taps } from "../../qpi/maths/interpolate.ts";
import type { Site } from "../../qpi/operator/mapOperator.ts";

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
	/** Pixels about a site that are looked at; 14 when not given. */
	readonly reach?: number;
}

/** Pixels about a site that are looked at, at most: where its kernel is strongest. */
const PATCH = 14;
/** Steps of the numerical derivative, pixels. */
const STEP = 0.25;

/**
 * The normal equations of all sites' amplitudes and places: `normal` (3n x 3n, its lower triangle; amplitude, x and y of the first site first) times the change is `toward`, in
 * units of the noise. Each site is seen on a patch about it, so that the price grows with the number of neighbours and not with the map.
 */
export function markEquations(
	map: Explained,
	sites: readonly Required<Site>[],
): { normal: Float64Array; toward: Float64Array } {
	const reach = Math.min(map.reach ?? PATCH, (map.size - 1) / 2);
	const patches = sites.map((site) => patchOf(map, site, reach));
	const n = 3 * sites.length;
	const normal = new Float64Array(n * n);
	const toward = new Float64Array(n);
	const side = 2 * reach + 1;
	for (const [j, a] of patches.entries()) {
		for (let i = 0; i <= j; i++) {
			const b = patches[i];
			const [dx, dy] = [a.x - b.x, a.y - b.y];
			if (Math.abs(dx) >= side || Math.abs(dy) >= side) continue;
			overlaps(map, a, b, reach, (p, q, value) => {
				normal[(3 * j + p) * n + 3 * i + q] = value / map.sigma ** 2;
			});
		}
		project(map, a, reach).forEach((v, p) => {
			toward[3 * j + p] = v / map.sigma ** 2;
		});
	}
	return { normal, toward };
}

/** Amplitudes by least squares over their standard deviations, places held: what the map says of each when nothing was expected. */
export function freeAmplitudes(
	normal: Float64Array,
	toward: Float64Array,
	sites: readonly Required<Site>[],
): { amplitudes: Float64Array; significances: Float64Array } {
	const n = 3 * sites.length;
	const m = sites.length;
	const gram = new Float64Array(m * m);
	for (let j = 0; j < m; j++) {
		for (let i = 0; i <= j; i++) gram[j * m + i] = normal[3 * j * n + 3 * i];
		// a pattern that no pixel sees has no amplitude: it stays as it is
		gram[j * m + j] += 1e-5 / (sites[j].weight || 1) ** 2;
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
		shiftedKernel(kernel, size, px - x - dx, py - y - dy, reach);
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
export function shiftedKernel(
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
