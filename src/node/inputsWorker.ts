/**
 * The worker thread for what is computed once an observation; run it with
 * `mapInWorkers<InputsTask, InputsResult>(INPUTS_WORKER, tasks)` or `mapInWorkers<RidgeTask, RidgeAnswer>(INPUTS_WORKER, tasks)`.
 */
import { ForwardOperator, type Position } from "../qpi/forward.ts";
import { type InputKind, paperInputs, physicsInputs } from "../qpi/inputs.ts";
import { centre, ridgeGcv } from "../qpi/ridge.ts";
import { serve } from "./pool.ts";

/** This module, for `mapInWorkers`. */
export const INPUTS_WORKER = new URL(import.meta.url);

interface Observed {
	/** 64 x 64, first index x. */
	readonly image: Float32Array;
	/** In Angstrom. */
	readonly scatterers: readonly Position[];
}

/** Make a network's inputs. */
export interface InputsTask extends Observed {
	readonly task: InputKind;
}

export interface InputsResult {
	/** 64 x 64 x channels, see src/qpi/inputs.ts. */
	readonly inputs: Float32Array;
	/** RMS of the ridge kernel in the image's units; 1 for the paper's inputs, which have none. */
	readonly scale: number;
}

/** Solve ridge least squares, lambda by generalised cross-validation. */
export interface RidgeTask extends Observed {
	readonly task: "ridge";
}

export interface RidgeAnswer {
	/** 64 x 64, in the image's units. */
	readonly kernel: Float32Array;
	readonly lambda: number;
	readonly explained: number;
}

serve((item: InputsTask | RidgeTask): InputsResult | RidgeAnswer => {
	const { task, image, scatterers } = item;
	if (task === "physics") return physicsInputs(image, scatterers);
	if (task === "paper")
		return { inputs: paperInputs(image, scatterers), scale: 1 };
	const { kernel, lambda, explained } = ridgeGcv(
		new ForwardOperator(scatterers),
		image,
	);
	return { kernel: centre(kernel), lambda, explained };
});
