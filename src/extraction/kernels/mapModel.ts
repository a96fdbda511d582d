import type { Site } from "../../qpi/operator/mapOperator.ts";
import type { MapSystem } from "../../qpi/posterior/mapPosterior.ts";
import type { AdjustedSites } from "../marks/adjustMarks.ts";
import type { Extraction, FoundScatterer } from "./extraction.ts";
import { inAngstrom } from "./markedMap.ts";
import { kindOf } from "./refineMap.ts";
import type { SitedMap } from "./sitedMap.ts";

/**
 * The kernels, as they are shown, at every scatterer of a map and the background that explains most of the rest; and the map less that.
 *
 * @param kernels [kinds][size][size]
 * @param turned what a kernel is shown as
 */
export function modelOf(
	map: SitedMap,
	kernels: Float64Array,
	{ size, system }: { readonly size: number; readonly system: MapSystem },
	turned: (kernel: Float64Array) => Float32Array,
): Pick<Extraction, "model" | "residual"> {
	const shown = new Float64Array(kernels.length);
	for (let s = 0; s < map.kinds; s++)
		shown.set(turned(kindOf({ kernels, size }, s)), s * size ** 2);
	const model = system.operator.apply(shown);
	const background = system.background(map.image, model);
	const whole = model.map((v, p) => v + background[p]);
	return {
		model: Float32Array.from(whole),
		residual: Float32Array.from(whole, (v, p) =>
			map.weights[p] > 0 ? map.image[p] - v : 0,
		),
	};
}

/**
 * Sites of a map in the frame of its marks, with how sure each is.
 *
 * @param kinds the marks' numbers of the kinds
 * @param pixel of the map that `change` was found on, Angstrom
 */
export const foundScatterers = (
	map: SitedMap,
	sites: readonly Required<Site>[],
	kinds: readonly number[],
	change: AdjustedSites,
	pixel: number,
): FoundScatterer[] =>
	sites.map((site, j) => ({
		...inAngstrom(site, map),
		weight: site.weight,
		kind: kinds[site.kind],
		errors: {
			weight: change.errors[j].weight,
			x: change.errors[j].x * pixel,
			y: change.errors[j].y * pixel,
		},
		amplitude: change.amplitudes[j],
		significance: change.significances[j],
	}));
