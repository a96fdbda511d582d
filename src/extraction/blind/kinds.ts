/** How many kinds there are, and which: the judge decides between what is proposed. */
import { type Judgement, judgeSites } from "../judge.ts";
import { misfitOf, ridgeMap } from "../refineMap.ts";
import { windowOf } from "../sitedMap.ts";
import { type Completed, completed } from "./complete.ts";
import { firstKind, type Searched } from "./first.ts";
import { clipped } from "./grid.ts";
import { halves } from "./split.ts";

/** Kinds at most. */
const MOST = 5;
/** Scatterers that a kind needs. */
const FEW = 3;
/** What the score must grow by for a further kind. */
const GAIN = 0.01;
/** Rounds of a completion that begins with good kernels. */
const ROUNDS = 6;

/** Marks, and how they are judged. */
export interface State extends Completed {
	readonly judgement: Judgement;
}

export type Report = (
	what: string,
	kernel?: { readonly kernel: Float64Array; readonly size: number },
	sites?: Completed["map"]["sites"],
) => Promise<void>;

/** Further kinds as long as the judge likes the map better with them: what is left may show another one, or one may be two. */
export async function moreKinds(
	searched: Searched,
	first: State,
	wanted: number | undefined,
	report: Report,
): Promise<State> {
	let best = first;
	while (best.map.kinds < (wanted ?? MOST)) {
		const rivals: State[] = [];
		for (let kind = 0; kind < best.map.kinds; kind++) {
			const rival = await splitKind(searched, best, kind, report);
			if (rival) rivals.push(rival);
		}
		const further = await furtherKind(searched, best, report);
		if (further) rivals.push(further);
		if (rivals.length === 0) return best;
		const top = rivals.reduce((a, b) =>
			b.judgement.score > a.judgement.score ? b : a,
		);
		const gain = top.judgement.score - best.judgement.score;
		if (process.env.DEBUG)
			console.log(
				"   kinds",
				best.map.kinds,
				"score",
				best.judgement.score.toFixed(4),
				"rivals",
				rivals
					.map(
						(r) =>
							r.judgement.score.toFixed(4) +
							" [" +
							Array.from(
								{ length: r.map.kinds },
								(_, k) => r.map.sites.filter((s) => s.kind === k).length,
							) +
							"]",
					)
					.join(" "),
			);
		if (gain < GAIN && wanted === undefined) return best;
		best = top;
	}
	return best;
}

export async function judged(
	found: Completed,
	{ size }: Searched,
): Promise<State> {
	const reach = ((size - 1) / 2) * found.map.pixel;
	return { ...found, judgement: await judgeSites(found.map, size, reach) };
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
	report: Report,
): Promise<State | undefined> {
	const { map } = state;
	const left = leftBy(map);
	const found = await firstKind(
		{
			...searched,
			map: { ...map, image: left, sites: [] },
			seen: { image: clipped(left, map.weights), weights: map.weights },
		},
		undefined,
		report,
	);
	if (!found || found.map.sites.length < FEW) return undefined;
	// What looks like a kind in what is left must be one to the judge there.
	const alone = await judged(found, searched);
	if (process.env.DEBUG)
		console.log("   rest", found.map.sites.length, alone.judgement);
	if (alone.judgement.score < GAIN) return undefined;
	const sites = [
		...map.sites,
		...found.map.sites.map((site) => ({ ...site, kind: map.kinds })),
	];
	return tryKinds(searched, { ...map, kinds: map.kinds + 1, sites }, report);
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
		rounds: ROUNDS,
		report: (sites) => report("kinds", undefined, sites),
	});
	const counts = Array.from(
		{ length: map.kinds },
		(_, s) => done.map.sites.filter(({ kind }) => kind === s).length,
	);
	return counts.every((n) => n >= FEW) ? judged(done, searched) : undefined;
}
