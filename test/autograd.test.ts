import { test } from "uvu";
import * as assert from "uvu/assert";
import { detached, scope } from "../src/engine/basics/scope.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { Linear } from "../src/engine/layers/weighted.ts";
import {
	add,
	exp,
	mul,
	relu,
	scale,
	silu,
} from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { reshape } from "../src/engine/ops/reshape.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { fill } from "../src/engine/tensors/accumulate.ts";
import { backward, noGrad, record } from "../src/engine/tensors/autograd.ts";
import { gradcheck } from "../src/engine/tensors/gradcheck.ts";
import {
	empty,
	type Tensor,
	tensor,
	zeros,
} from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { compare } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

function leaf(values: number[]): Tensor {
	const t = tensor(gpu, Float32Array.from(values), [values.length]);
	t.requiresGrad = true;
	return t;
}

const valuesOf = async (t: Tensor | null) => [...(await (t as Tensor).data())];

// The tape

test("an input used twice in one op gets both gradients", async () => {
	const x = leaf([1, -2, 3]);
	backward(sum(mul(x, x)));
	assert.equal(await valuesOf(x.grad), [2, -4, 6]);
});

test("gradients of a diamond add up", async () => {
	const x = leaf([1, -2]);
	backward(sum(mul(scale(x, 2), scale(x, 3))));
	assert.equal(await valuesOf(x.grad), [12, -24]);
});

test("leaves that share the gradient of a sum keep their own", async () => {
	const a = leaf([1, 2]);
	const b = leaf([3, 4]);
	const run = () => backward(sum(add(add(a, b), a)));
	run();
	run();
	assert.equal(await valuesOf(a.grad), [4, 4]);
	assert.equal(await valuesOf(b.grad), [2, 2]);
});

test("a tensor that many ops read gets the sum of their gradients", async () => {
	const x = leaf([0.5, -0.5]);
	const y = scale(x, 2);
	let total = sum(y);
	for (let k = 1; k <= 4; k++) total = add(total, sum(scale(y, k)));
	backward(total);
	assert.equal(await valuesOf(x.grad), [22, 22]);
});

test("a chain of ten thousand ops needs no deep stack", async () => {
	const x = leaf([1]);
	scope(gpu, () => {
		let y: Tensor = x;
		for (let k = 0; k < 10_000; k++) y = reshape(y, k % 2 ? [1] : [1, 1]);
		backward(y);
		x.grad = detached(gpu, () => scale(x.grad as Tensor, 1));
	});
	assert.equal(await valuesOf(x.grad), [1]);
});

test("noGrad and constants leave nothing on the tape", () => {
	const x = leaf([1]);
	assert.is(noGrad(gpu, () => relu(x)).node, null);
	assert.is(noGrad(gpu, () => relu(x)).requiresGrad, false);
	assert.throws(() => noGrad(gpu, () => scale(x, Number.NaN)));
	assert.ok(gpu.gradEnabled, "noGrad is over after an exception");
	assert.is(relu(tensor(gpu, new Float32Array(1), [1])).node, null);
});

test("backward() refuses what it cannot start from", () => {
	const x = leaf([1, 2]);
	assert.throws(
		() => backward(relu(x)),
		/backward\(\) of a tensor of shape \[2\]/,
	);
	assert.throws(
		() => backward(relu(x), zeros(gpu, [3])),
		/gradient \[3\] for an output \[2\]/,
	);
	assert.throws(
		() => backward(sum(tensor(gpu, new Float32Array(2), [2]))),
		/nothing that requires a gradient/,
	);
});

test("a leaf's gradient outlives the scope of backward(), adds up, and dies with the leaf", async () => {
	const w = leaf([2]);
	for (const expected of [4, 8]) {
		scope(gpu, () => backward(sum(mul(w, w))));
		assert.equal(await valuesOf(w.grad), [expected]);
	}
	w.grad?.dispose();
	scope(gpu, () => backward(sum(mul(w, w))));
	assert.equal(await valuesOf(w.grad), [4]);

	let inner: Tensor | undefined;
	let lost: Tensor | undefined;
	const kept = scope(gpu, () => {
		[inner, lost] = [leaf([3]), leaf([5])];
		const [a, b] = [inner, lost];
		scope(gpu, () => backward(sum(mul(a, b))));
		assert.not(a.grad?.disposed);
		return inner;
	});
	assert.equal(await valuesOf(kept.grad), [5]);
	assert.ok(lost?.grad?.disposed);
});

test("a second backward() through the same ops is refused, before any gradient is added", async () => {
	const x = tensor(gpu, [3]);
	x.requiresGrad = true;
	const square = mul(x, x);
	const losses = [scale(square, 2), scale(square, 5)];
	backward(losses[0]);
	const again = /backward\(\): another one has gone through mul \[1\] before/;
	assert.throws(() => backward(losses[1]), again);
	assert.throws(() => backward(square), again);
	assert.throws(() => backward(losses[0]), /gone through scale \[1\] before/);
	assert.is(await x.grad?.item(), 12);
});

test("what backward() needs must not have been overwritten", async () => {
	const [x, b] = [leaf([1, 2]), leaf([3, 4])];
	const product = sum(mul(x, b));
	const total = sum(add(x, b));
	b.write(Float32Array.of(5, 6));
	assert.throws(
		() => backward(product),
		/backward\(\): a tensor \[2\] of mul was overwritten/,
	);
	assert.is(x.grad, null);
	backward(total); // reads neither
	assert.equal(await valuesOf(x.grad), [1, 1]);

	const parameters = network();
	const adam = new Adam(parameters, { lr: 0.1 });
	const loss = () => sum(exp(parameters.get("c")));
	const [first, second] = [loss(), sum(mul(parameters.get("c"), b))];
	backward(first);
	adam.step();
	assert.throws(() => backward(second), /of mul was overwritten/);
	parameters.zeroGrad();
	backward(loss());
	adam.dispose();
	parameters.dispose();
});

test("a view of what requires a gradient is refused, detach() is not", () => {
	const x = leaf([1, 2]);
	assert.throws(
		() => x.view([1, 2]),
		/view \[1, 2\] of \[2\].*reshape\(\), or detach/,
	);
	assert.throws(() => scale(x, 2).view([2]), /would cut it off/);
	assert.equal(noGrad(gpu, () => x.view([1, 2])).shape, [1, 2]);
	assert.is(scale(x, 2).detach().requiresGrad, false);
	for (const shape of [[0], [-1, -2], [0.5, 4]])
		assert.throws(() => x.detach().view(shape), /positive whole numbers/);
});

test("async functions are refused, with no rejection left over", async () => {
	const rejections: unknown[] = [];
	const keep = (reason: unknown) => rejections.push(reason);
	process.on("unhandledRejection", keep);
	const fail = async () => {
		throw new Error("inside");
	};
	for (const [name, run] of Object.entries({ scope, noGrad, detached })) {
		const message = new RegExp(
			`${name}\\(\\): the function returned a promise`,
		);
		assert.throws(() => run(gpu, fail), message);
		assert.throws(() => run(gpu, async () => relu(leaf([1]))), message);
	}
	await new Promise((resolve) => setTimeout(resolve, 5));
	process.off("unhandledRejection", keep);
	assert.equal(rejections, []);
	assert.ok(gpu.gradEnabled);
	assert.is(gpu.scopes.length, 0);
});

test("a result that contains itself leaves the scope with its tensors", () => {
	interface Ring {
		tensor: Tensor;
		self?: Ring;
		deep?: unknown;
	}
	let dropped: Tensor | undefined;
	const ring = scope(gpu, () => {
		dropped = empty(gpu, [2]);
		const made: Ring = { tensor: empty(gpu, [3]) };
		made.self = made;
		for (let k = 0; k < 20_000; k++) made.deep = [made.deep];
		return made;
	});
	assert.not(ring.tensor.disposed);
	assert.ok(dropped?.disposed);
	ring.tensor.dispose();
});

// gradcheck()

test("gradcheck() finds the gradients of ops and parameters right, and leaves both as they were", async () => {
	const random = new Random(5);
	const layer = new Linear(3, 20, { random }).to(gpu);
	const x = tensor(
		gpu,
		Array.from({ length: 15 }, () => random.uniform(-1, 1)),
		[5, 3],
	);
	x.requiresGrad = true;
	const { weight } = layer;
	backward(sum(layer.forward(x)));
	const kept = [await valuesOf(x.grad), await valuesOf(weight.grad)];
	const before = [await valuesOf(x), await valuesOf(weight)];
	const live = gpu.statistics.bytesLive;
	const error = await gradcheck(
		() => silu(layer.forward(x)),
		[x, ...layer.parameters()],
	);
	assert.ok(error > 0 && error < 1e-3, String(error));
	assert.equal([await valuesOf(x), await valuesOf(weight)], before);
	assert.equal([await valuesOf(x.grad), await valuesOf(weight.grad)], kept);
	assert.is(gpu.statistics.bytesLive, live);
	layer.dispose();
});

/** y = x^2, whose gradient is `factor` times too large at element 1. */
function square(x: Tensor, factor: number): Tensor {
	const y = noGrad(gpu, () => mul(x, x));
	const twice = new Float32Array(x.size).fill(2);
	twice[1] *= factor;
	return record("square", y, [x], (dy, grads) =>
		grads.set(0, mul(mul(dy, x), tensor(gpu, twice, x.shape))),
	);
}

test("gradcheck() names input and element of a wrong gradient", async () => {
	const [a, x] = [leaf([1, 2]), leaf([0.5, -1, 2])];
	assert.ok((await gradcheck((a) => square(a, 1), [a])) < 1e-3);
	const message = await gradcheck(
		(a, x) => mul(sum(a), square(x, 1.01)),
		[a, x],
	).then(String, (error: Error) => error.message);
	assert.match(
		message,
		/^gradcheck: input 1 \[3\], element 1: the gradient is [-\d.]+, expected [-\d.]+ by differences \(largest /,
	);
	assert.equal(await valuesOf(x), [0.5, -1, 2]);
	const many = leaf(Array.from({ length: 200 }, (_, i) => Math.sin(i)));
	assert.ok((await gradcheck((x) => square(x, 1), [many])) < 1e-3);
	const found = await gradcheck((x) => scale(square(x, 1), 0.1), [many], {
		rtol: 1e-9,
		atol: 0,
	}).then(String, (error: Error) => error.message);
	assert.match(found, /^gradcheck: input 0 \[200\], element \d+: /);
});

test("gradcheck() refuses what it cannot check", async () => {
	const x = leaf([1, 2]);
	let calls = 0;
	const refused: [() => Promise<number>, RegExp][] = [
		[() => gradcheck(relu, [x.detach()]), /no input requires a gradient/],
		[() => gradcheck(relu, [scale(x, 2)]), /input 0 was made by scale; /],
		[() => gradcheck(relu, x as never), /found an object of Tensor as inputs/],
		[
			() => gradcheck((x) => scale(x, ++calls), [x]),
			/two results for the same inputs/,
		],
		[
			() => gradcheck(() => relu(leaf([1])), [x]),
			/input 0 \[2\] got no gradient/,
		],
		[() => gradcheck(relu, [x], { eps: 0 }), /eps 0, expected a positive/],
		[() => gradcheck(() => 1 as never, [x]), /found 1 as the output/],
	];
	for (const [act, message] of refused) {
		const said = await act().then(String, (error: Error) => error.message);
		assert.match(said, message);
		assert.not.match(said, /\n/);
	}
});

// Parameters

function network(): Parameters {
	const list = new Map<string, Parameter>();
	list.set("a", new Parameter([1], Float32Array.of(2)));
	list.set(
		"b",
		new Parameter(
			[5, 13],
			Float32Array.from({ length: 65 }, (_, i) => i),
		),
	);
	list.set("c", new Parameter([2], Float32Array.of(-1, 1)));
	return new Parameters(gpu, list);
}

test("parameters are found, saved and loaded by name", async () => {
	const parameters = network();
	assert.is(parameters.count, 68);
	assert.equal(
		[...parameters].map(([name, p]) => [name, p.shape]),
		[
			["a", [1]],
			["b", [5, 13]],
			["c", [2]],
		],
	);
	const state = await parameters.state();
	assert.equal([...(state.get("c")?.data ?? [])], [-1, 1]);
	for (const { data } of state.values())
		data.forEach((v, i) => {
			data[i] = v + 0.5;
		});
	parameters.load(state);
	assert.equal(await parameters.state(), state);

	const without = new Map(state);
	without.delete("b");
	const extra = new Map(state).set("d", {
		shape: [1],
		data: new Float32Array(1),
	});
	const bent = new Map(state).set("b", {
		shape: [13, 5],
		data: new Float32Array(65),
	});
	assert.throws(
		() => parameters.load(without),
		/the weights lack parameter "b"/,
	);
	assert.throws(
		() => parameters.load(extra),
		/hold "d", which this network has not/,
	);
	assert.throws(
		() => parameters.load(bent),
		/parameter "b": the weights have shape \[13, 5\], this network \[5, 13\]/,
	);
	assert.equal(
		await parameters.state(),
		state,
		"a refused load changes nothing",
	);
	assert.throws(() => parameters.get("d"), /there is no parameter "d"/);
	parameters.dispose();
	assert.throws(() => parameters.get("a").buffer, /after its scope ended/);
});

test("parameters have as many values as their shape, and one place on the device", () => {
	assert.throws(
		() => new Parameter([3], new Float32Array(2)),
		/2 values for a tensor of shape \[3\]/,
	);
	const p = new Parameter([2]);
	assert.throws(
		() => mul(p, tensor(gpu, [1, 2])),
		/parameter \[2\] is on no device yet; expected to\(gpu\)/,
	);
	const parameters = new Parameters(gpu, [["p", p]]);
	assert.throws(
		() => new Parameters(gpu, [["q", p]]),
		/parameter "q" \[2\] is on a device already, as "p"/,
	);
	parameters.dispose();
});

test("zeroGrad() starts anew, two backward() without it add up, and the packed padding stays zero", async () => {
	const parameters = network();
	const [a, b, c] = ["a", "b", "c"].map((name) => parameters.get(name));
	const run = () =>
		scope(gpu, () => {
			const y = mul(add(exp(scale(b, 0.01)), a), silu(b));
			backward(add(sum(y), sum(exp(c))));
		});
	const packed = async () => {
		parameters.settleGradients();
		return parameters.gradients.packs[0].data();
	};
	// What the pool hands out next ends in rubbish.
	scope(gpu, () => {
		for (let k = 0; k < 20; k++)
			for (const n of [64, 128]) fill(empty(gpu, [n]), Number.NaN);
	});
	const offsets = [a, b, c].map((p) => p.offset / 4);
	assert.equal(offsets, [0, 64, 192]);

	run();
	const once = await packed();
	run();
	const twice = await packed();
	compare(
		"sum of two gradients",
		twice,
		once.map((v) => 2 * v),
		1e-6,
	);
	parameters.zeroGrad();
	run();
	assert.equal(await packed(), once);

	once.forEach((value, i) => {
		const used = i === 0 || (i >= 64 && i < 64 + 65) || (i >= 192 && i < 194);
		assert.is(value !== 0, used, `float ${i} is ${value}`);
	});
	parameters.dispose();
});

test.run();
