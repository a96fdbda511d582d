/** Convolutions and dense layers, all batch 8. A transposed convolution is the gradient "dx" of the one that is listed. */
import { conv2d } from "../../src/engine/ops/conv.ts";
import type { ConvGeometry } from "../../src/engine/ops/convFamily.ts";
import { linear } from "../../src/engine/ops/linear.ts";
import { upsampleConv2d } from "../../src/engine/ops/upsampleConv.ts";
import * as reference from "../../test/reference/conv.ts";
import { upsampleNearest2x } from "../../test/reference/sample.ts";
import { differences, sampled } from "./check.ts";
import { backward, FORWARD, type Op, on, type Pass } from "./row.ts";
import { convElement } from "./sums.ts";

const PASSES: readonly Pass[] = [
	FORWARD,
	{ name: "dx", gradient: { to: [0], from: [1] } },
	{ name: "dw", gradient: { to: [1], from: [0] } },
];

const geometry = (
	batch: number,
	size: readonly [number, number],
	channels: number,
	outChannels: number,
	kernel = 1,
	stride = 1,
	pad = 0,
): ConvGeometry => {
	const out = (n: number) => Math.floor((n + 2 * pad - kernel) / stride) + 1;
	return {
		batch,
		size,
		channels,
		outSize: [out(size[0]), out(size[1])],
		outChannels,
		kernel: [kernel, kernel],
		stride: [stride, stride],
		pad: [pad, pad],
	};
};

const common = (g: ConvGeometry) => ({
	flop:
		2 *
		g.batch *
		g.outSize[0] *
		g.outSize[1] *
		g.outChannels *
		g.kernel[0] *
		g.kernel[1] *
		g.channels,
	check: sampled((given, of, i) => convElement(g, given, of, i)),
	passes: PASSES,
	twoSets: true,
});

function conv(
	size: number | readonly [number, number],
	channels: number,
	outChannels: number,
	kernel: number,
	stride = 1,
	pad = kernel > 1 ? 1 : 0,
): Op {
	const [h, w] = typeof size === "number" ? [size, size] : size;
	const k = kernel;
	return {
		name: `conv ${k}x${k} s${stride} ${h}x${w} ${channels}->${outChannels}`,
		make: on(
			[
				[8, h, w, channels],
				[outChannels, k, k, channels],
			],
			([x, w]) => conv2d(x, w, null, { stride, padding: pad }),
		),
		...common(geometry(8, [h, w], channels, outChannels, k, stride, pad)),
	};
}

/** With at most 32 rows by the kernels of linearTiled.wgsl, else by the convolutions'. */
const dense = (name: string, rows: number, k: number, n: number): Op => ({
	name,
	make: on(
		[
			[rows, k],
			[n, k],
		],
		([x, w]) => linear(x, w, null),
	),
	...common(geometry(1, [1, rows], k, n)),
});

const layer = (rows: number, k: number, n: number) =>
	dense(`linear ${rows} x ${k} -> ${n}`, rows, k, n);

const doubling = (size: number, channels: number): Op => ({
	name: `upsampleConv2d ${size}x${size} ${channels}->${channels}`,
	make: on(
		[
			[8, size, size, channels],
			[channels, 3, 3, channels],
		],
		([x, w]) => upsampleConv2d(x, w, null),
	),
	check: differences(([x, w]) =>
		reference.conv2d(upsampleNearest2x(x), w, {
			stride: [1, 1],
			pad: [1, 1, 1, 1],
		}),
	),
	passes: [FORWARD, backward([0, 1], [0, 1])],
	twoSets: true,
});

export const convolutions: Op[] = [
	// The networks'.
	conv(64, 5, 16, 4, 2),
	conv(64, 1, 8, 4, 2),
	conv(64, 8, 16, 4, 2),
	conv(32, 16, 32, 4, 2),
	conv(32, 32, 64, 4, 2),
	conv(16, 32, 64, 4, 2),
	conv(16, 64, 128, 4, 2),
	conv(64, 8, 1, 3),
	conv(16, 48, 48, 3),
	conv(8, 64, 64, 3),
	layer(8, 4096, 256),
	layer(8, 256, 4096),
	layer(8, 512, 512),
	layer(32768, 5, 1),
	// Others of their kind.
	conv(64, 5, 16, 3),
	conv(64, 1, 16, 3),
	conv(64, 16, 32, 3),
	conv(64, 16, 32, 3, 2),
	conv(64, 32, 1, 3),
	conv(64, 1, 32, 4, 2),
	conv(32, 32, 32, 3),
	conv(16, 64, 64, 3),
	conv(8, 128, 4, 3),
	doubling(16, 16),
	// Tails: nothing is a multiple of anything.
	conv([13, 17], 37, 37, 3),
	conv([13, 17], 37, 37, 3, 2),
	conv([13, 17], 1, 37, 4, 2),
	conv([13, 17], 37, 1, 3),
	// Large squares.
	conv(64, 64, 64, 1),
	conv(64, 64, 64, 3),
	conv(32, 128, 128, 3),
	dense("matmul 512", 512, 512, 512),
	dense("matmul 1024", 1024, 1024, 1024),
];
