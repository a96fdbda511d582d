/**
 * Angular harmonics of a kernel, `a_m(r) = mean over theta of K(r, theta) exp(-i m theta)` on rings one pixel apart about the middle of the image, and what the kernel's errors make of
 * them. White noise spreads evenly over all m, up to 80 of them in a ring, whereas a band's or a cluster's anisotropy is in the lowest: so a harmonic shows long before
 * the residual of the whole image after symmetrisation does.
 */
import { sample } from "./rotate.ts";

/** Harmonics that are judged. */
export const HARMONICS = 12;
/** Points on each ring: divisible by all orders, and more than twice the highest harmonic that a ring of 64 pixels holds. */
export const POINTS = 192;

/** Values on rings of radius 1, 2, ... pixels. */
export function polar(
	kernel: ArrayLike<number>,
	n: number,
	radius: number,
): Float64Array[] {
	return Array.from({ length: radius }, (_, k) =>
		Float64Array.from({ length: POINTS }, (_, t) => {
			const angle = (2 * Math.PI * t) / POINTS;
			const u = (n - 1) / 2 + (k + 1) * Math.cos(angle);
			const v = (n - 1) / 2 + (k + 1) * Math.sin(angle);
			return sample(kernel, n, u, v);
		}),
	);
}

export interface Waves {
	readonly re: Float64Array;
	readonly im: Float64Array;
}

const COSINE = Float64Array.from({ length: POINTS }, (_, t) =>
	Math.cos((2 * Math.PI * t) / POINTS),
);

/** a_0 ... a_12 of a ring. */
export function harmonicsOf(ring: ArrayLike<number>): Waves {
	const re = new Float64Array(HARMONICS + 1);
	const im = new Float64Array(HARMONICS + 1);
	for (let m = 0; m <= HARMONICS; m++)
		for (let t = 0; t < POINTS; t++) {
			const value = ring[t] / POINTS;
			re[m] += value * COSINE[(m * t) % POINTS];
			// sin x = cos(x - a quarter turn)
			im[m] -= value * COSINE[(m * t + (3 * POINTS) / 4) % POINTS];
		}
	return { re, im };
}

/** What the kernel's errors make on the rings. */
export interface Noise {
	/** Expected |a_m|^2, by ring and m. */
	readonly power: readonly Float64Array[];
	/** Expected mean square about the ring's mean. */
	readonly uneven: readonly number[];
	/** |correlation|^2 of a_m on two rings. */
	related(m: number, k: number, l: number): number;
}

/** From draws: their spread about their mean. */
export function sampleNoise(
	samples: readonly ArrayLike<number>[],
	n: number,
	radius: number,
): Noise {
	const scale = 1 / (samples.length - 1);
	const mean = Float64Array.from(
		{ length: n * n },
		(_, i) => samples.reduce((sum, s) => sum + s[i], 0) / samples.length,
	);
	const draws = samples.map((s) => {
		const rings = polar(
			mean.map((v, i) => s[i] - v),
			n,
			radius,
		);
		return { rings, waves: rings.map(harmonicsOf) };
	});
	const covariance = (m: number, k: number, l: number) => {
		let [re, im] = [0, 0];
		for (const { waves } of draws) {
			const [a, b] = [waves[k], waves[l]];
			re += scale * (a.re[m] * b.re[m] + a.im[m] * b.im[m]);
			im += scale * (a.im[m] * b.re[m] - a.re[m] * b.im[m]);
		}
		return [re, im];
	};
	const power = Array.from({ length: radius }, (_, k) =>
		Float64Array.from({ length: HARMONICS + 1 }, (_, m) =>
			Math.max(Number.MIN_VALUE, covariance(m, k, k)[0]),
		),
	);
	return {
		power,
		uneven: power.map((_, k) =>
			draws.reduce(
				(sum, { rings, waves }) =>
					sum + scale * (meanSquare(rings[k]) - waves[k].re[0] ** 2),
				0,
			),
		),
		related(m, k, l) {
			const [re, im] = covariance(m, k, l);
			const both = power[k][m] * power[l][m];
			return both > 0 ? (re * re + im * im) / both : 1;
		},
	};
}

/** From a map: on each ring the noise is taken as even, with the map's mean square there. */
export function mapNoise(
	uncertainty: ArrayLike<number> | number,
	n: number,
	radius: number,
	area: number,
): Noise {
	const white = bandNoise(radius, 1);
	const noise = bandNoise(radius, area);
	const variance = Array.from({ length: radius }, (_, k) => {
		let sum = 0;
		for (let t = 0; t < POINTS; t++) {
			const angle = (2 * Math.PI * t) / POINTS;
			const i = Math.round((n - 1) / 2 + (k + 1) * Math.cos(angle));
			const j = Math.round((n - 1) / 2 + (k + 1) * Math.sin(angle));
			const sigma =
				typeof uncertainty === "number" ? uncertainty : uncertainty[i * n + j];
			sum += sigma ** 2 / POINTS;
		}
		return sum;
	});
	// Close to the centre smooth noise has no high harmonics at all: there the errors are not trusted to be that smooth.
	const power = variance.map((v, k) =>
		Float64Array.from(noise, (c, m) =>
			Math.max(Number.MIN_VALUE, v * Math.max(c[k][k], white[m][k][k])),
		),
	);
	return {
		power,
		uneven: variance.map((v, k) => v * (1 - noise[0][k][k])),
		related: (m, k, l) =>
			noise[m][k][l] ** 2 / (noise[m][k][k] * noise[m][l][l]),
	};
}

const known = new Map<string, Float64Array[][]>();

/**
 * Covariances [m][k][l] of a_m on two rings for noise of unit variance and a flat spectrum up to q_max, `(area / 2 pi) integral_0^q_max J_m(q r_k) J_m(q r_l) q dq`; q_max^2 = 4 pi / area is the
 * circle that holds as much as the pixels' Brillouin zone over `area`.
 */
function bandNoise(radius: number, area: number): Float64Array[][] {
	const name = `${radius} ${area}`;
	const cached = known.get(name);
	if (cached) return cached;
	const steps = 4 * radius;
	const dq = Math.sqrt((4 * Math.PI) / area) / steps;
	const all = Array.from({ length: HARMONICS + 1 }, () =>
		Array.from({ length: radius }, () => new Float64Array(radius)),
	);
	for (let s = 0; s < steps; s++) {
		const q = (s + 0.5) * dq;
		// J_m(x), m = 0 ... 12: harmonics of exp(i x sin t), whose real part has the even and whose imaginary part the odd ones
		const waves = all[0].map((_, k) => {
			const phase = (t: number) =>
				q * (k + 1) * Math.sin((2 * Math.PI * t) / POINTS);
			const even = harmonicsOf(
				Float64Array.from({ length: POINTS }, (_, t) => Math.cos(phase(t))),
			);
			const odd = harmonicsOf(
				Float64Array.from({ length: POINTS }, (_, t) => Math.sin(phase(t))),
			);
			return even.re.map((v, m) => (m % 2 ? -odd.im[m] : v));
		});
		all.forEach((c, m) => {
			for (let k = 0; k < radius; k++)
				for (let l = 0; l < radius; l++)
					c[k][l] +=
						((area * q * dq) / (2 * Math.PI)) * waves[k][m] * waves[l][m];
		});
	}
	known.set(name, all);
	return all;
}

/**
 * Standard deviations by which the mean of |a_m|^2 over its expectation is too large, the greatest over discs of a quarter, a half and the whole of the radius. Each term is
 * exponential, the mean about a gamma variate (Wilson & Hilferty, PNAS 17, 684 (1931)) of as many terms as the correlation between rings leaves. Rings within m/2 pixels are left out: there neither noise nor signal, both
 * below Nyquist, has that harmonic. At most 1000, so that a kernel without errors has a number too.
 */
export function excess(
	pulls: readonly number[],
	m: number,
	noise: Noise,
): number {
	let best = Number.NEGATIVE_INFINITY;
	for (const part of [4, 2, 1]) {
		const first = Math.ceil(m / 2) - 1;
		const end = Math.ceil(pulls.length / part);
		const rings = end - first;
		if (rings < 1) continue;
		let [mean, variance] = [0, 0];
		for (let k = first; k < end; k++) {
			mean += pulls[k] / rings;
			for (let l = first; l < end; l++)
				variance += noise.related(m, k, l) / rings ** 2;
		}
		const z = (Math.cbrt(mean) - 1 + variance / 9) / Math.sqrt(variance / 9);
		best = Math.max(best, z);
	}
	return Math.min(best, 1000);
}

/** Mean of ring(t) ring(shift + direction t). */
export function overlap(
	ring: Float64Array,
	shift: number,
	direction: 1 | -1,
): number {
	let sum = 0;
	for (let t = 0; t < POINTS; t++)
		sum += ring[t] * ring[(shift + direction * t + POINTS) % POINTS];
	return sum / POINTS;
}

export function meanSquare(ring: Float64Array): number {
	return overlap(ring, 0, 1);
}
