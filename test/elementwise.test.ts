// Functions whose value, or slope, may be far smaller than 1 are good to a few last digits of it.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { sigmoid, tanh } from "../src/engine/ops/elementwise.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const magnitudes = [
	0, 1e-30, 1e-12, 1e-8, 3e-4, 0.1, 0.3, 0.49, 0.51, 0.9, 2, 5, 9, 12, 20, 30,
];
const points = Float32Array.from(magnitudes.flatMap((v) => [v, -v]));

/** Values and slopes at the points. */
async function evaluate(op: (x: Tensor) => Tensor) {
	const [y, dx] = scope(gpu, () => {
		const x = tensor(gpu, points);
		x.requiresGrad = true;
		const y = op(x);
		backward(y, tensor(gpu, new Float32Array(points.length).fill(1)));
		return [y, x.grad as Tensor];
	});
	return { values: await y.data(), slopes: await dx.data() };
}

function near(what: string, actual: Float32Array, f: (x: number) => number) {
	points.forEach((x, i) => {
		const expected = f(x);
		// The exponential of a driver may be off by 2 |x| last digits.
		const allowed = (2e-6 + 4e-7 * Math.abs(x)) * Math.abs(expected);
		assert.ok(
			Math.abs(actual[i] - expected) <= allowed,
			`${what} at ${x}: ${actual[i]}, expected ${expected}`,
		);
	});
}

test("tanh near zero, and its slope at saturation", async () => {
	const { values, slopes } = await evaluate(tanh);
	near("tanh", values, Math.tanh);
	near("its slope", slopes, (x) => {
		const e = Math.exp(-2 * Math.abs(x));
		return (4 * e) / (1 + e) ** 2;
	});
});

test("the slope of sigmoid at saturation", async () => {
	const { values, slopes } = await evaluate(sigmoid);
	near("sigmoid", values, (x) => 1 / (1 + Math.exp(-x)));
	near("its slope", slopes, (x) => {
		const e = Math.exp(-Math.abs(x));
		return e / (1 + e) ** 2;
	});
});

test("numbers below the smallest normal one do not grow", async () => {
	const y = await scope(gpu, () => tanh(tensor(gpu, [1e-45, -1e-40]))).data();
	assert.ok(Math.abs(y[0]) <= 2e-45 && Math.abs(y[1]) <= 1.1e-40, `${y}`);
});

test.run();
