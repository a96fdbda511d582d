/** What `import ... from "qpi-lens/physics"` gives: generator, forward operator and metrics; no GPU. */
export { PIXELS, RESOLUTION } from "../qpi/dataset/format.ts";
export { unitRms } from "../qpi/dataset/preprocess.ts";
export * from "../qpi/generator/generator.ts";
export { makeMap } from "../qpi/generator/maps.ts";
export { principalComponents } from "../qpi/maths/pca.ts";
export { ForwardOperator } from "../qpi/operator/forward.ts";
export { inputsOf } from "../qpi/operator/inputs.ts";
export { MapOperator } from "../qpi/operator/mapOperator.ts";
export { ridgeGcv } from "../qpi/operator/ridge.ts";
export { centredCorrelation, compareKernels } from "../qpi/scores/metrics.ts";
export { fitBand } from "../qpi/theory/fitBand.ts";
export { jointDensity, tMatrixPattern } from "../qpi/theory/green.ts";
export { cellOf, formulaBand, hoppingBand } from "../qpi/theory/model.ts";
export { patternSpectrum } from "../qpi/theory/spectrum.ts";
export { Random } from "../random.ts";
