/** All kernels of a file: what they show together, and the sentences that say so. */

import {
	type Dispersion,
	describeDispersion,
	dispersionOf,
} from "../findings/dispersion.ts";
import { describePeak } from "../findings/spectrum.ts";
import type {
	Extraction,
	FoundScatterer,
	Method,
} from "../kernels/extraction.ts";
import { ENOUGH, type Item, imposedOn, itemOf } from "./item.ts";
import { qLimitLines, qLimitOf } from "./qLimit.ts";
import { reciprocalLines } from "./reciprocal.ts";
import type { Supplement } from "./supplement.ts";
import type { Taken } from "./take.ts";

/** The methods as people call them, from the simplest. */
export const NAMES: Record<Method, string> = {
	ridge: "ridge",
	oneStep: "one-step",
	twoStep: "two-step",
	refined: "refined",
};

/** What people call for, the best of all or one of them. */
export const METHOD_OPTIONS: Readonly<Record<string, Method | "auto">> = {
	auto: "auto",
	refined: "refined",
	"two-step": "twoStep",
	"one-step": "oneStep",
	ridge: "ridge",
};

/** All that is read from the kernels of a file. */
export interface Analysis {
	readonly taken: Taken;
	/** One of each image and kind of scatterers: the kinds of the first image, then those of the second ... */
	readonly items: readonly Item[];
	/** Numbers of the kinds. */
	readonly kinds: readonly number[];
	/** The one whose image is explained best, of the first kind. */
	readonly shown: Item;
	/** Of the kind that is shown. */
	readonly band: Dispersion | null;
	/** Of each kind. */
	readonly bands: readonly (Dispersion | null)[];
	/** A line each, for people. */
	readonly findings: readonly string[];
	/** What there was to warn of before, and reasons to doubt the kernel. */
	readonly warnings: readonly string[];
	/** What was asked for besides (physics.ts). */
	readonly more?: Supplement;
}

/** @param extractions one of each task */
export function analyseAll(
	taken: Taken,
	extractions: readonly Extraction[],
): Analysis {
	const items = taken.tasks.flatMap((task, i) =>
		extractions[i].kinds.map((kernel) =>
			itemOf(task, extractions[i], kernel, taken),
		),
	);
	const kinds = extractions[0].kinds.map(({ kind }) => kind);
	const shown = items
		.filter(({ kind }) => kind === kinds[0])
		.reduce((a, b) => (heldOut(b) > heldOut(a) ? b : a));
	const bands = kinds.map((kind) =>
		bandOf(items.filter((item) => item.kind === kind)),
	);
	const band = bands[kinds.indexOf(shown.kind)];
	const all = { taken, items, kinds, shown, band, bands };
	return {
		...all,
		findings: findingsOf(all, shown),
		warnings: [...taken.warnings, ...doubtsOf(shown, taken)],
	};
}

/** "35°" */
export const degrees = (angle: number): string =>
	`${Math.round((angle * 180) / Math.PI) % 180}°`;

/** Of the variance, that is explained: of held-out pixels, or where that is not known of the fitted ones. */
const shareOf = ({ explained, method }: Extraction) =>
	explained[method]?.heldOut ?? explained[method]?.inSample ?? null;

/** What the best of several kernels is chosen by. */
const heldOut = ({ extraction }: Item) =>
	shareOf(extraction) ?? Number.NEGATIVE_INFINITY;

/** q(E) where the file says the energies of three kernels or more. */
function bandOf(items: readonly Item[]): Dispersion | null {
	const energies = items.flatMap(({ task }) => task.energy ?? []);
	if (energies.length < 3 || energies.length < items.length) return null;
	const profiles = items.map(({ profile }) => profile);
	return dispersionOf(energies, profiles, {
		heldOut: items.map(({ extraction }) => shareOf(extraction)),
		...(items.every(({ samples }) => samples.length >= ENOUGH) && {
			draws: items.map(({ samples }) => samples.length),
		}),
	});
}

/** A mark whose amplitude is below so many standard deviations, or this share of what it was given, lies on nothing. */
const EMPTY = { sigmas: 3, share: 0.3 };
/** Errors above this share of the kernel, root mean squares, leave little of it. */
const UNDETERMINED = 0.5;

/** Whether the image has nothing where a mark lies. */
export const isEmpty = ({
	amplitude,
	significance,
	weight,
}: FoundScatterer): boolean =>
	significance !== undefined &&
	amplitude !== undefined &&
	(significance < EMPTY.sigmas || amplitude < EMPTY.share * Math.abs(weight));

/** Reasons to doubt what was extracted. */
function doubtsOf(shown: Item, { scatterers, used }: Taken): string[] {
	const { scatterers: found } = shown.extraction;
	const rms = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
	const unsure = rms(shown.uncertainty) / (rms(shown.kernel) || 1);
	const empty = found
		.map((s, j) => ({ ...s, row: used[j] }))
		.filter((s) => isEmpty(s) && scatterers?.[s.row]);
	return [
		shown.failed
			? `the extraction failed, ${shown.failed}: look at the scatterers' places, at their kinds, and at the residual`
			: "",
		unsure > UNDETERMINED
			? `the kernel is uncertain by ${Math.round(100 * unsure)} % of itself (root mean squares): too few scatterers or too much noise for a window of this size`
			: "",
		empty.length > 0
			? `nothing like the kernel at ${empty.length === 1 ? "mark" : "marks"} ${empty
					.slice(0, 12)
					.map(
						({ row, significance = 0 }) =>
							`${row + 1} (${scatterers?.[row].x.toFixed(0)}, ${scatterers?.[row].y.toFixed(0)} Å: ${significance.toFixed(1)} sigma)`,
					)
					.join(
						", ",
					)}${empty.length > 12 ? ` and ${empty.length - 12} more` : ""}`
			: "",
	].filter(Boolean);
}

export const share = (value: number | null | undefined) =>
	value === null || value === undefined ? "?" : value.toFixed(3);

/** What is to be said of one of the kernels, and of all of them; a line each. */
export function findingsOf(
	{
		items,
		taken,
		bands,
		kinds,
		...analysis
	}: Pick<Analysis, "items" | "taken" | "bands" | "shown" | "kinds">,
	shown: Item,
): string[] {
	const { method, explained } = shown.extraction;
	const images = items.length / kinds.length;
	const best =
		images > 1 && shown === analysis.shown
			? `, of ${images} the best explained`
			: "";
	const of = items.length > 1 ? ` (${labelOf(shown, kinds)}${best})` : "";
	const rivals = (Object.keys(NAMES) as Method[])
		.filter((m) => m !== method && explained[m])
		.map((m) => `${NAMES[m]} ${share(explained[m]?.heldOut)}`);
	const lines = [
		`method ${NAMES[method]}${of}: explains ${share(explained[method]?.heldOut)} of the variance of held-out pixels${rivals.length ? ` (${rivals.join(", ")})` : ""}, ${share(explained[method]?.inSample)} of the fitted ones`,
		...claimsOf(shown),
	];
	const { window: reach, workingPixel } = shown.extraction.parameters;
	if (typeof reach === "number")
		lines.push(
			`window: kernels of ${reach.toFixed(0)} Å radius, ${shown.extraction.size} x ${shown.extraction.size} pixels of ${Number(taken.pixel.toPrecision(3))} Å${typeof workingPixel === "number" ? `; working pixel ${workingPixel.toFixed(1)} Å` : ""}`,
		);
	lines.push(...qLimitLines(qLimitOf({ shown, taken })));
	if (shown.missed.length > 0)
		lines.push(
			`left in the residual, and like the kernel: ${shown.missed.map(({ x, y, amplitude, significance }) => `(${x.toFixed(0)}, ${y.toFixed(0)}) Å at ${amplitude.toFixed(1)} times its strength, ${significance.toFixed(0)} sigma`).join("; ")}: scatterers that are not marked?`,
		);
	lines.push(...reciprocalLines(shown, taken.correction));
	for (const { direction, peak } of shown.sectors)
		lines.push(`along ${degrees(direction)}: ${describePeak(peak)}`);
	for (const other of items)
		if (other.task === shown.task && other.kind !== shown.kind)
			lines.push(
				`kind ${other.kind}: ${other.failed ? WITHHELD : `${describePeak(other.peak, other.missing)}; ${other.symmetry?.why}`}`,
			);
	bands.forEach((of, k) => {
		const which = kinds.length > 1 ? ` of kind ${kinds[k]}` : "";
		if (of) lines.push(`dispersion${which}: ${describeDispersion(of)}`);
	});
	const each = shown.task.energy === undefined ? "image" : "energy";
	lines.push(...amplitudesLine(shown.extraction.parameters, each));
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

const WITHHELD = "nothing is claimed of its q*, symmetry and residual";

/** What a kernel shows, or that it shows nothing. */
function claimsOf({ failed, peak, missing, symmetry, extraction }: Item) {
	if (failed) return [`extraction failed: ${failed}; ${WITHHELD}`];
	const imposed = imposedOn(extraction);
	const tested =
		imposed > 1
			? `${imposed}-fold was imposed, and only multiples of m = ${imposed} are tested: `
			: "";
	return [
		`q*: ${describePeak(peak, missing).replace(/^(q = |no q\* that holds)/, (m) => (m === "q = " ? "" : "none that holds"))}`,
		`symmetry: ${tested}${symmetry?.why}`,
	];
}

/** Of a stack, whether amplitudes are shared by all energies and why. */
function amplitudesLine(
	{
		amplitudes,
		amplitudeSpread: spread,
		amplitudeGain: gain,
		amplitudeImages: images,
	}: Extraction["parameters"],
	each: "energy" | "image",
): string[] {
	if (amplitudes === undefined) return [];
	const all = each === "energy" ? "energies" : "images";
	const asked = `the log evidence of ${images} ${all} grows by ${Math.round(Number(gain))} where each amplitude may change by ${Math.round(100 * Number(spread))} % from ${each} to ${each}`;
	return [
		amplitudes === "shared"
			? `amplitudes: shared by all ${all}${Number(gain) > 0 ? `: ${asked}, too little` : ", which no spread betters by evidence"}`
			: `amplitudes: each ${each} has its own, for ${asked}`,
	];
}

/** What an item is called: its image, and its kind where there are several. */
export const labelOf = (
	{ task, kind }: Pick<Item, "task" | "kind">,
	kinds: readonly number[],
): string => (kinds.length > 1 ? `${task.label}, kind ${kind}` : task.label);

/** What a file's name ends with that is of one kind: nothing for the first. */
export const endOf = (kind: number, kinds: readonly number[]) =>
	kind === kinds[0] ? "" : `-kind${kind}`;
