/** Scatterers that are two: one mark between them, as strong as both, and a local optimum that no further mark leads out of. */
import type { Site } from "../../qpi/operator/mapOperator.ts";
import { kindOf } from "../kernels/refineMap.ts";
import type { MapSolution, SitedMap } from "../kernels/sitedMap.ts";
import { shiftedKernel } from "../marks/markEquations.ts";
import { reachFor } from "./look.ts";

/** From this share of the usual amplitude on a scatterer may be two. */
const HEAVY = 1.1;
/** Angstrom from the middle that the two are tried at, and directions. */
const HALVES = [4, 6, 8];
const DIRECTIONS = 8;
/** What two must explain more than one, standard deviations squared: less than a mark anywhere, for there are few places to choose from, and one as strong as two is suspect by itself. */
const PRICE = 6;

/** What a map looks like with its kernels, and what they leave. */
export interface Looked {
	readonly fit: Pick<MapSolution, "kernels" | "size" | "sigma">;
	readonly rest: Float64Array;
}

/** The sites, those that two of half the amplitude explain better by the price of a mark replaced by the two; undefined where there is none. */
export function parted(
	map: SitedMap,
	found: Looked,
): Required<Site>[] | undefined {
	const sites = map.sites.map((site) =>
		Math.abs(site.weight) > HEAVY ? asTwo(map, found, site) : [site],
	);
	const flat = sites.flat();
	return flat.length > sites.length ? flat : undefined;
}

function asTwo(
	map: SitedMap,
	{ fit, rest }: Looked,
	site: Required<Site>,
): Required<Site>[] {
	const { nx, ny, weights, pixel } = map;
	const reach = reachFor(pixel);
	const side = 2 * reach + 1;
	const [px, py] = [Math.round(site.x), Math.round(site.y)];
	const kernel = kindOf(fit, site.kind);
	const at = (x: number, y: number) =>
		shiftedKernel(kernel, fit.size, px - x, py - y, reach);
	const own = at(site.x, site.y);
	let best = { gain: PRICE * fit.sigma ** 2, two: [site] };
	const before = explained(own).gain;
	for (const half of HALVES)
		for (let k = 0; k < DIRECTIONS; k++) {
			const angle = (Math.PI * k) / DIRECTIONS;
			const dx = (half / pixel) * Math.cos(angle);
			const dy = (half / pixel) * Math.sin(angle);
			const places = [-1, 1].map((sign) => ({
				...{ x: site.x + sign * dx, y: site.y + sign * dy },
			}));
			const [a, b] = places.map(({ x, y }) => at(x, y));
			const { gain, weight } = explained(a.map((v, q) => v + b[q]));
			if (gain - before > best.gain && weight * site.weight > 0)
				best = {
					gain: gain - before,
					two: places.map((place) => ({ ...site, ...place, weight })),
				};
		}
	return best.two;

	/** What a pattern of the best amplitude takes from the squares of what is seen in the square, the site's own pattern put back, and that amplitude. */
	function explained(pattern: Float64Array): { gain: number; weight: number } {
		let [sum, power] = [0, 0];
		for (let q = 0; q < side * side; q++) {
			const [x, y] = [
				px - reach + Math.floor(q / side),
				py - reach + (q % side),
			];
			if (x < 0 || y < 0 || x >= nx || y >= ny) continue;
			const p = x * ny + y;
			const seen = rest[p] + site.weight * own[q];
			sum += weights[p] * seen * pattern[q];
			power += weights[p] * pattern[q] ** 2;
		}
		return power > 0
			? { gain: sum ** 2 / power, weight: sum / power }
			: { gain: 0, weight: 0 };
	}
}
