import { checkNames } from "../basics/options.ts";
import { type Shape, show, sizeOf } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import type { BufferView } from "../device/pool.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";
import { expand, zip } from "./broadcast.ts";

/** Sums and the like, each in a fixed order: bitwise the same on every run. */

/** The last pass adds at most this many rows. */
const LAST = 256;

// In the order of the shader's cases.
const OPS = ["sum", "amax"] as const;
type Fold = (typeof OPS)[number];

/** y = factor * column sums of x, where x is read as rows of y.size columns. For the backward passes of other ops; columnSum() is the op. */
export function sumColumns(x: Tensor, y: Tensor, factor = 1): void {
	foldMiddle("sum", x, y, 1, factor);
}

/**
 * Sums x [outer, R, C] over R, or takes the largest, to y [outer, C]. Each pass leaves fewer rows, until one is left. Where C is not a multiple of 4 but the number of rows is, four rows are read as one row of 4 C columns.
 */
function foldMiddle(
	op: Fold,
	x: Tensor,
	y: Tensor,
	outer: number,
	factor: number,
): void {
	const { gpu } = x;
	const columns = y.size / outer;
	const pass = (from: Tensor, to: Tensor, wide: number, factor: number) =>
		onePass(op, from, to, outer, columns * wide, factor);
	let source = x;
	let rows = x.size / y.size;
	while (rows > LAST) {
		const wide = columns % 4 !== 0 && rows % 4 === 0 ? 4 : 1;
		const height = rows / wide;
		const each = Math.max(64, Math.min(256, Math.ceil(Math.sqrt(height))));
		rows = Math.ceil(height / each) * wide;
		const partial = empty(gpu, [outer, rows, columns]);
		pass(source, partial, wide, 1);
		if (source !== x) source.dispose();
		source = partial;
	}
	pass(source, y, 1, factor);
	if (source !== x) source.dispose();
}

function onePass(
	op: Fold,
	x: Tensor,
	y: Tensor,
	outer: number,
	columns: number,
	factor: number,
): void {
	const by = columns % 4 === 0 ? 4 : 1;
	const all = y.size / by;
	const bindings: Record<string, BufferView> =
		by === 4 ? { x4: x, y4: y } : { x, y };
	x.gpu.run({
		shader: "reduce",
		entry: by === 4 ? "sum4" : "sum",
		bindings,
		params: { n: x.size / outer / by, threads: all / outer, outer, factor },
		constants: { OP: OPS.indexOf(op) },
		workgroups: lines(x.gpu, all),
	});
}

/** y = factor * the fold of x over the dimensions where `kept`, of x's rank, is 1; y has as many elements as `kept`. */
function fold(
	op: Fold,
	x: Tensor,
	kept: Shape,
	y: Tensor,
	factor: number,
): void {
	// Neighbours that are folded, or kept, together are one.
	const groups: { size: number; folded: boolean }[] = [];
	x.shape.forEach((size, d) => {
		if (size === 1) return;
		const folded = kept[d] === 1;
		const before = groups.at(-1);
		if (before?.folded === folded) before.size *= size;
		else groups.push({ size, folded });
	});
	const left = groups.filter(({ folded }) => folded).length;
	if (left === 0) {
		expand(x.detach().view([x.size]), y.detach().view([y.size]), factor);
		return;
	}
	// The last group first: then the memory that is read again shrinks the most.
	let source = x;
	for (let rest = left; rest > 0; rest--) {
		const at = groups.findLastIndex(({ folded }) => folded);
		const [{ size }] = groups.splice(at, 1);
		const outer = sizeOf(groups.slice(0, at).map((g) => g.size));
		const to = rest === 1 ? y : empty(x.gpu, [source.size / size]);
		foldMiddle(op, source, to, outer, rest === 1 ? factor : 1);
		if (source !== x) source.dispose();
		source = to;
	}
}

/** dx = factor * x summed over what was repeated to give it dx's place in a result: the gradient of broadcasting. */
export function sumTo(x: Tensor, dx: Tensor, factor = 1): void {
	const missing = x.shape.length - dx.shape.length;
	fold("sum", x, [...Array(missing).fill(1), ...dx.shape], dx, factor);
}

/** y = factor * x, repeated as often as it fits: the gradient of a column sum. */
export function spread(x: Tensor, y: Tensor, factor = 1): void {
	y.gpu.run({
		shader: "reduce",
		entry: "spread",
		bindings: { x, y },
		params: { n: y.size, threads: x.size, outer: 1, factor },
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

export interface ReduceOptions {
	/** The dimension, or dimensions, to go; negative ones are counted from the last. Default: all. */
	readonly dim?: number | readonly number[];
	/** Whether they stay, with size 1. Default false. */
	readonly keepdim?: boolean;
}

/** The shape of x with 1 where a dimension goes, and the shape of the result. */
function shapesOf(
	op: string,
	x: Tensor,
	options: ReduceOptions,
): { kept: Shape; shape: Shape } {
	checkNames(op, options, ["dim", "keepdim"]);
	const { dim, keepdim = false } = options;
	const rank = x.shape.length;
	const dims = [dim ?? [...x.shape.keys()]]
		.flat()
		.map((d) => (d < 0 ? d + rank : d));
	const has = (d: number) => Number.isInteger(d) && d in x.shape;
	if (!dims.every(has) || new Set(dims).size < dims.length)
		throw new Error(
			`${op}: dimensions ${[dim].flat().join(", ")} of x ${show(x.shape)}; expected whole numbers from ${-rank} to ${rank - 1}, each once`,
		);
	const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
	return {
		kept,
		shape: keepdim ? kept : x.shape.filter((_, d) => !dims.includes(d)),
	};
}

function added(
	op: string,
	x: Tensor,
	options: ReduceOptions | undefined,
): Tensor {
	checkTensors(op, { x });
	const mean = op === "mean";
	if (!options) return reduce(op, x, 1, mean ? 1 / x.size : 1);
	const { kept, shape } = shapesOf(op, x, options);
	const y = empty(x.gpu, shape);
	const factor = mean ? y.size / x.size : 1;
	fold("sum", x, kept, y, factor);
	return record(
		op,
		y,
		[x],
		(dy, grads) => expand(dy.view(kept), grads.out(0), factor),
		[],
	);
}

/** The sum of all elements, as a tensor of shape [1]; with options over some dimensions, as torch's. Throws on dimensions that x has not. */
export function sum(x: Tensor, options?: ReduceOptions): Tensor {
	return added("sum", x, options);
}

/** The mean of all elements, as a tensor of shape [1]; with options as in sum(). */
export function mean(x: Tensor, options?: ReduceOptions): Tensor {
	return added("mean", x, options);
}

/** The largest element along dimensions as in sum(), by default all; NaN where there is one. Equally large elements share the gradient. */
export function amax(x: Tensor, options: ReduceOptions = {}): Tensor {
	checkTensors("amax", { x });
	const { gpu } = x;
	const { kept, shape } = shapesOf("amax", x, options);
	const y = empty(gpu, shape);
	fold("amax", x, kept, y, 1);
	return record("amax", y, [x], (dy, grads) => {
		const largest = empty(gpu, x.shape);
		zip("eq", x, y.view(kept), largest);
		const share = empty(gpu, kept);
		sumTo(largest, share);
		const each = empty(gpu, kept);
		zip("div", dy.view(kept), share, each);
		zip("mul", largest, each, grads.out(0));
		for (const t of [largest, share, each]) t.dispose();
	});
}

/** x [..., C] -> y [C], the sums over all leading dimensions. Throws where x has no dimension. */
export function columnSum(x: Tensor): Tensor {
	checkTensors("columnSum", { x });
	const columns = x.shape.at(-1);
	if (columns === undefined)
		throw new Error(
			`columnSum: x ${show(x.shape)}; expected at least one dimension`,
		);
	return reduce("columnSum", x, columns, 1);
}
