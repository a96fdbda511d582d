// What the table of cases cannot show of the convolutions, and both sets of kernels: those for software adapters, and those for GPUs on
// whatever adapter there is.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { type Shape, sizeOf } from "../src/engine/basics/shape.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { conv2d, convTranspose2d } from "../src/engine/ops/conv.ts";
import { linear } from "../src/engine/ops/linear.ts";
import { tensor } from "../src/engine/tensors/tensor.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { Random } from "../src/random.ts";
import { cases } from "./cases/conv.ts";
import { checkCase, compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
const shaders = loadShaders();
const registers = new Gpu(gpu.device, {
	shaders,
	software: true,
});
const tiles = new Gpu(gpu.device, {
	shaders,
	software: false,
});
// Without subgroups of a known size there are only tiles.
const sets = registers.lanes > 0 ? { registers, tiles } : { tiles };
test.after(() => gpu.dispose());

// The table itself runs on the adapter's own set, so here is the other one.
for (const [name, set] of Object.entries(sets))
	if (set.lanes !== gpu.lanes)
		for (const c of cases) test(`${c.name}, ${name}`, () => checkCase(set, c));

const random = new Random(5);
const values = (shape: Shape) => uniform(random, sizeOf(shape));
const dot = (a: Float32Array, b: Float32Array) =>
	a.reduce((sum, v, i) => sum + v * b[i], 0);

for (const [name, set] of Object.entries(sets)) {
	const on = (data: Float32Array, shape: Shape) => tensor(set, data, shape);

	test(`<conv(x, w), y> = <x, convTranspose(y, w)>, ${name}`, async () => {
		const geometries: [Shape, Shape, Shape, object][] = [
			[[2, 9, 12, 5], [7, 3, 3, 5], [2, 9, 12, 7], { padding: 1 }],
			[[2, 10, 8, 4], [9, 4, 4, 4], [2, 5, 4, 9], { stride: 2, padding: 1 }],
			[
				[1, 13, 10, 3],
				[8, 5, 2, 3],
				[1, 4, 5, 8],
				{ stride: [3, 2], padding: [0, 1, 0, 0] },
			],
		];
		for (const [xShape, wShape, yShape, options] of geometries) {
			const [x, w, y] = [xShape, wShape, yShape].map(values);
			const forward = scope(set, () =>
				conv2d(on(x, xShape), on(w, wShape), null, options),
			);
			const adjoint = scope(set, () =>
				convTranspose2d(on(y, yShape), on(w, wShape), null, options),
			);
			assert.equal([...forward.shape], [...yShape]);
			assert.equal([...adjoint.shape], [...xShape]);
			const left = dot(await forward.data(), y);
			const right = dot(x, await adjoint.data());
			assert.ok(Math.abs(left - right) < 1e-4, `${left} and ${right}`);
		}
	});

	test(`conv(2 x - z) = 2 conv(x) - conv(z), ${name}`, async () => {
		const [xShape, wShape]: Shape[] = [
			[1, 17, 9, 6],
			[12, 3, 3, 6],
		];
		const [x, z, w] = [xShape, xShape, wShape].map(values);
		const run = (data: Float32Array) =>
			scope(set, () =>
				conv2d(on(data, xShape), on(w, wShape), null, { padding: 1 }),
			).data();
		const [ofX, ofZ] = [await run(x), await run(z)];
		const ofSum = await run(x.map((v, i) => 2 * v - z[i]));
		compare(
			"sum",
			ofSum,
			ofX.map((v, i) => 2 * v - ofZ[i]),
			1e-5,
		);
	});

	test(`workgroups in several rows, ${name}`, async () => {
		// Of a device that allows six in a row; a real one allows 65,535 (below).
		const narrow = new Gpu(allowing(6), {
			shaders,
			software: set.software,
		});
		const [xShape, wShape]: Shape[] = [
			[1, 41, 43, 2],
			[3, 3, 3, 2],
		];
		const [x, w] = [xShape, wShape].map(values);
		const run = (g: Gpu) =>
			scope(g, () =>
				conv2d(tensor(g, x, xShape), tensor(g, w, wShape), null),
			).data();
		assert.equal(await run(narrow), await run(set));
	});
}

function allowing(maxComputeWorkgroupsPerDimension: number): GPUDevice {
	const { device } = gpu;
	const limits = { ...defaults(), maxComputeWorkgroupsPerDimension };
	return new Proxy(device, {
		get(_, key) {
			if (key === "limits") return limits;
			const value = Reflect.get(device, key);
			return typeof value === "function" ? value.bind(device) : value;
		},
	});
}

function defaults() {
	const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
	return { maxBufferSize, maxStorageBufferBindingSize };
}

// SwiftShader takes minutes for it.
if (!/swiftshader/i.test(gpu.adapterName))
	test("more workgroups than a dimension holds", async () => {
		// 65,535 workgroups of 256 pixels (of 64 on a GPU) are 16.8 (4.2) million.
		const pixels = gpu.software ? 16_777_400 : 4_194_500;
		const data = new Float32Array(pixels);
		data[pixels - 1] = 3;
		data[12345] = 5;
		const y = scope(gpu, () =>
			linear(
				tensor(gpu, data, [pixels, 1]),
				tensor(gpu, new Float32Array([2]), [1, 1]),
				tensor(gpu, new Float32Array([1]), [1]),
			),
		);
		const result = await y.data();
		y.dispose();
		gpu.trim();
		assert.is(
			result.findIndex((v, i) => v !== 2 * data[i] + 1),
			-1,
		);
	});

test("a NaN comes through relu", async () => {
	const x = tensor(gpu, new Float32Array([Number.NaN, -1]), [1, 1, 2, 1]);
	const w = tensor(gpu, new Float32Array([1]), [1, 1, 1, 1]);
	const y = await scope(gpu, () =>
		conv2d(x, w, null, { activation: "relu" }),
	).data();
	assert.ok(Number.isNaN(y[0]));
	assert.ok(y[1] === 0);
});

test.run();
