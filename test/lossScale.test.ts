// Loss scaling, which does not depend on f16: gradients are multiplied by a power of two here, and Adam divides it out again.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import {
	collect,
	joined,
	lazy,
	part,
	type State,
} from "../src/engine/layers/state.ts";
import { mul } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { Random } from "../src/random.ts";
import {
	type Checkpoint,
	decodeCheckpoint,
} from "../src/training/checkpoint.ts";
import { DivergedError, train } from "../src/training/loop.ts";
import type { Task } from "../src/training/task.ts";
import { sourceOf, written } from "./fuzzFixtures.ts";
import { compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const N = 300;

function network(on = gpu): Parameters {
	const list = new Map<string, Parameter>();
	list.set("w", new Parameter([N], uniform(new Random(3), N)));
	return new Parameters(on, list);
}

const gradientOf = (k: number) => uniform(new Random(100 + k), N);
const spoilt = (value: number) => gradientOf(0).fill(value, 17, 18);

const dataOf = (state: State, name: string) =>
	state.get(name)?.data as Float32Array;

/** A network and its optimiser. */
class Training {
	readonly parameters = network();
	readonly adam: Adam;

	constructor(lossScaling: boolean) {
		this.adam = new Adam(this.parameters, { lr: 0.01, lossScaling });
	}

	/** One step whose loss has just this gradient. */
	step(gradient: Float32Array, clip?: number): void {
		const { parameters, adam } = this;
		scope(gpu, () => {
			parameters.zeroGrad();
			const g = tensor(gpu, gradient, [N]);
			backward(sum(mul(parameters.get("w"), g)), adam.seed);
			adam.step({ clip });
		});
	}

	/** What Adam remembers. */
	state = () => collect(this.adam.lazy());

	async scaling(): Promise<number[]> {
		return [...(dataOf(await this.state(), "scaling") ?? [])];
	}

	/** Everything but the scale and the counts. */
	async learnt() {
		const weights = dataOf(await this.parameters.state(), "w");
		const state = await this.state();
		return [weights, dataOf(state, "m/w"), dataOf(state, "v/w")];
	}
}

for (const clip of [undefined, 1, 1000])
	test(`scaled and unscaled training agree, clip ${clip}: moments bitwise, weights to 1e-6`, async () => {
		const [plain, scaled] = [new Training(false), new Training(true)];
		for (let k = 0; k < 10; k++)
			for (const t of [plain, scaled]) t.step(gradientOf(k), clip);
		const [a, b] = [await plain.learnt(), await scaled.learnt()];
		// Powers of two cancel exactly.
		assert.equal(b.slice(1), a.slice(1));
		// The bias corrections are f32 on the device, float64 on the host.
		compare("weights", b[0], a[0], 1e-6);
		assert.equal((await scaled.scaling()).slice(0, 2), [65536, 10]);
		assert.not((await plain.state()).has("scaling"));
		assert.is(plain.adam.seed, undefined);
	});

for (const value of [Number.POSITIVE_INFINITY, Number.NaN])
	test(`a gradient of ${value} skips the step and halves the scale`, async () => {
		const [t, without] = [new Training(true), new Training(true)];
		for (const each of [t, without]) each.step(gradientOf(1), 1);
		const before = await t.learnt();
		const [, , ...corrections] = await t.scaling();
		t.step(spoilt(value), 1);
		assert.equal(await t.learnt(), before);
		assert.equal(await t.scaling(), [32768, 0, ...corrections]);
		// It is as if the step had not been.
		for (const each of [t, without]) each.step(gradientOf(2), 1);
		assert.equal(await t.learnt(), await without.learnt());
		assert.not.equal(await t.learnt(), before);
		assert.equal((await t.scaling()).slice(0, 2), [32768, 1]);
	});

/** After one step from a state with this scale and count of good steps. */
async function after(scale: number, good: number, gradient = gradientOf(5)) {
	const t = new Training(true);
	const data = Float32Array.of(scale, good, 0.1, 0.001);
	const state = (await t.state()).set("scaling", { shape: [4], data });
	await t.adam.load(lazy(state), 0);
	t.step(gradient);
	return (await t.scaling()).slice(0, 2);
}

test("the scale doubles after 2000 good steps, and stays between 1 and 2^24", async () => {
	assert.equal(await after(1024, 1998), [1024, 1999]);
	assert.equal(await after(1024, 1999), [2048, 0]);
	assert.equal(await after(2 ** 24, 1999), [2 ** 24, 0]);
	assert.equal(await after(1024, 1999, spoilt(Number.NaN)), [512, 0]);
	assert.equal(await after(1, 5, spoilt(Number.NaN)), [1, 0]);
});

/** A training's checkpoint through the bytes of its file. */
async function stored({ parameters, adam }: Training): Promise<Checkpoint> {
	const checkpoint: Checkpoint = {
		epoch: 1,
		step: adam.steps,
		history: { train: [], validation: [] },
		tensors: joined({
			"weight/": parameters.values.lazy(),
			"adam/": adam.lazy(),
		}),
	};
	const file = await written(checkpoint, "key");
	return decodeCheckpoint(sourceOf(file, "file"), "key");
}

/** Goes on from a checkpoint. */
async function resumed({ tensors, step }: Checkpoint, lossScaling = true) {
	const t = new Training(lossScaling);
	await t.parameters.values.load(part(tensors, "weight/"));
	await t.adam.load(part(tensors, "adam/"), step);
	return t;
}

test("a resumed optimiser goes on bitwise, through its checkpoint's bytes", async () => {
	const t = new Training(true);
	for (let k = 0; k < 4; k++) t.step(gradientOf(k));
	t.step(spoilt(Number.POSITIVE_INFINITY));
	const again = await resumed(await stored(t));
	assert.equal(await again.state(), await t.state());
	for (const each of [t, again])
		for (let k = 4; k < 8; k++) each.step(gradientOf(k));
	assert.equal(await again.learnt(), await t.learnt());
	assert.equal(await again.state(), await t.state());
});

test("a checkpoint from before loss scaling still loads, and scaling begins", async () => {
	const plain = new Training(false);
	for (let k = 0; k < 4; k++) plain.step(gradientOf(k));
	const checkpoint = await stored(plain);
	assert.equal(
		[...checkpoint.tensors.keys()],
		["weight/w", "adam/m/w", "adam/v/w"],
	);
	const scaled = await resumed(checkpoint);
	for (const t of [plain, scaled]) t.step(gradientOf(4));
	const [a, b] = [await plain.learnt(), await scaled.learnt()];
	assert.equal(b.slice(1), a.slice(1));
	compare("weights", b[0], a[0], 1e-6);
});

test("a state that is none is refused", async () => {
	const t = new Training(true);
	const state = await t.state();
	for (const values of [
		[1, 0, 0],
		[0, 0, 0, 0],
		[2, Number.NaN, 0, 0],
	]) {
		const scaling = { shape: [4], data: Float32Array.from(values) };
		const other = new Map(state).set("scaling", scaling);
		await t.adam.load(lazy(other), 0).then(
			() => assert.unreachable(),
			({ message }: Error) => assert.match(message, "loss scale: a state of"),
		);
	}
});

/** A loss whose gradient is `factor` everywhere: of 1e30 the loss is finite and the sum of squares is not. */
async function fit(on: Gpu, factor = 1): Promise<State> {
	const parameters = network(on);
	const task: Task = {
		name: "toy",
		parameters,
		samples: 20,
		epochs: 1,
		batch: 1,
		learningRate: 0.05,
		schedule: { every: 1, factor: 1 },
		clip: null,
		loss() {
			const w = parameters.get("w");
			const f = tensor(on, new Float32Array(N).fill(factor), [N]);
			return sum(mul(w, f));
		},
		validate: async () => 0,
	};
	let last: State = new Map();
	await train(on, task, {
		seed: 1,
		async onEpoch({ tensors }) {
			last = await collect(tensors);
		},
	});
	return last;
}

test("train() scales the loss where convolutions are f16, and nowhere else", async () => {
	const f16 = new Gpu(gpu.device, {
		shaders: loadShaders(),
		matrix: true,
	});
	const [plain, scaled] = [await fit(gpu), await fit(f16)];
	assert.not(plain.has("adam/scaling"));
	assert.equal(
		dataOf(scaled, "adam/scaling").slice(0, 2),
		Float32Array.of(65536, 20),
	);
	assert.equal(scaled.get("adam/m/w"), plain.get("adam/m/w"));
	try {
		await fit(f16, 1e30);
		assert.unreachable();
	} catch (error) {
		assert.instance(error, DivergedError);
		assert.match((error as Error).message, "at the smallest loss scale");
	}
});

test("a loss that was not scaled is refused by name", async () => {
	const { parameters, adam } = new Training(true);
	scope(gpu, () =>
		backward(sum(mul(parameters.get("w"), parameters.get("w")))),
	);
	assert.throws(
		() => adam.step(),
		/Adam: loss scaling, but the gradient of "w".*backward\(loss, adam\.seed\)/,
	);
	assert.is(adam.steps, 0);
});

test.run();
