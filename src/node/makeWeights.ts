/** The weights that come with the package: made here, and nowhere else. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Gpu } from "../engine/gpu.ts";
import type { State } from "../engine/nn.ts";
import {
	encodeSafetensors,
	type StoredTensor,
} from "../formats/safetensors.ts";
import { LATENT } from "../models/autoencoder.ts";
import { makeNetwork, type NetworkName } from "../models/networks.ts";
import { INPUT_CHANNELS } from "../qpi/inputs.ts";
import { HELD_OUT } from "../qpi/wide.ts";
import { WEIGHTS } from "../training/presets.ts";
import { learnPrior, principalImages } from "../training/prior.ts";
import { alignerTask, oneStepTask, vaeTask } from "../training/tasks.ts";
import { writeFileAtomic } from "./files.ts";
import { VERSION } from "./package.ts";
import { startProgress } from "./progress.ts";
import type { RunFolder } from "./runFolder.ts";
import { prepareData, trainOne } from "./trainRun.ts";
import { openWideSet, type WideSet } from "./wideSet.ts";
import { wideSource } from "./wideSource.ts";

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
	await mkdir(out, { recursive: true });
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
	const files: Record<string, { sha256: string; bytes: number }> = {};
	const write = async (
		name: string,
		tensors: ReadonlyMap<string, StoredTensor>,
	) => {
		const bytes = encodeSafetensors(tensors);
		await writeFileAtomic(join(out, name), bytes);
		files[name] = {
			sha256: createHash("sha256").update(bytes).digest("hex"),
			bytes: bytes.length,
		};
		say(`${join(out, name)}: ${(bytes.length / 1e6).toFixed(1)} MB`);
	};
	try {
		say(
			`kernel prior: ${preset.components} components of ${set.kinds.length} kernels`,
		);
		await write(
			"prior.safetensors",
			await learnPrior(
				gpu,
				{ count: set.kinds.length, read: (i) => set.read(i) },
				{ components: preset.components, kept: preset.kept },
				(sort) => {
					signal?.throwIfAborted();
					say(`  ${sort}`);
				},
			),
		);
		const { histories, networks } = await trainNetworks(options, set, preset);
		const half = (state: State, part: string) =>
			new Map(
				[...state]
					.filter(([name]) => name.startsWith(part))
					.map(([name, { shape, data }]) => [
						name,
						{ shape, data, dtype: "F16" as const },
					]),
			);
		await write("aligner.safetensors", half(networks.aligner, ""));
		await write("decoder.safetensors", half(networks.vae, "decoder."));
		await write("one-step.safetensors", half(networks.oneStep, ""));
		const manifest = {
			version: VERSION,
			command: `npm run -s qpi-lens -- weights --seed ${seed}`,
			seed,
			adapter: gpu.adapterName,
			minutes: Math.round((performance.now() - started) / 60000),
			preset,
			neverDrawn: HELD_OUT,
			data: `${set.kinds.length} kernels of the wide set (src/qpi/wide.ts); ${preset.source.observations} images of each of ${preset.source.kernels} for the networks, ${preset.source.heldOut} of these kernels held out`,
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

async function trainNetworks(
	{ gpu, folder, seed, signal, say }: MakeWeightsOptions,
	set: WideSet,
	preset: typeof WEIGHTS,
) {
	const source = wideSource(set, { ...preset.source, seed });
	const components = await principalImages(
		gpu,
		{
			count: source.split.train.length,
			read: async (i) => (await source.load(source.split.train[i])).kernel,
		},
		LATENT,
	);
	const data = await prepareData({
		source,
		inputs: "physics",
		preset,
		signal,
		preparedFolder: folder.file("prepared"),
	});
	try {
		const { size } = preset;
		const input = { channels: INPUT_CHANNELS.physics, kernelChannel: 4 };
		const network = (name: NetworkName) =>
			makeNetwork(gpu, name, size, input, components, seed);
		const vae = network("vae");
		const aligner = network("aligner");
		const oneStep = network("oneStep");
		const common = { gpu, data, size, seed };
		const run = { gpu, seed, folder, signal, say };
		const histories = {
			vae: await trainOne(run, "vae", vae, () =>
				vaeTask({ ...common, ...preset.vae, vae, penaliseAsymmetry: false }),
			),
			aligner: await trainOne(run, "aligner", aligner, () =>
				alignerTask({ ...common, ...preset.aligner, vae, aligner }),
			),
			oneStep: await trainOne(run, "oneStep", oneStep, () =>
				oneStepTask({ ...common, ...preset.oneStep, oneStep }),
			),
		};
		return {
			histories,
			networks: {
				vae: await vae.state(),
				aligner: await aligner.state(),
				oneStep: await oneStep.state(),
			},
		};
	} finally {
		data.inputs.close();
	}
}
