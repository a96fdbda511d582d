// Training data that are new ones in every epoch.
import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeNetwork } from "../src/models/networks.ts";
import { WideStream } from "../src/node/datasets/wideStream.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { HELD_OUT } from "../src/qpi/generator/wide.ts";
import { compareKernels } from "../src/qpi/scores/metrics.ts";
import {
	type KeptCheckpoint,
	keep,
	takeUp,
} from "../src/training/checkpoint.ts";
import type { Prepared } from "../src/training/data.ts";
import { train } from "../src/training/loop.ts";
import { PRESETS } from "../src/training/presets.ts";
import {
	type DataStream,
	type StreamTask,
	streamPattern,
} from "../src/training/stream.ts";
import { alignerTask, oneStepTask, vaeTask } from "../src/training/tasks.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const OPTIONS = {
	seed: 7,
	patterns: 2,
	views: 2,
	observations: 2,
	inputs: "paper",
} as const;

/** Everything of an epoch, in few characters. */
function digest({ kernels, observations, inputs }: Prepared): string {
	const hash = createHash("sha1");
	for (const { image, ...rest } of kernels)
		hash.update(image).update(JSON.stringify(rest));
	const values = new Float32Array(4096 * inputs.channels);
	for (const observation of observations) {
		inputs.read(observation.index, values);
		hash.update(values).update(JSON.stringify(observation));
	}
	return hash.digest("hex");
}

/** These epochs, in this order, of one stream. */
async function epochs(
	wanted: readonly number[],
	options: Partial<ConstructorParameters<typeof WideStream>[0]> = {},
): Promise<Prepared[]> {
	const stream = new WideStream({ ...OPTIONS, ...options });
	const found: Prepared[] = [];
	try {
		for (const [i, epoch] of wanted.entries())
			found.push(await stream.epoch(epoch, wanted[i + 1] === epoch + 1));
	} finally {
		await stream.close();
	}
	return found;
}

const EPOCHS = await epochs([0, 1, 2], { threads: 1 });
const whole = EPOCHS.map(digest);

test("the same seed gives the same epochs, whatever the number of workers, and each epoch other data", async () => {
	assert.is(new Set(whole).size, 3);
	assert.equal((await epochs([0, 1, 2], { threads: 3 })).map(digest), whole);
	const [other] = await epochs([0], { seed: 8, patterns: 1 });
	assert.is.not(digest(other), whole[0]);
	assert.ok(
		compareKernels(other.kernels[0].image, EPOCHS[0].kernels[0].image).mse > 0,
	);
});

test("a stream can begin anywhere, go back, and ask for an epoch that was not begun", async () => {
	const order = [1, 2, 0, 2];
	assert.equal(
		(await epochs(order, { threads: 2 })).map(digest),
		order.map((epoch) => whole[epoch]),
	);
});

test("an epoch that was prepared is the one that is asked for; another is made all the same", async () => {
	const stream = new WideStream({ ...OPTIONS, threads: 1 });
	try {
		stream.prepare(2);
		stream.prepare(1);
		assert.is(digest(await stream.epoch(1, false)), whole[1]);
		stream.prepare(2);
		assert.is(digest(await stream.epoch(0, false)), whole[0]);
		stream.prepare(0);
		assert.is(digest(await stream.epoch(0, true)), whole[0]);
		assert.is(digest(await stream.epoch(1, false)), whole[1]);
	} finally {
		await stream.close();
	}
});

test("patterns are those of the generator by their numbers, and the observations go with them", () => {
	const { kernels, observations, inputs } = EPOCHS[1];
	assert.equal(
		kernels.map((k) => k.number),
		[4, 5, 6, 7],
	);
	assert.equal(
		observations.map((o) => [o.kernel, o.part]),
		[0, 0, 1, 1, 2, 2, 3, 3].map((k) => [k, "train"]),
	);
	const values = new Float32Array(2 * 4096);
	for (const number of [2, 3]) {
		const task: StreamTask = { ...OPTIONS, number };
		const alone = streamPattern(task);
		for (const v of [0, 1]) {
			const { image, label } = kernels[2 * (number - 2) + v];
			assert.equal(image, alone.images.slice(4096 * v, 4096 * (v + 1)));
			assert.is(label, alone.kind);
		}
		for (const j of [0, 1, 2, 3]) {
			const { index, scatterers, noise } = observations[4 * (number - 2) + j];
			assert.equal(alone.observations[j], { scatterers, noise });
			inputs.read(index, values);
			assert.equal(values, alone.inputs.slice(8192 * j, 8192 * (j + 1)));
		}
	}
});

test("drawn patterns have unit root mean square, many kinds, and never one that is held out", () => {
	const kinds = new Set<string>();
	for (let number = 0; number < 16; number++) {
		const { kind, images, observations } = streamPattern({
			seed: 1,
			number,
			views: 1,
			observations: 1,
			inputs: "paper",
		});
		kinds.add(kind);
		const square = images.reduce((sum, v) => sum + v * v, 0) / images.length;
		assert.ok(Math.abs(square - 1) < 1e-3, `${number}: ${square}`);
		const [{ noise }] = observations;
		assert.ok(noise >= 0 && noise <= 0.5);
	}
	assert.ok(kinds.size > 8, [...kinds].join());
	assert.ok([...kinds].some((kind) => kind.startsWith("bare")));
	for (const kind of HELD_OUT) assert.not(kinds.has(kind));
	assert.throws(
		() => streamPattern({ ...OPTIONS, number: 2 ** 29 }),
		/pattern 536870912 of a stream/,
	);
	assert.throws(
		() => new WideStream({ ...OPTIONS, patterns: 0 }),
		/a stream of 0 patterns from 2 sides/,
	);
});

/** A stream that is there already, which notes what it is asked for. */
class Noted implements DataStream {
	readonly identity = "noted";
	readonly kernels = OPTIONS.patterns * OPTIONS.views;
	readonly observations = OPTIONS.observations;
	readonly asked: [number, boolean][] = [];

	async epoch(epoch: number, more: boolean): Promise<Prepared> {
		this.asked.push([epoch, more]);
		return EPOCHS[epoch];
	}

	prepare(): void {}
}

/** Nothing to train on, but to validate with. */
const DATA: Prepared = {
	...EPOCHS[0],
	observations: EPOCHS[0].observations.map((o) => ({
		...o,
		part: "unseenFamily",
	})),
	kernels: EPOCHS[0].kernels.map((k) => ({ ...k, trained: false })),
};

for (const name of ["vae", "aligner", "oneStep"] as const)
	test(`${name} on a stream: a stopped run resumes bitwise, on data that differ by the epoch`, async () => {
		const { size } = PRESETS.smoke;
		const learn = async (resume?: KeptCheckpoint) => {
			const input = { channels: 2, kernelChannel: null };
			const made = (name: "vae" | "aligner" | "oneStep") =>
				makeNetwork(gpu, name, size, input, [], 3);
			const [vae, aligner, oneStep] = [
				made("vae"),
				made("aligner"),
				made("oneStep"),
			];
			const stream = new Noted();
			const options = {
				...PRESETS.smoke.aligner,
				gpu,
				data: DATA,
				stream,
				seed: 3,
				onLastData: () => {
					assert.equal(stream.asked.at(-1), [2, false]);
					told++;
				},
			};
			const task = {
				vae: () => vaeTask({ ...options, vae, repeats: 2 }),
				aligner: () => alignerTask({ ...options, vae, aligner }),
				oneStep: () => oneStepTask({ ...options, oneStep }),
			}[name]();
			assert.is(task.samples, 8);
			let told = 0;
			const kept: KeptCheckpoint[] = [];
			try {
				await train(gpu, task, {
					seed: 3,
					resume: resume && takeUp(resume),
					async onEpoch(checkpoint) {
						kept.push(await keep(checkpoint));
					},
				});
			} finally {
				for (const network of [vae, aligner, oneStep]) network.dispose();
			}
			assert.is(told, 1);
			return { kept, asked: stream.asked };
		};
		const first = await learn();
		assert.equal(first.asked, [
			[0, true],
			[1, true],
			[2, false],
		]);
		const rest = await learn(first.kept[0]);
		assert.equal(rest.asked, first.asked.slice(1));
		assert.equal(rest.kept, first.kept.slice(1));
		assert.ok(first.kept[2].history.validation.every(([, v]) => v > 0));
	});

test.run();
