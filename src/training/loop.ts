import { detached, scope } from "../engine/basics/scope.ts";
import type { Gpu } from "../engine/device/gpu.ts";
import type { Parameters } from "../engine/layers/parameters.ts";
import { joined, part } from "../engine/layers/state.ts";
import { Adam } from "../engine/optim/adam.ts";
import { Average } from "../engine/optim/average.ts";
import { sampleOrder } from "../engine/optim/dataLoader.ts";
import { checkSchedule, rateFactor } from "../engine/optim/schedules.ts";
import { type Tensor, zeros } from "../engine/tensors/tensor.ts";
import { Random } from "../random.ts";
import type { Checkpoint, History } from "./checkpoint.ts";
import type { StepMemory } from "./memory.ts";
import { backwardInParts, sums } from "./parts.ts";
import type { Task } from "./task.ts";

export interface LoopOptions {
	readonly seed: number;
	/** Is closed when it has been read. */
	readonly resume?: Checkpoint;
	/** Called after the first step. */
	onMemory?(memory: StepMemory): void;
	/** Called about four times a second. */
	onStep?(done: number, loss: number): void;
	/** Called after each epoch. The next epoch starts when the promise has settled; the checkpoint's tensors must be read before. */
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

/** Streams of random numbers that each step draws from. Other streams have other numbers: those of the orders (engine/optim/dataLoader.ts) lie below these, those of the generator below 2^30. */
const STEP = 0xc0000000;
/** Steps whose work may wait in the queue. */
const AHEAD = 4;

/**
 * Trains until the last epoch. Random numbers depend on seed, epoch and step alone, so a run that goes on from a checkpoint computes
 * bitwise what it would have computed without the interruption. The task's parameters are then what was learnt (their average, where there is one). Throws a
 * DivergedError on a loss or a weight that is not finite.
 */
export async function train(
	gpu: Gpu,
	task: Task,
	options: LoopOptions,
): Promise<History> {
	const { parameters, samples, batch, epochs, accumulate = 1 } = task;
	const { seed, resume, signal } = options;
	if (!(Number.isInteger(accumulate) && accumulate >= 1))
		throw new Error(
			`${task.name}: a batch in ${accumulate} parts; expected a whole number from 1`,
		);
	checkSchedule(task.schedule);
	const optimiser = new Adam(parameters, {
		lr: task.learningRate,
		lossScaling: gpu.matrix, // small gradients vanish in f16
	});
	const average =
		task.average === undefined ? null : new Average(parameters, task.average);
	const stepsAnEpoch = Math.ceil(samples / batch);
	const counts = { stepsAnEpoch, steps: epochs * stepsAnEpoch };
	// A step's loss in as many shares.
	const losses = detached(gpu, () => zeros(gpu, [stepsAnEpoch * accumulate]));
	const seen = async (steps: number) =>
		sums((await losses.data()).subarray(0, steps * accumulate), accumulate);
	let history: History = resume?.history ?? { train: [], validation: [] };
	try {
		if (resume) await restore(resume, parameters, optimiser, average);
		const start = (resume?.epoch ?? 0) * stepsAnEpoch;
		for (let epoch = resume?.epoch ?? 0; epoch < epochs; epoch++) {
			await task.begin?.(epoch, epoch + 1 < epochs);
			const order = sampleOrder(samples, seed, epoch);
			let shown = performance.now();
			for (let i = 0; i < stepsAnEpoch; i++) {
				await options.gate?.();
				signal?.throwIfAborted();
				const step = epoch * stepsAnEpoch + i;
				const { statistics } = gpu;
				statistics.bytesPeak = statistics.bytesLive;
				optimiser.lr =
					task.learningRate * rateFactor(task.schedule, step, counts);
				const chosen = order.slice(i * batch, (i + 1) * batch);
				parameters.zeroGrad();
				backwardInParts(
					task,
					chosen,
					new Random(seed, STEP + step),
					step,
					optimiser.seed,
					(loss, j) => gpu.copy(loss, slot(losses, i * accumulate + j)),
				);
				scope(gpu, () => {
					optimiser.step({ clip: task.clip ?? undefined });
					average?.update(optimiser.steps);
				});
				gpu.flush();
				if (step === start) {
					options.onMemory?.({
						peak: statistics.bytesPeak,
						parameters: parameters.values.bytes,
						gradients: parameters.gradients.bytes,
						moments: optimiser.bytes,
						average: average?.values.bytes ?? 0,
					});
					// The first step has asked for all kernels of this training.
					await gpu.tuner.tune(gpu, signal);
				}
				if (i % AHEAD === AHEAD - 1) await gpu.idle();
				if (options.onStep && performance.now() - shown > 250) {
					const values = await seen(i + 1);
					check(task.name, values, epoch, stepsAnEpoch);
					options.onStep(step + 1, mean(values.slice(-8)));
					shown = performance.now();
				}
			}
			const all = await seen(stepsAnEpoch);
			check(task.name, all, epoch, stepsAnEpoch);
			const steps = (epoch + 1) * stepsAnEpoch;
			const diverged = (what: string) =>
				new DivergedError(task.name, what, steps, epoch);
			// The last step may have spoilt them after its loss was still a number.
			if (!(await optimiser.isFinite()))
				throw diverged("the weights or Adam's moments were no longer finite");
			if (await optimiser.isExhausted())
				throw diverged("gradients overflowed f16 at the smallest loss scale");
			average?.exchange();
			const figure = await task.validate().finally(() => average?.exchange());
			history = {
				train: [...history.train, [epoch + 1, mean(all)]],
				validation: [...history.validation, [epoch + 1, figure]],
			};
			options.onStep?.(steps, mean(all.slice(-8)));
			await options.onEpoch?.({
				epoch: epoch + 1,
				step: optimiser.steps,
				history,
				tensors: joined({
					"weight/": parameters.lazy(),
					"adam/": optimiser.lazy(),
					...(average && { "average/": average.values.lazy() }),
				}),
			});
		}
		average?.exchange();
		return history;
	} finally {
		losses.dispose();
		optimiser.dispose();
		average?.dispose();
	}
}

async function restore(
	resume: Checkpoint,
	parameters: Parameters,
	optimiser: Adam,
	average: Average | null,
): Promise<void> {
	try {
		const { tensors, step } = resume;
		await parameters.loadLazy(part(tensors, "weight/"));
		await optimiser.load(part(tensors, "adam/"), step);
		const averaged = part(tensors, "average/");
		if (averaged.size > 0) await average?.values.load(averaged);
		else average?.restart();
	} finally {
		await resume.close?.();
	}
}

/** The i-th float of a tensor as a place to copy to. */
function slot(tensor: Tensor, i: number) {
	return { buffer: tensor.buffer, offset: tensor.offset + 4 * i, bytes: 4 };
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

function mean(values: Float32Array): number {
	return values.reduce((sum, v) => sum + v, 0) / values.length;
}
