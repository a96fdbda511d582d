/**
 * q(E) of a stack of kernels and the parabola through it. A wave that is scattered back changes its momentum by q = 2k, so that a free-electron-like band
 * `E = E0 + hbar^2 k^2 / 2m` reads `E = E0 + hbar^2 (q/2)^2 / 2m` (Crommie, Lutz & Eigler, Nature 363, 524 (1993); Hasegawa & Avouris, Phys. Rev. Lett. 71, 1071 (1993)).
 */
import { HBAR2_2M } from "../qpi/bands.ts";
import {
	heldPeaks,
	type Peak,
	type PeakOptions,
	type ProfileOptions,
	profile,
	withError,
} from "./spectrum.ts";

/** What one energy says. */
export interface DispersionPoint {
	/** eV. */
	readonly energy: number;
	/** The peak on the branch; null when this energy has none. */
	readonly peak: Peak | null;
	/** All peaks of this energy that hold, most prominent first. */
	readonly candidates: readonly Peak[];
}

export interface Dispersion {
	/** In the order of the kernels. */
	readonly points: readonly DispersionPoint[];
	/** Null where a parabola means nothing; `reason` then says why. */
	readonly fit: ParabolaFit | null;
	readonly reason: string | null;
}

export interface DispersionOptions
	extends Omit<ProfileOptions, "uncertainty" | "samples" | "groups">,
		Omit<PeakOptions, "heldOut"> {
	/** Of each kernel, one standard deviation a pixel. */
	uncertainties?: readonly ArrayLike<number>[];
	/** Of each kernel, draws from its posterior. */
	samples?: readonly (readonly ArrayLike<number>[])[];
	/** Of each kernel, those with one group of scatterers left out each; undefined where there are none. */
	groups?: readonly (readonly ArrayLike<number>[] | undefined)[];
	/** Of each kernel, the share of the variance of held-out pixels that it explains; null where it is not known. */
	heldOut?: readonly (number | null)[];
}

/** Parts of a peak's systematic error that all energies have in common, and that each has of its own, as stacks of rings without noise have them (npm run bench:significance). */
const [COMMON, OWN] = [1.1, 0.3];
/** How far apart (ln q) two waves are whose common parts are alike by exp(-1). */
const ALIKE = 1.1;

/**
 * q(E) of kernels of one scatterer at several energies (eV), along `direction` or over all directions, and its parabola.
 * @throws Error when the numbers of energies, kernels, uncertainties or samples differ, or an energy is not finite
 */
export function dispersion(
	energies: readonly number[],
	kernels: readonly ArrayLike<number>[],
	options: DispersionOptions = {},
): Dispersion {
	const { uncertainties, samples, groups, heldOut } = options;
	for (const [name, list] of Object.entries({
		kernels,
		uncertainties,
		samples,
		groups,
		heldOut,
	}))
		if (list && list.length !== energies.length)
			throw new Error(
				`dispersion: ${energies.length} energies but ${list.length} ${name}`,
			);
	if (!energies.every(Number.isFinite))
		throw new Error("dispersion: an energy is not a finite number");
	const candidates = kernels.map((kernel, i) =>
		heldPeaks(
			profile(kernel, {
				...options,
				uncertainty: uncertainties?.[i],
				samples: samples?.[i],
				groups: groups?.[i],
			}),
			{ ...options, heldOut: heldOut?.[i] },
		),
	);
	const branch = followBranch(energies, candidates);
	const points = energies.map((energy, i) => ({
		energy,
		peak: branch[i],
		candidates: candidates[i],
	}));
	const result = fitParabola(
		points.flatMap(({ energy, peak }) =>
			peak
				? [
						{
							energy,
							q: peak.q,
							error: Math.hypot(peak.statistical, OWN * peak.systematic),
							systematic: COMMON * peak.systematic,
						},
					]
				: [],
		),
	);
	return typeof result === "string"
		? { points, fit: null, reason: result }
		: { points, fit: result, reason: null };
}

/** Energies that a branch may leap over, and how far (1/A) a peak may well lie from the straight line of q^2 over E through the two before it. */
const [LEAP, TOLERANCE] = [6, 0.008];

/**
 * The branch through peaks at several energies (in any order): of all ways to pick at most one peak an energy, the one with the greatest sum of strengths (prominence over the
 * greatest of its energy) less the squares of its bends, by dynamic programming over pairs of neighbours. A bend is how far a q lies from where the two before it
 * point, along straight lines of q^2 over E, which parabolic bands follow and others nearly.
 * @returns one peak or null for each energy
 */
export function followBranch(
	energies: readonly number[],
	candidates: readonly (readonly Peak[])[],
): (Peak | null)[] {
	const order = energies
		.map((_, i) => i)
		.sort((a, b) => energies[a] - energies[b]);
	/** Paths by their last two peaks; `before` is the path without the last. */
	interface Path {
		readonly at: number;
		readonly peak: Peak;
		readonly before: Path | null;
		readonly score: number;
	}
	const ending: Path[][] = [];
	let best: Path | null = null;
	order.forEach((index, at) => {
		const strongest = candidates[index][0]?.prominence;
		ending[at] = candidates[index].flatMap((peak) => {
			const gain = peak.prominence / strongest;
			const paths: Path[] = [{ at, peak, before: null, score: gain }];
			// the best way to each peak that may come before this one
			for (let from = Math.max(0, at - LEAP); from < at; from++) {
				const reached = new Map<Peak, Path>();
				for (const path of ending[from]) {
					if (energies[order[from]] === energies[index]) continue;
					const score = path.score + gain - bend(path, peak, energies[index]);
					const known = reached.get(path.peak);
					if (!known || score > known.score)
						reached.set(path.peak, { at, peak, before: path, score });
				}
				paths.push(...reached.values());
			}
			return paths;
		});
		for (const path of ending[at])
			if (!best || path.score > best.score) best = path;
	});
	function bend(
		{ at, peak, before }: Path,
		next: Peak,
		energy: number,
	): number {
		if (!before) return 0;
		const [e0, e1] = [energies[order[before.at]], energies[order[at]]];
		const ratio = (energy - e1) / (e1 - e0);
		const expected = peak.q ** 2 + ratio * (peak.q ** 2 - before.peak.q ** 2);
		const off = (next.q ** 2 - expected) / (2 * next.q);
		// the line's own errors grow with the distance
		const spread =
			Math.hypot(1, 1 + ratio, ratio) * Math.max(TOLERANCE, next.error);
		return (off / spread) ** 2;
	}
	const branch: (Peak | null)[] = energies.map(() => null);
	for (let path: Path | null = best as Path | null; path; path = path.before)
		branch[order[path.at]] = path.peak;
	return branch;
}

/** `E = bottom + hbar^2 q^2 / (8 mass)`. */
export interface ParabolaFit {
	/** Effective mass in electron masses; negative for a band that opens downward. */
	readonly mass: number;
	readonly massError: number;
	/** E0, eV. */
	readonly bottom: number;
	readonly bottomError: number;
	/** The part of the errors that comes from what all points have in common: it moves the parabola and scatters no point. */
	readonly massSystematic: number;
	readonly bottomSystematic: number;
	/** Of (mass, bottom): variances and their covariance; all errors include `inflation`, but for the systematic part. */
	readonly covariance: readonly [
		readonly [number, number],
		readonly [number, number],
	];
	readonly chi2: number;
	/** Points used less two. */
	readonly degrees: number;
	/** sqrt(chi2 / degrees) where that is above 1 by more than chance makes it (two standard deviations): the points scatter by that much more than their errors say. Else 1. */
	readonly inflation: number;
	readonly used: number;
	/** Energies (eV) left out as outliers. */
	readonly dropped: readonly number[];
}

/** A wave vector (1/A, with one standard deviation of its own) at an energy (eV). */
export interface QPoint {
	readonly energy: number;
	readonly q: number;
	readonly error: number;
	/** What it is off by together with the others, 1/A; 0 by default. */
	readonly systematic?: number;
}

/** Standard deviations beyond which a point is an outlier, and below which a curvature is none. */
const [OUTLIER, LEAST] = [4, 3];

/**
 * Weighted least squares of E over q^2, each q's error carried over to the energy by the slope (effective variance; Orear, Am. J. Phys. 50, 912 (1982)). With five points or more up
 * to a quarter of them are left out if they lie more than four (scaled) standard deviations from the line through the medians (Sen, J. Am. Stat. Assoc. 63, 1379 (1968)).
 * @returns a sentence when no meaningful parabola exists
 */
export function fitParabola(points: readonly QPoint[]): ParabolaFit | string {
	const n = points.length;
	if (n < 3)
		return `a parabola needs a peak at three energies or more, there ${n === 1 ? "is one" : `are ${n || "none"}`}`;
	const bad = points.find((p) => !(p.error > 0 && p.q > 0));
	if (bad)
		return `the point at ${meV(bad.energy)} meV has q = ${bad.q} with error ${bad.error}, expected both above 0`;
	const start = medianLine(points);
	if (!start)
		return "all peaks lie at the same q: there is no dispersion to fit";
	const pull = ({ energy, q, error }: QPoint) =>
		(energy - start.bottom - start.slope * q * q) /
		Math.max(2 * Math.abs(start.slope) * q * error, 1e-9);
	const scale = Math.max(
		1,
		1.4826 * median(points.map((p) => Math.abs(pull(p)))),
	);
	const suspects = points
		.filter((p) => Math.abs(pull(p)) > OUTLIER * scale)
		.sort((a, b) => Math.abs(pull(b)) - Math.abs(pull(a)));
	const dropped = n < 5 ? [] : suspects.slice(0, Math.floor(n / 4) || 1);
	const kept = points.filter((p) => !dropped.includes(p));

	let { slope, bottom } = start;
	let [varSlope, varBottom, cross, chi2] = [0, 0, 0, 0];
	for (let round = 0; round < 30; round++) {
		const weights = kept.map(({ q, error }) => (2 * slope * q * error) ** -2);
		const sum = (f: (p: QPoint) => number) =>
			kept.reduce((total, p, i) => total + weights[i] * f(p), 0);
		const total = sum(() => 1);
		const mx = sum((p) => p.q ** 2) / total;
		const my = sum((p) => p.energy) / total;
		const sxx = sum((p) => (p.q ** 2 - mx) ** 2);
		slope = sum((p) => (p.q ** 2 - mx) * (p.energy - my)) / sxx;
		bottom = my - slope * mx;
		varSlope = 1 / sxx;
		varBottom = 1 / total + mx ** 2 / sxx;
		cross = -mx / sxx;
		chi2 = sum((p) => (p.energy - bottom - slope * p.q ** 2) ** 2);
	}
	const degrees = kept.length - 2;
	const reduced = chi2 / degrees;
	const inflation =
		reduced > 1 + 2 * Math.sqrt(2 / degrees) ? Math.sqrt(reduced) : 1;
	const significance = Math.abs(slope) / Math.sqrt(varSlope) / inflation;
	if (!(significance >= LEAST))
		return `q does not change with the energy by more than its errors and scatter allow (slope of E over q^2: ${significance.toFixed(1)} standard deviations)`;
	const mass = HBAR2_2M / (4 * slope);
	const perSlope = -mass / slope;
	const [common, mixed, offset] = commonPart(kept, slope);
	const vMass = perSlope ** 2 * (inflation ** 2 * varSlope + common);
	const vBottom = inflation ** 2 * varBottom + offset;
	const both = perSlope * (inflation ** 2 * cross + mixed);
	return {
		mass,
		massError: Math.sqrt(vMass),
		bottom,
		bottomError: Math.sqrt(vBottom),
		massSystematic: Math.abs(perSlope) * Math.sqrt(common),
		bottomSystematic: Math.sqrt(offset),
		covariance: [
			[vMass, both],
			[both, vBottom],
		],
		chi2,
		degrees,
		inflation,
		used: kept.length,
		dropped: dropped.map((p) => p.energy),
	};
}

/** Variance of the slope, covariance, variance of the bottom by the systematic errors, which are alike at nearby q. */
function commonPart(
	points: readonly QPoint[],
	slope: number,
): [number, number, number] {
	const weights = points.map(({ q, error }) => (q * error) ** -2);
	const total = weights.reduce((a, b) => a + b, 0);
	const mean =
		points.reduce((sum, p, i) => sum + weights[i] * p.q ** 2, 0) / total;
	const sxx = points.reduce(
		(sum, p, i) => sum + weights[i] * (p.q ** 2 - mean) ** 2,
		0,
	);
	/** What the slope and the bottom change by when a point's q is off by its systematic error. */
	const changes = points.map(({ q, systematic = 0 }, i) => {
		const energy = -2 * slope * q * systematic * weights[i];
		const ofSlope = ((q ** 2 - mean) / sxx) * energy;
		return [ofSlope, energy / total - ofSlope * mean] as const;
	});
	const out: [number, number, number] = [0, 0, 0];
	changes.forEach((a, i) => {
		changes.forEach((b, j) => {
			const apart = Math.abs(Math.log(points[i].q / points[j].q));
			const alike = Math.exp(-((apart / ALIKE) ** 2));
			out[0] += alike * a[0] * b[0];
			out[1] += alike * a[0] * b[1];
			out[2] += alike * a[1] * b[1];
		});
	});
	return out;
}

/** The fit in one sentence, or why there is none. */
export function describeDispersion({
	points,
	fit,
	reason,
}: Dispersion): string {
	if (!fit) return `No parabola: ${reason}.`;
	const { mass, massError, bottom, bottomError, chi2, degrees } = fit;
	const notes = [`${fit.used} of ${points.length} energies`];
	if (degrees > 0) notes.push(`chi2/dof = ${(chi2 / degrees).toFixed(2)}`);
	if (fit.inflation >= 1.05)
		notes.push(`errors scaled by ${fit.inflation.toFixed(1)}`);
	if (fit.dropped.length)
		notes.push(`left out as outliers: ${fit.dropped.map(meV).join(", ")} meV`);
	if (fit.massSystematic > 0)
		notes.push(
			`of the errors ${withError(0, fit.massSystematic).split(" ").pop()} m_e and ${withError(
				0,
				fit.bottomSystematic * 1000,
			)
				.split(" ")
				.pop()} meV systematic`,
		);
	const kind = mass < 0 ? "hole-like, " : "";
	return `m* = ${withError(mass, massError)} m_e, E0 = ${withError(bottom * 1000, bottomError * 1000)} meV (${kind}${notes.join("; ")}).`;
}

/** Median of the slopes of all pairs, then of the offsets. */
function medianLine(
	points: readonly QPoint[],
): { slope: number; bottom: number } | null {
	const slopes = points.flatMap((a, i) =>
		points
			.slice(i + 1)
			.map((b) => (b.energy - a.energy) / (b.q ** 2 - a.q ** 2))
			.filter(Number.isFinite),
	);
	const slope = slopes.length ? median(slopes) : 0;
	if (slope === 0) return null;
	return {
		slope,
		bottom: median(points.map((p) => p.energy - slope * p.q ** 2)),
	};
}

function median(values: number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const half = sorted.length >> 1;
	return sorted.length % 2
		? sorted[half]
		: (sorted[half - 1] + sorted[half]) / 2;
}

function meV(energy: number): string {
	return (energy * 1000).toFixed(0);
}
