/** The worker thread that makes kernels of the wide set: `mapInWorkers<WideTask, WideAnswer>(WIDE_WORKER, tasks)`. */
import { bareKernel, view, wideKernel } from "../../qpi/generator/wide.ts";
import { Random } from "../../random.ts";
import { serve } from "../threads/pool.ts";

export const WIDE_WORKER = new URL(import.meta.url);

export interface WideTask {
	readonly seed: number;
	readonly number: number;
	/** Of the kind that no low-pass has rounded. */
	readonly bare: boolean;
	readonly views: number;
}

export interface WideAnswer {
	readonly kind: string;
	/** [views][128 * 128], unit RMS in the central 64 x 64 nodes. */
	readonly kernels: Float32Array;
}

serve(({ seed, number, bare, views }: WideTask): WideAnswer => {
	const random = new Random(seed, number);
	const kernel = bare ? bareKernel(random) : wideKernel(random);
	const kernels = new Float32Array(views * 128 * 128);
	for (let v = 0; v < views; v++) {
		const turn = random.uniform(0, 2 * Math.PI);
		const stretch = random.uniform(0.9, 1.12);
		kernels.set(view(kernel, { turn, stretch }), v * 128 * 128);
	}
	return { kind: kernel.kind, kernels };
});
