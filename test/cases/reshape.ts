import { mul, silu } from "../../src/engine/ops/elementwise.ts";
import { reshape } from "../../src/engine/ops/reshape.ts";
import type { BadCall, Case } from "../opTesting.ts";
import * as reference from "../reference/elementwise.ts";

export const cases: Case[] = [
	{
		name: "reshape between two ops",
		inputs: [{ shape: [4, 6] }, { shape: [8] }],
		run: ([a, b]) => mul(reshape(silu(a), [3, 8]), b),
		reference: ([a, b]) =>
			reference.zip(
				{ shape: [3, 8], data: reference.map(a, reference.silu).data },
				b,
				(p, q) => p * q,
			),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "reshape to another size",
		inputs: [[2, 3]],
		run: ([x]) => reshape(x, [7]),
		message: /reshape: x \[2, 3\] to \[7\]/,
	},
	...[[-2, -3], [0.5, 12], [0]].map(
		(shape): BadCall => ({
			name: `reshape to [${shape}]`,
			inputs: [shape[0] ? [2, 3] : [1]],
			run: ([x]) => reshape(x, shape),
			message: /reshape: .*expected|sizes are positive whole numbers/,
		}),
	),
];
