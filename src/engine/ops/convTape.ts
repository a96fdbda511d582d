import { type Shape, show } from "../basics/shape.ts";
import { record } from "../tensors/autograd.ts";
import {
	checkFits,
	checkTensors,
	empty,
	type Tensor,
} from "../tensors/tensor.ts";
import type { ConvGeometry } from "./convFamily.ts";
import {
	checkWeightGradient,
	outputGradient,
	weightGradient,
} from "./convGradients.ts";
import { checkGather, convolve, convolveTransposed } from "./convKernels.ts";

/** Convolutions on the tape, whatever they are called: conv2d, its adjoint, and matrix products as convolutions of 1x1. */

/**
 * What the kernels can apply to their output. Only activations whose derivative follows from their output. That of silu does not, so it is
 * fused with groupNorm instead.
 */
export type Activation = "none" | "relu" | "leakyRelu";

const SLOPES: Readonly<Record<Activation, number>> = {
	none: 1,
	relu: 0,
	leakyRelu: 0.01,
};

/** Of an activation below zero. Throws on an unknown one. */
export function slopeOf(what: string, activation: Activation): number {
	const slope = SLOPES[activation];
	if (slope === undefined)
		throw new Error(
			`${what}: activation "${activation}"; expected ${Object.keys(SLOPES).join(", ")}`,
		);
	return slope;
}

/**
 * A convolution, or its adjoint in x where `transposed`, on the tape. The caller has checked the shapes; this throws, before anything is dispatched, where they are too large for the
 * device.
 *
 * @param op its name, for messages
 * @param g of the convolution, also where it is transposed
 * @param slope of the activation: see slopeOf()
 * @param shape of the output
 */
export function convolution(
	op: string,
	g: ConvGeometry,
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	slope: number,
	shape: Shape,
	transposed = false,
): Tensor {
	checkFits(op, shape, x, w);
	checkKernels(op, g, x, w, transposed);
	// Each is the other's gradient to the input.
	const [apply, transpose] = transposed
		? [convolveTransposed, convolve]
		: [convolve, convolveTransposed];
	const y = empty(x.gpu, shape);
	apply(g, x, w, bias, slope, y);
	return record(
		op,
		y,
		bias ? [x, w, bias] : [x, w],
		(dy, grads) => {
			const dbias = bias && grads.wants(2) ? grads.out(2) : null;
			const dz = outputGradient(y, dy, slope, dbias);
			if (grads.wants(0)) transpose(g, dz, w, null, 1, grads.out(0));
			if (grads.wants(1)) {
				const [wide, narrow] = transposed ? [dz, x] : [x, dz];
				weightGradient(g, wide, narrow, grads.out(1));
			}
			if (dz !== dy) dz.dispose();
		},
		slope === 1 ? [x, w] : [x, w, y],
	);
}

/** Throws before anything is dispatched where the forward pass, or a gradient that will be asked for, is too large for the device. */
function checkKernels(
	op: string,
	g: ConvGeometry,
	x: Tensor,
	w: Tensor,
	transposed: boolean,
): void {
	const { gpu } = x;
	const what = `${op}: x ${show(x.shape)} and w ${show(w.shape)}, stride ${show(g.stride)}`;
	checkGather(what, gpu, g, transposed);
	if (!gpu.gradEnabled) return;
	if (x.requiresGrad) checkGather(what, gpu, g, !transposed);
	if (w.requiresGrad) checkWeightGradient(what, gpu, g);
}

/** Throws unless the bias, where there is one, has a value for each channel. */
export function checkBias(
	what: string,
	bias: Tensor | null,
	w: Tensor,
	channels: number,
): void {
	if (!bias) return;
	checkTensors(what, { bias });
	if (bias.shape.length !== 1 || bias.shape[0] !== channels)
		throw new Error(
			`${what}: bias ${show(bias.shape)} and w ${show(w.shape)}; expected [${channels}]`,
		);
}
