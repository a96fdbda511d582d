import type { Gpu } from "../engine/device/gpu.ts";
import { add, scale } from "../engine/ops/elementwise.ts";
import { klLoss, mseLoss } from "../engine/ops/loss.ts";
import { reparameterise } from "../engine/ops/random.ts";
import type { RateSchedule } from "../engine/optim/schedules.ts";
import { noGrad } from "../engine/tensors/autograd.ts";
import type { Network } from "../models/latent.ts";
import { inputBatch, kernelBatch, kernelsOf } from "./batches.ts";
import type { Prepared, PreparedKernel, PreparedObservation } from "./data.ts";
import { readOut, reconstruct } from "./infer.ts";
import type { DataStream } from "./stream.ts";
import { symmetryAngles, symmetryLoss } from "./symmetry.ts";
import type { Task } from "./task.ts";

/** Weights of the losses, as published: alpha of the symmetry loss, beta of the KL loss. */
const ALPHA = 0.7;
const BETA = 1e-6;

export interface Schedule {
	readonly epochs: number;
	readonly batch: number;
	readonly learningRate: number;
	readonly schedule: RateSchedule;
	/** See Task. */
	readonly accumulate?: number;
	readonly average?: number;
	/** Weights of symmetry loss and KL loss, in place of the published ones. */
	readonly symmetry?: number;
	readonly kl?: number;
	/** Only images without noise are trained on. */
	readonly noiseless?: boolean;
}

export interface TaskOptions extends Schedule {
	readonly gpu: Gpu;
	/** What is trained on, and what is held out for validation. */
	readonly data: Prepared;
	/** Is trained on in place of `data`, where it is given. */
	readonly stream?: DataStream;
	/** Called when the last epoch's data are there: those of the next network can be made meanwhile. */
	readonly onLastData?: () => void;
	readonly seed: number;
}

/** Kernel -> latent -> kernel: MSE + alpha * symmetry + beta * KL, gradient clipped to norm 1. */
export function vaeTask(
	options: Omit<TaskOptions, "data"> & {
		data: {
			kernels: readonly Pick<
				PreparedKernel,
				"image" | "symmetry" | "trained"
			>[];
		};
		vae: Network;
		/** Each kernel comes so often in an epoch, turned anew each time; 1 by default. */
		repeats?: number;
		/** See symmetryAngles(); false by default. */
		penaliseAsymmetry?: boolean;
	},
): Task {
	const { gpu, data, stream, vae, seed, repeats = 1 } = options;
	let known = data.kernels.filter((k) => k.trained);
	const unseen = data.kernels.filter((k) => !k.trained);
	return {
		...pick(options),
		name: "kernel VAE",
		parameters: vae.packed,
		samples: (stream?.kernels ?? known.length) * repeats,
		clip: 1,
		async begin(epoch, more) {
			if (!stream) return;
			known = [...(await stream.epoch(epoch, more)).kernels];
			if (!more) options.onLastData?.();
		},
		loss(samples, random, draw) {
			const kernels = samples.map((i) => known[i % known.length]);
			const x = kernelBatch(
				gpu,
				kernels.map((k) => k.image),
				kernels.map(() => random.integer(0, 8)),
			);
			const angles = symmetryAngles(
				kernels.map((k) => k.symmetry),
				random,
				options.penaliseAsymmetry ?? false,
			);
			const { mean, logvar } = vae.encode(x);
			const z = reparameterise(mean, logvar, {
				seed,
				step: draw,
				stream: 1,
			});
			const y = vae.decode(z);
			const reconstruction = add(
				mseLoss(y, x),
				scale(symmetryLoss(y, x, angles), options.symmetry ?? ALPHA),
			);
			return add(
				reconstruction,
				scale(klLoss(mean, logvar), options.kl ?? BETA),
			);
		},
		/** MSE of the reconstruction of kernels that are not trained on. */
		validate: () =>
			meanOver(unseen, 16, async (kernels) => {
				const images = kernels.map((k) => k.image);
				const made = await reconstruct(gpu, vae, images);
				return meanSquare(flat(made), flat(images));
			}),
	};
}

/** Input -> the latent that the frozen VAE gives the true kernel: MSE(mean) + MSE(logvar), gradient clipped to norm 1. */
export function alignerTask(
	options: TaskOptions & { vae: Network; aligner: Network },
): Task {
	const { gpu, data, vae, aligner } = options;
	const source = trainingData(options);
	const held = validationSet(data);
	const loss = (
		data: Prepared,
		chosen: readonly PreparedObservation[],
		turns: readonly number[],
	) => {
		const truth = noGrad(gpu, () =>
			vae.encode(kernelsOf(gpu, data, chosen, turns)),
		);
		const found = aligner.encode(inputBatch(gpu, data, chosen, turns));
		return add(
			mseLoss(found.mean, truth.mean),
			mseLoss(found.logvar, truth.logvar),
		);
	};
	return {
		...pick(options),
		name: "aligner",
		parameters: aligner.packed,
		samples: source.samples,
		clip: 1,
		begin: source.begin,
		loss: (samples, random) =>
			loss(
				source.data,
				samples.map((i) => source.observations[i]),
				samples.map(() => random.integer(0, 8)),
			),
		/** The same loss on observations that are not trained on. */
		validate: () =>
			meanOver(held, 16, async (chosen) => {
				const [value] = await readOut(gpu, () =>
					loss(
						data,
						chosen,
						chosen.map(() => 0),
					),
				);
				return value;
			}),
	};
}

/** Input -> kernel at once: MSE + beta * KL, no clipping. */
export function oneStepTask(options: TaskOptions & { oneStep: Network }): Task {
	const { gpu, data, oneStep, seed } = options;
	const source = trainingData(options);
	const held = validationSet(data);
	return {
		...pick(options),
		name: "one-step",
		parameters: oneStep.packed,
		samples: source.samples,
		clip: null,
		begin: source.begin,
		loss(samples, random, draw) {
			const { data } = source;
			const chosen = samples.map((i) => source.observations[i]);
			const turns = samples.map(() => random.integer(0, 8));
			const { mean, logvar } = oneStep.encode(
				inputBatch(gpu, data, chosen, turns),
			);
			const z = reparameterise(mean, logvar, {
				seed,
				step: draw,
				stream: 3,
			});
			const y = oneStep.decode(z);
			return add(
				mseLoss(y, kernelsOf(gpu, data, chosen, turns)),
				scale(klLoss(mean, logvar), options.kl ?? BETA),
			);
		},
		/** MSE of the kernels found for observations that are not trained on. */
		validate: () =>
			meanOver(held, 16, async (chosen) => {
				const made = await readOut(gpu, () => {
					const { mean } = oneStep.encode(inputBatch(gpu, data, chosen));
					return oneStep.decode(mean);
				});
				return meanSquare(
					made,
					chosen.flatMap((o) => [...data.kernels[o.kernel].image]),
				);
			}),
	};
}

/** What aligner and one-step network are trained on, in the epoch that begin() began. */
function trainingData({ data, stream, noiseless, onLastData }: TaskOptions) {
	const source = {
		data,
		observations: trainedOn(data, noiseless),
		samples: 0,
		async begin(epoch: number, more: boolean) {
			if (!stream) return;
			source.data = await stream.epoch(epoch, more);
			source.observations = [...source.data.observations];
			if (!more) onLastData?.();
		},
	};
	if (!stream && source.observations.length === 0)
		throw new Error(
			`there is no image to train on${noiseless ? " that is known to be without noise" : ""}`,
		);
	source.samples = stream
		? stream.kernels * stream.observations
		: source.observations.length;
	return source;
}

/** The images that are trained on; those without noise alone come as often as all would, for the same number of steps. */
export function trainedOn(
	data: Prepared,
	noiseless = false,
): PreparedObservation[] {
	const all = partOf(data, "train");
	const still = all.filter((o) => !noiseless || o.noise === 0);
	return still.length > 0 ? all.map((_, i) => still[i % still.length]) : [];
}

function partOf(
	data: Prepared,
	part: PreparedObservation["part"],
): PreparedObservation[] {
	return data.observations.filter((o) => o.part === part);
}

/** At most 48 observations of unseen kernels; in a small set that has none, held-out observations of seen kernels. */
function validationSet(data: Prepared): PreparedObservation[] {
	const unseen = data.observations.filter(
		(o) => o.part === "unseenEnergy" || o.part === "unseenFamily",
	);
	const from = unseen.length > 0 ? unseen : partOf(data, "seen");
	const every = Math.max(1, Math.ceil(from.length / 48));
	return from.filter((_, i) => i % every === 0);
}

function pick(options: Schedule): Schedule {
	const { epochs, batch, learningRate, schedule, accumulate, average } =
		options;
	return { epochs, batch, learningRate, schedule, accumulate, average };
}

const flat = (images: readonly Float32Array[]) =>
	images.flatMap((image) => [...image]);

function meanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
	return sum / a.length;
}

/** Weighted mean over chunks of `items`; NaN where there are none. */
async function meanOver<T>(
	items: readonly T[],
	chunk: number,
	measure: (items: T[]) => Promise<number>,
): Promise<number> {
	let sum = 0;
	for (let i = 0; i < items.length; i += chunk) {
		const part = items.slice(i, i + chunk);
		sum += (await measure(part)) * part.length;
	}
	return sum / items.length;
}
