/** How far in q a kernel can be believed, which is not always as far as its pixels go. */

import { OKABE_ITO } from "../../drawing/colour.ts";
import type { HeatLayer } from "../../drawing/heat.ts";
import type { Extraction } from "../kernels/extraction.ts";

export interface QLimit {
	/** 1/A: up to here waves have their full height. Where kernels were solved for in bins, the bins' Nyquist wave vector. */
	readonly whole: number;
	/** 1/A: beyond this no wave is looked for, 0.95 of the pixels' Nyquist wave vector. */
	readonly most: number;
	/** Pixels along a side that were one while the kernel was solved for. */
	readonly bins: number;
}

export function qLimitOf({
	shown,
	taken,
}: {
	readonly shown: { readonly extraction: Pick<Extraction, "parameters"> };
	/** Angstrom. */
	readonly taken: { readonly pixel: number };
}): QLimit {
	const { binned } = shown.extraction.parameters;
	const bins = typeof binned === "number" ? binned : 1;
	const most = (0.95 * Math.PI) / taken.pixel;
	return { bins, most, whole: Math.min(most, Math.PI / taken.pixel / bins) };
}

/** A line where the kernel's heights end before its pixels do. What is said of heights was measured on made maps (src/extraction/README.md). */
export const qLimitLines = ({ whole, most, bins }: QLimit): string[] =>
	bins > 1
		? [
				`q limit: waves up to ${whole.toFixed(2)} 1/Å are whole, for kernels were solved for in bins of ${bins} x ${bins} pixels; from there to ${most.toFixed(2)} those that stand above the noise keep their q and may lose half of their height or more, and weaker ones are missed: a shorter --window has smaller bins`,
			]
		: [];

/** The same as a line across E(q), where the picture reaches that far. */
export const qLimitLayer = (
	{ whole, bins }: QLimit,
	reach: number,
	energies: readonly number[],
): HeatLayer[] =>
	bins > 1 && whole < reach
		? [
				{
					name: `bins of ${bins} x ${bins} pixels: beyond, waves are damped`,
					colour: OKABE_ITO.grey,
					points: energies.map((energy) => ({ x: whole, y: 1000 * energy })),
					line: true,
				},
			]
		: [];
