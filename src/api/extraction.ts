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
} from "../extraction/blind/blind.ts";
export { branchesOf } from "../extraction/findings/branches.ts";
export { ringCut } from "../extraction/findings/cuts.ts";
export { dispersion } from "../extraction/findings/dispersion.ts";
export { mapSpectrum } from "../extraction/findings/mapSpectrum.ts";
export { fitPeaks } from "../extraction/findings/peakFit.ts";
export { phaseReferenced } from "../extraction/findings/phaseReferenced.ts";
export { symmetriseGroup } from "../extraction/findings/pointGroups.ts";
export {
	dominantPeak,
	profile,
	spectrum,
} from "../extraction/findings/spectrum.ts";
export { testSymmetry } from "../extraction/findings/symmetry.ts";
export { findBragg } from "../extraction/lattice/bragg.ts";
export { latticeCorrection } from "../extraction/lattice/correction.ts";
export {
	readScatterers,
	writeScatterers,
} from "../extraction/marks/scatterers.ts";
export { extract } from "../extraction/methods/extract.ts";
export { extractMap, extractMaps } from "../extraction/methods/extractMap.ts";
export {
	preprocess,
	squareOf,
	toModel,
	toScan,
} from "../extraction/preprocess.ts";
export { readMasks, writeMasks } from "../extraction/scan/masks.ts";
export {
	energyRatio,
	normalisedConductance,
	offsetsOf,
} from "../extraction/scan/setPoint.ts";
export {
	openMeasurement,
	readMeasurement,
} from "../formats/readMeasurement.ts";
export { readWannier } from "../formats/wannier.ts";
export { KernelPrior } from "../qpi/posterior/prior.ts";
