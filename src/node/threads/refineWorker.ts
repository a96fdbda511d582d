/**
 * The worker thread for what evaluating computes once an image on the CPU: `mapInWorkers<RefineTask, RefineAnswer>(REFINE_WORKER, tasks, { workerData })`
 * with the folder of the weights and the kind of inputs as `workerData`.
 */
import { workerData } from "node:worker_threads";
import { refine } from "../../extraction/kernels/refined.ts";
import { ForwardOperator, type Position } from "../../qpi/operator/forward.ts";
import { inputsOf } from "../../qpi/operator/inputs.ts";
import { centre, ridgeGcv } from "../../qpi/operator/ridge.ts";
import type { KernelPrior } from "../../qpi/posterior/prior.ts";
import { openWeights } from "../files/shippedWeights.ts";
import { serve } from "./pool.ts";

export const REFINE_WORKER = new URL(import.meta.url);

export interface RefineTask {
	/** 64 x 64, first index x. */
	readonly image: Float32Array;
	readonly scatterers: readonly Position[];
	/** 64 x 64, 0 where nothing was measured; ridge and the networks' inputs see the mean there. */
	readonly valid?: Float32Array;
}

export interface RefineAnswer {
	/** 64 x 64, in the image's units. */
	readonly ridge: Float32Array;
	readonly refined: Float32Array;
	/** For networks of the inputs that the worker was told. */
	readonly inputs: Float32Array;
}

let prior: KernelPrior | undefined;
if (workerData?.weights)
	prior = await (await openWeights(workerData.weights)).prior();

serve(({ image, scatterers, valid }: RefineTask): RefineAnswer => {
	if (!prior) throw new Error("the worker was given no weights");
	const operator = new ForwardOperator(scatterers);
	return {
		ridge: centre(ridgeGcv(operator, image).kernel),
		refined: centre(
			refine(
				{
					image,
					weights: valid,
					scatterers: scatterers.map((s) => ({ ...s, weight: 1 })),
				},
				prior,
			).kernel,
		),
		inputs: inputsOf(workerData.inputs, image, scatterers),
	};
});
