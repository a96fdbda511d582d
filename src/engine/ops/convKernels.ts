import { LINE, lines } from "../dispatch.ts";
import type { Gpu } from "../gpu.ts";
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
	const { transposed, inChannels, outChannels, outStride } = d;
	const [sy, sx] = outStride;
	const phases = sy * sx;
	const taps = Math.ceil(kernel[0] / sy) * Math.ceil(kernel[1] / sx);
	const rows = Math.ceil((taps * inChannels) / 4) * 4;
	const columns = Math.ceil(outChannels / 8) * 2;
	const packed = empty(gpu, [phases * rows + 1, columns * 4]);
	gpu.run({
		shader: "convPack",
		entry: "pack",
		bindings: { w, bias: bias ?? w, packed },
		params: {
			kernel,
			outStride,
			pad,
			inChannels,
			outChannels,
			rows,
			columns,
			transposed,
			biased: bias ? 1 : 0,
		},
		workgroups: lines(gpu, packed.size / 4),
	});
	const grid = Math.ceil(d.outSize[0] / sy) * Math.ceil(d.outSize[1] / sx);
	const lanes = lanesOf(gpu);
	// Pixels and channels of a workgroup.
	const [m, n] = lanes ? [256, 8] : [64, 64];
	const [across, down] = lines(gpu, Math.ceil((batch * grid) / m) * LINE);
	const vector = outChannels % 4 === 0;
	gpu.run({
		shader: gpu.matrix ? "convMatrix" : lanes ? "conv" : "convTiled",
		entry: vector ? "convolveVector" : "convolve",
		constants: {
			...(lanes && { LANES: lanes }),
			VECTOR: inChannels % 4 === 0 ? 1 : 0,
		},
		bindings: { x, x4: x, packed, ...(vector ? { y4: y } : { y }) },
		params: { ...d, batch, kernel, pad, rows, slope },
		workgroups: [across, down, Math.ceil(outChannels / n) * phases],
	});
	packed.dispose();
}

/**
 * Threads of a subgroup on software adapters, which take the kernels that keep their tiles in registers and share them in a subgroup; 0
 * where tiles are staged in workgroup memory.
 */
function lanesOf(gpu: Gpu): number {
	if (gpu.matrix || !gpu.software || !gpu.device.features.has("subgroups"))
		return 0;
	const { subgroupMinSize: least, subgroupMaxSize: most } =
		gpu.device.adapterInfo;
	return least === most && least >= 4 ? least : 0;
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
	const lanes = lanesOf(gpu);
	// Places and output channels of a workgroup, and how many workgroups keep the adapter busy.
	const [m, n, enough] = lanes ? [256, 8, 32] : [64, 64, 512];
	const across = Math.ceil(columns / m);
	const down = Math.ceil(outChannels / n);
	const slices = Math.max(
		1,
		Math.min(Math.ceil(enough / (across * down)), Math.floor(pixels / 64)),
	);
	const partial = empty(gpu, [slices, dw.size]);
	gpu.run({
		shader: gpu.matrix
			? "convWeightMatrix"
			: lanes
				? "convWeight"
				: "convWeightTiled",
		entry: "weightGradient",
		constants: {
			...(lanes && { LANES: lanes }),
			VECTOR: channels % 4 === 0 ? 1 : 0,
			VECTOR_DY: outChannels % 4 === 0 ? 1 : 0,
		},
		bindings: { x, x4: x, dy, dy4: dy, partial },
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
