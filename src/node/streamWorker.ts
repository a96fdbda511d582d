/** The worker thread for the kernels of a stream: `mapInWorkers<StreamTask, StreamKernel>(STREAM_WORKER, tasks)`. */
import { streamKernel } from "../training/stream.ts";
import { serve } from "./pool.ts";

export const STREAM_WORKER = new URL(import.meta.url);

serve(streamKernel);
