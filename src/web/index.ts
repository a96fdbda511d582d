/** The package's entry for browsers. */
export * from "../api/index.ts";
export { createEngine, NoWebGpuError } from "./gpu.ts";
export { openWeights } from "./weights.ts";
