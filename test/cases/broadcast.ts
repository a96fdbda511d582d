import * as compare from "../../src/engine/ops/compare.ts";
import * as ops from "../../src/engine/ops/elementwise.ts";
import type { Tensor } from "../../src/engine/tensors/tensor.ts";
import { type BadCall, type Case, distance } from "../opTesting.ts";
import { broadcast } from "../reference/broadcast.ts";

/** A function of two tensors, or a tensor and a number. */
interface Binary {
	readonly name: string;
	readonly run: (a: ops.Operand, b: ops.Operand) => Tensor;
	readonly f: (p: number, q: number) => number;
	/** Whether it jumps, or its slope does, where both are equal. */
	readonly kink?: boolean;
	readonly grad?: boolean;
	/** Of both inputs. */
	readonly low?: number;
}

const comparison = (
	run: Binary["run"],
	f: (p: number, q: number) => boolean,
): Binary => ({
	name: run.name,
	run,
	f: (p, q) => Number(f(p, q)),
	grad: false,
});

export const binaries: Binary[] = [
	{ name: "add", run: ops.add, f: (p, q) => p + q },
	{ name: "sub", run: ops.sub, f: (p, q) => p - q },
	{ name: "mul", run: ops.mul, f: (p, q) => p * q },
	{ name: "div", run: ops.div, f: (p, q) => p / q, low: 0.4 },
	{ name: "maximum", run: compare.maximum, f: Math.max, kink: true },
	{ name: "minimum", run: compare.minimum, f: Math.min, kink: true },
	comparison(compare.gt, (p, q) => p > q),
	comparison(compare.lt, (p, q) => p < q),
	comparison(compare.ge, (p, q) => p >= q),
	comparison(compare.le, (p, q) => p <= q),
	comparison(compare.eq, (p, q) => p === q),
];

export const row = (
	{ name, run, f, kink, grad, low = -1 }: Binary,
	a: readonly number[],
	b: readonly number[],
): Case => ({
	name: `${name} of [${a}] with [${b}]`,
	inputs: [a, b].map((shape) => ({ shape, low, high: 1.5, grad })),
	run: ([a, b]) => run(a, b),
	reference: ([a, b]) => broadcast([a, b], f),
	margin: (both) =>
		kink
			? distance(broadcast(both, (p, q) => p - q).data, 0)
			: Number.POSITIVE_INFINITY,
});

/** With a number on the left, or the right. */
const withNumber = (
	{ name, run, f, kink, grad, low }: Binary,
	left: boolean,
): Case => ({
	name: `${name} with a number on the ${left ? "left" : "right"}`,
	inputs: [{ shape: [3, 5], low: low ?? -1, high: 1.5, grad }],
	run: ([x]) => (left ? run(0.75, x) : run(x, 0.75)),
	reference: ([x]) => broadcast([x], (v) => (left ? f(0.75, v) : f(v, 0.75))),
	margin: ([x]) => (kink ? distance(x.data, 0.75) : Number.POSITIVE_INFINITY),
});

export const chosen = (shapes: readonly (readonly number[])[]): Case => ({
	name: `where of ${shapes.map((s) => `[${s}]`).join(", ")}`,
	inputs: shapes.map((shape, i) => ({ shape, grad: i > 0 })),
	run: ([x, a, b]) => compare.where(compare.gt(x, 0), a, b),
	reference: (all) => broadcast(all, (x, a, b) => (x > 0 ? a : b)),
});

export const cases: Case[] = [
	...binaries.flatMap((op) => [
		row(op, [3, 7], [3, 7]),
		row(op, [3, 1], [1, 7]),
		row(op, [5], [2, 3, 5]),
		withNumber(op, true),
		withNumber(op, false),
	]),
	...[0, 2, 3, 4].flatMap((k) => [
		row(binaries[k], [2, 3, 1, 8], [3, 5, 1]),
		row(binaries[k], [2, 1, 3, 1], [5, 1, 4]),
		row(binaries[k], [], [2, 3]),
		row(binaries[k], [1, 300, 3], [2, 1, 3]),
		row(binaries[k], [2, 4, 5, 1], [2, 1, 1, 12]),
	]),
	row(binaries[0], [2, 3, 1, 2, 1], [1, 1, 3, 2, 5]),
	{
		name: "eq of what is equal",
		inputs: [{ shape: [9], grad: false }],
		run: ([x]) => compare.eq(ops.mul(x, 2), ops.add(x, x)),
		reference: ([x]) => broadcast([x], () => 1),
	},
	chosen([
		[3, 7],
		[3, 7],
		[3, 7],
	]),
	chosen([
		[4, 1, 3],
		[5, 1],
		[2, 1, 1, 3],
	]),
	chosen([[6, 8], [8], [6, 1]]),
	{
		name: "where between numbers",
		inputs: [{ shape: [11], grad: false }],
		run: ([x]) => compare.where(compare.lt(x, 0), -1, 2),
		reference: ([x]) => broadcast([x], (v) => (v < 0 ? -1 : 2)),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "maximum of [2, 3] and [2]",
		inputs: [[2, 3], [2]],
		run: ([a, b]) => compare.maximum(a, b),
		message: /maximum: a \[2, 3\] and b \[2\]; expected sizes that are equal/,
	},
	{
		name: "mul of more groups than the shader knows",
		inputs: [
			[2, 1, 2, 1, 2],
			[1, 2, 1, 2, 1],
		],
		run: ([a, b]) => ops.mul(a, b),
		message: /mul: .* repeat in more than 4 groups of dimensions/,
	},
	{
		name: "an output that no buffer holds",
		inputs: [
			[1e5, 1],
			[1, 1e5],
		],
		run: ([a, b]) => ops.add(a, b),
		message: /add: inputs .* give an output \[100000, 100000\]/,
	},
	{
		name: "minimum of two numbers",
		inputs: [],
		run: () => compare.minimum(1, 2),
		message: /minimum: found 1 as a and 2 as b, expected a tensor and/,
	},
	{
		name: "gt of NaN",
		inputs: [[3]],
		run: ([x]) => compare.gt(x, Number.NaN),
		message: /gt: a tensor \[3\] and NaN; expected a finite number/,
	},
	{
		name: "sub of two lists",
		inputs: [],
		run: () => ops.sub([1] as unknown as Tensor, [2] as unknown as Tensor),
		message: /sub: found a list as a, expected a tensor or a number/,
	},
	{
		name: "where with a number as condition",
		inputs: [[2]],
		run: ([x]) => compare.where(1 as unknown as Tensor, x, 0),
		message: /where: found 1 as condition, expected a tensor/,
	},
	{
		name: "where of shapes that do not fit",
		inputs: [[2], [3], [3]],
		run: ([c, a, b]) => compare.where(c, a, b),
		message: /where: condition \[2\] and a \[3\] and b \[3\]/,
	},
];
