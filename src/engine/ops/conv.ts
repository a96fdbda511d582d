import { record } from "../autograd.ts";
import { checkNames } from "../options.ts";
import { type Shape, show } from "../shape.ts";
import {
	checkFits,
	checkTensors,
	empty,
	named,
	type Tensor,
} from "../tensor.ts";
import type { ConvGeometry } from "./convFamily.ts";
import {
	checkWeightGradient,
	outputGradient,
	weightGradient,
} from "./convGradients.ts";
import { checkGather, convolve, convolveTransposed } from "./convKernels.ts";
import { add } from "./elementwise.ts";
import { hasFewRows, linearFewRows } from "./linear.ts";

/**
 * What the kernels can apply to their output. Only activations whose derivative can be told from their output: silu, whose cannot, is
 * fused with groupNorm instead.
 */
export type Activation = "none" | "relu" | "leakyRelu";

export interface ConvOptions {
	/** One step for both dimensions, or [vertical, horizontal]; default 1. */
	readonly stride?: number | readonly [number, number];
	/** One width for all four sides, or [top, bottom, left, right]; default 0. */
	readonly padding?: number | readonly [number, number, number, number];
	/** Applied after the bias; leakyRelu has slope 0.01 below zero. Default "none". */
	readonly activation?: Activation;
}

const SLOPES: Readonly<Record<Activation, number>> = {
	none: 1,
	relu: 0,
	leakyRelu: 0.01,
};

/**
 * Cross-correlation with zero padding, as torch's conv2d:
 * y[b, i, j, o] = activation(bias[o] + sum over ky, kx, c of x[b, i * stride - top + ky, j * stride - left + kx, c] * w[o, ky, kx, c])
 *
 * x [B, H, W, C], w [O, KH, KW, C], bias [O] or null -> y [B, OH, OW, O] with OH = floor((H + top + bottom - KH) / stride) + 1. Throws where shapes
 * do not fit, stride or padding are not whole numbers, or the output would be empty.
 */
export function conv2d(
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	options: ConvOptions = {},
): Tensor {
	const what = "conv2d";
	const { stride, pad, slope } = checkOptions(what, options);
	checkRanks(what, x, w);
	const [batch, height, width, channels] = x.shape;
	const [outChannels, kh, kw] = w.shape;
	if (w.shape[3] !== channels)
		throw new Error(
			`${what}: x ${show(x.shape)} has ${channels} channels, w ${show(w.shape)} expects ${w.shape[3]}`,
		);
	checkBias(what, bias, w, outChannels);
	const padded = [height + pad[0] + pad[1], width + pad[2] + pad[3]];
	if (padded[0] < kh || padded[1] < kw)
		throw new Error(
			`${what}: x ${show(x.shape)} padded to ${padded.join(" x ")} is smaller than the kernel of w ${show(w.shape)}: the output would be empty`,
		);
	const g: ConvGeometry = {
		batch,
		size: [height, width],
		channels,
		outSize: [
			Math.floor((padded[0] - kh) / stride[0]) + 1,
			Math.floor((padded[1] - kw) / stride[1]) + 1,
		],
		outChannels,
		kernel: [kh, kw],
		stride,
		pad: [pad[0], pad[2]],
	};
	return forward(what, g, x, w, bias, slope, [
		batch,
		...g.outSize,
		outChannels,
	]);
}

/**
 * The adjoint of conv2d in x, as torch's convTranspose2d: every input pixel adds its w, scaled, to the output at i * stride - padding.
 *
 * x [B, H, W, Cin], w [Cin, KH, KW, Cout], bias [Cout] or null -> [B, (H - 1) * stride - top - bottom + KH, ..., Cout]. Throws as conv2d does.
 */
export function convTranspose2d(
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	options: ConvOptions = {},
): Tensor {
	const what = "convTranspose2d";
	const { stride, pad, slope } = checkOptions(what, options);
	checkRanks(what, x, w);
	const [batch, height, width, outChannels] = x.shape;
	const [, kh, kw, channels] = w.shape;
	if (w.shape[0] !== outChannels)
		throw new Error(
			`${what}: x ${show(x.shape)} has ${outChannels} channels, w ${show(w.shape)} expects ${w.shape[0]}`,
		);
	checkBias(what, bias, w, channels);
	const size = [
		(height - 1) * stride[0] - pad[0] - pad[1] + kh,
		(width - 1) * stride[1] - pad[2] - pad[3] + kw,
	] as const;
	if (size[0] < 1 || size[1] < 1)
		throw new Error(
			`${what}: x ${show(x.shape)} and w ${show(w.shape)} with padding ${show(pad)} leave an empty output, ${size.join(" x ")}`,
		);
	const g: ConvGeometry = {
		batch,
		size,
		channels,
		outSize: [height, width],
		outChannels,
		kernel: [kh, kw],
		stride,
		pad: [pad[0], pad[2]],
	};
	return forward(what, g, x, w, bias, slope, [batch, ...size, channels], true);
}

/** y = activation(x wᵀ + bias): x [..., K], w [O, K], bias [O] or null -> [..., O]. Throws where shapes do not fit. */
export function linear(
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	options: { readonly activation?: Activation } = {},
): Tensor {
	const what = "linear";
	const { slope } = checkOptions(what, options, ["activation"]);
	checkTensors(what, { x, w });
	const k = x.shape[x.shape.length - 1];
	if (x.shape.length < 1 || w.shape.length !== 2 || w.shape[1] !== k)
		throw new Error(
			`${what}: x ${show(x.shape)} and w ${show(w.shape)}; expected [..., K] and [O, K]`,
		);
	const [o] = w.shape;
	checkBias(what, bias, w, o);
	const rows = x.size / k;
	const shape = [...x.shape.slice(0, -1), o];
	checkFits(what, shape, x, w);
	if (hasFewRows(rows, k, o) && slope === 1) {
		const y = linearFewRows(x, w, shape);
		return bias ? add(y, bias) : y;
	}
	return forward(what, oneByOne(rows, k, o), x, w, bias, slope, shape);
}

/** The matrix product: a [M, K], b [K, N] -> [M, N]. Throws where shapes do not fit. */
export function matmul(a: Tensor, b: Tensor): Tensor {
	checkTensors("matmul", { a, b });
	if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[1] !== b.shape[0])
		throw new Error(
			`matmul: a ${show(a.shape)} and b ${show(b.shape)}; expected [M, K] and [K, N]`,
		);
	const [m, k] = a.shape;
	const n = b.shape[1];
	return forward("matmul", oneByOne(m, n, k), a, b, null, 1, [m, n], true);
}

/** A 1x1 convolution of `rows` pixels. */
function oneByOne(
	rows: number,
	channels: number,
	outChannels: number,
): ConvGeometry {
	return {
		batch: 1,
		size: [1, rows],
		channels,
		outSize: [1, rows],
		outChannels,
		kernel: [1, 1],
		stride: [1, 1],
		pad: [0, 0],
	};
}

function forward(
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

function checkOptions(
	what: string,
	options: ConvOptions,
	known = ["stride", "padding", "activation"],
) {
	checkNames(what, options, known);
	const { stride = 1, padding = 0, activation = "none" } = options;
	const strides =
		typeof stride === "number" ? ([stride, stride] as const) : stride;
	const pad =
		typeof padding === "number"
			? ([padding, padding, padding, padding] as const)
			: padding;
	for (const [name, value] of [
		["stride", strides as unknown],
		["padding", pad as unknown],
	] as const)
		if (!Array.isArray(value))
			throw new TypeError(
				`${what}: ${name} ${named(value)}; expected whole numbers${value === "same" ? ", as (kernel - 1) / 2 to keep the size at stride 1" : ""}`,
			);
	if (
		strides.length !== 2 ||
		!strides.every((s) => Number.isInteger(s) && s > 0)
	)
		throw new Error(
			`${what}: stride ${show(strides)}; expected one or two positive whole numbers`,
		);
	if (pad.length !== 4 || !pad.every((p) => Number.isInteger(p) && p >= 0))
		throw new Error(
			`${what}: padding ${show(pad)}; expected one or four whole numbers, none negative`,
		);
	const slope = SLOPES[activation];
	if (slope === undefined)
		throw new Error(
			`${what}: activation "${activation}"; expected ${Object.keys(SLOPES).join(", ")}`,
		);
	return { stride: strides, pad, slope };
}

function checkRanks(what: string, x: Tensor, w: Tensor): void {
	checkTensors(what, { x, w });
	if (x.shape.length !== 4 || w.shape.length !== 4)
		throw new Error(
			`${what}: x ${show(x.shape)} and w ${show(w.shape)}; expected four dimensions each`,
		);
}

function checkBias(
	what: string,
	bias: Tensor | null,
	w: Tensor,
	channels: number,
): void {
	if (bias && (bias.shape.length !== 1 || bias.shape[0] !== channels))
		throw new Error(
			`${what}: bias ${show(bias.shape)} and w ${show(w.shape)}; expected [${channels}]`,
		);
}
