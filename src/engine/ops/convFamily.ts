import type { Gpu } from "../device/gpu.ts";
import type { Variant } from "../device/tuner.ts";

/** What all kernels of convolutions share: their sizes, the set that an adapter takes, and its variants. */

export type Pair = readonly [number, number];

/**
 * The sizes of a convolution, for all three matrix products that it needs, and for the transposed convolution: x [batch, size, channels], w
 * [outChannels, kernel, channels], y [batch, outSize, outChannels]. Pairs are (vertical, horizontal); pad is (top, left).
 */
export interface ConvGeometry {
	readonly batch: number;
	readonly size: Pair;
	readonly channels: number;
	readonly outSize: Pair;
	readonly outChannels: number;
	readonly kernel: Pair;
	readonly stride: Pair;
	readonly pad: Pair;
}

/** Counts a product of the convolution g, forward or a gradient: what lies in the padding too, as everybody does. */
export function count(gpu: Gpu, g: ConvGeometry): void {
	const pixels = g.batch * g.outSize[0] * g.outSize[1];
	const taps = g.kernel[0] * g.kernel[1];
	gpu.statistics.flop += 2 * pixels * g.outChannels * taps * g.channels;
}

/**
 * The set of kernels that an adapter takes. Software adapters: tiles in registers, shared in a subgroup of `lanes` threads. Others: tiles staged in
 * workgroup memory (`lanes` is 0), multiplied in f32 or by matrix units.
 */
export interface Family {
	readonly suffix: "Lanes" | "Tiled" | "Matrix";
	readonly lanes: number;
}

export function familyOf(gpu: Gpu): Family {
	if (gpu.matrix) return { suffix: "Matrix", lanes: 0 };
	const { lanes } = gpu;
	return lanes ? { suffix: "Lanes", lanes } : { suffix: "Tiled", lanes: 0 };
}

/**
 * How many quads of output channels a lane of the register kernels may sum, the default first: with more, a product needs fewer loads, but
 * the sums no longer fit into registers. Variants that would mostly compute padding, or that never were the fastest (bench/NOTES.md), are left out.
 */
export function quadVariants(
	lanes: number,
	from: number,
	channels: number,
): Variant[] {
	let quads = lanes === 4 && channels > 16 ? [8, 4] : [4];
	if (from % 4 !== 0) quads = [2, 4]; // the faster to compile first
	if (channels <= 8) quads = [2];
	return quads.map((QUADS) => ({ QUADS }));
}

/**
 * Whether output channels are stored, and their gradients read, four at a time. Not where there are only four: that is too little work to pay for another pipeline, a quarter of a second.
 */
export const inVectors = (channels: number) =>
	channels % 4 === 0 && channels > 4;

/** Sizes within a factor of two are of one class. */
export const octave = (n: number) => 2 ** Math.ceil(Math.log2(n));
