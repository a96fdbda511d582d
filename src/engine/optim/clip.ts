import { scope } from "../basics/scope.ts";
import { lines } from "../device/dispatch.ts";
import { sumPacked } from "../layers/packs.ts";
import { ofOneNetwork, type ParameterSource } from "../layers/parameters.ts";
import { sqrt } from "../ops/elementwise.ts";
import { empty, type Tensor, zeros } from "../tensors/tensor.ts";

/** Throws on a largest norm that is none. */
export function checkClip(what: string, clip: number): void {
	if (!(clip > 0 && Number.isFinite(clip)))
		throw new Error(`${what}: clip ${clip}; expected a positive norm`);
}

/**
 * Scales the gradients of parameters, in place, down to the global norm `maxNorm` if theirs is larger. Returns the norm that they had, a tensor of shape [1] (torch's clip_grad_norm_).
 * `step({ clip })` of an optimiser does the same without another pass over the gradients. If one gradient is not a number, all are spoilt. Throws on parameters of several
 * networks, and on a norm that is not positive.
 */
export function clipGradNorm(
	parameters: ParameterSource,
	maxNorm: number,
): Tensor {
	const what = "clipGradNorm";
	checkClip(what, maxNorm);
	const { params, home } = ofOneNetwork(what, parameters);
	const { gpu, gradients } = home;
	const ranges = home.trained(params);
	if (ranges.length === 0) return zeros(gpu, [1]);
	gradients.touch();
	return scope(gpu, () => {
		const square = empty(gpu, [1]);
		sumPacked("squares", gradients, square, ranges);
		for (const range of ranges) {
			const n = (range.end - range.first) / 4;
			gpu.run({
				shader: "clip",
				entry: "clip",
				bindings: { square, gradients: gradients.part(range) },
				params: { n, clip: maxNorm },
				workgroups: lines(gpu, n),
			});
		}
		return sqrt(square);
	});
}
