import { checkCall, refusePromise, scope } from "../basics/scope.ts";
import type { Gpu } from "./gpu.ts";
import type { PipelineChoice } from "./pipelines.ts";

/**
 * Compiles the pipelines of everything that `fn` would run, several at once, and runs nothing. Without it each pipeline is compiled when it is first needed, one after the other. Await it before
 * the first step of a training, or begin it while data are read. `fn` is a training step, with backward(), on tensors of the right shapes; their values do not matter. write() and tensor() in it
 * work as always; no other values are computed, and all tensors that it makes are freed. It does not count as a step for optimisers and Dropout. Throws where `fn` is async, as scope() does.
 */
export async function compile(gpu: Gpu, fn: () => void): Promise<void> {
	checkCall("compile()", gpu, fn);
	const before = gpu.rehearsed;
	const { flop } = gpu.statistics;
	const rehearsed: PipelineChoice[] = [];
	gpu.rehearsed = rehearsed;
	try {
		scope(gpu, () => refusePromise("compile()", fn()));
	} finally {
		gpu.rehearsed = before;
		gpu.statistics.flop = flop;
	}
	await gpu.compile(rehearsed);
}
