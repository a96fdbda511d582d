/** Spots as the marks that they become. */
import type { Spot } from "../../extraction/blind/spots.ts";
import type { DetectedScatterer } from "../../extraction/marks/scatterers.ts";

/**
 * In the scan's frame, to a tenth of an Angstrom, all of one kind and one strength; where both signs are wanted, the rarer one has the kernel upside down.
 * @param centre of the map that they were found in
 */
export function asMarks(
	spots: readonly Spot[],
	centre: { readonly x: number; readonly y: number },
): DetectedScatterer[] {
	const usual = spots.reduce((sum, { sign }) => sum + sign, 0) < 0 ? -1 : 1;
	return spots.map(({ x, y, sign, significance }) => ({
		x: Number((centre.x + x).toFixed(1)),
		y: Number((centre.y + y).toFixed(1)),
		weight: sign === usual ? 1 : -1,
		...{ quality: 1, keep: true, kind: 1 },
		significance,
	}));
}
