/** What is read from one kernel: its wave vector, its symmetry, and what its residual still holds. */

import { smooth } from "../../qpi/maths/realFft.ts";
import { compareKernels, type KernelScores } from "../../qpi/scores/metrics.ts";
import { failureOf } from "../findings/failed.ts";
import {
	judgePeak,
	type Peak,
	type Profile,
	profile,
	type Spectrum,
	spectrum,
} from "../findings/spectrum.ts";
import { type SymmetryVerdict, testSymmetry } from "../findings/symmetry.ts";
import type { Extraction, KindKernel } from "../kernels/extraction.ts";
import { findMissed, type Missed } from "../marks/missed.ts";
import type { Sector } from "./reciprocal.ts";
import type { ExtractionTask, Taken } from "./take.ts";

/** A kernel and what is read from it. */
export interface Item extends KindKernel {
	readonly task: ExtractionTask;
	readonly extraction: Extraction;
	/** Why nothing is claimed of this kernel: no q*, no symmetry, no missed scatterers; null where the extraction succeeded. */
	readonly failed: string | null;
	readonly spectrum: Spectrum;
	/** Of the waves that go out, and of the plain |FFT|. */
	readonly profile: Profile;
	readonly plain: Profile;
	readonly peak: Peak | null;
	/** What a q* that holds lacks, where there is none. */
	readonly missing: readonly string[];
	/** Null where the extraction failed. */
	readonly symmetry: SymmetryVerdict | null;
	/** Along the two kinds of mirror axes of a kernel that is not isotropic. */
	readonly sectors: readonly Sector[];
	/** What in the residual looks like a scatterer that nobody marked; Angstrom, in the scan's frame. */
	readonly missed: readonly Missed[];
	/** Against the kernel of a dataset file. */
	readonly scores?: KernelScores;
}

/** Reads one kernel of a task. */
export function itemOf(
	task: ExtractionTask,
	extraction: Extraction,
	kernelOf: KindKernel,
	taken: Taken,
): Item {
	const { kernel } = kernelOf;
	const errors = errorsOf(kernelOf);
	const { pixel: spacing, truth } = taken;
	const outgoing = profile(kernel, { spacing, ...errors });
	const failed = failureOf(extraction.explained[extraction.method]);
	const { peak, missing } = failed
		? { peak: null, missing: [failed] }
		: judgePeak(outgoing);
	const symmetry = failed
		? null
		: testSymmetry(kernel, { ...errors, imposed: imposedOn(extraction) });
	const sectors = axesOf(symmetry).map((direction): Sector => {
		const along = profile(kernel, { spacing, direction, ...errors });
		return { direction, profile: along, ...judgePeak(along) };
	});
	return {
		...kernelOf,
		task,
		extraction,
		failed,
		missed: failed ? [] : missedIn(task, extraction, kernel, taken),
		spectrum: spectrum(kernel, {
			spacing,
			pad: smooth(Math.max(128, extraction.size), 2),
		}),
		profile: outgoing,
		plain: profile(kernel, { spacing, waves: "full" }),
		peak,
		missing,
		symmetry,
		sectors,
		scores: truth && compareKernels(kernel, truth),
	};
}

/** Angstrom about a known scatterer, where the residual says nothing about others. */
const NEAR = 8;

function missedIn(
	{ nx, ny, weights }: ExtractionTask,
	{ residual, scatterers }: Extraction,
	kernel: Float32Array,
	{ pixel, centre }: Taken,
): Missed[] {
	const [mx, my] = [(nx - 1) / 2, (ny - 1) / 2];
	const found = findMissed(
		{
			...{ residual, nx, ny, weights, kernel },
			known: scatterers.map(({ x, y }) => ({
				x: x / pixel + mx,
				y: y / pixel + my,
			})),
		},
		{ near: Math.max(2, NEAR / pixel) },
	);
	return found.map((m) => ({
		...m,
		x: centre.x + (m.x - mx) * pixel,
		y: centre.y + (m.y - my) * pixel,
	}));
}

/** Draws from the posterior that are enough to take errors from. */
export const ENOUGH = 8;
/** Kernels without a part each that make a jackknife. */
const GROUPS = 4;

/** What is known of a kernel's errors: draws of it, else a map, and the jackknife. */
export const errorsOf = ({ samples, uncertainty, groups }: KindKernel) => ({
	...(samples.length >= ENOUGH ? { samples } : { uncertainty }),
	...(groups.length >= GROUPS ? { groups } : {}),
});

/** A mirror axis, and the nearest of the other kind: an n-fold pattern has 2n half axes, of two kinds in turn. */
function axesOf(verdict: SymmetryVerdict | null): number[] {
	if (!verdict) return [];
	const { order, mirror } = verdict;
	if (!mirror || order === "isotropic") return [];
	return [mirror.axis, mirror.axis + Math.PI / Math.max(2, order)];
}

/** The order of the rotation, 1: none. */
export const imposedOn = ({ parameters: { symmetry } }: Extraction): number =>
	typeof symmetry === "number" ? symmetry : 1;
