/** Spatial lock-in: amplitude and phase of a plane wave across a scan (Lawler et al., Nature 466, 347 (2010), Supplement). */
import type { Scan } from "../scan/scan.ts";
import type { Vector } from "./lattice.ts";
import { atPixels, gaussianSums, type Nodes, nodesOf } from "./nodes.ts";

/** The image less what is slower than a Gaussian of this standard deviation (Angstrom) passes: 0 where it does not count. Gaps bend nothing, for they have no weight. */
export function withoutSlow(
	scan: Scan,
	counts: ArrayLike<number>,
	sigma: number,
): Float64Array {
	const { image } = scan;
	const nodes = nodesOf(scan, sigma / 2);
	const counted = (p: number) => counts[p] > 0 && Number.isFinite(image[p]);
	let [sum, weight] = [0, 0];
	image.forEach((v, p) => {
		if (counted(p)) [sum, weight] = [sum + v, weight + 1];
	});
	// Heights lie far from zero, and their digits are few.
	const mean = weight > 0 ? sum / weight : 0;
	const values = Float64Array.from(image, (v, p) =>
		counted(p) ? v - mean : 0,
	);
	const weights = Float64Array.from(image, (_, p) => (counted(p) ? 1 : 0));
	const [sums, norm] = gaussianSums([values, weights], scan, nodes, sigma);
	const slow = atPixels(
		sums.map((s, p) => (norm[p] > 1e-9 ? s / norm[p] : 0)),
		nodes,
		scan,
	);
	return values.map((v, p) => (weights[p] ? v - slow[p] : 0));
}

/** A wave's amplitude and phase at each node. */
export interface LockIn {
	readonly amplitude: Float64Array;
	/** Radians, -pi to pi: the image goes as cos(q . r + given phase + this one). */
	readonly phase: Float64Array;
	/** The share of the Gaussian that counts, 0 to 1: beside an edge 1/2. */
	readonly coverage: Float64Array;
}

/**
 * @param fast an image without what is slow, see `withoutSlow`; 0 where it does not count
 * @param q 1/Angstrom
 * @param sigma of the Gaussian mean, Angstrom
 * @param phase of each pixel, added to q . r: what is known already
 */
export function lockIn(
	fast: Float64Array,
	counts: ArrayLike<number>,
	frame: Omit<Scan, "image">,
	nodes: Nodes,
	{ q, sigma, phase }: { q: Vector; sigma: number; phase?: Float64Array },
): LockIn {
	const { nx, ny, spacing } = frame;
	const re = new Float64Array(nx * ny);
	const im = new Float64Array(nx * ny);
	const weights = new Float64Array(nx * ny);
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const p = ix * ny + iy;
			if (!(counts[p] > 0)) continue;
			const angle =
				q.x * (ix - (nx - 1) / 2) * spacing.x +
				q.y * (iy - (ny - 1) / 2) * spacing.y +
				(phase?.[p] ?? 0);
			re[p] = fast[p] * Math.cos(angle);
			im[p] = -fast[p] * Math.sin(angle);
			weights[p] = 1;
		}
	const [a, b, norm] = gaussianSums([re, im, weights], frame, nodes, sigma);
	const full = (2 * Math.PI * sigma ** 2) / (spacing.x * spacing.y);
	return {
		amplitude: a.map((v, p) =>
			norm[p] > 1e-9 ? (2 * Math.hypot(v, b[p])) / norm[p] : 0,
		),
		phase: a.map((v, p) => Math.atan2(b[p], v)),
		coverage: norm.map((n) => Math.min(1, n / full)),
	};
}
