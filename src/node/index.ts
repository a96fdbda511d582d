/** The package's entry for Node. */
export * from "../api/index.ts";
export { MachineError } from "./device/adapter.ts";
export { createEngine } from "./engine.ts";
export { openWeights } from "./files/shippedWeights.ts";
