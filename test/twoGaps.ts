/**
 * Kernels of a point scatterer in a superconductor with two bands: a pocket about k = 0 with gap D1, and two about +-Q with gap D2, in Nambu's notation
 * `G_b(k) = (w + e t3 + D t1) / (w^2 - e^2 - D^2)`; a weak potential V t3 that scatters within and between all pockets alike.
 */
import { Fft2d } from "../src/qpi/maths/fft.ts";
import { Matrix } from "../src/qpi/maths/matrix.ts";

const [POINTS, SPACING] = [384, 3];
const CUTOFF = 0.2;
/** 1/A: between the pockets. */
export const Q = 0.45;
/** eV: of both pockets, and of the broadening. */
const [DEPTH, BROADENING] = [0.03, 0.0012];
/** eV A^2 of electrons of mass m_e. */
const SLOPE = 3.81;
const POTENTIAL = 3;

/** The scatterer's change of the density of states on n x n points, SPACING apart. */
export function twoGapKernel(
	energy: number,
	gaps: readonly [number, number],
	n: number,
): Float32Array {
	const g = Array.from({ length: 4 }, () => ({
		re: new Float64Array(POINTS ** 2),
		im: new Float64Array(POINTS ** 2),
	}));
	const step = (2 * Math.PI) / (POINTS * SPACING);
	const [wr, wi] = [energy ** 2 - BROADENING ** 2, 2 * energy * BROADENING];
	const pockets = [
		{ x: 0, gap: gaps[0] },
		{ x: Q, gap: gaps[1] },
		{ x: -Q, gap: gaps[1] },
	];
	for (let i = 0, p = 0; i < POINTS; i++)
		for (let j = 0; j < POINTS; j++, p++) {
			const [kx, ky] = [i, j].map(
				(m) => (m < POINTS / 2 ? m : m - POINTS) * step,
			);
			for (const { x, gap } of pockets) {
				const k2 = (kx - x) ** 2 + ky ** 2;
				if (k2 > CUTOFF ** 2) continue;
				const e = SLOPE * k2 - DEPTH;
				const dr = wr - e * e - gap * gap;
				const norm = dr * dr + wi * wi;
				const [ir, ii] = [dr / norm, -wi / norm];
				[e, gap, gap, -e].forEach((h, a) => {
					const [re, im] = a % 3 === 0 ? [energy + h, BROADENING] : [h, 0];
					g[a].re[p] += re * ir - im * ii;
					g[a].im[p] += re * ii + im * ir;
				});
			}
		}
	const fft = new Fft2d(POINTS, POINTS);
	for (const { re, im } of g) fft.transform(re, im, true);
	const local = new Matrix(2);
	g.forEach(({ re, im }, a) => {
		local.re[a] = re[0];
		local.im[a] = im[0];
	});
	const v = new Matrix(2);
	v.re[0] = POTENTIAL / SPACING ** 2;
	v.re[3] = -v.re[0];
	const t = v.times(local).oneMinus().solve(v);
	return Float32Array.from({ length: n * n }, (_, p) => {
		const [x, y] = [Math.floor(p / n), p % n].map(
			(i) => (i - (n - 1) / 2 + POINTS) % POINTS,
		);
		const at = x * POINTS + y;
		const back = ((POINTS - x) % POINTS) * POINTS + ((POINTS - y) % POINTS);
		let value = 0;
		for (let i = 0; i < 2; i++)
			for (let j = 0; j < 2; j++) {
				const [out, home] = [g[i], g[2 * j]];
				const re = out.re[at] * home.re[back] - out.im[at] * home.im[back];
				const im = out.re[at] * home.im[back] + out.im[at] * home.re[back];
				value -= (t.re[2 * i + j] * im + t.im[2 * i + j] * re) / Math.PI;
			}
		return value;
	});
}
export { SPACING };
