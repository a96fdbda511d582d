import type { Tensor } from "../tensor.ts";
import { bmm } from "./bmm.ts";
import { scale } from "./elementwise.ts";
import { softmax } from "./softmax.ts";

/** softmax(q kᵀ / sqrt(C)) v. Composed; a fused kernel is to take its place. */
export function scaledDotProductAttention(
	q: Tensor,
	k: Tensor,
	v: Tensor,
): Tensor {
	const scores = scale(
		bmm(q, k, { transposeB: true }),
		1 / Math.sqrt(q.shape[2]),
	);
	return bmm(softmax(scores), v);
}
