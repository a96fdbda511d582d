/** Peaks of q profiles, and which of them hold. */
import { LITTLE } from "./failed.ts";
import type { Profile } from "./profile.ts";

/** A maximum of a profile. */
export interface Peak {
	/** 1/A, where the fitted parabola has its maximum, corrected for the near field (NEAR). */
	readonly q: number;
	/** One standard deviation: the statistical and the systematic part in quadrature. */
	readonly error: number;
	/** What the errors of the kernel make of it: its samples' or pixels', and the jackknife's over groups of scatterers; 0 when both are unknown. */
	readonly statistical: number;
	/** What the window and the near field leave without noise (LEFT, SECTOR): common to kernels of one window at nearby q. */
	readonly systematic: number;
	readonly height: number;
	/** Height above the higher of the two valleys that part it from higher ground. */
	readonly prominence: number;
	/** Prominence over its standard deviation; null when the profile has no errors. */
	readonly significance: number | null;
	/** Share of the kernel's power (|F|^2 above noise, in the q plane) within one resolution of the peak. */
	readonly share: number;
}

export interface PeakOptions {
	/** 1/A: nothing below; 1.25 times the resolution by default, which is where the q = 0 disk ends. */
	qMin?: number;
	/** 1/A; nothing above, 0.95 of Nyquist by default: what lies there may be folded. */
	qMax?: number;
	/** Standard deviations; 3 by default. */
	significance?: number;
	/** Share of the variance of held-out pixels that the kernel explains; null where it is not known. */
	heldOut?: number | null;
}

/** A peak that holds, or what it lacks. */
export interface JudgedPeak {
	readonly peak: Peak | null;
	/** Reasons why there is none; empty where there is one. */
	readonly missing: readonly string[];
}

/**
 * Prominence over that of the most prominent peak below which a maximum may be a side lobe of the window (they have 0.03 of their peak), and, with errors unknown, height over the
 * profile's median below which it counts as noise.
 */
const [SIDE_LOBE, FLOOR] = [0.06, 2];
/**
 * Waves of a scatterer at the distance r have a phase of order 1/qr on top of qr, and the window weighs small r too, which pulls the peak down by NEAR / ((q reach)^2 + CLOSE) of the resolution, at most MOST_PULL: the mean of
 * kernels `Re[f H0(kr)^2] exp(-r/l)` in windows of 30 to 150 A, any phase, l = 40 to 200 A. LEFT / (q reach) and, with
 * few waves in the window, FEW / (q reach)^2 of the resolution is what they scatter by. A sector's q changes within it: SECTOR of the resolution more.
 */
const [NEAR, CLOSE, MOST_PULL] = [12, 50, 0.055];
const [LEFT, FEW, SECTOR] = [0.13, 1.2, 0.04];
/** What is added to a maximum's q for the near field, 1/A. */
export const pull = (q: number, { resolution, reach }: Profile) =>
	resolution * Math.min(MOST_PULL, NEAR / ((q * reach) ** 2 + CLOSE));
const left = (q: number, { resolution, reach }: Profile) => {
	const waves = q * reach;
	return resolution * Math.hypot(LEFT / waves, FEW / waves ** 2);
};
/** What window, near field and, in a sector, the other directions leave at q, 1/A. */
export const systematicOf = (q: number, profile: Profile): number =>
	left(q, profile) + (profile.sector ? SECTOR * profile.resolution : 0);
/** What a peak that holds has at least: share of the power, share of the groups in which it is found. */
const [SHARE, MOST] = [0.05, 0.75];
/** Of the resolution: a peak that is known no better than this is none. */
const VAGUE = 0.25;
/** Degrees of freedom that a covariance is taken to have. */
const DEGREES = 15;

/**
 * The significant peaks of a profile, most prominent first; empty when there is none. A peak is a maximum between qMin and qMax with a prominence of at
 * least three standard deviations and 6 % of the most prominent one's; when the errors are unknown, twice the profile's median stands in for the
 * latter. On white noise alone (80 images) no maximum had more than 2.6 standard deviations.
 */
export function findPeaks(
	profile: Profile,
	{
		qMin = 1.25 * profile.resolution,
		qMax = 0.95 * profile.q[profile.q.length - 1],
		significance: least = 3,
	}: PeakOptions = {},
): Peak[] {
	const { q, value, noise } = profile;
	const median = value.slice().sort()[value.length >> 1];
	const peaks: Peak[] = [];
	const signal = noise ? value.map((v, k) => withoutNoise(v, noise[k])) : value;
	for (let k = 1; k < q.length - 1; k++) {
		if (q[k] < qMin || q[k] > qMax || !isTop(value, k)) continue;
		const valley = key(value, k);
		const prominence = value[k] - value[valley];
		const deviation = deviationOf(profile, [k, valley], [1, -1]);
		const significance = deviation === null ? null : prominence / deviation;
		if (
			significance === null ? value[k] < FLOOR * median : significance < least
		)
			continue;
		const fitted = vertex(profile, signal, k);
		if (!fitted) continue;
		const statistical =
			deviationOf(profile, fitted.points, fitted.gradient) ?? 0;
		const systematic = systematicOf(fitted.q, profile);
		peaks.push({
			q: fitted.q + pull(fitted.q, profile),
			error: Math.hypot(statistical, systematic),
			statistical,
			systematic,
			height: value[k],
			prominence,
			significance,
			share: shareOf(profile, fitted.q),
		});
	}
	peaks.sort((a, b) => b.prominence - a.prominence);
	return peaks.filter((p) => p.prominence >= SIDE_LOBE * peaks[0].prominence);
}

/** S of a mean modulus v of S and complex noise of variance N: Rice's mean is sqrt(S^2 + N/2) for small noise and sqrt(pi N/4) without S; between them to 2 % of sqrt N. */
function withoutNoise(v: number, noise: number): number {
	const floor = (Math.PI / 4) * noise;
	if (v * v <= floor) return 0;
	const share = (floor / (v * v)) ** 2;
	return Math.sqrt(v * v - (noise / 2) * (1 - share) - floor * share);
}

/**
 * The most prominent peak if it holds: by the errors, in most groups of scatterers left out, in both halves of them, with a shorter window, with a share of the
 * kernel's power, of a kernel that explains held-out pixels. What is not known (no groups, no held-out score) is not asked.
 */
export function judgePeak(
	profile: Profile,
	options: PeakOptions = {},
): JudgedPeak {
	const [peak] = findPeaks(profile, options);
	const missing = unexplained(options);
	if (!peak)
		missing.push(
			`no maximum stands out by ${options.significance ?? 3} standard deviations`,
		);
	else missing.push(...doubts(profile, peak));
	return { peak: missing.length ? null : peak, missing };
}

/** All peaks that hold, most prominent first; as `judgePeak` judges. */
export const heldPeaks = (
	profile: Profile,
	options: PeakOptions = {},
): Peak[] =>
	unexplained(options).length
		? []
		: findPeaks(profile, options).filter(
				(peak) => doubts(profile, peak).length === 0,
			);

function unexplained({ heldOut }: PeakOptions): string[] {
	return heldOut != null && !(heldOut >= LITTLE)
		? [
				`the kernel explains ${heldOut.toFixed(2)} of held-out pixels, expected ${LITTLE.toFixed(2)} or more`,
			]
		: [];
}

function doubts(profile: Profile, peak: Peak): string[] {
	const { groups, halves, shorter, resolution } = profile;
	const missing: string[] = [];
	// uncorrected, as the others' are
	const q = peak.q - pull(peak.q, profile);
	const near = (value: Float64Array, centre: number, within: number) => {
		const found = nearest(profile, value, centre);
		return found !== null && Math.abs(found - centre) <= within;
	};
	if (peak.share < SHARE)
		missing.push(
			`${(100 * peak.share).toFixed(0)} % of the kernel's power lie in the peak, expected ${100 * SHARE} or more`,
		);
	if (peak.statistical > VAGUE * resolution)
		missing.push(
			`its error, ${digitsOf(peak.statistical)} 1/A, is more than a quarter of what the window resolves`,
		);
	if (!near(shorter, q, Math.max(4 * peak.statistical, 0.15 * resolution)))
		missing.push("it moves when the window is shorter");
	if (groups) {
		const within = Math.max(3 * peak.error, 0.1 * resolution);
		const found = groups.filter((value) => near(value, q, within)).length;
		if (found < MOST * groups.length)
			missing.push(
				`it is found in ${found} of ${groups.length} kernels with a group of scatterers left out`,
			);
	}
	if (halves) {
		const [a, b] = halves.map((value) => nearest(profile, value, q));
		// each half errs by sqrt 2 times the whole's error, their difference by twice
		const within = Math.max(6 * peak.statistical, 0.1 * resolution);
		if (a === null || b === null || Math.abs(a - b) > within)
			missing.push("two halves of the scatterers do not agree on it");
	}
	return missing;
}

/** The most prominent peak, or null when it does not hold (`judgePeak` says why). */
export function dominantPeak(
	profile: Profile,
	options?: PeakOptions,
): Peak | null {
	return judgePeak(profile, options).peak;
}

/** "q = 0.165 +- 0.003 1/A (wavelength 38 A; 12 sigma; statistical 0.002, systematic 0.002)", or that there is no peak that holds, and what is `missing`. */
export function describePeak(
	peak: Peak | null,
	missing: readonly string[] = [],
): string {
	if (!peak)
		return `no q* that holds: ${missing.length ? missing.join("; ") : "no significant peak"}`;
	const { q, error, statistical, systematic, significance } = peak;
	const notes = [`wavelength ${((2 * Math.PI) / q).toFixed(0)} A`];
	if (significance === null) notes.push("kernel's errors unknown");
	else
		notes.push(
			`${significance.toFixed(0)} sigma`,
			`statistical ${digitsOf(statistical)}, systematic ${digitsOf(systematic)}`,
		);
	return `q = ${withError(q, error)} 1/A (${notes.join("; ")})`;
}

/** An error by itself, as `withError` writes it. */
const digitsOf = (error: number) => withError(0, error).split(" ").pop();

/** "0.165 +- 0.003": one digit of the error, two when it begins with 1. */
export function withError(value: number, error: number): string {
	if (!(error > 0) || !Number.isFinite(error)) return `${value}`;
	const exponent = Math.floor(Math.log10(error));
	const digits = error / 10 ** exponent < 1.95 ? 1 - exponent : -exponent;
	const places = Math.min(12, Math.max(0, digits));
	return `${value.toFixed(places)} +- ${error.toFixed(places)}`;
}

/** The higher of the two valleys between maximum k and higher ground, or the profile's ends. */
function key(value: Float64Array, k: number): number {
	const side = (step: number) => {
		let lowest = k;
		for (let i = k + step; i >= 0 && i < value.length; i += step) {
			if (value[i] > value[k]) break;
			if (value[i] < value[lowest]) lowest = i;
		}
		return lowest;
	};
	const [left, right] = [side(-1), side(1)];
	return value[left] > value[right] ? left : right;
}

const isTop = (value: Float64Array, k: number) =>
	value[k] > value[k - 1] && value[k] >= value[k + 1];

/** Vertex of the maximum of `value` that is nearest to q (1/A), within half a resolution; null when there is none. */
function nearest(
	profile: Profile,
	value: Float64Array,
	q: number,
): number | null {
	let best: number | null = null;
	for (let k = 1; k < value.length - 1; k++) {
		if (Math.abs(profile.q[k] - q) > profile.resolution / 2) continue;
		if (!isTop(value, k)) continue;
		const at = vertex(profile, value, k)?.q;
		if (
			at !== undefined &&
			(best === null || Math.abs(at - q) < Math.abs(best - q))
		)
			best = at;
	}
	return best;
}

function shareOf({ q, value, error, resolution }: Profile, at: number): number {
	let [inside, all] = [0, 0];
	for (let k = 0; k < q.length; k++) {
		const power =
			q[k] * Math.max(0, value[k] ** 2 - (error ? error[k] ** 2 : 0));
		all += power;
		if (Math.abs(q[k] - at) < resolution) inside += power;
	}
	return all ? inside / all : 0;
}

/**
 * Standard deviation of `sum gradient value[points]`: by the covariance and by the jackknife over groups (Efron & Stein, Ann. Stat. 9, 586 (1981)), whose few degrees of freedom are
 * pooled with the covariance's unless it is larger by more than chance; then it stands alone. Null when neither is known.
 */
export function deviationOf(
	{ q, covariance, groups }: Profile,
	points: readonly number[],
	gradient: readonly number[],
): number | null {
	let known: number | null = null;
	if (covariance) {
		known = 0;
		for (let i = 0; i < points.length; i++)
			for (let j = 0; j < points.length; j++)
				known +=
					gradient[i] *
					gradient[j] *
					covariance[points[i] * q.length + points[j]];
		known = Math.max(0, known);
	}
	if (!groups) return known === null ? null : Math.sqrt(known);
	const left = groups.map((value) =>
		points.reduce((sum, k, i) => sum + gradient[i] * value[k], 0),
	);
	const mean = left.reduce((a, b) => a + b, 0) / left.length;
	const degrees = left.length - 1;
	const jackknife =
		(degrees / left.length) * left.reduce((sum, v) => sum + (v - mean) ** 2, 0);
	if (known === null || jackknife > (1 + 4 / Math.sqrt(degrees)) * known)
		// Student's t at one standard deviation
		return Math.sqrt(jackknife) * (1 + 0.6 / degrees);
	return Math.sqrt(
		(DEGREES * known + degrees * jackknife) / (DEGREES + degrees),
	);
}

/** Vertex of the least-squares parabola through the points within 0.3 resolutions of maximum k, and its derivative by their values (1/A per unit). */
function vertex(
	{ q, resolution }: Profile,
	value: Float64Array,
	k: number,
): { q: number; points: number[]; gradient: number[] } | null {
	const h = Math.max(1, Math.round((0.3 * resolution) / q[1]));
	const first = Math.max(0, k - h);
	const last = Math.min(q.length - 1, k + h);
	const points = Array.from({ length: last - first + 1 }, (_, i) => first + i);
	const mid = (first + last) / 2;
	// on even points, x and x^2 - mean are orthogonal
	const x = points.map((i) => i - mid);
	const sum = (f: (x: number, i: number) => number) =>
		x.reduce((total, v, i) => total + f(v, i), 0);
	const s2 = sum((v) => v * v);
	const mean2 = s2 / x.length;
	const s4 = sum((v) => (v * v - mean2) ** 2);
	const slope = sum((v, i) => v * value[points[i]]) / s2;
	const curve = sum((v, i) => (v * v - mean2) * value[points[i]]) / s4;
	if (!(curve < 0)) return null;
	const at = -slope / (2 * curve);
	if (Math.abs(at) > x.length / 2) return null;
	const gradient = x.map(
		(v) => q[1] * (-v / s2 / (2 * curve) - (at * (v * v - mean2)) / s4 / curve),
	);
	return { q: (mid + at) * q[1], points, gradient };
}
