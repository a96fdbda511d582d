import { noGrad } from "../autograd.ts";
import { empty, sameShape, show, type Tensor } from "../tensor.ts";

export interface LeastSquaresOptions {
	/** z -> A Aᵀ z, sample by sample, on tensors of the data's shape. */
	readonly gram: (z: Tensor) => Tensor;
	/** The data's shape, at least 0: W. Where it is 0 the data are not looked at and may be NaN. */
	readonly weights: Tensor;
	/** [B], at least 0. */
	readonly lambda: Tensor;
	readonly steps: number;
}

/**
 * Batched conjugate gradients: u with x = Aᵀ u, x after `steps` steps from zero toward the least `|W^(1/2) (y - A x - b)|² + lambda |x|²` over x and the
 * constant b, one a sample; y [B, ...]. Fixed number of steps, nothing is read back, every sum in a fixed order; a sample that has converged stays as it is. No gradient.
 *
 * b is eliminated: with P = W - W 1 1ᵀ W / 1ᵀ W 1 the normal equations are (Aᵀ P A + lambda) x = Aᵀ P y. Their residuals and directions all lie in the range of
 * Aᵀ, so they are kept as what Aᵀ is applied to, with a·A Aᵀ b for the inner product: a step costs one A Aᵀ, and vectors are as short as y.
 * Throws where shapes do not fit, or a sample's size is no multiple of 4.
 */
export function leastSquares(
	y: Tensor,
	{ gram, weights, lambda, steps }: LeastSquaresOptions,
): Tensor {
	const { gpu } = y;
	const quads = checkData("leastSquares", y, weights);
	const [batch] = y.shape;
	if (!sameShape(lambda.shape, [batch]))
		throw new Error(
			`leastSquares: y ${show(y.shape)} and lambda ${show(lambda.shape)}; expected [${batch}]`,
		);
	return noGrad(gpu, () => {
		const [r, p, gp, u] = Array.from({ length: 4 }, () => empty(gpu, y.shape));
		const square = empty(gpu, [batch, 2]);
		const run = (
			entry: string,
			bindings: Record<string, Tensor>,
			first: number,
		) =>
			gpu.run({
				shader: "leastSquares",
				entry,
				bindings: { ...bindings, weights, r, u },
				params: { quads, first },
				workgroups: [batch],
			});
		run("begin", { y }, 1);
		for (let step = 0; step < steps; step++) {
			const gr = gram(r);
			run("advance", { gr, p, gp, lambda, square }, step === 0 ? 1 : 0);
			gr.dispose();
		}
		for (const t of [r, p, gp, square]) t.dispose();
		return u;
	});
}

/** The constant of leastSquares(): the mean of y - model by sample, weighted: [B]. No gradient. */
export function weightedOffset(
	y: Tensor,
	model: Tensor,
	weights: Tensor,
): Tensor {
	const quads = checkData("weightedOffset", y, weights);
	checkData("weightedOffset", y, model);
	const [batch] = y.shape;
	const offset = empty(y.gpu, [batch]);
	y.gpu.run({
		shader: "leastSquares",
		entry: "constant",
		bindings: { y, model, weights, offset },
		params: { quads, first: 0 },
		workgroups: [batch],
	});
	return offset;
}

/** vec4s a sample. */
function checkData(op: string, y: Tensor, weights: Tensor): number {
	const each = y.size / y.shape[0];
	if (!sameShape(y.shape, weights.shape) || each % 4 !== 0)
		throw new Error(
			`${op}: y ${show(y.shape)} and ${show(weights.shape)}; expected the same shape, a multiple of 4 values a sample`,
		);
	return each / 4;
}
