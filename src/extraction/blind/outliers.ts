/** Heaps that are no scatterers: what a search leaves of a map where it stands out too far. */

import { spreadOf } from "./grid.ts";
import type { Searched } from "./searched.ts";
import type { State } from "./state.ts";

/** Robust standard deviations of what is left that no pattern explains. */
const FAR = 10;
/** Angstrom around such a place that do not count either. */
const MARGIN = 12;
/** Where more of the scatterers than this share lie at such places, it is they that stand out. */
const SHARE = 0.3;

/**
 * The search without the areas that stand out by far more than the kernel found there, as clusters do among adatoms; undefined where there are none.
 * @param image of the map that is searched, before it was clipped
 */
export function withoutHeaps(
	searched: Searched,
	image: ArrayLike<number>,
	{ map, fit }: State,
): Searched | undefined {
	const { nx, ny, weights, pixel } = map;
	const model = fit.system.operator.apply(fit.kernels);
	const rest = Float64Array.from(model, (v, p) =>
		weights[p] > 0 ? image[p] - v : 0,
	);
	const least = FAR * spreadOf(rest, weights);
	const kept = Float64Array.from(weights);
	const reach = Math.round(MARGIN / pixel);
	let found = false;
	for (let x = 0; x < nx; x++)
		for (let y = 0; y < ny; y++) {
			if (!(Math.abs(rest[x * ny + y]) > least)) continue;
			found = true;
			for (let i = -reach; i <= reach; i++)
				for (let j = -reach; j <= reach; j++) {
					const [u, v] = [x + i, y + j];
					if (
						i * i + j * j <= reach * reach &&
						u >= 0 &&
						v >= 0 &&
						u < nx &&
						v < ny
					)
						kept[u * ny + v] = 0;
				}
		}
	const hit = map.sites.filter(({ x, y }) => {
		const [u, v] = [Math.round(x), Math.round(y)];
		return u >= 0 && v >= 0 && u < nx && v < ny && !(kept[u * ny + v] > 0);
	}).length;
	if (!found || hit > SHARE * map.sites.length) return undefined;
	return {
		...searched,
		map: { ...searched.map, weights: kept },
		seen: { ...searched.seen, weights: kept },
	};
}
