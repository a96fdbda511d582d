import { record } from "../autograd.ts";
import { lines } from "../dispatch.ts";
import type { BufferView } from "../pool.ts";
import { empty, show, type Tensor } from "../tensor.ts";

/** Sums, each in a fixed order: bitwise the same on every run. */

/** The last pass adds at most this many rows. */
const LAST = 256;

/**
 * y = factor * column sums of x, where x is read as rows of y.size columns. For the backward passes of other ops; columnSum() is the op. In
 * two or three passes over ever fewer rows; where the columns are no multiple of 4, four rows are taken as one wide row as long as that works.
 */
export function sumColumns(x: Tensor, y: Tensor, factor = 1): void {
	const { gpu } = x;
	const columns = y.size;
	let source = x;
	let rows = x.size / columns;
	while (rows > LAST) {
		const wide = columns % 4 !== 0 && rows % 4 === 0 ? 4 : 1;
		const height = rows / wide;
		const each = Math.max(64, Math.min(256, Math.ceil(Math.sqrt(height))));
		rows = Math.ceil(height / each) * wide;
		const partial = empty(gpu, [rows, columns]);
		onePass(source, partial, columns * wide, 1);
		if (source !== x) source.dispose();
		source = partial;
	}
	onePass(source, y, columns, factor);
	if (source !== x) source.dispose();
}

function onePass(x: Tensor, y: Tensor, columns: number, factor: number): void {
	const by = columns % 4 === 0 ? 4 : 1;
	const threads = y.size / by;
	const bindings: Record<string, BufferView> =
		by === 4 ? { x4: x, y4: y } : { x, y };
	x.gpu.run({
		shader: "reduce",
		entry: by === 4 ? "sum4" : "sum",
		bindings,
		params: { n: x.size / by, threads, factor },
		workgroups: lines(x.gpu, threads),
	});
}

/** y = factor * x, repeated as often as it fits: the gradient of a column sum. */
export function spread(x: Tensor, y: Tensor, factor = 1): void {
	y.gpu.run({
		shader: "reduce",
		entry: "spread",
		bindings: { x, y },
		params: { n: y.size, threads: x.size, factor },
		workgroups: lines(y.gpu, Math.ceil(y.size / 4)),
	});
}

function reduce(
	op: string,
	x: Tensor,
	columns: number,
	factor: number,
): Tensor {
	const y = empty(x.gpu, [columns]);
	sumColumns(x, y, factor);
	return record(
		op,
		y,
		[x],
		(dy, grads) => spread(dy, grads.out(0), factor),
		[],
	);
}

/** The sum of all elements, as a tensor of shape [1]. */
export function sum(x: Tensor): Tensor {
	return reduce("sum", x, 1, 1);
}

/** The mean of all elements, as a tensor of shape [1]. */
export function mean(x: Tensor): Tensor {
	return reduce("mean", x, 1, 1 / x.size);
}

/** x [..., C] -> y [C], the sums over all leading dimensions. Throws where x has no dimension. */
export function columnSum(x: Tensor): Tensor {
	const columns = x.shape.at(-1);
	if (columns === undefined)
		throw new Error(
			`columnSum: x ${show(x.shape)}; expected at least one dimension`,
		);
	return reduce("columnSum", x, columns, 1);
}
