import { LINE, lines } from "../dispatch.ts";
import { empty, type Tensor } from "../tensor.ts";
import type { Variant } from "../tuner.ts";
import {
	type ConvGeometry,
	count,
	type Family,
	familyOf,
	inVectors,
	octave,
	type Pair,
	quadVariants,
} from "./convFamily.ts";

/** y = activation(conv(x, w) + bias), where the activation multiplies what is below zero by `slope`. */
export function convolve(
	g: ConvGeometry,
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	slope: number,
	y: Tensor,
): void {
	gather(
		{
			transposed: 0,
			inSize: g.size,
			outSize: g.outSize,
			inChannels: g.channels,
			outChannels: g.outChannels,
			inStride: g.stride,
			outStride: [1, 1],
		},
		g,
		x,
		w,
		bias,
		slope,
		y,
	);
}

/** x = activation(transposed conv(y, w) + bias): the gradient of convolve() to its input when there is neither. */
export function convolveTransposed(
	g: ConvGeometry,
	y: Tensor,
	w: Tensor,
	bias: Tensor | null,
	slope: number,
	x: Tensor,
): void {
	gather(
		{
			transposed: 1,
			inSize: g.outSize,
			outSize: g.size,
			inChannels: g.outChannels,
			outChannels: g.channels,
			inStride: [1, 1],
			outStride: g.stride,
		},
		g,
		y,
		w,
		bias,
		slope,
		x,
	);
}

interface Direction {
	readonly transposed: number;
	readonly inSize: Pair;
	readonly outSize: Pair;
	readonly inChannels: number;
	readonly outChannels: number;
	readonly inStride: Pair;
	readonly outStride: Pair;
}

function gather(
	d: Direction,
	g: ConvGeometry,
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	slope: number,
	y: Tensor,
): void {
	const { gpu } = x;
	const { inChannels, outChannels, outSize } = d;
	const family = familyOf(gpu);
	const rows = g.kernel[0] * g.kernel[1] * inChannels;
	const pixels = g.batch * outSize[0] * outSize[1];
	const key = `conv${family.suffix} ${inChannels % 4},${outChannels} x ${octave(rows)} x ${octave(pixels)}`;
	const candidates = {
		"": quadVariants(family.lanes, inChannels, outChannels),
		Tiled: [{ PIXELS: 4 }, { PIXELS: 8 }],
		Matrix: [{}],
	}[family.suffix];
	const shapes = [x.shape, w.shape, y.shape];
	const variant = gpu.tuner.pick(key, candidates, (variant) => {
		const [x, w, y] = shapes.map((shape) => empty(gpu, shape));
		gatherBy(variant, family, d, g, x, w, null, 1, y);
	});
	count(gpu, g);
	gatherBy(variant, family, d, g, x, w, bias, slope, y);
}

function gatherBy(
	variant: Variant,
	{ suffix, lanes }: Family,
	d: Direction,
	{ batch, kernel, pad }: ConvGeometry,
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	slope: number,
	y: Tensor,
): void {
	const { gpu } = x;
	const { transposed, inChannels, outChannels, outStride } = d;
	const [sy, sx] = outStride;
	const phases = sy * sx;
	const taps = Math.ceil(kernel[0] / sy) * Math.ceil(kernel[1] / sx);
	const rows = Math.ceil((taps * inChannels) / 4) * 4;
	// Quads of output channels in a panel of packed weights. Tiles read all of them as one panel.
	const quads = lanes ? variant.QUADS : 2 * Math.ceil(outChannels / 8);
	const panels = Math.ceil(outChannels / (4 * quads));
	const packed = empty(gpu, [phases * rows + 1, panels * quads * 4]);
	const vector = inVectors(outChannels);
	gpu.run({
		shader: "convPack",
		entry: "pack",
		bindings: { w, w4: w, bias: bias ?? w, packed },
		params: {
			kernel,
			outStride,
			pad,
			inChannels,
			outChannels,
			rows,
			quads,
			panels,
			transposed,
			biased: bias ? 1 : 0,
			vector: transposed && outChannels % 4 === 0 ? 1 : 0,
		},
		workgroups: lines(gpu, packed.size / 4),
	});
	const grid = Math.ceil(d.outSize[0] / sy) * Math.ceil(d.outSize[1] / sx);
	// Pixels and channels of a workgroup.
	const [m, n] = lanes ? [256, 4 * quads] : [16 * (variant.PIXELS ?? 4), 64];
	const [across, down] = lines(gpu, Math.ceil((batch * grid) / m) * LINE);
	gpu.run({
		shader: `conv${suffix}`,
		entry: vector ? "convolveVector" : "convolve",
		constants: {
			...variant,
			...(lanes && { LANES: lanes }),
			VECTOR: inChannels % 4 === 0 ? 1 : 0,
		},
		bindings: { x, x4: x, packed, ...(vector ? { y4: y } : { y }) },
		params: { ...d, batch, kernel, pad, rows, slope },
		workgroups: [across, down, Math.ceil(outChannels / n) * phases],
	});
	packed.dispose();
}
