/** How many kinds there are, and which: the judge decides between what is proposed. */
import { dot } from "../../qpi/ridge.ts";
import { kindOf, misfitOf, ridgeMap } from "../refineMap.ts";
import { windowOf } from "../sitedMap.ts";
import { takenApart } from "./apart.ts";
import { type Completed, completed } from "./complete.ts";
import { firstKind, type Searched } from "./first.ts";
import { clipped, spreadOf } from "./grid.ts";
import type { Seed } from "./seeds.ts";
import { halves } from "./split.ts";
import { judged, type State } from "./state.ts";

/** Kinds at most. */
const MOST = 5;
/** Scatterers that a kind needs. */
const FEW = 3;
/** What the score must grow by for a further kind. */
const GAIN = 0.01;
/** Correlation of kernels that may be one. */
const ALIKE = 0.5;
/** Rounds of changes at most. */
const ROUNDS = 8;
/** A gain that needs no other way to be looked for. */
const CLEAR = 0.03;

export type Report = (
	what: string,
	kernel?: { readonly kernel: Float64Array; readonly size: number },
	sites?: Completed["map"]["sites"],
) => Promise<void>;

/**
 * Further kinds as long as the judge likes the map better with them: one may be two, and what is left may show another one. Near ones are taken apart before that, and
 * what was one kind all along is joined in the end.
 */
export async function moreKinds(
	searched: Searched,
	first: State,
	wanted: number | undefined,
	seeds: readonly Seed[],
	report: Report,
): Promise<State> {
	const least = wanted === undefined ? GAIN : Number.NEGATIVE_INFINITY;
	const more = (state: State) => state.map.kinds < (wanted ?? MOST);
	let best = first;
	for (const seed of seeds)
		best = (await furtherKind(searched, best, [seed], report)) ?? best;
	/** The number of kinds at which what is left showed no other. */
	let exhausted = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const { kinds } = best.map;
		const rivals = [await takenApart(searched, best, report)];
		if (more(best)) rivals.push(...(await splits(searched, best, report)));
		let top = bestOf(rivals);
		if (more(best) && exhausted < kinds && gain(top, best) < CLEAR) {
			const further = await furtherKind(
				searched,
				best,
				undefined,
				report,
				least,
			);
			if (further) top = bestOf([top, further]);
			else exhausted = kinds;
		}
		const forced = least < 0 && more(best) && top.map.kinds > kinds;
		// A further kind has to be worth it; the same kinds may be a little better.
		const enough = top.map.kinds > kinds ? GAIN : GAIN / 3;
		if (!forced && gain(top, best) < enough) {
			if (gain(top, best) > 0 && top.map.kinds === kinds) best = top;
			break;
		}
		best = top;
	}
	return wanted === undefined ? joined(searched, best, report) : best;
}

const gain = (a: State, b: State) => a.judgement.score - b.judgement.score;

const bestOf = (states: readonly State[]) =>
	states.reduce((a, b) => (gain(b, a) > 0 ? b : a));

/** What comes of each kind being two. */
async function splits(
	searched: Searched,
	state: State,
	report: Report,
): Promise<State[]> {
	const found: State[] = [];
	for (let kind = 0; kind < state.map.kinds; kind++) {
		const rival = await splitKind(searched, state, kind, report);
		if (rival) found.push(rival);
	}
	return found;
}

/** Without the kinds that the judge does not miss. */
async function joined(
	searched: Searched,
	state: State,
	report: Report,
): Promise<State> {
	const best = state;
	for (let a = 0; a < best.map.kinds; a++)
		for (let b = a + 1; b < best.map.kinds; b++) {
			const [one, two] = [kindOf(best.fit, a), kindOf(best.fit, b)];
			if (alikeness(one, two) < ALIKE) continue;
			const sites = best.map.sites.map((site) => ({
				...site,
				kind: site.kind === b ? a : site.kind - (site.kind > b ? 1 : 0),
			}));
			const kinds = best.map.kinds - 1;
			const rival = await tryKinds(
				searched,
				{ ...best.map, kinds, sites },
				report,
			);
			if (rival && rival.judgement.score > best.judgement.score - GAIN)
				return joined(searched, rival, report);
		}
	return best;
}

const alikeness = (a: Float64Array, b: Float64Array) =>
	dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b) || 1);

async function splitKind(
	searched: Searched,
	state: State,
	kind: number,
	report: Report,
): Promise<State | undefined> {
	const { map } = state;
	const members = map.sites.filter((site) => site.kind === kind);
	if (members.length < 2 * FEW) return undefined;
	const second = new Set(
		halves(state, kind)
			.map((half, i) => (half ? members[i] : undefined))
			.filter((site) => site !== undefined),
	);
	const sites = map.sites.map((site) =>
		second.has(site) ? { ...site, kind: map.kinds } : site,
	);
	return tryKinds(searched, { ...map, kinds: map.kinds + 1, sites }, report);
}

async function furtherKind(
	searched: Searched,
	state: State,
	seeds: readonly Seed[] | undefined,
	report: Report,
	least = Number.NEGATIVE_INFINITY,
): Promise<State | undefined> {
	const { map } = state;
	const left = leftBy(map);
	const found = await firstKind(
		{
			...searched,
			map: { ...map, image: left, sites: [] },
			seen: { image: clipped(left, map.weights), weights: map.weights },
			white: Math.max(searched.white, spreadOf(left, map.weights)),
			doubtful: true,
		},
		seeds,
		report,
	);
	if (!found || found.map.sites.length < FEW) return undefined;
	// What looks like a kind in what is left must be one to the judge there.
	if (found.judgement.score < least) return undefined;
	const sites = [
		...map.sites,
		...found.map.sites.map((site) => ({ ...site, kind: map.kinds })),
	];
	const rival = await tryKinds(
		searched,
		{ ...map, kinds: map.kinds + 1, sites },
		report,
	);
	return rival && gain(rival, state) > least ? rival : undefined;
}

/** What the kernels leave when they reach as far as they can be seen: the far ripples of known scatterers must not pass for a kind of their own. */
function leftBy(map: State["map"]): Float64Array {
	const size = 2 * Math.round(windowOf(map, undefined) / map.pixel) + 1;
	return Float64Array.from(misfitOf(map, ridgeMap(map, size)).rest);
}

async function tryKinds(
	searched: Searched,
	map: State["map"],
	report: Report,
): Promise<State | undefined> {
	const { size, signed, white } = searched;
	const done = await completed(map, size, signed, {
		white,
		sure: true,
		report: (sites) => report("kinds", undefined, sites),
	});
	const counts = Array.from(
		{ length: map.kinds },
		(_, s) => done.map.sites.filter(({ kind }) => kind === s).length,
	);
	return counts.every((n) => n >= FEW) ? judged(done, size) : undefined;
}
