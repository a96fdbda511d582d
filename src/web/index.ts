/** The package's entry for browsers. */
export * from "../api/index.ts";
export { openWeights } from "./fetchWeights.ts";
export { createEngine, NoWebGpuError } from "./gpu.ts";
