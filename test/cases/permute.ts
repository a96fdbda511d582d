import { permute, transpose } from "../../src/engine/ops/permute.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { permute as reference } from "../reference/permute.ts";

export const row = (shape: number[], dims: number[]): Case => ({
	name: `permute [${shape}] to ${dims}`,
	inputs: [{ shape }],
	run: ([x]) => permute(x, dims),
	reference: ([x]) => reference(x, dims),
});

export const cases: Case[] = [
	row([7], [0]),
	row([3, 5], [1, 0]),
	row([3, 5], [0, 1]),
	row([2, 3, 4], [2, 0, 1]),
	row([2, 3, 4, 5], [0, 3, 1, 2]),
	row([2, 3, 4, 5], [3, 2, 1, 0]),
	row([2, 3, 1, 2, 3, 2], [4, 5, 0, 1, 2, 3]),
	row([2, 3, 2, 3, 2], [1, 0, 4, 2, 3]),
	{
		name: "transpose of the first and the last",
		inputs: [{ shape: [2, 3, 4] }],
		run: ([x]) => transpose(x, 0, -1),
		reference: ([x]) => reference(x, [2, 1, 0]),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "permute with a dimension twice",
		inputs: [[2, 3]],
		run: ([x]) => permute(x, [0, 0]),
		message:
			/permute: x \[2, 3\] in the order \[0, 0\]; expected each of its 2/,
	},
	{
		name: "permute of too much",
		inputs: [[1, 2, 3, 4, 5]],
		run: ([x]) => permute(x, [4, 3, 2, 1, 0]),
		message: /permute: .* moves 5 groups of dimensions; expected at most 4/,
	},
	{
		name: "transpose of what is not there",
		inputs: [[2, 3]],
		run: ([x]) => transpose(x, 0, 2),
		message: /transpose: dimensions 0 and 2 of x \[2, 3\]; .* from -2 to 1/,
	},
];
