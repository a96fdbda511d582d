import { show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";
import { convTranspose2d } from "./conv.ts";

/**
 * The image doubled by nearest neighbours and then convolved, conv2d(upsampleNearest2x(x), w, bias, { padding: 1 }), without the doubled image: as the transposed
 * convolution of 4x4 taps and stride 2 that is the same, which takes 16 products for each pixel of x where the two take 36.
 *
 * x [B, H, W, C], w [O, 3, 3, C], bias [O] or null -> [B, 2 H, 2 W, O]. Throws where shapes do not fit.
 */
export function upsampleConv2d(
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
): Tensor {
	checkTensors("upsampleConv2d", { x, w, ...(bias && { bias }) });
	const channels = x.shape.at(-1);
	const [outputs, ...rest] = w.shape;
	const fits =
		x.shape.length === 4 &&
		[3, 3, channels].every((n, i) => rest[i] === n) &&
		rest.length === 3 &&
		(!bias || (bias.shape.length === 1 && bias.size === outputs));
	if (!fits)
		throw new Error(
			`upsampleConv2d: x ${show(x.shape)}, w ${show(w.shape)}, bias ${bias && show(bias.shape)}; expected x [B, H, W, C], w [O, 3, 3, C] and bias [O] or null`,
		);
	return convTranspose2d(x, fold(w), bias, { stride: 2, padding: 1 });
}

/** w [O, 3, 3, C] to [C, 4, 4, O]. */
function fold(w: Tensor): Tensor {
	const { gpu } = w;
	const [outputs, , , inputs] = w.shape;
	const run = (
		entry: string,
		bindings: Record<string, Tensor>,
		threads: number,
	) =>
		gpu.run({
			shader: "upsampleConv",
			entry,
			bindings,
			params: { inputs, outputs },
			workgroups: lines(gpu, threads),
		});
	const folded = empty(gpu, [inputs, 4, 4, outputs]);
	run("fold", { w, folded }, folded.size);
	return record("upsampleConv2d", folded, [w], (dfolded, grads) =>
		run("foldGradient", { dfolded, dw: grads.out(0) }, w.size),
	);
}
