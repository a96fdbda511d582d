/** How far a kernel reaches, and how long its waves are: what a first, rough kernel says. */
import { maxOf } from "../../qpi/maths/extremes.ts";

/** Mean squares of a kernel on rings about its middle. */
export interface Rings {
	/** Radius of each ring's middle, pixels. */
	readonly radius: Float64Array;
	readonly power: Float64Array;
}

/** @param kernel size x size @param width of a ring, pixels */
export function ringsOf(
	kernel: ArrayLike<number>,
	size: number,
	width: number,
): Rings {
	const middle = (size - 1) / 2;
	const count = Math.max(1, Math.floor((middle + 0.5) / width));
	const power = new Float64Array(count);
	const area = new Float64Array(count);
	for (let i = 0; i < size; i++)
		for (let j = 0; j < size; j++) {
			const ring = Math.floor(Math.hypot(i - middle, j - middle) / width);
			if (ring >= count) continue;
			power[ring] += kernel[i * size + j] ** 2;
			area[ring]++;
		}
	return {
		radius: power.map((_, k) => (k + 0.5) * width),
		power: power.map((v, k) => v / Math.max(1, area[k])),
	};
}

/** A ring's power is signal above this many times what the quietest rings have. */
const ABOVE = 2;
/** Angstrom. */
const WIDTH = 8;

/**
 * The radius (Angstrom) beyond which kernels are no more than noise: all rings of 8 A outside it have less than twice the power of the quietest tenth. The outermost ring's
 * where they never sink that low.
 */
export function reachOf(
	kernels: readonly ArrayLike<number>[],
	size: number,
	pixel: number,
): number {
	const width = Math.max(1, WIDTH / pixel);
	return maxOf(
		kernels.map((kernel) => {
			const { radius, power } = ringsOf(kernel, size, width);
			const quiet = Float64Array.from(power).sort();
			const floor = quiet[Math.floor(quiet.length / 10)];
			let last = power.length - 1;
			while (last > 0 && power[last] < ABOVE * floor) last--;
			return (radius[last] + width / 2) * pixel;
		}),
	);
}
