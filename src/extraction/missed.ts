/** Scatterers that nobody marked: they are left in the residual, and look like the kernel. */
import { ForwardOperator, type Position, pixelOf } from "../qpi/forward.ts";
import { embed } from "../qpi/ridge.ts";
import { maxima } from "./match.ts";
import { robustSigma } from "./scan.ts";
import { interpolate } from "./template.ts";

export interface Missed extends Position {
	/** Times the kernel: 1 is a scatterer like the known ones. */
	readonly amplitude: number;
	/** Robust standard deviations of the matched filter's output. */
	readonly significance: number;
}

export interface MissedOptions {
	/** 64 x 64: 0 where the image was not measured. */
	readonly valid?: ArrayLike<number>;
	/** Least significance and amplitude; 5 and 0.3 by default. */
	readonly sigmas?: number;
	readonly amplitude?: number;
	/** Stop after so many; 10 by default. */
	readonly most?: number;
}

const SIDE = 64;
const SPACING = 400 / 63;
/** Pixels about a known scatterer, where the residual says nothing about others. */
const NEAR = 2;
/** The least share of the kernel's power that has to be seen. */
const SEEN = 0.2;

/**
 * Looks for the kernel in a residual by the matched filter `sum R(r) K(r - s) / |K|` over the pixels seen, at places s half a pixel off the pixels, for
 * there the kernel's half-integer lags fall on pixels; maxima are refined between them. One at a time: the strongest is subtracted before the next is sought. Places within two pixels of a known scatterer are left out.
 *
 * @param residual 64 x 64, image less what the kernel explains at the known places
 * @param kernel 64 x 64 at half-integer lags, pixel (i, j) at ((i - 31.5) dx, (j - 31.5) dx)
 * @param known Angstrom, model frame
 * @returns Angstrom, model frame; in the order found
 * @throws RangeError when an array is not 64 x 64
 */
export function findMissed(
	residual: ArrayLike<number>,
	kernel: ArrayLike<number>,
	known: readonly Position[],
	{ valid, sigmas = 5, amplitude = 0.3, most = 10 }: MissedOptions = {},
): Missed[] {
	for (const [name, array] of Object.entries({ residual, kernel, valid }))
		if (array && array.length !== SIDE * SIDE)
			throw new RangeError(
				`findMissed: expected a ${name} of 64 x 64 = 4096 values, got ${array.length}`,
			);
	const rest = Float64Array.from(residual);
	const pattern = embed(kernel);
	const found: Missed[] = [];
	while (found.length < most) {
		const next = strongest(rest, kernel, [...known, ...found], valid);
		if (!next || next.significance < sigmas || next.amplitude < amplitude)
			break;
		found.push(next);
		// Its side lobes are no scatterers.
		const drawn = new ForwardOperator([next], [next.amplitude]).apply(pattern);
		for (let p = 0; p < rest.length; p++) rest[p] -= drawn[p];
	}
	return found;
}

/** The highest maximum of the matched filter away from what is known. */
function strongest(
	residual: Float64Array,
	kernel: ArrayLike<number>,
	known: readonly Position[],
	valid: ArrayLike<number> | undefined,
): Missed | undefined {
	const total = Array.from(kernel).reduce((sum, k) => sum + k * k, 0);
	// Place (a, b) is half a pixel below pixel (a, b): 65 x 65 of them enclose the image.
	const n = SIDE + 1;
	const fitted = new Float64Array(n * n);
	const score = new Float64Array(n * n);
	for (let a = 0; a < n; a++)
		for (let b = 0; b < n; b++) {
			let [sum, norm] = [0, 0];
			for (let ix = Math.max(0, a - 32); ix < Math.min(SIDE, a + 32); ix++)
				for (let iy = Math.max(0, b - 32); iy < Math.min(SIDE, b + 32); iy++) {
					const p = ix * SIDE + iy;
					const k =
						kernel[(ix - a + 32) * SIDE + iy - b + 32] * (valid?.[p] ?? 1);
					sum += k * residual[p];
					norm += k * k;
				}
			if (!(norm > SEEN * total)) continue;
			fitted[a * n + b] = sum / norm;
			score[a * n + b] = sum / Math.sqrt(norm);
		}
	const noise = robustSigma(score);
	const at = (map: Float64Array, x: number, y: number) =>
		interpolate(map, [n, n], [x, y], [1, 1])[0];
	for (const place of maxima(score, n, n, 0)) {
		const [x, y] = refine((u, v) => at(score, u, v), place.x, place.y);
		const [px, py] = [x - 0.5, y - 0.5];
		const near = (k: Position) =>
			Math.hypot(pixelOf(k.x) - px, pixelOf(k.y) - py) < NEAR;
		if (!known.some(near))
			return {
				x: (px - (SIDE - 1) / 2) * SPACING,
				y: (py - (SIDE - 1) / 2) * SPACING,
				amplitude: at(fitted, x, y),
				significance: at(score, x, y) / noise,
			};
	}
	return undefined;
}

/** Climbs from a grid's maximum to that between its points, by parabolas through ever closer values. */
function refine(
	value: (x: number, y: number) => number,
	x: number,
	y: number,
): [number, number] {
	for (const step of [0.5, 0.25, 0.25]) {
		const middle = value(x, y);
		const vertex = (low: number, high: number) => {
			const bend = low + high - 2 * middle;
			const way = bend < 0 ? (low - high) / (2 * bend) : 0;
			return step * Math.max(-1, Math.min(1, way));
		};
		const dx = vertex(value(x - step, y), value(x + step, y));
		const dy = vertex(value(x, y - step), value(x, y + step));
		x += dx;
		y += dy;
	}
	return [x, y];
}
