import { named } from "../basics/named.ts";
import { show, sizeOf } from "../basics/shape.ts";
import { noGrad, record } from "../tensors/autograd.ts";
import { Tensor } from "../tensors/tensor.ts";

/** Other views of a tensor, over the same memory. */

/** x with another shape of the same size; no copy. Throws on another size, and where sizes are not positive whole numbers. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
	if (sizeOf(shape) !== x.size)
		throw new Error(
			`reshape: x ${show(x.shape)} to ${show(shape)}; expected the same number of elements`,
		);
	const y = noGrad(x.gpu, () => x.view(shape));
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
	if (!(x instanceof Tensor))
		throw new TypeError(`detach: found ${named(x)}, expected a tensor`);
	return x.detach();
}
