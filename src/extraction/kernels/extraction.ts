/** What an extraction gives, whatever it was made from. */
import type { Weighted } from "../marks/adjust.ts";

/** From the simplest. */
export const METHODS = ["ridge", "oneStep", "twoStep", "refined"] as const;
export type Method = (typeof METHODS)[number];

/** Share of the variance explained: of pixels held out in blocks, and of those that were fitted. */
export interface Explained {
	readonly heldOut: number | null;
	readonly inSample: number;
}

/** The kernel of one kind of scatterers, size x size pixels, the scatterer in their middle, in the image's units. */
export interface KindKernel {
	/** Its number in the list of scatterers, from 1. */
	readonly kind: number;
	readonly kernel: Float32Array;
	/** One standard deviation. */
	readonly uncertainty: Float32Array;
	/** Draws from the distribution of the kernel, for the uncertainty of what is computed from it; refined and ridge. */
	readonly samples: readonly Float32Array[];
	/** The kernel without one part of the image's pixels after the other: the delete-a-group jackknife, whose spread holds what the model does not know. */
	readonly groups: readonly Float32Array[];
}

/** A scatterer as the method holds it to be. */
export interface FoundScatterer extends Weighted {
	/** From 1. */
	readonly kind: number;
	/** Standard deviations of amplitude and place, Angstrom, the kernel taken as known. */
	readonly errors?: {
		readonly weight: number;
		readonly x: number;
		readonly y: number;
	};
	/** The amplitude that the image alone asks for, and that over its standard deviation: near zero where there is nothing. */
	readonly amplitude?: number;
	readonly significance?: number;
}

export interface Extraction {
	readonly method: Method;
	readonly kinds: readonly KindKernel[];
	/** Pixels along a kernel's side. */
	readonly size: number;
	/** Pixels of the image. */
	readonly nx: number;
	readonly ny: number;
	/** [nx][ny]: the kernels at every scatterer, and the background. */
	readonly model: Float32Array;
	/** [nx][ny]: image less model; 0 where nothing counts. */
	readonly residual: Float32Array;
	readonly explained: Partial<Record<Method, Explained>>;
	/** In the frame of the marks that were given, in their order. */
	readonly scatterers: readonly FoundScatterer[];
	/** [nx][ny]: 1 where the image was taken at its word, less where it could not be explained, 0 where nothing counts. */
	readonly trust: Float32Array;
	readonly parameters: Readonly<Record<string, number | string | boolean>>;
	/** Seconds of each part; maps only. */
	readonly seconds?: Readonly<Record<string, number>>;
	/**
	 * The same by another of the methods that were compared (those of `explained`), from the fit that there is already. A network's needs its Networks still. Throws a
	 * RangeError for a method that was not.
	 */
	by(method: Method): Promise<Extraction>;
}
