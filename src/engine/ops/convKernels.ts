import { sizeOf } from "../basics/shape.ts";
import { LINE, lines } from "../device/dispatch.ts";
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
	gather(directionOf(g, false), g, x, w, bias, slope, y);
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
	gather(directionOf(g, true), g, y, w, bias, slope, x);
}

/** Throws a RangeError, beginning with `what`, where the device has not the workgroups or the memory for convolve() or convolveTransposed(). */
export function checkGather(
	what: string,
	gpu: Gpu,
	g: ConvGeometry,
	transposed: boolean,
): void {
	const { workgroups, bufferBytes } = gpu.limits;
	const d = directionOf(g, transposed);
	const family = familyOf(gpu);
	for (const variant of variantsOf(family, d)) {
		const { slabs, packed } = layoutOf(variant, family, d, g);
		if (slabs > workgroups)
			throw new RangeError(
				`${what}: ${slabs} workgroups in one dimension; this device allows ${workgroups}`,
			);
		const bytes = 4 * sizeOf(packed);
		if (bytes > bufferBytes)
			throw new RangeError(
				`${what}: the weights take ${bytes} bytes in the order in which the kernels read them; this device allows ${bufferBytes} in one buffer`,
			);
	}
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

function directionOf(g: ConvGeometry, transposed: boolean): Direction {
	const still: Pair = [1, 1];
	return transposed
		? {
				transposed: 1,
				inSize: g.outSize,
				outSize: g.size,
				inChannels: g.outChannels,
				outChannels: g.channels,
				inStride: still,
				outStride: g.stride,
			}
		: {
				transposed: 0,
				inSize: g.size,
				outSize: g.outSize,
				inChannels: g.channels,
				outChannels: g.outChannels,
				inStride: g.stride,
				outStride: still,
			};
}

const variantsOf = ({ suffix, lanes }: Family, d: Direction): Variant[] =>
	({
		Lanes: quadVariants(lanes, d.inChannels, d.outChannels),
		Tiled: [{ PIXELS: 4 }, { PIXELS: 8 }],
		Matrix: [{}],
	})[suffix];

/** How a variant cuts the work. */
function layoutOf(
	variant: Variant,
	{ lanes }: Family,
	{ outChannels, inChannels, outStride: [sy, sx] }: Direction,
	{ kernel }: ConvGeometry,
) {
	const phases = sy * sx;
	const taps = Math.ceil(kernel[0] / sy) * Math.ceil(kernel[1] / sx);
	const rows = Math.ceil((taps * inChannels) / 4) * 4;
	// Quads of output channels in a panel of packed weights. Tiles read all of them as one panel.
	const quads = lanes ? variant.QUADS : 2 * Math.ceil(outChannels / 8);
	const panels = Math.ceil(outChannels / (4 * quads));
	// Pixels and channels of a workgroup.
	const [m, n] = lanes ? [256, 4 * quads] : [16 * (variant.PIXELS ?? 4), 64];
	return {
		rows,
		quads,
		panels,
		packed: [phases * rows + 1, panels * quads * 4],
		pixels: m,
		slabs: Math.ceil(outChannels / n) * phases,
	};
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
	const candidates = variantsOf(family, d);
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
	family: Family,
	d: Direction,
	g: ConvGeometry,
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	slope: number,
	y: Tensor,
): void {
	const { gpu } = x;
	const { suffix, lanes } = family;
	const { batch, kernel, pad } = g;
	const { transposed, inChannels, outChannels, outStride } = d;
	const [sy, sx] = outStride;
	const { rows, quads, panels, slabs, ...cut } = layoutOf(
		variant,
		family,
		d,
		g,
	);
	const packed = empty(gpu, cut.packed);
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
	const [across, down] = lines(
		gpu,
		Math.ceil((batch * grid) / cut.pixels) * LINE,
	);
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
		workgroups: [across, down, slabs],
	});
	packed.dispose();
}
