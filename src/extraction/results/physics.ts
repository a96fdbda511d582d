/** The analyses that are asked for besides the kernel: each is a switch of `extract`. */
import type { PeakShape } from "../findings/peakFit.ts";
import type { PointGroup } from "../findings/pointGroups.ts";
import { cutSeries, cutSupplement } from "./cuts.ts";
import { fftBeside } from "./fftBeside.ts";
import type { Analysis } from "./items.ts";
import { ringSupplement } from "./rings.ts";
import { together } from "./supplement.ts";
import { symmetrisedSupplement } from "./symmetrised.ts";

export interface PhysicsOptions {
	/** |FFT| of the map beside the kernel's; true by default. */
	readonly mapFft?: boolean;
	/** Directions of line cuts, degrees from the x axis. */
	readonly cut?: readonly number[];
	/** Of the lines fitted along cuts. */
	readonly peakShape?: PeakShape;
	/** |F| around q*, or around these |q| (1/A). */
	readonly ring?: readonly number[] | "q*";
	readonly symmetrised?: readonly PointGroup[];
}

/** The analysis with what was asked for. */
export function withPhysics(
	analysis: Analysis,
	{ mapFft = true, cut, peakShape, ring, symmetrised }: PhysicsOptions,
): Analysis {
	const more = together([
		...(mapFft ? [fftBeside(analysis)] : []),
		...(cut?.length
			? [cutSupplement(analysis, cutSeries(analysis, cut, peakShape))]
			: []),
		...(ring ? [ringSupplement(analysis, ring)] : []),
		...(symmetrised?.length
			? [symmetrisedSupplement(analysis, symmetrised)]
			: []),
	]);
	return {
		...analysis,
		more,
		findings: [...analysis.findings, ...more.findings],
	};
}
