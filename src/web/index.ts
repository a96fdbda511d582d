/** The package's entry for browsers. */
export * from "../api/engine.ts";
export { createEngine, type EngineOptions, NoWebGpuError } from "./gpu.ts";
export { openWeights } from "./weights.ts";
