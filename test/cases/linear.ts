import { linear } from "../../src/engine/ops/linear.ts";
import type { Case } from "../opTesting.ts";
import { finish, matmul, transpose } from "../reference/conv.ts";

/** Dense layers of few rows (linearTiled.wgsl): blocks of 8 rows with and without a remainder, and whole and broken ones of outputs and inputs. */

const row = (m: number, k: number, n: number, bias: boolean): Case => ({
	name: `linear ${m} x ${k} x ${n}${bias ? ", bias" : ""}`,
	inputs: [
		{ shape: [m, k] },
		{ shape: [n, k] },
		...(bias ? [{ shape: [n] }] : []),
	],
	run: ([x, w, b]) => linear(x, w, b ?? null),
	reference: ([x, w, b]) => finish(matmul(x, transpose(w)), b, 1),
});

export const cases: Case[] = [
	...[1, 3, 8, 9, 32].flatMap((m) =>
		[4, 8, 100].flatMap((k) =>
			[1, 5, 33, 256].map((n) => row(m, k, n, m % 2 > 0)),
		),
	),
	row(1, 4096, 33, true),
	row(3, 4096, 5, false),
	row(9, 4096, 8, true),
	row(32, 4096, 1, false),
	// Gradients to x whose sums are cut in slices, the last one shorter.
	row(2, 8, 1000, false),
	row(9, 36, 257, true),
	{
		name: "linear of three dimensions, few rows",
		inputs: [{ shape: [2, 3, 8] }, { shape: [5, 8] }, { shape: [5] }],
		run: ([x, w, b]) => linear(x, w, b),
		reference: ([x, w, b]) => {
			const rows = matmul({ shape: [6, 8], data: x.data }, transpose(w));
			return finish({ shape: [2, 3, 5], data: rows.data }, b, 1);
		},
	},
	// One row too many: a convolution.
	row(33, 100, 33, true),
	row(33, 8, 5, false),
];
