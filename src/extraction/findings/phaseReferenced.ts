/**
 * What a kernel's phase says at opposite energies. The scatterer is at the kernel's middle, so that `F(q) = sum K(r) exp(-iqr)` has its phase, and
 * `rho_-(E) = integral over q of Re[F(q, +E) - F(q, -E)]` can be had (Hirschfeld, Altenfeld, Eremin & Mazin, Phys. Rev. B 92, 184513 (2015); used on FeSe by
 * Sprau et al., Science 357, 75 (2017); the mean over many atoms, each referred to its own place, which a kernel is, by Sharma et al., npj Quantum Mater. 6, 7 (2021)).
 * For a weak non-magnetic scatterer and the q between two bands of gaps D1 and D2 it is, between the gaps, as `E^2 - D1 D2`: of one sign where the gaps have opposite signs, small and of both where they have one.
 */
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";
import { hann, sideOf } from "./radial.ts";

/** Which q (1/A) are integrated over: beyond the window's disk about zero, a ring, or disks and those opposite. */
export type QRegion =
	| { readonly kind: "all" }
	| { readonly kind: "ring"; readonly q: number; readonly width: number }
	| {
			readonly kind: "disks";
			readonly disks: readonly {
				readonly x: number;
				readonly y: number;
				readonly radius: number;
			}[];
	  };

/** A kernel at an energy (eV), and what is known of its errors. */
export interface EnergyKernel {
	readonly energy: number;
	readonly kernel: ArrayLike<number>;
	readonly samples?: readonly ArrayLike<number>[];
	readonly groups?: readonly ArrayLike<number>[];
}

export interface PhasePoint {
	/** Above zero, eV. */
	readonly energy: number;
	/** Places in the list of kernels. */
	readonly plus: number;
	readonly minus: number;
	/** rho_-, and the sum rho_+ beside it; the kernel's unit. */
	readonly odd: number;
	readonly even: number;
	/** One standard deviation of both; null where nothing is known of the errors. */
	readonly error: number | null;
}

export interface PhaseReferenced {
	/** By energy. */
	readonly points: readonly PhasePoint[];
	/** Energies (eV) between which rho_- changes its sign by more than two standard deviations on either side. */
	readonly changes: readonly (readonly [number, number])[];
}

/** Of the energies' spacing: how far +E and -E may be from each other's opposite. */
const PAIRED = 0.25;
/** Standard deviations from which a sign is one. */
const SURE = 2;
const [INNER, OUTER] = [1.25, 0.95];
/** Points of q a side, of the sum that stands for the integral. */
const GRID = 96;

/** Pairs of energies that are each other's opposite, as places in the list. */
export function oppositeEnergies(
	energies: readonly number[],
): { plus: number; minus: number }[] {
	const sorted = [...energies].sort((a, b) => a - b);
	const gaps = sorted.slice(1).map((e, i) => e - sorted[i]);
	const near =
		PAIRED * minOf([...gaps.filter((g) => g > 1e-9), Number.MAX_VALUE]);
	return [...energies.keys()]
		.filter((i) => energies[i] > near)
		.flatMap((plus) => {
			const off = (i: number) => Math.abs(energies[i] + energies[plus]);
			const [minus] = [...energies.keys()].sort((a, b) => off(a) - off(b));
			return off(minus) <= near ? [{ plus, minus }] : [];
		})
		.sort((a, b) => energies[a.plus] - energies[b.plus]);
}

/**
 * rho_-(E) of kernels of one scatterer at several energies, under a radial Hann window.
 * @param spacing Angstrom a pixel
 * @throws Error when a kernel is not square or not finite, or the kernels' sizes differ
 */
export function phaseReferenced(
	kernels: readonly EnergyKernel[],
	spacing: number,
	region: QRegion,
): PhaseReferenced {
	const pairs = oppositeEnergies(kernels.map(({ energy }) => energy));
	if (pairs.length === 0) return { points: [], changes: [] };
	const n = sideOf(kernels[0].kernel, "phaseReferenced");
	for (const { kernel } of kernels)
		if (sideOf(kernel, "phaseReferenced") !== n)
			throw new Error("phaseReferenced: the kernels have different sizes");
	// The integral is linear in the kernel: one number a pixel.
	const weights = weightsOf(n, spacing, region);
	const sum = (kernel: ArrayLike<number>) =>
		weights.reduce((total, w, p) => total + w * kernel[p], 0);
	const of = kernels.map(({ kernel, samples, groups }) => ({
		value: sum(kernel),
		variance: varianceOf(samples?.map(sum), groups?.map(sum)),
	}));
	const points = pairs.map(({ plus, minus }): PhasePoint => {
		const [a, b] = [of[plus], of[minus]];
		return {
			energy: kernels[plus].energy,
			...{ plus, minus, odd: a.value - b.value, even: a.value + b.value },
			error:
				a.variance === null || b.variance === null
					? null
					: Math.sqrt(a.variance + b.variance),
		};
	});
	const sure = points.filter(
		({ odd, error }) => Math.abs(odd) > SURE * (error ?? 0),
	);
	const changes = sure
		.slice(1)
		.flatMap((point, i) =>
			point.odd * sure[i].odd < 0
				? [[sure[i].energy, point.energy] as const]
				: [],
		);
	return { points, changes };
}

/** Whether a wave vector is integrated over. @param least where the window's disk about zero ends @param most where what lies beyond may be folded */
export function inRegion(
	region: QRegion,
	x: number,
	y: number,
	least: number,
	most: number,
): boolean {
	const q = Math.hypot(x, y);
	switch (region.kind) {
		case "all":
			return q >= least && q <= most;
		case "ring":
			return Math.abs(q - region.q) <= region.width;
		case "disks":
			return region.disks.some(
				(d) =>
					Math.hypot(x - d.x, y - d.y) <= d.radius ||
					Math.hypot(x + d.x, y + d.y) <= d.radius,
			);
	}
}

/** Of each pixel: its window times the integral of cos(qr) over the region (d^2q / 4 pi^2) times the pixel's area. */
function weightsOf(n: number, spacing: number, region: QRegion): Float64Array {
	const nyquist = Math.PI / spacing;
	const reach = ((n - 1) / 2) * spacing;
	const size = Math.max(GRID, n + (n % 2));
	const step = (2 * nyquist) / size;
	const middle = (n - 1) / 2;
	const least = (INNER * 2 * Math.PI) / reach;
	// cos(qr) of both axes from tables: cos(ax + by) = cos cos - sin sin
	const tables = Array.from({ length: size }, (_, k) => {
		const q = (k + 0.5 - size / 2) * step;
		const of = (f: (v: number) => number) =>
			Float64Array.from({ length: n }, (_, i) => f(q * (i - middle) * spacing));
		return { q, cos: of(Math.cos), sin: of(Math.sin) };
	});
	const scale = (spacing * step) ** 2 / (4 * Math.PI ** 2);
	const out = new Float64Array(n * n);
	for (const a of tables) {
		// what all qy of this qx make along y
		const [c, s] = [new Float64Array(n), new Float64Array(n)];
		for (const b of tables)
			if (inRegion(region, a.q, b.q, least, OUTER * nyquist))
				for (let j = 0; j < n; j++) {
					c[j] += b.cos[j];
					s[j] += b.sin[j];
				}
		for (let i = 0, p = 0; i < n; i++)
			for (let j = 0; j < n; j++, p++)
				out[p] += scale * (a.cos[i] * c[j] - a.sin[i] * s[j]);
	}
	return out.map((v, p) => {
		const r = Math.hypot(Math.floor(p / n) - middle, (p % n) - middle);
		return v * hann(r * spacing, reach);
	});
}

/** By the draws and by the jackknife, the greater. */
function varianceOf(
	draws: readonly number[] = [],
	groups: readonly number[] = [],
): number | null {
	const squares = (values: readonly number[]) => {
		const mean = values.reduce((a, b) => a + b, 0) / values.length;
		return values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
	};
	const known = [
		...(draws.length > 2 ? [squares(draws) / (draws.length - 1)] : []),
		...(groups.length > 2
			? [((groups.length - 1) / groups.length) * squares(groups)]
			: []),
	];
	return known.length ? maxOf(known) : null;
}

/** Re F(q) of a kernel on a grid of size x size points, `step` apart, q = 0 at [size/2][size/2]; under a radial Hann window, in the kernel's unit times A^2. */
export function realSpectrum(
	kernel: ArrayLike<number>,
	spacing: number,
	size: number,
	step: number,
): Float32Array {
	const n = sideOf(kernel, "realSpectrum");
	const middle = (n - 1) / 2;
	const reach = middle * spacing;
	const tables = Array.from({ length: size }, (_, k) => {
		const q = (k - size / 2) * step;
		const of = (f: (v: number) => number) =>
			Float64Array.from({ length: n }, (_, i) => f(q * (i - middle) * spacing));
		return { cos: of(Math.cos), sin: of(Math.sin) };
	});
	/** Sums over y of each row, by qy. */
	const rows = Array.from({ length: n }, (_, i) =>
		tables.map(({ cos, sin }) => {
			let [c, s] = [0, 0];
			for (let j = 0; j < n; j++) {
				const r = Math.hypot(i - middle, j - middle) * spacing;
				const v = kernel[i * n + j] * hann(r, reach);
				c += v * cos[j];
				s += v * sin[j];
			}
			return [c, s] as const;
		}),
	);
	return Float32Array.from({ length: size * size }, (_, p) => {
		const { cos, sin } = tables[Math.floor(p / size)];
		let sum = 0;
		for (let i = 0; i < n; i++) {
			const [c, s] = rows[i][p % size];
			sum += cos[i] * c - sin[i] * s;
		}
		return spacing ** 2 * sum;
	});
}
