import { lines } from "../dispatch.ts";
import { empty, type Tensor } from "../tensor.ts";

type Pair = readonly [number, number];

/**
 * The sizes of a convolution, of which all three GEMMs and the transposed convolution are readings: x [batch, size, channels], w
 * [outChannels, kernel, channels], y [batch, outSize, outChannels]. Pairs are (vertical, horizontal); pad is (top, left).
 */
export interface ConvGeometry {
	readonly batch: number;
	readonly size: Pair;
	readonly channels: number;
	readonly outSize: Pair;
	readonly outChannels: number;
	readonly kernel: Pair;
	readonly stride: Pair;
	readonly pad: Pair;
}

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
	{ batch, kernel, pad }: ConvGeometry,
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	slope: number,
	y: Tensor,
): void {
	const { gpu } = x;
	const { transposed, inChannels, outChannels } = d;
	const taps = kernel[0] * kernel[1];
	const columns = Math.ceil(outChannels / 4);
	const packed = empty(gpu, [taps * inChannels + 1, columns * 4]);
	gpu.run({
		shader: "convPack",
		entry: "pack",
		bindings: { w, bias: bias ?? w, packed },
		params: {
			taps,
			inChannels,
			outChannels,
			transposed,
			biased: bias ? 1 : 0,
		},
		workgroups: lines(gpu, packed.size / 4),
	});
	const BLOCK = columns === 1 ? 1 : columns === 2 ? 2 : 4;
	const [sy, sx] = d.outStride;
	const grid = Math.ceil(d.outSize[0] / sy) * Math.ceil(d.outSize[1] / sx);
	const [across, down] = lines(gpu, batch * grid);
	gpu.run({
		shader: "conv",
		entry: "convolve",
		constants: { BLOCK },
		bindings: { x, w: packed, y },
		params: { ...d, batch, kernel, pad, slope },
		workgroups: [across, down, Math.ceil(columns / BLOCK) * sy * sx],
	});
	packed.dispose();
}

/** dw from x and dy of convolve(); for a transposed convolution x is the gradient of its output, and dy its input. */
export function weightGradient(
	g: ConvGeometry,
	x: Tensor,
	dy: Tensor,
	dw: Tensor,
): void {
	const { gpu } = x;
	const { batch, size, channels, outSize, outChannels, kernel, stride, pad } =
		g;
	const pixels = batch * outSize[0] * outSize[1];
	const columns = kernel[0] * kernel[1] * channels;
	const across = Math.ceil(columns / 64);
	const down = Math.ceil(outChannels / 8);
	const slices = Math.max(
		1,
		Math.min(Math.ceil(64 / (across * down)), Math.floor(pixels / 64)),
	);
	const partial = empty(gpu, [slices, dw.size]);
	gpu.run({
		shader: "convWeight",
		entry: "weightGradient",
		bindings: { x, dy, partial },
		params: {
			size,
			outSize,
			kernel,
			stride,
			pad,
			pixels,
			channels,
			outChannels,
			slices,
		},
		workgroups: [across, down, slices],
	});
	sumSlices(partial, dw);
}

/**
 * From y and dy of an output with outChannels in its last dimension: dz, the gradient before the activation (dy itself
 * where slope is 1), and its sum over pixels into dbias.
 */
export function outputGradient(
	y: Tensor,
	dy: Tensor,
	slope: number,
	dbias: Tensor | null,
): Tensor {
	const { gpu } = y;
	const columns = y.shape[y.shape.length - 1];
	const rows = y.size / columns;
	const slices = Math.min(rows, 256, Math.ceil(16384 / columns));
	const dz = slope === 1 ? dy : empty(gpu, dy.shape);
	if (dz === dy && !dbias) return dy;
	const partial = empty(gpu, [slices, columns]);
	gpu.run({
		shader: "convGradient",
		entry: dz === dy ? "biasGradient" : "activationGradient",
		bindings: dz === dy ? { dy, partial } : { y, dy, dz, partial },
		params: { rows, columns, slices, slope },
		workgroups: lines(gpu, slices * columns),
	});
	if (dbias) sumSlices(partial, dbias);
	else partial.dispose();
	return dz;
}

/** total = the sum of partial's rows, and partial is disposed of. */
function sumSlices(partial: Tensor, total: Tensor): void {
	const { gpu } = total;
	gpu.run({
		shader: "convGradient",
		entry: "sumSlices",
		bindings: { partial, total },
		params: {
			rows: 0,
			columns: total.size,
			slices: partial.shape[0],
			slope: 0,
		},
		workgroups: lines(gpu, total.size),
	});
	partial.dispose();
}
