// What plain JavaScript can get wrong: one clear error each, before anything runs.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { detached, scope } from "../src/engine/basics/scope.ts";
import { compile } from "../src/engine/device/compile.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import * as engine from "../src/engine/index.ts";
import * as init from "../src/engine/layers/init.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { collect, lazy } from "../src/engine/layers/state.ts";
import { Linear } from "../src/engine/layers/weighted.ts";
import { conv2d } from "../src/engine/ops/conv.ts";
import { mul, scale } from "../src/engine/ops/elementwise.ts";
import { randn, randomBits } from "../src/engine/ops/random.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { reshape } from "../src/engine/ops/reshape.ts";
import { concat } from "../src/engine/ops/sample.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { rateFactor } from "../src/engine/optim/schedules.ts";
import { backward, noGrad, record } from "../src/engine/tensors/autograd.ts";
import type { Nested } from "../src/engine/tensors/nested.ts";
import {
	Tensor,
	tensor,
	type Values,
	zeros,
} from "../src/engine/tensors/tensor.ts";
import {
	decodeSafetensors,
	encodeSafetensors,
} from "../src/formats/safetensors.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

test("lists in lists are a tensor of that shape, and a number one of none", async () => {
	for (const [data, shape] of [
		[[1, 2, 3], [3]],
		[
			[
				[1, 2],
				[3, 4],
				[5, 6],
			],
			[3, 2],
		],
		[[[[7], [8]]], [1, 2, 1]],
		[5, []],
	] as [Nested, number[]][]) {
		const t = tensor(gpu, data);
		assert.equal(t.shape, shape);
		assert.equal([...(await t.data())], [data].flat(4) as number[]);
		t.dispose();
	}
	const t = tensor(
		gpu,
		[
			[1, 2],
			[3, 4],
		],
		[4],
	);
	assert.equal(t.shape, [4]);
	t.dispose();
});

test("values of every kind are floats wherever they are written", async () => {
	const [rows, count] = [[[1], [2]], 2];
	const kinds: Values[] = [rows, [1, 2]];
	for (const Kind of [Float32Array, Float64Array, Int32Array, Uint8Array])
		kinds.push(Kind.of(1, 2));
	for (const values of kinds) {
		const read = await collect(
			lazy(new Map([["w", { shape: [2], data: values }]])),
		);
		assert.equal(read.get("w")?.data, Float32Array.of(1, 2));
		const net = new Linear(1, count, { weight: () => values, bias: false });
		assert.equal([...(await net.weight.data())], [1, 2]);
		net.load(new Map([["weight", { shape: [2, 1], data: values }]]));
		net.to(gpu).weight.write([5, 5]);
		net.weight.write(values);
		assert.equal([...(await net.weight.data())], [1, 2]);
		net.weight.write([5, 5]);
		net.load(new Map([["weight", { shape: [2, 1], data: values }]]));
		assert.equal([...(await net.weight.data())], [1, 2]);
		net.dispose();
	}
});

const network = (on = gpu) => {
	const list = new Map<string, Parameter>();
	list.set("w", new Parameter([2], new Float32Array(2)));
	return new Parameters(on, list);
};
const p = network();
const x = zeros(gpu, [1, 4, 4, 2]);
const w = zeros(gpu, [3, 3, 3, 2]);
const file = decodeSafetensors(
	encodeSafetensors(
		new Map([["w", { shape: [2], data: new Float32Array(2) }]]),
	),
	"w.safetensors",
);
/** As if there were no types. */
// biome-ignore lint/suspicious/noExplicitAny: plain JavaScript has no types
const plain = (value: unknown): any => value;

const MISUSES: Readonly<Record<string, [() => unknown, RegExp]>> = {
	"values in the engine's place": [
		() => tensor(plain([1]), plain(undefined)),
		/tensor: found a list in the engine's place, expected what createEngine\(\) gives/,
	],
	"no engine": [
		() => tensor(plain(undefined), [1]),
		/tensor: found undefined in the engine's place, expected what createEngine\(\) gives/,
	],
	"lists of different lengths": [
		() => tensor(gpu, [[1, 2], [3]]),
		/tensor: found a list at \[1\] of 1, expected one of 2 as in the first/,
	],
	"a list deeper than the first": [
		() => tensor(gpu, [1, [2]]),
		/tensor: found a list at \[1\] of 1, expected a number as in the first/,
	],
	"a number among lists": [
		() => tensor(gpu, [[1], 2]),
		/tensor: found 2 at \[1\], expected numbers in lists of one length/,
	],
	text: [
		() => tensor(gpu, plain(["1", "2"])),
		/tensor: found the text "1" at \[0\], expected numbers/,
	],
	"no shape": [
		() => tensor(gpu, [1], plain("1")),
		/tensor: found the text "1" as shape, expected a list of sizes/,
	],
	"64-bit integers": [
		() => tensor(gpu, plain(BigInt64Array.of(1n))),
		/^tensor: found 1n at \[0\], expected numbers in lists/,
	],
	"a function of values": [
		() => new Parameter([3], plain(init.ones)),
		/^Parameter: found a function, expected numbers in lists/,
	],
	"too few values": [
		() => p.load(new Map([["w", { shape: [2], data: [1] }]])),
		/^parameter "w": 1 values for a tensor of shape \[2\]/,
	],
	"text to write": [
		() => p.get("w").write(plain(["1", 2])),
		/^write\(\): found the text "1" at \[0\], expected numbers/,
	],
	...Object.fromEntries(
		[scope, detached, noGrad].flatMap((act) => [
			[
				`${act.name}() without an engine`,
				[
					() =>
						act(
							plain(() => 1),
							plain(undefined),
						),
					new RegExp(`^${act.name}\\(\\): found a function in the engine's`),
				],
			],
			[
				`${act.name}() of nothing`,
				[
					() => act(gpu, plain(undefined)),
					new RegExp(`^${act.name}\\(\\): found undefined, expected a fun`),
				],
			],
		]),
	),
	"record() without a name": [
		() =>
			record(
				plain(x),
				plain([x]),
				plain(() => {}),
				plain(undefined),
			),
		/^record\(name, .*\): found an object of Tensor as name, expected a text/,
	],
	"record() of one input": [
		() => record("op", x, plain(x), () => {}),
		/^record\(.*\): found an object of Tensor as inputs, expected a list/,
	],
	"record() of no tensors": [
		() => record("op", x, plain([x, 1]), () => {}),
		/^record\("op"\): found 1 as 1, expected a tensor/,
	],
	"a misspelt course of the learning rate": [
		() => rateFactor(plain({ warmup: 10 }), 3, { steps: 9 }),
		/^learning rate: there is no option "warmup"; expected warmUp, floor/,
	],
	"a course without its counts": [
		() => rateFactor({ warmUp: 3 }, 3, plain(undefined)),
		/^rateFactor: found undefined as options, expected .* stepsAnEpoch, steps/,
	],
	"a course without the count that it needs": [
		() => rateFactor({ warmUp: 3 }, 3, { stepsAnEpoch: 9 }),
		/^rateFactor: step 3, steps NaN; expected whole numbers/,
	],
	"a file of what is still to come": [
		() => encodeSafetensors(plain(Promise.resolve())),
		/^safetensors: found a promise, expected a Map of tensors .* await it/,
	],
	"an optimiser of what no module has found": [
		() => new Adam([new Parameter([2])], { lr: 1 }),
		/^Adam: parameter \[2\] is on no device yet; .* in public fields, and in l/,
	],
	"padding by name": [
		() => conv2d(x, w, null, { padding: plain("same") }),
		/conv2d: padding the text "same"; expected whole numbers, as \(kernel - 1\) \/ 2/,
	],
	"an optimiser without options": [
		() => new Adam(p, plain(undefined)),
		/Adam: found undefined as options, expected an object with some of lr/,
	],
	"an optimiser of something else": [
		() => new Adam(plain([x]), { lr: 1 }),
		/Adam: found a tensor \[1, 4, 4, 2\] among the parameters, expected a module's parameters\(\)/,
	],
	"what decodeSafetensors() gives": [
		() => p.load(plain(file)),
		/the weights: found an object of Object, expected a Map of tensors by name/,
	],
};
for (const [name, [act, message]] of Object.entries(MISUSES))
	test(`${name}: refused in one line`, () => {
		assert.throws(act, (error: Error) => {
			assert.match(error.message, message);
			return !error.message.includes("\n");
		});
	});

test("and what they took is given back", () => {
	const { bytesLive }: { bytesLive: number } = gpu.statistics;
	for (const [act] of Object.values(MISUSES)) assert.throws(act);
	assert.is(gpu.statistics.bytesLive, bytesLive);
});

/** What is said on the console meanwhile. */
async function warned(act: () => unknown): Promise<string[]> {
	const { warn } = console;
	const said: string[] = [];
	console.warn = (text: string) => said.push(text);
	try {
		await act();
	} finally {
		console.warn = warn;
	}
	return said;
}

/** What the engine warns of in so many steps of a training, each of them `within`; `leak` makes what nobody frees. */
function warningsOf(
	within: (engine: Gpu, step: () => void) => void,
	leak = (y: Tensor) => y,
): Promise<string[]> {
	const { device } = gpu; // an engine of its own, for each warns once
	const engine = new Gpu(device, { shaders: loadShaders(), keepDevice: true });
	const own = network(engine);
	const adam = new Adam(own, { lr: 0.1 });
	const made: Tensor[] = [];
	return warned(() => {
		for (let step = 0; step < 120; step++)
			within(engine, () => {
				own.zeroGrad();
				made.push(leak(own.get("w")));
				const y = scale(own.get("w"), 2);
				const loss = sum(mul(y, y));
				backward(loss);
				adam.step();
				made.push(y, loss);
			});
		engine.dispose();
	});
}

const LEAKS: Readonly<Record<string, (w: Tensor) => Tensor>> = {
	scale: (w) => scale(w, 2),
	mul: (w) => noGrad(w.gpu, () => mul(w, w)), // on no tape
	reshape: (w) => reshape(w, [2, 1]),
	"tensor(), zeros(), empty() or a view": (w) => tensor(w.gpu, [1, 2]),
};
for (const [maker, leak] of Object.entries(LEAKS))
	test(`a training without a scope is told once what grows, and what made it: ${maker}`, async () => {
		const said = await warningsOf((_, step) => step(), leak);
		assert.is(said.length, 1);
		const words = said[0].split(/grown in each of the last 50 steps, by /);
		assert.match(
			words[1],
			/^[\d.e+-]+ MB, .* has the shape \[2(, 1)?\] and was made by /,
		);
		assert.ok(
			said[0].includes(` made by ${maker}. Do each step in scope()`),
			said[0],
		);
	});

test("rounds of reading without a scope are told too, and others nothing", async () => {
	const { device } = gpu;
	const rounds = (leaky: boolean) =>
		warned(async () => {
			const shaders = loadShaders();
			const engine = new Gpu(device, { shaders, keepDevice: true });
			const w = tensor(engine, [1, 2]);
			for (let k = 0; k < 210; k++) {
				const y = noGrad(engine, () => mul(w, w));
				await y.data();
				if (!leaky) y.dispose();
			}
			engine.dispose();
		});
	const [said, ...more] = await rounds(true);
	assert.match(
		said,
		/in each of the last 200 reads, by .* made by mul\. Do each/,
	);
	assert.equal([more, await rounds(false)], [[], []]);
});

test("compile() without an engine, or of nothing", async () => {
	for (const [act, message] of [
		[
			() =>
				compile(
					plain(() => {}),
					plain(undefined),
				),
			/found a function in th/,
		],
		[() => compile(gpu, plain(undefined)), /found undefined, expected a funct/],
	] as [() => Promise<void>, RegExp][])
		await act().then(
			() => assert.unreachable(),
			(error: Error) => assert.match(error.message, message),
		);
});

test("a training in scopes is told nothing", async () => {
	assert.equal(await warningsOf(scope), []);
});

test("a step without a gradient does nothing, and says so once, with names", async () => {
	const own = network();
	const adam = new Adam(own, { lr: 0.1 });
	const { requiresGrad } = own.get("w");
	const said = await warned(async () => {
		await compile(gpu, () => adam.step()); // rehearses
		own.get("w").requiresGrad = false;
		adam.step(); // as wanted
		own.get("w").requiresGrad = requiresGrad;
		for (let k = 0; k < 3; k++) adam.step();
	});
	assert.equal(said, [
		'qpi-lens: Adam: step() does nothing, for no parameter ("w") has got a gradient since the last zeroGrad(). Call backward(loss) between zeroGrad() and step().',
	]);
	assert.is(adam.steps, 0);
	adam.dispose();
	own.dispose();
});

const one = zeros(gpu, [1]);
const row = zeros(gpu, [2, 2]);
const cube = zeros(gpu, [1, 2, 2]);
const w4 = zeros(gpu, [1, 3, 3, 2]);
const key = { seed: 1, step: 0 };
/** What each op is called with; of those that are not named here, one tensor. */
const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
	...Object.fromEntries(
		"add sub mul div maximum minimum gt ge lt le eq mseLoss klLoss matmul"
			.split(" ")
			.map((op) => [op, [row, row]]),
	),
	where: [row, row, row],
	linear: [row, row, one],
	bmm: [cube, cube],
	conv2d: [x, w4, one],
	convTranspose2d: [x, zeros(gpu, [2, 3, 3, 1]), one],
	upsampleConv2d: [x, w4, one],
	scaledDotProductAttention: [cube, cube, cube],
	groupNorm: [x, one, one, { groups: 1 }],
	layerNorm: [x, one, one],
	batchNorm: [x, one, one],
	reshape: [row, [4]],
	permute: [row, [1, 0]],
	transpose: [row, 0, 1],
	crop: [x, { top: 0, left: 0, height: 1, width: 1 }],
	sliceChannels: [x, 0, 1],
	rotate: [x, 1],
	maxPool2d: [x, { kernel: 2 }],
	avgPool2d: [x, { kernel: 2 }],
	embedding: [one, row],
	oneHot: [one, 2],
	dropout: [row, key],
	reparameterise: [row, row, key],
	crossEntropy: [row, one],
	scale: [row, 2],
	pow: [row, 2],
	leakyRelu: [row, 2],
	clamp: [row, 0, 1],
};
const NO_OPS =
	"compile detached scope noGrad lines lazy collect record gradcheck empty tensor zeros randn randomBits clipGradNorm dataLoader checkSchedule rateFactor concat";
const isOp = ([name, value]: [string, unknown]) =>
	typeof value === "function" &&
	/^[a-z]/.test(name) &&
	!NO_OPS.split(" ").includes(name);

for (const [name, op] of Object.entries(engine).filter(isOp))
	test(`${name}: what is no tensor is refused by its place`, () => {
		const values = ARGUMENTS[name] ?? [x];
		const expected = new RegExp(
			`^${name}.*: found .* as [\\w ]+, expected a tensor`,
		);
		for (const wrong of [[1, 2], undefined, "1", null])
			for (const [i, value] of values.entries()) {
				const isBias = value === one && i === 2 && !wrong; // there may be none
				if (value instanceof Tensor && !isBias)
					assert.throws(
						() =>
							(op as (...values: unknown[]) => unknown)(
								...values.with(i, wrong),
							),
						expected,
						`${wrong} as argument ${i}`,
					);
			}
	});

test("what is no list of tensors, no shape or no engine is refused too", () => {
	for (const [act, message] of [
		[() => concat(plain([x, 1])), /^concat: found 1 as 1, expected a tensor/],
		[() => concat(plain(x)), /^concat: found .*, expected a list of tensors/],
		[() => randn(plain([2]), plain(key), key), /^randn: found a list in/],
		[() => randn(gpu, plain(2), key), /^randn: found 2 as shape/],
		[() => randomBits(gpu, -4, key), /^randomBits shape \[-4\]/],
		[() => reshape(row, plain(4)), /^reshape: found 4 as shape/],
		[() => reshape(row, [3, -1]), /^reshape: x \[2, 2\] to \[3, -1\]/],
	] as [() => unknown, RegExp][])
		assert.throws(act, message);
	scope(gpu, () => assert.equal(reshape(row, [-1, 1]).shape, [4, 1]));
});

test("a gradient that writes nothing, or for an input that is none", () => {
	scope(gpu, () => {
		const a = tensor(gpu, [1, 2]);
		a.requiresGrad = true;
		const silent = record("silent", mul(a.detach(), 2), [a], () => {});
		assert.throws(
			() => backward(sum(silent)),
			/^the gradient of silent says nothing about its input 0, .*out\(0\)/,
		);
		const off = record("off", mul(a.detach(), 2), [a], (_, grads) => {
			grads.out(1);
		});
		assert.throws(
			() => backward(sum(off)),
			/^the gradient of off: input 1, expected 0 to 0$/,
		);
		const late = record("late", mul(a.detach(), 2), [a], (async () => {
			await Promise.resolve();
		}) as () => void);
		assert.throws(
			() => backward(sum(late)),
			/^the gradient of late: the function returned a promise/,
		);
		for (const [given, message] of [
			[
				tensor(gpu, [[1, 2]]),
				/^the gradient of other to its input 0: set\(\) of a tensor \[1, 2\], expected \[2\]$/,
			],
			[
				plain([1, 2]),
				/^the gradient of other to its input 0: found a list as gradient, expected a tensor$/,
			],
		] as [Tensor, RegExp][]) {
			const other = record("other", mul(a.detach(), 2), [a], (_, grads) => {
				grads.set(0, given);
			});
			assert.throws(() => backward(sum(other)), message);
		}
	});
});

test("what gpu.run() is given: bindings and workgroups", () => {
	const y = zeros(gpu, [4]);
	const run = (bindings: object, workgroups: unknown = [1], change = {}) => {
		gpu.run({
			shader: "elementwise",
			entry: "forward",
			constants: { OP: 0 },
			params: { n: 4, p: 0, q: 0, period: 4, ...change },
			bindings: bindings as never,
			workgroups: workgroups as never,
		});
	};
	assert.throws(() => run({ x: y, Y: y }), /"y" is missing; there is none "Y"/);
	assert.throws(
		() => run({ x: new Float32Array(4), y }),
		/binding "x" is no tensor/,
	);
	assert.throws(() => run({ x: y, y }, 1), /workgroups is 1, expected \[x\]/);
	for (const [change, message] of [
		[{ n: "4" }, /parameter "n" is the text "4", expected a number$/],
		[{ p: ["1"] }, /parameter "p" is a list, expected a number$/],
		[{ p: undefined, P: 1 }, /"p" is missing; there is none "P"$/],
	] as [object, RegExp][])
		assert.throws(() => run({ x: y, y }, [1], change), message);
	for (const [x, ...others] of [[0.5], [1, Number.NaN], [1, 1, "1"]])
		assert.throws(
			() => run({ x: y, y }, [x, ...others]),
			/workgroups; this device allows whole numbers from 1 to \d+$/,
		);
	y.dispose();
});

test.run();
