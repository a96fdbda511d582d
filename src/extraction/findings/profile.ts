/**
 * Profiles of a kernel's |F| along q, for measuring wave vectors. Everything in 1/Angstrom.
 *
 * The |FFT| of an isotropic pattern has an edge, not a peak, at 2k: `Re[f H0(kr)^2]` falls off as cos(2kr + phase)/r, whose transform is
 * 1/sqrt(q^2 - 4k^2) on one side of 2k or the other as the phase will have it. A window smears that edge, and the maximum then lies
 * beside 2k: by up to 0.03 1/A (20 %) in a field of 400 A with a Hann window. Profiles for measuring therefore transform only the waves that go
 * out: for a direction u the half plane r.u > 0. There the integral over the angle has one point of stationary phase and
 * what is left is the one-sided transform of exp(i (2k - q) r), whose modulus is even about 2k whatever the phase is.
 */
import { PIXEL } from "../../qpi/dataset/format.ts";
import {
	type Table,
	type Transform,
	tableOf,
	transform,
	type View,
	view,
} from "./projection.ts";
import { extent, sideOf } from "./radial.ts";

/** |F| along q, averaged over directions. */
export interface Profile {
	/** 1/A, from 0 to Nyquist, evenly. */
	readonly q: Float64Array;
	readonly value: Float64Array;
	/** The same with a window three quarters as long: what moves with it is no wave vector. */
	readonly shorter: Float64Array;
	/** q.length square: of the values' errors; undefined when nothing is known about the kernel's. */
	readonly covariance?: Float64Array;
	/** One standard deviation of each value. */
	readonly error?: Float64Array;
	/** Mean over directions of the expected |F|^2 of the errors alone. */
	readonly noise?: Float64Array;
	/** Of kernels with one group of scatterers left out each. */
	readonly groups?: readonly Float64Array[];
	/** Of two kernels, each of half of the groups. */
	readonly halves?: readonly [Float64Array, Float64Array];
	/** Angstrom from the scatterer at which the window ends. */
	readonly reach: number;
	/** 2 pi / reach: what the window resolves, 1/A. */
	readonly resolution: number;
	/** Whether it is of a sector, not of all directions. */
	readonly sector: boolean;
}

export interface ProfileOptions {
	/** Angstrom a pixel; 400/63 by default. */
	spacing?: number;
	/** Radians from the x axis, modulo pi: a sector in place of the mean over all directions. */
	direction?: number;
	/** Half the sector's opening, radians; pi/12 by default. */
	width?: number;
	/**
	 * "outgoing" (default, for measuring q): half planes, windowed by sin^2(pi r / reach), which also leaves out the scatterer's near field;
	 * "full": the plain |FFT| with the Hann window of `spectrum`, its mean over directions.
	 */
	waves?: "outgoing" | "full";
	/** Angstrom from the scatterer at which the window ends; by default where the kernel ends (zeros, or no more than noise), at most the inscribed circle's radius. */
	reach?: number;
	/** One standard deviation of each pixel of the kernel. */
	uncertainty?: ArrayLike<number>;
	/**
	 * How many pixels err together, 4 by default (a patch of 2 x 2), 1 for white noise: the errors' spectrum is taken as flat with this many times the power of white ones. Errors of
	 * least-squares kernels of generated images have 2 to 6 times the white power at the kernel's own q (in one of twenty 11 times), and less than it beyond.
	 */
	correlation?: number;
	/** Kernels drawn from the posterior: the errors are then their spread, and `uncertainty` is not used. At least 3. */
	samples?: readonly ArrayLike<number>[];
	/** Kernels with one of 4 or more groups of scatterers left out each: a jackknife, whose errors also hold wrong marks, background and misfit. */
	groups?: readonly ArrayLike<number>[];
}

/** Directions in the mean over all, and in a sector; how much longer the window is than that of `shorter`. */
const [DIRECTIONS, PARTS, LONGER] = [48, 7, 4 / 3];
/** Half a sector's opening, radians. */
export const SECTOR: number = Math.PI / 12;

/**
 * Radial profile (mean of |F| over directions) or that of a sector and its opposite. Errors are propagated to first order, with the correlation between different q; where the
 * signal is below the noise |F| is biased upward, as a modulus is.
 * @throws Error when sizes differ, values are not finite, or there are fewer than 3 samples or groups
 */
export function profile(
	kernel: ArrayLike<number>,
	options: ProfileOptions = {},
): Profile {
	const { spacing = PIXEL, samples, uncertainty, groups } = options;
	const n = sideOf(kernel, "profile");
	const others = {
		sample: samples ?? [],
		uncertainty: uncertainty && !samples ? [uncertainty] : [],
		"kernel of a group": groups ?? [],
	};
	for (const [name, list] of Object.entries(others))
		for (const other of list)
			if (sideOf(other, "profile") !== n)
				throw new Error(
					`profile: the kernel has ${n} x ${n} pixels, its ${name} ${other.length}`,
				);
	for (const [name, list] of Object.entries({ samples, groups }))
		if (list && list.length < 3)
			throw new Error(
				`profile: expected at least 3 ${name} of the kernel, got ${list.length}`,
			);
	const reach =
		options.reach ?? spacing * extent(kernel, n, { samples, uncertainty });
	const q = Float64Array.from(
		{ length: 2 * n },
		(_, k) => ((k / (2 * n - 1)) * Math.PI) / spacing,
	);
	const halves = groups && halvesOf(kernel, groups);
	const grid = { n, spacing, reach, outgoing: options.waves !== "full" };
	const angles = directions(options);
	const table = tableOf(grid, q);
	const views = angles.map((angle) => view(grid, angle));
	const [own, ofHalves, ofGroups, ofSamples] = [
		[kernel],
		halves ?? [],
		groups ?? [],
		samples ?? [],
	].map((kernels) =>
		kernels.map((k) => views.map((view) => transform(k, view, table))),
	);
	const narrow = { ...grid, reach: reach / LONGER };
	const short = tableOf(narrow, q);
	const known: Profile = {
		q,
		value: meanModulus(own[0]),
		shorter: meanModulus(
			angles.map((angle) => transform(kernel, view(narrow, angle), short)),
		),
		...(halves && {
			halves: [meanModulus(ofHalves[0]), meanModulus(ofHalves[1])],
			groups: ofGroups.map(meanModulus),
		}),
		reach,
		resolution: (2 * Math.PI) / reach,
		sector: options.direction !== undefined,
	};
	if (!samples && !uncertainty) return known;
	const correlation = options.correlation ?? 4;
	const covariance = samples
		? spread(ofSamples.map(meanModulus))
		: propagated(kernel, views, q, table, uncertainty ?? [], correlation);
	let noise = samples
		? scatter(ofSamples, 1)
		: q.map(() => flatNoise(views[0], uncertainty ?? [], correlation));
	if (groups) {
		// the jackknife's ratio to what was known, over as many q as the window resolves
		const left = scatter(ofGroups, (groups.length - 1) ** 2 / groups.length);
		const width = Math.round(known.resolution / q[1]);
		const factor = q.map((_, k) => {
			const near = (values: Float64Array) =>
				values
					.subarray(Math.max(0, k - width), k + width + 1)
					.reduce((a, b) => a + b, 0);
			return Math.max(1, near(left) / near(noise) || 1);
		});
		noise = noise.map((v, k) => v * factor[k]);
		for (let k = 0; k < q.length; k++)
			for (let l = 0; l < q.length; l++)
				covariance[k * q.length + l] *= Math.sqrt(factor[k] * factor[l]);
	}
	const error = q.map((_, k) => Math.sqrt(covariance[k * (q.length + 1)]));
	return { ...known, covariance, error, noise };
}

/** What is known of the kernel by each half of the groups alone: `g K - (g - 1) mean of those that leave one of the half's groups out`, to first order. */
function halvesOf(
	kernel: ArrayLike<number>,
	groups: readonly ArrayLike<number>[],
): [Float64Array, Float64Array] {
	const g = groups.length;
	const half = (remainder: number) => {
		const mine = groups.filter((_, i) => i % 2 === remainder);
		return Float64Array.from(
			{ length: kernel.length },
			(_, p) =>
				g * kernel[p] -
				((g - 1) * mine.reduce((sum, k) => sum + k[p], 0)) / mine.length,
		);
	};
	return [half(0), half(1)];
}

/** Radians from the x axis: those that a profile is the mean over. */
export function directions({
	direction,
	width,
	waves,
}: Pick<ProfileOptions, "direction" | "width" | "waves">): number[] {
	if (direction === undefined) {
		const turn = waves === "full" ? Math.PI : 2 * Math.PI;
		return Array.from(
			{ length: DIRECTIONS },
			(_, a) => ((a + 0.5) / DIRECTIONS) * turn,
		);
	}
	const half = width ?? SECTOR;
	const sector = Array.from(
		{ length: PARTS },
		(_, a) => direction + half * ((2 * a + 1) / PARTS - 1),
	);
	// the modulus of a real image's transform is the same at -q; a half plane's is not
	return waves === "full"
		? sector
		: [...sector, ...sector.map((angle) => angle + Math.PI)];
}

function meanModulus(views: readonly Transform[]): Float64Array {
	const mean = new Float64Array(views[0].re.length);
	for (const { re, im } of views)
		for (let k = 0; k < mean.length; k++)
			mean[k] += Math.sqrt(re[k] ** 2 + im[k] ** 2) / views.length;
	return mean;
}

/** Variance of F among kernels, times `scale`, its mean over the views. */
function scatter(
	kernels: readonly (readonly Transform[])[],
	scale: number,
): Float64Array {
	const views = kernels[0].length;
	const out = new Float64Array(kernels[0][0].re.length);
	for (let v = 0; v < views; v++)
		for (const part of ["re", "im"] as const)
			for (let k = 0; k < out.length; k++) {
				let [sum, squares] = [0, 0];
				for (const kernel of kernels) {
					const value = kernel[v][part][k];
					sum += value;
					squares += value * value;
				}
				out[k] +=
					(scale * Math.max(0, squares - sum ** 2 / kernels.length)) /
					(kernels.length - 1) /
					views;
			}
	return out;
}

/** |F|^2 of errors that `correlation` pixels share. */
function flatNoise(
	{ pixel, weight }: View,
	uncertainty: ArrayLike<number>,
	correlation: number,
): number {
	return weight.reduce(
		(sum, w, p) => sum + correlation * (w * uncertainty[pixel[p]]) ** 2,
		0,
	);
}

/** Covariance of the mean moduli: d|F| = Re[conj(F)/|F| dF], summed over directions before it is squared, for they share pixels. */
function propagated(
	kernel: ArrayLike<number>,
	views: readonly View[],
	q: Float64Array,
	table: Table,
	uncertainty: ArrayLike<number>,
	correlation: number,
): Float64Array {
	const m = q.length;
	const jacobian = new Float64Array(kernel.length * m);
	for (const view of views) {
		const { re, im } = transform(kernel, view, table);
		for (let k = 0; k < m; k++) {
			const modulus = Math.hypot(re[k], im[k]) * views.length || 1;
			re[k] /= modulus;
			im[k] /= modulus;
		}
		const { pixel, weight, lag } = view;
		for (let p = 0; p < pixel.length; p++) {
			const [c, s] = [Math.cos(q[1] * lag[p]), -Math.sin(q[1] * lag[p])];
			let a = weight[p] * uncertainty[pixel[p]];
			let b = 0;
			const row = pixel[p] * m;
			for (let k = 0; k < m; k++) {
				jacobian[row + k] += a * re[k] + b * im[k];
				const next = a * c - b * s;
				b = a * s + b * c;
				a = next;
			}
		}
	}
	return gram(jacobian, m, correlation);
}

/** Sample covariance. */
function spread(rows: readonly Float64Array[]): Float64Array {
	const m = rows[0].length;
	const centred = new Float64Array(rows.length * m);
	for (let k = 0; k < m; k++) {
		const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length;
		rows.forEach((row, s) => {
			centred[s * m + k] = row[k] - mean;
		});
	}
	return gram(centred, m, 1 / (rows.length - 1));
}

/** scale * A^T A of rows of m. */
function gram(rows: Float64Array, m: number, scale: number): Float64Array {
	const out = new Float64Array(m * m);
	for (let at = 0; at < rows.length; at += m)
		for (let k = 0; k < m; k++) {
			const v = scale * rows[at + k];
			if (v !== 0)
				for (let l = 0; l <= k; l++) out[k * m + l] += v * rows[at + l];
		}
	for (let k = 0; k < m; k++)
		for (let l = 0; l < k; l++) out[l * m + k] = out[k * m + l];
	return out;
}
