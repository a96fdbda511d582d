/** What the errors of a kernel make of its angular harmonics. */
import { besselJ } from "../../qpi/maths/bessel.ts";
import {
	HARMONICS,
	harmonicsOf,
	meanSquare,
	ripples,
	type Waves,
	weightAt,
	type Zone,
} from "./harmonics.ts";

/** What the kernel's errors make on the zone's rings. */
export interface Noise {
	/** Expected |a_m|^2, by ring and m. */
	readonly power: readonly Float64Array[];
	/** Expected mean square about the ring's mean. */
	readonly uneven: readonly number[];
	/** |correlation|^2 of a_m on two rings. */
	related(m: number, k: number, l: number): number;
	/** Expected |sum weight a_m|^2, a weight for each ring. */
	projected(m: number, weights: Float64Array): number;
	/** Of these estimates; infinite when they are taken as known. */
	readonly degrees: number;
}

/** Rings either side over which an estimate from few draws is averaged. */
const SMOOTH = 2;

/** From draws, times `scale` in variance: the spread about their mean. */
export function spreadNoise(
	draws: readonly ArrayLike<number>[],
	zone: Zone,
	scale = 1,
): Noise {
	const degrees = draws.length - 1;
	const rings = draws.map((draw) => ripples(draw, zone));
	const waves = rings.map((list) => list.map(harmonicsOf));
	const mean = (k: number, part: keyof Waves, m: number) =>
		waves.reduce((sum, w) => sum + w[k][part][m], 0) / draws.length;
	for (const [k] of zone.radii.entries())
		for (let m = 0; m <= HARMONICS; m++) {
			const [re, im] = [mean(k, "re", m), mean(k, "im", m)];
			for (const w of waves) {
				w[k].re[m] -= re;
				w[k].im[m] -= im;
			}
		}
	const covariance = (m: number, k: number, l: number) => {
		let [re, im] = [0, 0];
		for (const w of waves) {
			const [a, b] = [w[k], w[l]];
			re += a.re[m] * b.re[m] + a.im[m] * b.im[m];
			im += a.im[m] * b.re[m] - a.re[m] * b.im[m];
		}
		return [(scale * re) / degrees, (scale * im) / degrees];
	};
	const raw = zone.radii.map((_, k) =>
		Float64Array.from(
			{ length: HARMONICS + 1 },
			(_, m) => covariance(m, k, k)[0],
		),
	);
	const average = zone.radii.map((_, k) => {
		const sum = new Float64Array(rings[0][k].length);
		for (const list of rings)
			list[k].forEach((v, t) => {
				sum[t] += v / draws.length;
			});
		return sum;
	});
	return {
		degrees,
		projected(m, weights) {
			let sum = 0;
			for (const w of waves) {
				const side = (part: keyof Waves) =>
					weights.reduce((total, v, k) => total + v * w[k][part][m], 0);
				sum += side("re") ** 2 + side("im") ** 2;
			}
			return (scale * sum) / degrees;
		},
		power: raw.map((_, k) =>
			Float64Array.from({ length: HARMONICS + 1 }, (_, m) =>
				Math.max(
					Number.MIN_VALUE,
					nearby(raw, k, (row) => row[m]),
				),
			),
		),
		uneven: zone.radii.map((_, k) => {
			const total = rings.reduce(
				(sum, list) =>
					sum + meanSquare(list[k].map((v, t) => v - average[k][t])),
				0,
			);
			return (scale * total) / degrees - raw[k][0];
		}),
		related(m, k, l) {
			if (k === l) return 1;
			const [re, im] = covariance(m, k, l);
			const both = raw[k][m] * raw[l][m];
			const seen = both > 0 ? (re * re + im * im) / both : 1;
			// uncorrelated draws have 1 / degrees of it
			return degrees > 1
				? Math.max(0, (seen * degrees - 1) / (degrees - 1))
				: seen;
		},
	};
}

/** From kernels with one group of scatterers left out each: the jackknife's `(g - 1)/g sum`, where that is more than the noise known before. */
export function withGroups(
	known: Noise | null,
	groups: readonly ArrayLike<number>[],
	zone: Zone,
): Noise {
	const g = groups.length;
	const left = spreadNoise(groups, zone, (g - 1) ** 2 / g);
	if (!known) return left;
	return {
		power: known.power.map((row, k) =>
			row.map((v, m) => Math.max(v, left.power[k][m])),
		),
		uneven: known.uneven.map((v, k) => Math.max(v, left.uneven[k])),
		related: known.related,
		projected: (m, weights) =>
			Math.max(known.projected(m, weights), left.projected(m, weights)),
		degrees: known.degrees,
	};
}

/** Mean over a ring and those beside it. */
function nearby(
	rows: readonly Float64Array[],
	k: number,
	of: (row: Float64Array) => number,
): number {
	const beside = rows.slice(Math.max(0, k - SMOOTH), k + SMOOTH + 1);
	return beside.reduce((sum, row) => sum + of(row), 0) / beside.length;
}

/** From a map, or one value for all pixels, of which `area` err together: on each ring the noise is taken as even, with the map's mean square there. */
export function mapNoise(
	uncertainty: ArrayLike<number> | number,
	zone: Zone,
	area: number,
): Noise {
	const white = bandNoise(zone.radii, 1);
	const noise = bandNoise(zone.radii, area);
	const count = zone.radii.map(() => 0);
	const squares = zone.radii.map(() => 0);
	const middle = (zone.n - 1) / 2;
	for (let p = 0; p < zone.n ** 2; p++) {
		const x = Math.floor(p / zone.n) - middle - zone.centre[0];
		const y = (p % zone.n) - middle - zone.centre[1];
		const k = Math.round(Math.hypot(x, y)) - zone.radii[0];
		if (!(k >= 0 && k < count.length)) continue;
		count[k]++;
		squares[k] +=
			(typeof uncertainty === "number" ? uncertainty : uncertainty[p]) ** 2;
	}
	const variance = squares.map(
		(v, k) => (v / count[k]) * weightAt(zone, zone.radii[k]) ** 2,
	);
	// Close to the centre smooth noise has no high harmonics at all: there the errors are not trusted to be that smooth.
	const power = variance.map((v, k) =>
		Float64Array.from(noise, (c, m) =>
			Math.max(Number.MIN_VALUE, v * Math.max(c[k][k], white[m][k][k])),
		),
	);
	return {
		power,
		uneven: variance.map((v, k) => v * (1 - noise[0][k][k])),
		projected(m, weights) {
			const w = weights.map((v, k) => v * Math.sqrt(variance[k]));
			return w.reduce(
				(sum, v, k) =>
					sum + v * w.reduce((row, u, l) => row + u * noise[m][k][l], 0),
				0,
			);
		},
		degrees: Number.POSITIVE_INFINITY,
		related: (m, k, l) =>
			noise[m][k][l] ** 2 / (noise[m][k][k] * noise[m][l][l]),
	};
}

/**
 * Covariances [m][k][l] of a_m on two rings for noise of unit variance and a flat spectrum up to q_max, `(area / 2 pi) integral_0^q_max J_m(q r_k) J_m(q r_l) q dq`; q_max^2 = 4 pi / area is the
 * circle that holds as much as the pixels' Brillouin zone over `area`.
 */
function bandNoise(radii: readonly number[], area: number): Float64Array[][] {
	const steps = 4 * radii[radii.length - 1];
	const dq = Math.sqrt((4 * Math.PI) / area) / steps;
	const all = Array.from({ length: HARMONICS + 1 }, () =>
		radii.map(() => new Float64Array(radii.length)),
	);
	for (let s = 0; s < steps; s++) {
		const q = (s + 0.5) * dq;
		const waves = radii.map((r) => besselJ(q * r, HARMONICS));
		const weight = (area * q * dq) / (2 * Math.PI);
		all.forEach((c, m) => {
			for (let k = 0; k < radii.length; k++)
				for (let l = 0; l <= k; l++)
					c[k][l] += weight * waves[k][m] * waves[l][m];
		});
	}
	for (const c of all)
		for (let k = 0; k < radii.length; k++)
			for (let l = 0; l < k; l++) c[l][k] = c[k][l];
	return all;
}

/** Standard deviations of a normal variate that is as rare as a mean `x` of unit gamma variates of this variance (Wilson & Hilferty, PNAS 17, 684 (1931)); at most 1000. */
const rarity = (x: number, variance: number) =>
	Math.min(1000, (Math.cbrt(x) - 1 + variance / 9) / Math.sqrt(variance / 9));

/**
 * Standard deviations by which the harmonic m has more of the shape `template` than the errors make. The square of the projection is exponential, or, with errors of few degrees of freedom, has a tail as
 * (1 + x/degrees)^-degrees.
 */
export function match(
	waves: readonly Waves[],
	m: number,
	template: Float64Array,
	radii: readonly number[],
	noise: Noise,
): number {
	const weights = template.map((v, k) => v * radii[k]);
	const side = (part: keyof Waves) =>
		weights.reduce((sum, v, k) => sum + v * waves[k][part][m], 0);
	const x = (side("re") ** 2 + side("im") ** 2) / noise.projected(m, weights);
	if (!(x > 0)) return Number.NEGATIVE_INFINITY;
	const { degrees } = noise;
	return rarity(
		Number.isFinite(degrees) ? degrees * Math.log1p(x / degrees) : x,
		1,
	);
}

/**
 * Standard deviations by which the mean of |a_m|^2 over its expectation is too large, the greatest over the innermost quarter, half and the whole of the rings. Each term is
 * exponential, the mean about a gamma variate of as many terms as the correlation between rings leaves. Rings within m/2 pixels are left out: there neither noise nor signal, both
 * below Nyquist, has that harmonic.
 */
export function excess(
	pulls: readonly number[],
	m: number,
	radii: readonly number[],
	noise: Noise,
): number {
	let best = Number.NEGATIVE_INFINITY;
	for (const part of [4, 2, 1]) {
		const first = Math.max(0, Math.ceil(m / 2) - radii[0]);
		const end = Math.ceil(pulls.length / part);
		const rings = end - first;
		if (rings < 1) continue;
		let [mean, variance] = [0, 0];
		for (let k = first; k < end; k++) {
			mean += pulls[k] / rings;
			for (let l = first; l < end; l++)
				variance += noise.related(m, k, l) / rings ** 2;
		}
		best = Math.max(best, rarity(mean, variance));
	}
	return best;
}
