/** Found scatterers against true ones. */
import { median } from "../scan/scan.ts";

/** A scatterer in Angstrom, its kind from 1. */
export interface KindMark {
	readonly x: number;
	readonly y: number;
	readonly kind: number;
}

/** A kind that was found, and the true one that it stands for. */
export interface MatchedKind {
	readonly found: number;
	readonly truth: number;
	/** What the found scatterers are off by together (found less true), Angstrom: a kernel's middle is a matter of choice. */
	readonly shift: { readonly x: number; readonly y: number };
	/** Indices in both lists, one to one. */
	readonly pairs: readonly MarkPair[];
}

export interface MarkPair {
	readonly found: number;
	readonly truth: number;
	/** Angstrom, without the shift. */
	readonly distance: number;
}

/** Angstrom: how far a found scatterer may lie from a true one, and how far a kind may be off altogether. */
const NEAR = 6;
const SHIFT = 12;

/** The assignment of found to true kinds that pairs most scatterers; each kind once at most, those that pair none left out. */
export function compareMarks(
	found: readonly KindMark[],
	truth: readonly KindMark[],
): MatchedKind[] {
	const kindsOf = (marks: readonly KindMark[]) =>
		[...new Set(marks.map(({ kind }) => kind))].sort((a, b) => a - b);
	const choices = kindsOf(truth).map((kind) =>
		kindsOf(found).map((other) => matchKind(found, other, truth, kind)),
	);
	const count = (kinds: readonly MatchedKind[]) =>
		kinds.reduce((sum, { pairs }) => sum + pairs.length, 0);
	/** The best of the true kinds from number `t` on with what is free. */
	const best = (t: number, taken: readonly number[]): MatchedKind[] => {
		if (t === choices.length) return [];
		let most = best(t + 1, taken);
		for (const choice of choices[t]) {
			if (taken.includes(choice.found) || choice.pairs.length === 0) continue;
			const whole = [choice, ...best(t + 1, [...taken, choice.found])];
			if (count(whole) > count(most)) most = whole;
		}
		return most;
	};
	return best(0, []);
}

function matchKind(
	found: readonly KindMark[],
	foundKind: number,
	truth: readonly KindMark[],
	trueKind: number,
): MatchedKind {
	const [own, real] = [indicesOf(found, foundKind), indicesOf(truth, trueKind)];
	const still = { x: 0, y: 0 };
	const first = commonShift(found, own, truth, real, still, NEAR + SHIFT);
	const second = commonShift(found, own, truth, real, first, NEAR);
	const tried = [still, first, second].map((shift) => ({
		shift,
		pairs: pairUp(found, own, truth, real, shift),
	}));
	const error = (pairs: readonly MarkPair[]) =>
		pairs.reduce((sum, { distance }) => sum + distance ** 2, 0);
	const best = tried.reduce((a, b) =>
		b.pairs.length > a.pairs.length ||
		(b.pairs.length === a.pairs.length && error(b.pairs) < error(a.pairs))
			? b
			: a,
	);
	return { found: foundKind, truth: trueKind, ...best };
}

const indicesOf = (marks: readonly KindMark[], kind: number) =>
	[...marks.keys()].filter((i) => marks[i].kind === kind);

/** Median displacement of the found scatterers from the nearest true ones within `reach` about a first guess, at most SHIFT long. */
function commonShift(
	found: readonly KindMark[],
	own: readonly number[],
	truth: readonly KindMark[],
	real: readonly number[],
	from: { readonly x: number; readonly y: number },
	reach: number,
): { x: number; y: number } {
	const steps: { x: number; y: number }[] = [];
	for (const i of own) {
		let nearest = { x: 0, y: 0, off: reach };
		for (const j of real) {
			const [x, y] = [found[i].x - truth[j].x, found[i].y - truth[j].y];
			const off = Math.hypot(x - from.x, y - from.y);
			if (off <= nearest.off) nearest = { x, y, off };
		}
		if (nearest.off < reach) steps.push(nearest);
	}
	if (steps.length === 0) return { ...from };
	const x = median(steps.map((s) => s.x));
	const y = median(steps.map((s) => s.y));
	const limit = Math.min(1, SHIFT / Math.max(SHIFT, Math.hypot(x, y)));
	return { x: x * limit, y: y * limit };
}

/** One to one, the nearest first, within NEAR. */
function pairUp(
	found: readonly KindMark[],
	own: readonly number[],
	truth: readonly KindMark[],
	real: readonly number[],
	shift: { readonly x: number; readonly y: number },
): MarkPair[] {
	const near: MarkPair[] = [];
	for (const i of own)
		for (const j of real) {
			const distance = Math.hypot(
				found[i].x - shift.x - truth[j].x,
				found[i].y - shift.y - truth[j].y,
			);
			if (distance <= NEAR) near.push({ found: i, truth: j, distance });
		}
	const [usedFound, usedTrue] = [new Set<number>(), new Set<number>()];
	return near
		.sort((a, b) => a.distance - b.distance)
		.filter((pair) => {
			if (usedFound.has(pair.found) || usedTrue.has(pair.truth)) return false;
			usedFound.add(pair.found);
			usedTrue.add(pair.truth);
			return true;
		});
}
