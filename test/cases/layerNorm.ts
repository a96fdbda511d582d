import {
	type LayerNormOptions,
	layerNorm,
} from "../../src/engine/ops/layerNorm.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { layerNorm as reference } from "../reference/norm.ts";

export function row(
	shape: number[],
	more: {
		low?: number;
		high?: number;
		tolerance?: number;
		eps?: number;
		grad?: boolean;
	} = {},
): Case {
	const { low, high, tolerance = 2e-5, eps, grad } = more;
	const channels = shape[shape.length - 1];
	const range = low === undefined ? "" : ` on [${low}, ${high}]`;
	return {
		name: `layerNorm [${shape}]${range}`,
		inputs: [
			{ shape, low, high, grad },
			{ shape: [channels] },
			{ shape: [channels] },
		],
		run: ([x, weight, bias]) => layerNorm(x, weight, bias, { eps }),
		reference: ([x, weight, bias]) => reference(x, weight, bias, eps),
		tolerance,
	};
}

export const cases: Case[] = [
	row([5]),
	row([3, 1]),
	row([7, 64]),
	row([2, 3, 65]),
	row([2000, 12]),
	row([3, 700]),
	row([130, 257], { eps: 0.1 }),
	// f32 knows numbers near 1000 to 6e-5.
	row([4, 256], { low: 1000, high: 1001, tolerance: 4e-4 }),
];

export const badCalls: BadCall[] = [
	{
		name: "layerNorm with the weight of other channels",
		inputs: [[2, 6], [5], [6]],
		run: ([x, weight, bias]) => layerNorm(x, weight, bias),
		message:
			/layerNorm: x \[2, 6\], weight \[5\] and bias \[6\]; expected x \[..., C\]/,
	},
	{
		name: "layerNorm with no eps",
		inputs: [[2, 6], [6], [6]],
		run: ([x, weight, bias]) => layerNorm(x, weight, bias, { eps: 0 }),
		message: /layerNorm: .*, eps 0; expected a positive eps/,
	},
	{
		name: "layerNorm with an option that there is not",
		inputs: [[2, 6], [6], [6]],
		run: ([x, weight, bias]) =>
			layerNorm(x, weight, bias, { epsilon: 1 } as LayerNormOptions),
		message: /layerNorm: there is no option "epsilon"; expected eps/,
	},
];
