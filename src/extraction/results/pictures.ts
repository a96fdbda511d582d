/** The pictures of an extraction, with their captions, in the report's order. */

import type { Picture } from "../../drawing/picture.ts";
import { HBAR2_2M } from "../../qpi/generator/bands.ts";
import { evenly } from "../../qpi/maths/evenly.ts";
import { type Dispersion, describeDispersion } from "../findings/dispersion.ts";
import { dispersionChart, profileChart } from "./charts.ts";
import type { Drawn } from "./drawn.ts";
import {
	fitPicture,
	kernelPicture,
	kernelsPicture,
	measuredPicture,
	scanField,
	spectrumPicture,
	stepsPicture,
	uncertaintyPicture,
} from "./drawPictures.ts";
import type { Item } from "./item.ts";
import {
	type Analysis,
	degrees,
	endOf,
	isEmpty,
	labelOf,
	NAMES,
} from "./items.ts";
import { braggMarks, latticeFigure } from "./latticePicture.ts";
import type { ExtractionTask } from "./take.ts";

/** Pixels of which less than half counts are shown as not used. */
export const shownImage = ({ image, weights }: ExtractionTask) =>
	weights ? image.map((v, i) => (weights[i] < 0.5 ? Number.NaN : v)) : image;

/** Kernels that are drawn beside each other at most. */
const MOST_KERNELS = 50;

export function picturesOf({
	items,
	kinds,
	shown,
	taken,
	bands,
	more,
}: Analysis): Drawn[] {
	const { task, extraction, spectrum, peak, sectors } = shown;
	const { kernel, uncertainty } = shown;
	const { pixel: spacing, centre, unit, scatterers } = taken;
	const { model, residual, method } = extraction;
	const used = extraction.scatterers.map((s) => ({
		x: centre.x + s.x,
		y: centre.y + s.y,
		keep: !isEmpty(s),
	}));
	const pictures: Drawn[] = [
		[
			"kernel",
			`The kernel (${NAMES[method]})`,
			"The pattern that one scatterer of amplitude 1 makes. Red is above zero, blue below.",
			kernelPicture(kernel, spacing, `Kernel, ${labelOf(shown, kinds)}`, unit),
		],
		[
			"fit",
			"Does it explain the image?",
			"Left: the image that was fitted; grey is not used. Middle: the kernels put back at all scatterers, and the background. Right: what is left, on the same scale; a pattern there means scatterers that are missing, wrong or of another kind. Rings are scatterers, crosses those at which the image has nothing.",
			fitPicture(
				shownImage(task),
				model,
				residual.map((v, p) =>
					(task.weights?.[p] ?? 1) < 0.5 ? Number.NaN : v,
				),
				{ ...task, spacing, centre },
				used,
				unit,
			),
		],
		[
			"uncertainty",
			"How sure it is",
			"One standard deviation of each pixel of the kernel.",
			uncertaintyPicture(uncertainty, kernel, spacing, unit),
		],
		[
			"spectrum",
			"In wave vectors",
			`The kernel's |FFT|${peak ? "; the circle is q*, the mean over all directions" : ""}${sectors.some((s) => s.peak) ? "; the rings are the wave vectors along the axes of symmetry" : ""}${taken.correction ? "; crosses are the reciprocal lattice's" : ""}.`,
			spectrumPicture(spectrum, Math.PI / spacing, peak ? [peak.q] : [], [
				...braggMarks(taken.correction, spacing),
				...sectors.flatMap(({ direction, peak: q }) =>
					(q ? [q.q, -q.q] : []).map((r) => ({
						x: r * Math.cos(direction),
						y: r * Math.sin(direction),
						keep: true,
					})),
				),
			]),
		],
		[
			"profile",
			"Profile over q",
			"Mean over all directions, and along the axes of symmetry where there are any. Waves that go out (half planes) have their maximum at q = 2k whatever their phase; the plain |FFT| has an edge there.",
			profilePicture(shown),
		],
	];
	if (task.prepared) {
		const marks = (scatterers ?? []).map((s, i) => ({
			...s,
			label: String(i + 1),
		}));
		pictures.unshift([
			"measured",
			"What was measured",
			"The image at its own resolution after repair and flattening, and its scatterers, numbered as in scatterers.csv.",
			measuredPicture(
				scanField(task.prepared.whole, task.prepared.counts),
				marks,
				task.label,
				unit,
			),
		]);
		pictures.push([
			"steps",
			"Preprocessing, step by step",
			"Each step as it leaves the image; every one can be switched off.",
			stepsPicture(
				task.prepared.steps.map(({ name, note, scan }) => ({
					name,
					note,
					field: scanField(scan),
				})),
				unit,
			),
		]);
	}
	if (taken.correction && task.prepared)
		pictures.push(latticeFigure(taken.correction, task.prepared));
	if (items.length > 1) {
		const images = items.length / kinds.length;
		const few = evenly(
			Array.from({ length: images }, (_, i) => i),
			Math.max(1, Math.floor(MOST_KERNELS / kinds.length)),
		);
		const chosen = items.filter((_, i) =>
			few.includes(Math.floor(i / kinds.length)),
		);
		pictures.push([
			"kernels",
			chosen.length < items.length
				? `Kernels of ${few.length} of ${images} images`
				: "All kernels",
			"Each on its own scale, zero in the middle.",
			kernelsPicture(
				[
					...(taken.truth
						? [{ label: "the file's kernel", kernel: taken.truth }]
						: []),
					...chosen.map((item) => ({
						label: labelOf(item, kinds),
						kernel: item.kernel,
						notes: item.scores
							? [
									`NCC ${item.scores.ncc.toFixed(3)}, MAE ${item.scores.mae.toFixed(3)}`,
								]
							: [],
					})),
				],
				spacing,
				unit,
				// Those of one image side by side.
				kinds.length * Math.max(1, Math.floor(5 / kinds.length)),
			),
		]);
	}
	bands.forEach((band, k) => {
		const title = dispersionTitle(kinds, k);
		const picture = band && dispersionPicture(band, title);
		if (picture)
			pictures.push([
				`dispersion${endOf(kinds[k], kinds)}`,
				...([title, describeDispersion(band), picture] as const),
			]);
	});
	for (const [name, title, caption, picture] of more?.pictures ?? [])
		pictures.push([name, title, caption, picture]);
	return pictures;
}

/** A kernel's profile over q: all that stands out in it. */
export const profilePicture = ({
	profile,
	plain,
	peak,
	sectors,
}: Pick<Item, "profile" | "plain" | "peak" | "sectors">): Picture =>
	profileChart(
		[
			{ name: "outgoing waves", ...profile },
			{ name: "plain |FFT|", ...plain },
			...sectors.map(({ direction, profile: { q, value } }) => ({
				name: `outgoing waves along ${degrees(direction)}`,
				q,
				value,
			})),
		],
		peak
			? [
					{
						...peak,
						name: `q* = ${peak.q.toFixed(3)} ± ${peak.error.toFixed(3)} 1/Å`,
					},
				]
			: [],
	);

/** @param k which of the kinds */
export const dispersionTitle = (kinds: readonly number[], k: number): string =>
	`Dispersion${kinds.length > 1 ? ` of kind ${kinds[k]}` : ""}`;

/** q(E) and its fit; null without a single q*, where there would be axes and nothing in them. @param at an energy (eV) that a line is drawn at */
export function dispersionPicture(
	{ points, fit }: Dispersion,
	title: string,
	at?: number,
): Picture | null {
	const found = points.flatMap(({ energy, peak: p }) =>
		p
			? [
					{
						...{ energy, q: p.q, error: p.error },
						outlier: fit?.dropped.includes(energy),
					},
				]
			: [],
	);
	return found.length === 0
		? null
		: dispersionChart(
				title,
				found,
				fit && {
					name: `m* = ${fit.mass.toFixed(3).replace("-", "−")} ± ${fit.massError.toFixed(3)} mₑ, E₀ = ${(1000 * fit.bottom).toFixed(1).replace("-", "−")} ± ${(1000 * fit.bottomError).toFixed(1)} meV`,
					energyAt: (q) => fit.bottom + (HBAR2_2M * (q / 2) ** 2) / fit.mass,
				},
				at,
			);
}
