/** Bragg peaks of a scan: sharp, steady across it, and not on one line. */
import { maxOf } from "../../qpi/maths/extremes.ts";
import type { Scan } from "../scan/scan.ts";
import { num } from "../scan/told.ts";
import {
	describeLattice,
	inverse,
	type Lattice,
	latticeOf,
	length,
	type Pair,
	reciprocal,
	reduced,
	times,
	type Vector,
	vectorsOf,
} from "./lattice.ts";
import { lockIn, withoutSlow } from "./lockIn.ts";
import { nodesOf } from "./nodes.ts";
import { PERIODS, type SharpPeak, sharpPeaks } from "./sharpPeaks.ts";
import { strain } from "./strain.ts";

export interface BraggPeak extends Vector {
	/** Power over that of what lies around it and of what is as fast. */
	readonly contrast: number;
	/** <|A|>^2 / <|A|^2> of its amplitude across the scan: 1 for a lattice, pi / 4 for ripples of many scatterers. */
	readonly steadiness: number;
}

export interface Bragg {
	/** Two that span the reciprocal lattice, 1/Angstrom; of a known one in its order. */
	readonly peaks: readonly [BraggPeak, BraggPeak];
	/** The lattice they belong to, as measured. */
	readonly lattice: Lattice;
}

/** What peaks have to have. */
const CONTRAST = { unknown: 6, known: 3 };
const STEADINESS = { unknown: 0.88, known: 0.84 };
/** A known lattice's may be off by so much: the largest element of the strain. */
const STRAIN = 0.2;
/** |sin| of the angle between two. */
const ACROSS = 0.4;
/** Peaks that are looked at closely. */
const CANDIDATES = 16;
/** Bins about a peak, over the usual ones: more where nothing is found, for much drift makes peaks wide. */
const WIDER = [1, 2];
/** Spacings of the lattice: standard deviation of the lock-in's Gaussian mean. */
export const SPACINGS = 4;

/** The lock-in's standard deviation for a wave, Angstrom: at most an eighth of the scan. */
export const coarse = (
	{ nx, ny, spacing }: Omit<Scan, "image">,
	q: number,
): number =>
	Math.min(
		(SPACINGS * 2 * Math.PI) / q,
		Math.min(nx * spacing.x, ny * spacing.y) / 8,
	);

/**
 * The Bragg peaks of a scan.
 * @param counts 0 where a pixel does not count; all that is finite does when not given
 * @param known the lattice whose peaks are looked for; the two strongest when not given
 * @throws RangeError in one line where there are none, with the wave vectors that the pixels can show
 */
export function findBragg(
	scan: Scan,
	counts: ArrayLike<number> = scan.image.map((v) =>
		Number.isFinite(v) ? 1 : 0,
	),
	known?: Lattice,
): Bragg {
	const { nx, ny, spacing } = scan;
	const nyquist = Math.PI / Math.max(spacing.x, spacing.y);
	const wanted =
		known && [false, true].map((m) => reciprocal(vectorsOf(known, m)));
	const fastest = maxOf((wanted?.[0] ?? []).map(length));
	if (fastest > Math.SQRT2 * nyquist)
		throw new RangeError(
			`Bragg peaks: pixels of ${num(Math.max(spacing.x, spacing.y))} A are too coarse for a lattice of ${known && describeLattice(known)}: its peaks lie at ${num(fastest)} 1/A, beyond the Nyquist wave vector of ${num(nyquist)} 1/A`,
		);
	let pair: [BraggPeak, BraggPeak] | undefined;
	for (const wider of Math.min(nx, ny) >= 2 * PERIODS ? WIDER : []) {
		if (pair) break;
		const candidates = steadyOnes(scan, counts, wanted, wider);
		pair = wanted ? knownPair(candidates, wanted) : strongest(candidates);
	}
	if (!pair)
		throw new RangeError(
			known
				? `Bragg peaks: found none of a lattice of ${describeLattice(known)} within ${100 * STRAIN} % (expected at ${wanted?.[0].map((g) => num(length(g))).join(" and ")} 1/A; the Nyquist wave vector of pixels of ${num(Math.max(spacing.x, spacing.y))} A is ${num(nyquist)} 1/A)`
				: `Bragg peaks: found no two that are sharp and steady across the scan; pixels of ${num(Math.max(spacing.x, spacing.y))} A show wave vectors up to ${num(nyquist)} 1/A (Nyquist), spacings of ${num((2 * Math.PI) / nyquist)} A and more`,
		);
	return {
		peaks: pair,
		lattice: latticeOf(reciprocal(known ? pair : reduced(pair))),
	};
}

const across = (p: Vector, q: Vector) =>
	Math.abs(p.x * q.y - p.y * q.x) / (length(p) * length(q));

function strongest(
	candidates: readonly (BraggPeak & { readonly power: number })[],
): [BraggPeak, BraggPeak] | undefined {
	const sorted = [...candidates].sort((a, b) => b.power - a.power);
	const [first] = sorted;
	const second = first && sorted.find((peak) => across(first, peak) > ACROSS);
	if (!second) return undefined;
	return primitive(candidates, first, second);
}

/** Of all pairs that span the strongest two (harmonics may be the strongest) the one of the largest cell in space. */
function primitive(
	candidates: readonly BraggPeak[],
	first: BraggPeak,
	second: BraggPeak,
): [BraggPeak, BraggPeak] {
	const area = (p: Vector, q: Vector) => Math.abs(p.x * q.y - p.y * q.x);
	let [c, d] = [first, second];
	for (const p of candidates)
		for (const q of candidates) {
			if (across(p, q) < ACROSS || area(p, q) > 0.75 * area(c, d)) continue;
			const inside = inverse({ xx: p.x, xy: q.x, yx: p.y, yy: q.y });
			const whole = [first, second]
				.map((peak) => times(inside, peak))
				.every((n) =>
					[n.x, n.y].every((v) => Math.abs(v - Math.round(v)) < 0.05),
				);
			if (whole) [c, d] = [p, q];
		}
	return leftward(c, d);
}

function leftward(first: BraggPeak, second: BraggPeak): [BraggPeak, BraggPeak] {
	// To the left of the first, at an angle of 90 degrees or less: then the lattice's is 90 or more.
	const signs = [second, { ...second, x: -second.x, y: -second.y }];
	const left = signs.find((q) => first.x * q.y - first.y * q.x > 0) ?? second;
	return [first, left];
}

/** Of all pairs of candidates the one nearest to the known one. */
function knownPair(
	candidates: readonly BraggPeak[],
	wanted: readonly Pair[],
): [BraggPeak, BraggPeak] | undefined {
	const signed = candidates.flatMap((peak) => [
		peak,
		{ ...peak, x: -peak.x, y: -peak.y },
	]);
	let best: [BraggPeak, BraggPeak] | undefined;
	let least = STRAIN;
	for (const pair of wanted)
		for (const p of candidates)
			for (const q of signed) {
				if (across(p, q) < 0.2) continue;
				// Weak peaks must not win by a hair over strong ones.
				const off =
					strain([p, q], pair) +
					0.02 / Math.sqrt(Math.min(p.contrast, q.contrast));
				if (off < least) [best, least] = [[p, q], off];
			}
	return best;
}

type Candidate = BraggPeak & SharpPeak;

function steadyOnes(
	scan: Scan,
	counts: ArrayLike<number>,
	wanted: readonly Pair[] | undefined,
	wider: number,
): Candidate[] {
	const how = wanted ? "known" : "unknown";
	const found = sharpPeaks(scan, counts, wider)
		.filter(({ contrast }) => contrast > CONTRAST[how])
		.filter(
			(peak) =>
				!wanted ||
				wanted[0].some((g) => Math.abs(length(peak) / length(g) - 1) < STRAIN),
		)
		.sort((a, b) => b.contrast - a.contrast)
		.slice(0, CANDIDATES);
	return found
		.map((peak) => ({
			...peak,
			steadiness: steadinessOf(scan, counts, peak, wider),
		}))
		.filter(({ steadiness }) => steadiness > STEADINESS[how]);
}

function steadinessOf(
	scan: Scan,
	counts: ArrayLike<number>,
	q: Vector,
	wider: number,
): number {
	const period = (2 * Math.PI) / length(q);
	// Half of it and less, for drift must not pass for unsteadiness.
	const sigma = coarse(scan, length(q)) / (1 + wider);
	const nodes = nodesOf(scan, sigma / 2);
	const fast = withoutSlow(scan, counts, period);
	const { amplitude, coverage } = lockIn(fast, counts, scan, nodes, {
		q,
		sigma,
	});
	let [sum, squares, weight] = [0, 0, 0];
	amplitude.forEach((a, p) => {
		const w = coverage[p] > 0.4 ? 1 : 0;
		sum += w * a;
		squares += w * a * a;
		weight += w;
	});
	return squares > 0 ? sum ** 2 / squares / weight : 0;
}
