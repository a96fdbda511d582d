import {
	batchNorm,
	channelStatistics,
} from "../../src/engine/ops/batchNorm.ts";
import { groupNorm } from "../../src/engine/ops/norm.ts";
import type { BadCall, Case } from "../opTesting.ts";
import {
	batchNorm as batchReference,
	groupNorm as reference,
} from "../reference/norm.ts";

export function row(
	shape: number[],
	groups: number,
	activation: "none" | "silu",
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
		name: `groupNorm [${shape}]${range} in ${groups}, ${activation}`,
		inputs: [
			{ shape, low, high, grad },
			{ shape: [channels] },
			{ shape: [channels] },
		],
		run: ([x, gamma, beta]) =>
			groupNorm(x, gamma, beta, { groups, activation, eps }),
		reference: ([x, gamma, beta]) =>
			reference(x, gamma, beta, groups, activation === "silu", eps),
		tolerance,
	};
}

/** Over the pixels, or with statistics that are given as inputs. */
export const batches = (shape: readonly number[], running = false): Case => {
	const vector = [shape[shape.length - 1]];
	const statistics = [
		{ shape: vector, grad: false },
		{ shape: vector, low: 0.3, high: 2, grad: false },
	];
	return {
		name: `batchNorm [${shape}]${running ? " by given statistics" : ""}`,
		inputs: [
			{ shape },
			{ shape: vector },
			{ shape: vector },
			...(running ? statistics : []),
		],
		run: ([x, weight, bias, mean, variance]) =>
			batchNorm(
				x,
				weight,
				bias,
				running ? { running: { mean, variance } } : {},
			),
		reference: ([x, weight, bias, mean, variance]) =>
			batchReference(x, weight, bias, mean, variance),
		tolerance: 2e-5,
	};
};

export const cases: Case[] = [
	batches([4, 5, 3, 4]),
	batches([40, 7]),
	batches([2, 5, 5, 1]),
	batches([3, 5, 3, 6], true),
	batches([9, 4], true),

	row([2, 3, 3, 4], 1, "none"),
	row([2, 5, 7, 6], 2, "none"),
	row([1, 5, 5, 3], 3, "silu"),
	row([3, 4, 5, 16], 8, "silu"),
	row([2, 9, 7, 20], 5, "silu"),
	row([1, 33, 31, 24], 3, "silu"),
	row([2, 64, 64, 8], 2, "none"),
	row([2, 130], 1, "none"),
	row([2, 3, 3, 8], 2, "silu", { eps: 0.1 }),
	// f32 knows numbers near 1000 to 6e-5; E[x^2] - E[x]^2 would be off by half the variance.
	row([2, 16, 16, 8], 2, "none", { low: 1000, high: 1001, tolerance: 4e-4 }),
	row([2, 15, 15, 6], 3, "silu", { low: -1001, high: -1000, tolerance: 4e-4 }),
];

export const badCalls: BadCall[] = [
	{
		name: "batchNorm with statistics of other channels",
		inputs: [[2, 3], [3], [3], [3], [2]],
		run: ([x, weight, bias, mean, variance]) =>
			batchNorm(x, weight, bias, { running: { mean, variance } }),
		message: /batchNorm: x \[2, 3\], .* variance \[2\]; expected x \[..., C\]/,
	},
	{
		name: "batchNorm with eps 0",
		inputs: [[2, 3], [3], [3]],
		run: ([x, weight, bias]) => batchNorm(x, weight, bias, { eps: 0 }),
		message: /batchNorm: x \[2, 3\], eps 0; expected a positive eps/,
	},
	{
		name: "channelStatistics of one pixel",
		inputs: [[1, 3]],
		run: ([x]) => channelStatistics(x),
		message: /channelStatistics: x \[1, 3\]; expected .* two pixels/,
	},

	{
		name: "groupNorm in groups that do not divide",
		inputs: [[1, 2, 2, 6], [6], [6]],
		run: ([x, gamma, beta]) => groupNorm(x, gamma, beta, { groups: 4 }),
		message:
			/groupNorm: x \[1, 2, 2, 6\], gamma \[6\] and beta \[6\] in 4 groups/,
	},
	{
		name: "groupNorm with relu",
		inputs: [[1, 2, 2, 6], [6], [6]],
		run: ([x, gamma, beta]) =>
			groupNorm(x, gamma, beta, { groups: 2, activation: "relu" as "silu" }),
		message: /activation "relu"; expected none or silu/,
	},
	{
		name: "groupNorm with an option that there is not",
		inputs: [[1, 2, 2, 6], [6], [6]],
		run: ([x, gamma, beta]) => {
			const options = { groups: 2, affine: false };
			return groupNorm(x, gamma, beta, options);
		},
		message: /groupNorm: there is no option "affine"/,
	},
	{
		name: "groupNorm with the gamma of other channels",
		inputs: [[1, 2, 2, 6], [5], [6]],
		run: ([x, gamma, beta]) => groupNorm(x, gamma, beta, { groups: 2 }),
		message: /gamma \[5\].*expected/,
	},
];
