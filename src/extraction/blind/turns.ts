/** From a first guess of a kernel to its activation: sparse deconvolution in turns with the kernel. */
import { MapConvolution } from "../../qpi/operator/convolution.ts";
import { kernelFor, type Seen } from "./deconvolve.ts";
import { spreadOf } from "./grid.ts";
import type { Seed } from "./seeds.ts";
import { findActivation } from "./sparseSteps.ts";
import { moved, resized, unit } from "./windows.ts";

export interface Activated {
	readonly activation: Float64Array;
	/** Unit norm, size x size. */
	readonly kernel: Float64Array;
	readonly size: number;
}

/** Share of the turns that have the seed's small window. */
const NARROW = 0.6;
/** FISTA's steps a turn, and the conjugate gradients' for the kernel. */
const STEPS = 30;
const KERNEL = { ridge: 0.02, steps: 8 };
/** The threshold as a share of the strongest correlations, at first and in the end; and what it is at least, standard deviations of the correlation with what is left. */
const LAMBDA = { first: 0.5, last: 0.25, noise: 1 };
/** What counts as the strongest: all but so many of the pixels are weaker. */
const STRONGEST = 0.001;
/** Pixels that a kernel is moved at most a turn to have its heaviest part in the middle. */
const SHIFT = 3;

/**
 * Activation and kernel in turns, the kernel's window growing from the seed's to `size`; after each turn both are shifted so that the kernel's heaviest window stays in the middle.
 * @param report told after each turn how many of them are done, and the kernel
 */
export async function inTurns(
	seen: Seen,
	nx: number,
	ny: number,
	seed: Seed,
	size: number,
	signed: boolean,
	turns: number,
	report: (done: number, total: number, kernel: Activated) => Promise<void>,
): Promise<Activated> {
	let convolution = new MapConvolution(nx, ny, seed.size);
	let kernel = unit(seed.kernel);
	let x: Float64Array = new Float64Array(nx * ny);
	let least = 0;
	const counted = seen.image.map((v, p) => v * seen.weights[p]);
	for (let turn = 0; turn < turns; turn++) {
		if (turn === Math.floor(NARROW * turns) && size > seed.size) {
			convolution = new MapConvolution(nx, ny, size);
			kernel = resized(kernel, seed.size, size);
		}
		const match = convolution.mapOf(
			convolution.kernelSpectrum(kernel),
			counted,
		);
		const { first, last } = LAMBDA;
		const part = first * (last / first) ** (turn / (turns - 1));
		const lambda = Math.max(part * strongest(match, signed), least);
		const problem = {
			...{ convolution, map: seen.image, weights: seen.weights },
			...{ lambda, mu: 0, signed },
		};
		x = findActivation(problem, kernel, x, STEPS);
		kernel = kernelFor(convolution, x, seen, kernel, KERNEL);
		least = LAMBDA.noise * noiseOf(convolution, x, kernel, seen);
		if (turn < turns - 2)
			[kernel, x] = centred(kernel, convolution.size, seed.size, x, nx, ny);
		const norm = Math.sqrt(kernel.reduce((sum, v) => sum + v * v, 0));
		if (!(norm > 0)) break;
		kernel = kernel.map((v) => v / norm);
		for (let p = 0; p < x.length; p++) x[p] *= norm;
		await report(turn + 1, turns, {
			...{ activation: x, kernel, size: convolution.size },
		});
	}
	return { activation: x, kernel, size: convolution.size };
}

/** Standard deviation of the correlation of what is left with the kernel over its norm. */
function noiseOf(
	convolution: MapConvolution,
	x: Float64Array,
	kernel: Float64Array,
	{ image, weights }: Seen,
): number {
	const spectrum = convolution.kernelSpectrum(kernel);
	const map = convolution.convolve(convolution.mapSpectrum(x), spectrum);
	for (let p = 0; p < map.length; p++)
		map[p] = weights[p] * (image[p] - map[p]);
	const match = convolution.mapOf(spectrum, map);
	const norm = Math.sqrt(kernel.reduce((sum, v) => sum + v * v, 0));
	return norm > 0 ? spreadOf(match, weights) / norm : 0;
}

/** What all but a thousandth of the values are below. */
export function strongest(match: Float64Array, signed: boolean): number {
	const sorted = (signed ? match.map(Math.abs) : match.slice()).sort();
	return sorted[Math.floor((1 - STRONGEST) * sorted.length)];
}

/** The kernel with the heaviest window of half the seed's size in its middle, the activation moved the other way. */
function centred(
	kernel: Float64Array,
	size: number,
	narrow: number,
	x: Float64Array,
	nx: number,
	ny: number,
): [Float64Array, Float64Array] {
	const reach = narrow >> 2;
	const middle = (size - 1) / 2;
	let best = { dx: 0, dy: 0, mass: 0 };
	for (let dx = -SHIFT; dx <= SHIFT; dx++)
		for (let dy = -SHIFT; dy <= SHIFT; dy++) {
			let mass = 0;
			for (let i = -reach; i <= reach; i++)
				for (let j = -reach; j <= reach; j++) {
					const [u, v] = [middle + dx + i, middle + dy + j];
					if (u >= 0 && v >= 0 && u < size && v < size)
						mass += Math.abs(kernel[u * size + v]);
				}
			// What is no heavier stays where it is.
			if (mass > best.mass * (1 + 1e-9)) best = { dx, dy, mass };
		}
	const { dx, dy } = best;
	return [moved(kernel, size, size, -dx, -dy), moved(x, nx, ny, dx, dy)];
}
