/** The analyses that are asked for besides the kernel: each is a switch of `extract`. */
import type { PeakShape } from "../findings/peakFit.ts";
import type { QRegion } from "../findings/phaseReferenced.ts";
import type { PointGroup } from "../findings/pointGroups.ts";
import { cutSeries, cutSupplement } from "./cuts.ts";
import { fftBeside } from "./fftBeside.ts";
import type { Analysis } from "./items.ts";
import { phaseSupplement } from "./phase.ts";
import { ringSupplement } from "./rings.ts";
import { together } from "./supplement.ts";
import { symmetrisedSupplement } from "./symmetrised.ts";
import { type TheoryOptions, theoryOf } from "./theory.ts";

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
	/** Of a band: beside |FFT|, and over the cuts. */
	readonly theory?: TheoryOptions;
	/** Kernels at +E less those at -E, integrated over these q. */
	readonly phase?: QRegion;
}

/** The analysis with what was asked for. */
export function withPhysics(
	analysis: Analysis,
	options: PhysicsOptions,
): Analysis {
	const { mapFft = true, cut, peakShape, ring, symmetrised } = options;
	const { theory, phase } = options;
	const stack = analysis.items.length / analysis.kinds.length > 2;
	// A theory's line needs a cut to lie on.
	const directions = cut ?? (theory && stack ? [theory.turn ?? 0] : []);
	const series = directions.length
		? cutSeries(analysis, directions, peakShape)
		: [];
	const of = theory && theoryOf(analysis, theory, series);
	const more = together([
		...(mapFft || of ? [fftBeside(analysis, of?.panels)] : []),
		...(series.length
			? [cutSupplement(analysis, series, of?.lines, of?.cuts, of?.notes)]
			: []),
		...(ring ? [ringSupplement(analysis, ring)] : []),
		...(symmetrised?.length && !analysis.shown.failed
			? [symmetrisedSupplement(analysis, symmetrised)]
			: []),
		...(of ? [of.supplement] : []),
		...(phase ? [phaseSupplement(analysis, phase)] : []),
	]);
	return {
		...analysis,
		more,
		findings: [...analysis.findings, ...more.findings],
	};
}
