/**
 * The pattern that one scatterer, a point or a small cluster of sites, makes in the local density of states:
 * `drho(r) = -(1/pi) Im Tr[G(r, R_i) T_ij G(R_j, r)]` with `T = (1 - t G')^-1 t`, t the sites' own T matrices and G' the Green's function
 * between different sites (Balatsky, Vekhter & Zhu, Rev. Mod. Phys. 78, 373 (2006); for surface states Heller et al., Nature 369, 464 (1994)).
 * Everything is relative to the clean density of states.
 */

import { Matrix } from "../maths/matrix.ts";
import { orbitals, visibleOrbitals } from "./bands.ts";
import { type GreenSource, greenSource } from "./green.ts";
import type { KernelSpec, Site } from "./kernelSpec.ts";
import {
	fft,
	IMAGE_BAND,
	spectrumTables,
	type Table,
	turned,
} from "./table.ts";

/** A kernel as a function of the plane, and what multiple scattering needs to know; all in the image's axes. */
export interface KernelModel {
	readonly spec: KernelSpec;
	/**
	 * drho / rho0 at (x, y) in Angstrom from the scatterer's centre; good out to 800 A along each axis (640 A from the
	 * centre for "surface" and lattice bands).
	 */
	evaluate(x: number, y: number): number;
	/** The same as a table, to be added to images. */
	readonly pattern: Table;
	readonly source: GreenSource;
	/** Where the scatterer's sites are, from its centre. */
	readonly places: { x: number; y: number }[];
	/** Clean density of states of what the tip sees: -(1/pi) Im Tr G(0). */
	readonly density: number;
	/** Each site's own T matrix (orbitals x orbitals). */
	readonly single: Matrix[];
	/** T of the whole scatterer, (sites * orbitals) square. */
	readonly cluster: Matrix;
}

/**
 * Builds the tables of a kernel (about 0.1 s).
 * @throws RangeError when a site does not fit the band (phase for one orbital, potential for two)
 */
export function kernelModel(spec: KernelSpec): KernelModel {
	const source = greenSource(spec);
	const density = localDensity(source.local, visibleOrbitals(spec.band));
	const single = spec.sites.map((site) => siteT(spec, site, source.local));
	const [c, s] = [Math.cos(spec.rotation), Math.sin(spec.rotation)];
	const places = spec.sites.map(({ x, y }) => ({
		x: c * x - s * y,
		y: s * x + c * y,
	}));
	const cluster = tMatrix(places, single, source.green);
	const pattern = patternTable(spec, source, places, cluster, density);
	return {
		spec,
		evaluate: (x, y) => pattern.at(x, y),
		pattern,
		source,
		places,
		density,
		single,
		cluster,
	};
}

/** T of several sites at given places: `(1 - t G')^-1 t`, blocks of n x n. */
export function tMatrix(
	places: readonly { x: number; y: number }[],
	single: readonly Matrix[],
	green: GreenSource["green"],
): Matrix {
	const count = places.length;
	const n = single[0].n;
	const t = new Matrix(count * n);
	const between = new Matrix(count * n);
	const g = new Float64Array(2 * n * n);
	const put = (m: Matrix, i: number, j: number, block: Block) => {
		for (let a = 0; a < n; a++)
			for (let b = 0; b < n; b++) {
				const at = (i * n + a) * m.n + j * n + b;
				[m.re[at], m.im[at]] = block(a * n + b);
			}
	};
	for (let i = 0; i < count; i++) {
		put(t, i, i, (p) => [single[i].re[p], single[i].im[p]]);
		for (let j = 0; j < count; j++) {
			if (i === j) continue;
			green(places[i].x - places[j].x, places[i].y - places[j].y, g);
			put(between, i, j, (p) => [g[2 * p], g[2 * p + 1]]);
		}
	}
	return t.times(between).oneMinus().solve(t);
}
type Block = (index: number) => [number, number];

function localDensity(local: Matrix, visible: number): number {
	let density = 0;
	for (let a = 0; a < visible; a++)
		density -= local.im[a * (local.n + 1)] / Math.PI;
	return density;
}

/** One orbital: t = i f / (pi rho0), f = (exp(2i phase) - 1)/2 or -1/2 (unitarity). Two: (1 - V g)^-1 V. */
function siteT(spec: KernelSpec, site: Site, local: Matrix): Matrix {
	const t = new Matrix(local.n);
	if (local.n === 1) {
		const { phase } = site;
		if (phase === undefined)
			throw new RangeError(
				`kernel ${spec.number} (${spec.family}): a site on a one-orbital band needs a phase`,
			);
		const fr = phase === "black" ? -0.5 : (Math.cos(2 * phase) - 1) / 2;
		const fi = phase === "black" ? 0 : Math.sin(2 * phase) / 2;
		const scale = -1 / local.im[0];
		t.re[0] = -fi * scale;
		t.im[0] = fr * scale;
		return t;
	}
	if (!site.potential)
		throw new RangeError(
			`kernel ${spec.number} (${spec.family}): a site on a two-orbital band needs a potential`,
		);
	t.re[0] = site.potential[0] + site.potential[1];
	t.re[3] = site.potential[0] - site.potential[1];
	return t.times(local).oneMinus().solve(t);
}

/** Sums the cluster's pattern on the grid, low-passes it and makes the table. */
function patternTable(
	spec: KernelSpec,
	source: GreenSource,
	places: readonly { x: number; y: number }[],
	cluster: Matrix,
	density: number,
): Table {
	const { size } = source;
	const n = orbitals(spec.band);
	const out = places.map((place) => source.onGrid(place, false));
	// one orbital: H(-k) = H(k), and the way back is the way out
	const back =
		n === 1 ? out : places.map((place) => source.onGrid(place, true));
	const re = new Float64Array(size * size);
	const im = new Float64Array(size * size);
	for (let a = 0; a < visibleOrbitals(spec.band); a++)
		for (let i = 0; i < cluster.n; i++) {
			const u = out[Math.floor(i / n)][a * n + (i % n)];
			// one orbital: T is symmetric, so that half of the pairs are enough
			for (let j = n === 1 ? i : 0; j < cluster.n; j++) {
				const w = back[Math.floor(j / n)][(j % n) * n + a];
				const scale = (n === 1 && j > i ? -2 : -1) / (Math.PI * density);
				const tr = scale * cluster.re[i * cluster.n + j];
				const ti = scale * cluster.im[i * cluster.n + j];
				for (let p = 0; p < re.length; p++)
					re[p] +=
						tr * (u.re[p] * w.im[p] + u.im[p] * w.re[p]) +
						ti * (u.re[p] * w.re[p] - u.im[p] * w.im[p]);
			}
		}
	fft(size).transform(re, im);
	const table = spectrumTables({ re, im }, size, IMAGE_BAND, source.cells).re;
	return source.cells ? turned(table, spec.rotation) : table;
}
