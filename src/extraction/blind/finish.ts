/** From a search's state to marks that can be relied on. */
import { binned, unbinned } from "../kernels/bin.ts";
import { SIDE } from "../kernels/markedMap.ts";
import { kindOf } from "../kernels/refineMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { likenessOf } from "./assign.ts";
import { medianWeights, usual } from "./choose.ts";
import { completed } from "./complete.ts";
import type { Completed } from "./look.ts";
import type { Searched } from "./searched.ts";
import type { State } from "./state.ts";
import { judged } from "./state.ts";
import { supportOf } from "./support.ts";

/** What a scatterer stands out by with the kernels of the others, standard deviations, and what half of a kind's do. */
const LEAST = 3.5;
const USUAL = 4.5;
/** Scatterers that a kind needs. */
const FEW = 3;
/** What the score may lose by those that are thrown out. */
const LOSS = 0.005;

/**
 * Without the marks, and the kinds, that the kernels of scatterers elsewhere do not confirm: noise gives each of its places a kernel that suits it, and it does not suit
 * the others. undefined where none is left, or the judge sees nothing.
 */
export async function confirmed(
	searched: Searched,
	state: State,
): Promise<State | undefined> {
	const { size, signed, white } = searched;
	let best = state;
	for (let round = 0; round < 3; round++) {
		const { map } = best;
		if (map.sites.length === 0) return undefined;
		const standing = supportOf(map, size, best.fit.lambda).map(
			signed ? Math.abs : (v) => v,
		);
		const of = (kind: number) =>
			standing.filter((_, j) => map.sites[j].kind === kind).sort();
		const good = Array.from({ length: map.kinds }, (_, kind) => {
			const list = of(kind);
			return list.length >= FEW && list[list.length >> 1] >= USUAL;
		});
		const kept = map.sites.filter(
			({ kind }, j) => good[kind] && standing[j] >= LEAST,
		);
		if (kept.length === map.sites.length) break;
		if (kept.length < FEW) break;
		const numbers = good.map((ok, k) =>
			ok ? good.slice(0, k).filter(Boolean).length : -1,
		);
		const kinds = good.filter(Boolean).length;
		const sites = kept.map((site) => ({ ...site, kind: numbers[site.kind] }));
		const done = await completed({ ...map, kinds, sites }, size, signed, {
			white,
			grow: false,
		});
		const next = await judged(done, size);
		// Nobody is thrown out whom the judge misses.
		if (next.judgement.score < best.judgement.score - LOSS) break;
		best = next;
	}
	return best.judgement.score > 0 ? best : undefined;
}

export interface Finished {
	/** At the map's own pixels; amplitudes over their kind's usual one, the kind of most power first. */
	readonly sites: SitedMap["sites"];
	readonly errors: Completed["errors"];
	readonly significances: Float64Array;
	/** From 0 to 1: correlation of what is seen about a site with its kind's kernel. */
	readonly qualities: readonly number[];
	readonly kernels: readonly Float64Array[];
	readonly size: number;
	/** Angstrom, of the kernels. */
	readonly pixel: number;
	readonly last: Completed;
}

/** Places and amplitudes once more at pixels as fine as they are extracted from. @param map at its own pixels */
export async function finished(
	map: SitedMap,
	{ signed, white }: Searched,
	state: State,
	factor: number,
): Promise<Finished> {
	const reach = ((state.fit.size - 1) / 2) * state.map.pixel;
	const fine = Math.min(
		factor,
		Math.max(1, Math.ceil((2 * reach) / map.pixel / SIDE)),
	);
	const sites = unbinned(state.map.sites, factor);
	const small = binned({ ...map, kinds: state.map.kinds, sites }, fine);
	const size = 2 * Math.round(reach / small.pixel) + 1;
	const last =
		fine === factor
			? state
			: await completed(small, size, signed, {
					...{ white: (white * factor) / fine, rounds: 2, grow: false },
				});
	const order = byPower(last);
	const numbered = usual(last.map.sites, last.map.kinds).map((site) => ({
		...site,
		kind: order.indexOf(site.kind),
	}));
	return {
		sites: unbinned(numbered, fine),
		errors: last.errors.map(({ weight, x, y }) => ({
			...{ weight, x: x * fine, y: y * fine },
		})),
		significances: last.significances,
		qualities: last.map.sites.map((site) => likenessOf(last.map, last, site)),
		kernels: order.map((kind) => kindOf(last.fit, kind)),
		size: last.fit.size,
		pixel: small.pixel,
		last,
	};
}

/** Kinds by what they hold of the map's power. */
function byPower({ map, fit }: Completed): number[] {
	const medians = medianWeights(map.sites, map.kinds);
	const power = (kind: number) =>
		medians[kind] ** 2 *
		map.sites.filter((site) => site.kind === kind).length *
		kindOf(fit, kind).reduce((sum, v) => sum + v * v, 0);
	return [...medians.keys()].sort((a, b) => power(b) - power(a));
}
