import { LINE, lines, sharedLanes } from "../dispatch.ts";
import type { Gpu } from "../gpu.ts";
import { empty, type Tensor } from "../tensor.ts";
import type { Variant } from "../tuner.ts";

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

/** Counts a product of the convolution g, forward or a gradient: what lies in the padding too, as everybody does. */
function count(gpu: Gpu, g: ConvGeometry): void {
	const pixels = g.batch * g.outSize[0] * g.outSize[1];
	const taps = g.kernel[0] * g.kernel[1];
	gpu.statistics.flop += 2 * pixels * g.outChannels * taps * g.channels;
}

/**
 * The set of kernels that an adapter takes. Software adapters: tiles in registers, shared in a subgroup of `lanes` threads. Others: tiles staged in
 * workgroup memory (`lanes` is 0), multiplied in f32 or by matrix units.
 */
interface Family {
	readonly suffix: "" | "Tiled" | "Matrix";
	readonly lanes: number;
}

function familyOf(gpu: Gpu): Family {
	if (gpu.matrix) return { suffix: "Matrix", lanes: 0 };
	const lanes = sharedLanes(gpu);
	return lanes ? { suffix: "", lanes } : { suffix: "Tiled", lanes: 0 };
}

/**
 * How many quads of output channels a lane of the register kernels may sum, the likeliest first: with more, a product needs fewer loads, but
 * the sums no longer fit into registers. What would only be padding is left out.
 */
function quadVariants(
	lanes: number,
	from: number,
	channels: number,
): Variant[] {
	let quads = [4, 8];
	if (lanes === 4) quads = [8, 4]; // SSE's 16 registers hold no tile anyway
	if (from % 4 !== 0 || channels <= 16) quads = [2, 4]; // values one by one: loads are all
	if (channels <= 8) quads = [2];
	return quads.map((QUADS) => ({ QUADS }));
}

/** Whether channels are stored and read by fours. Not where they are but four: that is too little work for a pipeline of its own, a quarter of a second. */
const inVectors = (channels: number) => channels % 4 === 0 && channels > 4;

/** Sizes within a factor of two are of one class. */
const octave = (n: number) => 2 ** Math.ceil(Math.log2(n));

/** dw from x and dy of convolve(); for a transposed convolution x is the gradient of its output, and dy its input. */
export function weightGradient(
	g: ConvGeometry,
	x: Tensor,
	dy: Tensor,
	dw: Tensor,
): void {
	const { gpu } = x;
	const family = familyOf(gpu);
	const { lanes, suffix } = family;
	const { channels, outChannels, kernel } = g;
	const columns = kernel[0] * kernel[1] * channels;
	const pixels = g.batch * g.outSize[0] * g.outSize[1];
	const key = `convWeight${suffix} ${channels % 4},${outChannels} x ${octave(columns)} x ${octave(pixels)}`;
	const candidates = lanes ? quadVariants(lanes, channels, outChannels) : [{}];
	const shapes = [x.shape, dy.shape, dw.shape];
	const variant = gpu.tuner.pick(key, candidates, (variant) => {
		const [x, dy, dw] = shapes.map((shape) => empty(gpu, shape));
		weightGradientBy(variant, family, g, x, dy, dw);
	});
	count(gpu, g);
	weightGradientBy(variant, family, g, x, dy, dw);
}

function weightGradientBy(
	variant: Variant,
	{ suffix, lanes }: Family,
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
	// Places and output channels of a workgroup.
	const [m, n] = lanes ? [256, 4 * variant.QUADS] : [64, 64];
	const across = Math.ceil(columns / m);
	// How many workgroups keep the adapter busy. The slices must not depend on the variant: they are added in another order than the pixels of one.
	const [enough, typical] = lanes ? [32, 16] : [512, 64];
	const slices = Math.max(
		1,
		Math.min(
			Math.ceil(enough / (across * Math.ceil(outChannels / typical))),
			Math.floor(pixels / 64),
		),
	);
	const partial = empty(gpu, [slices, dw.size]);
	gpu.run({
		shader: `convWeight${suffix}`,
		entry: "weightGradient",
		constants: {
			...variant,
			...(lanes && { LANES: lanes }),
			VECTOR: channels % 4 === 0 ? 1 : 0,
			VECTOR_DY: inVectors(outChannels) ? 1 : 0,
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
		workgroups: [across, Math.ceil(outChannels / n), slices],
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
	const vector = total.size % 4 === 0;
	const columns = vector ? total.size / 4 : total.size;
	gpu.run({
		shader: "convGradient",
		entry: vector ? "sumSlicesVector" : "sumSlices",
		bindings: vector
			? { partial4: partial, total4: total }
			: { partial, total },
		params: { rows: 0, columns, slices: partial.shape[0], slope: 0 },
		workgroups: lines(gpu, columns),
	});
	partial.dispose();
}
