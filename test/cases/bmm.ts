import { type BmmOptions, bmm } from "../../src/engine/ops/bmm.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { bmm as reference } from "../reference/bmm.ts";

export const row = (
	[batch, m, k, n]: readonly number[],
	transposeA: boolean,
	transposeB: boolean,
): Case => ({
	name: `bmm ${batch} of ${m} x ${k} x ${n}, A${transposeA ? "ᵀ" : ""} B${transposeB ? "ᵀ" : ""}`,
	inputs: [
		{ shape: [batch, ...(transposeA ? [k, m] : [m, k])] },
		{ shape: [batch, ...(transposeB ? [n, k] : [k, n])] },
	],
	run: ([a, b]) => bmm(a, b, { transposeA, transposeB }),
	reference: ([a, b]) => reference(a, b, transposeA, transposeB),
});

/** Whole and broken tiles of either kernel, and rows that are and are not multiples of 4. */
const sizes = [
	[1, 1, 1, 1],
	[3, 5, 7, 2],
	[2, 8, 16, 128],
	[2, 65, 20, 33],
	[1, 12, 37, 132],
	[1, 64, 16, 64],
];

export const cases: Case[] = sizes.flatMap((size) =>
	[false, true].flatMap((a) => [false, true].map((b) => row(size, a, b))),
);

const call = (
	name: string,
	a: number[],
	b: number[],
	options: BmmOptions,
	message: RegExp,
): BadCall => ({
	name: `bmm ${name}`,
	inputs: [a, b],
	run: ([a, b]) => bmm(a, b, options),
	message,
});

export const badCalls: BadCall[] = [
	call(
		"of other batches",
		[2, 3, 4],
		[1, 4, 5],
		{},
		/bmm: a \[2, 3, 4\] and b \[1, 4, 5\]; expected \[B, M, K\] and \[B, K, N\]/,
	),
	call(
		"of wrong sizes, transposed",
		[2, 3, 4],
		[2, 4, 5],
		{ transposeA: true, transposeB: true },
		/bmm: .*; expected \[B, K, M\] and \[B, N, K\]/,
	),
	call("of matrices", [3, 4], [4, 5], {}, /bmm: a \[3, 4\] and b \[4, 5\]/),
	call(
		"with an option that there is not",
		[1, 3, 4],
		[1, 4, 5],
		{ transpose: true } as BmmOptions,
		/bmm: there is no option "transpose"; expected transposeA, transposeB/,
	),
];
