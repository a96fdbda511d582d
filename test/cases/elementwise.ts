import * as ops from "../../src/engine/ops/elementwise.ts";
import type { Tensor } from "../../src/engine/tensors/tensor.ts";
import { type BadCall, type Case, distance, type Nd } from "../opTesting.ts";
import { map, sigmoid, silu, zip } from "../reference/elementwise.ts";

/** A function of one tensor, with where its slope jumps. */
interface Unary {
	readonly name: string;
	readonly run: (x: Tensor) => Tensor;
	readonly f: (v: number) => number;
	readonly kinks?: readonly number[];
	/** Of inputs; minus the range when not given. */
	readonly low?: number;
}

const power = (p: number, low?: number): Unary => ({
	name: `pow ${p}`,
	run: (x) => ops.pow(x, p),
	f: (v) => v ** p,
	low,
});

export const unaries: Unary[] = [
	{ name: "relu", run: ops.relu, f: (v) => Math.max(v, 0), kinks: [0] },
	{
		name: "leakyRelu 0.2",
		run: (x) => ops.leakyRelu(x, 0.2),
		f: (v) => (v > 0 ? v : 0.2 * v),
		kinks: [0],
	},
	{ name: "silu", run: ops.silu, f: silu },
	{ name: "sigmoid", run: ops.sigmoid, f: sigmoid },
	{ name: "tanh", run: ops.tanh, f: Math.tanh },
	{ name: "exp", run: ops.exp, f: Math.exp },
	{
		name: "clamp",
		run: (x) => ops.clamp(x, -0.5, 1.25),
		f: (v) => Math.min(Math.max(v, -0.5), 1.25),
		kinks: [-0.5, 1.25],
	},
	{ name: "scale", run: (x) => ops.scale(x, -2.5), f: (v) => -2.5 * v },
	{ name: "abs", run: ops.abs, f: Math.abs, kinks: [0] },
	{ name: "sqrt", run: ops.sqrt, f: Math.sqrt, low: 0.1 },
	{ name: "log", run: ops.log, f: Math.log, low: 0.1 },
	...[0, 1, 2, 3, 4, 5].map((p) => power(p)),
	...[-1, -2, 0.5, 1.7].map((p) => power(p, 0.3)),
	{ name: "add of a number", run: (x) => ops.add(x, 1.5), f: (v) => v + 1.5 },
	{ name: "sub of a number", run: (x) => ops.sub(x, 1.5), f: (v) => v - 1.5 },
	{ name: "mul by a number", run: (x) => ops.mul(x, -3), f: (v) => -3 * v },
	{ name: "div by a number", run: (x) => ops.div(x, -3), f: (v) => v / -3 },
];

export function unaryRow(
	{ name, run, f, kinks = [], low }: Unary,
	shape: readonly number[] = [3, 5, 7],
	range = 3,
): Case {
	return {
		name: `${name} [${shape}] within ${range}`,
		inputs: [{ shape, low: low ?? -range, high: range }],
		run: ([x]) => run(x),
		reference: ([x]) => map(x, f),
		margin: ([x]) => distance(x.data, ...kinks),
	};
}

export const binaryRow = (
	[name, run, f]: (typeof binaries)[number],
	a: readonly number[],
	b: readonly number[],
): Case => ({
	name: `${name} [${a}] and [${b}]`,
	inputs: [{ shape: a }, { shape: b }],
	run: ([a, b]) => run(a, b),
	reference: ([a, b]) => zip(a, b, f),
});

export const binaries: [
	string,
	(a: Tensor, b: Tensor) => Tensor,
	(p: number, q: number) => number,
][] = [
	["add", ops.add, (p, q) => p + q],
	["sub", ops.sub, (p, q) => p - q],
	["mul", ops.mul, (p, q) => p * q],
];

export const cases: Case[] = [
	{
		name: "pow 0 of zeros",
		inputs: [{ shape: [5], low: 0, high: 0 }],
		run: ([x]) => ops.pow(x, 0),
		reference: ([x]) => map(x, () => 1),
	},
	...unaries.map((op) => unaryRow(op)),
	...unaries
		.filter(({ name }) => ["silu", "sigmoid", "tanh"].includes(name))
		.map((op) => unaryRow(op, [3, 5, 7], 200)),
	...binaries.flatMap((op) =>
		[[3, 4, 5, 6], [6], [5, 6], [4, 5, 6], [1]].map((b) =>
			binaryRow(op, [3, 4, 5, 6], b),
		),
	),
	{
		name: "mul of 5,000 rows of 8 and [8]",
		inputs: [{ shape: [5000, 8] }, { shape: [8] }],
		run: ([a, b]) => ops.mul(a, b),
		reference: ([a, b]) => zip(a, b, (p, q) => p * q),
	},
	...[[3, 4, 5, 6], [6], [5, 6], [1]].map((b) => ({
		name: `div [3, 4, 5, 6] and [${b}]`,
		inputs: [{ shape: [3, 4, 5, 6] }, { shape: b, low: 0.4, high: 2 }],
		run: ([p, q]: Tensor[]) => ops.div(p, q),
		reference: ([p, q]: Nd[]) => zip(p, q, (v, w) => v / w),
	})),
	{
		name: "mul of odd sizes",
		inputs: [{ shape: [3, 7] }, { shape: [3, 7] }],
		run: ([a, b]) => ops.mul(a, b),
		reference: ([a, b]) => zip(a, b, (p, q) => p * q),
	},
	{
		name: "add of [1, 3] and [3]",
		inputs: [{ shape: [1, 3] }, { shape: [3] }],
		run: ([a, b]) => ops.add(a, b),
		reference: ([a, b]) => zip(a, b, (p, q) => p + q),
	},
	{
		name: "add where only b wants a gradient",
		inputs: [{ shape: [4, 3], grad: false }, { shape: [3] }],
		run: ([a, b]) => ops.add(a, b),
		reference: ([a, b]) => zip(a, b, (p, q) => p + q),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "add of text",
		inputs: [[3]],
		run: ([a]) => ops.add(a, "1" as unknown as number),
		message: /add: found the text "1" as b, expected a tensor or a number/,
	},
	{
		name: "sqrt of a list",
		inputs: [[3]],
		run: () => ops.sqrt([4] as unknown as Tensor),
		message: /sqrt: found a list as x, expected a tensor/,
	},
	{
		name: "add of [2, 3] and [2]",
		inputs: [[2, 3], [2]],
		run: ([a, b]) => ops.add(a, b),
		message: /add: a \[2, 3\] and b \[2\]/,
	},
	{
		name: "scale by NaN",
		inputs: [[3]],
		run: ([x]) => ops.scale(x, Number.NaN),
		message: /scale: x \[3\] with the constant NaN/,
	},
	{
		name: "clamp to an empty range",
		inputs: [[3]],
		run: ([x]) => ops.clamp(x, 1, 0),
		message: /clamp: low 1 and high 0/,
	},
	{
		name: "leakyRelu with a negative slope",
		inputs: [[3]],
		run: ([x]) => ops.leakyRelu(x, -1),
		message: /leakyRelu: slope -1/,
	},
];
