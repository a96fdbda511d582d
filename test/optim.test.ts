import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { sumPacked } from "../src/engine/layers/packs.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { collect, lazy, type State } from "../src/engine/layers/state.ts";
import { add, mul } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { Adam, type AdamOptions, AdamW } from "../src/engine/optim/adam.ts";
import { Average } from "../src/engine/optim/average.ts";
import {
	checkSchedule,
	type RateSchedule,
	rateFactor,
} from "../src/engine/optim/schedules.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { tensor, zeros } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const SIZES = [1, 300, 67];

/** All in one buffer, or the first two and the last. */
const LIMITS = [1e6, 1536];

function network(bufferBytes = LIMITS[0]): Parameters {
	const list = new Map<string, Parameter>();
	const random = new Random(3);
	for (const n of SIZES)
		list.set(`p${n}`, new Parameter([n], uniform(random, n)));
	return new Parameters(gpu, list, { bufferBytes });
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
		decoupled = false,
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
			if (decoupled) this.weights[i] *= 1 - lr * weightDecay;
			const g = raw * factor + (decoupled ? 0 : weightDecay * this.weights[i]);
			this.m[i] = b1 * this.m[i] + (1 - b1) * g;
			this.v[i] = b2 * this.v[i] + (1 - b2) * g * g;
			const mHat = this.m[i] / (1 - b1 ** this.t);
			const vHat = this.v[i] / (1 - b2 ** this.t);
			this.weights[i] -= (lr * mHat) / (Math.sqrt(vHat) + eps);
		});
	}
}

const flat = (state: State) =>
	[...state.values()].flatMap(({ data }) => [...data]);

const flatWeights = async (parameters: Parameters) =>
	flat(await parameters.state());

const table: {
	name: string;
	options: AdamOptions;
	clip?: number;
	size?: number;
	decoupled?: boolean;
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
	{
		name: "AdamW",
		options: { lr: 0.05, eps: 1e-3, weightDecay: 0.2 },
		decoupled: true,
		clip: 1,
		size: 5,
	},
];
for (const [{ name, options, clip, size, decoupled }, limit] of table.flatMap(
	(row) => LIMITS.map((limit) => [row, limit] as const),
))
	test(`${name} follows the reference for ten steps, ${limit} bytes a buffer`, async () => {
		const parameters = network(limit);
		const adam = new (decoupled ? AdamW : Adam)(parameters, options);
		const reference = new Reference(
			[...(await parameters.state()).values()].map(({ data }) => data),
		);
		for (let k = 0; k < 10; k++) {
			step(parameters, adam, gradientsOf(k, size), clip);
			reference.step(gradientsOf(k, size), options, clip, decoupled);
		}
		compare("weights", await flatWeights(parameters), reference.weights, 2e-6);
		const packs = await Promise.all(
			parameters.values.packs.map((pack) => pack.data()),
		);
		assert.is(packs.length, limit === LIMITS[0] ? 1 : 2);
		const packed = packs.flatMap((pack) => [...pack]);
		// 1 -> 64 floats, 300 -> 320, 67 -> 128.
		for (let i = 0; i < packed.length; i++) {
			const padding = (i >= 1 && i < 64) || (i >= 364 && i < 384) || i >= 451;
			if (padding) assert.is(packed[i], 0, `padding at ${i}`);
		}
		adam.dispose();
		parameters.dispose();
	});

test("AdamW takes a hundredth of lr away where nothing is said, and moves weights without a gradient", async () => {
	const parameters = network();
	const adam = new AdamW(parameters, { lr: 0.5 });
	assert.is(adam.paramGroups[0].options.weightDecay, 0.01);
	const before = await flatWeights(parameters);
	step(parameters, adam, gradientsOf(0, 0));
	compare(
		"weights",
		await flatWeights(parameters),
		before.map((v) => v * 0.995),
		1e-6,
	);
	adam.dispose();
	parameters.dispose();
	assert.throws(
		() => new AdamW(parameters, { lr: 1, decay: 1 } as AdamOptions),
		/AdamW: there is no option "decay"/,
	);
});

test("a resumed optimiser goes on bitwise", async () => {
	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.01 });
	for (let k = 0; k < 4; k++) step(parameters, adam, gradientsOf(k), 1);
	const weights = await parameters.state();
	const state = lazy(await collect(adam.lazy()));
	assert.is(adam.steps, 4);
	for (let k = 4; k < 9; k++) step(parameters, adam, gradientsOf(k), 1);

	const again = network(LIMITS[1]); // another device may have other limits
	const resumed = new Adam(again, { lr: 0.01 });
	again.load(weights);
	await resumed.load(state, 4);
	for (let k = 4; k < 9; k++) step(again, resumed, gradientsOf(k), 1);
	assert.equal(await again.state(), await parameters.state());
	assert.equal(await collect(resumed.lazy()), await collect(adam.lazy()));
	assert.is(resumed.steps, 9);
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
	const moments = await collect(adam.lazy());
	parameters.get("p300").requiresGrad = false;
	step(parameters, adam, [gradients[0], gradients[1], null], 0.5);
	const after = await parameters.state();
	assert.equal(after.get("p300"), before.get("p300"));
	assert.equal(after.get("p67"), before.get("p67"));
	assert.not.equal(after.get("p1"), before.get("p1"));
	const later = await collect(adam.lazy());
	for (const name of ["m/p300", "m/p67", "v/p300", "v/p67"])
		assert.equal(later.get(name), moments.get(name));
	const moment = (state: State) => state.get("m/p1")?.data[0] ?? 0;
	// The clip saw the one gradient only.
	const [raw] = gradients[0];
	const decay = 0.1 * (before.get("p1")?.data[0] ?? 0);
	const g = Math.sign(raw) * Math.min(Math.abs(raw), 0.5) + decay;
	compare("moment", [moment(later)], [0.9 * moment(moments) + 0.1 * g], 1e-5);

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
	const state = await collect(adam.lazy());
	const refusal = async (change: (state: State) => void, steps = 1) => {
		const other = new Map(state);
		change(other);
		return adam.load(lazy(other), steps).then(
			() => "no refusal",
			(error: Error) => error.message,
		);
	};
	const three = { shape: [3], data: new Float32Array(3) };
	assert.match(
		await refusal((s) => s.set("v/p67", three)),
		'parameter "p67": Adam\'s moments have shape [3], this network [67]',
	);
	assert.match(
		await refusal((s) => s.delete("m/p1")),
		'Adam\'s moments lack parameter "p1"',
	);
	assert.match(await refusal(() => {}, Number.NaN), "after NaN steps");
	const wrong: [RateSchedule, RegExp][] = [
		[{ every: 0, factor: 0.9 }, /every 0 epochs/],
		[{ every: 5, factor: Number.NaN }, /x NaN/],
		[{ warmUp: 1.5 }, /1.5 steps of warm-up/],
		[{ warmUp: 2, floor: 2 }, /down to 2/],
	];
	for (const [schedule, message] of wrong)
		assert.throws(() => checkSchedule(schedule), message);
});

test("the learning rate falls by epochs, or along a cosine after a warm-up", () => {
	const counts = { stepsAnEpoch: 10, steps: 110 };
	const course = (schedule: RateSchedule, steps: number[]) =>
		steps.map((step) => rateFactor(schedule, step, counts));
	assert.equal(
		course({ every: 5, factor: 0.5 }, [0, 49, 50, 99, 100, 239, 0]),
		[1, 1, 0.5, 0.5, 0.25, 0.0625, 1],
	);
	const cosine = course({ warmUp: 10 }, [0, 4, 9, 10, 35, 60, 85, 110, 200]);
	const root = Math.SQRT1_2;
	compare(
		"cosine",
		cosine,
		[0.1, 0.5, 1, 1, (1 + root) / 2, 0.5, (1 - root) / 2, 0, 0],
		1e-12,
	);
	compare(
		"with a floor, without warm-up",
		course({ warmUp: 0, floor: 0.2 }, [0, 55, 110]),
		[1, 0.6, 0.2],
		1e-12,
	);
});

// Many parameters in one buffer and in several.

const MANY = [700, 64, 1, 130, 2000, 3, 64 * 40, 77, 500, 1];

/** Ten clipped steps with decay and a frozen parameter; everything that is left. */
async function trained(bufferBytes: number, lossScaling: boolean) {
	const random = new Random(8);
	const list = new Map<string, Parameter>();
	for (const [i, n] of MANY.entries())
		list.set(`p${i}`, new Parameter([n], uniform(random, n)));
	const parameters = new Parameters(gpu, list, { bufferBytes });
	parameters.get("p3").requiresGrad = false;
	const adam = new Adam(parameters, {
		lr: 0.01,
		weightDecay: 0.01,
		lossScaling,
	});
	const average = new Average(parameters, 0.9);
	const norms: number[] = [];
	for (let k = 0; k < 10; k++) {
		scope(gpu, () => {
			parameters.zeroGrad();
			const parts = MANY.flatMap((n, i) => {
				if (i === 3 || (i === 5 && k > 4)) return [];
				// The eighth step overflows.
				const g = uniform(
					random,
					n,
					-3,
					3 * (lossScaling && k === 7 ? 1e38 : 1),
				);
				return sum(mul(parameters.get(`p${i}`), tensor(gpu, g, [n])));
			});
			backward(
				parts.reduce((a, b) => add(a, b)),
				adam.seed,
			);
			adam.step({ clip: 1 });
			average.update(adam.steps);
		});
		const square = zeros(gpu, [1]);
		sumPacked("squares", parameters.gradients, square);
		norms.push(await square.item());
		square.dispose();
	}
	const result = {
		norms,
		weights: await parameters.state(),
		moments: await collect(adam.lazy()),
		average: await collect(average.values.lazy()),
	};
	const { length } = parameters.values.packs;
	for (const made of [average, adam, parameters]) made.dispose();
	return { length, result };
}

for (const lossScaling of [false, true])
	test(`parameters in several buffers train bitwise as in one, clip, decay, frozen ones and average included (loss scaling: ${lossScaling})`, async () => {
		const one = await trained(1e6, lossScaling);
		assert.is(one.length, 1);
		assert.is(
			one.result.norms.every(Number.isFinite),
			!lossScaling,
			`${one.result.norms}`,
		);
		for (const bytes of [10_240, 12_800]) {
			const several = await trained(bytes, lossScaling);
			assert.ok(several.length > 2, `${several.length} buffers`);
			assert.equal(several.result, one.result);
		}
	});

test("a parameter that alone is larger than a buffer may be is refused by name", () => {
	assert.throws(
		() => network(1024),
		/parameter "p300" \[300\] needs 1280 bytes; 1024 are allowed in one buffer/,
	);
});

test("what is to be read throws when a step has come between", async () => {
	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.01 });
	step(parameters, adam, gradientsOf(0));
	const [weights, moments] = [parameters.values.lazy(), adam.lazy()];
	await collect(weights);
	step(parameters, adam, gradientsOf(1));
	for (const late of [weights, moments])
		await collect(late).then(
			() => assert.unreachable(),
			({ message }: Error) => assert.match(message, /"p1" has changed since/),
		);
});

test("isFinite() sees one spoilt weight or moment in any buffer", async () => {
	for (const [at, value] of [
		[0, Number.NaN],
		[2, Number.POSITIVE_INFINITY],
		[1, Number.NEGATIVE_INFINITY],
	]) {
		const parameters = network(LIMITS[1]);
		const adam = new Adam(parameters, { lr: 0.01 });
		step(parameters, adam, gradientsOf(0));
		assert.ok(await adam.isFinite());
		const state = await collect(adam.lazy());
		const spoilt = state.get(`v/p${SIZES[at]}`)?.data ?? new Float32Array(1);
		spoilt[spoilt.length - 1] = value;
		await adam.load(lazy(state), 1);
		assert.not(await adam.isFinite());
	}
	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.01 });
	parameters.get("p67").write(new Float32Array(67).fill(3e38));
	assert.ok(await adam.isFinite(), "large is not infinite");
});

test("the average follows its recurrence in float64, and exchange() swaps it with the weights and back", async () => {
	const parameters = network(LIMITS[1]);
	const adam = new Adam(parameters, { lr: 0.05 });
	const average = new Average(parameters, 0.6);
	let expected = await flatWeights(parameters);
	for (let k = 0; k < 12; k++) {
		step(parameters, adam, gradientsOf(k));
		scope(gpu, () => average.update(adam.steps));
		const decay = Math.min(0.6, (2 + k) / (11 + k)); // after step k + 1
		const now = await flatWeights(parameters);
		expected = expected.map((v, i) => decay * v + (1 - decay) * now[i]);
	}
	const averaged = await collect(average.values.lazy());
	compare("average", flat(averaged), expected, 2e-6);
	const weights = await parameters.state();
	average.exchange();
	assert.equal(await parameters.state(), averaged);
	assert.equal(await collect(average.values.lazy()), weights);
	average.exchange();
	assert.equal(await parameters.state(), weights);
	average.restart();
	assert.equal(await collect(average.values.lazy()), weights);
	for (const decay of [1, -0.1, Number.NaN])
		assert.throws(() => new Average(parameters, decay), /Average: decay/);
});

test.run();
