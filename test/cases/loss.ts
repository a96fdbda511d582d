import { klLoss, mseLoss } from "../../src/engine/ops/loss.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { kl, mse } from "../reference/loss.ts";

const shapes = [[1], [7], [3, 5, 7], [2, 40, 41, 1]];

export const squares = (shape: readonly number[]): Case => ({
	name: `mseLoss [${shape}]`,
	inputs: [{ shape }, { shape }],
	run: ([a, b]) => mseLoss(a, b),
	reference: ([a, b]) => mse(a, b),
});

export const divergence = (shape: readonly number[]): Case => ({
	name: `klLoss [${shape}]`,
	inputs: [{ shape }, { shape, low: -3, high: 2 }],
	run: ([m, l]) => klLoss(m, l),
	reference: ([m, l]) => kl(m, l),
});

export const cases: Case[] = [
	...shapes.map(squares),
	{
		name: "mseLoss towards a constant",
		inputs: [{ shape: [2, 9] }, { shape: [2, 9], grad: false }],
		run: ([a, b]) => mseLoss(a, b),
		reference: ([a, b]) => mse(a, b),
	},
	...shapes.map(divergence),
	{
		name: "klLoss where some log-variances are clamped below",
		inputs: [{ shape: [37] }, { shape: [37], low: -40, high: 0 }],
		run: ([m, l]) => klLoss(m, l),
		reference: ([m, l]) => kl(m, l),
	},
	{
		name: "klLoss where most log-variances are clamped above",
		// The gradient to the mean would drown in the rounding of the reference's 1e8.
		inputs: [
			{ shape: [37], grad: false },
			{ shape: [37], low: 19, high: 60 },
		],
		run: ([m, l]) => klLoss(m, l),
		reference: ([m, l]) => kl(m, l),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "mseLoss of two shapes",
		inputs: [
			[2, 3],
			[3, 2],
		],
		run: ([a, b]) => mseLoss(a, b),
		message: /mseLoss: a \[2, 3\] and b \[3, 2\]/,
	},
	{
		name: "klLoss of two shapes",
		inputs: [
			[2, 3],
			[2, 4],
		],
		run: ([a, b]) => klLoss(a, b),
		message: /klLoss: mean \[2, 3\] and logvar \[2, 4\]/,
	},
];
