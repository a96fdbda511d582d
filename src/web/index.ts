/** The package's entry for browsers. */
export * from "../api/engine.ts";
export { createEngine, NoWebGpuError } from "./gpu.ts";
export { openWeights } from "./weights.ts";
