/** Real-space Green's functions: what a point source sends out into the clean crystal. */

import { hankel0 } from "../maths/bessel.ts";
import { Matrix } from "../maths/matrix.ts";
import {
	BOX,
	type ComplexGrid,
	frequency,
	greenSpectrum,
	HBAR2_2M,
	latticeCells,
	orbitals,
	rollOff,
} from "./bands.ts";
import type { KernelSpec } from "./kernelSpec.ts";
import {
	fft,
	IMAGE_BAND,
	NYQUIST,
	node,
	SIZE,
	spectrumTables,
	type TablePair,
} from "./table.ts";

/** Continuum Green's functions are cut off where the image's pixels end, softly enough not to ring. */
const GREEN_BAND = [0.27, NYQUIST] as const;
/** The Hankel function's logarithm is clamped here (A), and its reach ends smoothly in the box. */
const CLAMP = 3;
const REACH = [640, 800] as const;

/** No further low-pass. */
const ALL = [NYQUIST, NYQUIST] as const;

/** Green's functions of a clean crystal in the image's axes, G_ab at [a * orbitals + b]; in 1/(eV A^2), or 1/eV on a lattice. */
export interface GreenSource {
	/** G(0), orbitals x orbitals; of a surface state the imaginary part only, all that a phase shift needs. */
	readonly local: Matrix;
	/** Points a box of the grids below. */
	readonly size: number;
	/** Sites a side of the box of a lattice, whose grids are in the crystal's axes; 0 for a continuum. */
	readonly cells: number;
	/** G between two points (x, y) apart, as re, im at 2 (a orbitals + b). */
	green(x: number, y: number, out: Float64Array): void;
	/** The same, band-limited for imaging. */
	image(x: number, y: number, out: Float64Array): void;
	/** G_ab(r - R) on the real-space grid, R in the image's axes; with `backward`, G_ab(R - r). */
	onGrid(place: Place, backward: boolean): ComplexGrid[];
}

interface Place {
	x: number;
	y: number;
}

/** The analytic function for "surface" bands, a Fourier sum for the others. */
export function greenSource(spec: KernelSpec): GreenSource {
	return spec.band.kind === "surface" ? surfaceSource(spec) : gridSource(spec);
}

/**
 * Bands by FFT, G(r) = 1/area sum_k G(k) exp(ikr) (on a lattice 1/sites), first in a box twice as wide, of which the middle is
 * kept: so a wave that comes round the box is met only after 2600 A.
 */
function gridSource(spec: KernelSpec): GreenSource {
	const { band, rotation } = spec;
	const cells = latticeCells(band);
	// pixels are as fine as G itself needs; its square, low-passed, needs half as many again
	const modes = cells || SIZE / 2;
	const size = cells || (SIZE * 3) / 4;
	// a continuum turns with H(k), a lattice cannot leave the grid's axes: there the tables are turned
	const turn = cells ? 0 : rotation;
	const wide = greenSpectrum(spec, 2 * modes, 2 * BOX, turn, GREEN_BAND);
	const scale = cells ? 1 : (modes / BOX) ** 2;
	const local = new Matrix(orbitals(band));
	wide.forEach((g, i) => {
		local.re[i] = scale * mean(g.re);
		local.im[i] = scale * mean(g.im);
	});
	const spectrum = wide.map((g) => middle(g, modes, size, scale));
	const [c, s] = [Math.cos(rotation - turn), Math.sin(rotation - turn)];
	let tables: TablePair[] | undefined;
	const green: GreenSource["green"] = (x, y, out) => {
		tables ??= spectrum.map((g) =>
			spectrumTables(g, size, cells ? IMAGE_BAND : ALL, cells),
		);
		for (let i = 0; i < tables.length; i++) {
			out[2 * i] = tables[i].re.at(c * x + s * y, c * y - s * x);
			out[2 * i + 1] = tables[i].im.at(c * x + s * y, c * y - s * x);
		}
	};
	return {
		local,
		size,
		cells,
		green,
		image: green,
		onGrid: ({ x, y }, backward) =>
			spectrum.map((g) =>
				shifted(
					backward ? reversed(g, size) : g,
					{ x: c * x + s * y, y: c * y - s * x },
					size,
				),
			),
	};
}

/** Spectrum on size x size points of the middle half of a function, given by its spectrum on 2 modes x 2 modes points. */
function middle(
	wide: ComplexGrid,
	modes: number,
	size: number,
	scale: number,
): ComplexGrid {
	fft(2 * modes).transform(wide.re, wide.im, true);
	const step = BOX / modes;
	const re = new Float64Array(modes * modes);
	const im = new Float64Array(modes * modes);
	// index of signed m on a grid of n points
	const at = (m: number, n: number) => (m < 0 ? m + n : m);
	for (let i = -modes / 2; i < modes / 2; i++)
		for (let j = -modes / 2; j < modes / 2; j++) {
			const end = scale * rollOff(step * Math.sqrt(i * i + j * j), ...REACH);
			const from = at(i, 2 * modes) * 2 * modes + at(j, 2 * modes);
			const to = at(i, modes) * modes + at(j, modes);
			re[to] = end * wide.re[from];
			im[to] = end * wide.im[from];
		}
	fft(modes).transform(re, im);
	if (size === modes) return { re, im };
	const result = {
		re: new Float64Array(size * size),
		im: new Float64Array(size * size),
	};
	const points = (size / modes) ** 2;
	for (let i = 1 - modes / 2; i < modes / 2; i++)
		for (let j = 1 - modes / 2; j < modes / 2; j++) {
			const from = at(i, modes) * modes + at(j, modes);
			const to = at(i, size) * size + at(j, size);
			result.re[to] = points * re[from];
			result.im[to] = points * im[from];
		}
	return result;
}

function mean(values: Float64Array): number {
	let sum = 0;
	for (const value of values) sum += value;
	return sum / values.length;
}

/** g(-k) */
function reversed(g: ComplexGrid, size: number): ComplexGrid {
	const result = {
		re: new Float64Array(size * size),
		im: new Float64Array(size * size),
	};
	for (let i = 0; i < size; i++)
		for (let j = 0; j < size; j++) {
			const p = i * size + j;
			const q = ((size - i) % size) * size + ((size - j) % size);
			result.re[p] = g.re[q];
			result.im[p] = g.im[q];
		}
	return result;
}

/** Real-space grid of a spectrum, its origin moved to (x, y). */
function shifted(g: ComplexGrid, { x, y }: Place, size: number): ComplexGrid {
	const result = { re: g.re.slice(), im: g.im.slice() };
	if (x !== 0 || y !== 0) {
		const phases = (shift: number) =>
			Array.from({ length: size }, (_, i) => {
				const angle = -frequency(i, size) * shift;
				return [Math.cos(angle), Math.sin(angle)];
			});
		const across = phases(y);
		let p = 0;
		for (const [cx, sx] of phases(x))
			for (const [cy, sy] of across) {
				const c = cx * cy - sx * sy;
				const s = cx * sy + sx * cy;
				result.re[p] = c * g.re[p] - s * g.im[p];
				result.im[p] = s * g.re[p] + c * g.im[p];
				p++;
			}
	}
	fft(size).transform(result.re, result.im, true);
	return result;
}

/**
 * The analytic surface state: G(r) = -(i m / 2 hbar^2) H0(kr), k = sqrt(2m (E - E0 + i Gamma)) / hbar, so that a point scatterer's
 * pattern is `drho/rho0 = Re[f H0(kr)^2]` (Fiete & Heller, Rev. Mod. Phys. 75, 933 (2003)).
 */
function surfaceSource(spec: KernelSpec): GreenSource {
	const { band } = spec;
	if (band.kind !== "surface") throw new TypeError("expected a surface state");
	const amplitude = band.mass / (4 * HBAR2_2M);
	const hankel = hankelTable(
		band.mass,
		spec.energy - band.bottom,
		spec.broadening,
	);
	const local = new Matrix(1);
	local.im[0] = -amplitude;
	const green: GreenSource["green"] = (x, y, out) => {
		const [re, im] = hankel(Math.hypot(x, y));
		out[0] = amplitude * im;
		out[1] = -amplitude * re;
	};
	const onGrid = ({ x, y }: Place): ComplexGrid[] => {
		const re = new Float64Array(SIZE * SIZE);
		const im = new Float64Array(SIZE * SIZE);
		const g = new Float64Array(2);
		for (let i = 0, p = 0; i < SIZE; i++)
			for (let j = 0; j < SIZE; j++, p++) {
				green(node(i) - x, node(j) - y, g);
				re[p] = g[0];
				im[p] = g[1];
			}
		return [{ re, im }];
	};
	let table: TablePair | undefined;
	return {
		local,
		size: SIZE,
		cells: 0,
		green,
		onGrid,
		image: (x, y, out) => {
			if (!table) {
				const [{ re, im }] = onGrid({ x: 0, y: 0 });
				fft(SIZE).transform(re, im);
				table = spectrumTables({ re, im }, SIZE, GREEN_BAND);
			}
			out[0] = table.re.at(x, y);
			out[1] = table.im.at(x, y);
		},
	};
}

/** H0(kr) by cubic interpolation of a radial table, r clamped from below. */
function hankelTable(
	mass: number,
	energy: number,
	broadening: number,
): (r: number) => [number, number] {
	const step = 0.5;
	// k^2 = (energy + i broadening) / (hbar^2 / 2m)
	const root = Math.sqrt(Math.hypot(energy, broadening) * (mass / HBAR2_2M));
	const half = Math.atan2(broadening, energy) / 2;
	const [kr, ki] = [root * Math.cos(half), root * Math.sin(half)];
	const count = Math.ceil(REACH[1] / step) + 4;
	const re = new Float64Array(count);
	const im = new Float64Array(count);
	for (let i = 1; i < count; i++) {
		const r = i * step;
		const [hr, hi] = hankel0(kr * r, ki * r);
		const end = rollOff(r, ...REACH);
		re[i] = hr * end;
		im[i] = hi * end;
	}
	return (r) => {
		const u = Math.max(r, CLAMP) / step;
		const i = Math.floor(u);
		if (i + 2 >= count) return [0, 0];
		const s = u - i;
		const a = (-s * (s - 1) * (s - 2)) / 6;
		const b = ((s + 1) * (s - 1) * (s - 2)) / 2;
		const c = (-(s + 1) * s * (s - 2)) / 2;
		const d = ((s + 1) * s * (s - 1)) / 6;
		return [
			a * re[i - 1] + b * re[i] + c * re[i + 1] + d * re[i + 2],
			a * im[i - 1] + b * im[i] + c * im[i + 1] + d * im[i + 2],
		];
	};
}
