/**
 * What makes harmonics of a kernel whose waves are round, and is no error of its pixels: a scatterer beside the middle, an elongated tip or blurred marks, the square pixels, and a
 * background that was not taken away. Each has a shape along the radius that can be told from an anisotropic band's.
 */
import { besselJ } from "../../qpi/maths/bessel.ts";
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
const ROUNDS = 2;
/** Times what the core and the pixels say, which a harmonic of the ripples may have. */
const DOUBT = 1.25;

/**
 * The ripples of a kernel that ends `end` pixels from the middle: outside the core, about the scatterer. The wavelength is that of the most prominent maximum of the profile; where there is none the core is
 * taken to end at the first zero of the rings' mean. The scatterer's place is found by what a shift does to the harmonics.
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
	const zone = zoneOf(n, core, end);
	return { zone: centred(kernel, zone, Math.min(OFF, OFF_WAVE * wave)), q };
}

/**
 * The zone about the scatterer's place, at most `limit` pixels from the middle: where the harmonics have the least power (Gauss-Newton by differences) that a shift makes of an even order's, the odd
 * ones, or that it makes of three-fold waves, all but m = 3, 6, ...; of both places the one with less.
 */
function centred(
	kernel: ArrayLike<number>,
	{ n, core, end, radii }: Zone,
	limit: number,
): Zone {
	const at = ([x, y]: Place) => zoneOf(n, core, end, [x, y]);
	const dot = (a: Float64Array, b: Float64Array) =>
		a.reduce((sum, v, i) => sum + v * b[i], 0);
	const step = limit / 4;
	/** Rows of harmonics and their change with the place. */
	const around = ([x, y]: Place) =>
		[
			[x, y],
			[x + step, y],
			[x, y + step],
		].map(([u, v]) => ripples(kernel, at([u, v])).map(harmonicsOf));
	const start = around([0, 0]);
	const [even, three] = [2, 3].map((order) => {
		const orders = Array.from({ length: HARMONICS }, (_, i) => i + 1).filter(
			(m) => m % order !== 0,
		);
		let [x, y, power] = [0, 0, 0];
		for (let round = 0; round < ROUNDS; round++) {
			const [here, right, above] = (round ? around([x, y]) : start).map(
				(rows) =>
					Float64Array.from(
						rows.flatMap(({ re, im }, k) =>
							orders.flatMap((m) => {
								const weight = Math.sqrt(radii[k] / orders.length);
								return [weight * re[m], weight * im[m]];
							}),
						),
					),
			);
			const [dx, dy] = [right, above].map((there) =>
				there.map((v, i) => (v - here[i]) / step),
			);
			const [xx, xy, yy] = [dot(dx, dx), dot(dx, dy), dot(dy, dy)];
			const determinant = xx * yy - xy * xy;
			if (!(determinant > 1e-12 * xx * yy)) break;
			const [bx, by] = [dot(dx, here), dot(dy, here)];
			const [u, v] = [
				x - (yy * bx - xy * by) / determinant,
				y - (xx * by - xy * bx) / determinant,
			];
			const shrink = Math.min(1, limit / Math.hypot(u, v));
			const [mx, my] = [shrink * u - x, shrink * v - y];
			const left = here.map((c, i) => c + mx * dx[i] + my * dy[i]);
			power = dot(left, left);
			[x, y] = [x + mx, y + my];
		}
		return { place: [x, y] as const, power };
	});
	return at(three.power < even.power ? three.place : even.place);
}

type Place = readonly [number, number];

function firstZero(kernel: ArrayLike<number>, n: number, end: number): number {
	const radii = Array.from({ length: Math.floor(end) }, (_, k) => k + 1);
	const means = polar(kernel, n, radii).map((ring) => harmonicsOf(ring).re[0]);
	const at = means.findIndex((v) => v * means[0] <= 0);
	return at < 0 ? end : radii[at];
}

/** `integral A0(q) J_m(qr) q dq` on the zone's rings, by m, A0 the transform of the rings' means: the waves that are there, with an angular harmonic m. */
export function wavesOf(
	waves: readonly Waves[],
	{ radii, end }: Zone,
): Float64Array[] {
	const steps = Math.ceil(2 * end);
	const dq = Math.PI / steps;
	const out = Array.from(
		{ length: HARMONICS + 1 },
		() => new Float64Array(radii.length),
	);
	for (let s = 0; s < steps; s++) {
		const q = (s + 0.5) * dq;
		const table = radii.map((r) => besselJ(q * r, HARMONICS));
		const strength = radii.reduce(
			(sum, r, k) => sum + r * waves[k].re[0] * table[k][0],
			0,
		);
		const factor = strength * q * dq;
		out.forEach((wave, m) => {
			for (let k = 0; k < wave.length; k++) wave[k] += factor * table[k][m];
		});
	}
	return out;
}

/** `r d/dr` of the rings' mean: the shape of a harmonic of the waves' q. */
export function stretchOf(waves: readonly Waves[], radii: readonly number[]) {
	return Float64Array.from(radii, (r, k) => {
		const [a, b] = [Math.max(0, k - 1), Math.min(radii.length - 1, k + 1)];
		return (r * (waves[b].re[0] - waves[a].re[0])) / (radii[b] - radii[a]);
	});
}

/**
 * Takes off the harmonics what a background and, as far as core and pixels allow, tip, marks and pixel grid explain:
 * - polynomials up to fourth order, whatever their size: r^m and r^(m+2);
 * - an amplitude of the waves, m even, in q space: a tip of variance s^2 + d cos 2 theta makes `(q^2 d/2)^k / 2^k k!` of m = 2k (Gaussian), where the
 *   core says d; pixels that are averages, m = 4: `(q a)^4 / 2880`, four times that of one averaging (sinc), m = 8 its square. A quarter more is allowed, for m = 2 in the core's direction.
 */
export function withoutSystematics(
	kernel: ArrayLike<number>,
	waves: readonly Waves[],
	shapes: readonly Float64Array[],
	zone: Zone,
	q: number | null,
): Waves[] {
	const out = waves.map(({ re, im }) => ({ re: re.slice(), im: im.slice() }));
	const { radii } = zone;
	const [along, across] = q ? elongationOf(kernel, zone) : [0, 0];
	/** Of m = 2, as the core has it. */
	const tilt = [(along * (q ?? 0) ** 2) / 4, (across * (q ?? 0) ** 2) / 4];
	const elongation = 2 * Math.hypot(tilt[0], tilt[1]);
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
		const wave = shapes[m].slice();
		const norm = allowed > 0 ? clean(wave) : 0;
		if (norm > 0) {
			const found = sides.map(({ part }) => dot(part, wave) / norm);
			const explained =
				m === 2 ? inDirection(found, tilt) : within(found, allowed);
			explained.forEach((c, i) => {
				wave.forEach((v, k) => {
					sides[i].part[k] -= c * v;
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

/** The part of `found` that is up to DOUBT times `expected`. */
function inDirection(found: readonly number[], expected: readonly number[]) {
	const square = expected[0] ** 2 + expected[1] ** 2;
	const times = (found[0] * expected[0] + found[1] * expected[1]) / square;
	const share = Math.min(DOUBT, Math.max(0, times));
	return expected.map((v) => share * v);
}

function within(found: readonly number[], limit: number) {
	const share = Math.min(1, limit / Math.hypot(found[0], found[1]));
	return found.map((v) => share * v);
}

/** |a_2k| over a_0 in q space of a Gaussian tip: the first term of I_k(x) / I_0(x). */
function tip(x: number, k: number): number {
	let value = 1;
	for (let j = 1; j <= k; j++) value *= x / 2 / j;
	return Math.min(1, value);
}

/** Half the difference of the inner core's variances (pixels^2) along its axes, as of a blur, times exp(-2i angle): to first order `a_2 = d/4 (f'' - f'/r)` of a round f. */
function elongationOf(
	kernel: ArrayLike<number>,
	{ n, core, centre }: Zone,
): [number, number] {
	const step = 0.25;
	const radii = Array.from(
		{ length: Math.ceil(Math.max(1.5, core / 4) / step) + 1 },
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
	return norm > 0 ? [re / norm, im / norm] : [0, 0];
}
