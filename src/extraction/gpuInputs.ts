import { noGrad } from "../engine/autograd.ts";
import { lines } from "../engine/dispatch.ts";
import {
	empty,
	sameShape,
	show,
	type Tensor,
	tensor,
} from "../engine/tensor.ts";
import type { GpuForward } from "./gpuForward.ts";

/**
 * `physicsInputs` (src/qpi/inputs.ts) for a batch on the GPU: images [B, N, N] of the operator's arrangements -> the networks' inputs [B, N, N, 5], and
 * scale [B], the root mean square taken from channel 4 in the images' units. An image without contrast or scatterers gives zeros in the channels that follow from
 * it. Where scatterers have weights, the activation map and what follows from it have them too. NaN in an image goes through to its inputs. No gradient.
 * @throws when there is not one image an arrangement
 */
export function gpuPhysicsInputs(
	forward: GpuForward,
	images: Tensor,
): { inputs: Tensor; scale: Tensor } {
	const { gpu, batch, size: side, points } = forward;
	const shape = [batch, side, side];
	if (!sameShape(images.shape, shape))
		throw new Error(
			`gpuPhysicsInputs: images ${show(images.shape)}; expected ${show(shape)}`,
		);
	const quads = side ** 2 / 4;
	const threads = batch * quads;
	const run = (
		entry: string,
		workgroups: [number, number?],
		bindings: Record<string, Tensor>,
	) =>
		gpu.run({
			shader: "physicsInputs",
			entry,
			bindings,
			params: { side, places: points.shape[1], quads, threads },
			workgroups,
		});
	return noGrad(gpu, () => {
		const standard = empty(gpu, shape);
		const deviation = empty(gpu, [batch]);
		run("standardise", [batch], { y: images, standard, deviation });
		const map = empty(gpu, shape);
		run("activation", lines(gpu, threads), { points, map });

		const back = forward.adjoint(standard, side);
		const overlap = forward.adjoint(map, side);
		const kernel = forward.adjoint(forward.dual(standard), side);

		const counts = tensor(gpu, Float32Array.from(forward.counts), [batch]);
		const sizes = empty(gpu, [batch, 2]);
		const scale = empty(gpu, [batch]);
		run("measure", [batch], { kernel, counts, deviation, sizes, scale });
		const inputs = empty(gpu, [...shape, 5]);
		run("assemble", lines(gpu, threads), {
			...{ y: standard, map, points, back, overlap, kernel, sizes, inputs },
		});
		return { inputs, scale };
	});
}
