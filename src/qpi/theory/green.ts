/** Green's functions of a band on the points of a lattice, and what is made of them: joint density of states, and the pattern of one point scatterer. */
import type { ComplexGrid } from "../generator/bands.ts";
import { Fft2d } from "../maths/fft.ts";
import { Matrix } from "../maths/matrix.ts";
import { areaOf, type TheoryBand } from "./model.ts";

export interface TheoryEnergy {
	/** eV. */
	readonly energy: number;
	/** Imaginary part of the energy, eV. */
	readonly broadening: number;
	/** Points along each side of the grid, made of 2, 3 and 5 and even; 512 by default. */
	readonly points?: number;
}

/** Values at the lattice points i a + j b, i and j modulo `points`: value[i * points + j]. */
export interface Pattern {
	readonly value: Float64Array;
	readonly points: number;
}

const POINTS = 512;

/** G(k) = (E + i eta - H(k))^-1 on points x points: G_ab at [a * orbitals + b]. */
export function greenGrids(
	band: TheoryBand,
	{ energy, broadening, points: size = POINTS }: TheoryEnergy,
): ComplexGrid[] {
	const n = band.orbitals;
	const grids = Array.from({ length: n * n }, () => ({
		re: new Float64Array(size * size),
		im: new Float64Array(size * size),
	}));
	const h = new Matrix(n);
	const fraction = (i: number) => (i < size / 2 ? i : i - size) / size;
	for (let i = 0, p = 0; i < size; i++)
		for (let j = 0; j < size; j++, p++) {
			const [u, v] = [fraction(i), fraction(j)];
			const weight = band.weight(u, v);
			if (weight === 0) continue;
			band.hamiltonian(u, v, h);
			for (let a = 0; a < n * n; a++) {
				h.re[a] = -h.re[a];
				h.im[a] = -h.im[a];
			}
			for (let a = 0; a < n; a++) {
				h.re[a * (n + 1)] += energy;
				h.im[a * (n + 1)] += broadening;
			}
			invert(h);
			grids.forEach((g, a) => {
				g.re[p] = weight * h.re[a];
				g.im[p] = weight * h.im[a];
			});
		}
	return grids;
}

/** In place, by Gauss and Jordan without pivots: E + i eta - H has an imaginary part that is definite, so that no pivot vanishes. */
function invert({ n, re, im }: Matrix): void {
	for (let c = 0; c < n; c++) {
		const at = c * (n + 1);
		const norm = re[at] ** 2 + im[at] ** 2;
		const [ir, ii] = [re[at] / norm, -im[at] / norm];
		re[at] = 1;
		im[at] = 0;
		for (let j = c * n; j < (c + 1) * n; j++) {
			const x = re[j] * ir - im[j] * ii;
			im[j] = re[j] * ii + im[j] * ir;
			re[j] = x;
		}
		for (let i = 0; i < n; i++) {
			if (i === c) continue;
			const [fr, fi] = [re[i * n + c], im[i * n + c]];
			re[i * n + c] = 0;
			im[i * n + c] = 0;
			for (let j = 0; j < n; j++) {
				const [br, bi] = [re[c * n + j], im[c * n + j]];
				re[i * n + j] -= fr * br - fi * bi;
				im[i * n + j] -= fr * bi + fi * br;
			}
		}
	}
}

/**
 * The joint density of states as a function of place, whose transform is the autocorrelation `J(q) = sum_k A(k) A(k + q)` of the spectral function
 * `A(k) = -(1/pi) Im Tr G(k)` (Wang & Lee, Phys. Rev. B 67, 020511 (2003); McElroy et al., Phys. Rev. Lett. 96, 067005 (2006)).
 */
export function jointDensity(band: TheoryBand, at: TheoryEnergy): Pattern {
	const { points = POINTS } = at;
	const n = band.orbitals;
	const grids = greenGrids(band, at);
	const re = new Float64Array(points * points);
	const im = new Float64Array(points * points);
	for (let a = 0; a < band.visible; a++)
		grids[a * (n + 1)].im.forEach((v, p) => {
			re[p] -= v / Math.PI;
		});
	new Fft2d(points, points).transform(re, im, true);
	return { value: re.map((v, p) => v * v + im[p] * im[p]), points };
}

/**
 * The change of the local density of states about a point scatterer at the origin whose scalar potential is the same on all orbitals (eV on a lattice's point, eV A^2 in a continuum):
 * `drho(r) = -(1/pi) Im Tr[G(r) T G(-r)]`, `T = (1 - V G(0))^-1 V` (Balatsky, Vekhter & Zhu, Rev. Mod. Phys. 78, 373 (2006)).
 */
export function tMatrixPattern(
	band: TheoryBand,
	at: TheoryEnergy,
	potential: number,
): Pattern {
	const { points = POINTS } = at;
	const n = band.orbitals;
	const grids = greenGrids(band, at);
	const fft = new Fft2d(points, points);
	for (const { re, im } of grids) fft.transform(re, im, true);
	const local = new Matrix(n);
	const v = new Matrix(n);
	grids.forEach(({ re, im }, i) => {
		local.re[i] = re[0];
		local.im[i] = im[0];
	});
	const strength = band.continuum ? potential / areaOf(band.cell) : potential;
	band.signs.forEach((sign, a) => {
		v.re[a * (n + 1)] = sign * strength;
	});
	const t = v.times(local).oneMinus().solve(v);
	const value = new Float64Array(points * points);
	for (let a = 0; a < band.visible; a++)
		for (let i = 0; i < n; i++)
			for (let j = 0; j < n; j++) {
				const [tr, ti] = [t.re[i * n + j], t.im[i * n + j]];
				if (tr === 0 && ti === 0) continue;
				const [out, back] = [grids[a * n + i], grids[j * n + a]];
				for (let x = 0, p = 0; x < points; x++)
					for (let y = 0; y < points; y++, p++) {
						const m =
							((points - x) % points) * points + ((points - y) % points);
						const gr = out.re[p] * back.re[m] - out.im[p] * back.im[m];
						const gi = out.re[p] * back.im[m] + out.im[p] * back.re[m];
						value[p] -= (tr * gi + ti * gr) / Math.PI;
					}
			}
	return { value, points };
}
