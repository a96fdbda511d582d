import {
	type Preprocessed,
	type PreprocessOptions,
	preprocess,
} from "../../extraction/preprocess.ts";
import type { Scan } from "../../extraction/scan/scan.ts";
import { mapInWorkers } from "./pool.ts";
import { PREPROCESS_WORKER, type PreprocessTask } from "./preprocessWorker.ts";

/** Images from which on threads are worth their start. */
const MANY = 12;

/** Runs preprocess() on each image of a stack, spread over worker threads. Throws what preprocess() throws. */
export async function preprocessInThreads(
	scans: readonly Scan[],
	options: PreprocessOptions,
): Promise<Preprocessed[]> {
	if (scans.length < MANY)
		return scans.map((scan) => preprocess(scan, options));
	const tasks = scans.map((scan): PreprocessTask => ({ scan, options }));
	const out: Preprocessed[] = [];
	const all = mapInWorkers<PreprocessTask, [Preprocessed]>(
		PREPROCESS_WORKER,
		tasks,
		{ batch: 2 },
	);
	for await (const [prepared] of all) out.push(prepared);
	return out;
}
