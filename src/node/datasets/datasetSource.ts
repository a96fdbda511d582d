import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import {
	DatasetError,
	FIELD,
	fieldOf,
	inModelFrame,
} from "../../qpi/dataset/format.ts";
import type { Source } from "../../training/source.ts";
import { type Dataset, datasetSplit } from "./dataset.ts";

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
	const [first] = dataset.kernels;
	const field = fieldOf(await dataset.load(first.number));
	return {
		...(field !== FIELD && { field }),
		identity: `folder ${resolve(dataset.folder)} ${JSON.stringify(stamps)}`,
		kernels: dataset.kernels.map((k) => ({
			...k,
			symmetry: k.symmetry ?? 1,
		})),
		split: datasetSplit(dataset, SPLIT_SEED),
		async load(number) {
			const file = await dataset.load(number);
			if (fieldOf(file) !== field)
				throw new DatasetError(
					dataset.kernels.find((k) => k.number === number)?.file ?? "",
					`a field of ${fieldOf(file)} Angstrom`,
					`${field}, as in ${first.file}`,
				);
			const scatterers = inModelFrame(file);
			const noise = dataset.kernels.find((k) => k.number === number)?.noise;
			return {
				kernel: file.kernel,
				observations: file.images.map((image, i) => ({
					image,
					scatterers: scatterers[i],
					noise: noise?.[i],
				})),
			};
		},
	};
}
