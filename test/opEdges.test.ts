// What random numbers never meet: equal elements and NaN in a window, numbers that are no row or class, statistics, and what takes no gradient.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { channelStatistics } from "../src/engine/ops/batchNorm.ts";
import { mul } from "../src/engine/ops/elementwise.ts";
import { embedding, oneHot } from "../src/engine/ops/embedding.ts";
import { maxPool2d } from "../src/engine/ops/pooling.ts";
import { dropout } from "../src/engine/ops/random.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { detach } from "../src/engine/ops/reshape.ts";
import { crossEntropy } from "../src/engine/ops/softmax.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const { NaN: nan, NEGATIVE_INFINITY: low } = Number;
const list = async (t: Tensor) => Array.from(await t.data());
const values = (fn: () => Tensor) => list(scope(gpu, fn));

test("of equal elements of a window the first gets the gradient; NaN is the largest, and -Infinity counts", async () => {
	const [y, dx] = scope(gpu, () => {
		const rows = [7, 7, 0, nan, 7, 7, 1, 2, low, low, 3, 3, low, low, 4, 3];
		const x = tensor(gpu, rows, [1, 4, 4, 1]);
		x.requiresGrad = true;
		const y = maxPool2d(x, { kernel: 2 });
		backward(y, tensor(gpu, [1, 2, 3, 4], [1, 2, 2, 1]));
		return [y, x.grad as Tensor];
	});
	assert.equal(await list(y), [7, nan, low, 4]);
	assert.equal(
		await list(dx),
		[1, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 4, 0],
	);
});

test("a number that is no row gives NaN, and one that is no class marks none", async () => {
	const wrong = [-1, 0.5, 2, 1, nan];
	const found = await values(() =>
		embedding(tensor(gpu, wrong), tensor(gpu, [[5], [6]])),
	);
	assert.equal(found, [nan, nan, nan, 6, nan]);
	const marks = await values(() => oneHot(tensor(gpu, wrong), 2));
	assert.equal(marks, [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
	for (const label of [-1, 0.5, 2, nan]) {
		const loss = () =>
			crossEntropy(tensor(gpu, [[1, 2]]), tensor(gpu, [label]));
		assert.equal(await values(loss), [nan], `label ${label}`);
		const [, off, wrongRow] = await values(() => {
			const logits = tensor(gpu, [
				[1, 1],
				[1, 2],
			]);
			logits.requiresGrad = true;
			backward(crossEntropy(logits, tensor(gpu, [1, label])));
			return logits.grad as Tensor;
		});
		assert.equal([off, wrongRow], [-0.25, nan], `label ${label}`);
	}
});

test("crossEntropy of a NaN among the logits is NaN; a sure right answer costs nothing", async () => {
	const loss = (logits: number[]) => () =>
		crossEntropy(tensor(gpu, [logits]), tensor(gpu, [1]));
	for (const logits of [
		[nan, 1, 2],
		[0, nan, 2],
		[0, 1, nan],
	])
		assert.equal(await values(loss(logits)), [nan]);
	assert.equal(await values(loss([0, 1000, -1000])), [0]);
});

test("dropout takes the part it is told, others at another step, and hands NaN on", async () => {
	const drop = (step: number, fill = 1) =>
		values(() =>
			dropout(tensor(gpu, new Float32Array(20_000).fill(fill)), {
				p: 0.3,
				seed: 1,
				step,
			}),
		);
	const [first, again, other] = [await drop(0), await drop(0), await drop(1)];
	assert.equal(first, again);
	const zeros = first.filter((v) => v === 0).length / first.length;
	// Five standard deviations.
	assert.ok(Math.abs(zeros - 0.3) < 5 * Math.sqrt(0.21 / first.length));
	const same = first.filter((v, i) => v === other[i]).length / first.length;
	assert.ok(Math.abs(same - 0.58) < 0.02, `${same}`);
	assert.ok((await drop(0, nan)).every(Number.isNaN));
});

test("what is detached hands no gradient on", async () => {
	const dx = scope(gpu, () => {
		const x = tensor(gpu, [2, 3]);
		x.requiresGrad = true;
		backward(sum(mul(x, detach(x))));
		return x.grad as Tensor;
	});
	assert.equal(await list(dx), [2, 3]);
});

test("the statistics of channels are the mean and the unbiased variance", async () => {
	const [mean, variance] = scope(gpu, () => {
		const made = channelStatistics(
			tensor(gpu, [
				[1, 10],
				[3, 10],
				[8, 40],
			]),
		);
		return [made.mean, made.variance];
	});
	assert.equal(await list(mean), [4, 20]);
	assert.equal(await list(variance), [13, 300]);
});

test.run();
