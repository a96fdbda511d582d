/** The weights that come with the package: made here, and nowhere else. */
import { join } from "node:path";
import type { Gpu } from "../../engine/device/gpu.ts";
import type { State } from "../../engine/layers/state.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import { LATENT } from "../../models/latent.ts";
import type { NetworkName } from "../../models/networks.ts";
import {
	type FileEntry,
	fileEntry,
	weightFiles,
} from "../../models/trained/weightFiles.ts";
import { HELD_OUT } from "../../qpi/generator/wide.ts";
import type { History } from "../../training/checkpoint.ts";
import { WEIGHTS } from "../../training/presets.ts";
import { learnPrior, principalImages } from "../../training/prior.ts";
import { trainNetworks } from "../../training/run.ts";
import { openWideSet, type WideSet } from "../datasets/wideSet.ts";
import { wideSource } from "../datasets/wideSource.ts";
import { makeFolder, writeFileAtomic } from "../files/files.ts";
import { VERSION } from "../files/package.ts";
import { startProgress } from "../files/progress.ts";
import type { RunFolder } from "../files/runFolder.ts";
import { prepareWithBars } from "../threads/prepare.ts";
import { withBars } from "./trainRun.ts";

export interface MakeWeightsOptions {
	readonly gpu: Gpu;
	/** Where the weights go. */
	readonly out: string;
	/** Where the set, the prepared data and the checkpoints are kept: an interrupted run goes on from there. */
	readonly folder: RunFolder;
	readonly seed: number;
	readonly preset?: typeof WEIGHTS;
	readonly signal?: AbortSignal;
	readonly say: (line: string) => void;
}

/**
 * Makes the wide set, learns the kernel prior and trains the three networks on it, and writes prior, aligner, decoder and one-step weights
 * as 16-bit safetensors with a manifest beside them.
 */
export async function makeWeights(options: MakeWeightsOptions): Promise<void> {
	const { gpu, out, folder, seed, preset = WEIGHTS, signal, say } = options;
	const started = performance.now();
	await makeFolder(out);
	const bar = startProgress("wide set", preset.models + preset.bare, {
		unit: "patterns",
	});
	const set = await openWideSet(folder.file("wide"), {
		models: preset.models,
		bare: preset.bare,
		seed,
		signal,
		onProgress: (done) => bar.update(done),
	}).finally(() => bar.stop());
	const files: Record<string, FileEntry> = {};
	const write = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
		await writeFileAtomic(join(out, name), bytes);
		files[name] = await fileEntry(bytes);
		say(`${join(out, name)}: ${(bytes.length / 1e6).toFixed(1)} MB`);
	};
	try {
		say(
			`kernel prior: ${preset.components} components of ${set.kinds.length} kernels`,
		);
		await write(
			"prior.safetensors",
			encodeSafetensors(
				await learnPrior(
					gpu,
					{ count: set.kinds.length, read: (i) => set.read(i) },
					{ components: preset.components, kept: preset.kept },
					(sort) => {
						signal?.throwIfAborted();
						say(`  ${sort}`);
					},
				),
			),
		);
		const { histories, states } = await trainOn(set, options, preset);
		for (const [name, bytes] of weightFiles(states)) await write(name, bytes);
		const manifest = {
			version: VERSION,
			command: `npm run -s qpi-lens -- weights --seed ${seed}`,
			seed,
			adapter: gpu.adapterName,
			minutes: Math.round((performance.now() - started) / 60000),
			preset,
			neverDrawn: HELD_OUT,
			data: `${set.kinds.length} kernels of the wide set (src/qpi/generator/wide.ts); ${preset.source.observations} images of each of ${preset.source.kernels} for the networks, ${preset.source.heldOut} of these kernels held out`,
			losses: histories,
			files,
		};
		await writeFileAtomic(
			join(out, "manifest.json"),
			`${JSON.stringify(manifest, null, "\t")}\n`,
		);
	} finally {
		await set.close();
	}
}

async function trainOn(
	set: WideSet,
	{ gpu, folder, seed, signal, say }: MakeWeightsOptions,
	preset: typeof WEIGHTS,
): Promise<{
	histories: Record<NetworkName, History>;
	states: Record<NetworkName, State>;
}> {
	const source = wideSource(set, { ...preset.source, seed });
	const components = await principalImages(
		gpu,
		{
			count: source.split.train.length,
			read: async (i) => (await source.load(source.split.train[i])).kernel,
		},
		LATENT,
	);
	const { inputs } = preset;
	const data = await prepareWithBars(source, {
		inputs,
		most: preset.evaluated,
		folder: folder.file("prepared"),
		signal,
	});
	try {
		const { histories, networks } = await withBars(
			folder,
			preset.size,
			(events) =>
				trainNetworks(
					{
						gpu,
						preset,
						data,
						inputs,
						seed,
						penaliseAsymmetry: false,
						store: folder,
						events,
						signal,
						say,
					},
					components,
				),
		);
		return {
			histories,
			states: {
				vae: await networks.vae.state(),
				aligner: await networks.aligner.state(),
				oneStep: await networks.oneStep.state(),
			},
		};
	} finally {
		data.inputs.close();
	}
}
