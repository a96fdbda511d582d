/** What `import ... from "qpi-lens/extraction"` gives: from an instrument's file to the kernel and what is read from it; all but the networks without a GPU. */
export {
	type BlindKind,
	type BlindMark,
	type BlindOptions,
	type BlindResult,
	type BlindTurn,
	findScatterers,
	type Leftover,
	type SeedWindow,
	type UnmarkedStack,
} from "../extraction/blind.ts";
export { dispersion } from "../extraction/dispersion.ts";
export { extract } from "../extraction/extract.ts";
export { extractMap, extractMaps } from "../extraction/extractMap.ts";
export { readMasks, writeMasks } from "../extraction/masks.ts";
export {
	preprocess,
	squareOf,
	toModel,
	toScan,
} from "../extraction/preprocess.ts";
export { readScatterers, writeScatterers } from "../extraction/scatterers.ts";
export { dominantPeak, profile, spectrum } from "../extraction/spectrum.ts";
export { testSymmetry } from "../extraction/symmetry.ts";
export { openMeasurement, readMeasurement } from "../formats/measurement.ts";
export { KernelPrior } from "../qpi/prior.ts";
