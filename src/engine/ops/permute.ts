import { show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";

/** Dimensions that the shader knows. */
const MOST = 4;

/**
 * x with its dimensions in another order, as torch's permute: dimension i of the result is dimension dims[i] of x. Throws where `dims` is not each dimension once, and
 * where more than four groups of dimensions change their order.
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
	checkTensors("permute", { x });
	const rank = x.shape.length;
	const sorted = [...dims].sort((a, b) => a - b);
	if (dims.length !== rank || !sorted.every((d, i) => d === i))
		throw new Error(
			`permute: x ${show(x.shape)} in the order ${show(dims)}; expected each of its ${rank} dimensions once, the first being 0`,
		);
	const y = empty(
		x.gpu,
		dims.map((d) => x.shape[d]),
	);
	move(x, dims, y);
	const inverse = dims.map((_, i) => dims.indexOf(i));
	return record(
		"permute",
		y,
		[x],
		(dy, grads) => move(dy, inverse, grads.out(0)),
		[],
	);
}

/** x with two dimensions exchanged; negative ones are counted from the last. Throws where x has not both. */
export function transpose(x: Tensor, a: number, b: number): Tensor {
	checkTensors("transpose", { x });
	const rank = x.shape.length;
	const [first, second] = [a, b].map((d) => (d < 0 ? d + rank : d));
	const dims = x.shape.map((_, i) => i);
	if (!(first in dims && second in dims))
		throw new Error(
			`transpose: dimensions ${a} and ${b} of x ${show(x.shape)}; expected whole numbers from ${-rank} to ${rank - 1}`,
		);
	dims[first] = second;
	dims[second] = first;
	return permute(x, dims);
}

function move(x: Tensor, dims: readonly number[], y: Tensor): void {
	const strides = x.shape.map((_, d) =>
		x.shape.slice(d + 1).reduce((a, b) => a * b, 1),
	);
	// Neighbours that stay neighbours are one dimension.
	const groups: { size: number; stride: number; last: number }[] = [];
	for (const d of dims) {
		const before = groups.at(-1);
		if (before && d === before.last + 1) {
			before.size *= x.shape[d];
			before.stride = strides[d];
			before.last = d;
		} else groups.push({ size: x.shape[d], stride: strides[d], last: d });
	}
	if (groups.length > MOST)
		throw new Error(
			`permute: x ${show(x.shape)} in the order ${show(dims)} moves ${groups.length} groups of dimensions; expected at most ${MOST}`,
		);
	const pad = <T>(list: readonly T[], value: T): T[] => [
		...Array<T>(MOST - list.length).fill(value),
		...list,
	];
	y.gpu.run({
		shader: "permute",
		entry: "permute",
		bindings: { x, y },
		params: {
			n: y.size,
			shape: pad(
				groups.map(({ size }) => size),
				1,
			),
			strides: pad(
				groups.map(({ stride }) => stride),
				0,
			),
		},
		workgroups: lines(y.gpu, y.size),
	});
}
