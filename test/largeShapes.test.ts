// Batches, heights and widths of more workgroups than a dispatch has in one dimension.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { type Shape, sizeOf } from "../src/engine/basics/shape.ts";
import { conv2d, convTranspose2d } from "../src/engine/ops/conv.ts";
import { add, sub } from "../src/engine/ops/elementwise.ts";
import { embedding } from "../src/engine/ops/embedding.ts";
import { matmul } from "../src/engine/ops/linear.ts";
import { groupNorm } from "../src/engine/ops/norm.ts";
import { maxPool2d } from "../src/engine/ops/pooling.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { reshape } from "../src/engine/ops/reshape.ts";
import {
	concat,
	crop,
	sliceChannels,
	upsampleNearest2x,
} from "../src/engine/ops/sample.ts";
import { fill } from "../src/engine/tensors/accumulate.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import {
	empty,
	type Tensor,
	tensor,
	zeros,
} from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const N = 70_000;
const valueAt = (i: number) => ((i * 37) % 1001) / 1001;

/** Output and gradient of an op of which every output element is one of the input, `from` says which. */
async function checkMove(
	shape: Shape,
	op: (x: Tensor) => Tensor,
	from: (at: number[]) => number[],
): Promise<void> {
	const [y, dx] = scope(gpu, () => {
		const x = tensor(
			gpu,
			Float32Array.from({ length: sizeOf(shape) }, (_, i) => valueAt(i)),
			shape,
		);
		x.requiresGrad = true;
		const y = op(x);
		backward(y, tensor(gpu, new Float32Array(y.size).fill(1), y.shape));
		return [y, x.grad as Tensor];
	});
	const values = await y.data();
	const counts = new Float32Array(sizeOf(shape));
	const [, h, w, c] = y.shape;
	for (let i = 0; i < values.length; i++) {
		const at = [
			Math.floor(i / (h * w * c)),
			Math.floor(i / (w * c)) % h,
			Math.floor(i / c) % w,
			i % c,
		];
		const [b, r, q, k] = from(at);
		const index = ((b * shape[1] + r) * shape[2] + q) * shape[3] + k;
		counts[index]++;
		if (values[i] !== Math.fround(valueAt(index)))
			throw new Error(
				`element [${at}]: ${values[i]}, expected ${valueAt(index)}`,
			);
	}
	assert.equal(
		Buffer.compare(
			Buffer.from((await dx.data()).buffer),
			Buffer.from(counts.buffer),
		),
		0,
		"gradient",
	);
	for (const t of [y, dx]) t.dispose();
	gpu.trim();
}

for (const shape of [
	[N, 2, 1, 2],
	[2, N, 1, 2],
	[N, 1, 2, 4],
]) {
	test(`upsampleNearest2x [${shape}]`, () =>
		checkMove(shape, upsampleNearest2x, ([b, r, q, k]) => [
			b,
			r >> 1,
			q >> 1,
			k,
		]));
	test(`sliceChannels and concat [${shape}]`, () =>
		checkMove(
			shape,
			(x) => concat([sliceChannels(x, 1, shape[3]), sliceChannels(x, 0, 1)]),
			([b, r, q, k]) => [b, r, q, (k + 1) % shape[3]],
		));
}

test("crop of an image of more than 65,535 rows, and of a row of more workgroups", async () => {
	await checkMove(
		[1, N, 3, 1],
		(x) => crop(x, { top: 1, left: 1, height: N - 2, width: 2 }),
		([b, r, q, k]) => [b, r + 1, q + 1, k],
	);
	const wide = 65_536 * 64 + 100;
	await checkMove(
		[1, 1, wide, 1],
		(x) => crop(x, { top: 0, left: 3, height: 1, width: wide - 3 }),
		([b, r, q, k]) => [b, r, q + 3, k],
	);
});

test("groupNorm of more than 65,535 samples", async () => {
	const data = Float32Array.from({ length: N * 4 }, (_, i) => valueAt(i));
	const y = scope(gpu, () => {
		const [gamma, beta] = [1, 0].map((v) =>
			tensor(gpu, new Float32Array(4).fill(v)),
		);
		const x = tensor(gpu, data, [N, 4]);
		x.requiresGrad = true;
		const y = groupNorm(x, gamma, beta, { groups: 2 });
		backward(y, y.detach());
		return y;
	});
	const values = await y.data();
	for (let i = 0; i < values.length; i += 2) {
		// Of two numbers: +-d / sqrt(d^2 + eps).
		const d = (data[i] - data[i + 1]) / 2;
		const expected = d / Math.sqrt(d * d + 1e-5);
		assert.ok(
			Math.abs(values[i] - expected) < 1e-4,
			`${i}: ${values[i]}, ${expected}`,
		);
	}
	y.dispose();
});

test("groupNorm of more channels than threads in a line of workgroups hands each its gradient", async () => {
	const channels = 65_536 * 64;
	const dbias = scope(gpu, () => {
		const [x, weight, bias] = [[1, channels], [channels], [channels]].map(
			(shape) => zeros(gpu, shape),
		);
		bias.requiresGrad = true;
		const y = groupNorm(x, weight, bias, { groups: channels });
		backward(y, fill(empty(gpu, y.shape), 2));
		return bias.grad as Tensor;
	});
	assert.ok((await dbias.data()).every((v) => v === 2));
	dbias.dispose();
	gpu.trim();
});

test("what no dispatch can do is refused in the forward pass, by name and before any dispatch", () => {
	const strided = (x: Tensor, w: Tensor) => conv2d(x, w, null, { stride: 300 });
	scope(gpu, () => {
		const [x, w] = [
			[1, 301, 301, 1],
			[1, 2, 2, 1],
		].map((s) => empty(gpu, s));
		strided(x, w); // has no gradient to compute
		w.requiresGrad = true;
		strided(x, w);
		const before = gpu.statistics.dispatches;
		x.requiresGrad = true;
		assert.throws(
			() => strided(x, w),
			/conv2d: x \[1, 301, 301, 1\] and w \[1, 2, 2, 1\], stride \[300, 300\]: 90000 workgroups in one dimension; this device allows 65535/,
		);
		const small = empty(gpu, [1, 2, 2, 1]);
		assert.throws(
			() => convTranspose2d(small, w, null, { stride: 300 }),
			/convTranspose2d: .*90000 workgroups/,
		);
		assert.is(gpu.statistics.dispatches, before);
	});
	const most = gpu.limits.bufferBytes / 4;
	if (most > 2 ** 26) return; // an adapter whose buffers are larger than this test should be
	scope(gpu, () => {
		// w is within the limit, its packed copy with one more row (of biases) is not.
		const channels = Math.floor(most / 64) - 2;
		const [x, w] = [1, 64].map((n) => empty(gpu, [n, channels]));
		const before = gpu.statistics.dispatches;
		const image = (t: Tensor) => reshape(t, [t.shape[0], 1, 1, channels]);
		const weights = /: x \[.*: the weights take \d+ bytes/;
		assert.throws(() => conv2d(image(x), image(w), null), weights);
		assert.throws(() => matmul(x, reshape(w, [channels, 64])), weights);
		assert.is(gpu.statistics.dispatches, before);
	});
	gpu.trim();
});

test("operands repeated to 16.8 million elements, their windows and their sums", async () => {
	const n = 4100;
	const [y, pooled, sums] = scope(gpu, () => {
		const a = tensor(
			gpu,
			Float32Array.from({ length: n }, (_, i) => i),
		);
		const b = tensor(
			gpu,
			Float32Array.from({ length: n }, (_, i) => i / 4),
		);
		const y = add(reshape(a, [n, 1]), b);
		const pooled = maxPool2d(reshape(y, [1, n, n, 1]), { kernel: 1 });
		return [y, pooled, sum(sub(y, b), { dim: 1 })];
	});
	for (const values of [await y.data(), await pooled.data()])
		for (let i = 0; i < values.length; i++)
			if (values[i] !== Math.floor(i / n) + (i % n) / 4)
				throw new Error(`element ${i}: ${values[i]}`);
	const rows = await sums.data();
	assert.equal(
		Array.from(rows),
		Array.from(rows, (_, i) => n * i),
	);
});

test("an embedding of 4.5 million elements", async () => {
	const numbers = Float32Array.from({ length: N }, (_, i) => i % 3);
	const table = Float32Array.from({ length: 192 }, (_, i) => i);
	const [y, gradient] = scope(gpu, () => {
		const t = tensor(gpu, table, [3, 64]);
		t.requiresGrad = true;
		const y = embedding(tensor(gpu, numbers), t);
		backward(y, tensor(gpu, new Float32Array(y.size).fill(1), y.shape));
		return [y, t.grad as Tensor];
	});
	const values = await y.data();
	for (let i = 0; i < values.length; i++)
		if (values[i] !== (Math.floor(i / 64) % 3) * 64 + (i % 64))
			throw new Error(`element ${i}: ${values[i]}`);
	const counts = Array.from({ length: 192 }, (_, i) =>
		Math.ceil((N - Math.floor(i / 64)) / 3),
	);
	assert.equal(Array.from(await gradient.data()), counts);
});

test.run();
