import * as ops from "../../src/engine/ops/elementwise.ts";
import type { Tensor } from "../../src/engine/tensor.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { map, sigmoid, silu, zip } from "../reference/elementwise.ts";

function unary(
	name: string,
	run: (x: Tensor) => Tensor,
	f: (v: number) => number,
	range = 3,
): Case {
	return {
		name,
		inputs: [{ shape: [3, 5, 7], low: -range, high: range }],
		run: ([x]) => run(x),
		reference: ([x]) => map(x, f),
	};
}

const binaries: [
	string,
	(a: Tensor, b: Tensor) => Tensor,
	(p: number, q: number) => number,
][] = [
	["add", ops.add, (p, q) => p + q],
	["sub", ops.sub, (p, q) => p - q],
	["mul", ops.mul, (p, q) => p * q],
];

export const cases: Case[] = [
	unary("relu", ops.relu, (v) => Math.max(v, 0)),
	unary(
		"leakyRelu 0.2",
		(x) => ops.leakyRelu(x, 0.2),
		(v) => (v > 0 ? v : 0.2 * v),
	),
	unary("silu", ops.silu, silu),
	unary("silu of large values", ops.silu, silu, 200),
	unary("sigmoid", ops.sigmoid, sigmoid),
	unary("sigmoid of large values", ops.sigmoid, sigmoid, 200),
	unary("tanh", ops.tanh, Math.tanh),
	unary("tanh of large values", ops.tanh, Math.tanh, 200),
	unary("exp", ops.exp, Math.exp),
	unary(
		"clamp",
		(x) => ops.clamp(x, -0.5, 1.25),
		(v) => Math.min(Math.max(v, -0.5), 1.25),
	),
	unary(
		"scale",
		(x) => ops.scale(x, -2.5),
		(v) => -2.5 * v,
	),
	...binaries.flatMap(([name, run, f]) =>
		[[3, 4, 5, 6], [6], [5, 6], [4, 5, 6], [1]].map(
			(shape): Case => ({
				name: `${name} [3, 4, 5, 6] and [${shape}]`,
				inputs: [{ shape: [3, 4, 5, 6] }, { shape }],
				run: ([a, b]) => run(a, b),
				reference: ([a, b]) => zip(a, b, f),
			}),
		),
	),
	{
		name: "mul of 5,000 rows of 8 and [8]",
		inputs: [{ shape: [5000, 8] }, { shape: [8] }],
		run: ([a, b]) => ops.mul(a, b),
		reference: ([a, b]) => zip(a, b, (p, q) => p * q),
	},
	{
		name: "mul of odd sizes",
		inputs: [{ shape: [3, 7] }, { shape: [3, 7] }],
		run: ([a, b]) => ops.mul(a, b),
		reference: ([a, b]) => zip(a, b, (p, q) => p * q),
	},
	{
		name: "add where only b wants a gradient",
		inputs: [{ shape: [4, 3], grad: false }, { shape: [3] }],
		run: ([a, b]) => ops.add(a, b),
		reference: ([a, b]) => zip(a, b, (p, q) => p + q),
	},
	{
		name: "reshape between two ops",
		inputs: [{ shape: [4, 6] }, { shape: [8] }],
		run: ([a, b]) => ops.mul(ops.reshape(ops.silu(a), [3, 8]), b),
		reference: ([a, b]) =>
			zip({ shape: [3, 8], data: map(a, silu).data }, b, (p, q) => p * q),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "add of [2, 3] and [2]",
		inputs: [[2, 3], [2]],
		run: ([a, b]) => ops.add(a, b),
		message: /add: a \[2, 3\] and b \[2\]/,
	},
	{
		name: "mul where b has more dimensions than a",
		inputs: [[3], [2, 3]],
		run: ([a, b]) => ops.mul(a, b),
		message: /mul: a \[3\] and b \[2, 3\]/,
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
	{
		name: "reshape to another size",
		inputs: [[2, 3]],
		run: ([x]) => ops.reshape(x, [7]),
		message: /reshape: x \[2, 3\] to \[7\]/,
	},
	...[[-2, -3], [0.5, 12], [0]].map(
		(shape): BadCall => ({
			name: `reshape to [${shape}]`,
			inputs: [shape[0] ? [2, 3] : [1]],
			run: ([x]) => ops.reshape(x, shape),
			message: /reshape: .*expected|sizes are positive whole numbers/,
		}),
	),
];
