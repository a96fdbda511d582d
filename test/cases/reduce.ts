import * as ops from "../../src/engine/ops/reduce.ts";
import type { Case } from "../opTesting.ts";
import { map } from "../reference/elementwise.ts";
import { columnSum } from "../reference/reduce.ts";

export const cases: Case[] = [
	...[[1], [7], [1021], [3, 5, 16], [40_003], [64, 64, 10]].map(
		(shape): Case => ({
			name: `sum [${shape}]`,
			inputs: [{ shape }],
			run: ([x]) => ops.sum(x),
			reference: ([x]) => columnSum(x, 1),
			// Relative to the sum, of which most cancels.
			tolerance: 1e-4,
		}),
	),
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
	].map(
		(shape): Case => ({
			name: `columnSum [${shape}]`,
			inputs: [{ shape }],
			run: ([x]) => ops.columnSum(x),
			reference: ([x]) => columnSum(x, shape[shape.length - 1]),
		}),
	),
];
