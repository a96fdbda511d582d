/** A band's parameters from measured wave vectors. */
import { cholesky, choleskySolve } from "../maths/cholesky.ts";
import { type Centre, centresOf, energiesOfQ } from "./lines.ts";
import type { TheoryBand } from "./model.ts";

/** A wave vector (1/A) that was measured at an energy (eV), along a direction (radians) or, null, on the mean over all. */
export interface MeasuredQ {
	readonly energy: number;
	readonly q: number;
	/** One standard deviation of its own. */
	readonly error: number;
	/** What it is off by together with the others, 1/A. */
	readonly systematic?: number;
	readonly direction: number | null;
	/** Half the sector about the direction that it is the mean over, radians; 0 by default. */
	readonly width?: number;
	/** Points of one branch belong to one pocket. */
	readonly branch: number;
}

/** A band that depends on numbers. */
export interface BandFamily {
	readonly names: readonly string[];
	readonly start: readonly number[];
	at(values: readonly number[]): TheoryBand;
}

export interface BandFit {
	readonly values: readonly number[];
	/** One standard deviation each, statistical and systematic in quadrature; scaled by `inflation`. */
	readonly errors: readonly number[];
	readonly systematic: readonly number[];
	readonly chi2: number;
	readonly degrees: number;
	/** sqrt(chi2 / degrees) where that is above 1 by more than chance makes it. */
	readonly inflation: number;
	/** Of each branch, the centre of its pocket. */
	readonly centres: readonly string[];
}

const ROUNDS = 60;
/** Directions that stand for all of them. */
const ALL = Array.from({ length: 12 }, (_, i) => ((i + 0.5) * Math.PI) / 12);

/**
 * Least squares of the band's energy at half the wave vector (scattering back, q = 2k about the pocket's centre) over the parameters; each q's error is carried over to the energy by the slope, as in the fit
 * of a parabola. The pocket of each branch is the one that fits best at the start.
 * @returns a sentence where there is no such fit
 */
export function fitBand(
	family: BandFamily,
	points: readonly MeasuredQ[],
): BandFit | string {
	const count = family.start.length;
	if (points.length <= count)
		return `${count} parameters need more than ${count} wave vectors, there are ${points.length}`;
	const first = family.at(family.start);
	const branches = [...new Set(points.map(({ branch }) => branch))];
	const pocket = new Map<number, Centre>();
	for (const branch of branches) {
		const mine = points.filter((p) => p.branch === branch);
		const off = (centre: Centre) =>
			mine.reduce(
				(sum, p) => sum + (energyOf(first, centre, p, p.q) - p.energy) ** 2,
				0,
			);
		const [best] = [...centresOf(first)].sort((a, b) => off(a) - off(b));
		pocket.set(branch, best);
	}
	const centreOf = ({ branch }: MeasuredQ) => pocket.get(branch) as Centre;
	/** Energies less what the parameters say, and their standard deviations. */
	const residuals = (
		values: readonly number[],
		shift: (p: MeasuredQ) => number,
	) => {
		const band = family.at(values);
		return points.map((p) => {
			const q = p.q + shift(p) * (p.systematic ?? 0);
			const centre = centreOf(p);
			const e = energyOf(band, centre, p, q);
			const step = 1e-3 * q;
			const slope =
				(energyOf(band, centre, p, q + step) -
					energyOf(band, centre, p, q - step)) /
				(2 * step);
			return {
				off: p.energy - e,
				sigma: Math.max(1e-9, Math.abs(slope) * p.error),
			};
		});
	};
	const solved = (shift: (p: MeasuredQ) => number) =>
		minimise(family.start, (values, weights) => {
			const now = residuals(values, shift);
			return {
				off: now.map(({ off }) => off),
				sigma: weights ?? now.map(({ sigma }) => sigma),
			};
		});
	const fit = solved(() => 0);
	if (!fit) return "the wave vectors do not determine these parameters";
	const degrees = points.length - count;
	const reduced = fit.chi2 / degrees;
	const inflation =
		reduced > 1 + 2 * Math.sqrt(2 / degrees) ? Math.sqrt(reduced) : 1;
	/** What the parameters change by when q are off together. */
	const moved = (shift: (p: MeasuredQ) => number) => {
		const there = solved(shift)?.values ?? fit.values;
		return there.map((v, i) => Math.abs(v - fit.values[i]));
	};
	const known = points.some((p) => p.systematic);
	const all = known ? moved(() => 1) : fit.values.map(() => 0);
	const each = known
		? branches.map((branch) => moved((p) => (p.branch === branch ? 1 : 0)))
		: [];
	// Whether branches err alike is not known: the worse of both counts.
	const systematic = all.map((v, i) =>
		Math.max(v, Math.hypot(...each.map((of) => of[i]))),
	);
	return {
		values: fit.values,
		errors: fit.errors.map((e, i) => Math.hypot(inflation * e, systematic[i])),
		systematic,
		chi2: fit.chi2,
		...{ degrees, inflation },
		centres: branches.map((branch) => pocket.get(branch)?.name ?? ""),
	};
}

/** Parts of a sector, from -1 to 1. */
const SECTOR = [-6, -4, -2, 0, 2, 4, 6].map((i) => i / 7);

/** The eigenvalue nearest to what was measured, its mean over the directions that were looked at. */
function energyOf(
	band: TheoryBand,
	centre: Centre,
	{ direction, width = 0, energy }: MeasuredQ,
	q: number,
): number {
	const directions =
		direction === null
			? ALL
			: width > 0
				? SECTOR.map((part) => direction + part * width)
				: [direction];
	const nearest = (angle: number) =>
		energiesOfQ(band, centre, angle, q).reduce((a, b) =>
			Math.abs(b - energy) < Math.abs(a - energy) ? b : a,
		);
	return (
		directions.reduce((sum, angle) => sum + nearest(angle), 0) /
		directions.length
	);
}

interface Rows {
	readonly off: readonly number[];
	readonly sigma: readonly number[];
}

/** Levenberg and Marquardt with numerical derivatives; the standard deviations are those at the point a step starts from. */
function minimise(
	start: readonly number[],
	rowsOf: (values: readonly number[], sigma?: readonly number[]) => Rows,
): { values: number[]; errors: number[]; chi2: number } | null {
	const n = start.length;
	let values = [...start];
	let damping = 1e-3;
	const chi2Of = ({ off, sigma }: Rows) =>
		off.reduce((sum, v, k) => sum + (v / sigma[k]) ** 2, 0);
	const normalOf = (rows: Rows) => {
		const gradients = values.map((v, i) => {
			const step = 1e-4 * Math.max(Math.abs(v), 1e-3);
			const moved = [...values];
			moved[i] = v + step;
			const { off } = rowsOf(moved, rows.sigma);
			return off.map((o, k) => -(o - rows.off[k]) / step / rows.sigma[k]);
		});
		const a = new Float64Array(n * n);
		const b = new Float64Array(n);
		for (let i = 0; i < n; i++) {
			gradients[i].forEach((g, k) => {
				b[i] += (g * rows.off[k]) / rows.sigma[k];
			});
			for (let j = 0; j <= i; j++)
				a[i * n + j] = gradients[i].reduce(
					(sum, g, k) => sum + g * gradients[j][k],
					0,
				);
		}
		return { a, b };
	};
	try {
		for (let round = 0; round < ROUNDS; round++) {
			const rows = rowsOf(values);
			const { a, b } = normalOf(rows);
			const damped = a.slice();
			for (let i = 0; i < n; i++) damped[i * (n + 1)] *= 1 + damping;
			const step = choleskySolve(cholesky(damped, n), n, b);
			const next = values.map((v, i) => v + step[i]);
			const gain = chi2Of(rows) - chi2Of(rowsOf(next, rows.sigma));
			if (!(gain > 0)) {
				if (damping > 1e8) break;
				damping *= 10;
				continue;
			}
			values = next;
			damping = Math.max(1e-9, damping / 5);
			if (gain < 1e-9 * (1 + chi2Of(rows)) && damping < 1e-3) break;
		}
		const rows = rowsOf(values);
		const factor = cholesky(normalOf(rows).a, n);
		const errors = values.map((_, i) => {
			const unit = new Float64Array(n);
			unit[i] = 1;
			return Math.sqrt(choleskySolve(factor, n, unit)[i]);
		});
		const chi2 = chi2Of(rows);
		return [...values, ...errors, chi2].every(Number.isFinite)
			? { values, errors, chi2 }
			: null;
	} catch (error) {
		if (error instanceof RangeError) return null;
		throw error;
	}
}
