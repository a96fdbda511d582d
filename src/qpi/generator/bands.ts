/**
 * Model bands near the Fermi energy and their Green's functions in momentum space, `G(k) = (E + i eta - H(k))^-1`.
 * One or two orbitals (or spins, or Nambu components): H = h0 + hx sx + hy sy + hz sz, so that G is known in closed form.
 * Units: eV, Angstrom; masses in electron masses.
 */

/** hbar^2 / 2 m_e in eV A^2. */
export const HBAR2_2M = 3.81;

/**
 * The field of view of the reference is 63 pixels of 6.349 A; all Fourier grids live in a periodic box of 256 such pixels, so that
 * images of a scatterer in the next box are damped away and box / 512 is half a pixel.
 */
export const BOX = (256 * 400) / 63;

export type Band =
	/** Parabola with the analytic, unbounded Green's function; the noble metals' (111) surface states. */
	| { kind: "surface"; mass: number; bottom: number }
	/** The same parabola on the Fourier grid, for extended scatterers. */
	| { kind: "free"; mass: number; bottom: number }
	/**
	 * `k^2/2m + c4 k^4 (1 + cos 4 theta)`, c4 in eV A^4. The constant beside the cosine keeps the band from
	 * turning down along the diagonals, where it would open spurious pockets.
	 */
	| { kind: "quartic"; mass: number; bottom: number; c4: number }
	| { kind: "ellipse"; mass: number; massY: number; bottom: number }
	/** `k^2/2m (1 + warp cos 6 theta)`. */
	| { kind: "warped"; mass: number; bottom: number; warp: number }
	/**
	 * Warped Dirac cone of Bi2Te3 (Fu, Phys. Rev. Lett. 103, 266801 (2009)): `v (kx sy - ky sx) + lambda/2 (k+^3 + k-^3) sz`,
	 * velocity in eV A, lambda in eV A^3.
	 */
	| { kind: "topological"; velocity: number; lambda: number }
	/**
	 * d-wave superconductor, Bi2212's normal band (Norman et al., Phys. Rev. B 52, 615 (1995)) times `scale`, gap
	 * (cos kx - cos ky)/2 in eV, on an effective lattice of `cells` sites a box: the true one (3.8 A) is beyond the pixels' Nyquist.
	 */
	| { kind: "dWave"; scale: number; gap: number; cells: number }
	/** Two-orbital iron pnictide (Raghu et al., Phys. Rev. B 77, 220503 (2008)) in units of `scale` eV; `cells` as above. */
	| { kind: "pnictide"; scale: number; filling: number; cells: number };

/** Writes h0, hx, hy, hz of H(k) into `h`. */
export type Hamiltonian = (kx: number, ky: number, h: Float64Array) => void;

/** Number of orbitals of a band, 1 or 2. */
export function orbitals(band: Band): 1 | 2 {
	return band.kind === "topological" ||
		band.kind === "dWave" ||
		band.kind === "pnictide"
		? 2
		: 1;
}

/** How many of the orbitals the tip sees: of a Nambu spinor only the electron. */
export function visibleOrbitals(band: Band): 1 | 2 {
	return band.kind === "dWave" ? 1 : orbitals(band);
}

/** Lattice sites along a side of the box; 0 for a continuum. */
export function latticeCells(band: Band): number {
	return "cells" in band ? band.cells : 0;
}

/** H(k) of a band, k in 1/A. */
export function hamiltonian(band: Band): Hamiltonian {
	switch (band.kind) {
		case "surface":
		case "free": {
			const c = HBAR2_2M / band.mass;
			return (x, y, h) => {
				h[0] = band.bottom + c * (x * x + y * y);
			};
		}
		case "quartic": {
			const c = HBAR2_2M / band.mass;
			return (x, y, h) => {
				const [x2, y2] = [x * x, y * y];
				const k2 = x2 + y2;
				const cosine = x2 * x2 - 6 * x2 * y2 + y2 * y2;
				h[0] = band.bottom + c * k2 + band.c4 * (k2 * k2 + cosine);
			};
		}
		case "ellipse": {
			const cx = HBAR2_2M / band.mass;
			const cy = HBAR2_2M / band.massY;
			return (x, y, h) => {
				h[0] = band.bottom + cx * x * x + cy * y * y;
			};
		}
		case "warped": {
			const c = HBAR2_2M / band.mass;
			return (x, y, h) => {
				const [x2, y2] = [x * x, y * y];
				const k2 = x2 + y2;
				const cosine =
					k2 && (x2 - y2) * (x2 * x2 - 14 * x2 * y2 + y2 * y2) * k2 ** -3;
				h[0] = band.bottom + c * k2 * (1 + band.warp * cosine);
			};
		}
		case "topological": {
			const { velocity, lambda } = band;
			return (x, y, h) => {
				h[0] = 0;
				h[1] = -velocity * y;
				h[2] = velocity * x;
				h[3] = lambda * x * (x * x - 3 * y * y);
			};
		}
		case "dWave": {
			const a = BOX / band.cells;
			const t = [0.1305, -0.5951, 0.1636, -0.0519, -0.1117, 0.051].map(
				(value) => value * band.scale,
			);
			return (kx, ky, h) => {
				const [x, y] = [kx * a, ky * a];
				const [cx, cy] = [Math.cos(x), Math.cos(y)];
				const [c2x, c2y] = [2 * cx * cx - 1, 2 * cy * cy - 1];
				h[0] = 0;
				h[1] = (band.gap * (cx - cy)) / 2;
				h[2] = 0;
				h[3] =
					t[0] +
					(t[1] * (cx + cy)) / 2 +
					t[2] * cx * cy +
					(t[3] * (c2x + c2y)) / 2 +
					(t[4] * (c2x * cy + cx * c2y)) / 2 +
					t[5] * c2x * c2y;
			};
		}
		case "pnictide": {
			const a = BOX / band.cells;
			const s = band.scale;
			return (kx, ky, h) => {
				const [x, y] = [kx * a, ky * a];
				const [cx, cy] = [Math.cos(x), Math.cos(y)];
				const shared = 4 * 0.85 * cx * cy;
				const orbitalX = 2 * cx - 2.6 * cy + shared;
				const orbitalY = 2 * cy - 2.6 * cx + shared;
				h[0] = s * ((orbitalX + orbitalY) / 2 - band.filling);
				h[1] = s * 4 * 0.85 * Math.sin(x) * Math.sin(y);
				h[2] = 0;
				h[3] = (s * (orbitalX - orbitalY)) / 2;
			};
		}
	}
}

/** Complex values on a square grid, first index x. */
export interface ComplexGrid {
	readonly re: Float64Array;
	readonly im: Float64Array;
}

/** Angular frequency in 1/A of index i of a grid with `size` points along `box` Angstrom. */
export function frequency(i: number, size: number, box = BOX): number {
	return ((i < size / 2 ? i : i - size) * 2 * Math.PI) / box;
}

/** 1 below `from`, 0 above `to`, half a cosine between them. */
export function rollOff(q: number, from: number, to: number): number {
	if (q <= from) return 1;
	if (q >= to) return 0;
	return (1 + Math.cos((Math.PI * (q - from)) / (to - from))) / 2;
}

export interface BandEnergy {
	readonly band: Band;
	readonly energy: number;
	readonly broadening: number;
}

/**
 * G(k) of a band turned by `turn` radians on the Fourier grid of size x size points along `box` Angstrom: orbitals^2 grids, G_ab at [a * orbitals + b].
 * A continuum is cut off smoothly from `cutoff[0]` to `cutoff[1]` (1/A), which sets what a delta potential means.
 */
export function greenSpectrum(
	{ band, energy, broadening }: BandEnergy,
	size: number,
	box: number,
	turn: number,
	cutoff: readonly [number, number],
): ComplexGrid[] {
	const n = orbitals(band);
	const fill = hamiltonian(band);
	const h = new Float64Array(4);
	const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
	const grids = Array.from({ length: n * n }, () => ({
		re: new Float64Array(size * size),
		im: new Float64Array(size * size),
	}));
	const continuum = latticeCells(band) === 0;
	for (let i = 0, p = 0; i < size; i++) {
		const kx = frequency(i, size, box);
		if (continuum && Math.abs(kx) >= cutoff[1]) {
			p += size;
			continue;
		}
		for (let j = 0; j < size; j++, p++) {
			const ky = frequency(j, size, box);
			const weight = continuum
				? rollOff(Math.sqrt(kx * kx + ky * ky), cutoff[0], cutoff[1])
				: 1;
			if (weight === 0) continue;
			fill(cos * kx + sin * ky, cos * ky - sin * kx, h);
			const d = energy - h[0];
			if (n === 1) {
				const scale = weight / (d * d + broadening * broadening);
				grids[0].re[p] = d * scale;
				grids[0].im[p] = -broadening * scale;
				continue;
			}
			// G = (d + i eta + h.s) / ((d + i eta)^2 - h^2)
			const dr =
				d * d - broadening ** 2 - h[1] * h[1] - h[2] * h[2] - h[3] * h[3];
			const di = 2 * d * broadening;
			const norm = weight / (dr * dr + di * di);
			const [wr, wi] = [dr * norm, -di * norm];
			const put = (g: ComplexGrid, re: number, im: number) => {
				g.re[p] = re * wr - im * wi;
				g.im[p] = re * wi + im * wr;
			};
			put(grids[0], d + h[3], broadening);
			put(grids[1], h[1], -h[2]);
			put(grids[2], h[1], h[2]);
			put(grids[3], d - h[3], broadening);
		}
	}
	return grids;
}
