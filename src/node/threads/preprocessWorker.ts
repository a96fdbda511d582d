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

// Wrapped in a list: two fields of a scan may be the same array, and the pool would then hand it over twice.
serve(({ scan, options }: PreprocessTask) => [preprocess(scan, options)]);
