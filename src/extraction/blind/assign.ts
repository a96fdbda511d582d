/** Which kind each scatterer is of. */
import { maxOf } from "../../qpi/maths/extremes.ts";
import type { Site } from "../../qpi/operator/mapOperator.ts";
import { kindOf } from "../kernels/refineMap.ts";
import type { MapSolution, SitedMap } from "../kernels/sitedMap.ts";
import { shiftedKernel } from "../marks/markEquations.ts";

/** Angstrom about a site in which kinds are compared. */
const NEAR = 28;
/** What another kind must explain more, standard deviations squared, for a site to change. */
const MORE = 4;

/**
 * Gives each site the kind whose kernel explains most of what is seen there (what the model leaves, and the site's own pattern), and moves sites with their kinds' centres.
 * @param shifts pixels, of each kind
 */
export function assigned(
	map: SitedMap,
	found: { readonly fit: MapSolution; readonly rest: Float64Array },
	shifts?: readonly { readonly dx: number; readonly dy: number }[],
): { sites: Required<Site>[]; changes: number } {
	let changes = 0;
	const sites = map.sites.map((site) => {
		let { kind } = site;
		if (map.kinds > 1) {
			const { gains } = compared(map, found, site);
			const best = gains.indexOf(maxOf(gains));
			const sigma2 = found.fit.sigma ** 2;
			if (gains[best] - gains[kind] > MORE * sigma2) {
				kind = best;
				changes++;
			}
		}
		const shift = shifts?.[kind];
		return shift
			? { ...site, kind, x: site.x + shift.dx, y: site.y + shift.dy }
			: { ...site, kind };
	});
	return { sites, changes };
}

/** Correlation of the square about a site, its own pattern put back, with its kind's kernel; 0 where they have nothing in common. */
export function likenessOf(
	map: SitedMap,
	found: { readonly fit: MapSolution; readonly rest: Float64Array },
	site: Required<Site>,
): number {
	const { gains, seen } = compared(map, found, site);
	return seen > 0 ? Math.sqrt(gains[site.kind] / seen) : 0;
}

/** In the map's units squared: what is seen in the square about a site, its own pattern put back, and what each kind's kernel alone explains of it. */
function compared(
	map: SitedMap,
	{ fit, rest }: { readonly fit: MapSolution; readonly rest: Float64Array },
	site: Required<Site>,
): { gains: number[]; seen: number } {
	const { nx, ny, weights, kinds } = map;
	const reach = Math.min(Math.round(NEAR / map.pixel), (fit.size - 1) / 2);
	const side = 2 * reach + 1;
	const [px, py] = [Math.round(site.x), Math.round(site.y)];
	const kernels = Array.from({ length: kinds }, (_, s) =>
		shiftedKernel(kindOf(fit, s), fit.size, px - site.x, py - site.y, reach),
	);
	let total = 0;
	const [sums, powers] = [new Float64Array(kinds), new Float64Array(kinds)];
	for (let i = 0; i < side; i++)
		for (let j = 0; j < side; j++) {
			const [x, y] = [px - reach + i, py - reach + j];
			if (x < 0 || y < 0 || x >= nx || y >= ny) continue;
			const w = weights[x * ny + y];
			if (!(w > 0)) continue;
			const q = i * side + j;
			const seen = rest[x * ny + y] + site.weight * kernels[site.kind][q];
			total += w * seen * seen;
			for (let s = 0; s < kinds; s++) {
				sums[s] += w * seen * kernels[s][q];
				powers[s] += w * kernels[s][q] ** 2;
			}
		}
	const gains = Array.from(sums, (sum, s) =>
		powers[s] > 0 && sum !== 0 && sum * site.weight > 0
			? sum ** 2 / powers[s]
			: 0,
	);
	return { gains, seen: total };
}
