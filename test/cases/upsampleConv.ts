import { upsampleConv2d } from "../../src/engine/ops/upsampleConv.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { conv2d, finish } from "../reference/conv.ts";
import { upsampleNearest2x } from "../reference/sample.ts";

export function row(
	x: [number, number, number, number],
	o: number,
	bias = true,
): Case {
	return {
		name: `upsampleConv2d [${x}] -> ${o}${bias ? "" : ", no bias"}`,
		inputs: [
			{ shape: x },
			{ shape: [o, 3, 3, x[3]] },
			...(bias ? [{ shape: [o] }] : []),
		],
		run: ([x, w, b]) => upsampleConv2d(x, w, b ?? null),
		reference: ([x, w, b]) => {
			const options = { stride: [1, 1], pad: [1, 1, 1, 1] } as const;
			return finish(conv2d(upsampleNearest2x(x), w, options), b, 1);
		},
	};
}

export const cases: Case[] = [
	row([1, 1, 1, 1], 1),
	row([2, 3, 5, 3], 4, false),
	row([1, 4, 2, 8], 7),
	row([3, 4, 4, 5], 16),
	row([1, 8, 8, 12], 12),
];

export const badCalls: BadCall[] = [
	{
		name: "upsampleConv2d with 4x4 taps",
		inputs: [
			[1, 4, 4, 2],
			[3, 4, 4, 2],
		],
		run: ([x, w]) => upsampleConv2d(x, w, null),
		message:
			/upsampleConv2d: x \[1, 4, 4, 2\], w \[3, 4, 4, 2\], bias null; expected x \[B, H, W, C\], w \[O, 3, 3, C\]/,
	},
	{
		name: "upsampleConv2d with the weights of other channels",
		inputs: [
			[1, 4, 4, 2],
			[3, 3, 3, 5],
		],
		run: ([x, w]) => upsampleConv2d(x, w, null),
		message: /upsampleConv2d: .*w \[3, 3, 3, 5\]/,
	},
	{
		name: "upsampleConv2d with the bias of other channels",
		inputs: [[1, 4, 4, 2], [3, 3, 3, 2], [2]],
		run: ([x, w, b]) => upsampleConv2d(x, w, b),
		message: /upsampleConv2d: .*bias \[2\]/,
	},
];
