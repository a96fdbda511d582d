import { scope } from "../engine/basics/scope.ts";
import { compile } from "../engine/device/compile.ts";
import type { Gpu } from "../engine/device/gpu.ts";
import { Adam } from "../engine/optim/adam.ts";
import { backward } from "../engine/tensors/autograd.ts";
import { makeNetwork, type NetworkName } from "../models/networks.ts";
import { PIXELS } from "../qpi/dataset/format.ts";
import { INPUTS, type InputKind } from "../qpi/operator/inputs.ts";
import { Random } from "../random.ts";
import type { Prepared } from "./data.ts";
import type { Preset } from "./presets.ts";
import type { Task } from "./task.ts";
import { alignerTask, oneStepTask, vaeTask } from "./tasks.ts";

/** What training steps cost, told from a few of them on random data of the right shapes. */

type Sizes = Pick<Preset, "size" | NetworkName>;

/** The part of a budget of time that the VAE gets, if it is trained; aligner and one-step network share the rest in equal numbers of steps. */
const VAE_SHARE = 0.4;
/** Steps that are timed, after as many that are not. */
const TIMED = 3;

/** The three tasks with networks of their own, on random data. */
export function trialTasks(
	gpu: Gpu,
	preset: Sizes,
	inputs: InputKind,
): Record<NetworkName, Task> {
	const input = INPUTS[inputs];
	const data = randomData(input.channels);
	const common = { gpu, data, seed: 1 };
	const network = (name: NetworkName) =>
		makeNetwork(gpu, name, preset.size, input, [], 1);
	const [vae, aligner, oneStep] = [
		network("vae"),
		network("aligner"),
		network("oneStep"),
	];
	return {
		vae: vaeTask({ ...common, ...preset.vae, vae }),
		aligner: alignerTask({ ...common, ...preset.aligner, vae, aligner }),
		oneStep: oneStepTask({ ...common, ...preset.oneStep, oneStep }),
	};
}

/** Does one step of a task at each call, without waiting for the device. */
export function stepper(gpu: Gpu, task: Task, adam: Adam): () => void {
	const samples = Array.from({ length: task.batch }, (_, i) => i);
	let step = 0;
	return () => {
		scope(gpu, () => {
			task.parameters.zeroGrad();
			backward(task.loss(samples, new Random(1, step), step++));
			adam.step({ clip: task.clip ?? undefined });
		});
		gpu.flush();
	};
}

/** Seconds that a step of each network takes, pipelines compiled and variants chosen. */
export async function secondsAStep(
	gpu: Gpu,
	preset: Sizes,
	inputs: InputKind,
): Promise<Record<NetworkName, number>> {
	const tasks = trialTasks(gpu, preset, inputs);
	const measure = async (task: Task) => {
		const adam = new Adam(task.parameters, { lr: 1e-4 });
		try {
			const step = stepper(gpu, task, adam);
			await compile(gpu, step);
			step();
			await gpu.tuner.tune(gpu);
			for (let i = 1; i < TIMED; i++) step();
			await gpu.idle();
			const start = performance.now();
			for (let i = 0; i < TIMED; i++) step();
			await gpu.idle();
			return (performance.now() - start) / 1000 / TIMED;
		} finally {
			adam.dispose();
		}
	};
	const seconds = {
		vae: await measure(tasks.vae),
		aligner: await measure(tasks.aligner),
		oneStep: await measure(tasks.oneStep),
	};
	for (const { parameters } of Object.values(tasks)) parameters.dispose();
	return seconds;
}

/**
 * Whole epochs, at least one, that fill a budget of time: VAE, aligner, one-step. The last two get the same number.
 *
 * @param budget seconds
 * @param seconds a step of each takes
 * @param steps of each in an epoch
 * @param share of the budget that is the VAE's
 */
export function epochsWithin(
	budget: number,
	seconds: Readonly<Record<NetworkName, number>>,
	steps: Readonly<Record<NetworkName, number>>,
	share = VAE_SHARE,
): [number, number, number] {
	const whole = (time: number, epoch: number) =>
		Math.max(1, Math.floor(time / epoch));
	const epoch = (name: NetworkName) => seconds[name] * steps[name];
	const both = whole((1 - share) * budget, epoch("aligner") + epoch("oneStep"));
	return [whole(share * budget, epoch("vae")), both, both];
}

function randomData(channels: number): Prepared {
	const random = new Random(1);
	const normals = (length: number) =>
		Float32Array.from({ length }, () => random.normal());
	const inputs = normals(PIXELS * channels);
	return {
		kernels: Array.from({ length: 8 }, (_, i) => ({
			number: i + 1,
			label: "",
			symmetry: ([1, 2, 3, 4, 6] as const)[i % 5],
			trained: true,
			image: normals(PIXELS),
		})),
		observations: Array.from({ length: 64 }, (_, index) => ({
			kernel: index % 8,
			part: "train",
			scatterers: [],
			index,
		})),
		inputs: { channels, read: (_, into) => into.set(inputs), close() {} },
	};
}
