/** What the page shows of an extraction. */
import type { Method } from "../../extraction/extract.ts";
import type { ResultOptions } from "../../results/files.ts";
import { type Analysis, NAMES } from "../../results/items.ts";
import { picturesOf, shownImage } from "../../results/pictures.ts";
import { render } from "../render.ts";
import type { Outcome } from "./extractTypes.ts";

export async function outcomeOf(
	{ items, shown, taken, findings, warnings, band }: Analysis,
	{ command }: ResultOptions,
	adapter: string | null,
): Promise<Outcome> {
	const charts: Record<string, Blob> = {};
	for (const [name, , , picture] of picturesOf({
		items,
		shown,
		taken,
		band,
		findings,
		warnings,
	}))
		if (name === "profile" || name === "dispersion")
			charts[name] = new Blob([await render(picture)], { type: "image/png" });
	const scale = taken.spacing / (400 / 63);
	return {
		items: items.map(({ task, extraction, spectrum, peak }) => ({
			label: task.label,
			energy: task.energy,
			method: NAMES[extraction.method],
			kernel: extraction.kernel,
			uncertainty: extraction.uncertainty,
			image: shownImage(task),
			model: extraction.model,
			residual: extraction.residual,
			spectrum,
			q: peak,
			explained: (Object.keys(NAMES) as Method[]).flatMap((m) => {
				const e = extraction.explained[m];
				return e
					? [{ ...e, name: NAMES[m], chosen: m === extraction.method }]
					: [];
			}),
			places: task.scatterers.map(({ x, y }) => ({
				x: taken.centre.x + x * scale,
				y: taken.centre.y + y * scale,
			})),
		})),
		shown: items.indexOf(shown),
		spacing: taken.spacing,
		centre: taken.centre,
		unit: taken.unit,
		findings,
		warnings,
		command,
		charts,
		adapter,
	};
}
