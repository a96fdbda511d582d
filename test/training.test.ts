import { createHash } from "node:crypto";
import {
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	truncate,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { collect } from "../src/engine/layers/state.ts";
import { conv2d } from "../src/engine/ops/conv.ts";
import { add, mul, scale } from "../src/engine/ops/elementwise.ts";
import { mseLoss } from "../src/engine/ops/loss.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import type { Dataset } from "../src/node/datasets/dataset.ts";
import { datasetSource } from "../src/node/datasets/datasetSource.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { RunFolder } from "../src/node/files/runFolder.ts";
import { prepare } from "../src/node/threads/prepare.ts";
import { makeAxis } from "../src/qpi/dataset/format.ts";
import { unitRms } from "../src/qpi/dataset/preprocess.ts";
import { makeSplit, type Symmetry } from "../src/qpi/dataset/split.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { physicsInputs } from "../src/qpi/operator/inputs.ts";
import { centre, embed, ridgeGcv } from "../src/qpi/operator/ridge.ts";
import { Random } from "../src/random.ts";
import {
	encodeCheckpoint,
	type KeptCheckpoint,
	keep,
	learntWeights,
	takeUp,
} from "../src/training/checkpoint.ts";
import { copyTurned, type PreparedData } from "../src/training/data.ts";
import { average, scoreTable, summarise } from "../src/training/evaluate.ts";
import {
	DivergedError,
	type LoopOptions,
	train,
} from "../src/training/loop.ts";
import { memoryLine, type StepMemory } from "../src/training/memory.ts";
import type { CurvePoint } from "../src/training/metrics.ts";
import { prepareInMemory, restore } from "../src/training/prepare.ts";
import { generatedSource, type Source } from "../src/training/source.ts";
import { symmetryAngles, symmetryLoss } from "../src/training/symmetry.ts";
import type { Task } from "../src/training/task.ts";
import { compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
const scratch = await mkdtemp(join(tmpdir(), "qpi-lens-training-"));
test.after(async () => {
	gpu.dispose();
	await rm(scratch, { recursive: true });
});

let folders = 0;
const newPath = () => join(scratch, `${++folders}`);

async function failure(work: () => unknown): Promise<Error> {
	try {
		await work();
	} catch (error) {
		return error as Error;
	}
	throw new Error("there was no error");
}

/** Stands for an array's exact bits; short, for a failed comparison is printed. */
const bits = ({ buffer, byteOffset, byteLength }: Float32Array) =>
	createHash("sha1")
		.update(new Uint8Array(buffer, byteOffset, byteLength))
		.digest("hex");

/** A folder's checkpoint, all of it. */
async function read(folder: RunFolder, name: string): Promise<KeptCheckpoint> {
	const checkpoint = await folder.checkpoint(name);
	if (!checkpoint) throw new Error("there is none");
	try {
		return await keep(checkpoint);
	} finally {
		await checkpoint.close?.();
	}
}

/** Everything that a checkpoint holds, comparable bit by bit. */
const bitsOf = ({ epoch, step, history, tensors }: KeptCheckpoint) =>
	JSON.stringify({
		epoch,
		step,
		tensors: [...tensors].map(([name, t]) => [name, t.shape, bits(t.data)]),
		history,
	});

// The loop, on a 3x3 convolution that is fitted to ten random images.

const IMAGES = Array.from({ length: 10 }, (_, i) => uniform(new Random(i), 64));
const TARGETS = IMAGES.map((image) => image.map((v) => 0.3 - v / 2));

function network(sizes: Record<string, number[]>): Parameters {
	const list = new Map<string, Parameter>();
	const random = new Random(6);
	for (const [name, shape] of Object.entries(sizes))
		list.set(
			name,
			new Parameter(
				shape,
				uniform(
					random,
					shape.reduce((a, b) => a * b),
				),
			),
		);
	return new Parameters(gpu, list);
}

/**
 * Trains the convolution in 5 epochs of 4 steps; the images get noise from the step's own stream, as augmentation does it. Gives the last checkpoint, the given
 * one where there is no epoch left.
 */
async function fit(
	options: Partial<Omit<LoopOptions, "resume">> & {
		resume?: KeptCheckpoint;
	} = {},
	change: (task: Task, parameters: Parameters) => Partial<Task> = () => ({}),
	/** Sees what is left. */
	after: (parameters: Parameters) => Promise<void> = async () => {},
): Promise<KeptCheckpoint> {
	const parameters = network({ weight: [1, 3, 3, 1], bias: [1], idle: [1] });
	const task: Task = {
		name: "toy",
		parameters,
		samples: 10,
		epochs: 5,
		batch: 3,
		learningRate: 0.05,
		schedule: { every: 2, factor: 0.5 },
		clip: 1,
		loss(samples, random) {
			const batch = (of: Float32Array[], noise: number) => {
				const values = samples.flatMap((i) =>
					[...of[i]].map((v) => v + noise * random.normal()),
				);
				return tensor(gpu, Float32Array.from(values), [
					samples.length,
					8,
					8,
					1,
				]);
			};
			const weight = parameters.get("weight");
			const bias = parameters.get("bias");
			const found = conv2d(batch(IMAGES, 0.1), weight, bias, { padding: 1 });
			return mseLoss(found, batch(TARGETS, 0));
		},
		validate: async () => 0.25,
	};
	const { resume } = options;
	let last = resume;
	try {
		const history = await train(
			gpu,
			{ ...task, ...change(task, parameters) },
			{
				seed: 3,
				...options,
				resume: resume && takeUp(resume),
				async onEpoch(checkpoint) {
					last = await keep(checkpoint);
					await options.onEpoch?.(checkpoint);
				},
			},
		);
		assert.equal(history, last?.history);
		await after(parameters);
		return last as KeptCheckpoint;
	} finally {
		parameters.dispose();
	}
}

test("train() lowers the loss, and the same seed gives the same bits", async () => {
	const first = await fit();
	const losses = first.history.train.map(([, loss]) => loss);
	assert.equal(
		first.history.train.map(([epoch]) => epoch),
		[1, 2, 3, 4, 5],
	);
	assert.ok(losses[4] < 0.7 * losses[0], losses.join(" "));
	assert.is(first.step, 20);
	assert.is(bitsOf(await fit()), bitsOf(first));
	assert.is.not(bitsOf(await fit({ seed: 4 })), bitsOf(first));
});

test("train() lets the tuner measure once, when the first step has asked for all kernels", async () => {
	const seen: number[] = [];
	let step = 0;
	const { tuner } = gpu;
	const tune = tuner.tune.bind(tuner);
	tuner.tune = (...args) => {
		seen.push(step);
		return tune(...args);
	};
	try {
		await fit({}, ({ loss }) => ({
			loss(...args) {
				step++;
				return loss(...args);
			},
		}));
		assert.equal(seen, [1]);
	} finally {
		tuner.tune = tune;
	}
});

test("an epoch shows every sample once, in its own order; each step has its own random numbers", async () => {
	const orders: number[][] = [];
	const steps: number[] = [];
	const drawn = new Set<number>();
	await fit({}, ({ loss }) => ({
		loss(samples, random, step) {
			if (step % 4 === 0) orders.push([]);
			orders.at(-1)?.push(...samples);
			steps.push(step);
			drawn.add(random.normal());
			return loss(samples, random, step);
		},
	}));
	assert.equal(
		steps,
		Array.from({ length: 20 }, (_, i) => i),
	);
	assert.is(drawn.size, 20);
	assert.is(new Set(orders.map(String)).size, 5);
	for (const order of orders)
		assert.equal(
			order.toSorted((a, b) => a - b),
			[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
		);
});

test("a run that is stopped in the middle of an epoch resumes bitwise from its folder", async () => {
	const whole = await fit();
	const path = newPath();
	const config = { seed: 3 };
	const folder = await RunFolder.open(path, config, false);
	const stop = new AbortController();
	const stopped = await failure(() =>
		fit(
			{
				signal: stop.signal,
				onEpoch: (checkpoint) => folder.saveCheckpoint("toy", checkpoint),
			},
			({ loss }) => ({
				loss(samples, random, step) {
					if (step === 9) stop.abort(new Error("enough"));
					return loss(samples, random, step);
				},
			}),
		),
	);
	assert.is(stopped.message, "enough");
	const again = await RunFolder.open(path, config, true);
	const resume = await read(again, "toy");
	assert.is(resume.epoch, 2);
	assert.is(bitsOf(await fit({ resume })), bitsOf(whole));
	// Of a finished run nothing is computed again.
	assert.is(
		bitsOf(
			await fit({ resume: whole }, () => ({
				loss: () => assert.unreachable() as never,
			})),
		),
		bitsOf(whole),
	);
});

test("a held gate stops the steps, and changes no bit", async () => {
	let steps = 0;
	let open = () => {};
	const gate = new Promise<void>((resolve) => {
		open = resolve;
	});
	const held = fit(
		{ gate: () => (steps === 6 ? gate : undefined) },
		({ loss }) => ({
			loss(samples, random, step) {
				steps++;
				return loss(samples, random, step);
			},
		}),
	);
	while (steps < 6) await wait(5);
	await wait(100);
	assert.is(steps, 6);
	open();
	assert.is(bitsOf(await held), bitsOf(await fit()));
	assert.is(steps, 20);
});

test("a loss that turns NaN is reported with its very step; the last good checkpoint stays", async () => {
	const folder = await RunFolder.open(newPath(), {}, false);
	const saved: KeptCheckpoint[] = [];
	const error = await failure(() =>
		fit(
			{
				async onEpoch(checkpoint) {
					saved.push(await keep(checkpoint));
					await folder.saveCheckpoint("toy", checkpoint);
				},
			},
			({ loss }) => ({
				loss: (samples, random, step) =>
					step === 10
						? add(
								loss(samples, random, step),
								sum(tensor(gpu, Float32Array.of(Number.NaN), [1])),
							)
						: loss(samples, random, step),
			}),
		),
	);
	assert.instance(error, DivergedError);
	assert.is((error as DivergedError).step, 11);
	assert.match(
		error.message,
		/toy: the loss became NaN in step 11 \(epoch 3\)/,
	);
	assert.match(
		error.message,
		/checkpoint is that of epoch 2\. .*learning rate/,
	);
	assert.is(saved.length, 2);
	assert.is(bitsOf(await read(folder, "toy")), bitsOf(saved[1]));
});

test("weights that are spoilt while the loss is still a number never become a checkpoint", async () => {
	let saved = 0;
	// 1e-30 * 1e30 * 1e30 is finite; its derivative, 1e60, is not.
	const error = await failure(() =>
		fit({ onEpoch: async () => void saved++ }, ({ loss }, parameters) => ({
			clip: null,
			loss(samples, random, step) {
				const value = loss(samples, random, step);
				if (step !== 7) return value;
				const tiny = tensor(gpu, Float32Array.of(1e-30), [1]);
				const small = mul(parameters.get("idle"), tiny);
				const steep = scale(scale(small, 1e30), 1e30);
				return add(value, sum(steep));
			},
		})),
	);
	assert.match(error.message, /weights .* step 8 \(epoch 2\).*that of epoch 1/);
	assert.is((error as DivergedError).step, 8);
	assert.is(saved, 1);
});

test("StepLR is wired to the epochs, also after a resumption", async () => {
	// Under a constant gradient Adam moves each weight by the learning rate in every step.
	const course = async (resume?: KeptCheckpoint) => {
		const kept = resume ? [resume] : [];
		await fit(
			{
				resume,
				async onEpoch(checkpoint) {
					kept.push(await keep(checkpoint));
				},
			},
			(_, parameters) => ({
				learningRate: 0.01,
				clip: null,
				loss: () => sum(parameters.get("weight")),
			}),
		);
		return kept;
	};
	const value = ({ tensors }: KeptCheckpoint) =>
		tensors.get("weight/weight")?.data[4] ?? 0;
	const moves = (kept: KeptCheckpoint[]) =>
		kept.slice(1).map((c, i) => (value(kept[i]) - value(c)) / 4);
	const kept = await course();
	const expected = [0.01, 0.005, 0.005, 0.0025];
	moves(kept).forEach((move, i) => {
		assert.ok(Math.abs(move / expected[i] - 1) < 1e-3, `${moves(kept)}`);
	});
	assert.equal(moves(await course(kept[1])), moves(kept).slice(1));
});

/** Of the convolution without noise, whose loss depends on the samples alone. */
const steady =
	(options: Partial<Task>) =>
	(_: Task, parameters: Parameters): Partial<Task> => ({
		loss(samples) {
			const batch = (of: Float32Array[]) =>
				tensor(gpu, Float32Array.from(samples.flatMap((i) => [...of[i]])), [
					samples.length,
					8,
					8,
					1,
				]);
			const [weight, bias] = [parameters.get("weight"), parameters.get("bias")];
			return mseLoss(
				conv2d(batch(IMAGES), weight, bias, { padding: 1 }),
				batch(TARGETS),
			);
		},
		...options,
	});

test("a batch in parts is one batch, to rounding, whatever the last batch and the last part leave over", async () => {
	// Batches of 7 and 3; parts of 7, 4 + 3, 3 + 3 + 1, 1, and more parts than samples.
	const learn = (accumulate: number) =>
		fit({}, steady({ batch: 7, accumulate, average: 0.5 }));
	const whole = await learn(1);
	for (const accumulate of [2, 3, 7, 9]) {
		const parts = await learn(accumulate);
		assert.is(parts.step, 10);
		for (const [name, { data }] of whole.tensors)
			compare(name, parts.tensors.get(name)?.data ?? [], data, 1e-4);
		compare(
			"losses",
			parts.history.train.map(([, loss]) => loss),
			whole.history.train.map(([, loss]) => loss),
			1e-5,
		);
	}
	assert.match(
		(await failure(() => learn(1.5))).message,
		"toy: a batch in 1.5 parts",
	);
});

test("parts see all samples of a step in order, go on in its random numbers, and have numbers of their own", async () => {
	const seen: number[][] = [];
	const order = async (accumulate: number) => {
		const samples: number[] = [];
		const drawn: number[] = [];
		seen.length = 0;
		await fit({}, (_, parameters) => ({
			accumulate,
			epochs: 1,
			loss(chosen, random, draw) {
				seen.push([draw, chosen.length]);
				samples.push(...chosen);
				drawn.push(...chosen.map(() => random.uniform()));
				return sum(parameters.get("weight"));
			},
		}));
		return { samples, drawn };
	};
	const whole = await order(1);
	assert.equal(
		seen,
		[3, 3, 3, 1].map((n, i) => [i, n]),
	);
	assert.equal(await order(2), whole);
	assert.equal(seen, [
		[0, 2],
		[1, 1],
		[2, 2],
		[3, 1],
		[4, 2],
		[5, 1],
		[6, 1],
	]);
});

test("parts of a batch take less memory than the whole, and a training says how much once", async () => {
	const large = async (accumulate: number) => {
		const said: StepMemory[] = [];
		await fit({ onMemory: (memory) => said.push(memory) }, (_, parameters) => ({
			epochs: 2,
			batch: 8,
			accumulate,
			average: 0.9,
			loss(samples) {
				const x = tensor(gpu, new Float32Array(samples.length * 16_384), [
					samples.length,
					128,
					128,
					1,
				]);
				const weight = parameters.get("weight");
				const y = conv2d(x, weight, parameters.get("bias"), { padding: 1 });
				return mseLoss(y, x);
			},
		}));
		assert.is(said.length, 1);
		return said[0];
	};
	const [whole, parts] = [await large(1), await large(4)];
	const own = 4 * 3 * 64; // three parameters, padded
	for (const { parameters, gradients, moments, average } of [whole, parts])
		assert.equal(
			[parameters, gradients, moments, average],
			[own, own, 2 * own, own],
		);
	// At the least input, output and the output's gradient: 65,536 bytes a sample each.
	assert.ok(whole.peak >= 8 * 3 * 65_536, `${whole.peak}`);
	assert.ok(parts.peak < 0.4 * whole.peak, `${parts.peak} of ${whole.peak}`);
	assert.match(
		memoryLine("toy", whole),
		/^toy: a step takes [\d.]+ MB .* parameters 0\.0 MB, .*average 0\.0 MB, activations and the rest \d+\.\d MB$/,
	);
});

test("averaged weights are what is validated and what is left; a stopped run resumes their average bitwise", async () => {
	let validated: number[] = [];
	const learn = async (resume?: KeptCheckpoint) => {
		const kept: KeptCheckpoint[] = [];
		let left: Float32Array | undefined;
		validated = [];
		await fit(
			{
				resume,
				async onEpoch(checkpoint) {
					kept.push(await keep(checkpoint));
				},
			},
			(task, parameters) => ({
				...steady({})(task, parameters),
				average: 0.8,
				async validate() {
					validated.push((await parameters.get("weight").data())[4]);
					return 0;
				},
			}),
			async (parameters) => {
				left = await parameters.get("weight").data();
			},
		);
		return { kept, left };
	};
	const whole = await learn();
	const figures = validated;
	const weight = (kept: KeptCheckpoint, what: string) =>
		kept.tensors.get(`${what}/weight`)?.data as Float32Array;
	for (const [i, kept] of whole.kept.entries()) {
		assert.is(weight(kept, "average")[4], figures[i]);
		assert.is.not(weight(kept, "average")[4], weight(kept, "weight")[4]);
	}
	const last = whole.kept.at(-1) as KeptCheckpoint;
	assert.equal(whole.left, weight(last, "average"));
	assert.equal(
		(await collect(learntWeights(takeUp(last).tensors))).get("weight")?.data,
		whole.left,
	);
	const rest = await learn(whole.kept[1]);
	assert.equal(rest.kept.map(bitsOf), whole.kept.slice(2).map(bitsOf));
	assert.equal(rest.left, whole.left);
	assert.equal(validated, figures.slice(2));
	// Of a finished run the average is left, too.
	assert.equal((await learn(last)).left, whole.left);
});

test("the cosine is wired to the steps, also after a resumption", async () => {
	const course = async (resume?: KeptCheckpoint) => {
		const kept = resume ? [resume] : [];
		await fit(
			{
				resume,
				async onEpoch(checkpoint) {
					kept.push(await keep(checkpoint));
				},
			},
			(_, parameters) => ({
				learningRate: 0.01,
				schedule: { warmUp: 4 },
				clip: null,
				loss: () => sum(parameters.get("weight")),
			}),
		);
		return kept;
	};
	const kept = await course();
	const values = kept.map((c) => c.tensors.get("weight/weight")?.data[4] ?? 0);
	// Under a constant gradient Adam moves each weight by the learning rate in every step: the cosine's 16 steps, 4 an epoch.
	const rates = Array.from(
		{ length: 16 },
		(_, i) => (0.01 * (1 + Math.cos((Math.PI * i) / 16))) / 2,
	);
	values.slice(1).forEach((value, k) => {
		const moved = rates.slice(4 * k, 4 * k + 4).reduce((a, b) => a + b);
		assert.ok(
			Math.abs((values[k] - value) / moved - 1) < 1e-3,
			`epoch ${k + 2}: ${values[k] - value}, expected ${moved}`,
		);
	});
	assert.equal((await course(kept[1])).map(bitsOf), kept.slice(1).map(bitsOf));
});

// Checkpoints and run folders.

const CHECKPOINT: KeptCheckpoint = {
	epoch: 2,
	step: 8,
	tensors: new Map(
		["weight/", "adam/m/", "adam/v/"].flatMap((prefix, i) => [
			[`${prefix}a`, { shape: [2, 3], data: uniform(new Random(i), 6) }],
			[`${prefix}b`, { shape: [300], data: uniform(new Random(9 + i), 300) }],
			[`${prefix}c`, { shape: [1], data: Float32Array.of(-0) }],
		]),
	),
	history: {
		train: [
			[1, 0.1],
			[2, 1 / 3],
		],
		validation: [
			[1, Number.NaN],
			[2, 5e-324],
		],
	},
};

test("a checkpoint is read back bit by bit, NaN in its history included", async () => {
	const folder = await RunFolder.open(newPath(), {}, false);
	await folder.saveCheckpoint("vae", takeUp(CHECKPOINT));
	const found = await read(folder, "vae");
	assert.is(bitsOf(found), bitsOf(CHECKPOINT));
	assert.ok(Number.isNaN(found.history.validation[0][1]));
});

test("a checkpoint is written tensor by tensor; one that fails half way leaves the old one, and nothing else", async () => {
	const path = newPath();
	const folder = await RunFolder.open(path, {}, false);
	await folder.saveCheckpoint("vae", takeUp(CHECKPOINT));
	let reads = 0;
	const counted = (failing: boolean) => {
		const { tensors, ...rest } = takeUp(CHECKPOINT);
		const lazily = [...tensors].map(([name, tensor], i) => {
			const read = async () => {
				if (failing && i === 5) throw new Error("the device is gone");
				reads++;
				return tensor.read();
			};
			return [name, { ...tensor, read }] as const;
		});
		return { ...rest, tensors: new Map(lazily) };
	};
	const seen: number[] = [];
	for await (const _ of encodeCheckpoint(counted(false), "k")) seen.push(reads);
	// The header, nine tensors, the checksum.
	assert.equal(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
	const error = await failure(() =>
		folder.saveCheckpoint("vae", counted(true)),
	);
	assert.is(error.message, "the device is gone");
	assert.is(bitsOf(await read(folder, "vae")), bitsOf(CHECKPOINT));
	assert.equal(
		(await readdir(path)).filter((n) => n.includes(".tmp")),
		[],
	);
});

test("a cut, flipped or foreign checkpoint is an error that names the file and the way out", async () => {
	const folder = await RunFolder.open(newPath(), { seed: 1 }, false);
	assert.is(await folder.checkpoint("vae"), undefined);
	await folder.saveCheckpoint("vae", takeUp(CHECKPOINT));
	const file = folder.file("vae.checkpoint.safetensors");
	const good = await readFile(file);
	const complaint = async () =>
		(await failure(() => folder.checkpoint("vae"))).message;
	for (const size of [0, 5, 100, good.length - 1]) {
		await writeFile(file, good);
		await truncate(file, size);
		const text = await complaint();
		assert.ok(text.startsWith(`${file} is damaged (`), text);
		assert.match(text, /Remove it, and this network is trained again/);
		assert.not.match(text, "\n");
	}
	const [epoch, history] = [`"epoch":"2"`, "5e-324"].map((text) =>
		good.indexOf(text),
	);
	assert.ok(epoch > 0 && history > 0);
	for (const at of [epoch + 9, history, good.length - 1, good.length - 1000]) {
		const bad = Uint8Array.from(good);
		bad[at] ^= 1;
		await writeFile(file, bad);
		assert.match(await complaint(), /is damaged \(/, `byte ${at}`);
	}
	await writeFile(
		file,
		encodeCheckpoint(takeUp(CHECKPOINT), "vae of another run"),
	);
	assert.match(await complaint(), /is a checkpoint of another run/);
	await writeFile(file, good);
	assert.is(bitsOf(await read(folder, "vae")), bitsOf(CHECKPOINT));
});

test("a run folder refuses what would mix two runs", async () => {
	const path = newPath();
	const config = { preset: "smoke", seed: 1, epochs: [1, 2, 3] };
	const refusal = async (options: object, resume: boolean, at = path) =>
		(await failure(() => RunFolder.open(at, { ...config, ...options }, resume)))
			.message;
	assert.match(await refusal({}, true), `there is no run ${path} to resume`);
	assert.not(RunFolder.holdsRun(path));
	await RunFolder.open(path, config, false);
	assert.ok(RunFolder.holdsRun(path));
	assert.match(await refusal({}, false), /already holds a run; give --resume/);
	const other = await refusal({ seed: 2, epochs: null, inputs: "paper" }, true);
	assert.match(other, /other options: /);
	for (const difference of [
		"seed 1, now 2",
		"epochs [1,2,3], now null",
		'inputs nothing, now "paper"',
	])
		assert.ok(other.includes(difference), other);
	assert.not.match(other, "preset");
	await RunFolder.open(path, config, true);
	await writeFile(join(path, "run.json"), "{");
	assert.match(await refusal({}, true), /run.json is no JSON/);

	const foreign = newPath();
	await mkdir(foreign);
	await writeFile(join(foreign, "thesis.tex"), "");
	assert.match(await refusal({}, false, foreign), /other files \(thesis.tex\)/);
	assert.match(await refusal({}, true, foreign), /holds no run to resume/);
	assert.equal(await readdir(foreign), ["thesis.tex"]);
	assert.match(await refusal({}, false, join(foreign, "thesis.tex")), /thesis/);
});

test("what a killed run was writing is removed, and nothing else", async () => {
	const path = newPath();
	const leftover = (name: string) => join(path, `${name}.123.0badcafe.tmp`);
	await mkdir(path);
	await writeFile(leftover("run.json"), "{");
	await RunFolder.open(path, {}, false);
	await writeFile(leftover("vae.checkpoint.safetensors"), "half");
	await writeFile(join(path, "mine.tmp"), "");
	await RunFolder.open(path, {}, true);
	assert.equal((await readdir(path)).sort(), ["mine.tmp", "run.json"]);
});

test("the time of a run is that of all its processes", async () => {
	const path = newPath();
	await (await RunFolder.open(path, {}, false)).saveCheckpoint("vae", {
		tensors: new Map(),
		step: 0,
		epoch: 1,
		history: { train: [], validation: [] },
	});
	assert.match(await readFile(join(path, "seconds.txt"), "utf8"), /^\d\.\d\n$/);
	await writeFile(join(path, "seconds.txt"), "100.5\n");
	const again = await RunFolder.open(path, {}, true);
	assert.ok(again.seconds >= 100.5 && again.seconds < 110, `${again.seconds}`);
	await writeFile(join(path, "seconds.txt"), "1e999");
	const damaged = await RunFolder.open(path, {}, true);
	assert.ok(damaged.seconds < 10);
	await damaged.removeScratch();
	assert.not((await readdir(path)).includes("seconds.txt"));
});

// Turns of images, and the symmetry loss.

function turned(image: Float32Array, turn: number, channels = 1): Float32Array {
	const out = new Float32Array(image.length).fill(Number.NaN);
	copyTurned(image, channels, turn, out, 0);
	return out;
}

/** What copyTurned does to positions. */
const turnedPlace = ({ x, y }: { x: number; y: number }, turn: number) => {
	const [a, b] = turn & 1 ? [y, x] : [x, y];
	return { x: turn & 2 ? -a : a, y: turn & 4 ? -b : b };
};

test("copyTurned: the eight symmetries of the square, a group", () => {
	const image = uniform(new Random(1), 4096);
	const all = Array.from({ length: 8 }, (_, turn) => bits(turned(image, turn)));
	assert.is(new Set(all).size, 8);
	assert.is(all[0], bits(image));
	for (let a = 0; a < 8; a++) {
		const row = all.map((_, b) =>
			all.indexOf(bits(turned(turned(image, a), b))),
		);
		assert.equal(row.toSorted(), [0, 1, 2, 3, 4, 5, 6, 7], `after ${a}`);
	}
});

test("copyTurned keeps channels together and writes at its offset only", () => {
	const image = uniform(new Random(2), 3 * 4096);
	const channel = (of: Float32Array, c: number) =>
		of.filter((_, i) => i % 3 === c);
	const into = new Float32Array(3 * 4096 + 20).fill(7);
	copyTurned(image, 3, 5, into, 10);
	for (let c = 0; c < 3; c++)
		assert.is(
			bits(channel(into.slice(10, -10), c)),
			bits(turned(channel(image, c), 5)),
		);
	assert.ok(into.subarray(0, 10).every((v) => v === 7));
	assert.ok(into.subarray(-10).every((v) => v === 7));
});

test("a turned kernel with turned scatterers gives the turned observation, and all five input channels turned", () => {
	const random = new Random(4);
	const kernel = uniform(random, 4096);
	const scatterers = Array.from({ length: 4 }, () => ({
		x: random.uniform(-150, 150),
		y: random.uniform(-150, 150),
	}));
	const observe = (k: Float32Array, places: typeof scatterers) =>
		Float32Array.from(new ForwardOperator(places).apply(embed(k)));
	const image = observe(kernel, scatterers);
	const { inputs } = physicsInputs(image, scatterers);
	const far = (a: Float32Array, b: Float32Array) =>
		a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
	for (let turn = 0; turn < 8; turn++) {
		const places = scatterers.map((s) => turnedPlace(s, turn));
		const seen = turned(image, turn);
		assert.ok(far(observe(turned(kernel, turn), places), seen) < 1e-5);
		const direct = physicsInputs(seen, places).inputs;
		const off = far(direct, turned(inputs, turn, 5));
		assert.ok(off < 1e-3, `turn ${turn}: inputs differ by ${off}`);
	}
});

test("symmetryAngles: each class gets all of its own angles, 1-fold none unless asked", () => {
	const classes: Symmetry[] = [1, 2, 3, 4, 6];
	const degrees = (penalise: boolean) => {
		const random = new Random(9);
		const seen = classes.map(() => new Set<number>());
		for (let i = 0; i < 200; i++)
			symmetryAngles(classes, random, penalise).forEach((angle, k) => {
				seen[k].add(Math.round((angle * 180) / Math.PI));
			});
		return seen.map((s) => [...s].toSorted((a, b) => a - b));
	};
	const published = [
		[-90, 90, 180],
		[180],
		[-120, 120],
		[-90, 90],
		[-120, -60, 60, 120, 180],
	];
	assert.equal(degrees(true), published);
	assert.equal(degrees(false), [[0], ...published.slice(1)]);
});

test("symmetryLoss vanishes on images of the class, and not on others", async () => {
	const random = uniform(new Random(5), 4096);
	const fourFold = random.map((_, i) =>
		[0, 3, 5, 6].reduce((s, turn) => s + turned(random, turn)[i], 0),
	);
	const loss = async (image: Float32Array, degrees: number) => {
		const value: Tensor = scope(gpu, () => {
			const x = tensor(gpu, image, [1, 64, 64, 1]);
			return symmetryLoss(x, x, [(degrees * Math.PI) / 180]);
		});
		const [read] = await value.data();
		value.dispose();
		return read;
	};
	assert.is(await loss(random, 0), 0);
	assert.ok((await loss(fourFold, 90)) < 1e-6);
	assert.ok((await loss(fourFold, -90)) < 1e-6);
	assert.ok((await loss(fourFold, 120)) > 0.1);
	assert.ok((await loss(random, 180)) > 0.1);
});

test("summarise: means over each part, noise levels and scatterer counts; an empty part has no figures", () => {
	const image = uniform(new Random(1), 4096);
	const flipped = image.map((v) => -v);
	const observations = [
		{ part: "seen", noise: 0.1, count: 1 },
		{ part: "seen", noise: 0.3, count: 4 },
		{ part: "unseenEnergy", noise: 0.1, count: 5 },
	].map(({ part, noise, count }, index) => ({
		kernel: 0,
		part: part as "seen",
		noise,
		scatterers: Array.from({ length: count }, () => ({ x: 0, y: 0 })),
		index,
	}));
	const table = scoreTable({ ridge: [image, flipped, image] }, [
		image,
		image,
		image,
	]);
	const { methods, byNoise, byScatterers } = summarise(table, observations);
	const { seen, unseenEnergy, unseenFamily } = methods.ridge ?? {};
	assert.is(seen?.n, 2);
	assert.ok(Math.abs(seen?.ncc ?? 1) < 1e-6);
	assert.ok((seen?.mae ?? 0) > 0);
	assert.equal([unseenEnergy?.n, unseenEnergy?.mae], [1, 0]);
	const nothing = { mae: null, mse: null, rmse: null, ncc: null, n: 0 };
	assert.equal(unseenFamily, nothing);
	assert.equal(average([]), nothing);
	const points = (curve?: readonly CurvePoint[]) =>
		curve?.map(({ value, ncc, n }) => [value, Math.round(ncc ?? 9), n]);
	// The curves leave out what was trained on, where there is anything else.
	assert.equal(points(byNoise?.ridge), [[0.1, 1, 1]]);
	assert.equal(points(byScatterers?.ridge), [[5, 1, 1]]);
	const allSeen = summarise(
		table,
		observations.map((o) => ({ ...o, part: "seen" as const })),
	);
	assert.equal(points(allSeen.byNoise?.ridge), [
		[0.1, 1, 2],
		[0.3, -1, 1],
	]);
	assert.equal(points(allSeen.byScatterers?.ridge), [
		[1, 1, 1],
		[5, 0, 2],
	]);
});

// Sources, and what is prepared of them.

test("a generated source: the same seed the same images, another identity for any other option", async () => {
	const options = { observations: 1, seed: 1, scattering: "linear" as const };
	const source = generatedSource(12, options);
	const { kernels, split } = source;
	assert.equal(
		[...split.train, ...split.unseenEnergy, ...split.unseenFamily].toSorted(
			(a, b) => a - b,
		),
		kernels.map((k) => k.number),
	);
	const { number } = kernels[3];
	const one = await source.load(number);
	const two = await generatedSource(12, options).load(number);
	assert.is(bits(one.kernel), bits(two.kernel));
	assert.is(bits(one.observations[0].image), bits(two.observations[0].image));
	assert.match((await failure(() => source.load(99))).message, "no kernel 99");
	const identities = [
		source,
		generatedSource(12, options),
		generatedSource(13, options),
		generatedSource(12, { ...options, seed: 2 }),
		generatedSource(12, { ...options, observations: 2 }),
		generatedSource(12, { ...options, scattering: "full" }),
	].map((s) => s.identity);
	assert.is(new Set(identities).size, 5);
});

test("a folder's source: unknown classes count as 1-fold, noise levels go with their images", async () => {
	const image = uniform(new Random(1), 4096);
	const dataset: Dataset = {
		folder: "here",
		bad: [],
		warnings: [],
		manifest: undefined,
		kernels: [
			{ number: 5, symmetry: undefined, noise: [0.1, 0.5] },
			{ number: 7, symmetry: 4 as const, noise: undefined },
		].map((k) => ({
			...k,
			file: fileURLToPath(import.meta.url),
			family: "f",
			energy: undefined,
			observations: 2,
		})),
		load: async () => ({
			kernel: image,
			axis: makeAxis(),
			images: [image, image],
			scatterers: [[{ x: 1, y: 2 }], []],
		}),
	};
	const source = await datasetSource(dataset);
	assert.equal(
		source.kernels.map((k) => k.symmetry),
		[1, 4],
	);
	const { observations } = await source.load(5);
	assert.equal(
		observations.map((o) => o.noise),
		[0.1, 0.5],
	);
	assert.equal(observations[0].scatterers, [{ x: 1, y: 2 }]);
	assert.is((await source.load(7)).observations[0].noise, undefined);
});

/** Ten kernels of white noise, three images each; counts what is loaded. */
function noiseSource(seed: number): Source & { loads: number } {
	const kernels = Array.from({ length: 10 }, (_, i) => ({
		number: i + 1,
		family: `family ${Math.floor(i / 3)}`,
		symmetry: 2 as const,
		energy: 0.01 * i,
		observations: 3,
	}));
	return {
		loads: 0,
		identity: `noise ${seed}`,
		kernels,
		split: makeSplit(kernels, { seed: 1 }),
		async load(number) {
			this.loads++;
			const random = new Random(seed, number);
			return {
				kernel: uniform(random, 4096),
				observations: Array.from({ length: 3 }, (_, i) => ({
					image: uniform(random, 4096),
					scatterers: [{ x: random.uniform(-100, 100), y: 10 * i }],
					noise: i === 0 ? undefined : 0.1,
				})),
			};
		},
	};
}

/** Prepares and reads everything back; `made` says whether it was made anew. */
async function prepared(
	folder: string,
	{
		source = noiseSource(1),
		inputs = "paper" as "paper" | "physics",
		most = 2,
	} = {},
) {
	const data = await prepare(source, { inputs, most, folder });
	return { made: source.loads > 0, ...readAll(data) };
}

/** Everything that was prepared, comparable bit by bit. */
function readAll(data: PreparedData) {
	const { channels } = data.inputs;
	const input = new Float32Array(4096 * channels);
	const read = data.observations.map((o) => {
		data.inputs.read(o.index, input);
		return bits(input);
	});
	data.inputs.close();
	return {
		data,
		channels,
		all: JSON.stringify({
			kernels: data.kernels.map((k) => ({ ...k, image: bits(k.image) })),
			evaluated: data.evaluated.map((o) => ({
				...o,
				image: bits(o.image),
				ridge: bits(o.ridge),
			})),
			observations: data.observations,
			read,
		}),
	};
}

test("prepare() chooses by the split, and scales kernels but not the evaluated images", async () => {
	const source = noiseSource(1);
	const { split } = source;
	const { data, channels } = await prepared(newPath(), { source });
	assert.is(channels, 2);
	const { kernels, observations, evaluated } = data;
	assert.equal(
		kernels.filter((k) => k.trained).map((k) => k.number),
		split.train,
	);
	const count = (part: string) =>
		observations.filter((o) => o.part === part).length;
	assert.is(count("train"), 2 * split.train.length);
	for (const part of ["seen", "unseenEnergy", "unseenFamily"])
		assert.is(count(part), 2, part);
	assert.is(evaluated.length, 6);
	for (const o of evaluated) {
		const { number, image } = kernels[o.kernel];
		const list =
			o.part === "seen" ? split.train : split[o.part as "unseenEnergy"];
		assert.ok(list.includes(number), `${o.part} ${number}`);
		const { kernel, observations: images } = await source.load(number);
		assert.is(bits(image), bits(unitRms(kernel).image));
		const at = images.findIndex((i) => bits(i.image) === bits(o.image));
		assert.ok(o.part === "seen" ? at === 2 : at >= 0, `image ${at}`);
		assert.equal(o.scatterers, images[at].scatterers);
		assert.is(o.noise, images[at].noise);
	}
	const [{ image, scatterers, ridge }] = evaluated;
	const { kernel } = ridgeGcv(new ForwardOperator(scatterers), image);
	assert.is(bits(ridge), bits(centre(kernel)));
});

test("what was prepared is reused; other data, inputs or counts, or damage, and it is made again", async () => {
	const folder = newPath();
	const first = await prepared(folder);
	assert.ok(first.made);
	const reused = await prepared(folder);
	assert.not(reused.made);
	assert.is(reused.all, first.all);

	const damage: Record<string, () => Promise<void>> = {
		"a flipped byte in data.f32": () => flip("data.f32", 123_457),
		"data.f32 cut": () => truncate(join(folder, "data.f32"), 400_000),
		"a changed number in index.json": async () => {
			const text = await readFile(join(folder, "index.json"), "utf8");
			const edited = text.replace('"noise":0.1', '"noise":0.2');
			assert.is.not(edited, text);
			await writeFile(join(folder, "index.json"), edited);
		},
		"index.json cut": () => truncate(join(folder, "index.json"), 300),
		"no data.f32": () => rm(join(folder, "data.f32")),
	};
	async function flip(name: string, at: number) {
		const bytes = await readFile(join(folder, name));
		bytes[at] ^= 4;
		await writeFile(join(folder, name), bytes);
	}
	for (const [what, harm] of Object.entries(damage)) {
		await harm();
		const again = await prepared(folder);
		assert.ok(again.made, what);
		assert.ok(again.all === first.all, what);
	}

	const others = [
		{ most: 1 },
		{ inputs: "physics" as const },
		{ source: noiseSource(2) },
	];
	for (const other of others) {
		const different = await prepared(folder, other);
		assert.ok(different.made, Object.keys(other).join());
		assert.is.not(different.all, first.all);
	}
	assert.equal((await readdir(folder)).sort(), ["data.f32", "index.json"]);
});

test("data prepared in memory are those of the folder, survive structured clone, and wait and stop when told", async () => {
	for (const inputs of ["paper", "physics"] as const) {
		const options = { inputs, most: 2 };
		const stored = structuredClone(
			await prepareInMemory(noiseSource(1), options),
		);
		const { all } = await prepared(newPath(), { inputs });
		assert.ok(readAll(restore(stored)).all === all, inputs);
	}
	const stop = new AbortController();
	let results = 0;
	const gate = () => {
		if (++results === 13) stop.abort(new Error("enough"));
	};
	const error = await failure(() =>
		prepareInMemory(noiseSource(1), {
			inputs: "paper",
			most: 2,
			signal: stop.signal,
			gate,
		}),
	);
	assert.is(error.message, "enough");
	assert.is(results, 13);
});

test("an interrupted preparation leaves nothing half made, and removes what a killed one left", async () => {
	const folder = newPath();
	const stop = new AbortController();
	const source = noiseSource(1);
	const { load } = source;
	source.load = (number) => {
		if (number === 5) stop.abort(new Error("enough"));
		return load.call(source, number);
	};
	const options = { inputs: "paper", most: 2, folder } as const;
	const error = await failure(() =>
		prepare(source, { ...options, signal: stop.signal }),
	);
	assert.is(error.message, "enough");
	assert.equal(await readdir(folder), []);
	await writeFile(join(folder, "data.4242.tmp"), "half");
	assert.ok((await prepared(folder)).made);
	assert.equal((await readdir(folder)).sort(), ["data.f32", "index.json"]);
});

test.run();
