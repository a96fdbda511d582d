import { makeSplit, type Split, type Symmetry } from "../qpi/dataset/split.ts";
import {
	GENERATOR,
	makeKernel,
	type ObservationSetOptions,
	planKernels,
} from "../qpi/generator/generator.ts";

/** One image of a kernel, as a training or an evaluation needs it. */
export interface Observation {
	readonly image: Float32Array;
	readonly scatterers: readonly { readonly x: number; readonly y: number }[];
	readonly noise?: number;
}

/** Where kernels and their images come from: a folder, or the generator. */
export interface Source {
	/** Says which data these are: another identity, other data. */
	readonly identity: string;
	/** From the images' first pixel to the last, Angstrom, for people: 400 when not given. Scatterers are in the frame of 400 whatever it is. */
	readonly field?: number;
	readonly kernels: readonly {
		readonly number: number;
		readonly family: string;
		readonly symmetry: Symmetry;
		readonly energy?: number;
		/** How many images there are. */
		readonly observations: number;
	}[];
	readonly split: Split;
	load(
		number: number,
	): Promise<{ kernel: Float32Array; observations: Observation[] }>;
}

/**
 * Kernels and images made on the spot; the same seed gives the same ones.
 * @param unseenFamilies those that the split leaves out; drawn where they are not given
 */
export function generatedSource(
	kernels: number,
	options: ObservationSetOptions,
	unseenFamilies?: readonly string[],
): Source {
	const specs = planKernels(kernels, options.seed);
	return {
		identity: `generator ${GENERATOR} ${JSON.stringify({ kernels, ...options, unseenFamilies })}`,
		kernels: specs.map((spec) => ({
			...spec,
			observations: options.observations,
		})),
		split: makeSplit(specs, { seed: options.seed, unseenFamilies }),
		async load(number) {
			const spec = specs.find((s) => s.number === number);
			if (!spec) throw new Error(`there is no kernel ${number}`);
			return makeKernel(spec, options);
		},
	};
}
