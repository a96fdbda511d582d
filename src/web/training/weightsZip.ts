import { zipSync } from "fflate";
import about from "../../../package.json" with { type: "json" };
import { collect, lazy } from "../../engine/layers/state.ts";
import {
	type KeptCheckpoint,
	learntWeights,
} from "../../training/checkpoint.ts";
import { PRESETS, withEpochs } from "../../training/presets.ts";
import { checkExtracts, trainedFiles } from "../../training/trainedFiles.ts";
import type { RunConfiguration } from "./messages.ts";
import type { Kept, RunStore } from "./store.ts";

/** What the folder of a run's weights is called: other runs have another. */
export const folderOf = ({
	preset,
	inputs,
	seed,
	scattering,
}: RunConfiguration): string =>
	`weights-${preset}-${inputs}${scattering && scattering !== "linear" ? `-${scattering}` : ""}-seed${seed}`;

/** A finished run's weights as a zip of one folder, which `--weights` takes. Throws as weightFilesOf does. */
export async function weightsZip(
	store: RunStore,
	configuration: RunConfiguration,
	prior: Uint8Array<ArrayBuffer>,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
	const contents = await weightFilesOf(store, configuration, prior);
	const folder = folderOf(configuration);
	return {
		name: `${folder}.zip`,
		bytes: zipSync(
			Object.fromEntries(
				[...contents].map(([name, bytes]) => [`${folder}/${name}`, bytes]),
			),
			{ level: 0 }, // 16-bit weights hardly shrink
		),
	};
}

/** The files of a folder of weights by their names, with the given prior. Throws as trainedFiles(), or where the run is not finished. */
export async function weightFilesOf(
	store: RunStore,
	configuration: RunConfiguration,
	prior: Uint8Array<ArrayBuffer>,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
	const { preset, inputs, epochs } = configuration;
	checkExtracts(inputs);
	const kept = async <K extends keyof Kept>(key: K): Promise<Kept[K]> => {
		const found = await store.get(key);
		if (!found) throw new Error(`the stored run lacks its ${key}`);
		return found;
	};
	const vae = await kept("vae checkpoint");
	const aligner = await kept("aligner checkpoint");
	const oneStep = await kept("oneStep checkpoint");
	const learnt = ({ tensors }: KeptCheckpoint) =>
		collect(learntWeights(lazy(tensors)));
	return trainedFiles({
		version: `${about.version}, trained in a browser`,
		preset: withEpochs(PRESETS[preset], epochs),
		configuration,
		metrics: await kept("metrics"),
		networks: {
			vae: await learnt(vae),
			aligner: await learnt(aligner),
			oneStep: await learnt(oneStep),
		},
		losses: {
			vae: vae.history,
			aligner: aligner.history,
			oneStep: oneStep.history,
		},
		prior,
	});
}
