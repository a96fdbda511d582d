// What random numbers never meet: equal values share a gradient, NaN is seen, and what where() does not choose gets no gradient.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { eq, ge, maximum, minimum, where } from "../src/engine/ops/compare.ts";
import { log } from "../src/engine/ops/elementwise.ts";
import { amax, sum } from "../src/engine/ops/reduce.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

/** Values of op(inputs), and the gradients of its sum. */
async function evaluate(
	op: (...inputs: Tensor[]) => Tensor,
	...values: number[][]
) {
	const all = scope(gpu, () => {
		const inputs = values.map((v) => tensor(gpu, v));
		for (const t of inputs) t.requiresGrad = true;
		const y = op(...inputs);
		if (y.node) backward(sum(y));
		return [y, ...inputs.map((t) => t.grad)];
	});
	const read: number[][] = [];
	for (const t of all) read.push(t ? Array.from(await t.data()) : []);
	return read;
}

test("equal values share the gradient of maximum and minimum", async () => {
	for (const op of [maximum, minimum]) {
		const [, da, db] = await evaluate(op, [1, 2, 3], [1, 1, 5]);
		const first = op === maximum ? [0.5, 1, 0] : [0.5, 0, 1];
		assert.equal(da, first);
		assert.equal(
			db,
			first.map((v) => 1 - v),
		);
	}
});

test("equally large elements share the gradient of amax", async () => {
	const [y, dx] = await evaluate((x) => amax(x), [4, 1, 4, 4, 4]);
	assert.equal(y, [4]);
	assert.equal(dx, [0.25, 0, 0.25, 0.25, 0.25]);
});

test("NaN on either side, or anywhere along a dimension, is the result", async () => {
	const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
	for (const op of [maximum, minimum]) {
		const [y] = await evaluate(op, [nan, 1, nan, 0], [1, nan, nan, 0]);
		assert.equal(y, [nan, nan, nan, 0]);
	}
	for (const at of [0, 1, 77, 299, 4999]) {
		const values = Array.from({ length: 5000 }, (_, i) =>
			i === at ? nan : i % 7 === 0 ? inf : i,
		);
		const [y] = await evaluate((x) => amax(x), values);
		assert.equal(y, [nan], `NaN at ${at}`);
	}
	assert.equal((await evaluate((x) => amax(x), [-inf, -inf]))[0], [-inf]);
	assert.equal((await evaluate(eq, [nan, 1], [nan, 1]))[0], [0, 1]);
	assert.equal((await evaluate(ge, [nan, 1], [1, nan]))[0], [0, 0]);
});

test("where chooses by what is not 0 and keeps the gradient of the rest from NaN", async () => {
	const [y, , da, db] = await evaluate(
		where,
		[0, -2, Number.NaN],
		[1, 2, 3],
		[4, 5, 6],
	);
	assert.equal(y, [4, 2, 3]);
	assert.equal(da, [0, 1, 1]);
	assert.equal(db, [1, 0, 0]);
	const nan = Array<number>(3).fill(Number.NaN);
	const [, , kept] = await evaluate(
		(c, a, b) => where(c, a, log(b)),
		[1, 1, 0],
		nan,
		[-1, -1, 2],
	);
	assert.equal(kept, [1, 1, 0]);
});

test.run();
