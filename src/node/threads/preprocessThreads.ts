import {
	type Prepared,
	type PreprocessOptions,
	preprocess,
} from "../../extraction/preprocess.ts";
import type { Scan } from "../../extraction/scan/scan.ts";
import { mapInWorkers } from "./pool.ts";
import { PREPROCESS_WORKER, type PreprocessTask } from "./preprocessWorker.ts";

/** Images from which on threads are worth their start. */
const MANY = 12;

/** As preprocess() prepares each of a stack's images, spread over worker threads. Throws what it throws. */
export async function preprocessInThreads(
	scans: readonly Scan[],
	options: PreprocessOptions,
): Promise<Prepared[]> {
	if (scans.length < MANY)
		return scans.map((scan) => preprocess(scan, options));
	const tasks = scans.map((scan): PreprocessTask => ({ scan, options }));
	const out: Prepared[] = [];
	const all = mapInWorkers<PreprocessTask, [Prepared]>(
		PREPROCESS_WORKER,
		tasks,
		{ batch: 2 },
	);
	for await (const [prepared] of all) out.push(prepared);
	return out;
}
