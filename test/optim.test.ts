import { test } from "uvu";
import * as assert from "uvu/assert";
import { backward } from "../src/engine/autograd.ts";
import { ParameterList, Parameters } from "../src/engine/nn.ts";
import { add, mul } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { Adam, type AdamOptions, StepLR } from "../src/engine/optim.ts";
import { scope } from "../src/engine/scope.ts";
import { tensor } from "../src/engine/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/adapter.ts";
import { Random } from "../src/random.ts";
import { compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const SIZES = [1, 300, 67];

function network(): Parameters {
	const list = new ParameterList();
	const random = new Random(3);
	for (const n of SIZES) list.add(`p${n}`, [n], uniform(random, n));
	return new Parameters(gpu, list);
}

/** Gradients of step k, one array a parameter. */
function gradientsOf(k: number, size = 1): Float32Array[] {
	const random = new Random(100 + k);
	return SIZES.map((n) => uniform(random, n, -size, size));
}

/** One step whose loss has just these gradients; a null parameter takes no part. */
function step(
	parameters: Parameters,
	adam: Adam,
	gradients: (Float32Array | null)[],
	clip?: number,
): void {
	scope(gpu, () => {
		parameters.zeroGrad();
		const parts = gradients.flatMap((g, i) =>
			g
				? sum(mul(parameters.get(`p${SIZES[i]}`), tensor(gpu, g, [g.length])))
				: [],
		);
		backward(parts.reduce((total, part) => add(total, part)));
		adam.step({ clip });
	});
}

/** Adam (Kingma and Ba 2015, algorithm 1) in float64, with torch's L2 penalty and clip_grad_norm_. */
class Reference {
	weights: number[];
	m: number[];
	v: number[];
	t = 0;
	constructor(weights: Float32Array[]) {
		this.weights = weights.flatMap((w) => [...w]);
		this.m = this.weights.map(() => 0);
		this.v = this.weights.map(() => 0);
	}
	step(
		gradients: Float32Array[],
		options: AdamOptions,
		clip = Number.POSITIVE_INFINITY,
	): void {
		const {
			lr,
			betas: [b1, b2] = [0.9, 0.999],
			eps = 1e-8,
			weightDecay = 0,
		} = options;
		this.t++;
		const flat = gradients.flatMap((g) => [...g]);
		const norm = Math.sqrt(flat.reduce((s, g) => s + g * g, 0));
		const factor = Math.min(1, clip / (norm + 1e-6));
		flat.forEach((raw, i) => {
			const g = raw * factor + weightDecay * this.weights[i];
			this.m[i] = b1 * this.m[i] + (1 - b1) * g;
			this.v[i] = b2 * this.v[i] + (1 - b2) * g * g;
			const mHat = this.m[i] / (1 - b1 ** this.t);
			const vHat = this.v[i] / (1 - b2 ** this.t);
			this.weights[i] -= (lr * mHat) / (Math.sqrt(vHat) + eps);
		});
	}
}

async function flatWeights(parameters: Parameters): Promise<number[]> {
	return [...(await parameters.state()).values()].flatMap(({ data }) => [
		...data,
	]);
}

const table: {
	name: string;
	options: AdamOptions;
	clip?: number;
	size?: number;
}[] = [
	{ name: "Adam", options: { lr: 0.01 } },
	{
		name: "Adam with weight decay and other constants",
		options: { lr: 0.02, betas: [0.5, 0.9], eps: 1e-3, weightDecay: 0.1 },
	},
	{
		name: "Adam with a clip that acts",
		options: { lr: 0.01, eps: 0.1 },
		clip: 1,
		size: 5,
	},
	{
		name: "Adam with a clip that does not",
		options: { lr: 0.01, eps: 0.1 },
		clip: 1000,
	},
];
for (const { name, options, clip, size } of table)
	test(`${name} follows the reference for ten steps`, async () => {
		const parameters = network();
		const adam = new Adam(parameters, options);
		const reference = new Reference(
			[...(await parameters.state()).values()].map(({ data }) => data),
		);
		for (let k = 0; k < 10; k++) {
			step(parameters, adam, gradientsOf(k, size), clip);
			reference.step(gradientsOf(k, size), options, clip);
		}
		compare("weights", await flatWeights(parameters), reference.weights, 2e-6);
		const packed = await parameters.values.data();
		const { m, v } = await adam.state();
		// 1 -> 64 floats, 300 -> 320, 67 -> 128.
		for (let i = 0; i < packed.length; i++) {
			const padding = (i >= 1 && i < 64) || (i >= 364 && i < 384) || i >= 451;
			if (padding)
				assert.equal([packed[i], m[i], v[i]], [0, 0, 0], `padding at ${i}`);
		}
		adam.dispose();
		parameters.dispose();
	});

test("a resumed optimiser goes on bitwise", async () => {
	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.01 });
	for (let k = 0; k < 4; k++) step(parameters, adam, gradientsOf(k), 1);
	const weights = await parameters.state();
	const state = await adam.state();
	assert.is(state.step, 4);
	for (let k = 4; k < 9; k++) step(parameters, adam, gradientsOf(k), 1);

	const again = network();
	const resumed = new Adam(again, { lr: 0.01 });
	again.load(weights);
	resumed.load(state);
	for (let k = 4; k < 9; k++) step(again, resumed, gradientsOf(k), 1);
	assert.equal(await again.state(), await parameters.state());
	assert.equal(await resumed.state(), await adam.state());
});

test("a parameter that the loss does not reach has gradient zero", async () => {
	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.01, betas: [0, 0.9] });
	const [g1, g300, g67] = gradientsOf(0);
	step(parameters, adam, [g1, g300, g67]);
	const before = await parameters.state();
	step(parameters, adam, [g1, null, g67]);
	const after = await parameters.state();
	assert.equal(after.get("p300"), before.get("p300"));
	assert.not.equal(after.get("p67"), before.get("p67"));
});

test("frozen parameters, and those without a gradient, are not moved by decay or momentum", async () => {
	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.01, weightDecay: 0.1 });
	const gradients = gradientsOf(0);
	step(parameters, adam, gradients);
	const before = await parameters.state();
	const moments = await adam.state();
	parameters.get("p300").requiresGrad = false;
	step(parameters, adam, [gradients[0], gradients[1], null], 0.5);
	const after = await parameters.state();
	assert.equal(after.get("p300"), before.get("p300"));
	assert.equal(after.get("p67"), before.get("p67"));
	assert.not.equal(after.get("p1"), before.get("p1"));
	const { m } = await adam.state();
	assert.equal(m.slice(64), moments.m.slice(64));
	// The clip saw the one gradient only.
	const [raw] = gradients[0];
	const decay = 0.1 * (before.get("p1")?.data[0] ?? 0);
	const g = Math.sign(raw) * Math.min(Math.abs(raw), 0.5) + decay;
	compare("moment", [m[0]], [0.9 * moments.m[0] + 0.1 * g], 1e-5);

	parameters.get("p300").requiresGrad = true;
	step(parameters, adam, gradients);
	assert.not.equal((await parameters.state()).get("p300"), before.get("p300"));
});

test("a step without any gradient changes nothing", async () => {
	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.01, weightDecay: 0.1 });
	const before = await parameters.state();
	adam.step({ clip: 1 });
	assert.is(adam.steps, 0);
	assert.equal(await parameters.state(), before);
});

for (const clip of [undefined, 1])
	test(`a gradient that is not a number shows in the weights, in all of them with a clip (${clip})`, async () => {
		const parameters = network();
		const adam = new Adam(parameters, { lr: 0.01 });
		const gradients = gradientsOf(0);
		gradients[1][7] = Number.NaN;
		step(parameters, adam, gradients, clip);
		const spoilt = (await flatWeights(parameters)).filter(Number.isNaN);
		assert.is(spoilt.length, clip ? 1 + 300 + 67 : 1);
	});

test("options that there are not are refused", () => {
	const parameters = network();
	assert.throws(
		() => new Adam(parameters, { lr: 1, decay: 0.1 } as AdamOptions),
		/Adam: there is no option "decay"; expected lr, /,
	);
	const adam = new Adam(parameters, { lr: 1 });
	assert.throws(
		() => adam.step({ clipping: 1 } as { clip?: number }),
		/there is no option "clipping"; expected clip/,
	);
});

test("constants that make no sense are refused with their value", async () => {
	const parameters = network();
	for (const lr of [Number.NaN, Number.POSITIVE_INFINITY, -0.5]) {
		assert.throws(
			() => new Adam(parameters, { lr }),
			new RegExp(`Adam: learning rate ${lr};`),
		);
		const adam = new Adam(parameters, { lr: 0.1 });
		assert.throws(
			() => {
				adam.lr = lr;
			},
			new RegExp(`Adam: learning rate ${lr};`),
		);
		assert.is(adam.lr, 0.1);
	}
	assert.throws(
		() => new Adam(parameters, { lr: 1, betas: [0.9, 1] }),
		/beta 1;/,
	);
	assert.throws(() => new Adam(parameters, { lr: 1, eps: 0 }), /eps 0;/);
	assert.throws(
		() => new Adam(parameters, { lr: 1, weightDecay: -1 }),
		/weight decay -1;/,
	);
	const adam = new Adam(parameters, { lr: 0.1 });
	for (const clip of [0, -1, Number.NaN])
		assert.throws(() => adam.step({ clip }), new RegExp(`clip ${clip};`));
	assert.is(adam.steps, 0, "a refused step does not count");
	const state = await adam.state();
	assert.throws(
		() => adam.load({ ...state, m: new Float32Array(3) }),
		/a state of 3 and 512 values; these parameters need 512/,
	);
	assert.throws(
		() => adam.load({ ...state, step: Number.NaN }),
		/after NaN steps/,
	);
	assert.throws(
		() => new StepLR(adam, { every: 0, factor: 0.9 }),
		/every 0 epochs/,
	);
	assert.throws(
		() => new StepLR(adam, { every: 5, factor: Number.NaN }),
		/NaN/,
	);
});

test("StepLR lowers the learning rate by epochs", () => {
	const adam = new Adam(network(), { lr: 1e-3 });
	const schedule = new StepLR(adam, { every: 5, factor: 0.5 });
	const rates = [0, 4, 5, 9, 10, 23, 0].map((epoch) => {
		schedule.epoch(epoch);
		return adam.lr;
	});
	assert.equal(rates, [1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4, 6.25e-5, 1e-3]);
});

test.run();
