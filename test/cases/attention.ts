import {
	composedAttention,
	fusedAttention,
	scaledDotProductAttention,
} from "../../src/engine/ops/attention.ts";
import type { Tensor } from "../../src/engine/tensors/tensor.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { attention as reference } from "../reference/attention.ts";

type Attend = (q: Tensor, k: Tensor, v: Tensor, scale: number) => Tensor;

export const row = (
	what: string,
	attend: Attend,
	[batch, queries, keys, channels]: readonly number[],
	scale = 1 / Math.sqrt(channels),
): Case => ({
	name: `${what} ${batch} of ${queries} with ${keys}, ${channels} channels, scale ${scale.toFixed(2)}`,
	inputs: [
		{ shape: [batch, queries, channels] },
		{ shape: [batch, keys, channels] },
		{ shape: [batch, keys, channels] },
	],
	run: ([q, k, v]) => attend(q, k, v, scale),
	reference: ([q, k, v]) => reference(q, k, v, scale),
	tolerance: 2e-5,
});

export const byOption: Attend = (q, k, v, scale) =>
	scaledDotProductAttention(q, k, v, { scale });

/** Both ways, whichever the adapter takes. */
const ways: readonly (readonly [string, Attend])[] = [
	["fusedAttention", fusedAttention],
	["composedAttention", composedAttention],
];

export const cases: Case[] = [
	{
		...row("scaledDotProductAttention", byOption, [2, 7, 7, 8]),
		run: ([q, k, v]) => scaledDotProductAttention(q, k, v),
	},
	row("scaledDotProductAttention", byOption, [2, 5, 9, 7], 0.3),
	...ways.flatMap(([what, attend]) => [
		row(what, attend, [1, 1, 1, 4]),
		row(what, attend, [2, 3, 70, 12]),
		row(what, attend, [2, 33, 5, 20], 1),
		row(what, attend, [1, 64, 64, 64]),
		// Scores so far apart that what was summed first has to fade.
		row(what, attend, [1, 40, 150, 36], 8),
		// More than 32 quads of channels, and more than 128.
		row(what, attend, [1, 6, 9, 132]),
		row(what, attend, [1, 35, 3, 516]),
	]),
];

const shapes = (...[q, k, v]: number[][]): BadCall => ({
	name: `scaledDotProductAttention of [${q}], [${k}] and [${v}]`,
	inputs: [q, k, v],
	run: ([q, k, v]) => scaledDotProductAttention(q, k, v),
	message:
		/scaledDotProductAttention: q \[.*\], k \[.*\] and v \[.*\]; expected/,
});

export const badCalls: BadCall[] = [
	shapes([2, 3, 4], [2, 3, 4], [2, 5, 4]),
	shapes([2, 3, 4], [1, 3, 4], [1, 3, 4]),
	shapes([2, 3, 4], [2, 3, 8], [2, 3, 8]),
	shapes([3, 4], [3, 4], [3, 4]),
	{
		name: "scaledDotProductAttention with an option that there is not",
		inputs: [
			[1, 2, 4],
			[1, 2, 4],
			[1, 2, 4],
		],
		run: ([q, k, v]) =>
			scaledDotProductAttention(q, k, v, { heads: 2 } as object),
		message: /scaledDotProductAttention: there is no option "heads"/,
	},
];
