/** Sets of kernels with their images, as the published data set has them: one kernel, many arrangements of its scatterer. */
import { Random } from "../../random.ts";
import { MAX_SCATTERERS } from "../dataset/format.ts";
import { planKernels } from "./families.ts";
import { kernelModel } from "./kernel.ts";
import type { KernelSpec } from "./kernelSpec.ts";
import {
	addNoise,
	amplitudes,
	marks,
	measuredNoise,
	type NoiseOptions,
	randomNoise,
} from "./noise.ts";
import {
	kernelImage,
	observation,
	type PlacementOptions,
	placeScatterers,
	type Scatterer,
	type Scattering,
} from "./scattering.ts";

export { planKernels, randomKernel } from "./families.ts";
export type { KernelModel } from "./kernel.ts";
export { kernelModel } from "./kernel.ts";
export type { KernelSpec } from "./kernelSpec.ts";
export {
	kernelImage,
	observation,
	placeScatterers,
	type Scatterer,
	type Scattering,
} from "./scattering.ts";

/** Raised whenever other images are made for the same seed: sets of two versions are never mixed. */
export const GENERATOR = "1";

/** One image and how it came about. */
export interface GeneratedObservation {
	/** 64 x 64, first index x, drho/rho0. */
	image: Float32Array;
	/** Where the scatterers are marked: where they are, unless the noise has position errors. */
	scatterers: Scatterer[];
	/** Sigma of white and line noise together over the signal's standard deviation. */
	noise: number;
	scattering: Scattering;
}

export interface GeneratedKernel {
	spec: KernelSpec;
	/** 64 x 64, one scatterer at (0, 0), noise-free. */
	kernel: Float32Array;
	observations: GeneratedObservation[];
}

export interface ObservationSetOptions {
	/** Observations of each kernel. */
	observations: number;
	seed: number;
	/** "linear" (default) or "full". */
	scattering?: Scattering;
	/** Each observation takes one of these at random; 0, 0.1, 0.3 and 0.5 by default. */
	noiseLevels?: readonly number[];
	/** Everything else that goes wrong on real images, for training; its white and line noise give way to `noiseLevels`. */
	augment?: boolean | NoiseOptions;
	/** Where scatterers lie: 1 to 20 within 170 A by default. */
	placement?: PlacementOptions;
}

export interface KernelSetOptions extends ObservationSetOptions {
	/** How many kernels, or which. */
	kernels: number | readonly KernelSpec[];
}

/** At most this many observations a kernel: their random streams lie between two kernels'. */
const STREAMS = 65536;

/**
 * The kernels of a set one after the other, each with its observations.
 * @throws RangeError for counts out of range
 */
export function* makeKernelSet(
	options: KernelSetOptions,
): Generator<GeneratedKernel> {
	const { kernels, seed } = options;
	const specs =
		typeof kernels === "number" ? planKernels(kernels, seed) : kernels;
	for (const spec of specs) yield makeKernel(spec, options);
}

/**
 * One kernel with its observations. Observation j of kernel k has a random stream of its own, so that kernels can be made in any order, fewer observations
 * are the first of more, and linear and full scattering see the same arrangements.
 */
export function makeKernel(
	spec: KernelSpec,
	{
		observations,
		seed,
		scattering = "linear",
		noiseLevels = [0, 0.1, 0.3, 0.5],
		augment = false,
		placement = {},
	}: ObservationSetOptions,
): GeneratedKernel {
	if (
		!Number.isInteger(observations) ||
		observations < 0 ||
		observations > STREAMS
	)
		throw new RangeError(
			`makeKernel: expected 0 to ${STREAMS} observations a kernel, got ${observations}`,
		);
	if (noiseLevels.length === 0)
		throw new RangeError("makeKernel: expected at least one noise level");
	const model = kernelModel(spec);
	const make = (j: number): GeneratedObservation => {
		const random = new Random(seed, spec.number * STREAMS + j);
		const places = placeScatterers(random, placement);
		const noise = noiseLevels[random.integer(0, noiseLevels.length)];
		const flaws: NoiseOptions = {
			...(augment === true ? randomNoise(random) : augment || {}),
			...measuredNoise(noise),
		};
		const image = observation(model, places, {
			scattering,
			shear: flaws.shear,
			amplitudes: amplitudes(places.length, random, flaws.amplitude ?? 0),
		});
		return {
			image: addNoise(image, random, flaws),
			scatterers: marks(
				places,
				random,
				flaws,
				placement.halfWidth,
				Math.max(MAX_SCATTERERS, placement.max ?? 0),
			),
			noise,
			scattering,
		};
	};
	return {
		spec,
		kernel: kernelImage(model),
		observations: Array.from({ length: observations }, (_, j) => make(j)),
	};
}
