import { backward } from "../engine/autograd.ts";
import type { Gpu } from "../engine/gpu.ts";
import { isExhausted } from "../engine/lossScale.ts";
import type { Parameters, State } from "../engine/nn.ts";
import { Adam, type AdamState, StepLR } from "../engine/optim.ts";
import { detached, scope } from "../engine/scope.ts";
import { type Tensor, zeros } from "../engine/tensor.ts";
import { Random } from "../random.ts";

/** Everything that one training needs besides the loop. */
export interface Task {
	readonly name: string;
	readonly parameters: Parameters;
	/** Samples in an epoch. */
	readonly samples: number;
	readonly epochs: number;
	readonly batch: number;
	readonly learningRate: number;
	/** StepLR: every so many epochs the learning rate is multiplied by `factor`. */
	readonly schedule: { readonly every: number; readonly factor: number };
	/** Largest global norm of the gradient; null leaves it as it is. */
	readonly clip: number | null;
	/** The loss (a scalar on the tape) of the given samples. `random` is this step's own stream. */
	loss(samples: readonly number[], random: Random, step: number): Tensor;
	/** The figure that tells whether what is learnt holds beyond the training samples. */
	validate(): Promise<number>;
}

export interface History {
	/** [epoch, mean loss] of the training steps. */
	readonly train: [number, number][];
	/** [epoch, figure] of validate(). */
	readonly validation: [number, number][];
}

/** All that the next epoch depends on. */
export interface Checkpoint {
	/** Epochs done. */
	readonly epoch: number;
	readonly weights: State;
	readonly optimiser: AdamState;
	readonly history: History;
}

export interface LoopOptions {
	readonly seed: number;
	readonly resume?: Checkpoint;
	/** Called about four times a second. */
	onStep?(done: number, loss: number): void;
	/** Called after each epoch; the next one starts when it has settled. */
	onEpoch?(checkpoint: Checkpoint): Promise<void>;
	/** Awaited between two steps: a caller that wants a pause holds it. */
	gate?(): Promise<void> | void;
	/** Stops between two steps, by throwing its reason; the last epoch's checkpoint stands. */
	readonly signal?: AbortSignal;
}

/** The loss, or a weight, is no longer a finite number. */
export class DivergedError extends Error {
	override name = "DivergedError";
	/** The step that it happened in, counted from 1. */
	readonly step: number;

	/** @param epoch epochs done before */
	constructor(task: string, what: string, step: number, epoch: number) {
		const checkpoint =
			epoch > 0
				? `the last good checkpoint is that of epoch ${epoch}`
				: "there is no checkpoint before it";
		super(
			`${task}: ${what} in step ${step} (epoch ${epoch + 1}); ${checkpoint}. ` +
				"To resume gives the same again: train with a lower learning rate (src/training/presets.ts), or another seed.",
		);
		this.step = step;
	}
}

/** Streams of random numbers that a training draws from: the epoch's order, and each step's own. The generator's lie below 2^30. */
const ORDER = 0x80000000;
const STEP = 0xc0000000;
/** Steps whose work may wait in the queue. */
const AHEAD = 4;

/**
 * Trains until the last epoch. Random numbers depend on seed, epoch and step alone, so a run that goes on from a checkpoint computes
 * bitwise what it would have computed without the interruption. Throws a DivergedError on a loss or a weight that is not finite.
 */
export async function train(
	gpu: Gpu,
	task: Task,
	options: LoopOptions,
): Promise<Checkpoint> {
	const { parameters, samples, batch, epochs } = task;
	const { seed, resume, signal } = options;
	const optimiser = new Adam(parameters, {
		lr: task.learningRate,
		lossScaling: gpu.matrix, // small gradients vanish in f16
	});
	const schedule = new StepLR(optimiser, task.schedule);
	const stepsAnEpoch = Math.ceil(samples / batch);
	const losses = detached(gpu, () => zeros(gpu, [stepsAnEpoch]));
	try {
		if (resume) {
			parameters.load(resume.weights);
			optimiser.load(resume.optimiser);
		}
		let checkpoint: Checkpoint = resume ?? {
			epoch: 0,
			weights: await parameters.state(),
			optimiser: await optimiser.state(),
			history: { train: [], validation: [] },
		};
		const start = checkpoint.epoch * stepsAnEpoch;
		for (let epoch = checkpoint.epoch; epoch < epochs; epoch++) {
			schedule.epoch(epoch);
			const order = new Random(seed, ORDER + epoch).shuffle(
				Array.from({ length: samples }, (_, i) => i),
			);
			let shown = performance.now();
			for (let i = 0; i < stepsAnEpoch; i++) {
				await options.gate?.();
				signal?.throwIfAborted();
				const step = epoch * stepsAnEpoch + i;
				scope(gpu, () => {
					parameters.zeroGrad();
					const chosen = order.slice(i * batch, (i + 1) * batch);
					const loss = task.loss(chosen, new Random(seed, STEP + step), step);
					backward(loss, optimiser.seed);
					optimiser.step({ clip: task.clip ?? undefined });
					gpu.copy(loss, slot(losses, i));
				});
				gpu.flush();
				// The first step has asked for all kernels of this training.
				if (step === start) await gpu.tuner.tune(gpu, signal);
				if (i % AHEAD === AHEAD - 1) await gpu.idle();
				if (options.onStep && performance.now() - shown > 250) {
					const seen = await read(losses, i + 1);
					check(task.name, seen, epoch, stepsAnEpoch);
					options.onStep(step + 1, mean(seen.slice(-8)));
					shown = performance.now();
				}
			}
			const all = await read(losses, stepsAnEpoch);
			check(task.name, all, epoch, stepsAnEpoch);
			const { history } = checkpoint;
			const weights = await parameters.state();
			const moments = await optimiser.state();
			// The last step may have spoilt them after its loss was still a number.
			const values = [...weights.values()].map(({ data }) => data);
			if (![...values, moments.m, moments.v].every(allFinite))
				throw new DivergedError(
					task.name,
					"the weights or Adam's moments were no longer finite",
					(epoch + 1) * stepsAnEpoch,
					epoch,
				);
			if (moments.scaling && isExhausted(moments.scaling))
				throw new DivergedError(
					task.name,
					"gradients overflowed f16 at the smallest loss scale",
					(epoch + 1) * stepsAnEpoch,
					epoch,
				);
			checkpoint = {
				epoch: epoch + 1,
				weights,
				optimiser: moments,
				history: {
					train: [...history.train, [epoch + 1, mean(all)]],
					validation: [
						...history.validation,
						[epoch + 1, await task.validate()],
					],
				},
			};
			options.onStep?.((epoch + 1) * stepsAnEpoch, mean(all.slice(-8)));
			await options.onEpoch?.(checkpoint);
		}
		return checkpoint;
	} finally {
		losses.dispose();
		optimiser.dispose();
	}
}

/** The i-th float of a tensor as a place to copy to. */
function slot(tensor: Tensor, i: number) {
	return { buffer: tensor.buffer, offset: tensor.offset + 4 * i, bytes: 4 };
}

async function read(losses: Tensor, count: number): Promise<Float32Array> {
	return (await losses.data()).subarray(0, count);
}

function check(
	task: string,
	losses: Float32Array,
	epoch: number,
	stepsAnEpoch: number,
): void {
	const bad = losses.findIndex((loss) => !Number.isFinite(loss));
	if (bad >= 0)
		throw new DivergedError(
			task,
			`the loss became ${losses[bad]}`,
			epoch * stepsAnEpoch + bad + 1,
			epoch,
		);
}

function allFinite(values: Float32Array): boolean {
	return values.every((v) => Number.isFinite(v));
}

function mean(values: Float32Array): number {
	return values.reduce((sum, v) => sum + v, 0) / values.length;
}
