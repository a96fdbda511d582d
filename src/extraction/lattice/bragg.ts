/** Bragg peaks of a scan: sharp, steady across it, and not on one line. */
import { ranked, type Scan } from "../scan/scan.ts";
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
import { powerOf } from "./power.ts";
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
/** Fewer periods across the scan make no lattice. */
const PERIODS = 8;
/** Peaks that are looked at closely. */
const CANDIDATES = 16;
/** Of a peak's |q|: shorter ones it is not compared with. */
const SHORT = 0.7;
/** Bins about a peak: its own, and the ring it is compared with; */
const OWN = 2;
const RING = [6, 11] as const;
/** and so many times as many where nothing is found: much drift makes peaks wide. */
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
	const fastest = Math.max(...(wanted?.[0] ?? []).map(length));
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

type Candidate = BraggPeak & { readonly power: number };

function steadyOnes(
	scan: Scan,
	counts: ArrayLike<number>,
	wanted: readonly Pair[] | undefined,
	wider: number,
): Candidate[] {
	const how = wanted ? "known" : "unknown";
	const found = sharpOnes(scan, counts, wider)
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

/** Local maxima of the power, summed over a few bins, with what they stand out of. Of q and -q one. */
function sharpOnes(
	scan: Scan,
	counts: ArrayLike<number>,
	wider: number,
): Omit<Candidate, "steadiness">[] {
	const reach = OWN * wider;
	const { nx, ny, spacing } = scan;
	const { power, wx, wy } = powerOf(scan, counts);
	const at = (kx: number, ky: number) =>
		power[((kx + wx) % wx) * wy + ((ky + wy) % wy)];
	const [sx, sy] = [
		(2 * Math.PI) / (wx * spacing.x),
		(2 * Math.PI) / (wy * spacing.y),
	];
	const [hx, hy] = [Math.floor((wx - 1) / 2), Math.floor((wy - 1) / 2)];
	const least =
		(2 * Math.PI * PERIODS) / Math.min(nx * spacing.x, ny * spacing.y);
	/** Sum over the bins about each, kx >= 0. */
	const sums = new Float64Array((hx + 1) * wy);
	for (let kx = 0; kx <= hx; kx++)
		for (let ky = -hy; ky <= hy; ky++) {
			let sum = 0;
			for (let i = -reach; i <= reach; i++)
				for (let j = -reach; j <= reach; j++) sum += at(kx + i, ky + j);
			sums[kx * wy + ((ky + wy) % wy)] = sum;
		}
	const sumAt = (kx: number, ky: number) => {
		const [i, j] = kx < 0 ? [-kx, -ky] : [kx, ky];
		return i > hx ? Number.NaN : sums[i * wy + ((j + wy) % wy)];
	};
	const speed = speeds(sums, { wy, hx, hy, sx, sy });
	const out: Omit<Candidate, "steadiness">[] = [];
	for (let kx = 0; kx <= hx; kx++)
		for (let ky = -hy; ky <= hy; ky++) {
			if (kx === 0 && ky <= 0) continue;
			const q = Math.hypot(kx * sx, ky * sy);
			if (q < least) continue;
			const own = sumAt(kx, ky);
			const as = speed(q);
			if (!(own > 3 * as)) continue;
			let highest = true;
			for (let i = -reach; i <= reach && highest; i++)
				for (let j = -reach; j <= reach; j++)
					if (sumAt(kx + i, ky + j) > own) highest = false;
			if (!highest) continue;
			const around = ringOf(
				sumAt,
				kx,
				ky,
				wider,
				(i, j) => Math.hypot(i * sx, j * sy) > SHORT * q,
			);
			const contrast = own / Math.max(around, as, 1e-300);
			const [mx, my] = centroid(at, kx, ky, reach);
			out.push({ x: mx * sx, y: my * sy, contrast, power: own });
		}
	return out;
}

/** Median of the sums of bins that are as fast, by |q|. */
function speeds(
	sums: Float64Array,
	{ wy, hx, hy, sx, sy }: Record<"wy" | "hx" | "hy" | "sx" | "sy", number>,
): (q: number) => number {
	const width = 6 * Math.max(sx, sy);
	const bands: number[][] = [];
	for (let kx = 0; kx <= hx; kx++)
		for (let ky = -hy; ky <= hy; ky++) {
			const band = Math.floor(Math.hypot(kx * sx, ky * sy) / width);
			bands[band] ??= [];
			bands[band].push(sums[kx * wy + ((ky + wy) % wy)]);
		}
	const medians = bands.map((values) =>
		ranked(Float64Array.from(values), values.length >> 1),
	);
	return (q) => medians[Math.floor(q / width)] ?? Number.POSITIVE_INFINITY;
}

/** What nine tenths of the sums in a ring about a peak stay below, but for wave vectors that are much shorter: ripples have those. */
function ringOf(
	sumAt: (kx: number, ky: number) => number,
	kx: number,
	ky: number,
	wider: number,
	fast: (kx: number, ky: number) => boolean,
): number {
	const values: number[] = [];
	const [inner, outer] = RING.map((r) => r * wider);
	for (let i = -outer; i <= outer; i++)
		for (let j = -outer; j <= outer; j++) {
			const d = Math.hypot(i, j);
			if (d < inner || d > outer || !fast(kx + i, ky + j)) continue;
			const sum = sumAt(kx + i, ky + j);
			if (Number.isFinite(sum)) values.push(sum);
		}
	return ranked(Float64Array.from(values), Math.floor(0.9 * values.length));
}

/** The centre of a peak's power, in bins. */
function centroid(
	at: (kx: number, ky: number) => number,
	kx: number,
	ky: number,
	reach: number,
): [number, number] {
	let [sum, x, y] = [0, 0, 0];
	for (let i = -reach; i <= reach; i++)
		for (let j = -reach; j <= reach; j++) {
			const p = at(kx + i, ky + j);
			[sum, x, y] = [sum + p, x + p * i, y + p * j];
		}
	return [kx + x / sum, ky + y / sum];
}
