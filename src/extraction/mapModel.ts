import type { MapSystem } from "../qpi/mapPosterior.ts";
import type { Extraction } from "./extraction.ts";
import { kindOf, type SitedMap } from "./refineMap.ts";

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
