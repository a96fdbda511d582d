/** What kernels explain of pixels that they were not fitted to. */
import type { Accuracy } from "../../qpi/posterior/lanczos.ts";
import type { MapSystem } from "../../qpi/posterior/mapPosterior.ts";
import type { ManySolver } from "../../qpi/posterior/solveMany.ts";
import type { MapKernels } from "./furtherImages.ts";
import { misfitOf, systemOf } from "./refineMap.ts";
import type { MapSolution, SitedMap } from "./sitedMap.ts";

/** Parts that a map is cut into; each is held out once. */
export const FOLDS = 4;
/** What the kernels change by without a part needs no more digits than this. */
const ROUGH: Accuracy = { tolerance: 0.3, steps: 16 };
/** And in each of a stack's images: the share is off by 0.0005, the changes by a tenth, and it takes half the time. */
export const OF_MANY: Accuracy = { tolerance: 0.5, steps: 8 };

/** Which part of a map each pixel is held out with: blocks as wide as the kernels' radius `window`, Angstrom. */
export function foldsOf(
	{ nx, ny, pixel }: Pick<SitedMap, "nx" | "ny" | "pixel">,
	window: number,
): Uint8Array {
	const block = Math.max(
		4,
		Math.min(Math.round(window / pixel), Math.floor(Math.min(nx, ny) / 4)),
	);
	return Uint8Array.from(
		{ length: nx * ny },
		(_, p) =>
			(Math.floor(Math.floor(p / ny) / block) +
				2 * Math.floor((p % ny) / block)) %
			FOLDS,
	);
}

/**
 * What kernels explain of pixels held out in blocks as wide as the kernels' radius, in four folds. Smaller blocks would be explained by a smooth kernel as large as the map,
 * whatever the marks. Sites, lambda and prior stay those of the whole map.
 */
export class HeldOut {
	readonly #map: SitedMap;
	readonly #whole: MapSystem;
	/** Which part a pixel is held out with. */
	readonly #folds: Uint8Array;
	/** The map without one of the parts each. */
	readonly #systems: readonly MapSystem[];

	/** @param fit with the sites and weights that are kept @param window radius of the kernels, Angstrom */
	constructor(
		map: SitedMap,
		{ system, size, sites }: Pick<MapSolution, "system" | "size" | "sites">,
		window: number,
	) {
		const folds = foldsOf(map, window);
		this.#map = map;
		this.#whole = system;
		this.#folds = folds;
		this.#systems = Array.from({ length: FOLDS }, (_, fold) => {
			const seen = system.weights.map((w, p) => (folds[p] === fold ? 0 : w));
			return systemOf(map, size, sites, seen);
		});
	}

	/** The kernels of an image without each of the parts, and the share of the variance of the pixels left out that they explain. */
	async judge(
		image: ArrayLike<number>,
		{ kernels: all, covariance, lambda }: MapKernels,
		solver: ManySolver,
		accuracy = ROUGH,
	): Promise<{ share: number; kernels: Float64Array[] }> {
		// (N' C + lambda) u' = b' from (N C + lambda) u = b: the change u' - u is small, and soon found.
		const known = this.#whole.see(image).right;
		const explained = this.#whole.matrix.apply(all);
		const rights = this.#systems.map((system) => {
			const own = system.matrix.apply(all);
			const right = system
				.see(image)
				.right.map((v, i) => v - known[i] + explained[i] - own[i]);
			return { system, right };
		});
		const changes = await solver.solve(rights, covariance, lambda, accuracy);
		const kernels = changes.map((by) => by.map((v, i) => v + all[i]));
		const { weights } = this.#whole;
		const nothing = new Float64Array(this.#map.nx * this.#map.ny);
		const flat = this.#whole.background(image, nothing);
		let [left, total] = [0, 0];
		for (const [fold, system] of this.#systems.entries()) {
			const model = system.operator.apply(kernels[fold]);
			const background = system.background(image, model);
			weights.forEach((w, p) => {
				if (!(w > 0) || this.#folds[p] !== fold) return;
				left += w * (image[p] - model[p] - background[p]) ** 2;
				total += w * (image[p] - flat[p]) ** 2;
			});
		}
		return { share: total > 0 ? 1 - left / total : 0, kernels };
	}
}

/** Share of the variance explained of the pixels that were fitted. */
export function inSample(
	map: SitedMap,
	fit: Pick<MapSolution, "system" | "kernels">,
): number {
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
