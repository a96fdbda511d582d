import { softmax } from "../../src/engine/ops/softmax.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { softmax as reference } from "../reference/softmax.ts";

/** WGSL asks exp(x) to be right to 3 + 2 |x| units in the last place, and a row's values differ by up to 2 `high`. */
export const row = (shape: number[], high = 1): Case => ({
	name: `softmax [${shape}]${high === 1 ? "" : ` on +-${high}`}`,
	inputs: [{ shape, low: -high, high }],
	run: ([x]) => softmax(x),
	reference: ([x]) => reference(x),
	tolerance: 1e-5 * Math.max(1, high / 10),
	// s (dy - sum of s dy) where all rows are saturated: the rest of a difference of numbers near 1, as in torch.
	atol: high > 5 ? 2e-7 : undefined,
});

export const cases: Case[] = [
	row([1]),
	row([7]),
	row([5, 1]),
	row([3, 64]),
	row([2, 3, 65]),
	row([130, 4]),
	row([1, 1000]),
	row([2, 5000]),
	row([70, 257], 30),
	row([1500, 3], 5),
	// exp(x) alone would overflow in the first, and vanish in the second.
	...[990, -992].map((low) => ({
		...row([4, 33]),
		name: `softmax [4,33] on [${low}, ${low + 2}]`,
		inputs: [{ shape: [4, 33], low, high: low + 2 }],
	})),
];

export const badCalls: BadCall[] = [
	{
		name: "softmax of no dimension",
		inputs: [[]],
		run: ([x]) => softmax(x),
		message: /softmax: x \[\]; expected at least one dimension/,
	},
];
