import { lines } from "../device/dispatch.ts";
import type { Tensor } from "./tensor.ts";

/** Sets every element to `value`; returns the tensor. */
export function fill(y: Tensor, value: number): Tensor {
	y.gpu.run({
		shader: "accumulate",
		entry: "fill",
		bindings: { y },
		params: { n: y.size, value },
		workgroups: lines(y.gpu, Math.ceil(y.size / 4)),
	});
	return y;
}

/** y += x, in place, for tensors of one size. */
export function accumulate(y: Tensor, x: Tensor): void {
	y.gpu.run({
		shader: "accumulate",
		entry: "add",
		bindings: { x, y },
		params: { n: y.size, value: 0 },
		workgroups: lines(y.gpu, Math.ceil(y.size / 4)),
	});
}

/** y = a + b, for tensors of one size. */
export function plus(a: Tensor, b: Tensor, y: Tensor): void {
	y.gpu.run({
		shader: "accumulate",
		entry: "plus",
		bindings: { a, b, y },
		params: { n: y.size, value: 0 },
		workgroups: lines(y.gpu, Math.ceil(y.size / 4)),
	});
}
