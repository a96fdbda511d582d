/** Scatterers found in parts: what lies in pairs of one and the same distance and direction is one scatterer each. */
import type { Site } from "../../qpi/operator/mapOperator.ts";
import { tryKinds } from "./kinds.ts";
import type { Report, Searched } from "./searched.ts";
import type { State } from "./state.ts";

/** Angstrom: two parts of one scatterer are no farther apart, and how far a pair may be off what all pairs have. */
const FAR = 45;
const NEAR = 3.5;
/** Share of a kind that must be in pairs of its own, and in pairs with another kind; above the latter what has no partner is a part, too. */
const SHARE = 0.3;
const ALL = 0.8;
/** Share of them that may have one on both sides, as in a row or a lattice of scatterers. */
const BOTH = 0.2;
/** Pairs that are no accident. */
const FEW = 4;
/** What the score may lose: half a pattern found twice as often is known better than the whole. */
const LOSS = 0.03;

/**
 * The state with scatterers in place of their parts. A pattern with two alike centres, all of one orientation, is as well explained by half of it at twice as many places; that places chosen for themselves keep one distance says which it is.
 * @param fixed whether there must be as many kinds as there are
 */
export async function whole(
	searched: Searched,
	state: State,
	fixed: boolean,
	report: Report,
): Promise<State> {
	const { kinds } = state.map;
	for (let a = 0; a < kinds; a++)
		for (let b = a; b < kinds; b++) {
			const wholes = asWholes(state.map.sites, kinds, a, b, state.map.pixel);
			if (!wholes || (fixed && wholes.kinds !== kinds)) continue;
			const map = { ...state.map, ...wholes };
			const rival = await tryKinds(searched, map, report);
			if (!rival) continue;
			const lost = state.judgement.score - rival.judgement.score;
			if (lost < LOSS) return whole(searched, rival, fixed, report);
		}
	return state;
}

/**
 * Sites with those of kinds a and b that lie in pairs as one of a new kind each, halfway. Of a kind that is nearly all in pairs, what has no partner is a whole, too, whose other part was
 * not found (left out where the two parts are of one kind, for it may be either). undefined where there are no such pairs.
 * @param pixel Angstrom
 */
export function asWholes(
	sites: readonly Required<Site>[],
	kinds: number,
	a: number,
	b: number,
	pixel: number,
): { sites: Required<Site>[]; kinds: number } | undefined {
	const own = (kind: number) => sites.filter((site) => site.kind === kind);
	const common = mostCommon(stepsBetween(own(a), own(b), pixel), NEAR / pixel);
	const used = new Set<Required<Site>>();
	const wholes: Required<Site>[] = [];
	let both = 0;
	for (const { from, to } of common) {
		if (used.has(from) || used.has(to)) {
			both++;
			continue;
		}
		used.add(from).add(to);
		wholes.push({
			...{ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 },
			...{ weight: (from.weight + to.weight) / 2, kind: kinds },
		});
	}
	const share = (kind: number) =>
		own(kind).filter((site) => used.has(site)).length / own(kind).length;
	const enough = Math.max(share(a), share(b)) >= (a === b ? SHARE : ALL);
	if (wholes.length < FEW || !enough || both > BOTH * wholes.length)
		return undefined;
	const { dx, dy } = meanOf(common);
	const rest = sites.flatMap((site): Required<Site>[] => {
		if (used.has(site)) return [];
		if (![a, b].includes(site.kind) || share(site.kind) < ALL) return [site];
		if (a === b) return [];
		const half = site.kind === a ? 0.5 : -0.5;
		const [x, y] = [site.x + half * dx, site.y + half * dy];
		return [{ ...site, x, y, kind: kinds }];
	});
	return numbered([...rest, ...wholes]);
}

/** With kinds without a gap, in their order. */
function numbered(sites: readonly Required<Site>[]) {
	const left = [...new Set(sites.map(({ kind }) => kind))].sort(
		(p, q) => p - q,
	);
	return {
		kinds: left.length,
		sites: sites.map((site) => ({ ...site, kind: left.indexOf(site.kind) })),
	};
}

interface Step {
	readonly from: Required<Site>;
	readonly to: Required<Site>;
	readonly dx: number;
	readonly dy: number;
}

/** From each of the first to each other of the second that is near. */
function stepsBetween(
	first: readonly Required<Site>[],
	second: readonly Required<Site>[],
	pixel: number,
): Step[] {
	const steps: Step[] = [];
	for (const from of first)
		for (const to of second) {
			const [dx, dy] = [to.x - from.x, to.y - from.y];
			if (from === to || Math.hypot(dx, dy) * pixel > FAR) continue;
			steps.push({ from, to, dx, dy });
		}
	return steps;
}

/** The steps that most others resemble, those nearest to their middle first. */
function mostCommon(steps: readonly Step[], near: number): Step[] {
	const about = (dx: number, dy: number) =>
		steps.filter((step) => Math.hypot(step.dx - dx, step.dy - dy) <= near);
	let best: Step[] = [];
	for (const { dx, dy } of steps) {
		const alike = about(dx, dy);
		if (alike.length > best.length) best = alike;
	}
	const { dx, dy } = meanOf(best);
	const off = (step: Step) => Math.hypot(step.dx - dx, step.dy - dy);
	return about(dx, dy).sort((p, q) => off(p) - off(q));
}

function meanOf(steps: readonly Step[]): { dx: number; dy: number } {
	const mean = (key: "dx" | "dy") =>
		steps.reduce((sum, step) => sum + step[key], 0) / (steps.length || 1);
	return { dx: mean("dx"), dy: mean("dy") };
}
