import { mul } from "../../src/engine/ops/elementwise.ts";
import { embedding, oneHot } from "../../src/engine/ops/embedding.ts";
import { detach } from "../../src/engine/ops/reshape.ts";
import { crossEntropy } from "../../src/engine/ops/softmax.ts";
import { type Tensor, tensor } from "../../src/engine/tensors/tensor.ts";
import { Random } from "../../src/random.ts";
import { type BadCall, type Case, nd } from "../opTesting.ts";

/** Whole numbers from 0, below `most`. */
const draw = (count: number, most: number) => {
	const random = new Random(count, most);
	return Array.from({ length: count }, () => random.integer(0, most));
};

export const looking = (
	shape: readonly number[],
	rows: number,
	columns: number,
): Case => {
	const numbers = draw(
		shape.reduce((a, b) => a * b, 1),
		rows,
	);
	return {
		name: `embedding [${shape}] in [${rows}, ${columns}]`,
		inputs: [{ shape: [rows, columns] }],
		run: ([table]) => embedding(tensor(table.gpu, numbers, shape), table),
		reference: ([table]) =>
			nd(
				[...shape, columns],
				(i) =>
					table.data[
						numbers[Math.floor(i / columns)] * columns + (i % columns)
					],
			),
	};
};

export const marking = (shape: readonly number[], classes: number): Case => {
	const numbers = draw(
		shape.reduce((a, b) => a * b, 1),
		classes,
	);
	return {
		name: `oneHot [${shape}] of ${classes}`,
		inputs: [{ shape: [...shape, classes] }],
		run: ([x]) => mul(x, oneHot(tensor(x.gpu, numbers, shape), classes)),
		reference: ([x]) =>
			nd(x.shape, (i) =>
				numbers[Math.floor(i / classes)] === i % classes ? x.data[i] : 0,
			),
	};
};

export const entropy = (rows: number, columns: number, high = 2): Case => {
	const labels = draw(rows, columns);
	return {
		name: `crossEntropy [${rows}, ${columns}] on +-${high}`,
		inputs: [{ shape: [rows, columns], low: -high, high }],
		run: ([x]) => crossEntropy(x, tensor(x.gpu, labels)),
		reference: ([x]) => entropyOf(x.data, labels, columns),
		// exp(x) of a driver is right to 3 + 2 |x| units in the last place; and x itself is rounded.
		tolerance: 1e-5 * Math.max(1, high / 10),
		least: 0.05,
	};
};

export const cases: Case[] = [
	looking([5], 7, 4),
	looking([2, 3], 4, 5),
	looking([], 3, 1),
	looking([300], 2, 9),
	marking([4], 5),
	marking([2, 3], 8),
	marking([3], 1),
	entropy(1, 1),
	entropy(3, 7),
	entropy(130, 4),
	entropy(2, 1000),
	entropy(70, 65, 30),
	{
		name: "crossEntropy whose exponentials would overflow",
		inputs: [{ shape: [4, 3], low: 990, high: 992 }],
		run: ([x]) => crossEntropy(x, tensor(x.gpu, [0, 1, 2, 0])),
		reference: ([x]) => entropyOf(x.data, [0, 1, 2, 0], 3),
		tolerance: 2e-4,
	},
];

function entropyOf(data: Float64Array, labels: number[], columns: number) {
	const each = labels.map((label, r) => {
		const row = data.subarray(r * columns, (r + 1) * columns);
		return Math.log(row.reduce((s, v) => s + Math.exp(v - row[label]), 0));
	});
	return nd([1], () => each.reduce((a, b) => a + b) / labels.length);
}

export const badCalls: BadCall[] = [
	{
		name: "embedding in a table without columns",
		inputs: [[2], [3]],
		run: ([numbers, table]) => embedding(numbers, table),
		message: /embedding: found \[3\] as table, expected a tensor \[N, C\]/,
	},
	{
		name: "embedding of a list",
		inputs: [[3, 2]],
		run: ([table]) => embedding([1] as unknown as Tensor, table),
		message: /embedding: found a list as numbers, expected a tensor/,
	},
	{
		name: "embedding of numbers that require a gradient",
		inputs: [[2], [3, 2]],
		run: ([numbers, table]) => {
			numbers.requiresGrad = true;
			return embedding(numbers, table);
		},
		message: /embedding: numbers \[2\] require a gradient/,
	},
	{
		name: "oneHot of half a class",
		inputs: [[2]],
		run: ([x]) => oneHot(x, 0.5),
		message: /oneHot: numbers \[2\] of 0.5 classes; expected a whole number/,
	},
	{
		name: "crossEntropy of two batches",
		inputs: [[2, 3], [3]],
		run: ([x, labels]) => crossEntropy(x, labels),
		message:
			/crossEntropy: logits \[2, 3\] and labels \[3\]; expected \[B, C\]/,
	},
	{
		name: "detach of a number",
		inputs: [],
		run: () => detach(1 as unknown as Tensor),
		message: /detach: found 1 as x, expected a tensor/,
	},
];
