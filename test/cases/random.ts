import { type NoiseKey, reparameterise } from "../../src/engine/ops/random.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { distance, nd } from "../opTesting.ts";
import { clampLogvar } from "../reference/loss.ts";

export const row = (shape: number[], low: number, high: number): Case => ({
	name: `reparameterise [${shape}], log-variance on [${low}, ${high}]`,
	inputs: [
		{ shape },
		{ shape, low, high },
		{ shape, low: -3, high: 3, grad: false },
	],
	run: ([mean, logvar, noise]) => reparameterise(mean, logvar, noise),
	reference: ([mean, logvar, noise]) =>
		nd(
			shape,
			(i) =>
				mean.data[i] +
				Math.exp(clampLogvar(logvar.data[i]) / 2) * noise.data[i],
		),
	margin: ([, logvar]) => distance(logvar.data, -30, 20),
});

export const cases: Case[] = [
	row([3, 2, 2, 3], -2, 2),
	row([7], -50, 0),
	row([9], 10, 30),
	row([2, 8, 8, 4], -5, 3),
];

export const badCalls: BadCall[] = [
	{
		name: "reparameterise of two shapes",
		inputs: [
			[2, 3],
			[3, 2],
		],
		run: ([mean, logvar]) => reparameterise(mean, logvar, { seed: 1, step: 0 }),
		message: /reparameterise: mean, logvar, noise \[2, 3\], \[3, 2\]/,
	},
	{
		name: "reparameterise with noise that requires a gradient",
		inputs: [[2], [2], [2]],
		run: ([mean, logvar, noise]) => {
			noise.requiresGrad = true;
			return reparameterise(mean, logvar, noise);
		},
		message: /reparameterise: noise \[2\] requires a gradient/,
	},
	{
		name: "reparameterise with a misspelt stream",
		inputs: [[2], [2]],
		run: ([mean, logvar]) =>
			reparameterise(mean, logvar, { seed: 1, step: 0, steam: 2 } as NoiseKey),
		message: /there is no option "steam"; expected seed, step, stream/,
	},
	{
		name: "reparameterise with a negative seed",
		inputs: [[2], [2]],
		run: ([mean, logvar]) =>
			reparameterise(mean, logvar, { seed: -1, step: 0 }),
		message: /randn \[2\]: seed -1/,
	},
];
