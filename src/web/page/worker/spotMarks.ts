/** Spots as the marks that they become. */
import {
	type Spot,
	type SpotOptions,
	seenBySearch,
	spotsIn,
} from "../../../extraction/blind/spots.ts";
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import type { Preprocessed, Scan } from "../../../extraction/preprocess.ts";

/** What spots were looked for in last: controls that move ask again and again. */
let last:
	| { readonly scan: Scan; readonly seen: ReturnType<typeof seenBySearch> }
	| undefined;

/** Spots of a prepared image as they would be marked. */
export function spotsOf(
	{ scan, weights, order, centre }: Preprocessed,
	wanted: SpotOptions,
): DetectedScatterer[] {
	if (last?.scan !== scan)
		last = {
			scan,
			seen: seenBySearch({
				...{ images: [scan.image], nx: scan.nx, ny: scan.ny },
				...{ pixel: scan.spacing.x, order, weights },
			}),
		};
	return asMarks(spotsIn(last.seen, wanted), centre);
}

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
