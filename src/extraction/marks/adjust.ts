import { CholeskyDecomposition, Matrix, solve } from "ml-matrix";
import { ForwardOperator, type Position } from "../../qpi/operator/forward.ts";
import type { MeasuredImage } from "../../qpi/posterior/posterior.ts";

/** A scatterer with its relative amplitude. */
export interface Weighted extends Position {
	readonly weight: number;
}

/** What is expected of marks before the image is looked at, one standard deviation. */
const AMPLITUDE = 0.3;
/** Angstrom of the model's frame: half a pixel. */
const SHIFT = 200 / 63;

export interface Adjusted {
	readonly scatterers: readonly Weighted[];
	/** By how much the logarithm of the evidence would grow if the kernel stayed as it is; negative where the image asks for no change. */
	readonly promise: number;
	/**
	 * Logarithm of what the adjustment costs in evidence (negative): how unlikely the changes were beforehand, and how much of what
	 * was thought possible the image rules out (Laplace's approximation; MacKay, Neural Comput. 4, 415 (1992)).
	 */
	readonly occam: number;
}

/**
 * Amplitudes and positions of the scatterers that explain the image best with a given kernel: one Gauss-Newton step from where they are, with
 * normal priors of 30 % and half a pixel. The mean amplitude stays (it is the kernel's own).
 *
 * @param sigma noise of a pixel of weight 1
 * @param marks where and how strong the scatterers were thought to be at first: what the priors are about
 */
export function adjust(
	{ image, weights }: Omit<MeasuredImage, "operator">,
	kernel: Float64Array,
	offset: number,
	sigma: number,
	scatterers: readonly Weighted[],
	marks: readonly Weighted[],
): Adjusted {
	const count = scatterers.length;
	const step = SHIFT / 4;
	const one = (x: number, y: number) =>
		new ForwardOperator([{ x, y }]).apply(kernel);
	// Columns: the change of the image with each amplitude, x and y.
	const columns: Float64Array[] = [];
	const rest = Float64Array.from(image, (v) => v - offset);
	for (const { x, y, weight } of scatterers) {
		const here = one(x, y);
		const along = (dx: number, dy: number) => {
			const ahead = one(x + dx, y + dy);
			const behind = one(x - dx, y - dy);
			return ahead.map((v, i) => (weight * (v - behind[i])) / (2 * step));
		};
		columns.push(here, along(step, 0), along(0, step));
		for (let i = 0; i < rest.length; i++) rest[i] -= weight * here[i];
	}
	const priors = [AMPLITUDE, SHIFT, SHIFT];
	const n = 3 * count;
	const normal = Matrix.zeros(n, n);
	const right = Matrix.zeros(n, 1);
	const w = Float64Array.from(rest, (_, i) => (weights ? weights[i] : 1));
	for (let a = 0; a < n; a++) {
		const column = columns[a];
		let toward = 0;
		for (let i = 0; i < rest.length; i++)
			if (w[i] > 0) toward += w[i] * column[i] * rest[i];
		// in units of the prior's deviation, from where the scatterer is now
		const at = scatterers[Math.floor(a / 3)];
		const mark = marks[Math.floor(a / 3)];
		const away = [at.weight - mark.weight, at.x - mark.x, at.y - mark.y][a % 3];
		const scale = priors[a % 3];
		right.set(a, 0, (scale * toward) / sigma ** 2 - away / scale);
		for (let b = 0; b <= a; b++) {
			let overlap = a === b ? (sigma / scale) ** 2 : 0;
			for (let i = 0; i < rest.length; i++)
				if (w[i] > 0) overlap += w[i] * column[i] * columns[b][i];
			overlap *= (scale * priors[b % 3]) / sigma ** 2;
			normal.set(a, b, overlap);
			normal.set(b, a, overlap);
		}
	}
	const change = solve(normal, right);
	const moved = scatterers.map(({ x, y, weight }, j) => ({
		weight: plausible(
			weight + AMPLITUDE * change.get(3 * j, 0),
			marks[j].weight,
		),
		x: x + within(SHIFT * change.get(3 * j + 1, 0)),
		y: y + within(SHIFT * change.get(3 * j + 2, 0)),
	}));
	const mean = moved.reduce((sum, s) => sum + s.weight, 0) / count;
	const was = marks.reduce((sum, s) => sum + s.weight, 0) / count;
	const scaled = moved.map((s) => ({
		...s,
		weight: mean > 0 ? (s.weight * was) / mean : s.weight,
	}));
	let unlikely = 0;
	scaled.forEach((s, j) => {
		unlikely +=
			((s.weight - marks[j].weight) / AMPLITUDE) ** 2 +
			((s.x - marks[j].x) ** 2 + (s.y - marks[j].y) ** 2) / SHIFT ** 2;
	});
	let logdet = 0;
	const { lowerTriangularMatrix: root } = new CholeskyDecomposition(normal);
	for (let a = 0; a < n; a++) logdet += 2 * Math.log(root.get(a, a));
	let gain = 0;
	for (let a = 0; a < n; a++) gain += right.get(a, 0) * change.get(a, 0);
	return {
		scatterers: scaled,
		promise: (gain - logdet) / 2,
		occam: -(unlikely + logdet) / 2,
	};
}

/** No amplitude is believed to be off by more than a factor of two: where a scatterer's centre is not seen, a little noise would say anything. */
function plausible(weight: number, mark: number): number {
	if (mark === 0) return 0;
	return mark * Math.max(0.5, Math.min(2, weight / mark));
}

/** A Gauss-Newton step trusts its slopes no further than a pixel. */
function within(shift: number): number {
	return Math.max(-2 * SHIFT, Math.min(2 * SHIFT, shift));
}
