import { lines } from "../device/dispatch.ts";
import type { Gpu } from "../device/gpu.ts";
import type { Variant } from "../device/tuner.ts";
import { empty, type Tensor } from "../tensors/tensor.ts";
import {
	type ConvGeometry,
	count,
	type Family,
	familyOf,
	inVectors,
	octave,
	quadVariants,
} from "./convFamily.ts";

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
	const candidates = variantsOf(lanes, channels, outChannels);
	const shapes = [x.shape, dy.shape, dw.shape];
	const variant = gpu.tuner.pick(key, candidates, (variant) => {
		const [x, dy, dw] = shapes.map((shape) => empty(gpu, shape));
		weightGradientBy(variant, family, g, x, dy, dw);
	});
	count(gpu, g);
	weightGradientBy(variant, family, g, x, dy, dw);
}

/** Workgroups over the places of the kernel, and over output channels. */
function groupsOf(
	variant: Variant,
	lanes: number,
	columns: number,
	outChannels: number,
): [number, number] {
	const [m, n] = lanes ? [256, 4 * variant.QUADS] : [64, 64];
	return [Math.ceil(columns / m), Math.ceil(outChannels / n)];
}

/** Throws a RangeError, beginning with `what`, where the device has not the workgroups for weightGradient(). */
export function checkWeightGradient(
	what: string,
	gpu: Gpu,
	{ kernel, channels, outChannels }: ConvGeometry,
): void {
	const { lanes } = gpu;
	const columns = kernel[0] * kernel[1] * channels;
	for (const variant of variantsOf(lanes, channels, outChannels)) {
		const [x, y] = groupsOf(variant, lanes, columns, outChannels);
		const most = Math.max(x, y);
		if (most > gpu.limits.workgroups)
			throw new RangeError(
				`${what}: the gradient to w needs ${most} workgroups in one dimension; this device allows ${gpu.limits.workgroups}`,
			);
	}
}

const variantsOf = (lanes: number, channels: number, outChannels: number) =>
	lanes ? quadVariants(lanes, channels, outChannels) : [{}];

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
	const [across, down] = groupsOf(variant, lanes, columns, outChannels);
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
export function sumSlices(partial: Tensor, total: Tensor): void {
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
