// Loss scaling, which does not depend on f16: gradients are multiplied by a power of two here, and Adam divides it out again.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { backward } from "../src/engine/autograd.ts";
import { Gpu } from "../src/engine/gpu.ts";
import { ParameterList, Parameters } from "../src/engine/nn.ts";
import { mul } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { Adam, type AdamState } from "../src/engine/optim.ts";
import { reflect } from "../src/engine/reflect.ts";
import { scope } from "../src/engine/scope.ts";
import { tensor } from "../src/engine/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/adapter.ts";
import { loadShaders } from "../src/node/shaders.ts";
import { Random } from "../src/random.ts";
import {
	decodeCheckpoint,
	encodeCheckpoint,
} from "../src/training/checkpoint.ts";
import { DivergedError, type Task, train } from "../src/training/loop.ts";
import { compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const N = 300;

function network(on = gpu): Parameters {
	const list = new ParameterList();
	list.add("w", [N], uniform(new Random(3), N));
	return new Parameters(on, list);
}

const gradientOf = (k: number) => uniform(new Random(100 + k), N);
const spoilt = (value: number) => gradientOf(0).fill(value, 17, 18);

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

	weights = () => this.parameters.values.data();

	async scaling(): Promise<number[]> {
		return [...((await this.adam.state()).scaling as Float32Array)];
	}

	/** Everything but the scale and the counts. */
	async learnt() {
		const { m, v } = await this.adam.state();
		return [await this.weights(), m, v];
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
		assert.is((await plain.adam.state()).scaling, undefined);
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
	t.adam.load({
		...(await t.adam.state()),
		scaling: Float32Array.of(scale, good, 0.1, 0.001),
	});
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

test("a resumed optimiser goes on bitwise, through its checkpoint's bytes", async () => {
	const t = new Training(true);
	for (let k = 0; k < 4; k++) t.step(gradientOf(k));
	t.step(spoilt(Number.POSITIVE_INFINITY));
	const weights = await t.parameters.state();
	const optimiser = await t.adam.state();
	const bytes = encodeCheckpoint(
		{ epoch: 1, weights, optimiser, history: { train: [], validation: [] } },
		"key",
	);
	const stored = decodeCheckpoint(bytes, "key", "file");
	assert.equal(stored.optimiser, optimiser);

	const resumed = new Training(true);
	resumed.parameters.load(stored.weights);
	resumed.adam.load(stored.optimiser);
	for (const each of [t, resumed])
		for (let k = 4; k < 8; k++) each.step(gradientOf(k));
	assert.equal(await resumed.learnt(), await t.learnt());
	assert.equal(await resumed.adam.state(), await t.adam.state());
});

test("a checkpoint from before loss scaling still loads, and scaling begins", async () => {
	const plain = new Training(false);
	for (let k = 0; k < 4; k++) plain.step(gradientOf(k));
	const weights = await plain.parameters.state();
	const history = { train: [], validation: [] };
	const bytes = encodeCheckpoint(
		{ epoch: 1, weights, optimiser: await plain.adam.state(), history },
		"key",
	);
	const { optimiser } = decodeCheckpoint(bytes, "key", "file");
	assert.equal(Object.keys(optimiser), ["m", "v", "step"]);
	const scaled = new Training(true);
	scaled.parameters.load(weights);
	scaled.adam.load(optimiser);
	for (const t of [plain, scaled]) t.step(gradientOf(4));
	const [a, b] = [await plain.learnt(), await scaled.learnt()];
	assert.equal(b.slice(1), a.slice(1));
	compare("weights", b[0], a[0], 1e-6);
});

test("a state that is none is refused", async () => {
	const t = new Training(true);
	const state = await t.adam.state();
	for (const scaling of [
		[1, 0, 0],
		[0, 0, 0, 0],
		[2, Number.NaN, 0, 0],
	])
		assert.throws(
			() => t.adam.load({ ...state, scaling: Float32Array.from(scaling) }),
			/loss scale: a state of/,
		);
});

/** A loss whose gradient is `factor` everywhere: of 1e30 the loss is finite and the sum of squares is not. */
async function fit(on: Gpu, factor = 1): Promise<AdamState> {
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
	return (await train(on, task, { seed: 1 })).optimiser;
}

test("train() scales the loss where convolutions are f16, and nowhere else", async () => {
	const f16 = new Gpu(gpu.device, {
		layouts: reflect,
		shaders: loadShaders(),
		matrix: true,
	});
	const [plain, scaled] = [await fit(gpu), await fit(f16)];
	assert.is(plain.scaling, undefined);
	assert.equal(scaled.scaling?.slice(0, 2), Float32Array.of(65536, 20));
	assert.equal(scaled.m, plain.m);
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
