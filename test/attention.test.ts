// Attention over as many tokens as the networks have at most: both ways agree, and one of them keeps no matrix of scores.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import {
	composedAttention,
	fusedAttention,
} from "../src/engine/ops/attention.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const TOKENS = 1024;
const SHAPE = [1, TOKENS, 16];
const random = new Random(1);
const [q, k, v, dy] = Array.from({ length: 4 }, () =>
	uniform(random, TOKENS * 16, -3, 3),
);

/** The output and all gradients; and bytes that were taken for them. */
async function evaluate(attend: typeof fusedAttention) {
	gpu.trim();
	const { bytesAllocated } = gpu.statistics;
	const results = scope(gpu, () => {
		const inputs = [q, k, v].map((values) => tensor(gpu, values, SHAPE));
		for (const input of inputs) input.requiresGrad = true;
		const y = attend(inputs[0], inputs[1], inputs[2], 0.25);
		backward(y, tensor(gpu, dy, SHAPE));
		return [y, ...inputs.map(({ grad }) => grad as Tensor)];
	});
	const bytes = gpu.statistics.bytesAllocated - bytesAllocated;
	const values = [];
	for (const result of results) {
		values.push(await result.data());
		result.dispose();
	}
	return { values, bytes };
}

test(`${TOKENS} tokens: one kernel and the composition agree, and only the latter takes memory for the scores`, async () => {
	const composed = await evaluate(composedAttention);
	const fused = await evaluate(fusedAttention);
	for (const [i, what] of ["y", "dq", "dk", "dv"].entries())
		compare(what, fused.values[i], composed.values[i], 2e-5);
	const scores = 4 * TOKENS ** 2;
	assert.ok(composed.bytes > scores, `${composed.bytes}`);
	assert.ok(fused.bytes < scores / 4, `${fused.bytes}`);
});

test.run();
