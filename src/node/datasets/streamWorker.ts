/** The worker thread for the patterns of a stream: `mapInWorkers<StreamTask, StreamPattern>(STREAM_WORKER, tasks)`. */
import { streamPattern } from "../../training/stream.ts";
import { serve } from "../threads/pool.ts";

export const STREAM_WORKER = new URL(import.meta.url);

serve(streamPattern);
