/** What `import ... from "qpi-lens/physics"` gives: generator, forward operator and metrics; no GPU. */
export { PIXELS, RESOLUTION } from "../qpi/format.ts";
export { ForwardOperator } from "../qpi/forward.ts";
export * from "../qpi/generator.ts";
export { physicsInputs } from "../qpi/inputs.ts";
export { MapOperator } from "../qpi/mapOperator.ts";
export { makeMap } from "../qpi/maps.ts";
export { centredCorrelation, compareKernels } from "../qpi/metrics.ts";
export { principalComponents } from "../qpi/pca.ts";
export { unitRms } from "../qpi/preprocess.ts";
export { ridgeGcv } from "../qpi/ridge.ts";
export { Random } from "../random.ts";
