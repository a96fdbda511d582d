/**
 * The worker thread for what is computed once an observation: `mapInWorkers<ObservationTask, Float32Array>(INPUTS_WORKER, tasks)`.
 */
import { computeTask } from "../../training/prepare.ts";
import { serve } from "./pool.ts";

/** This module, for `mapInWorkers`. */
export const INPUTS_WORKER = new URL(import.meta.url);

serve(computeTask);
