/** A lattice's waves taken out of a scan. */
import type { Scan } from "../scan/scan.ts";
import { length, type Pair, type Vector } from "./lattice.ts";
import { lockIn, withoutSlow } from "./lockIn.ts";
import { atPixels, nodesOf } from "./nodes.ts";
import { within } from "./strain.ts";

/** Reciprocal lattice vectors that the pixels can show, one of q and -q, the shortest first: (h, k) with |h|, |k| <= `most`. */
export function vectorsWithin(
	[p, q]: Pair,
	spacing: { readonly x: number; readonly y: number },
	most = 4,
): (Vector & { readonly h: number; readonly k: number })[] {
	const out: (Vector & { h: number; k: number })[] = [];
	for (let h = 0; h <= most; h++)
		for (let k = -most; k <= most; k++) {
			if (h === 0 && k <= 0) continue;
			const g = { x: h * p.x + k * q.x, y: h * p.y + k * q.y, h, k };
			if (within(g, spacing)) out.push(g);
		}
	return out.sort((a, b) => length(a) - length(b));
}

export interface Notch {
	/** Centres, 1/Angstrom; -q goes with q. */
	readonly vectors: readonly Vector[];
	/** 1/Angstrom about each centre at which half of a wave is left. */
	readonly width: number;
}

/** exp(-1/2 (q sigma)^2) = 1/2. */
const HALF = Math.sqrt(2 * Math.LN2);

/**
 * The scan without what lies near the notch's wave vectors: of a wave at distance k from one of them 1 - 2^-(k/width)^2 is left. Means near edges and gaps are over what counts,
 * so that the lattice goes there too.
 */
export function notched(
	scan: Scan,
	counts: ArrayLike<number>,
	{ vectors, width }: Notch,
): Scan {
	const sigma = HALF / width;
	const { nx, ny, spacing } = scan;
	const image = Float64Array.from(scan.image);
	for (const q of vectors) {
		const now = { ...scan, image: Float32Array.from(image) };
		const fast = withoutSlow(now, counts, (2 * Math.PI) / length(q));
		const nodes = nodesOf(scan, sigma / 2);
		const { amplitude, phase } = lockIn(fast, counts, scan, nodes, {
			q,
			sigma,
		});
		const [re, im] = [Math.cos, Math.sin].map((of) =>
			atPixels(
				amplitude.map((a, p) => a * of(phase[p])),
				nodes,
				scan,
			),
		);
		for (let ix = 0; ix < nx; ix++)
			for (let iy = 0; iy < ny; iy++) {
				const p = ix * ny + iy;
				const angle =
					q.x * (ix - (nx - 1) / 2) * spacing.x +
					q.y * (iy - (ny - 1) / 2) * spacing.y;
				image[p] -= re[p] * Math.cos(angle) - im[p] * Math.sin(angle);
			}
	}
	return { ...scan, image: Float32Array.from(image) };
}
