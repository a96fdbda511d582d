/**
 * Bands that theory is computed from: hoppings on a lattice (as Wannier functions give them) or a formula of the generator, both as H(k) on the reciprocal cell of a grid of points in real space.
 * Units: eV, Angstrom. The tip sees all orbitals alike, at the lattice points.
 */
import {
	type Band,
	BOX,
	hamiltonian,
	latticeCells,
	orbitals,
	rollOff,
	visibleOrbitals,
} from "../generator/bands.ts";
import { Matrix } from "../maths/matrix.ts";

/** Two vectors in Angstrom, in the image's axes. */
export interface Cell {
	readonly a: readonly [x: number, y: number];
	readonly b: readonly [x: number, y: number];
}

export interface TheoryBand {
	/** Of the points in real space; H(k) has its reciprocal periods. */
	readonly cell: Cell;
	readonly orbitals: number;
	/** How many of them the tip sees, from the first. */
	readonly visible: number;
	/** Of a scalar potential on each orbital: -1 for the hole of a Nambu spinor. */
	readonly signs: readonly number[];
	/** Whether a potential is in eV A^2, as in a continuum, and not in eV on a lattice's point. */
	readonly continuum: boolean;
	/** Writes H at k = u a* + v b* (a*, b* with 2 pi), row-major. */
	hamiltonian(u: number, v: number, h: Matrix): void;
	/** What a continuum's G counts at that k: 1, and 0 at the edge of the grid's own reciprocal cell. */
	weight(u: number, v: number): number;
}

/** An amplitude from orbital `from` of the cell at the origin to `to` of the cell (x, y), eV: H_ab(k) = sum <0 a| H |R b> exp(ikR), a = from, b = to, from 0. */
export interface Hopping {
	readonly x: number;
	readonly y: number;
	readonly from: number;
	readonly to: number;
	readonly re: number;
	readonly im: number;
}

export interface Hoppings {
	readonly orbitals: number;
	/** Both directions of each, as a Hermitian H(k) needs them. */
	readonly hoppings: readonly Hopping[];
}

/** Sides (Angstrom) and the angle between them (degrees) of a cell whose a lies `turn` radians from the image's x axis. */
export function cellOf(
	a: number,
	b: number,
	angle: number,
	turn: number,
): Cell {
	const between = turn + (angle * Math.PI) / 180;
	return {
		a: [a * Math.cos(turn), a * Math.sin(turn)],
		b: [b * Math.cos(between), b * Math.sin(between)],
	};
}

/** The cell's area, A^2. */
export const areaOf = ({ a, b }: Cell): number =>
	Math.abs(a[0] * b[1] - a[1] * b[0]);

/** The fractions (u, v) of a wave vector (1/A): its phases along a and b over 2 pi. */
export const fractionsOf = (
	{ a, b }: Cell,
	kx: number,
	ky: number,
): [number, number] => [
	(kx * a[0] + ky * a[1]) / (2 * Math.PI),
	(kx * b[0] + ky * b[1]) / (2 * Math.PI),
];

/** @param fermi the energy in the hoppings' scale that the measurement calls zero, eV */
export function hoppingBand(
	{ orbitals: n, hoppings }: Hoppings,
	cell: Cell,
	fermi = 0,
): TheoryBand {
	// Along one row of k only the phases of y change: what has the same y is summed once a row.
	const ys = [...new Set(hoppings.map(({ y }) => y))];
	const line = ys.map(() => new Matrix(n));
	let row = Number.NaN;
	const sumRow = (u: number) => {
		for (const m of line) {
			m.re.fill(0);
			m.im.fill(0);
		}
		for (const { x, y, from, to, re, im } of hoppings) {
			const m = line[ys.indexOf(y)];
			const [c, s] = [
				Math.cos(2 * Math.PI * u * x),
				Math.sin(2 * Math.PI * u * x),
			];
			m.re[from * n + to] += c * re - s * im;
			m.im[from * n + to] += c * im + s * re;
		}
		row = u;
	};
	return {
		...{ cell, orbitals: n, visible: n, continuum: false },
		signs: Array.from({ length: n }, () => 1),
		weight: () => 1,
		hamiltonian(u, v, h) {
			if (u !== row) sumRow(u);
			h.re.fill(0);
			h.im.fill(0);
			for (let k = 0; k < ys.length; k++) {
				const c = Math.cos(2 * Math.PI * v * ys[k]);
				const s = Math.sin(2 * Math.PI * v * ys[k]);
				const m = line[k];
				for (let i = 0; i < h.re.length; i++) {
					h.re[i] += c * m.re[i] - s * m.im[i];
					h.im[i] += c * m.im[i] + s * m.re[i];
				}
			}
			for (let i = 0; i < n; i++) h.re[i * (n + 1)] -= fermi;
		},
	};
}

/**
 * A formula of the generator, turned by `turn` radians. A continuum lives on square points `spacing` apart (its waves shorter than two of them are cut off), a lattice band on its own.
 */
export function formulaBand(
	band: Band,
	spacing: number,
	turn: number,
): TheoryBand {
	const n = orbitals(band);
	const cells = latticeCells(band);
	const fill = hamiltonian(band);
	const values = new Float64Array(4);
	const side = cells ? BOX / cells : spacing;
	const step = (2 * Math.PI) / side;
	const [c, s] = cells ? [1, 0] : [Math.cos(turn), Math.sin(turn)];
	return {
		cell: cellOf(side, side, 90, cells ? turn : 0),
		orbitals: n,
		visible: visibleOrbitals(band),
		signs: band.kind === "dWave" ? [1, -1] : n === 1 ? [1] : [1, 1],
		continuum: !cells,
		weight: (u, v) => (cells ? 1 : rollOff(Math.hypot(u, v), 0.4, 0.5)),
		hamiltonian(u, v, h) {
			const [kx, ky] = [u * step, v * step];
			fill(c * kx + s * ky, c * ky - s * kx, values);
			const [h0, hx, hy, hz] = values;
			if (n === 1) {
				h.re[0] = h0;
				h.im[0] = 0;
				return;
			}
			h.re.set([h0 + hz, hx, hx, h0 - hz]);
			h.im.set([0, -hy, hy, 0]);
		},
	};
}
