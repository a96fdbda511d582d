/** Square kernels about their middle: side, rings, and where they end. */

/**
 * Side of a square image.
 * @throws Error when it is not square, smaller than 8 x 8, or has a value that is not finite
 */
export function sideOf(image: ArrayLike<number>, who: string): number {
	const n = Math.sqrt(image.length);
	if (!Number.isInteger(n) || n < 8)
		throw new Error(
			`${who}: expected a square image of at least 8 x 8 pixels, got ${image.length} values`,
		);
	for (let i = 0; i < image.length; i++)
		if (!Number.isFinite(image[i]))
			throw new Error(
				`${who}: value ${i} (pixel ${Math.floor(i / n)}, ${i % n}) is ${image[i]}, expected a finite number`,
			);
	return n;
}

/** cos^2 from one in the middle to zero at `reach`. */
export function hann(r: number, reach: number): number {
	return r < reach ? Math.cos((Math.PI * r) / (2 * reach)) ** 2 : 0;
}

/** Where errors come from: draws from the posterior, else a map. */
export interface Errors {
	readonly samples?: readonly ArrayLike<number>[];
	readonly uncertainty?: ArrayLike<number> | number;
}

/** Rings that are looked at together, the share of the noise's variance from which the kernel counts as seen, and of its greatest value below which it counts as zero. */
const [TOGETHER, SEEN, ZERO] = [5, 0.3, 1e-6];

/**
 * Pixels from the middle at which an n x n kernel ends: beyond are zeros, or its mean square is no more than 1.3 times what its errors make. At most the
 * inscribed circle, at least 4, and the former where all is noise.
 */
export function extent(
	kernel: ArrayLike<number>,
	n: number,
	errors: Errors = {},
): number {
	const circle = (n - 1) / 2;
	const rings = Math.floor(circle) + 1;
	const middle = (n - 1) / 2;
	const [count, power, noise] = [0, 1, 2].map(() => new Float64Array(rings));
	let largest = 0;
	for (let p = 0; p < n * n; p++)
		largest = Math.max(largest, Math.abs(kernel[p]));
	let last = 0;
	for (let p = 0; p < n * n; p++) {
		const r = Math.hypot(Math.floor(p / n) - middle, (p % n) - middle);
		if (r > circle) continue;
		if (Math.abs(kernel[p]) > ZERO * largest) last = Math.max(last, r);
		const ring = Math.min(rings - 1, Math.round(r));
		count[ring]++;
		power[ring] += kernel[p] ** 2;
		noise[ring] += varianceAt(p, errors);
	}
	const end = Math.min(circle, Math.max(4, last + 1));
	if (last === 0) return circle;
	for (let first = Math.ceil(end) - TOGETHER; first >= 0; first--) {
		const sum = (values: Float64Array) =>
			values.subarray(first, first + TOGETHER).reduce((a, b) => a + b, 0);
		if (sum(power) > (1 + SEEN) * sum(noise))
			return Math.min(end, Math.max(4, first + TOGETHER));
	}
	return end;
}

function varianceAt(p: number, { samples, uncertainty }: Errors): number {
	if (!samples)
		return typeof uncertainty === "object"
			? uncertainty[p] ** 2
			: (uncertainty ?? 0) ** 2;
	let [sum, squares] = [0, 0];
	for (const sample of samples) {
		sum += sample[p];
		squares += sample[p] ** 2;
	}
	return (
		Math.max(0, squares - sum ** 2 / samples.length) / (samples.length - 1)
	);
}
