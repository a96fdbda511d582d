/** The package's entry "qpi-lens/engine" for browsers. */
export * from "../api/engine.ts";
export { createEngine, NoWebGpuError } from "./gpu.ts";
