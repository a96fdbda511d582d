import type { Gpu } from "../engine/device/gpu.ts";
import { fromDiffusers, type PretrainedWeights } from "../models/diffusers.ts";
import { LATENT, type Network } from "../models/latent.ts";
import { makeNetwork, type NetworkName } from "../models/networks.ts";
import { PIXELS } from "../qpi/dataset/format.ts";
import { evenly } from "../qpi/maths/evenly.ts";
import { principalComponents } from "../qpi/maths/pca.ts";
import { INPUTS, type InputKind } from "../qpi/operator/inputs.ts";
import { meanKernel, NearestKernel } from "../qpi/operator/rivals.ts";
import { compareKernels } from "../qpi/scores/metrics.ts";
import type { Checkpoint, History } from "./checkpoint.ts";
import { copyTurned, type PreparedData } from "./data.ts";
import {
	type Estimates,
	type ScoreTable,
	scoreTable,
	summarise,
} from "./evaluate.ts";
import { inferKernels, kernelLatents, reconstruct } from "./infer.ts";
import { type LoopOptions, train } from "./loop.ts";
import { memoryLine } from "./memory.ts";
import type { Metrics } from "./metrics.ts";
import type { Preset } from "./presets.ts";
import type { DataStream } from "./stream.ts";
import type { Task } from "./task.ts";
import { alignerTask, oneStepTask, vaeTask } from "./tasks.ts";

/** Where the checkpoints of a run are kept. */
export interface CheckpointStore {
	/** The last one of a network, if there is one. */
	checkpoint(network: NetworkName): Promise<Checkpoint | undefined>;
	/** Reads its tensors before it settles. */
	saveCheckpoint(network: NetworkName, checkpoint: Checkpoint): Promise<void>;
}

/** A kernel, 64x64, and what a network makes of it or of an image of it. */
export interface Attempt {
	readonly truth: Float32Array;
	readonly found: Float32Array;
}

/** What those who watch a training are told. */
export interface TrainingEvents {
	/** A network's training begins, or goes on, after `done` of `steps` steps. */
	onStart?(
		network: NetworkName,
		title: string,
		done: number,
		steps: number,
	): void;
	/** About four times a second. */
	onStep?(network: NetworkName, done: number, loss: number): void;
	/** After each epoch, when its checkpoint is kept. */
	onEpoch?(network: NetworkName, history: History): void;
	/**
	 * Called after each epoch with up to four examples: the VAE's of kernels that are not trained on, the other networks' of evaluated
	 * observations. If it is not given, none are computed.
	 */
	onAttempts?(
		network: NetworkName,
		attempts: readonly Attempt[],
	): Promise<void> | void;
	/** A network is done. */
	onTrained?(network: NetworkName, trained: Network): Promise<void> | void;
}

export interface TrainOptions {
	readonly gpu: Gpu;
	readonly preset: Pick<Preset, "size" | NetworkName>;
	readonly data: PreparedData;
	/** Trained on instead of `data`, which are then used for the evaluation only: kernels alone by the VAE, and kernels with their images by the other two. */
	readonly streams?: {
		readonly kernels: DataStream;
		readonly observed: DataStream;
	};
	readonly inputs: InputKind;
	readonly seed: number;
	readonly penaliseAsymmetry: boolean;
	/** Weights of an AutoencoderKL, by the library's names, that the convolutional networks start from. */
	readonly init?: PretrainedWeights;
	/** Weights of a convolutional kernel VAE of this size, which then is not trained. */
	readonly vae?: PretrainedWeights;
	readonly store: CheckpointStore;
	readonly events?: TrainingEvents;
	readonly gate?: LoopOptions["gate"];
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
	readonly summary: ReturnType<typeof summarise> & Pick<Metrics, "reproduced">;
	/** float32 (kernels, 2, 256). */
	readonly latents: Float32Array;
}

/** Trains the three networks one after the other on the principal components of the training kernels, and evaluates them beside their rivals. */
export async function trainAndEvaluate(
	options: TrainOptions & {
		/** Ablation: the networks start from random directions, not from principal components. */
		readonly randomStart: boolean;
	},
): Promise<TrainedRun> {
	const { gpu, data, say } = options;
	const known = data.kernels.filter((k) => k.trained).map((k) => k.image);
	const components = principalComponents(allTurns(known), LATENT);
	const unseen = data.kernels.filter((k) => !k.trained).map((k) => k.image);
	const reproduced = (by: string, found: readonly Float32Array[]) => {
		const ncc = meanCorrelation(unseen, found);
		if (unseen.length > 0)
			say(
				`${by} the ${unseen.length} kernels not trained on with NCC ${ncc.toFixed(3)}`,
			);
		return ncc;
	};
	const byComponents = reproduced(
		`${components.length} principal components reproduce`,
		unseen.map((image) => project(image, components)),
	);
	const { histories, networks } = await trainNetworks(
		options,
		options.randomStart ? [] : components,
	);
	const { vae, aligner, oneStep } = networks;
	const made: Float32Array[] = [];
	for (let i = 0; i < unseen.length; i += 4)
		made.push(...(await reconstruct(gpu, vae, unseen.slice(i, i + 4))));
	const byVae = reproduced("the kernel VAE reproduces", made);
	await options.gate?.();
	options.signal?.throwIfAborted();
	const { evaluated } = data;
	const mean = meanKernel(known);
	const nearest = new NearestKernel(known);
	const infer = (encoder: Network, decoder: Network) =>
		inferKernels(gpu, data, evaluated, { encoder, decoder });
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
	return {
		data,
		histories,
		estimates,
		scores,
		summary: {
			...summarise(scores, evaluated),
			...(unseen.length > 0 && {
				reproduced: { components: byComponents, vae: byVae },
			}),
		},
		latents: await kernelLatents(gpu, vae, images),
	};
}

/** Trains VAE, aligner and one-step network, each from its last checkpoint, or from `components` where it has none. */
export async function trainNetworks(
	options: TrainOptions,
	components: readonly Float32Array[],
): Promise<{
	histories: Record<NetworkName, History>;
	networks: Record<NetworkName, Network>;
}> {
	const { gpu, preset, data, inputs, seed, penaliseAsymmetry } = options;
	const { size } = preset;
	const { init } = options;
	const start = (network: Network, { tensors, source }: PretrainedWeights) =>
		network.load(fromDiffusers(tensors, network.namedParameters(), source));
	const network = (name: NetworkName) => {
		const input = INPUTS[inputs];
		const made = makeNetwork(gpu, name, size, input, components, seed);
		if (init) start(made, init);
		return made;
	};
	const vae = network("vae");
	if (options.vae) start(vae, options.vae);
	const aligner = network("aligner");
	const oneStep = network("oneStep");
	options.say(
		`parameters: VAE ${vae.packed.count}, aligner ${aligner.packed.count}, one-step ${oneStep.packed.count}`,
	);
	const { streams } = options;
	const common = { gpu, data, seed };
	const observed = { ...common, stream: streams?.observed };
	// A small set has nothing but what is trained on.
	const shown = <T>(list: readonly T[], isUnseen: (item: T) => boolean) =>
		evenly(list.some(isUnseen) ? list.filter(isUnseen) : list, 4);
	const kernels = shown(data.kernels, (k) => !k.trained);
	const watched = shown(data.evaluated, (o) => o.part !== "seen");
	const attempt = async (encoder: Network, decoder: Network) => {
		const networks = { encoder, decoder };
		const found = await inferKernels(gpu, data, watched, networks);
		return watched.map((o, i) => ({
			truth: data.kernels[o.kernel].image,
			found: found[i],
		}));
	};
	if (options.vae) await options.events?.onTrained?.("vae", vae);
	const histories = {
		vae: options.vae
			? { train: [], validation: [] }
			: await trainOne(
					options,
					"vae",
					vae,
					vaeTask({
						...common,
						...preset.vae,
						stream: streams?.kernels,
						onLastData: () => streams?.observed.prepare(0),
						vae,
						penaliseAsymmetry,
					}),
					async () => {
						const truths = kernels.map((k) => k.image);
						const found = await reconstruct(gpu, vae, truths);
						return truths.map((truth, i) => ({ truth, found: found[i] }));
					},
				),
		aligner: await trainOne(
			options,
			"aligner",
			aligner,
			alignerTask({
				...{ ...observed, ...preset.aligner, vae, aligner },
				onLastData: () => streams?.observed.prepare(0),
			}),
			() => attempt(aligner, vae),
		),
		oneStep: await trainOne(
			options,
			"oneStep",
			oneStep,
			oneStepTask({ ...observed, ...preset.oneStep, oneStep }),
			() => attempt(oneStep, oneStep),
		),
	};
	return { histories, networks: { vae, aligner, oneStep } };
}

async function trainOne(
	{ gpu, seed, store, events = {}, gate, signal, say }: TrainOptions,
	name: NetworkName,
	network: Network,
	task: Task,
	attempt: () => Promise<Attempt[]>,
): Promise<History> {
	const resume = await store.checkpoint(name);
	if (resume) say(`${task.name}: going on after epoch ${resume.epoch}`);
	const stepsAnEpoch = Math.ceil(task.samples / task.batch);
	const done = (resume?.epoch ?? 0) * stepsAnEpoch;
	events.onStart?.(name, task.name, done, task.epochs * stepsAnEpoch);
	const history = await train(gpu, task, {
		seed,
		resume,
		gate,
		signal,
		onMemory: (memory) => say(memoryLine(task.name, memory)),
		onStep: (done, loss) => events.onStep?.(name, done, loss),
		async onEpoch(checkpoint) {
			await store.saveCheckpoint(name, checkpoint);
			events.onEpoch?.(name, checkpoint.history);
			if (events.onAttempts) await events.onAttempts(name, await attempt());
		},
	});
	await events.onTrained?.(name, network);
	return history;
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

const meanCorrelation = (
	images: readonly Float32Array[],
	found: readonly Float32Array[],
): number =>
	images.reduce(
		(sum, image, i) => sum + compareKernels(found[i], image).ncc,
		0,
	) / images.length;
