import { show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import { record } from "../tensors/autograd.ts";
import {
	checkFits,
	checkTensors,
	empty,
	type Tensor,
	tensor,
} from "../tensors/tensor.ts";
import { eq } from "./compare.ts";

/** Whole numbers up to here are floats, each its own. */
const MOST = 2 ** 24;

function checkNumbers(op: string, numbers: Tensor): void {
	checkTensors(op, { numbers });
	if (numbers.requiresGrad)
		throw new Error(
			`${op}: numbers ${show(numbers.shape)} require a gradient, and there is none to them`,
		);
}

/**
 * Rows of a table by their numbers: numbers [...] -> y [..., C], from a table [N, C]. Numbers are floats with whole values from 0, below N; any other gives a row of NaN. The gradient of the table
 * compares each of its N rows with each number. Throws on a table of another rank, and on numbers that require a gradient.
 */
export function embedding(numbers: Tensor, table: Tensor): Tensor {
	checkNumbers("embedding", numbers);
	const { gpu } = numbers;
	checkTensors("embedding", { table });
	if (table.shape.length !== 2 || table.shape[0] > MOST)
		throw new Error(
			`embedding: found ${show(table.shape)} as table, expected a tensor [N, C] of at most 2^24 rows, which floats can number`,
		);
	const [rows, columns] = table.shape;
	const shape = [...numbers.shape, columns];
	checkFits("embedding", shape, numbers, table);
	const params = { rows, columns, count: numbers.size };
	const y = empty(gpu, shape);
	gpu.run({
		shader: "embedding",
		entry: "forward",
		bindings: { numbers, table, y },
		params: { ...params, n: y.size },
		workgroups: lines(gpu, y.size),
	});
	return record(
		"embedding",
		y,
		[table],
		(dy, grads) => {
			const threads = rows * Math.ceil(columns / 4);
			gpu.run({
				shader: "embedding",
				entry: "backward",
				bindings: { numbers, dy, y: grads.out(0) },
				params: { ...params, n: threads },
				workgroups: lines(gpu, threads),
			});
		},
		[numbers],
	);
}

/** numbers [...] (floats with whole values) -> y [..., classes]: 1 at the class of that number, else 0; all 0 where there is no such class. No gradient. */
export function oneHot(numbers: Tensor, classes: number): Tensor {
	checkNumbers("oneHot", numbers);
	if (!(Number.isInteger(classes) && classes > 0 && classes <= MOST))
		throw new Error(
			`oneHot: numbers ${show(numbers.shape)} of ${classes} classes; expected a whole number from 1 to 2^24`,
		);
	checkFits("oneHot", [...numbers.shape, classes], numbers);
	const all = tensor(
		numbers.gpu,
		Float32Array.from({ length: classes }, (_, i) => i),
	);
	return eq(numbers.view([...numbers.shape, 1]), all);
}
