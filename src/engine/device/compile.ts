import { checkCall, refusePromise, scope } from "../basics/scope.ts";
import type { Gpu } from "./gpu.ts";
import type { PipelineChoice } from "./pipelines.ts";

/**
 * Compiles the pipelines of all that `fn` would run, several at once, and runs nothing: to be awaited before the first step of a training, or begun while its data are
 * fetched. Else each is compiled when it is first needed, one after the other. `fn` is a step, with backward() and with tensors of the right shapes: what they hold does not
 * matter, and no tensor changes but by write() and tensor(). Of those that it makes nothing remains. An optimiser in it does no step, for no parameter has got a gradient, and a Dropout takes none.
 * Throws where `fn` is async, as scope() does.
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
