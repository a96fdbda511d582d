import { checkNames } from "../basics/options.ts";
import { type Shape, show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import type { BufferView } from "../device/pool.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";

type Pair = readonly [number, number];

export interface PoolOptions {
	/** Size of the window, one for both dimensions or [height, width]. */
	readonly kernel: number | Pair;
	/** Step of the window; default: its size. */
	readonly stride?: number | Pair;
	/** Width of the border, at most half the window's; default 0. */
	readonly padding?: number | Pair;
}

// In the order of the shader's cases.
const OPS = ["maxPool2d", "avgPool2d", "taps"];

function pool(
	op: "maxPool2d" | "avgPool2d",
	x: Tensor,
	options: PoolOptions,
): Tensor {
	checkTensors(op, { x });
	checkNames(op, options, ["kernel", "stride", "padding"]);
	const pair = (value: number | Pair): Pair =>
		typeof value === "number" ? [value, value] : value;
	const kernel = pair(options.kernel);
	const stride = pair(options.stride ?? kernel);
	const pad = pair(options.padding ?? 0);
	const what = `${op}: x ${show(x.shape)}, kernel ${kernel}, stride ${stride}, padding ${pad}`;
	if (x.shape.length !== 4) throw new Error(`${what}; expected x [B, H, W, C]`);
	const whole = (list: unknown, least: number) =>
		Array.isArray(list) &&
		list.length === 2 &&
		list.every((n) => Number.isInteger(n) && n >= least);
	if (!whole(kernel, 1) || !whole(stride, 1) || !whole(pad, 0))
		throw new Error(
			`${what}; expected whole numbers, or pairs of them, of at least 1, 1 and 0`,
		);
	const input = [x.shape[1], x.shape[2]];
	const output = input.map(
		(n, d) => Math.floor((n + 2 * pad[d] - kernel[d]) / stride[d]) + 1,
	);
	if (pad.some((p, d) => 2 * p > kernel[d]) || output.some((n) => n < 1))
		throw new Error(
			`${what}; expected padding of at most half a window, and an image that holds one`,
		);

	const { gpu } = x;
	const channels = x.shape[3];
	const shape = [x.shape[0], output[0], output[1], channels];
	const run = (
		entry: string,
		of: string,
		bindings: Record<string, BufferView>,
		{ size }: Tensor,
	) =>
		gpu.run({
			shader: "pooling",
			entry,
			bindings,
			params: { n: size, channels, input, output, kernel, stride, pad },
			constants: { OP: OPS.indexOf(of), WIDE: channels % 4 === 0 ? 1 : 0 },
			workgroups: lines(gpu, Math.ceil(size / 4)),
		});
	const windows = (of: string) => {
		const y = empty(gpu, shape satisfies Shape);
		run("forward", of, { x, y }, y);
		return y;
	};
	return record(
		op,
		windows(op),
		[x],
		(dy, grads) => {
			const taps = op === "maxPool2d" ? windows("taps") : dy;
			const dx = grads.out(0);
			run("backward", op, { x: dy, taps, y: dx }, dx);
			if (taps !== dy) taps.dispose();
		},
		op === "maxPool2d" ? [x] : [],
	);
}

/**
 * The largest element of each window: x [B, H, W, C] -> y [B, OH, OW, C] with OH = floor((H + 2 padding - kernel) / stride) + 1; the border counts for nothing. NaN where
 * there is one; of equal elements the first gets the gradient, as in torch. Throws where shapes and options do not fit.
 */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
	return pool("maxPool2d", x, options);
}

/** The mean of each window, with shapes as in maxPool2d(); the border counts as zeros, as torch's default does. Throws where shapes and options do not fit. */
export function avgPool2d(x: Tensor, options: PoolOptions): Tensor {
	return pool("avgPool2d", x, options);
}
