/** Whether a kernel found at some places is seen at others: what tells scatterers from noise. */

import { maxOf } from "../../qpi/maths/extremes.ts";
import { MapConvolution } from "../../qpi/operator/convolution.ts";
import { ridgeMap } from "../kernels/refineMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { matched, reachFor } from "./look.ts";
import { step } from "./step.ts";

/** Parts that the map is cut into. */
const FOLDS = 4;
/** Angstrom: wider than ripples go together over. */
const BLOCK = 40;
const STEPS = 16;

/**
 * Of each site its amplitude over the standard deviation, by the kernels of the scatterers elsewhere: each is looked for, where it was found, with kernels that are made without the part of the map that it lies in. Noise gives every place a kernel that suits it, but
 * none that suits other places.
 */
export function supportOf(
	map: SitedMap,
	size: number,
	lambda: number,
): Float64Array {
	const { nx, ny, sites } = map;
	const block = Math.max(
		8,
		Math.min(Math.round(BLOCK / map.pixel), Math.floor(Math.min(nx, ny) / 4)),
	);
	const foldOf = (x: number, y: number) => {
		const [i, j] = [
			Math.floor(Math.max(0, Math.min(nx - 1, Math.round(x))) / block),
			Math.floor(Math.max(0, Math.min(ny - 1, Math.round(y))) / block),
		];
		return (i + 2 * j) % FOLDS;
	};
	const convolution = new MapConvolution(nx, ny, size);
	const standing = new Float64Array(sites.length);
	for (let fold = 0; fold < FOLDS; fold++) {
		const weights = map.weights.map((w, p) =>
			foldOf(Math.floor(p / ny), p % ny) === fold ? 0 : w,
		);
		const fit = ridgeMap({ ...map, weights }, size, { steps: STEPS, lambda });
		const model = fit.system.operator.apply(fit.kernels);
		const background = fit.system.background(map.image, model);
		// What they leave of the whole map, the part left out too.
		const rest = model.map((v, p) =>
			map.weights[p] > 0 ? map.image[p] - v - background[p] : 0,
		);
		const { noise } = matched(map, fit, rest, convolution);
		const sigma = maxOf(noise);
		const { significances } = step(
			{
				...{ nx, ny, rest, weights: map.weights, kernels: fit.kernels, size },
				...{ sigma, reach: reachFor(map.pixel) },
			},
			sites,
		);
		sites.forEach((site, j) => {
			if (foldOf(site.x, site.y) !== fold) return;
			standing[j] = (significances[j] * sigma) / noise[site.kind];
		});
	}
	return standing;
}
