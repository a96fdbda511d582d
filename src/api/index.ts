/**
 * What `import ... from "qpi-lens"` gives besides createEngine() and openWeights(), which Node (src/node/index.ts) and browsers (src/web/index.ts) each have their own of:
 * the engine, the networks, and their training.
 */

export type { AutoencoderKLConfig } from "../models/autoencoderKL.ts";
export type { ComponentSize } from "../models/componentAutoencoder.ts";
export { fromDiffusers, toDiffusers } from "../models/diffusers.ts";
export { LATENT, type Network } from "../models/latent.ts";
export {
	makeNetwork,
	type NetworkName,
	type NetworkSize,
} from "../models/networks.ts";
export { Networks } from "../models/trained/trainedNetworks.ts";
export { Weights } from "../models/trained/weights.ts";
export {
	type Checkpoint,
	type KeptCheckpoint,
	keep,
	takeUp,
} from "../training/checkpoint.ts";
export type { Prepared } from "../training/data.ts";
export { inferKernels, reconstruct } from "../training/infer.ts";
export { type LoopOptions, train } from "../training/loop.ts";
export { PRESETS, type Preset } from "../training/presets.ts";
export type { Task } from "../training/task.ts";
export { alignerTask, oneStepTask, vaeTask } from "../training/tasks.ts";
export * from "./engine.ts";
