/** What a training is judged by. `Metrics` is the shape of metrics.json. */

export type MethodName =
	| "ridge"
	| "projected"
	| "oneStep"
	| "twoStep"
	| "meanKernel"
	| "nearest";

export type SplitName = "seen" | "unseenEnergy" | "unseenFamily";

/**
 * Errors on a [-1, 1] scale after min-max of both images; `ncc` is the normalised cross-correlation; `n` observations were averaged.
 * JSON has no NaN: a figure that could not be had is null.
 */
export interface Scores {
	mae: number | null;
	mse: number | null;
	rmse: number | null;
	ncc: number | null;
	n: number;
}

/** The mean NCC of `n` observations at `value`: the noise's sigma in units of the signal's, or the number of scatterers. */
export interface CurvePoint {
	value: number;
	ncc: number | null;
	n: number;
}

export type Curves = Partial<Record<MethodName, readonly CurvePoint[]>>;

export interface Metrics {
	preset: string;
	inputs: string;
	seed: number;
	adapter: string;
	/** Wall-clock time of the whole run. */
	seconds: number;
	methods: Partial<Record<MethodName, Partial<Record<SplitName, Scores>>>>;
	byNoise?: Curves;
	byScatterers?: Curves;
	/** The NCC with which principal components of the training kernels, and the kernel VAE, reproduce the kernels that are not trained on: the latter limits two steps. */
	reproduced?: { components: number; vae: number };
}

export const METHOD_TITLES: Record<MethodName, string> = {
	ridge: "ridge least squares",
	projected: "ridge, principal subspace",
	oneStep: "one-step network",
	twoStep: "two-step network",
	meanKernel: "mean training kernel",
	nearest: "nearest training kernel",
};

export const SPLITS: Record<SplitName, string> = {
	seen: "Seen kernels",
	unseenEnergy: "Unseen energies",
	unseenFamily: "Unseen families",
};
