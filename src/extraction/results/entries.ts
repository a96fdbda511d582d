/** What result.json and the report's tables say of single kernels. */

import type { SymmetryVerdict } from "../findings/symmetry.ts";
import type { Explained } from "../kernels/extraction.ts";
import type { Item } from "./item.ts";
import { labelOf, NAMES, share } from "./items.ts";

/** A kernel's entry in result.json. */
export const kernelEntry = (
	{ kernel, kind, extraction: { size } }: Item,
	file: string,
	pixel: number,
) => {
	const ends = [...kernel].reduce(
		([low, high], v) => [Math.min(low, v), Math.max(high, v)],
		[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
	);
	return {
		...{ file, kind, pixel, size: [size, size] },
		min: ends[0],
		max: ends[1],
	};
};

/** An item of result.json. */
export function resultOf(
	{
		task,
		extraction,
		kind,
		peak,
		symmetry,
		sectors,
		missed,
		failed,
		scores,
		...rest
	}: Item,
	file: string,
	pixel: number,
) {
	const { method, explained, parameters } = extraction;
	const each = (key: keyof Explained) =>
		Object.fromEntries(Object.entries(explained).map(([m, e]) => [m, e[key]]));
	return {
		method,
		kernel: kernelEntry(
			{
				...{ task, extraction, kind, peak, symmetry, sectors, missed, failed },
				...rest,
			},
			file,
			pixel,
		),
		scatterers: task.scatterers.filter(({ kind: of = 1 }) => of === kind)
			.length,
		explainedVariance: { heldOut: each("heldOut"), inSample: each("inSample") },
		q: peak,
		qMissing: rest.missing,
		sectors: sectors.map(({ direction, peak: q }) => ({ direction, q })),
		failed,
		symmetry: symmetry && symmetryEntry(symmetry),
		missed,
		solution: parameters,
		...(scores ? { comparison: scores } : {}),
	};
}

function symmetryEntry(verdict: SymmetryVerdict) {
	const { order, why, harmonics, mirror, scores } = verdict;
	const scoresBy = (key: "whole" | "anisotropic") =>
		Object.fromEntries(scores.map((s) => [s.order, s[key]]));
	return {
		// An isotropic kernel has every order; 6 is the highest that is tried.
		n: order === "isotropic" ? 6 : order,
		isotropic: order === "isotropic",
		scores: scoresBy("whole"),
		anisotropicScores: scoresBy("anisotropic"),
		...{ harmonics, mirror, why },
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
		rows: items.map(({ task, kind, extraction, peak, scores }) => [
			labelOf(
				{ task, kind },
				extraction.kinds.map((k) => k.kind),
			),
			String(task.scatterers.filter(({ kind: of = 1 }) => of === kind).length),
			NAMES[extraction.method],
			share(extraction.explained[extraction.method]?.heldOut),
			peak ? `${peak.q.toFixed(4)} ± ${peak.error.toFixed(4)}` : "–",
			...(scores ? [scores.ncc.toFixed(3), scores.mae.toFixed(3)] : []),
		]),
	};
}
