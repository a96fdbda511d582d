import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import {
	makeKernel,
	type ObservationSetOptions,
	planKernels,
} from "../qpi/generator.ts";
import { makeSplit, type Split, type Symmetry } from "../qpi/split.ts";
import { type Dataset, datasetSplit } from "./dataset.ts";
import { GENERATOR } from "./makeDataset.ts";

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

/** Kernels and images made on the spot; the same seed gives the same ones. */
export function generatedSource(
	kernels: number,
	options: ObservationSetOptions,
): Source {
	const specs = planKernels(kernels, options.seed);
	return {
		identity: `generator ${GENERATOR} ${JSON.stringify({ kernels, ...options })}`,
		kernels: specs.map((spec) => ({
			...spec,
			observations: options.observations,
		})),
		split: makeSplit(specs, { seed: options.seed }),
		async load(number) {
			const spec = specs.find((s) => s.number === number);
			if (!spec) throw new Error(`there is no kernel ${number}`);
			return makeKernel(spec, options);
		},
	};
}

/** Without a manifest the split is drawn from this seed, not from the training's: trainings with other seeds keep the same unseen kernels. */
const SPLIT_SEED = 1;

/** A dataset folder. A kernel whose class is not known counts as 1-fold: no symmetry is asked of it. */
export async function datasetSource(dataset: Dataset): Promise<Source> {
	const stamps = await Promise.all(
		dataset.kernels.map(async ({ number, file, observations }) => {
			const { size, mtimeMs } = await stat(file);
			return [number, observations, size, mtimeMs];
		}),
	);
	return {
		identity: `folder ${resolve(dataset.folder)} ${JSON.stringify(stamps)}`,
		kernels: dataset.kernels.map((k) => ({
			...k,
			symmetry: k.symmetry ?? 1,
		})),
		split: datasetSplit(dataset, SPLIT_SEED),
		async load(number) {
			const { kernel, images, scatterers } = await dataset.load(number);
			const noise = dataset.kernels.find((k) => k.number === number)?.noise;
			return {
				kernel,
				observations: images.map((image, i) => ({
					image,
					scatterers: scatterers[i],
					noise: noise?.[i],
				})),
			};
		},
	};
}
