import {
	dropout,
	type NoiseKey,
	reparameterise,
} from "../../src/engine/ops/random.ts";
import { philox } from "../../src/random.ts";
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

/** Elements stay by the words of the generator. */
export const dropping = (shape: readonly number[], p: number): Case => ({
	name: `dropout [${shape}] of ${p}`,
	inputs: [{ shape }],
	run: ([x]) => dropout(x, { p, seed: 5, step: 6, stream: 7 }),
	reference: ([x]) =>
		nd(shape, (i) => {
			const word = philox([Math.floor(i / 4), 6, 7, 0x6c656e73], [5, 0])[i % 4];
			const goes = ((word >>> 8) + 0.5) / 2 ** 24 < p;
			return goes ? 0 : x.data[i] / (1 - p);
		}),
});

export const cases: Case[] = [
	dropping([3, 5, 7], 0.5),
	dropping([40, 8], 0.1),
	dropping([9], 0),

	row([3, 2, 2, 3], -2, 2),
	row([7], -50, 0),
	row([9], 10, 30),
	row([2, 8, 8, 4], -5, 3),
];

export const badCalls: BadCall[] = [
	{
		name: "dropout of everything",
		inputs: [[3]],
		run: ([x]) => dropout(x, { p: 1, seed: 1, step: 0 }),
		message: /dropout: x \[3\], p 1; expected a number from 0, below 1/,
	},
	{
		name: "dropout without a step",
		inputs: [[3]],
		run: ([x]) => dropout(x, { p: 0.5, seed: 1 } as unknown as NoiseKey),
		message: /dropout \[3\]: seed 1, step undefined/,
	},

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
