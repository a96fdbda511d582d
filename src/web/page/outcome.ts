/** What the page shows of an image and of an extraction. */

import type { Field } from "../../drawing/panels.ts";
import { resampled } from "../../drawing/picture.ts";
import type { Extraction, Method } from "../../extraction/methods/extract.ts";
import { scanField } from "../../extraction/results/drawPictures.ts";
import {
	type ResultOptions,
	resultNames,
} from "../../extraction/results/files.ts";
import {
	type Analysis,
	endOf,
	findingsOf,
	labelOf,
	NAMES,
} from "../../extraction/results/items.ts";
import { picturesOf, shownImage } from "../../extraction/results/pictures.ts";
import type { Scan } from "../../extraction/scan/scan.ts";
import { render } from "../render.ts";
import type { Outcome } from "./extractTypes.ts";

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

/** By "auto" as extraction chose; by one of the methods without comparison. */
export async function byMethod(
	extraction: Extraction,
	method: Method | "auto",
): Promise<Extraction> {
	if (method === "auto") return extraction;
	const found = await extraction.by(method);
	return { ...found, explained: { [method]: found.explained[method] } };
}

export async function outcomeOf(
	analysis: Analysis,
	{ command, input }: ResultOptions,
	methods: readonly string[],
	adapter: string | null,
): Promise<Outcome> {
	const { items, kinds, shown, taken, warnings } = analysis;
	const dispersion = `dispersion${endOf(shown.kind, kinds)}`;
	const band = picturesOf(analysis).find(([name]) => name === dispersion);
	return {
		names: resultNames(analysis),
		items: items.map((item) => {
			const { task, extraction, spectrum, kernel, uncertainty, peak: q } = item;
			return {
				label: labelOf(item, kinds),
				method: NAMES[extraction.method],
				kernel,
				uncertainty,
				size: extraction.size,
				nx: extraction.nx,
				ny: extraction.ny,
				image: shownImage(task),
				model: extraction.model,
				residual: extraction.residual,
				spectrum,
				q,
				findings: findingsOf(analysis, item),
				explained: (Object.keys(NAMES) as Method[]).flatMap((m) => {
					const e = extraction.explained[m];
					return e
						? [{ ...e, name: NAMES[m], chosen: m === extraction.method }]
						: [];
				}),
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
		warnings,
		methods,
		command,
		file: input.file,
		dispersion:
			(band && new Blob([await render(band[3])], { type: "image/png" })) ??
			null,
		adapter,
	};
}
