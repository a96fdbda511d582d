/** What is done to a scan by its lattice, and what it says of wave vectors. */
import { maxOf } from "../../qpi/maths/extremes.ts";
import { fill, type Scan } from "../scan/scan.ts";
import { num, percent } from "../scan/told.ts";
import {
	asScanned,
	corrected,
	type Distortion,
	type DistortionOptions,
	findDistortion,
} from "./drift.ts";
import { describeLattice, length, reciprocal, type Vector } from "./lattice.ts";
import { type Notch, notched, vectorsWithin } from "./notch.ts";
import { type Warp, warped, warpOf } from "./warp.ts";

export interface LatticeOptions extends DistortionOptions {
	/** Whether Bragg peaks stay; "keep" by default. */
	readonly bragg?: "keep" | "remove";
	/** 1/Angstrom about a Bragg peak at which half of a wave is taken out; by default what the lock-in's mean passes. */
	readonly braggWidth?: number;
}

/** Plain data, for all layers and channels of a file. */
export interface LatticeCorrection {
	readonly distortion: Distortion;
	/** Undefined: nothing moves. */
	readonly warp?: Warp;
	readonly notch?: Notch;
	/** What was done, for people. */
	readonly told: string;
	/** The channel whose lattice it is. */
	readonly reference?: string;
}

/** Whether any of the options asks for something. */
export const asksForLattice = ({
	lattice,
	drift,
	bragg,
}: LatticeOptions): boolean =>
	lattice !== undefined || drift === true || bragg === "remove";

/**
 * The correction of a scan by its own lattice.
 * @param counts 0 where a pixel does not count
 * @throws RangeError in one line where no Bragg peaks are found
 */
export function latticeCorrection(
	scan: Scan,
	options: LatticeOptions,
	counts?: ArrayLike<number>,
): LatticeCorrection {
	const distortion = findDistortion(scan, options, counts);
	const { calibrated, field, peaks, sigma } = distortion;
	const moves = field !== undefined || calibrated;
	return {
		distortion,
		...(moves && { warp: warpOf(scan, distortion) }),
		...(options.bragg === "remove" && {
			notch: {
				vectors: vectorsWithin(peaks, scan.spacing),
				width: options.braggWidth ?? Math.sqrt(2 * Math.LN2) / sigma,
			},
		}),
		told: `${describe(distortion)}${options.bragg === "remove" && blurred(distortion) ? "; with that drift left the Bragg peaks are wider than the notches (--drift takes it out)" : ""}`,
	};
}

/** Whether phases turn by more than a radian where drift is left. */
const blurred = ({ field, rms, peaks }: Distortion) =>
	!field && rms * maxOf(peaks.map(length)) > 1;

function describe({
	lattice,
	known,
	peaks,
	field,
	matrix,
	calibrated,
	most,
	rms,
}: Distortion): string {
	const seen = describeLattice(lattice);
	return [
		`lattice measured: ${seen}${known ? `, known: ${describeLattice(known)}` : ""}`,
		`Bragg peaks${field || calibrated ? " after the correction" : ""} at ${peaks.map((q) => `(${q.x.toFixed(3)}, ${q.y.toFixed(3)})`).join(" and ")} 1/A`,
		field
			? `drift of ${num(rms)} A (root mean square), ${num(most)} A at most, taken out`
			: `drift of ${num(rms)} A (root mean square), ${num(most)} A at most, left`,
		...(calibrated
			? [
					`calibrated: x times ${matrix.xx.toFixed(4)}, y times ${matrix.yy.toFixed(4)}, sheared by ${matrix.xy.toFixed(4)}`,
				]
			: []),
	].join("; ");
}

/** One step of the preprocessing. */
export interface LatticeStep {
	readonly name: string;
	readonly note: string;
	readonly scan: Scan;
	readonly counts: Float32Array;
}

/** The scan, finite everywhere, and what of it counts, after each step of the correction. */
export function* latticeSteps(
	scan: Scan,
	counts: Float32Array,
	{ warp, notch, told }: LatticeCorrection,
): Generator<LatticeStep> {
	let now = { scan, counts };
	if (warp) {
		const moved = warped(scan, warp);
		const counted = warped({ ...scan, image: counts }, warp).image;
		const inside = Float32Array.from(moved.image, (v, p) =>
			Number.isFinite(v) && counted[p] > 0.5 ? 1 : 0,
		);
		now = {
			scan: { ...moved, image: fill(moved) },
			counts: inside,
		};
	}
	yield { name: "lattice", note: told, ...now };
	if (!notch) return;
	const before = now.scan;
	const after = notched(before, now.counts, notch);
	yield {
		name: "Bragg peaks",
		note: `notches of ${num(notch.width)} 1/A (half depth) about ${notch.vectors.length} reciprocal lattice vectors up to ${num(maxOf(notch.vectors.map(length)))} 1/A: ${percent(share(before, after))} of the variance`,
		scan: after,
		counts: now.counts,
	};
}

/** The share of the variance that is gone. */
function share(before: Scan, after: Scan): number {
	const variance = ({ image }: Scan) => {
		const mean = image.reduce((s, v) => s + v / image.length, 0);
		return image.reduce((s, v) => s + (v - mean) ** 2, 0);
	};
	const all = variance(before);
	return all > 0 ? Math.max(0, 1 - variance(after) / all) : 0;
}

/** Places, Angstrom from the scan's centre, from the scan's own frame into the corrected one. */
export const intoCorrected = <P extends Vector>(
	correction: LatticeCorrection | undefined,
	place: P,
): P =>
	correction?.warp
		? { ...place, ...corrected(correction.distortion, place) }
		: place;

/** The way back. */
export const intoScan = <P extends Vector>(
	correction: LatticeCorrection | undefined,
	place: P,
): P =>
	correction?.warp
		? { ...place, ...asScanned(correction.distortion, place) }
		: place;

/** A wave vector (1/Angstrom, corrected frame) as h and k times the reciprocal lattice's vectors. */
export function inReciprocal(
	{ distortion: { peaks } }: { readonly distortion: Pick<Distortion, "peaks"> },
	q: Vector,
): { h: number; k: number } {
	const [a, b] = reciprocal(peaks);
	const turn = 2 * Math.PI;
	return {
		h: (q.x * a.x + q.y * a.y) / turn,
		k: (q.x * b.x + q.y * b.y) / turn,
	};
}

/** The unit of |q| in tables: the length of the first reciprocal lattice vector, 1/Angstrom. */
export const unitOf = ({ distortion }: LatticeCorrection): number =>
	length(distortion.peaks[0]);

/** For result.json. */
export function latticeEntry({
	distortion,
	warp,
	notch,
	reference,
}: LatticeCorrection) {
	const { measured, peaks, lattice, known, matrix, contrast } = distortion;
	const { calibrated } = distortion;
	const { sigma, most, rms, dislocations, field } = distortion;
	return {
		reference: reference ?? null,
		known: known ?? null,
		measured: { ...lattice, peaks: measured, contrast },
		/** What q in units of the reciprocal lattice is in units of. */
		reciprocal: peaks,
		lattice: reciprocal(peaks),
		unit: length(peaks[0]),
		frame: warp ? "corrected" : "scan",
		drift: { corrected: field !== undefined, rms, most, sigma, dislocations },
		calibration: calibrated ? rowsOf(matrix) : null,
		braggRemoved: notch ? { width: notch.width, vectors: notch.vectors } : null,
	};
}

const rowsOf = ({ xx, xy, yx, yy }: Distortion["matrix"]) => [
	[xx, xy],
	[yx, yy],
];
