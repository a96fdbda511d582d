/** Writes a folder of one area at several energies, a file an energy, and what is true of it. */
import { writeScatterers } from "../../extraction/marks/scatterers.ts";
import { encodeGsf } from "../../formats/gsf.ts";
import { GENERATOR } from "../../qpi/generator/generator.ts";
import {
	makeSeries,
	type SeriesRecipe,
} from "../../qpi/generator/mapSeries.ts";
import { OutFolder } from "../files/outFolder.ts";
import { TRUTH } from "./mapsFolder.ts";

/**
 * Makes the series in `out`, all or nothing; an earlier one is replaced. The same recipe and seed give the same bytes.
 * @returns the maps' files
 * @throws RangeError on a recipe that the generator refuses, Error where `out` holds other files
 */
export async function makeSeriesFolder(
	out: string,
	recipe: SeriesRecipe,
	seed: number,
): Promise<string[]> {
	const folder = await OutFolder.create(out, TRUTH);
	try {
		const { nx, ny, pixel, scatterers, maps } = makeSeries(recipe, seed);
		const files: string[] = [];
		for (const [i, { energy, image }] of maps.entries()) {
			const file = `map-${String(i + 1).padStart(3, "0")}.gsf`;
			const field = { name: "dI/dV", unit: "", nx, ny, pixel };
			await folder.write(
				file,
				encodeGsf({ ...field, images: [image], energies: [energy] }),
			);
			files.push(file);
		}
		const list = scatterers.map((s) => ({ ...s, quality: 1, keep: true }));
		await folder.write("marks.csv", writeScatterers(list));
		await folder.commit({
			...{ generator: GENERATOR, seed, series: recipe, marks: "marks.csv" },
			maps: maps.map(({ energy, drift }, i) => ({
				...{ file: files[i], energy, drift },
			})),
		});
		return files;
	} finally {
		await folder.discard();
	}
}
