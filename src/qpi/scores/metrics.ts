import { minMax } from "../dataset/preprocess.ts";

/** How far an estimate is from the truth. */
export interface KernelScores {
	/** Mean absolute error, mean squared error and its root, both images scaled to [-1, 1]. */
	mae: number;
	mse: number;
	rmse: number;
	/** Normalised cross-correlation, means removed: 1 is perfect, 0 unrelated. */
	ncc: number;
}

/**
 * Compares kernel images as the reference quotes it: each image is scaled to [-1, 1] by its own minimum and maximum (a constant
 * one becomes -1, for it becomes 0 on [0, 1]), then the errors are taken over the pixels. NCC needs no scaling; it is 0 when an image is constant.
 * @throws when the sizes differ, RangeError when a value is not finite
 */
export function compareKernels(
	estimate: ArrayLike<number>,
	truth: ArrayLike<number>,
): KernelScores {
	if (estimate.length !== truth.length)
		throw new Error(
			`compareKernels: the estimate has ${estimate.length} pixels, the truth ${truth.length}`,
		);
	const a = minMax(estimate);
	const b = minMax(truth);
	let mae = 0;
	let mse = 0;
	for (let i = 0; i < a.length; i++) {
		const difference = 2 * (a[i] - b[i]);
		mae += Math.abs(difference) / a.length;
		mse += difference ** 2 / a.length;
	}
	return { mae, mse, rmse: Math.sqrt(mse), ncc: correlation(estimate, truth) };
}

/** Zero-mean normalised cross-correlation, in [-1, 1]; 0 when an image is constant. */
export function correlation(
	a: ArrayLike<number>,
	b: ArrayLike<number>,
): number {
	const n = a.length;
	let meanA = 0;
	let meanB = 0;
	for (let i = 0; i < n; i++) {
		meanA += a[i] / n;
		meanB += b[i] / n;
	}
	let ab = 0;
	let aa = 0;
	let bb = 0;
	for (let i = 0; i < n; i++) {
		ab += (a[i] - meanA) * (b[i] - meanB);
		aa += (a[i] - meanA) ** 2;
		bb += (b[i] - meanB) ** 2;
	}
	// Rounding of the mean leaves a constant image with a spread of some 1e-16 of it: that is no signal.
	const constant =
		aa <= n * (1e-12 * meanA) ** 2 || bb <= n * (1e-12 * meanB) ** 2;
	return constant ? 0 : Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)));
}

/** A square image of odd side around its middle pixel, first index x. */
export interface Centred {
	readonly values: ArrayLike<number>;
	readonly size: number;
}

/**
 * Zero-mean normalised cross-correlation of two centred images of the same pixel, over the pixels within `radius` (in pixels) of the middle. What an image does not
 * reach is zero.
 * @throws RangeError when an image is not square and odd
 */
export function centredCorrelation(
	a: Centred,
	b: Centred,
	radius: number,
): number {
	for (const { values, size } of [a, b])
		if (values.length !== size * size || size % 2 === 0)
			throw new RangeError(
				`centredCorrelation: ${values.length} pixels are no image of ${size} x ${size}, an odd side`,
			);
	const reach = Math.floor(radius);
	const at = ({ values, size }: Centred, x: number, y: number) => {
		const half = (size - 1) / 2;
		return Math.max(Math.abs(x), Math.abs(y)) <= half
			? values[(x + half) * size + y + half]
			: 0;
	};
	const near: [number[], number[]] = [[], []];
	for (let x = -reach; x <= reach; x++)
		for (let y = -reach; y <= reach; y++)
			if (Math.hypot(x, y) <= radius) {
				near[0].push(at(a, x, y));
				near[1].push(at(b, x, y));
			}
	return correlation(...near);
}
