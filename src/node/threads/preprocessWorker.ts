/** The worker thread that prepares one image at a time, for preprocessInThreads. */
import {
	type PreprocessOptions,
	preprocess,
} from "../../extraction/preprocess.ts";
import type { Scan } from "../../extraction/scan/scan.ts";
import { serve } from "./pool.ts";

export const PREPROCESS_WORKER = new URL(import.meta.url);

export interface PreprocessTask {
	readonly scan: Scan;
	readonly options: PreprocessOptions;
}

// In an array of its own, for arrays of a scan may be one and the same, and the pool would hand them over twice.
serve(({ scan, options }: PreprocessTask) => [preprocess(scan, options)]);
