import { RESOLUTION as SIDE } from "../qpi/dataset/format.ts";
import type { Symmetry } from "../qpi/dataset/split.ts";

/** Which part of the split an observation belongs to. */
export type Part = "train" | "seen" | "unseenEnergy" | "unseenFamily";

export interface PreparedKernel {
	readonly number: number;
	readonly label: string;
	readonly symmetry: Symmetry;
	readonly trained: boolean;
	/** 64x64, scaled to unit RMS with zero kept at zero: what the networks are taught. */
	readonly image: Float32Array;
}

export interface PreparedObservation {
	/** Index into `kernels`. */
	readonly kernel: number;
	readonly part: Part;
	readonly scatterers: readonly { readonly x: number; readonly y: number }[];
	/** White noise's sigma over the signal's; undefined where the dataset does not say. */
	readonly noise?: number;
	/** Place in the input store. */
	readonly index: number;
}

/** An observation that methods are compared on. */
export interface Evaluated extends PreparedObservation {
	/** 64x64, in the image's own units. */
	readonly image: Float32Array;
	/** Known-position ridge least squares, lambda by generalised cross-validation. */
	readonly ridge: Float32Array;
}

/** Network inputs, ready to read: [64, 64, channels] floats an observation. */
export interface InputStore {
	readonly channels: number;
	/** Fills `into`, which holds one observation's inputs. */
	read(index: number, into: Float32Array): void;
	close(): void;
}

/** What networks are trained on: kernels, their observations, and these as inputs. */
export interface Prepared {
	readonly kernels: readonly PreparedKernel[];
	readonly observations: readonly PreparedObservation[];
	readonly inputs: InputStore;
}

export interface PreparedData extends Prepared {
	readonly evaluated: readonly Evaluated[];
}

/**
 * Copies a square image of `channels` interleaved channels, turned by one of the eight symmetries of the square: bit 0 swaps x and y, bit 1 mirrors x, bit 2
 * mirrors y. The pixels lie symmetrically about the centre, so a kernel, its observation and all channels of the input stay exactly consistent.
 */
export function copyTurned(
	from: Float32Array,
	channels: number,
	turn: number,
	into: Float32Array,
	offset: number,
): void {
	const swap = turn & 1;
	const last = SIDE - 1;
	let at = offset;
	for (let ix = 0; ix < SIDE; ix++)
		for (let iy = 0; iy < SIDE; iy++) {
			const x = turn & 2 ? last - ix : ix;
			const y = turn & 4 ? last - iy : iy;
			const source = (swap ? y * SIDE + x : x * SIDE + y) * channels;
			for (let c = 0; c < channels; c++) into[at++] = from[source + c];
		}
}
