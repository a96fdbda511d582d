/** What the page shows of an image and of an extraction. */

import { clipLimit } from "../../../drawing/colour.ts";
import type { Field } from "../../../drawing/panels.ts";
import { resampled } from "../../../drawing/picture.ts";
import type {
	Extraction,
	Method,
} from "../../../extraction/methods/extract.ts";
import { energyLabels } from "../../../extraction/results/choose.ts";
import {
	aboutMedian,
	scanField,
} from "../../../extraction/results/drawPictures.ts";
import {
	type ResultOptions,
	resultNames,
} from "../../../extraction/results/files.ts";
import type { Item } from "../../../extraction/results/item.ts";
import {
	type Analysis,
	findingsOf,
	isEmpty,
	labelOf,
	NAMES,
} from "../../../extraction/results/items.ts";
import {
	dispersionPicture,
	dispersionTitle,
	shownImage,
} from "../../../extraction/results/pictures.ts";
import type { Scan } from "../../../extraction/scan/scan.ts";
import { render } from "../../render.ts";
import { analysisPictures } from "./analyse.ts";
import type {
	Analysed,
	LayerRequest,
	Outcome,
	ShownImage,
} from "./extractTypes.ts";

/** The longer side of a scan as it is shown, pixels: its own, so that they are seen where the view is enlarged, of all but the largest. */
const SHOWN = 2048;

/** The scan at no more than SHOWN pixels a side. */
export function small(scan: Scan, counts: Float32Array): Field {
	const field = scanField(scan, counts);
	const shrink = SHOWN / Math.max(scan.nx, scan.ny);
	if (shrink >= 1) return field;
	const [nx, ny] = [scan.nx, scan.ny].map((n) =>
		Math.max(1, Math.round(n * shrink)),
	);
	const values = Float32Array.from(
		resampled(field.values, scan, nx, ny, false),
	);
	return { ...field, values, nx, ny };
}

/** Model or residual over the picture: the model has the data's scale, the residual that about zero. */
export function layerOf({
	name,
	image,
	values,
	nx,
	ny,
	spacing,
	centre,
}: LayerRequest): ShownImage {
	const scan = { nx, ny, spacing: { x: spacing, y: spacing } };
	const counts = Float32Array.from(image, (v) => (Number.isNaN(v) ? 0 : 1));
	const field = small({ ...scan, image: values }, counts);
	const [low, high] = aboutMedian(image);
	const reach = (high - low) / 2;
	return {
		field: {
			...field,
			x: [centre.x + field.x[0], centre.x + field.x[1]],
			y: [centre.y + field.y[0], centre.y + field.y[1]],
		},
		range: name === "model" ? [low, high] : [-reach, reach],
	};
}

/** By "auto" as extraction chose; by one of the methods without comparison. */
export async function byMethod(
	extraction: Extraction,
	method: Method | "auto",
): Promise<Extraction> {
	if (method === "auto") return extraction;
	const found = await extraction.by(method);
	return { ...found, explained: { [method]: found.explained[method] } };
}

/** The arrays in it are its own. */
export async function outcomeOf(
	analysis: Analysis,
	{ command, input }: ResultOptions,
	methods: readonly string[],
	adapter: string | null,
): Promise<Outcome> {
	const { items, kinds, shown, taken } = analysis;
	const { findings, ...said } = await analysedOf(analysis, command);
	return {
		...said,
		items: items.map((item, i) => {
			const { task, extraction, spectrum, kernel, uncertainty, peak: q } = item;
			const image = shownImage(task).slice();
			const measured = image.filter(Number.isFinite).sort();
			const median = measured[measured.length >> 1] ?? 0;
			return {
				label: labelOf({ ...item, task: named(task, items, kinds) }, kinds),
				method: NAMES[extraction.method],
				kernel: kernel.slice(),
				uncertainty: uncertainty.slice(),
				size: extraction.size,
				nx: extraction.nx,
				ny: extraction.ny,
				image,
				model: extraction.model.slice(),
				residual: extraction.residual.slice(),
				...{ median, limit: clipLimit(measured.map((v) => v - median)) },
				spectrum: { ...spectrum, magnitude: spectrum.magnitude.slice() },
				q,
				findings: findings[i],
				explained: (Object.keys(NAMES) as Method[]).flatMap((m) => {
					const e = extraction.explained[m];
					return e
						? [{ ...e, name: NAMES[m], chosen: m === extraction.method }]
						: [];
				}),
				missed: item.missed,
				marks: extraction.scatterers.map((s) => ({
					x: taken.centre.x + s.x,
					y: taken.centre.y + s.y,
					significance: s.significance,
					empty: isEmpty(s),
				})),
				places: task.scatterers.map(({ x, y }) => ({
					x: taken.centre.x + x,
					y: taken.centre.y + y,
				})),
			};
		}),
		shown: items.indexOf(shown),
		spacing: taken.pixel,
		centre: taken.centre,
		unit: taken.unit,
		methods,
		file: input.file,
		adapter,
	};
}

/** The only image by its energy, as the picture has it: results call it by its file, which the page shows anyway. */
function named(
	task: Item["task"],
	items: readonly Item[],
	kinds: readonly number[],
): Item["task"] {
	const { energy } = task;
	return items.length > kinds.length || energy === undefined
		? task
		: { ...task, label: energyLabels([energy])(energy) };
}

/** What follows from the kernels; there are no arrays in it. */
export async function analysedOf(
	analysis: Analysis,
	command: string,
): Promise<Analysed> {
	const { items, kinds, bands, shown, warnings, more } = analysis;
	const k = kinds.indexOf(shown.kind);
	const band =
		bands[k] && dispersionPicture(bands[k], dispersionTitle(kinds, k));
	return {
		names: resultNames(analysis),
		findings: items.map((item) => findingsOf(analysis, item)),
		...{ warnings, command },
		dispersion: band
			? new Blob([await render(band)], { type: "image/png" })
			: null,
		pictures: await analysisPictures(analysis),
		told: more?.findings ?? [],
	};
}
