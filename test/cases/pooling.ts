import { avgPool2d, maxPool2d } from "../../src/engine/ops/pooling.ts";
import type { Tensor } from "../../src/engine/tensors/tensor.ts";
import { type BadCall, type Case, nearest } from "../opTesting.ts";
import { pool, type Windows } from "../reference/pooling.ts";

export const row = (
	op: typeof maxPool2d,
	shape: readonly number[],
	windows: Windows,
): Case => ({
	name: `${op.name} [${shape}], ${windows.kernel} by ${windows.stride}, padding ${windows.padding}`,
	inputs: [{ shape }],
	run: ([x]) => op(x, windows),
	reference: ([x]) =>
		pool(x, windows, (values) =>
			op === maxPool2d
				? Math.max(...values)
				: values.reduce((sum, v) => sum + v, 0) /
					(windows.kernel[0] * windows.kernel[1]),
		),
	margin: ([{ data }]) => (op === maxPool2d ? nearest(data) : 1),
});

export const cases: Case[] = [
	...[maxPool2d, avgPool2d].flatMap((op) => [
		row(op, [2, 4, 6, 4], { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }),
		row(op, [1, 5, 7, 3], { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }),
		row(op, [2, 5, 4, 8], { kernel: [3, 2], stride: [1, 2], padding: [1, 0] }),
		row(op, [1, 7, 5, 1], { kernel: [2, 5], stride: [3, 1], padding: [0, 2] }),
		row(op, [3, 1, 1, 5], { kernel: [1, 1], stride: [1, 1], padding: [0, 0] }),
		row(op, [1, 3, 9, 2], { kernel: [2, 2], stride: [1, 4], padding: [1, 1] }),
	]),
	{
		...row(maxPool2d, [1, 6, 6, 2], {
			kernel: [3, 3],
			stride: [3, 3],
			padding: [0, 0],
		}),
		name: "maxPool2d whose stride is its kernel",
		run: ([x]) => maxPool2d(x, { kernel: 3 }),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "maxPool2d of what is no image",
		inputs: [[4, 4]],
		run: ([x]) => maxPool2d(x, { kernel: 2 }),
		message: /maxPool2d: x \[4, 4\], kernel 2,2.*; expected x \[B, H, W, C\]/,
	},
	{
		name: "avgPool2d without a kernel",
		inputs: [[1, 4, 4, 1]],
		run: ([x]) => avgPool2d(x, {} as { kernel: number }),
		message: /avgPool2d: .* kernel undefined.*; expected whole numbers/,
	},
	{
		name: "avgPool2d with a stride of 0",
		inputs: [[1, 4, 4, 1]],
		run: ([x]) => avgPool2d(x, { kernel: 2, stride: 0 }),
		message: /avgPool2d: .* stride 0,0.*; expected whole numbers/,
	},
	{
		name: "maxPool2d with too wide a border",
		inputs: [[1, 4, 4, 1]],
		run: ([x]) => maxPool2d(x, { kernel: 3, padding: 2 }),
		message: /maxPool2d: .* padding 2,2; expected padding of at most half/,
	},
	{
		name: "maxPool2d of an image smaller than its window",
		inputs: [[1, 4, 2, 1]],
		run: ([x]) => maxPool2d(x, { kernel: 3 }),
		message: /maxPool2d: x \[1, 4, 2, 1\].*an image that holds one/,
	},
	{
		name: "maxPool2d of text",
		inputs: [],
		run: () => maxPool2d("x" as unknown as Tensor, { kernel: 3 }),
		message: /maxPool2d: found the text "x" as x, expected a tensor/,
	},
];
