/** What is read from the kernels of a file: wave vectors, symmetry, dispersion, and the sentences that say so. */
import {
	type Dispersion,
	describeDispersion,
	dispersion,
} from "../extraction/dispersion.ts";
import type { Explained, Extraction, Method } from "../extraction/extract.ts";
import { findMissed, type Missed } from "../extraction/missed.ts";
import { toScan } from "../extraction/preprocess.ts";
import {
	describePeak,
	judgePeak,
	type Peak,
	type Profile,
	profile,
	type Spectrum,
	spectrum,
} from "../extraction/spectrum.ts";
import { type SymmetryVerdict, testSymmetry } from "../extraction/symmetry.ts";
import { compareKernels, type KernelScores } from "../qpi/metrics.ts";
import type { Taken, Task } from "./take.ts";

/** The methods as people call them, from the simplest. */
export const NAMES: Record<Method, string> = {
	ridge: "ridge",
	oneStep: "one-step",
	twoStep: "two-step",
	refined: "refined",
};

/** What people call for, the best of all or one of them. */
export const METHODS: Readonly<Record<string, Method | "auto">> = {
	auto: "auto",
	refined: "refined",
	"two-step": "twoStep",
	"one-step": "oneStep",
	ridge: "ridge",
};

/** A profile along one direction and its opposite. */
export interface Sector {
	/** Radians from the x axis. */
	readonly direction: number;
	readonly profile: Profile;
	readonly peak: Peak | null;
	/** Why there is no peak that holds; empty where there is one. */
	readonly missing: readonly string[];
}

/** A kernel and what is read from it. */
export interface Item {
	readonly task: Task;
	readonly extraction: Extraction;
	readonly spectrum: Spectrum;
	/** Of the waves that go out, and of the plain |FFT|. */
	readonly profile: Profile;
	readonly plain: Profile;
	readonly peak: Peak | null;
	/** Why there is no peak that holds; empty where there is one. */
	readonly missing: readonly string[];
	readonly symmetry: SymmetryVerdict;
	/** Along the two kinds of mirror axes of a kernel that is not isotropic. */
	readonly sectors: readonly Sector[];
	/** What in the residual looks like a scatterer that nobody marked; in the scan's frame. */
	readonly missed: readonly Missed[];
	/** Against the kernel of a dataset file. */
	readonly scores?: KernelScores;
}

/** All that is read from the kernels of a file. */
export interface Analysis {
	readonly taken: Taken;
	readonly items: readonly Item[];
	/** The one that is explained best. */
	readonly shown: Item;
	readonly band: Dispersion | null;
	/** A line each, for people. */
	readonly findings: readonly string[];
	/** What there was to warn of before, and reasons to doubt the kernel. */
	readonly warnings: readonly string[];
}

/** @param extractions one of each task */
export function analyseAll(
	taken: Taken,
	extractions: readonly Extraction[],
): Analysis {
	const items = taken.tasks.map((task, i) =>
		analyse(task, extractions[i], taken),
	);
	const shown = items.reduce((a, b) => (heldOut(b) > heldOut(a) ? b : a));
	const band = bandOf(items, taken.spacing);
	return {
		taken,
		items,
		shown,
		band,
		findings: findingsOf({ taken, items, shown, band }, shown),
		warnings: [...taken.warnings, ...doubtsOf(shown)],
	};
}

function analyse(task: Task, extraction: Extraction, taken: Taken): Item {
	const { kernel } = extraction;
	const errors = errorsOf(extraction);
	const { spacing, truth } = taken;
	const outgoing = profile(kernel, { spacing, ...errors });
	const symmetry = testSymmetry(kernel, errors);
	const held = { heldOut: heldOutOf(extraction) };
	const { peak, missing } = judgePeak(outgoing, held);
	const sectors = axesOf(symmetry).map((direction): Sector => {
		const along = profile(kernel, { spacing, direction, ...errors });
		return { direction, profile: along, ...judgePeak(along, held) };
	});
	const missed = findMissed(
		extraction.residual,
		kernel,
		extraction.scatterers,
		{ valid: task.valid },
	);
	return {
		task,
		extraction,
		missed: missed.map((m) => ({
			...m,
			...(task.prepared ? toScan(m, task.prepared) : {}),
		})),
		spectrum: spectrum(kernel, { spacing, pad: 128 }),
		profile: outgoing,
		plain: profile(kernel, { spacing, waves: "full" }),
		peak,
		missing,
		symmetry,
		sectors,
		scores: truth && compareKernels(kernel, truth),
	};
}

/** Draws from the posterior that are enough to take errors from. */
const ENOUGH = 8;

/** What is known of a kernel's errors: draws of it, else a map. */
const errorsOf = ({ samples, uncertainty }: Extraction) =>
	samples.length >= ENOUGH ? { samples } : { uncertainty };

/** A mirror axis, and the nearest of the other kind: an n-fold pattern has 2n half axes, of two kinds in turn. */
function axesOf({ order, mirror }: SymmetryVerdict): number[] {
	if (!mirror || order === "isotropic") return [];
	return [mirror.axis, mirror.axis + Math.PI / Math.max(2, order)];
}

/** "35°" */
export const degrees = (angle: number): string =>
	`${Math.round((angle * 180) / Math.PI) % 180}°`;

const heldOutOf = ({ explained, method }: Extraction) =>
	explained[method]?.heldOut ?? null;

/** What the best of several kernels is chosen by. */
const heldOut = ({ extraction: { explained, method } }: Item) =>
	explained[method]?.heldOut ??
	explained[method]?.inSample ??
	Number.NEGATIVE_INFINITY;

/** q(E) where the file says the energies of three kernels or more. */
function bandOf(items: readonly Item[], spacing: number): Dispersion | null {
	const energies = items.flatMap(({ task }) => task.energy ?? []);
	if (energies.length < 3 || energies.length < items.length) return null;
	return dispersion(
		energies,
		items.map(({ extraction }) => extraction.kernel),
		{
			spacing,
			heldOut: items.map(({ extraction }) => heldOutOf(extraction)),
			...(items.every(({ extraction }) => extraction.samples.length >= ENOUGH)
				? { samples: items.map(({ extraction }) => extraction.samples) }
				: {
						uncertainties: items.map(
							({ extraction }) => extraction.uncertainty,
						),
					}),
		},
	);
}

/** Below this share of the held-out variance a kernel says little about the image. */
const LITTLE = 0.1;

/** Reasons to doubt what was extracted. */
function doubtsOf(shown: Item): string[] {
	const { explained, method } = shown.extraction;
	const value = explained[method]?.heldOut ?? null;
	return value !== null && value < LITTLE
		? [
				`the kernel explains ${share(value)} of the variance of pixels that it was not fitted to, which is next to nothing: look at the scatterers' places, at their kinds, and at the residual`,
			]
		: [];
}

const share = (value: number | null | undefined) =>
	value === null || value === undefined ? "?" : value.toFixed(3);

/** What is to be said of one of the kernels, and of all of them; a line each. */
export function findingsOf(
	{
		items,
		taken,
		band,
		...analysis
	}: Pick<Analysis, "items" | "taken" | "band" | "shown">,
	shown: Item,
): string[] {
	const { method, explained } = shown.extraction;
	const best =
		shown === analysis.shown ? `, of ${items.length} the best explained` : "";
	const of = items.length > 1 ? ` (${shown.task.label}${best})` : "";
	const rivals = (Object.keys(NAMES) as Method[])
		.filter((m) => m !== method && explained[m])
		.map((m) => `${NAMES[m]} ${share(explained[m]?.heldOut)}`);
	const lines = [
		`method ${NAMES[method]}${of}: explains ${share(explained[method]?.heldOut)} of the variance of held-out pixels${rivals.length ? ` (${rivals.join(", ")})` : ""}, ${share(explained[method]?.inSample)} of the fitted ones`,
		`q*: ${describePeak(shown.peak, shown.missing).replace(/^q = /, "")}`,
		`symmetry: ${shown.symmetry.why}`,
	];
	if (shown.missed.length > 0)
		lines.push(
			`left in the residual, and like the kernel: ${shown.missed.map(({ x, y, amplitude, significance }) => `(${x.toFixed(0)}, ${y.toFixed(0)}) Å at ${amplitude.toFixed(1)} times its strength, ${significance.toFixed(0)} sigma`).join("; ")}: scatterers that are not marked?`,
		);
	for (const { direction, peak, missing } of shown.sectors)
		lines.push(`along ${degrees(direction)}: ${describePeak(peak, missing)}`);
	if (band) lines.push(`dispersion: ${describeDispersion(band)}`);
	if (taken.truth) {
		const mean = (key: "ncc" | "mae") =>
			items.reduce((sum, { scores }) => sum + (scores?.[key] ?? 0), 0) /
			items.length;
		lines.push(
			`against the file's kernel: NCC ${mean("ncc").toFixed(3)}, MAE ${mean("mae").toFixed(3)} on the [-1, 1] scale, on the mean of ${items.length} image${items.length > 1 ? "s" : ""}`,
		);
	}
	return lines;
}

/** An item of result.json. */
export function resultOf(
	{ task, extraction, peak, symmetry, sectors, missed, scores }: Item,
	file: string,
) {
	const { method, kernel, explained, parameters } = extraction;
	const each = (key: keyof Explained) =>
		Object.fromEntries(Object.entries(explained).map(([m, e]) => [m, e[key]]));
	const { order, why, harmonics, mirror } = symmetry;
	const scoresBy = (key: "whole" | "anisotropic") =>
		Object.fromEntries(symmetry.scores.map((s) => [s.order, s[key]]));
	return {
		method,
		kernel: { file, min: Math.min(...kernel), max: Math.max(...kernel) },
		scatterers: task.scatterers.length,
		explainedVariance: { heldOut: each("heldOut"), inSample: each("inSample") },
		q: peak,
		sectors: sectors.map(({ direction, peak: q }) => ({ direction, q })),
		symmetry: {
			// An isotropic kernel has every order; 6 is the highest that is tried.
			n: order === "isotropic" ? 6 : order,
			isotropic: order === "isotropic",
			scores: scoresBy("whole"),
			anisotropicScores: scoresBy("anisotropic"),
			harmonics,
			mirror,
			why,
		},
		missed,
		solution: parameters,
		...(scores ? { comparison: scores } : {}),
	};
}

export function tableOf(items: readonly Item[]) {
	const compared = items.some(({ scores }) => scores);
	return {
		caption: "Every image's kernel",
		heads: [
			"image",
			"scatterers",
			"method",
			"held-out explained variance",
			"q* (1/Å)",
			...(compared ? ["NCC", "MAE"] : []),
		],
		rows: items.map(({ task, extraction, peak, scores }) => [
			task.label,
			String(task.scatterers.length),
			NAMES[extraction.method],
			share(extraction.explained[extraction.method]?.heldOut),
			peak ? `${peak.q.toFixed(4)} ± ${peak.error.toFixed(4)}` : "–",
			...(scores ? [scores.ncc.toFixed(3), scores.mae.toFixed(3)] : []),
		]),
	};
}
