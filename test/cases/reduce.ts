import * as ops from "../../src/engine/ops/reduce.ts";
import { type BadCall, type Case, nearest } from "../opTesting.ts";
import { map } from "../reference/elementwise.ts";
import { along, columnSum } from "../reference/reduce.ts";

export const whole = (shape: readonly number[]): Case => ({
	name: `sum [${shape}]`,
	inputs: [{ shape, low: 0 }],
	run: ([x]) => ops.sum(x),
	reference: ([x]) => columnSum(x, 1),
});

export const columns = (shape: readonly number[]): Case => ({
	name: `columnSum [${shape}]`,
	inputs: [{ shape, low: 0 }],
	run: ([x]) => ops.columnSum(x),
	reference: ([x]) => columnSum(x, shape[shape.length - 1]),
});

type Fold = typeof ops.amax;

/** A sum, mean or maximum over some dimensions, which are counted from the last in half of the calls. */
export const over = (
	op: Fold,
	shape: readonly number[],
	dims: readonly number[],
	keepdim: boolean,
): Case => ({
	name: `${op.name} [${shape}] over ${dims}${keepdim ? ", kept" : ""}`,
	inputs: [{ shape, low: op === ops.amax ? -1 : 0 }],
	run: ([x]) =>
		op(x, {
			dim: keepdim ? dims : dims.map((d) => d - shape.length),
			keepdim,
		}),
	reference: ([x]) => {
		const y = along(x, dims, keepdim, (a, b) =>
			op === ops.amax ? Math.max(a, b) : a + b,
		);
		const count = op === ops.mean ? x.data.length / y.data.length : 1;
		return map(y, (v) => v / count);
	},
	margin: ([{ data }]) => (op === ops.amax ? nearest(data) : 1),
});

export const cases: Case[] = [
	...[ops.sum, ops.mean, ops.amax].flatMap((op) => [
		over(op, [7], [0], false),
		over(op, [3, 5], [0], true),
		over(op, [3, 5], [1], false),
		over(op, [2, 3, 4, 2], [0, 2], false),
		over(op, [2, 3, 2, 4], [1, 2], true),
		over(op, [3, 1, 4], [1], false),
		over(op, [2, 3, 4], [0, 1, 2], false),
	]),
	over(ops.sum, [3, 1025, 2], [1], false),
	over(ops.sum, [2, 600, 4], [1], true),
	over(ops.mean, [5, 2000], [1], false),
	over(ops.sum, [300, 2, 300], [0, 2], false),
	{
		name: "sum over one dimension by its number",
		inputs: [{ shape: [4, 6] }],
		run: ([x]) => ops.sum(x, { dim: -1 }),
		reference: ([x]) => along(x, [1], false, (a, b) => a + b),
	},

	...[[1], [7], [1021], [3, 5, 16], [40_003], [64, 64, 10]].map(whole),
	{
		name: "mean [5, 7, 11]",
		inputs: [{ shape: [5, 7, 11], low: 0 }],
		run: ([x]) => ops.mean(x),
		reference: ([x]) => map(columnSum(x, 1), (v) => v / 385),
	},
	...[
		[1, 3],
		[300, 5],
		[260, 33],
		[17, 512],
		[2001, 12],
		[4, 700, 2],
	].map(columns),
];

export const badCalls: BadCall[] = [
	{
		name: "sum over a dimension that is not there",
		inputs: [[2, 3]],
		run: ([x]) => ops.sum(x, { dim: 2 }),
		message: /sum: dimensions 2 of x \[2, 3\]; expected whole .* from -2 to 1/,
	},
	{
		name: "amax over a dimension twice",
		inputs: [[2, 3]],
		run: ([x]) => ops.amax(x, { dim: [1, -1] }),
		message: /amax: dimensions 1, -1 of x \[2, 3\]; .*each once/,
	},
	{
		name: "mean with a misspelt option",
		inputs: [[2, 3]],
		run: ([x]) => ops.mean(x, { dims: 1 } as ops.ReduceOptions),
		message: /mean: there is no option "dims"; expected dim, keepdim/,
	},
	{
		name: "amax of a list",
		inputs: [],
		run: () => ops.amax([1] as unknown as Parameters<typeof ops.amax>[0]),
		message: /amax: found a list as x, expected a tensor/,
	},
];
