import { scope } from "../engine/basics/scope.ts";
import { scale } from "../engine/ops/elementwise.ts";
import { backward } from "../engine/tensors/autograd.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import type { Random } from "../random.ts";
import type { Task } from "./task.ts";

/**
 * Adds up the gradients of a batch that is computed in parts, each of which gives back its memory before the next begins. The loss is a mean over samples, so
 * each part counts in proportion to its number of samples.
 *
 * @param seed what backward() starts from: a loss scale, or nothing
 * @param onLoss is handed each part's share of the batch's loss, which lives until it returns
 */
export function backwardInParts(
	task: Task,
	samples: readonly number[],
	random: Random,
	step: number,
	seed: Tensor | undefined,
	onLoss: (share: Tensor, part: number) => void,
): void {
	const { accumulate = 1 } = task;
	const { gpu } = task.parameters;
	for (const [j, part] of inParts(samples, accumulate).entries()) {
		scope(gpu, () => {
			const mean = task.loss(part, random, step * accumulate + j);
			const share =
				part.length === samples.length
					? mean
					: scale(mean, part.length / samples.length);
			backward(share, seed);
			onLoss(share, j);
		});
		gpu.flush();
	}
}

/** Cuts a list into at most `count` pieces, all of one length except the last, which may be shorter. */
function inParts<T>(items: readonly T[], count: number): T[][] {
	const each = Math.ceil(items.length / count);
	return Array.from({ length: Math.ceil(items.length / each) }, (_, i) =>
		items.slice(i * each, (i + 1) * each),
	);
}

/** Of each `count` neighbours. */
export function sums(values: Float32Array, count: number): Float32Array {
	if (count === 1) return values;
	return Float32Array.from({ length: values.length / count }, (_, i) =>
		values.subarray(i * count, (i + 1) * count).reduce((a, b) => a + b, 0),
	);
}
