/**
 * Drift and shear of a scan from the phases of its Bragg peaks (Lawler et al., Nature 466, 347 (2010), Supplement). Where the lattice's phases are Q1 . r + phi1(r)
 * and Q2 . r + phi2(r), the place R that r has in a perfect lattice follows from G_j . R = Q_j . r + phi_j(r), up to a common shift: R = M r + d(r).
 */
import { minOf } from "../../qpi/maths/extremes.ts";
import type { Scan } from "../scan/scan.ts";
import { type Bragg, coarse, findBragg } from "./bragg.ts";
import {
	IDENTITY,
	inverse,
	type Lattice,
	latticeOf,
	length,
	type Matrix,
	type Pair,
	reciprocal,
	reduced,
	rows,
	times,
	type Vector,
	vectorsOf,
} from "./lattice.ts";
import { lockIn, withoutSlow } from "./lockIn.ts";
import {
	atPixels,
	bridged,
	gaussianSums,
	type Nodes,
	nodesOf,
	valueAt,
} from "./nodes.ts";
import { calibration, strain } from "./strain.ts";
import { dislocations, unwrap } from "./unwrap.ts";

export interface DistortionOptions {
	/** The lattice as it is known. */
	readonly lattice?: Lattice;
	/** Take out what changes across the scan. */
	readonly drift?: boolean;
	/** Put the peaks where the known lattice has them; on where one is known. */
	readonly calibrate?: boolean;
}

/** How places of a scan move. Plain data. */
export interface Distortion {
	/** The two Bragg peaks as measured, 1/Angstrom. */
	readonly measured: Pair;
	/** The same after the correction. */
	readonly peaks: Pair;
	readonly contrast: readonly [number, number];
	/** The lattice as measured, and as it is known. */
	readonly lattice: Lattice;
	readonly known?: Lattice;
	readonly matrix: Matrix;
	/** Whether M is more than the identity. */
	readonly calibrated: boolean;
	/** d(r) on its nodes, Angstrom; undefined: none. */
	readonly field?: {
		readonly nodes: Nodes;
		readonly x: Float64Array;
		readonly y: Float64Array;
	};
	/** Standard deviation of the lock-in's Gaussian, Angstrom. */
	readonly sigma: number;
	/** Of d: the largest, and root mean square, Angstrom. */
	readonly most: number;
	readonly rms: number;
	/** Places at which the phases do not close. */
	readonly dislocations: number;
}

/** A node counts where the amplitude is no less than this share of its median, and so much of the Gaussian counts. */
const GOOD = { amplitude: 0.3, coverage: 0.15 };
/** Times that what a Gaussian mean left over is looked at again. */
const TURNS = 4;

/**
 * How a scan is distorted, by its own lattice.
 * @param counts 0 where a pixel does not count; all that is finite does when not given
 * @throws RangeError in one line where no Bragg peaks are found
 */
export function findDistortion(
	scan: Scan,
	{
		lattice: known,
		drift = false,
		calibrate = known !== undefined,
	}: DistortionOptions = {},
	counts: ArrayLike<number> = scan.image.map((v) =>
		Number.isFinite(v) ? 1 : 0,
	),
): Distortion {
	const bragg = findBragg(scan, counts, known);
	const { peaks: at } = bragg;
	// One for both peaks: that of the slower wave.
	const sigma = coarse(scan, minOf(at.map(length)));
	const phases = at.map((peak) => phaseOf(scan, counts, peak, sigma));
	const measured: Pair = [phases[0].q, phases[1].q];
	const ideal = known && nearest(measured, known);
	const { matrix, peaks } =
		ideal && calibrate
			? calibration(measured, ideal)
			: { matrix: IDENTITY, peaks: measured };
	const [first, second] = phases;
	const back = inverse(rows(peaks));
	const moved = first.phase.map((p, i) =>
		length(times(back, { x: p, y: second.phase[i] })),
	);
	const counted = first.good.map((g, i) => (g && second.good[i] ? 1 : 0));
	const n = counted.reduce((sum, g) => sum + g, 0);
	const squares = moved.reduce((sum, d, i) => sum + counted[i] * d * d, 0);
	const both = (i: number) =>
		times(back, { x: first.phase[i], y: second.phase[i] });
	return {
		...{ measured, peaks, matrix, known },
		calibrated: ideal !== undefined && calibrate,
		contrast: contrastOf(bragg),
		lattice: latticeOf(reciprocal(known ? measured : reduced(measured))),
		...(drift && {
			field: {
				nodes: first.nodes,
				x: first.phase.map((_, i) => both(i).x),
				y: first.phase.map((_, i) => both(i).y),
			},
		}),
		sigma,
		most: moved.reduce((most, d, i) => Math.max(most, counted[i] * d), 0),
		rms: Math.sqrt(squares / Math.max(1, n)),
		dislocations: first.dislocations + second.dislocations,
	};
}

const contrastOf = ({ peaks }: Bragg): [number, number] => [
	peaks[0].contrast,
	peaks[1].contrast,
];

/** The known lattice's peaks in the order and hand of the measured ones. */
function nearest(measured: Pair, known: Lattice): Pair {
	const both = [false, true].map((m) => reciprocal(vectorsOf(known, m)));
	return strain(measured, both[0]) <= strain(measured, both[1])
		? both[0]
		: both[1];
}

/**
 * A peak's phase across the scan: its wave vector without a mean slope left, and what remains at the nodes, zero on the mean. A mean over half the length finds it where it
 * changes fast; the whole length then averages the noise, and sees what it smooths away by itself: only what is left after the phase known so far is smoothed again.
 */
function phaseOf(
	scan: Scan,
	counts: ArrayLike<number>,
	q: Vector,
	sigma: number,
) {
	const nodes = nodesOf(scan, sigma / 4);
	const fast = withoutSlow(scan, counts, (2 * Math.PI) / length(q));
	const first = lockIn(fast, counts, scan, nodes, { q, sigma: sigma / 2 });
	const { good, weight } = trust(first);
	let phase = unwrap(first.phase, weight, nodes.nx, nodes.ny);
	phase = smoothed(bridged(phase, good, nodes), scan, nodes, sigma / 2);
	for (let turn = 0; turn < TURNS; turn++) {
		const known = atPixels(phase, nodes, scan);
		const left = lockIn(fast, counts, scan, nodes, { q, sigma, phase: known });
		const more = bridged(left.phase, good, nodes);
		phase = phase.map((p, i) => p + more[i]);
	}
	const { mean, slope } = plane(phase, weight, nodes);
	const at = (i: number, n: number) => (i - (n - 1) / 2) * nodes.step;
	return {
		...{ nodes, good },
		q: { x: q.x + slope.x, y: q.y + slope.y },
		phase: phase.map(
			(p, i) =>
				p -
				mean -
				slope.x * at(Math.floor(i / nodes.ny), nodes.nx) -
				slope.y * at(i % nodes.ny, nodes.ny),
		),
		dislocations: dislocations(first.phase, good, nodes.nx, nodes.ny),
	};
}

/** Means of a field under a Gaussian. */
function smoothed(
	field: Float64Array,
	scan: Omit<Scan, "image">,
	nodes: Nodes,
	sigma: number,
): Float64Array {
	const values = atPixels(field, nodes, scan);
	const ones = new Float64Array(values.length).fill(1);
	const [sums, norm] = gaussianSums([values, ones], scan, nodes, sigma);
	return sums.map((s, p) => s / norm[p]);
}

function trust({ amplitude, coverage }: ReturnType<typeof lockIn>) {
	const covered = [...amplitude]
		.filter((_, i) => coverage[i] > GOOD.coverage)
		.sort((a, b) => a - b);
	const usual = covered[covered.length >> 1] ?? 0;
	const good = Uint8Array.from(amplitude, (a, i) =>
		a > GOOD.amplitude * usual && coverage[i] > GOOD.coverage ? 1 : 0,
	);
	return {
		good,
		weight: amplitude.map(
			(a, i) => good[i] * (a / (usual || 1)) ** 2 * coverage[i],
		),
	};
}

/** The plane that fits best: mean and slopes (an Angstrom). */
function plane(
	values: Float64Array,
	weights: Float64Array,
	{ nx, ny, step }: Nodes,
) {
	let [w, x, y, v] = [0, 0, 0, 0];
	const place = (i: number): Vector => ({
		x: (Math.floor(i / ny) - (nx - 1) / 2) * step,
		y: ((i % ny) - (ny - 1) / 2) * step,
	});
	values.forEach((value, i) => {
		const r = place(i);
		w += weights[i];
		x += weights[i] * r.x;
		y += weights[i] * r.y;
		v += weights[i] * value;
	});
	const centre = { x: x / w, y: y / w };
	let [xx, xy, yy, xv, yv] = [0, 0, 0, 0, 0];
	values.forEach((value, i) => {
		const r = place(i);
		const [dx, dy, dv] = [r.x - centre.x, r.y - centre.y, value - v / w];
		xx += weights[i] * dx * dx;
		xy += weights[i] * dx * dy;
		yy += weights[i] * dy * dy;
		xv += weights[i] * dx * dv;
		yv += weights[i] * dy * dv;
	});
	const slope = times(inverse({ xx, xy, yx: xy, yy }), { x: xv, y: yv });
	return { slope, mean: v / w - slope.x * centre.x - slope.y * centre.y };
}

/** Where a place of the scan (Angstrom from its centre) lies after the correction. */
export function corrected(
	{ matrix, field }: Pick<Distortion, "matrix" | "field">,
	r: Vector,
): Vector {
	const { x, y } = times(matrix, r);
	return field
		? {
				x: x + valueAt(field.x, field.nodes, r.x, r.y),
				y: y + valueAt(field.y, field.nodes, r.x, r.y),
			}
		: { x, y };
}

/** The other way round: by iteration, to a ten-thousandth of an Angstrom where the field is smooth. */
export function asScanned(
	distortion: Pick<Distortion, "matrix" | "field">,
	place: Vector,
): Vector {
	const back = inverse(distortion.matrix);
	let r = times(back, place);
	for (let turn = 0; turn < 30 && distortion.field; turn++) {
		const now = corrected(distortion, r);
		const off = times(back, { x: place.x - now.x, y: place.y - now.y });
		r = { x: r.x + off.x, y: r.y + off.y };
		if (length(off) < 1e-4) break;
	}
	return r;
}
