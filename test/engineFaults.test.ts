// What users and other engines may do to an engine: each was a fault once.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { add, mul, relu, scale } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { reshape } from "../src/engine/ops/reshape.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { empty, type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const sharing = () =>
	new Gpu(gpu.device, {
		shaders: loadShaders(),
		adapterName: "second",
		keepDevice: true,
	});

const valuesOf = async (t: Tensor | null) => [...(await (t as Tensor).data())];

async function messageOf(promise: Promise<unknown>): Promise<string> {
	try {
		await promise;
	} catch (error) {
		return String(error);
	}
	return "";
}

// Two engines

test("a tensor of another engine is refused with both names, on one device too", async () => {
	const other = sharing();
	const p = tensor(gpu, [1, 2, 3]);
	const q = tensor(gpu, [100, 100, 100]);
	assert.equal(await valuesOf(add(p, q)), [101, 102, 103]);
	tensor(other, [0]);
	const r = tensor(other, [10, 20, 30]);
	const message = (error: Error) =>
		error.message.includes(
			`"b" [3] belongs to ${other.name}, not to ${gpu.name}`,
		);
	assert.throws(() => add(p, r), message);
	assert.throws(() => gpu.copy(r, p), /belongs to engine/);
	assert.throws(() => gpu.clear(r), /belongs to engine/);
	assert.throws(() => gpu.upload(r, new Float32Array(3)), /belongs to engine/);
	assert.match(await messageOf(gpu.read(r)), /belongs to engine/);
	other.dispose();
});

// One buffer read and written

function packed(): { parameters: Parameters; p: Tensor; q: Tensor } {
	const list = new Map<string, Parameter>();
	list.set("p", new Parameter([3], Float32Array.of(1, 2, 3)));
	list.set("q", new Parameter([3], Float32Array.of(4, 5, 6)));
	const parameters = new Parameters(gpu, list);
	return { parameters, p: parameters.get("p"), q: parameters.get("q") };
}

test("a parameter's gradient is an input where another's is written", async () => {
	const { parameters, p, q } = packed();
	scope(gpu, () => backward(sum(mul(p, p))));
	assert.equal(await valuesOf(p.grad), [2, 4, 6]);
	scope(gpu, () => backward(sum(mul(q, p.grad as Tensor))));
	assert.equal(await valuesOf(q.grad), [2, 4, 6]);
	parameters.zeroGrad();
	scope(gpu, () =>
		backward(reshape(p, [1, 3]), reshape(q.grad as Tensor, [1, 3])),
	);
	assert.equal(await valuesOf(p.grad), [2, 4, 6]);
	parameters.dispose();
});

test("a submission that the device drops surfaces at the next read, with its ops", async () => {
	const own = sharing();
	const [x, y] = [tensor(own, [1, 2]), tensor(own, [3, 4])];
	await own.idle();
	const lost = relu(x);
	lost.buffer.gpuBuffer.destroy();
	const unrelated = scale(y, 2);
	const message = await messageOf(unrelated.data());
	assert.match(message, /submission.*dropped/);
	assert.match(message, /elementwise\/forward,OP=0/);
	own.dispose();
});

// A device that goes away

test("after a lost device every use says so, and what to do", async () => {
	const own = await openGpu();
	const x = tensor(own, [1, 2]);
	await own.idle();
	const reading = scale(x, 2).data();
	own.device.destroy();
	const lost =
		/device lost \(destroyed\).*open a new engine and go on from saved weights/;
	assert.match(await messageOf(reading), lost);
	for (let k = 0; k < 2; k++) {
		assert.throws(() => relu(x), lost);
		assert.throws(() => empty(own, [3]), lost);
		assert.throws(() => x.write(new Float32Array(2)), lost);
		assert.throws(() => own.clear(x), lost);
		assert.match(await messageOf(x.data()), lost);
		assert.match(await messageOf(own.idle()), lost);
	}
	own.dispose();
	assert.throws(() => empty(own, [3]), /disposed/);
});

test.run();
