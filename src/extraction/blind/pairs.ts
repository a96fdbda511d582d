/** Scatterers found in parts: what lies in pairs of one and the same distance and direction is one scatterer each. */
import type { Site } from "../../qpi/mapOperator.ts";
import type { Searched } from "./first.ts";
import { type Report, tryKinds } from "./kinds.ts";
import type { State } from "./state.ts";

/** Angstrom: two parts of one scatterer are no farther apart, and how far a pair may be off what all pairs have. */
const FAR = 45;
const NEAR = 3.5;
/** Share of the scatterers that must be in such pairs: two thirds where there are three parts. */
const SHARE = 0.6;
/** Share of them that may have one on both sides, as in a row or a lattice of scatterers. */
const BOTH = 0.2;
/** Pairs that are no accident. */
const FEW = 4;
/** What the score may lose: half a pattern found twice as often is known better than the whole. */
const LOSS = 0.01;

/**
 * The state with scatterers in place of their parts. A pattern with two alike centres, all of one orientation, is as well explained by half of it at twice as many places; that places chosen for themselves keep one distance says which it is.
 * @param between whether parts may be kinds of their own
 */
export async function whole(
	searched: Searched,
	state: State,
	between: boolean,
	report: Report,
): Promise<State> {
	const { kinds } = state.map;
	for (let a = 0; a < kinds; a++)
		for (let b = a; b < (between ? kinds : a + 1); b++) {
			const sites = asWholes(state.map.sites, a, b, state.map.pixel);
			if (!sites) continue;
			const map = { ...state.map, sites, kinds: a === b ? kinds : kinds - 1 };
			const rival = await tryKinds(searched, map, report);
			if (!rival) continue;
			const lost = state.judgement.score - rival.judgement.score;
			if (lost < LOSS) return whole(searched, rival, between, report);
		}
	return state;
}

/**
 * Sites with those of kinds a and b that lie in pairs as one of kind a, halfway; those of the two without a partner are left out, as the first wholes show what becomes of them. undefined
 * where there are no such pairs.
 * @param pixel Angstrom
 */
export function asWholes(
	sites: readonly Required<Site>[],
	a: number,
	b: number,
	pixel: number,
): Required<Site>[] | undefined {
	const own = (kind: number) => sites.filter((site) => site.kind === kind);
	const steps = stepsBetween(own(a), own(b), pixel);
	const common = mostCommon(steps, NEAR / pixel);
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
			...{ weight: (from.weight + to.weight) / 2, kind: a },
		});
	}
	const n = own(a).length + (a === b ? 0 : own(b).length);
	const few = wholes.length < FEW || 2 * wholes.length < SHARE * n;
	if (few || both > BOTH * wholes.length) return undefined;
	const others = sites
		.filter(({ kind }) => kind !== a && kind !== b)
		.map((site) => ({
			...site,
			kind: site.kind - (a !== b && site.kind > b ? 1 : 0),
		}));
	return [...others, ...wholes];
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
	const mean = (key: "dx" | "dy") =>
		best.reduce((sum, step) => sum + step[key], 0) / (best.length || 1);
	const [dx, dy] = [mean("dx"), mean("dy")];
	const off = (step: Step) => Math.hypot(step.dx - dx, step.dy - dy);
	return about(dx, dy).sort((p, q) => off(p) - off(q));
}
