// Pipelines compiled ahead: those that the real run needs, and nothing else happens.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { compile } from "../src/engine/device/compile.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { BatchNorm2d } from "../src/engine/layers/norms.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { Dropout, Sequential } from "../src/engine/layers/sequential.ts";
import { conv2d } from "../src/engine/ops/conv.ts";
import { add, mul, silu } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { tensor, zeros } from "../src/engine/tensors/tensor.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { Random } from "../src/random.ts";

const opened = await openGpu();
test.after(() => opened.dispose());
/** Engines that have compiled nothing. */
const fresh = (shaders = loadShaders()) =>
	new Gpu(opened.device, { shaders, keepDevice: true, software: true });

const values = Float32Array.from({ length: 2 * 8 * 8 }, (_, i) => Math.sin(i));

function network(gpu: Gpu) {
	const list = new Map([
		["w", new Parameter([4, 3, 3, 2], values.slice(0, 72))],
		["b", new Parameter([4])],
	]);
	const parameters = new Parameters(gpu, list);
	const adam = new Adam(parameters, { lr: 0.1 });
	const step = () => {
		parameters.zeroGrad();
		const x = tensor(gpu, values, [1, 8, 8, 2]);
		const y = silu(conv2d(x, parameters.get("w"), parameters.get("b")));
		backward(sum(mul(y, y)));
		adam.step();
	};
	return { parameters, adam, step };
}

test("a step whose pipelines were compiled ahead compiles only the optimiser's, and computes the same bits", async () => {
	const [plain, ahead] = [fresh(), fresh()];
	const [a, b] = [network(plain), network(ahead)];
	await compile(ahead, b.step);
	const { pipelines, dispatches, flop } = ahead.statistics;
	assert.ok(pipelines > 5, `${pipelines}`);
	assert.equal([dispatches, flop, b.adam.steps], [0, 0, 0]);
	for (const [gpu, { step }] of [
		[plain, a],
		[ahead, b],
	] as const)
		for (let k = 0; k < 2; k++) scope(gpu, step);
	assert.is(ahead.statistics.pipelines, pipelines + 1);
	assert.is(ahead.statistics.pipelines, plain.statistics.pipelines);
	assert.is(ahead.statistics.flop, plain.statistics.flop);
	assert.equal(
		(await b.parameters.state()).get("w"),
		(await a.parameters.state()).get("w"),
	);
	plain.dispose();
	ahead.dispose();
});

test("dropout drops what it would have dropped, and running statistics stay", async () => {
	const gpu = fresh();
	const make = () =>
		new Sequential(
			new BatchNorm2d(2),
			new Dropout(0.5, { random: new Random(1) }),
		).to(gpu);
	const [plain, ahead] = [make(), make()];
	const run = (net: Sequential) =>
		net.forward(tensor(gpu, values, [1, 8, 8, 2]));
	const before = await ahead.state();
	await compile(gpu, () => run(ahead));
	assert.equal(await ahead.state(), before);
	for (let k = 0; k < 2; k++)
		assert.equal(await run(ahead).data(), await run(plain).data());
	assert.equal(await ahead.state(), await plain.state());
	gpu.dispose();
});

test("memory, gradients and values stay as they were", async () => {
	const gpu = fresh();
	const x = tensor(gpu, [1, 2]);
	const never = tensor(gpu, [3, 4]);
	x.requiresGrad = true;
	never.requiresGrad = true;
	const step = () => backward(sum(mul(x, add(x, never))));
	scope(gpu, () => backward(sum(mul(x, x))));
	const { bytesLive } = gpu.statistics;
	await compile(gpu, step);
	assert.is(gpu.statistics.bytesLive, bytesLive);
	assert.is(never.grad, null);
	assert.equal([...((await x.grad?.data()) ?? [])], [2, 4]);
	scope(gpu, step);
	assert.equal([...((await x.grad?.data()) ?? [])], [2 + 5, 4 + 8]);
	assert.equal([...((await never.grad?.data()) ?? [])], [1, 2]);
	gpu.dispose();
});

const messageOf = (promise: Promise<unknown>) =>
	promise.then(() => "nothing", String);

test("what is wrong is said as by the run itself, and the engine goes on", async () => {
	const gpu = fresh({
		broken: `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] = 1u; }`,
		...loadShaders(),
	});
	const run = (shader: string, entry: string) => () =>
		gpu.run({
			...{ shader, entry },
			bindings: { y: zeros(gpu, [1]) },
			workgroups: [1],
		});
	assert.match(
		await messageOf(compile(gpu, run("broken", "main"))),
		/broken\.wgsl:2:\d+: .*u32/,
	);
	await compile(gpu, run("elementwise", "none"));
	assert.throws(run("elementwise", "none"), /no entry point "none"/);
	assert.match(
		await messageOf(compile(gpu, async () => {})),
		/compile\(\): the function returned a promise/,
	);
	let reading = Promise.resolve("");
	await compile(gpu, () => {
		reading = messageOf(zeros(gpu, [1]).data());
	});
	assert.match(await reading, /computes nothing to be read/);
	assert.equal([...(await silu(tensor(gpu, [0])).data())], [0]);
	gpu.dispose();
});

test("helpers are asked for once, where machine code is dear, and destroyed", async () => {
	const asked: GPUDevice[] = [];
	const { now } = performance;
	let clock = 0;
	for (const [pace, expected] of [
		[0, 0], // all is in the driver's cache
		[1000, 1],
	]) {
		const gpu = new Gpu(opened.device, {
			shaders: loadShaders(),
			keepDevice: true,
			software: true,
			helpers: async () => {
				asked.push((await openGpu()).device);
				return asked;
			},
		});
		const { step } = network(gpu);
		performance.now = () => {
			clock += pace;
			return clock;
		};
		try {
			await compile(gpu, step);
		} finally {
			performance.now = now;
		}
		assert.is(asked.length, expected);
		scope(gpu, step);
		await gpu.idle();
		gpu.dispose();
	}
	assert.is((await asked[0].lost).reason, "destroyed");
});

test.run();
