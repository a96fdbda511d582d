/** Lines on a linear background, fitted to the peaks of a profile. */
import { cholesky, choleskySolve } from "../../qpi/maths/cholesky.ts";
import {
	deviationOf,
	findPeaks,
	type Peak,
	type PeakOptions,
	pull,
	systematicOf,
} from "./peaks.ts";
import type { Profile } from "./profile.ts";

/** A Lorentzian has the tails of a lifetime, a Gaussian none; a window of finite length makes any line more like the latter. */
export type PeakShape = "lorentzian" | "gaussian";

/** A peak whose q and errors are those of a fitted line. */
export interface FittedPeak extends Peak {
	readonly shape: PeakShape;
	/** Full width at half maximum, 1/A; the window alone makes about two resolutions of it. */
	readonly width: number;
	/** Of the line above its background. */
	readonly amplitude: number;
	/** At the peak, and its slope over q. */
	readonly background: readonly [value: number, slope: number];
	/** Root mean square of what the fit leaves, over the line's amplitude. */
	readonly misfit: number;
}

/** Lines nearer than this many resolutions are fitted together; a fit sees so many to each side. */
const [TOGETHER, SIDE] = [3, 2];
const ROUNDS = 60;
/** What a line that is found may be: its q moved by so many resolutions from the maximum, its width in resolutions. */
const [MOVED, NARROWEST, WIDEST] = [0.5, 0.2, 6];
/** A fit with a greater misfit is of something else. */
const BAD = 0.25;

/**
 * Fits a line on a linear background to each significant peak of a profile (`findPeaks`), near ones together, by least squares (Levenberg and Marquardt). Statistical errors are those
 * of the profile's draws and jackknife carried through the fit to first order, as they are for maxima. Peaks that no such line describes are left out.
 * @returns most prominent first
 */
export function fitPeaks(
	profile: Profile,
	{ shape = "gaussian", ...options }: PeakOptions & { shape?: PeakShape } = {},
): FittedPeak[] {
	const { resolution } = profile;
	const peaks = findPeaks(profile, options).sort((a, b) => a.q - b.q);
	const clusters: Peak[][] = [];
	for (const peak of peaks) {
		const last = clusters.at(-1);
		if (last && peak.q - last[last.length - 1].q < TOGETHER * resolution)
			last.push(peak);
		else clusters.push([peak]);
	}
	return clusters
		.flatMap((cluster) => fitCluster(profile, cluster, shape))
		.sort((a, b) => b.prominence - a.prominence);
}

function fitCluster(
	profile: Profile,
	cluster: readonly Peak[],
	shape: PeakShape,
): FittedPeak[] {
	const { q, value, resolution } = profile;
	const [low, high] = [
		cluster[0].q - SIDE * resolution,
		cluster[cluster.length - 1].q + SIDE * resolution,
	];
	const points = [...q.keys()].filter((k) => q[k] >= low && q[k] <= high);
	const middle = (low + high) / 2;
	const count = 3 * cluster.length + 2;
	if (points.length <= count) return [];
	const x = points.map((k) => q[k] - middle);
	const y = points.map((k) => value[k]);
	const floor = y.reduce((a, b) => Math.min(a, b));
	/** Of each line its place, half width and height; then the background's value and slope. */
	let p = [
		...cluster.flatMap((peak) => [
			peak.q - pull(peak.q, profile) - middle,
			resolution / 2,
			Math.max(peak.prominence, peak.height - floor),
		]),
		floor,
		0,
	];
	const rows = (p: readonly number[]) => x.map((at) => model(at, p, shape));
	const squares = (of: readonly { value: number }[]) =>
		of.reduce((sum, { value }, i) => sum + (y[i] - value) ** 2, 0);
	let damping = 1e-3;
	let now = rows(p);
	let left = squares(now);
	for (let round = 0; round < ROUNDS; round++) {
		const step = solve(
			now.map(({ gradient }) => gradient),
			now.map(({ value }, i) => y[i] - value),
			damping,
		);
		if (!step) return [];
		const tried = p.map((v, i) => v + step[i]);
		const next = rows(tried);
		const rest = squares(next);
		if (!(rest < left)) {
			damping *= 8;
			if (damping > 1e8) break;
			continue;
		}
		const done = left - rest < 1e-10 * left;
		[p, now, left, damping] = [tried, next, rest, damping / 4];
		if (done) break;
	}
	const gradients = now.map(({ gradient }) => gradient);
	const rms = Math.sqrt(left / points.length);
	return cluster.flatMap((peak, j): FittedPeak[] => {
		const [at, half, amplitude] = p.slice(3 * j, 3 * j + 3);
		const place = at + middle;
		const width = 2 * Math.abs(half);
		const moved = Math.abs(place + pull(place, profile) - peak.q);
		const fits =
			amplitude > 0 &&
			moved < MOVED * resolution &&
			width > NARROWEST * resolution &&
			width < WIDEST * resolution &&
			rms < BAD * amplitude;
		if (!fits) return [];
		const response = responseOf(gradients, 3 * j);
		if (!response) return [];
		const statistical = deviationOf(profile, points, response) ?? 0;
		const others = cluster
			.map((_, k) => p.slice(3 * k, 3 * k + 3))
			.filter((_, k) => k !== j);
		const mixed = mixing([at, half, amplitude], others, shape);
		// Phases change slowly with the energy: such points weigh less, and are off together.
		const own = Math.hypot(statistical, mixed);
		const systematic = Math.hypot(systematicOf(place, profile), mixed);
		return [
			{
				...peak,
				q: place + pull(place, profile),
				error: Math.hypot(statistical, systematic),
				statistical: own,
				systematic,
				...{ shape, width, amplitude, misfit: rms / amplitude },
				background: [p[count - 2] + p[count - 1] * at, p[count - 1]],
			},
		];
	});
}

/** Root mean square of 1 - cos of a phase that may be anything. */
const PHASE = Math.sqrt(1.5);

/**
 * What lines nearby may move one by, 1/A. The waves behind two lines are added with a phase that nobody knows, the fit adds their moduli: where one line has its top, the other's tail is off by 1 - cos of the
 * phase times its height, and the top moves by its slope over the top's curvature.
 */
function mixing(
	[at, half, height]: readonly number[],
	others: readonly (readonly number[])[],
	shape: PeakShape,
): number {
	return Math.hypot(
		...others.map(([place, width, other]) => {
			const u = (at - place) / width;
			const tail =
				shape === "lorentzian"
					? u / (1 + u * u) ** 2
					: u * Math.exp(-Math.LN2 * u * u);
			return (PHASE * other * tail * half ** 2) / (height * width);
		}),
	);
}

function model(at: number, p: readonly number[], shape: PeakShape) {
	const count = p.length;
	const gradient = new Float64Array(count);
	let value = p[count - 2] + p[count - 1] * at;
	gradient[count - 2] = 1;
	gradient[count - 1] = at;
	for (let j = 0; j < count - 2; j += 3) {
		const [place, half, height] = [p[j], p[j + 1], p[j + 2]];
		const u = (at - place) / half;
		/** The line and its derivative by u^2. */
		const [line, slope] =
			shape === "lorentzian"
				? [1 / (1 + u * u), -1 / (1 + u * u) ** 2]
				: [
						Math.exp(-Math.LN2 * u * u),
						-Math.LN2 * Math.exp(-Math.LN2 * u * u),
					];
		value += height * line;
		gradient[j] = (height * slope * -2 * u) / half;
		gradient[j + 1] = (height * slope * -2 * u * u) / half;
		gradient[j + 2] = line;
	}
	return { value, gradient };
}

/** J^T J, its diagonal enlarged; null where it is singular. */
function normal(rows: readonly Float64Array[], damping: number) {
	const n = rows[0].length;
	const a = new Float64Array(n * n);
	for (const row of rows)
		for (let i = 0; i < n; i++)
			for (let j = 0; j <= i; j++) a[i * n + j] += row[i] * row[j];
	for (let i = 0; i < n; i++) a[i * (n + 1)] *= 1 + damping;
	try {
		return cholesky(a, n);
	} catch {
		return null;
	}
}

function solve(
	rows: readonly Float64Array[],
	rest: readonly number[],
	damping: number,
): Float64Array | null {
	const n = rows[0].length;
	const factor = normal(rows, damping);
	if (!factor) return null;
	const b = new Float64Array(n);
	rows.forEach((row, k) => {
		for (let i = 0; i < n; i++) b[i] += row[i] * rest[k];
	});
	return choleskySolve(factor, n, b);
}

/** What parameter `which` changes by with each of the values: a row of (J^T J)^-1 J^T. */
function responseOf(
	rows: readonly Float64Array[],
	which: number,
): number[] | null {
	const n = rows[0].length;
	const factor = normal(rows, 0);
	if (!factor) return null;
	const unit = new Float64Array(n);
	unit[which] = 1;
	const line = choleskySolve(factor, n, unit);
	return rows.map((row) => row.reduce((sum, v, i) => sum + v * line[i], 0));
}
