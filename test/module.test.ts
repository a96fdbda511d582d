/** Modules: how they name, place, save and load what they hold, and what they refuse. Values are checked in torchTraining.test.ts. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import * as init from "../src/engine/layers/init.ts";
import { Module } from "../src/engine/layers/module.ts";
import {
	BatchNorm2d,
	GroupNorm,
	LayerNorm,
} from "../src/engine/layers/norms.ts";
import { Buffer, Parameter } from "../src/engine/layers/parameters.ts";
import { Dropout, Sequential } from "../src/engine/layers/sequential.ts";
import { collect, lazy } from "../src/engine/layers/state.ts";
import { Conv2d, Embedding, Linear } from "../src/engine/layers/weighted.ts";
import { mul, relu } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { SGD } from "../src/engine/optim/sgd.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

class Inner extends Module {
	readonly w: Parameter;
	readonly seen: Buffer;

	constructor(value: number) {
		super();
		this.w = new Parameter([2], Float32Array.of(value, -value));
		this.seen = new Buffer([1], Float32Array.of(9));
	}
}

class Outer extends Module {
	readonly last: Parameter;
	readonly list: readonly Inner[];
	readonly again: Parameter;
	readonly noise: Dropout;
	readonly note = "not a parameter";

	constructor() {
		super();
		this.list = [new Inner(1), new Inner(2)];
		this.last = new Parameter([3]);
		this.again = this.list[0].w;
		this.noise = new Dropout(0.5, { random: new Random(1) });
	}
}

const NAMES = ["list.0.w", "list.1.w", "last"];
const ALL = ["list.0.w", "list.0.seen", "list.1.w", "list.1.seen", "last"];

test("parameters are named by fields, in the order in which they were made, each once; buffers are of the state alone", async () => {
	const net = new Outer();
	assert.equal([...net.namedParameters().keys()], NAMES);
	assert.is(net.parameters().length, 3);
	assert.is(net.parameters()[2], net.last);
	assert.equal([...(await net.state()).keys()], ALL);
	assert.equal([...net.list[1].namedParameters().keys()], ["w"]);
});

test("a module is saved and loaded before and after to(), as a whole and in parts", async () => {
	const net = new Outer();
	const state = await net.state();
	assert.equal([...(state.get("list.1.w")?.data ?? [])], [2, -2]);
	for (const tensor of state.values())
		tensor.data = tensor.data.map((v) => v + 3);
	net.load(state);
	assert.equal(await net.state(), state);
	net.to(gpu);
	const placed = await net.state();
	for (const [name, { data }] of state)
		assert.equal(placed.get(name)?.data, data, name);
	assert.is(placed.size, state.size);

	const [inner] = net.list;
	const part = await inner.state();
	assert.equal([...(part.get("w")?.data ?? [])], [4, 2]);
	part.set("w", { shape: [2], data: Float32Array.of(7, 8) });
	inner.load(part);
	assert.equal(await net.again.data(), Float32Array.of(7, 8));

	const before = await net.state();
	const extra = new Map(before).set("extra", part.get("w") as never);
	assert.throws(() => net.load(extra), /hold "extra", which this network has/);
	const without = new Map(before);
	without.delete("list.1.seen");
	assert.throws(
		() => net.load(without),
		/the weights lack parameter "list\.1\.seen"/,
	);
	assert.equal(await net.state(), before, "a refused load changes nothing");
	net.dispose();
});

test("a checkpoint holds buffers, and brings them back", async () => {
	const net = new Outer().to(gpu);
	net.list[1].seen.write(Float32Array.of(5));
	const kept = await collect(net.packed.lazy());
	const again = new Outer().to(gpu);
	await again.packed.loadLazy(lazy(kept));
	assert.equal(await again.list[1].seen.data(), Float32Array.of(5));
	assert.equal(await again.state(), await net.state());
	assert.is(net.packed.count, 7);
	for (const made of [net, again]) made.dispose();
});

test("train() and eval() reach every module", () => {
	const net = new Outer();
	const modes = () => [net, ...net.list, net.noise].map((m) => m.training);
	assert.is(net.eval(), net);
	assert.equal(modes(), [false, false, false, false]);
	net.train();
	assert.equal(modes(), [true, true, true, true]);
});

test("dropout drops others in each step of a training, the same for the same generator, and nothing after eval()", async () => {
	const x = tensor(gpu, new Float32Array(1000).fill(1), [1000]);
	const course = async () => {
		const layer = new Dropout(0.25, { random: new Random(6) });
		const first = await layer.forward(x).data();
		const second = await layer.forward(x).data();
		return { layer, first, second };
	};
	const { layer, first, second } = await course();
	const gone = first.filter((v) => v === 0).length;
	assert.ok(gone > 200 && gone < 300, `${gone}`);
	assert.ok(first.every((v) => v === 0 || Math.abs(v - 4 / 3) < 1e-6));
	assert.not.equal(second, first);
	const again = await course();
	assert.equal([again.first, again.second], [first, second]);
	layer.step = 0;
	assert.equal(await layer.forward(x).data(), first);
	layer.eval();
	assert.is(layer.forward(x), x);
	x.dispose();
});

test("a sequence may name its layers", () => {
	const inner = new Sequential({ act: relu, norm: new LayerNorm(3) });
	const net = new Sequential({ first: new LayerNorm(2), rest: inner });
	assert.equal(
		[...net.namedParameters().keys()],
		["rest.norm.weight", "rest.norm.bias", "first.weight", "first.bias"],
	);
});

test("a sequence names its layers by their places", async () => {
	const random = new Random(2);
	const net = new Sequential(
		new Linear(2, 3, { random, bias: false }),
		relu,
		new Linear(3, 1, { random }),
	).to(gpu);
	assert.equal(
		[...net.namedParameters().keys()],
		["0.weight", "2.weight", "2.bias"],
	);
	net.load(
		new Map([
			["0.weight", { shape: [3, 2], data: Float32Array.of(1, 0, 0, 1, -1, 0) }],
			["2.weight", { shape: [1, 3], data: Float32Array.of(1, 10, 100) }],
			["2.bias", { shape: [1], data: Float32Array.of(0.5) }],
		]),
	);
	const y = net.forward(tensor(gpu, [[2, -3]]));
	assert.equal(await y.data(), Float32Array.of(2.5));
	net.dispose();
});

const W = () => new Inner(1);
/** One step whose gradient of w is [1, 1]. */
const pull = (net: Inner, optimiser: { step(): void }) =>
	scope(gpu, () => {
		net.zeroGrad();
		backward(sum(net.w));
		optimiser.step();
	});

test("a resumed SGD goes on bitwise", async () => {
	const options = { lr: 0.1, momentum: 0.9 };
	const net = W().to(gpu);
	const sgd = new SGD(net.parameters(), options);
	for (let k = 0; k < 3; k++) pull(net, sgd);
	const again = W().to(gpu);
	const resumed = new SGD(again.parameters(), options);
	again.load(await net.state());
	await resumed.load(lazy(await collect(sgd.lazy())), sgd.steps);
	for (let k = 0; k < 3; k++)
		for (const [n, s] of [
			[net, sgd],
			[again, resumed],
		] as const)
			pull(n, s);
	assert.equal(await again.state(), await net.state());
	assert.equal(await collect(resumed.lazy()), await collect(sgd.lazy()));
	assert.is(resumed.steps, 6);
	for (const made of [net, again, sgd, resumed]) made.dispose();
});

test("an optimiser of some parameters leaves the others, and clips by its own alone", async () => {
	const net = new Outer().to(gpu);
	const [first, second] = net.list;
	const before = await second.state();
	const sgd = new SGD(first.parameters(), { lr: 1 });
	scope(gpu, () => {
		net.zeroGrad();
		backward(sum(mul(first.w, second.w)));
		sgd.step({ clip: 1 });
	});
	assert.equal(await second.state(), before);
	// The gradient is [2, -2].
	const [a, b] = await first.w.data();
	assert.ok(Math.abs(a - (1 - Math.SQRT1_2)) < 1e-6, `${a}`);
	assert.ok(Math.abs(b - (-1 + Math.SQRT1_2)) < 1e-6, `${b}`);
	sgd.dispose();
	net.dispose();
});

test("batch normalisation that is not trained keeps its statistics within a network that is", async () => {
	const frozen = new BatchNorm2d(2);
	const live = new BatchNorm2d(2);
	const net = new Sequential(frozen, live).to(gpu);
	frozen.eval();
	const x = tensor(gpu, [1, 2, 3, 5, 8, 13, 21, 34], [1, 2, 2, 2]);
	scope(gpu, () => backward(sum(net.forward(x))));
	assert.equal(await frozen.running_mean.data(), Float32Array.of(0, 0));
	const moved = await live.running_mean.data();
	// Means of 1, 3, 8, 21 and 2, 5, 13, 34.
	for (const [i, mean] of [8.25, 13.5].entries())
		assert.ok(Math.abs(moved[i] - 0.1 * mean) < 1e-3, `${moved}`);
	net.dispose();
});

const placed = [W().to(gpu), W().to(gpu)];
const random = new Random(1);
/** As if there were no types. */
// biome-ignore lint/suspicious/noExplicitAny: plain JavaScript has no types
const plain = (value: unknown): any => value;

const MISUSES: Readonly<Record<string, [() => unknown, RegExp]>> = {
	"an op before to()": [
		() => mul(W().w, tensor(gpu, [1, 2])),
		/parameter \[2\] is on no device yet; expected to\(gpu\)/,
	],
	"an optimiser before to()": [
		() => new Adam(W().parameters(), { lr: 1 }),
		/Adam: parameter \[2\] is on no device yet; expected to\(gpu\)/,
	],
	"to() of no engine": [
		() => W().to(plain("gpu")),
		/Inner: to\(\): found the text "gpu", expected what createEngine\(\) gives/,
	],
	"to() twice": [
		() => placed[0].to(gpu),
		/parameter "w" \[2\] is on a device already, as "w"/,
	],
	"the pack of a part": [
		() => new Outer().packed,
		/Outer: it is on no device by itself; expected to\(gpu\)/,
	],
	"an optimiser of two networks": [
		() =>
			new SGD(
				placed.flatMap((m) => m.parameters()),
				{ lr: 1 },
			),
		/SGD: parameters of 2 networks; expected those of one/,
	],
	"an optimiser of nothing": [
		() => new SGD([], { lr: 1 }),
		/SGD: parameters of 0 networks; expected those of one/,
	],
	"an optimiser of a module": [
		() => new SGD(plain(placed[0]), { lr: 1 }),
		/SGD: found an object of Inner, expected a module's parameters\(\)/,
	],
	"a parameter in two groups": [
		() =>
			new SGD(
				[0, 1].map(() => ({ params: [placed[0].w] })),
				{ lr: 1 },
			),
		/SGD: a parameter is in two groups; expected one/,
	],
	"an unknown option of a group": [
		() => new SGD([{ params: [placed[0].w], rate: 1 } as never], { lr: 1 }),
		/SGD: there is no option "rate"; expected lr, momentum/,
	],
	"a group with a bad rate": [
		() => new SGD([{ params: [placed[0].w], lr: -1 }], { lr: 1 }),
		/SGD: learning rate -1; expected a finite number of 0 or more/,
	],
	"nesterov without a momentum": [
		() => new SGD(placed[0].parameters(), { lr: 1, nesterov: true }),
		/SGD: nesterov, momentum 0; expected a momentum/,
	],
	"no generator": [
		() => new Linear(2, 3),
		/Linear: found undefined as random, expected a Random/,
	],
	"dropout without options": [
		() => new Dropout(0.3, plain(undefined)),
		/^Dropout: found undefined as random, expected a Random/,
	],
	"dropout of more than everything": [
		() => new Dropout(1.5, { random }),
		/^Dropout: p 1\.5; expected a number from 0, below 1/,
	],
	"options in the kernel size's place": [
		() => new Conv2d(1, 8, plain({ random })),
		/^Conv2d: found an object of Object as kernelSize, expected a whole/,
	],
	"a number in a function's place": [
		() => new Linear(1, 8, { random, weight: plain(3) }),
		/^Linear: found 3 as weight, expected a function of the shape/,
	],
	"a list of biases": [
		() => new Linear(1, 1, { random, bias: plain([3]) }),
		/^Linear: found a list as bias, expected a function of the shape/,
	],
	"a constant without a shape": [
		() => init.constant(plain(3), 1),
		/^init: found 3 as shape, expected a list of sizes/,
	],
	...Object.fromEntries(
		[
			init.uniform,
			init.normal,
			init.kaimingUniform,
			init.kaimingNormal,
			init.xavierUniform,
			init.xavierNormal,
		].map((draw) => [
			`${draw.name} without a generator`,
			[
				() => draw([3, 3], plain(undefined)),
				new RegExp(`^${draw.name}: found undefined as random, expected a R`),
			],
		]),
	),
	"an unknown option of an initialiser": [
		() => init.kaimingNormal([3, 3], { random, fan: 1 } as never),
		/^kaimingNormal: there is no option "fan"; expected random, mode, nonl/,
	],
	"no sizes": [
		() => new Conv2d(2, plain(undefined), 3, { random }),
		/Conv2d: outChannels undefined; expected a whole number from 1/,
	],
	"an unknown option of a layer": [
		() => new LayerNorm(3, { epsilon: 1 } as never),
		/LayerNorm: there is no option "epsilon"; expected eps/,
	],
	"weights of another size": [
		() => new Embedding(2, 3, { weight: () => new Float32Array(5) }),
		/5 values for a tensor of shape \[2, 3\], which has 6/,
	],
	"a module's class in place of a module": [
		() => new Sequential(plain({ forwards: 3 })),
		/Sequential: found 3 at forwards, expected a function or a module/,
	],
	"a layer named as what modules have": [
		() => new Sequential({ training: relu }),
		/Sequential: a layer named "training"; expected a name that modules/,
	],
	"groups that do not divide the channels": [
		() => new GroupNorm(2, 3).to(gpu).forward(tensor(gpu, [[1, 2, 3]])),
		/groupNorm: .* in 2 groups; expected groups that divide the channels/,
	],
	"batch normalisation of rows": [
		() => new BatchNorm2d(3).to(gpu).forward(tensor(gpu, [[1, 2, 3]])),
		/BatchNorm2d: x \[1, 3\]; expected images \[B, H, W, C\]/,
	],
};
for (const [name, [act, message]] of Object.entries(MISUSES))
	test(`${name}: refused in one line`, () => {
		assert.throws(act, message);
	});

test.run();
