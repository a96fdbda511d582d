/**
 * What makes harmonics of a kernel whose waves are round, and is no error of its pixels: a scatterer beside the middle, an elongated tip or blurred marks, the square pixels, and a
 * background that was not taken away. Each has a shape along the radius that can be told from an anisotropic band's.
 */
import { besselJ } from "../qpi/bessel.ts";
import {
	HARMONICS,
	harmonicsOf,
	polar,
	ripples,
	type Waves,
	weightAt,
	type Zone,
	zoneOf,
} from "./harmonics.ts";
import { findPeaks } from "./peaks.ts";
import { profile } from "./profile.ts";

/** The core ends one wavelength from the scatterer, at most at this part of the kernel's radius. */
const CORE = 1 / 3;
/** Pixels, and part of a wavelength, by which the scatterer may lie beside the middle. */
const [OFF, OFF_WAVE] = [1, 1 / 4];
/** Times what the core and the pixels say, which a harmonic of the ripples may have. */
const DOUBT = 2;

/**
 * The ripples of a kernel that ends `end` pixels from the middle: outside the core, about the scatterer. The wavelength is that of the most prominent maximum of the profile; where there is none the core is
 * taken to end at the first zero of the rings' mean. The scatterer's place is where the harmonic m = 1 of the ripples vanishes that a shift makes.
 */
export function ripplesOf(
	kernel: ArrayLike<number>,
	n: number,
	end: number,
): { zone: Zone; q: number | null } {
	const [peak] = findPeaks(profile(kernel, { spacing: 1, reach: end }));
	const q = peak?.q ?? null;
	const wave = q ? (2 * Math.PI) / q : firstZero(kernel, n, end);
	const core = Math.max(1, Math.min(wave, CORE * end));
	let zone = zoneOf(n, core, end);
	if (!q) return { zone, q };
	const limit = Math.min(OFF, OFF_WAVE * wave);
	for (let round = 0; round < 4; round++) {
		const waves = ripples(kernel, zone).map(harmonicsOf);
		// K(r - s) has a_1 = -(s_x - i s_y)/2 dK/dr, and J0' = -J1
		const slope = waveOf(waves, zone, 1, (k) => k);
		let [re, im, norm] = [0, 0, 0];
		zone.radii.forEach((r, k) => {
			re += r * slope[k] * waves[k].re[1];
			im += r * slope[k] * waves[k].im[1];
			norm += r * slope[k] ** 2;
		});
		if (norm === 0) break;
		const x = zone.centre[0] + (2 * re) / norm;
		const y = zone.centre[1] - (2 * im) / norm;
		const shrink = Math.min(1, limit / Math.hypot(x, y));
		zone = zoneOf(n, core, end, [shrink * x, shrink * y]);
	}
	return { zone, q };
}

function firstZero(kernel: ArrayLike<number>, n: number, end: number): number {
	const radii = Array.from({ length: Math.floor(end) }, (_, k) => k + 1);
	const means = polar(kernel, n, radii).map((ring) => harmonicsOf(ring).re[0]);
	const at = means.findIndex((v) => v * means[0] <= 0);
	return at < 0 ? end : radii[at];
}

/** `integral A0(q) weight(q) J_m(qr) q dq` on the zone's rings, A0 the transform of the rings' means: the waves that are there, with an angular harmonic m. */
function waveOf(
	waves: readonly Waves[],
	{ radii, end }: Zone,
	m: number,
	weight: (q: number) => number = () => 1,
): Float64Array {
	const steps = Math.ceil(2 * end);
	const dq = Math.PI / steps;
	const out = new Float64Array(radii.length);
	for (let s = 0; s < steps; s++) {
		const q = (s + 0.5) * dq;
		const table = radii.map((r) => besselJ(q * r, m));
		const strength = radii.reduce(
			(sum, r, k) => sum + r * waves[k].re[0] * table[k][0],
			0,
		);
		const factor = strength * weight(q) * q * dq;
		for (let k = 0; k < out.length; k++) out[k] += factor * table[k][m];
	}
	return out;
}

/**
 * Takes off the harmonics what a background and, as far as core and pixels allow, tip, marks and pixel grid explain:
 * - polynomials up to fourth order, whatever their size: r^m and r^(m+2);
 * - an amplitude of the waves, m even, in q space: a tip of variance s^2 + d cos 2 theta makes `(q^2 d/2)^k / 2^k k!` of m = 2k (Gaussian), where the
 *   core says d; pixels that are averages, m = 4: `(q a)^4 / 2880`, four times that of one averaging (sinc), m = 8 its square. Twice these are allowed.
 */
export function withoutSystematics(
	kernel: ArrayLike<number>,
	waves: readonly Waves[],
	zone: Zone,
	q: number | null,
): Waves[] {
	const out = waves.map(({ re, im }) => ({ re: re.slice(), im: im.slice() }));
	const { radii } = zone;
	const elongation = q ? (q * q * elongationOf(kernel, zone)) / 2 : 0;
	const pixels = q ? q ** 4 / 2880 : 0;
	for (let m = 1; m <= HARMONICS; m++) {
		const basis: Float64Array[] = [];
		for (let power = m; power <= 4; power += 2) {
			const part = Float64Array.from(
				radii,
				(r) => (r / zone.end) ** power * weightAt(zone, r),
			);
			const norm = clean(part);
			if (norm > 0) basis.push(part.map((v) => v / Math.sqrt(norm)));
		}
		const sides = (["re", "im"] as const).map((side) => {
			const part = Float64Array.from(waves, (w) => w[side][m]);
			clean(part);
			return { side, part };
		});
		const grid = m === 4 ? pixels : m === 8 ? pixels ** 2 : 0;
		const allowed = m % 2 ? 0 : DOUBT * (tip(elongation, m / 2) + grid);
		if (allowed > 0) {
			const wave = waveOf(waves, zone, m);
			const norm = clean(wave);
			const [re, im] = sides.map(({ part }) => dot(part, wave) / (norm || 1));
			const share = Math.min(1, allowed / Math.hypot(re, im));
			[re, im].forEach((c, i) => {
				if (norm > 0)
					wave.forEach((v, k) => {
						sides[i].part[k] -= share * c * v;
					});
			});
		}
		for (const { side, part } of sides)
			part.forEach((v, k) => {
				out[k][side][m] = v;
			});
		/** Makes it orthogonal to the background; returns what is left of its square. */
		function clean(part: Float64Array): number {
			for (const one of basis) {
				const c = dot(part, one);
				for (let k = 0; k < part.length; k++) part[k] -= c * one[k];
			}
			return dot(part, part);
		}
	}
	return out;
	function dot(a: Float64Array, b: Float64Array) {
		return radii.reduce((sum, r, k) => sum + r * a[k] * b[k], 0);
	}
}

/** |a_2k| over a_0 in q space of a Gaussian tip: the first term of I_k(x) / I_0(x). */
function tip(x: number, k: number): number {
	let value = 1;
	for (let j = 1; j <= k; j++) value *= x / 2 / j;
	return Math.min(1, value);
}

/** Half the difference of the core's variances (pixels^2) along its axes, as of a blur: to first order `a_2 = d/4 (f'' - f'/r)` of a round f. */
function elongationOf(kernel: ArrayLike<number>, { n, core, centre }: Zone) {
	const step = 0.5;
	const radii = Array.from(
		{ length: Math.ceil(core / step) + 2 },
		(_, k) => (k + 1) * step,
	);
	const waves = polar(kernel, n, radii, centre).map(harmonicsOf);
	let [re, im, norm] = [0, 0, 0];
	for (let k = 1; k < radii.length - 1; k++) {
		const [a, b, c] = [k - 1, k, k + 1].map((i) => waves[i].re[0]);
		const r = radii[k];
		const bend = ((a - 2 * b + c) / step ** 2 - (c - a) / (2 * step) / r) / 4;
		re += r * bend * waves[k].re[2];
		im += r * bend * waves[k].im[2];
		norm += r * bend * bend;
	}
	return norm > 0 ? Math.hypot(re, im) / norm : 0;
}
