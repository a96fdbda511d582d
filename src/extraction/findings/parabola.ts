/** A parabola through wave vectors at several energies. */
import { HBAR2_2M } from "../../qpi/generator/bands.ts";

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
	/** Degrees of freedom of `error`, where it is an estimate. */
	readonly degrees?: number;
}

/** How far apart (ln q) two waves are whose common parts are alike by exp(-1). */
const ALIKE = 1.1;

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
		// weights that are estimates make the mean worse, and seem better than it is (Meier, Biometrics 9, 59 (1953))
		const doubt = kept.reduce((more, { degrees }, i) => {
			const share = weights[i] / total;
			return more + (4 * share * (1 - share)) / (degrees ?? Infinity);
		}, 1);
		varSlope = doubt / sxx;
		varBottom = doubt * (1 / total + mx ** 2 / sxx);
		cross = (-doubt * mx) / sxx;
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

/** An energy in eV as meV. */
export function meV(energy: number): string {
	return (energy * 1000).toFixed(0);
}
