/** One kind as two: by what its scatterers have that their common kernel has not. */
import type { Completed } from "./look.ts";

/** Angstrom about scatterers that are compared. */
const NEAR = 28;
/** Rounds of the power iteration. */
const ROUNDS = 60;

/**
 * For each scatterer of a kind whether it is of the second half: by the sign of the first principal component of what the model leaves around them, cut where two means fit best.
 */
export function halves({ map, rest }: Completed, kind: number): boolean[] {
	const { nx, ny, weights, pixel } = map;
	const reach = Math.max(3, Math.round(NEAR / pixel));
	const own = map.sites.filter((site) => site.kind === kind);
	const patches = own.map(({ x, y }) => {
		const [px, py] = [Math.round(x), Math.round(y)];
		const out = new Float64Array((2 * reach + 1) ** 2);
		let q = 0;
		for (let i = px - reach; i <= px + reach; i++)
			for (let j = py - reach; j <= py + reach; j++, q++)
				if (i >= 0 && j >= 0 && i < nx && j < ny)
					out[q] = weights[i * ny + j] * rest[i * ny + j];
		return out;
	});
	const scores = firstComponent(patches);
	const cut = twoMeans(scores);
	return Array.from(scores, (v) => v > cut);
}

/** Each row's part of the first principal component. */
function firstComponent(rows: readonly Float64Array[]): Float64Array {
	const n = rows.length;
	const gram = rows.map((a) =>
		Float64Array.from(rows, (b) => a.reduce((sum, v, i) => sum + v * b[i], 0)),
	);
	let v: Float64Array = Float64Array.from(
		{ length: n },
		(_, i) => Math.cos(2.4 * i * i) + 0.1,
	);
	for (let round = 0; round < ROUNDS; round++) {
		const next = Float64Array.from(gram, (row) =>
			row.reduce((sum, w, i) => sum + w * v[i], 0),
		);
		const norm = Math.sqrt(next.reduce((sum, w) => sum + w * w, 0)) || 1;
		v = next.map((w) => w / norm);
	}
	return v;
}

/** Where two means are apart most. */
function twoMeans(values: Float64Array): number {
	const sorted = values.slice().sort();
	const total = sorted.reduce((sum, v) => sum + v, 0);
	const n = sorted.length;
	let [best, cut, low] = [-1, 0, 0];
	for (let k = 1; k < n; k++) {
		low += sorted[k - 1];
		const between = low ** 2 / k + (total - low) ** 2 / (n - k);
		if (between <= best) continue;
		best = between;
		cut = (sorted[k - 1] + sorted[k]) / 2;
	}
	return cut;
}
