/** Kernels averaged over the symmetry operations of a point group of the plane. */

import { sideOf } from "./radial.ts";
import { type Order, rotate, symmetrise } from "./rotate.ts";

/** Rotations alone, or with mirrors ("m"). */
export const POINT_GROUPS = [
	"2",
	"3",
	"4",
	"6",
	"2mm",
	"3m",
	"4mm",
	"6mm",
] as const;
export type PointGroup = (typeof POINT_GROUPS)[number];

export interface Symmetrised {
	readonly group: PointGroup;
	/** Of a mirror, radians from the x axis; null for rotations alone. */
	readonly axis: number | null;
	readonly kernel: Float32Array;
	/** Share of the kernel's power inside the inscribed circle that the average leaves out: what contradicts the group, and noise. */
	readonly lost: number;
	/** The share that errors alone would lose; null where there are no draws. */
	readonly noise: number | null;
}

/**
 * The mean of a kernel over a point group's turns about the middle of the image and, with mirrors, over its mirror image.
 * @param axis of one of the mirrors, radians from the x axis; the group's own where it is not given is along x
 * @param samples draws of the kernel, to know what noise loses
 * @throws Error when the kernel is not square or not finite
 */
export function symmetriseGroup(
	kernel: ArrayLike<number>,
	group: PointGroup,
	{
		axis = 0,
		samples = [],
	}: { axis?: number; samples?: readonly ArrayLike<number>[] } = {},
): Symmetrised {
	const mirrors = group.endsWith("m");
	const mean = averageOf(kernel, group, axis);
	const whole = power(kernel);
	const lost = power(kernel, mean);
	const noises = samples.map((sample) => {
		const error = Float32Array.from(sample, (v, p) => v - kernel[p]);
		return power(error, averageOf(error, group, axis));
	});
	const noise = noises.length
		? noises.reduce((a, b) => a + b, 0) / noises.length
		: null;
	return {
		group,
		axis: mirrors ? axis : null,
		kernel: mean,
		lost: whole ? lost / whole : 0,
		noise: noise === null ? null : whole ? noise / whole : 0,
	};
}

function averageOf(
	kernel: ArrayLike<number>,
	group: PointGroup,
	axis: number,
): Float32Array {
	const turned = symmetrise(kernel, Number.parseInt(group, 10) as Order);
	if (!group.endsWith("m")) return turned;
	const mirrored = mirror(turned, axis);
	return turned.map((v, p) =>
		Number.isNaN(mirrored[p]) ? v : (v + mirrored[p]) / 2,
	);
}

/** Mirrored about the axis at `angle` through the middle: about x, then turned by twice the angle. */
function mirror(kernel: ArrayLike<number>, angle: number): Float32Array {
	const n = sideOf(kernel, "mirror");
	const flipped = Float32Array.from({ length: n * n }, (_, p) => {
		const [i, j] = [Math.floor(p / n), p % n];
		return kernel[i * n + n - 1 - j];
	});
	return rotate(flipped, 2 * angle);
}

/** Sum of squares (of the difference to `other`) in the inscribed circle, outside of which some turns see nothing. */
function power(kernel: ArrayLike<number>, other?: ArrayLike<number>): number {
	const n = Math.sqrt(kernel.length);
	const middle = (n - 1) / 2;
	let sum = 0;
	for (let p = 0; p < n * n; p++)
		if (Math.hypot(Math.floor(p / n) - middle, (p % n) - middle) <= middle)
			sum += (kernel[p] - (other?.[p] ?? 0)) ** 2;
	return sum;
}
