/** What is asked of kernels that are there already. */
import { NIGHT, type Palette, type Picture } from "../../../drawing/picture.ts";
import {
	type Analysis,
	findingsOf,
} from "../../../extraction/results/items.ts";
import type { PhysicsOptions } from "../../../extraction/results/physics.ts";
import type { Taken } from "../../../extraction/results/take.ts";
import { render } from "../../render.ts";
import type { AnalysisChoice, AnalysisPicture } from "./analysisTypes.ts";

/** As the command line understands it. */
export const physicsOf = ({
	cut,
	peakShape,
	ring,
	symmetrised,
}: AnalysisChoice): PhysicsOptions => ({
	...{ cut, peakShape, symmetrised },
	ring: ring === true ? "q*" : ring,
});

/** The same kernels of the same images, of which a lattice is known now, or no longer. */
export function withTaken(base: Analysis, taken: Taken): Analysis {
	const items = base.items.map((item) => ({
		...item,
		task: taken.tasks[base.taken.tasks.indexOf(item.task)],
	}));
	const all = {
		...base,
		...{ items, taken },
		shown: items[base.items.indexOf(base.shown)],
	};
	return {
		...all,
		findings: findingsOf(all, all.shown),
		warnings: [...new Set([...taken.warnings, ...base.warnings])],
	};
}

/** Pictures of what was asked for; the spectra are views of their own. */
export async function analysisPictures({
	more,
}: Analysis): Promise<AnalysisPicture[]> {
	const pictures: AnalysisPicture[] = [];
	for (const [name, title, caption, picture] of more?.pictures ?? [])
		if (name !== "map-spectrum")
			pictures.push({
				...{ name, title, caption },
				png: await pngOf(picture),
				dark: await pngOf(picture, NIGHT),
			});
	return pictures;
}

const pngOf = async (picture: Picture, palette?: Palette): Promise<Blob> =>
	new Blob([await render(picture, palette)], { type: "image/png" });
