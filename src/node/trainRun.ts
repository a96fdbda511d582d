import type { Gpu } from "../engine/gpu.ts";
import type { Parameters } from "../engine/nn.ts";
import { encodeNpy } from "../formats/npy.ts";
import { encodeSafetensors } from "../formats/safetensors.ts";
import { LATENT } from "../models/autoencoder.ts";
import { makeNetwork, type NetworkName } from "../models/networks.ts";
import { PIXELS } from "../qpi/format.ts";
import { INPUT_CHANNELS, type InputKind } from "../qpi/inputs.ts";
import { compareKernels } from "../qpi/metrics.ts";
import { principalComponents } from "../qpi/pca.ts";
import { meanKernel, NearestKernel } from "../qpi/rivals.ts";
import { copyTurned } from "../training/data.ts";
import {
	type Estimates,
	type ScoreTable,
	scoreTable,
	summarise,
} from "../training/evaluate.ts";
import { type History, train } from "../training/loop.ts";
import type { Preset } from "../training/presets.ts";
import {
	alignerTask,
	inferKernels,
	kernelLatents,
	oneStepTask,
	vaeTask,
} from "../training/tasks.ts";
import { type PreparedData, prepare } from "./prepare.ts";
import { startProgress } from "./progress.ts";
import type { RunFolder } from "./runFolder.ts";
import type { Source } from "./sources.ts";

export interface TrainRunOptions {
	readonly gpu: Gpu;
	readonly preset: Preset;
	readonly source: Source;
	readonly inputs: InputKind;
	readonly seed: number;
	readonly folder: RunFolder;
	/** Where the prepared data are kept: in the run's folder, or beside the dataset for other runs to use. */
	readonly preparedFolder: string;
	readonly penaliseAsymmetry: boolean;
	/** Ablation: the networks start from random directions, not from principal components. */
	readonly randomStart: boolean;
	readonly signal?: AbortSignal;
	/** A line for people. */
	readonly say: (line: string) => void;
}

/** All that a finished training leaves for its report. */
export interface TrainedRun {
	readonly data: PreparedData;
	readonly histories: Record<NetworkName, History>;
	readonly estimates: Estimates;
	readonly scores: ScoreTable;
	readonly summary: ReturnType<typeof summarise>;
	/** float32 (kernels, 2, 256). */
	readonly latents: Float32Array;
}

/** Prepares the data, trains the three networks one after the other, and evaluates them beside their rivals. */
export async function trainRun(options: TrainRunOptions): Promise<TrainedRun> {
	const { gpu, preset, folder, inputs, seed, say } = options;
	const { size } = preset;
	await folder.write("split.json", JSON.stringify(options.source.split));
	const data = await prepareData(options);
	try {
		const known = data.kernels.filter((k) => k.trained).map((k) => k.image);
		const components = principalComponents(allTurns(known), LATENT);
		const unseen = data.kernels.filter((k) => !k.trained).map((k) => k.image);
		if (unseen.length > 0)
			say(
				`${components.length} principal components reproduce the ${unseen.length} kernels not trained on with NCC ${meanCorrelation(unseen, components).toFixed(3)}`,
			);
		const network = (name: NetworkName) =>
			makeNetwork(
				gpu,
				name,
				size,
				{
					channels: INPUT_CHANNELS[inputs],
					kernelChannel: inputs === "physics" ? 4 : null,
				},
				options.randomStart ? [] : components,
				seed,
			);
		const vae = network("vae");
		const aligner = network("aligner");
		const oneStep = network("oneStep");
		say(
			`parameters: VAE ${vae.count}, aligner ${aligner.count}, one-step ${oneStep.count}`,
		);
		const common = { gpu, data, size, seed };
		const histories = {
			vae: await trainOne(options, "vae", vae, () =>
				vaeTask({
					...common,
					...preset.vae,
					vae,
					penaliseAsymmetry: options.penaliseAsymmetry,
				}),
			),
			aligner: await trainOne(options, "aligner", aligner, () =>
				alignerTask({ ...common, ...preset.aligner, vae, aligner }),
			),
			oneStep: await trainOne(options, "oneStep", oneStep, () =>
				oneStepTask({ ...common, ...preset.oneStep, oneStep }),
			),
		};
		options.signal?.throwIfAborted();
		const { evaluated } = data;
		const infer = (encoder: Parameters, decoder: Parameters) =>
			inferKernels(gpu, data, size, evaluated, { encoder, decoder });
		options.signal?.throwIfAborted();
		const mean = meanKernel(known);
		const nearest = new NearestKernel(known);
		const estimates: Estimates = {
			ridge: evaluated.map((o) => o.ridge),
			projected: evaluated.map((o) => project(o.ridge, components)),
			oneStep: await infer(oneStep, oneStep),
			twoStep: await infer(aligner, vae),
			meanKernel: evaluated.map(() => mean),
			nearest: evaluated.map(
				(o) => known[nearest.find(o.image, o.scatterers).index],
			),
		};
		const truths = evaluated.map((o) => data.kernels[o.kernel].image);
		const scores = scoreTable(estimates, truths);
		const images = data.kernels.map((k) => k.image);
		const latents = await kernelLatents(gpu, vae, size, images);
		await folder.write(
			"latents.npy",
			encodeNpy(latents, [images.length, 2, 4, 8, 8]),
		);
		return {
			data,
			histories,
			estimates,
			scores,
			summary: summarise(scores, evaluated),
			latents,
		};
	} finally {
		data.inputs.close();
	}
}

export async function prepareData(
	options: Pick<
		TrainRunOptions,
		"source" | "inputs" | "preset" | "signal" | "preparedFolder"
	>,
): Promise<PreparedData> {
	const bars = new Map<string, ReturnType<typeof startProgress>>();
	const { source, inputs, preset, signal } = options;
	return prepare(source, {
		inputs,
		most: preset.evaluated,
		folder: options.preparedFolder,
		signal,
		onProgress(what, done, total) {
			const bar = bars.get(what) ?? startProgress(what, total, { unit: what });
			bars.set(what, bar);
			bar.update(done);
			if (done === total) bar.stop();
		},
	}).finally(() => {
		for (const bar of bars.values()) bar.stop();
	});
}

export async function trainOne(
	{
		gpu,
		seed,
		folder,
		signal,
		say,
	}: Pick<TrainRunOptions, "gpu" | "seed" | "folder" | "signal" | "say">,
	name: NetworkName,
	parameters: Parameters,
	makeTask: () => ReturnType<typeof vaeTask>,
): Promise<History> {
	const task = makeTask();
	const resume = await folder.checkpoint(name);
	if (resume) say(`${task.name}: going on after epoch ${resume.epoch}`);
	const stepsAnEpoch = Math.ceil(task.samples / task.batch);
	const bar = startProgress(task.name, task.epochs * stepsAnEpoch, {
		unit: "steps",
		start: (resume?.epoch ?? 0) * stepsAnEpoch,
	});
	try {
		const { history, weights } = await train(gpu, task, {
			seed,
			resume,
			signal,
			onStep: (done, loss) => bar.update(done, { loss }),
			onEpoch: (checkpoint) => folder.saveCheckpoint(name, checkpoint),
		});
		// A finished network's checkpoint already holds these weights.
		parameters.load(weights);
		await folder.write(
			`${name}.safetensors`,
			encodeSafetensors(weights, { network: name }),
		);
		return history;
	} finally {
		bar.stop();
	}
}

/** Each image in its eight orientations: what the training sees. */
function allTurns(images: readonly Float32Array[]): Float32Array[] {
	return images.flatMap((image) =>
		Array.from({ length: 8 }, (_, turn) => {
			const turned = new Float32Array(PIXELS);
			copyTurned(image, 1, turn, turned, 0);
			return turned;
		}),
	);
}

/** The part of an image in the span of orthonormal directions. */
function project(
	image: Float32Array,
	directions: readonly Float32Array[],
): Float32Array {
	const projected = new Float32Array(image.length);
	for (const direction of directions) {
		let sum = 0;
		for (let i = 0; i < image.length; i++) sum += direction[i] * image[i];
		for (let i = 0; i < image.length; i++) projected[i] += sum * direction[i];
	}
	return projected;
}

/** How well images are reproduced by their projections, on the mean: what an autoencoder that starts there starts with. */
function meanCorrelation(
	images: readonly Float32Array[],
	directions: readonly Float32Array[],
): number {
	const sum = images.reduce(
		(total, image) =>
			total + compareKernels(project(image, directions), image).ncc,
		0,
	);
	return sum / images.length;
}
