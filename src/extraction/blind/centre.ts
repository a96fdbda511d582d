/** The common shift of a kernel and its marks, which no data fix: a stated rule does. */

import { HALF, taps } from "../../qpi/maths/interpolate.ts";
import { MapConvolution } from "../../qpi/operator/convolution.ts";
import { dot } from "../../qpi/operator/ridge.ts";

/** Angstrom that a kernel may be moved at most, and that a centre of symmetry may be off the centre of its power. */
const MOST = 24;
const NEAR = 10;
/** A kernel that resembles itself turned by 180 or 120 degrees about a point by more than this has its centre there. */
const ALIKE = 0.5;
/** What a turn by 120 degrees must gain over one by 180 to be believed. */
const GAIN = 0.05;

export interface Centre {
	/** Pixels from the kernel's middle. */
	readonly dx: number;
	readonly dy: number;
	/** The turn that leaves the kernel alike, or 1: none does, and it is the centre of its power. */
	readonly fold: 1 | 2 | 3;
}

/**
 * The centre of a kernel: the point about which it resembles itself most when turned by 180 degrees (which holds for 4- and 6-fold ones too) or by 120; without one, the centre
 * of its power.
 */
export function centreOf(
	kernel: Float64Array,
	size: number,
	pixel: number,
	near = NEAR,
): Centre {
	const most = Math.min(MOST / pixel, size / 4);
	const heavy = centreOfPower(kernel, size, most);
	const within = (dx: number, dy: number) =>
		Math.hypot(dx, dy) <= most &&
		Math.hypot(dx - heavy.dx, dy - heavy.dy) * pixel <= near;
	const two = turnedAlike(kernel, size, Math.PI, within);
	const three = turnedAlike(kernel, size, (2 * Math.PI) / 3, within);
	const best =
		three.alike > two.alike + GAIN
			? { ...three, fold: 3 as const }
			: { ...two, fold: 2 as const };
	return best.alike > ALIKE
		? { dx: best.dx, dy: best.dy, fold: best.fold }
		: { ...heavy, fold: 1 };
}

/** Where the fourth power of the kernel gathers, no farther than `most` pixels from its middle. */
function centreOfPower(
	kernel: Float64Array,
	size: number,
	most: number,
): { dx: number; dy: number } {
	let [sx, sy, power] = [0, 0, 0];
	const middle = (size - 1) / 2;
	kernel.forEach((v, p) => {
		const [x, y] = [Math.floor(p / size) - middle, (p % size) - middle];
		if (Math.hypot(x, y) > most) return;
		sx += v ** 4 * x;
		sy += v ** 4 * y;
		power += v ** 4;
	});
	return { dx: sx / power || 0, dy: sy / power || 0 };
}

/** The centre of the turn that leaves a kernel most alike, and the correlation then. */
function turnedAlike(
	kernel: Float64Array,
	size: number,
	angle: number,
	within: (dx: number, dy: number) => boolean,
): { dx: number; dy: number; alike: number } {
	const turned = turn(kernel, size, angle);
	const wide = 2 * size - 1;
	const convolution = new MapConvolution(size, size, wide);
	const both = correlate(convolution, kernel, turned);
	// Power of both where they overlap, for each shift.
	const ones = new Float64Array(size * size).fill(1);
	const square = (k: Float64Array) => k.map((v) => v * v);
	const first = correlate(convolution, square(kernel), ones);
	const second = correlate(convolution, ones, square(turned));
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	// Turning about delta instead of the middle shifts by (R - 1) delta.
	const det = (c - 1) ** 2 + s ** 2;
	let best = { dx: 0, dy: 0, alike: -1 };
	const at = (i: number, j: number) => {
		const p = (i + size - 1) * wide + j + size - 1;
		const norm = Math.sqrt(Math.max(first[p], 0) * Math.max(second[p], 0));
		return norm > 0 ? both[p] / norm : 0;
	};
	for (let i = 1 - size; i < size; i++)
		for (let j = 1 - size; j < size; j++) {
			const { dx, dy } = shiftOf(i, j);
			if (!within(dx, dy)) continue;
			const alike = at(i, j);
			if (alike <= best.alike) continue;
			const [u, v] = [
				vertex(at(i - 1, j), alike, at(i + 1, j)),
				vertex(at(i, j - 1), alike, at(i, j + 1)),
			];
			best = { ...shiftOf(i + u, j + v), alike };
		}
	return best;

	/** delta, from (R - 1) delta = (i, j). */
	function shiftOf(i: number, j: number): { dx: number; dy: number } {
		return {
			dx: ((c - 1) * i + s * j) / det,
			dy: (-s * i + (c - 1) * j) / det,
		};
	}
}

/** How far (pixels) what the second kernel shows lies from where the first shows it, and how alike they are then. */
export function shiftBetween(
	one: Float64Array,
	two: Float64Array,
	size: number,
	most: number,
): { dx: number; dy: number; alike: number } {
	const wide = 2 * size - 1;
	const both = correlate(new MapConvolution(size, size, wide), one, two);
	const norm = Math.sqrt(dot(one, one) * dot(two, two)) || 1;
	let best = { dx: 0, dy: 0, alike: -1 };
	for (let i = 1 - size; i < size; i++)
		for (let j = 1 - size; j < size; j++) {
			const alike = both[(i + size - 1) * wide + j + size - 1] / norm;
			if (Math.hypot(i, j) <= most && alike > best.alike)
				best = { dx: i, dy: j, alike };
		}
	return best;
}

/** For each lag l: sum over p of a(p) b(p + l), for lags up to size - 1. */
function correlate(
	convolution: MapConvolution,
	a: Float64Array,
	b: Float64Array,
): Float64Array {
	return convolution.kernelOf(convolution.mapSpectrum(a), b);
}

const vertex = (before: number, top: number, after: number) => {
	const bend = before - 2 * top + after;
	return bend < 0
		? Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend)))
		: 0;
};

/** A kernel turned about its middle. */
function turn(kernel: Float64Array, size: number, angle: number): Float64Array {
	const middle = (size - 1) / 2;
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	return Float64Array.from({ length: size * size }, (_, p) => {
		const [x, y] = [Math.floor(p / size) - middle, (p % size) - middle];
		return valueAt(
			kernel,
			size,
			middle + c * x + s * y,
			middle - s * x + c * y,
		);
	});
}

function valueAt(
	kernel: Float64Array,
	size: number,
	x: number,
	y: number,
): number {
	if (!(x > -0.5 && y > -0.5 && x < size - 0.5 && y < size - 0.5)) return 0;
	const [tx, ty] = [taps(x), taps(y)];
	let sum = 0;
	for (let i = 0; i < 2 * HALF; i++) {
		const u = tx.first + i;
		if (u < 0 || u >= size) continue;
		let row = 0;
		for (let j = 0; j < 2 * HALF; j++) {
			const v = ty.first + j;
			if (v >= 0 && v < size) row += ty.weights[j] * kernel[u * size + v];
		}
		sum += tx.weights[i] * row;
	}
	return sum;
}
