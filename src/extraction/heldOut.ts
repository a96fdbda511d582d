/** What kernels explain of pixels that they were not fitted to. */
import type { ManySolver } from "../qpi/solveMany.ts";
import {
	type MapSolution,
	misfitOf,
	type SitedMap,
	systemOf,
} from "./refineMap.ts";

/** Parts that a map is cut into; each is held out once. */
const FOLDS = 4;
/** Kernels without a part need no more digits than this. */
const ROUGH = { tolerance: 0.15, steps: 20 };

/**
 * The kernels without each of the parts, and the share of the variance of the pixels left out that they explain: blocks as wide as the kernels' radius, in four folds. Smaller blocks
 * would be explained by a smooth kernel as large as the map, whatever the marks. Sites, lambda and prior stay those of the whole map.
 */
export async function heldOut(
	map: SitedMap,
	fit: MapSolution,
	window: number,
	solver: ManySolver,
): Promise<{ share: number; kernels: Float64Array[] }> {
	const { nx, ny, image } = map;
	const { weights } = fit.system;
	const block = Math.max(
		4,
		Math.min(Math.round(window / map.pixel), Math.floor(Math.min(nx, ny) / 4)),
	);
	const foldOf = (p: number) =>
		(Math.floor(Math.floor(p / ny) / block) +
			2 * Math.floor((p % ny) / block)) %
		FOLDS;
	const rights = Array.from({ length: FOLDS }, (_, fold) => {
		const seen = weights.map((w, p) => (foldOf(p) === fold ? 0 : w));
		const system = systemOf(map, fit.size, fit.sites, seen);
		return { system, right: system.see(image).right };
	});
	const kernels = await solver.solve(rights, fit.covariance, fit.lambda, ROUGH);
	const flat = fit.system.background(image, new Float64Array(nx * ny));
	let [left, total] = [0, 0];
	for (const [fold, { system }] of rights.entries()) {
		const model = system.operator.apply(kernels[fold]);
		const background = system.background(image, model);
		weights.forEach((w, p) => {
			if (!(w > 0) || foldOf(p) !== fold) return;
			left += w * (image[p] - model[p] - background[p]) ** 2;
			total += w * (image[p] - flat[p]) ** 2;
		});
	}
	return { share: total > 0 ? 1 - left / total : 0, kernels };
}

export function inSample(map: SitedMap, fit: MapSolution): number {
	const { weights } = fit.system;
	const { rest } = misfitOf(map, fit);
	const flat = fit.system.background(
		map.image,
		new Float64Array(map.nx * map.ny),
	);
	let [left, total] = [0, 0];
	weights.forEach((w, p) => {
		if (!(w > 0)) return;
		left += w * rest[p] ** 2;
		total += w * (map.image[p] - flat[p]) ** 2;
	});
	return total > 0 ? 1 - left / total : 0;
}
