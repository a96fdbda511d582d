// What random numbers never meet: equal elements and NaN in a window, numbers that are no row or class, statistics, and what takes no gradient.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { channelStatistics } from "../src/engine/ops/batchNorm.ts";
import { conv2d } from "../src/engine/ops/conv.ts";
import {
	clamp,
	div,
	log,
	mul,
	pow,
	relu,
	sqrt,
} from "../src/engine/ops/elementwise.ts";
import { embedding, oneHot } from "../src/engine/ops/embedding.ts";
import { groupNorm } from "../src/engine/ops/norm.ts";
import { maxPool2d } from "../src/engine/ops/pooling.ts";
import { dropout } from "../src/engine/ops/random.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { detach, reshape } from "../src/engine/ops/reshape.ts";
import { crossEntropy } from "../src/engine/ops/softmax.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { empty, type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
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
	const { bufferBytes } = gpu.limits;
	if (bufferBytes > 2 ** 26)
		scope(gpu, () => {
			const table = empty(gpu, [2 ** 24 + 1, 1]);
			assert.throws(() => embedding(tensor(gpu, [1]), table), /at most 2\^24/);
		});
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

/** fn(x) and the gradient of its sum. */
async function both(x: number[], fn: (x: Tensor) => Tensor) {
	const [y, dx] = scope(gpu, () => {
		const leaf = tensor(gpu, x);
		leaf.requiresGrad = true;
		const y = fn(leaf);
		backward(sum(y));
		return [y, leaf.grad as Tensor];
	});
	return [await list(y), await list(dx)];
}

test("what relu and clamp cut off gets the gradient 0, though that of what follows is infinite", async () => {
	const root = await both([-4, 4], (x) => sqrt(relu(x)));
	assert.equal(root, [
		[0, 2],
		[0, 0.25],
	]);
	const logarithm = await both([-1, 0.5, 2], (x) => log(clamp(x, 0, 1)));
	assert.equal(logarithm[1], [0, 2, 0]);
	const [, fused] = await both([-4, 4], (x) => {
		const w = tensor(gpu, [1], [1, 1, 1, 1]);
		const image = reshape(x, [1, 2, 1, 1]);
		return sqrt(conv2d(image, w, null, { activation: "relu" }));
	});
	assert.equal(fused, [0, 0.25]);
});

test("a negative power of 0 is infinite, and so is its slope", async () => {
	const infinite = Number.POSITIVE_INFINITY;
	assert.equal(await both([0, 2], (x) => pow(x, -2)), [
		[infinite, 0.25],
		[low, -0.25],
	]);
	const [, slope] = await both([0, 2], (x) => div(1, x));
	assert.equal(slope, [low, -0.25]);
	const [, ofRoot] = await both([0, 4], (x) => pow(x, 0.5));
	assert.is(ofRoot[0], infinite);
});

test("groupNorm of a million values whose mean is 150,000 times their deviation", async () => {
	const steps = Float32Array.from({ length: 2 ** 20 }, (_, i) => (i % 4) / 2);
	const x = steps.map((v) => 1e5 + v);
	for (const channels of [1, 8]) {
		const [weight, bias] = [1, 0].map((v) =>
			new Float32Array(channels).fill(v),
		);
		const y = await values(() =>
			groupNorm(
				tensor(gpu, x, [1, x.length / channels, channels]),
				tensor(gpu, weight),
				tensor(gpu, bias),
				{ groups: 1 },
			),
		);
		const worst = y.reduce((most, v, i) => {
			const expected = (steps[i] - 0.75) / Math.sqrt(0.3125 + 1e-5);
			return Math.max(most, Math.abs(v - expected));
		}, 0);
		assert.ok(worst < 1e-5, `${channels} channels: ${worst}`);
	}
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
