/** How many kinds there are, and which: the judge decides between what is proposed. */

import { unbinned } from "../kernels/bin.ts";
import { kindOf, misfitOf, ridgeMap } from "../kernels/refineMap.ts";
import { takenApart } from "./apart.ts";
import { shiftBetween } from "./centre.ts";
import { completed } from "./complete.ts";
import { firstKind } from "./first.ts";
import { clipped, spreadOf } from "./grid.ts";
import type { Report, Searched } from "./searched.ts";
import type { Seed } from "./seeds.ts";
import { halves } from "./split.ts";
import { judged, type State } from "./state.ts";

/** Kinds at most. */
const MOST = 5;
/** Scatterers that a kind needs. */
const FEW = 3;
/** What the score must grow by for a further kind. */
const GAIN = 0.01;
/** Correlation of kernels that may be one, and Angstrom that one may be off the other. */
const ALIKE = 0.5;
const SHIFT = 24;
/** Correlation from which kernels are compared on finer pixels, and what two must explain more than one then: sharp cores differ from place to place between the pixels. */
const CLOSE = 0.7;
const DIFFERENT = 0.03;
/** A kind found in what is left is judged with kernels that are wider by this, too: far ripples pass for nothing then. */
const WIDER = 1.6;
/** Rounds of changes at most. */
const ROUNDS = 8;
/** A gain that needs no other way to be looked for. */
const CLEAR = 0.03;

/**
 * Further kinds as long as the judge likes the map better with them: one may be two, and what is left may show another one.
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
		if (
			more(best) &&
			exhausted < kinds &&
			(wanted !== undefined || gain(bestOf(rivals), best) < CLEAR)
		) {
			const further = await furtherKind(
				searched,
				best,
				undefined,
				report,
				least,
			);
			if (further) rivals.push(further);
			else exhausted = kinds;
		}
		// As many kinds as were asked for, whatever the judge says of them.
		const larger = rivals.filter(({ map }) => map.kinds > kinds);
		const forced = wanted !== undefined && larger.length > 0;
		const top = bestOf(forced ? larger : rivals);
		// A further kind has to be worth it; the same kinds may be a little better.
		const enough = top.map.kinds > kinds ? GAIN : GAIN / 3;
		if (!forced && gain(top, best) < enough) {
			if (gain(top, best) > 0 && top.map.kinds === kinds) best = top;
			break;
		}
		best = top;
	}
	return best;
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

/**
 * Without the kinds that the judge does not miss. Kernels that are much alike are compared on finer pixels: on coarse ones the places between the pixels of one kind pass for
 * kinds of their own.
 */
export async function joined(
	searched: Searched,
	state: State,
	finer: { readonly searched: Searched; readonly factor: number } | undefined,
	report: Report,
): Promise<State> {
	for (let a = 0; a < state.map.kinds; a++)
		for (let b = a + 1; b < state.map.kinds; b++) {
			const one = asOne(state, a, b);
			if (!one) continue;
			const { map, alike } = one;
			const rival = await tryKinds(searched, map, report);
			if (!rival) continue;
			let loss = gain(state, rival);
			if (finer && alike > CLOSE && loss > DIFFERENT) {
				const [both, single] = await Promise.all(
					[state.map, rival.map].map((each) =>
						tryKinds(finer.searched, onFiner(each, finer), report),
					),
				);
				if (both && single) loss = gain(both, single);
			}
			if (loss < (alike > CLOSE ? DIFFERENT : GAIN))
				return joined(searched, rival, finer, report);
		}
	return state;
}

/** The same sites on finer pixels. */
function onFiner(
	map: State["map"],
	{
		searched,
		factor,
	}: { readonly searched: Searched; readonly factor: number },
): State["map"] {
	const { kinds } = map;
	return { ...searched.map, kinds, sites: unbinned(map.sites, factor) };
}

/** Two kinds as one, the second one's marks where the first kernel says; undefined where the kernels have little in common. */
function asOne(
	{ map, fit }: State,
	a: number,
	b: number,
): { map: State["map"]; alike: number } | undefined {
	const { dx, dy, alike } = shiftBetween(
		kindOf(fit, a),
		kindOf(fit, b),
		fit.size,
		SHIFT / map.pixel,
	);
	if (alike < ALIKE) return undefined;
	const sites = map.sites.map((site) =>
		site.kind === b
			? { ...site, kind: a, x: site.x + dx, y: site.y + dy }
			: { ...site, kind: site.kind - (site.kind > b ? 1 : 0) },
	);
	return { map: { ...map, kinds: map.kinds - 1, sites }, alike };
}

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
	const left = leftBy(map, searched.size);
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
	if (!rival || !(gain(rival, state) > least)) return undefined;
	const size = wideSize(map, searched.size);
	const [before, after] = [
		await judged(state, size),
		await judged(rival, size),
	];
	return gain(after, before) > least ? rival : undefined;
}

/** Pixels along kernels that reach farther than those that are searched with. */
function wideSize({ nx, ny }: State["map"], size: number): number {
	const radius = Math.min(
		(WIDER * (size - 1)) / 2,
		Math.max((size - 1) / 2, 0.3 * Math.min(nx, ny)),
	);
	return 2 * Math.round(radius) + 1;
}

/** What kernels leave when they reach far: the ripples of known scatterers must not pass for a kind of their own. */
const leftBy = (map: State["map"], size: number): Float64Array =>
	Float64Array.from(misfitOf(map, ridgeMap(map, wideSize(map, size))).rest);

/** The sites of a map completed and judged; undefined where a kind has too few. */
export async function tryKinds(
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
