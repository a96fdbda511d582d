import * as ops from "../../src/engine/ops/reduce.ts";
import type { Case } from "../opTesting.ts";
import { map } from "../reference/elementwise.ts";
import { columnSum } from "../reference/reduce.ts";

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

export const cases: Case[] = [
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
