import { named } from "../basics/named.ts";
import { checkNames } from "../basics/options.ts";
import { show } from "../basics/shape.ts";
import { checkTensors, type Tensor } from "../tensors/tensor.ts";
import type { ConvGeometry } from "./convFamily.ts";
import {
	type Activation,
	checkBias,
	convolution,
	slopeOf,
} from "./convTape.ts";

export interface ConvOptions {
	/** One step for both dimensions, or [vertical, horizontal]; default 1. */
	readonly stride?: number | readonly [number, number];
	/** One width for all four sides, or [top, bottom, left, right]; default 0. */
	readonly padding?: number | readonly [number, number, number, number];
	/** Applied after the bias; leakyRelu has slope 0.01 below zero. Default "none". */
	readonly activation?: Activation;
}

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
	return convolution(what, g, x, w, bias, slope, [
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
	return convolution(
		what,
		g,
		x,
		w,
		bias,
		slope,
		[batch, ...size, channels],
		true,
	);
}

function checkOptions(what: string, options: ConvOptions) {
	checkNames(what, options, ["stride", "padding", "activation"]);
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
	return { stride: strides, pad, slope: slopeOf(what, activation) };
}

function checkRanks(what: string, x: Tensor, w: Tensor): void {
	checkTensors(what, { x, w });
	if (x.shape.length !== 4 || w.shape.length !== 4)
		throw new Error(
			`${what}: x ${show(x.shape)} and w ${show(w.shape)}; expected four dimensions each`,
		);
}
