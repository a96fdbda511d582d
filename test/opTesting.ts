/** Checks an op of the engine against its float64 reference: values, gradients, repeatability (see cases.ts). */
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { type Shape, show, sizeOf } from "../src/engine/basics/shape.ts";
import type { Gpu } from "../src/engine/device/gpu.ts";
import { fill } from "../src/engine/tensors/accumulate.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { compareSlopes } from "../src/engine/tensors/gradcheck.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { Random } from "../src/random.ts";

/** An array of the references: row-major, float64. */
export interface Nd {
	readonly shape: Shape;
	readonly data: Float64Array;
}

export interface CaseInput {
	readonly shape: Shape;
	/** Values are uniform on [low, high], by default [-1, 1]. */
	readonly low?: number;
	readonly high?: number;
	/** Whether the gradient with respect to this input is checked; default true. */
	readonly grad?: boolean;
}

/** One row of the table. */
export interface Case {
	/** For people, e.g. "conv2d 4x4 s2 asymmetric pad, 3->5". */
	readonly name: string;
	readonly inputs: readonly CaseInput[];
	run(inputs: Tensor[]): Tensor;
	/** The same in float64, written as plainly as possible. */
	reference(inputs: Nd[]): Nd;
	/** Of the values, relative to the largest one; gradients are allowed three times as much. Default 1e-5. */
	readonly tolerance?: number;
	/** What the largest of fewer than 16 values counts as where it is smaller: sums that happen to cancel err by their terms. Default 0. */
	readonly least?: number;
	/** Allowed of any gradient; by default what rounding does to the differences of the reference. */
	readonly atol?: number;
	/** How near the inputs come to where the function has a kink, across which a difference is no gradient: such inputs are drawn anew. */
	margin?(inputs: Nd[]): number;
}

/** A call that must throw a message before anything is dispatched. */
export interface BadCall {
	readonly name: string;
	/** Shapes of its inputs. */
	readonly inputs: readonly Shape[];
	run(inputs: Tensor[]): unknown;
	readonly message: RegExp;
}

/** An array made of a function of its flat index. */
export function nd(shape: Shape, value: (i: number) => number): Nd {
	const data = new Float64Array(sizeOf(shape));
	for (let i = 0; i < data.length; i++) data[i] = value(i);
	return { shape, data };
}

/** Deterministic uniform values. */
export function uniform(
	random: Random,
	n: number,
	low = -1,
	high = 1,
): Float32Array {
	return Float32Array.from({ length: n }, () => random.uniform(low, high));
}

export async function checkCase(gpu: Gpu, c: Case): Promise<void> {
	const random = new Random(hash(c.name));
	const { values, inputs } = draw(c, random);
	const expected = c.reference(inputs);
	const dy = uniform(random, expected.data.length);
	const tolerance = c.tolerance ?? 1e-5;

	const first = await evaluate(gpu, c, values, dy, expected.shape);
	compare("value", first.y, expected.data, tolerance, leastOf(c, dy.length));
	const again = await evaluate(gpu, c, values, dy, expected.shape);
	sameBits("value", first.y, again.y);
	for (const [i, { grad = true }] of c.inputs.entries()) {
		if (!grad) continue;
		const dx = first.gradients[i];
		if (!dx) throw new Error(`input ${i} got no gradient`);
		sameBits(`gradient of input ${i}`, dx, again.gradients[i] as Float32Array);
		await checkGradient(c, inputs, i, dx, dy, 3 * tolerance, random);
	}
}

function draw(
	c: Case,
	random: Random,
): { values: Float32Array[]; inputs: Nd[] } {
	for (let tries = 0; tries < 100; tries++) {
		const values = c.inputs.map(({ shape, low, high }) =>
			uniform(random, sizeOf(shape), low, high),
		);
		const inputs = c.inputs.map(({ shape }, i) => ({
			shape,
			data: Float64Array.from(values[i]),
		}));
		if (!c.margin || c.margin(inputs) > 2 * STEP) return { values, inputs };
	}
	throw new Error("no inputs were drawn that keep away from the kinks");
}

/** The least distance of values from any of `kinks`, but for those that lie on it by construction. */
export const distance = (values: ArrayLike<number>, ...kinks: number[]) => {
	let least = Number.POSITIVE_INFINITY;
	for (let i = 0; i < values.length; i++)
		for (const kink of kinks)
			if (values[i] !== kink)
				least = Math.min(least, Math.abs(values[i] - kink));
	return least;
};

/** The least distance of two of the values that differ. */
export function nearest(values: Float64Array): number {
	const sorted = [...new Set(values)].sort((a, b) => a - b);
	return sorted.reduce(
		(least, v, i) => (i === 0 ? least : Math.min(least, v - sorted[i - 1])),
		1,
	);
}

/** Checks that a call throws its message and dispatches nothing. */
export function checkBadCall(gpu: Gpu, call: BadCall): void {
	scope(gpu, () => {
		const inputs = call.inputs.map((shape) =>
			tensor(gpu, new Float32Array(sizeOf(shape)), shape),
		);
		const { dispatches } = gpu.statistics;
		assert.throws(() => call.run(inputs), call.message);
		assert.is(
			gpu.statistics.dispatches,
			dispatches,
			"dispatched before it threw",
		);
	});
}

/** Value, and gradients of sum(y * dy), of one run on the device. */
async function evaluate(
	gpu: Gpu,
	c: Case,
	values: Float32Array[],
	dy: Float32Array,
	shape: Shape,
): Promise<{ y: Float32Array; gradients: (Float32Array | null)[] }> {
	const { y, gradients } = scope(gpu, () => {
		const inputs = c.inputs.map(({ shape, grad = true }, i) => {
			const input = tensor(gpu, values[i], shape);
			input.requiresGrad = grad;
			return input;
		});
		const y = c.run(inputs);
		assert.is(show(y.shape), show(shape), "shape of the output");
		if (inputs.some((input) => input.requiresGrad))
			backward(y, tensor(gpu, dy, shape));
		return { y, gradients: inputs.map((input) => input.grad) };
	});
	const read = async (t: Tensor) => {
		const data = await t.data();
		// Whoever gets this memory next and forgets to write all of it is found out.
		fill(t, Number.NaN).dispose();
		return data;
	};
	const result = { y: await read(y), gradients: [] as (Float32Array | null)[] };
	for (const gradient of gradients)
		result.gradients.push(gradient ? await read(gradient) : null);
	return result;
}

const largest = (values: ArrayLike<number>) => {
	let most = 0;
	for (let i = 0; i < values.length; i++)
		most = Math.max(most, Math.abs(values[i]));
	return most;
};

const leastOf = ({ least = 0 }: Case, count: number) =>
	Math.max(count < 16 ? least : 0, 1e-30);

/** Every element within `tolerance` of the largest one, which counts as `least` where it is smaller. */
export function compare(
	what: string,
	actual: ArrayLike<number>,
	expected: ArrayLike<number>,
	tolerance: number,
	least = 1e-30,
): void {
	assert.is(actual.length, expected.length, `length of ${what}`);
	const scale = Math.max(largest(expected), least);
	for (let i = 0; i < actual.length; i++)
		if (!(Math.abs(actual[i] - expected[i]) <= tolerance * scale))
			throw new Error(
				`${what}, element ${i} of ${actual.length}: ${actual[i]}, expected ${expected[i]} (largest ${scale}, tolerance ${tolerance})`,
			);
}

function sameBits(what: string, a: Float32Array, b: Float32Array): void {
	const [p, q] = [a, b].map(
		(x) => new Uint32Array(x.buffer, x.byteOffset, x.length),
	);
	const i = p.findIndex((bits, k) => bits !== q[k]);
	if (i >= 0)
		throw new Error(
			`${what} differs between two runs: element ${i}, ${a[i]} and ${b[i]}`,
		);
}

const STEP = 1e-5;

/** Compares with central differences of the reference. */
function checkGradient(
	c: Case,
	inputs: Nd[],
	index: number,
	gradient: Float32Array,
	dy: Float32Array,
	rtol: number,
	random: Random,
): Promise<number> {
	const { data: values, shape } = inputs[index];
	return compareSlopes(`gradient of input ${index}`, {
		...{ shape, values, gradient, eps: STEP, rtol, random },
		atol: c.atol ?? 1e-9, // the differences themselves are good to about that
		least: leastOf(c, values.length),
		loss(data) {
			const y = c.reference(inputs.with(index, { shape, data })).data;
			let sum = 0;
			for (let i = 0; i < y.length; i++) sum += y[i] * dy[i];
			return sum;
		},
	});
}

function hash(text: string): number {
	let h = 0;
	for (const character of text)
		h = (Math.imul(h, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
	return h;
}
