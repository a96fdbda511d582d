/** Peaks of q profiles. */
import type { Profile } from "./spectrum.ts";

/** A maximum of a profile. */
export interface Peak {
	/** 1/A, where the fitted parabola has its maximum. */
	readonly q: number;
	/**
	 * One standard deviation: the propagated error and, in quadrature, what the method is off by on generated kernels of known q: the profile's `systematic` (0.001 1/A
	 * for a reach of 200 A, in a sector 0.003) and near the q = 0 disk more (LOW). Without the kernel's errors only the latter.
	 */
	readonly error: number;
	readonly height: number;
	/** Height above the higher of the two valleys that part it from higher ground. */
	readonly prominence: number;
	/** Prominence over its standard deviation; null when the profile has no errors. */
	readonly significance: number | null;
}

export interface PeakOptions {
	/** 1/A: nothing below; 1.25 times the resolution by default, which is where the q = 0 disk ends. */
	qMin?: number;
	/** 1/A; nothing above, 0.95 of Nyquist by default: what lies there may be folded. */
	qMax?: number;
	/** Standard deviations; 3 by default. */
	significance?: number;
}

/**
 * Prominence over that of the most prominent peak below which a maximum may be a side lobe of the window (they have 0.03 of their peak), and, with errors unknown, height over the
 * profile's median below which it counts as noise.
 */
const [SIDE_LOBE, FLOOR] = [0.06, 2];
/** Times resolution^3 / q^2: the bias of broadened surface states at small q (0.005 1/A at 0.06, 0.0015 at 0.1; reach 200 A). */
const LOW = 0.6;

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
	const { q, value, covariance, systematic, resolution } = profile;
	const median = value.slice().sort()[value.length >> 1];
	const peaks: Peak[] = [];
	for (let k = 1; k < q.length - 1; k++) {
		if (q[k] < qMin || q[k] > qMax) continue;
		if (!(value[k] > value[k - 1] && value[k] >= value[k + 1])) continue;
		const valley = key(value, k);
		const prominence = value[k] - value[valley];
		const variance = covariance && differenceVariance(covariance, k, valley);
		const significance =
			variance === undefined ? null : prominence / Math.sqrt(variance);
		if (
			significance === null ? value[k] < FLOOR * median : significance < least
		)
			continue;
		const fitted = vertex(profile, k);
		if (!fitted) continue;
		const low = (LOW * resolution ** 3) / fitted.q ** 2;
		const error = Math.hypot(fitted.error, systematic + low);
		peaks.push({
			q: fitted.q,
			error,
			height: value[k],
			prominence,
			significance,
		});
	}
	peaks.sort((a, b) => b.prominence - a.prominence);
	return peaks.filter((p) => p.prominence >= SIDE_LOBE * peaks[0].prominence);
}

/** The most prominent peak, or null when none is significant. */
export function dominantPeak(
	profile: Profile,
	options?: PeakOptions,
): Peak | null {
	return findPeaks(profile, options)[0] ?? null;
}

/** "q = 0.165 +- 0.003 1/A (wavelength 38 A; 12 sigma)", or that there is no peak. */
export function describePeak(peak: Peak | null): string {
	if (!peak) return "no significant peak";
	const sigma =
		peak.significance === null
			? "kernel's errors unknown"
			: `${peak.significance.toFixed(0)} sigma`;
	return `q = ${withError(peak.q, peak.error)} 1/A (wavelength ${((2 * Math.PI) / peak.q).toFixed(0)} A; ${sigma})`;
}

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

function differenceVariance(c: Float64Array, k: number, l: number): number {
	const m = Math.sqrt(c.length);
	return c[k * m + k] + c[l * m + l] - 2 * c[k * m + l];
}

/** Vertex of the least-squares parabola through the points within 0.3 resolutions of maximum k, with its propagated error. */
function vertex(
	{ q, value, covariance, resolution }: Profile,
	k: number,
): { q: number; error: number } | null {
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
	let variance = 0;
	if (covariance) {
		const g = x.map(
			(v) => -v / s2 / (2 * curve) - (at * (v * v - mean2)) / s4 / curve,
		);
		for (let i = 0; i < g.length; i++)
			for (let j = 0; j < g.length; j++)
				variance += g[i] * g[j] * covariance[points[i] * q.length + points[j]];
	}
	return { q: (mid + at) * q[1], error: Math.sqrt(variance) * q[1] };
}
