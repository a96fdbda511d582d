import { isList, named } from "../basics/named.ts";
import { show, sizeOf } from "../basics/shape.ts";
import { noGrad, record } from "../tensors/autograd.ts";
import { checkTensors, type Tensor } from "../tensors/tensor.ts";

/** Other views of a tensor, over the same memory. */

/** x with another shape of the same size; no copy. One size may be -1: what is left for it. Throws on another size, and where sizes are not positive whole numbers. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
	checkTensors("reshape", { x });
	if (!isList(shape))
		throw new TypeError(
			`reshape: found ${named(shape)} as shape, expected a list of sizes`,
		);
	const open = shape.indexOf(-1);
	const rest = -x.size / sizeOf(shape);
	const whole = open >= 0 && Number.isInteger(rest);
	const full = whole ? shape.with(open, rest) : shape;
	if (sizeOf(full) !== x.size)
		throw new Error(
			`reshape: x ${show(x.shape)} to ${show(shape)}; expected the same number of elements`,
		);
	const y = noGrad(x.gpu, () => x.view(full));
	return record(
		"reshape",
		y,
		[x],
		(dy, grads) => grads.set(0, dy.view(x.shape)),
		[],
	);
}

/** x without gradient history, over the same memory: what is made of it hands no gradient on to x. */
export function detach(x: Tensor): Tensor {
	checkTensors("detach", { x });
	return x.detach();
}
