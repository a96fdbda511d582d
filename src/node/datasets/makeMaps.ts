/** Writes a folder of maps whose kernels are known: maps, marks, kernels, and truth.json, which lists them. */
import { writeScatterers } from "../../extraction/marks/scatterers.ts";
import { encodeNpy } from "../../formats/npy.ts";
import { GENERATOR } from "../../qpi/generator/generator.ts";
import {
	drawRecipe,
	type MapRanges,
	makeMap,
} from "../../qpi/generator/maps.ts";
import { OutFolder } from "../files/outFolder.ts";
import { isIn, markOf, type Shard } from "../files/shard.ts";
import { TRUTH, type TrueMap } from "./mapsFolder.ts";

/** What to make, and where. */
export interface MakeMapsOptions {
	readonly out: string;
	/** How many maps. */
	readonly maps: number;
	readonly seed: number;
	readonly ranges: MapRanges;
	/** Only these of the maps. */
	readonly shard?: Shard;
	/** Told before each map how many are done, of how many, and at the end. */
	readonly onMap?: (done: number, total: number) => void;
}

/**
 * Makes maps in `out`, all or none; earlier ones in it are replaced. The same options give the same bytes. Returns what truth.json says of them.
 * @throws RangeError on a map that the generator refuses, Error where `out` holds other files
 */
export async function makeMaps(
	options: MakeMapsOptions,
): Promise<Record<string, TrueMap>> {
	const { out, maps: count, seed, ranges, shard, onMap } = options;
	const folder = await OutFolder.create(out, TRUTH);
	const maps: Record<string, TrueMap> = {};
	const own = Array.from({ length: count }, (_, i) => i).filter((i) =>
		isIn(shard, i),
	);
	try {
		for (const [done, i] of own.entries()) {
			onMap?.(done, own.length);
			const name = `map-${String(i + 1).padStart(3, "0")}`;
			const recipe = drawRecipe(ranges, seed, i);
			const map = makeMap(recipe, seed, i);
			const { image, nx, ny, pixel, scatterers } = map;
			const [file, marks] = [`${name}.npy`, `${name}-marks.csv`];
			await folder.write(file, encodeNpy(image, [nx, ny]));
			const list = scatterers.map((s) => ({ ...s, quality: 1, keep: true }));
			await folder.write(marks, writeScatterers(list));
			const kernels: string[] = [];
			for (const { values, size } of map.kernels) {
				const number = kernels.length + 1;
				const kernel = `${name}-kernel${number > 1 ? `-${number}` : ""}.npy`;
				await folder.write(kernel, encodeNpy(values, [size, size]));
				kernels.push(kernel);
			}
			const made = {
				...recipe,
				field: [nx * pixel, ny * pixel],
				scatterers: scatterers.length,
				families: map.kernels.map(({ family }) => family),
			};
			maps[name] = { ...made, file, pixel, marks, kernels };
		}
		onMap?.(own.length, own.length);
		await folder.commit({
			...{ generator: GENERATOR, seed, options: ranges },
			...markOf(shard, count),
			maps,
		});
	} finally {
		await folder.discard();
	}
	return maps;
}
