import { zipSync } from "fflate";
import about from "../../../package.json" with { type: "json" };
import { collect, lazy } from "../../engine/layers/state.ts";
import {
	type FileEntry,
	fileEntry,
	weightFiles,
} from "../../models/trained/weightFiles.ts";
import {
	type KeptCheckpoint,
	learntWeights,
} from "../../training/checkpoint.ts";
import { PRESETS, withEpochs } from "../../training/presets.ts";
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

/**
 * The files of a folder of weights by their names: the three networks, the given prior, and the manifest.
 * Throws an error where the run's networks see what `extract` does not give them.
 */
export async function weightFilesOf(
	store: RunStore,
	configuration: RunConfiguration,
	prior: Uint8Array<ArrayBuffer>,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
	const { preset, inputs, seed, epochs } = configuration;
	if (inputs === "paper")
		throw new Error(
			"extraction works with networks that see the centred or the physics inputs; this run trained them on the paper's",
		);
	const kept = async <K extends keyof Kept>(key: K): Promise<Kept[K]> => {
		const found = await store.get(key);
		if (!found) throw new Error(`the stored run lacks its ${key}`);
		return found;
	};
	const metrics = await kept("metrics");
	const weightsOf = ({ tensors }: KeptCheckpoint) =>
		collect(learntWeights(lazy(tensors)));
	const vae = await kept("vae checkpoint");
	const aligner = await kept("aligner checkpoint");
	const oneStep = await kept("oneStep checkpoint");
	const contents = weightFiles({
		vae: await weightsOf(vae),
		aligner: await weightsOf(aligner),
		oneStep: await weightsOf(oneStep),
	}).set("prior.safetensors", prior);
	const files: Record<string, FileEntry> = {};
	for (const [name, bytes] of contents) files[name] = await fileEntry(bytes);
	const manifest = {
		version: `${about.version}, trained in a browser`,
		seed,
		adapter: metrics.adapter,
		preset: { ...withEpochs(PRESETS[preset], epochs), inputs },
		configuration,
		metrics,
		losses: {
			vae: vae.history,
			aligner: aligner.history,
			oneStep: oneStep.history,
		},
		files,
	};
	contents.set(
		"manifest.json",
		new TextEncoder().encode(`${JSON.stringify(manifest, null, "\t")}\n`),
	);
	return contents;
}
