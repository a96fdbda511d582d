import {
	type ConvOptions,
	conv2d,
	convTranspose2d,
} from "../../src/engine/ops/conv.ts";
import type { Activation } from "../../src/engine/ops/convTape.ts";
import { linear, matmul } from "../../src/engine/ops/linear.ts";
import { type BadCall, type Case, distance, type Nd } from "../opTesting.ts";
import * as reference from "../reference/conv.ts";

const SLOPES = { none: 1, relu: 0, leakyRelu: 0.01 };

export interface ConvRow {
	/** B, H, W, C */
	x: [number, number, number, number];
	/** Channels of the output. */
	o: number;
	/** KH, KW */
	k: [number, number];
	stride?: [number, number];
	/** top, bottom, left, right */
	pad?: [number, number, number, number];
	bias?: boolean;
	activation?: Activation;
}

/** Where a rectified sum happens to lie at zero, differences say nothing: few rows with an activation, and small ones. */
const rows: ConvRow[] = [
	{ x: [1, 1, 1, 1], o: 1, k: [1, 1] },
	{ x: [2, 5, 7, 3], o: 5, k: [3, 3], pad: [1, 1, 1, 1] },
	{ x: [1, 9, 6, 5], o: 7, k: [3, 3], stride: [2, 2], pad: [0, 1, 0, 1] },
	// The downsampling of diffusers' AutoencoderKL.
	{ x: [2, 8, 8, 8], o: 12, k: [3, 3], stride: [2, 2], pad: [0, 1, 0, 1] },
	{ x: [2, 8, 8, 8], o: 16, k: [4, 4], stride: [2, 2], pad: [1, 1, 1, 1] },
	{ x: [1, 7, 11, 4], o: 3, k: [4, 4], stride: [3, 3], pad: [2, 0, 1, 3] },
	{ x: [3, 6, 5, 7], o: 8, k: [1, 1] },
	{ x: [1, 7, 9, 3], o: 4, k: [1, 1], stride: [3, 2] },
	{ x: [2, 3, 3, 1], o: 16, k: [5, 5], pad: [2, 2, 2, 2] },
	{ x: [1, 3, 3, 5], o: 3, k: [4, 5], stride: [1, 2], pad: [3, 2, 1, 4] },
	{ x: [1, 5, 4, 33], o: 64, k: [3, 3], pad: [1, 1, 1, 1], bias: false },
	{ x: [1, 5, 6, 64], o: 33, k: [3, 3], stride: [2, 1], pad: [1, 1, 1, 1] },
	{ x: [2, 9, 9, 16], o: 1, k: [3, 3], pad: [1, 1, 1, 1] },
	{ x: [1, 13, 10, 2], o: 20, k: [5, 3], stride: [3, 3], pad: [0, 0, 1, 0] },
	{ x: [1, 5, 5, 3], o: 2, k: [3, 3], pad: [1, 1, 1, 1], activation: "relu" },
	{
		x: [1, 4, 5, 2],
		o: 4,
		k: [4, 4],
		stride: [2, 2],
		pad: [1, 1, 1, 1],
		activation: "leakyRelu",
	},
];

/** A convolution, and the transposed one with the same x and options. */
export function both({
	x,
	o,
	k,
	stride = [1, 1],
	pad = [0, 0, 0, 0],
	bias = true,
	activation = "none",
}: ConvRow): Case[] {
	const options = { stride, padding: pad, activation };
	const text = `${k.join("x")} [${x}] -> ${o}, stride ${stride}, pad ${pad}${bias ? "" : ", no bias"} ${activation}`;
	const biases = bias ? [{ shape: [o] }] : [];
	const slope = SLOPES[activation];
	/** Before the activation, whose kink is at 0. */
	const sums = (op: typeof reference.conv2d, [x, w, b]: Nd[]) =>
		reference.finish(op(x, w, { stride, pad }), b, 1);
	const row = (
		name: string,
		w: number[],
		run: Case["run"],
		op: typeof reference.conv2d,
	): Case => ({
		name: `${name} ${text}`,
		inputs: [{ shape: x }, { shape: w }, ...biases],
		run,
		reference: (inputs) => reference.finish(sums(op, inputs), undefined, slope),
		// A sum moves further than what it is a sum of.
		margin: (inputs) =>
			slope === 1
				? 1
				: distance(sums(op, inputs).data, 0) / Math.sqrt(k[0] * k[1] * x[3]),
	});
	return [
		row(
			"conv2d",
			[o, ...k, x[3]],
			([x, w, b]) => conv2d(x, w, b ?? null, options),
			reference.conv2d,
		),
		row(
			"convTranspose2d",
			[x[3], ...k, o],
			([x, w, b]) => convTranspose2d(x, w, b ?? null, options),
			reference.convTranspose2d,
		),
	];
}

export const products = (m: number, k: number, n: number): Case[] => [
	{
		name: `matmul ${m} x ${k} x ${n}`,
		inputs: [{ shape: [m, k] }, { shape: [k, n] }],
		run: ([a, b]) => matmul(a, b),
		reference: ([a, b]) => reference.matmul(a, b),
	},
	{
		name: `linear ${m} x ${k} x ${n}`,
		inputs: [{ shape: [m, k] }, { shape: [n, k] }, { shape: [n] }],
		run: ([x, w, bias]) => linear(x, w, bias),
		reference: ([x, w, bias]) =>
			reference.finish(reference.matmul(x, reference.transpose(w)), bias, 1),
	},
];

export const cases: Case[] = [
	...rows.flatMap(both),
	...[
		[1, 1, 1],
		[3, 5, 7],
		[9, 32, 13], // few rows, and K a multiple of 4: kernels of their own (linear.ts)
		[17, 33, 9],
		[64, 65, 66],
	].flatMap(([m, k, n]) => products(m, k, n)),
	{
		name: "linear of three dimensions",
		inputs: [{ shape: [2, 3, 5] }, { shape: [4, 5] }],
		run: ([x, w]) => linear(x, w, null),
		reference: ([x, w]) => ({
			shape: [2, 3, 4],
			data: reference.matmul(
				{ shape: [6, 5], data: x.data },
				reference.transpose(w),
			).data,
		}),
	},
];

export const badCalls: BadCall[] = [
	{
		name: "conv2d of wrong channels",
		inputs: [
			[2, 8, 8, 3],
			[5, 3, 3, 4],
		],
		run: ([x, w]) => conv2d(x, w, null),
		message:
			/conv2d: x \[2, 8, 8, 3\] has 3 channels, w \[5, 3, 3, 4\] expects 4/,
	},
	{
		name: "convTranspose2d of wrong channels",
		inputs: [
			[2, 8, 8, 3],
			[5, 3, 3, 4],
		],
		run: ([x, w]) => convTranspose2d(x, w, null),
		message:
			/convTranspose2d: x \[2, 8, 8, 3\] has 3 channels, w \[5, 3, 3, 4\] expects 5/,
	},
	{
		name: "conv2d with an empty output",
		inputs: [
			[1, 2, 9, 3],
			[5, 4, 4, 3],
		],
		run: ([x, w]) => conv2d(x, w, null, { padding: [1, 0, 0, 0] }),
		message:
			/conv2d: x \[1, 2, 9, 3\] padded to 3 x 9 .* w \[5, 4, 4, 3\]: the output would be empty/,
	},
	{
		name: "convTranspose2d with an empty output",
		inputs: [
			[1, 1, 1, 3],
			[3, 2, 2, 3],
		],
		run: ([x, w]) => convTranspose2d(x, w, null, { padding: 1 }),
		message: /convTranspose2d: .* empty output, 0 x 0/,
	},
	{
		name: "conv2d with half a stride",
		inputs: [
			[1, 4, 4, 3],
			[3, 2, 2, 3],
		],
		run: ([x, w]) => conv2d(x, w, null, { stride: 1.5 }),
		message: /conv2d: stride \[1.5, 1.5\]/,
	},
	{
		name: "conv2d with negative padding",
		inputs: [
			[1, 4, 4, 3],
			[3, 2, 2, 3],
		],
		run: ([x, w]) => conv2d(x, w, null, { padding: [0, 0, -1, 0] }),
		message: /conv2d: padding \[0, 0, -1, 0\]/,
	},
	{
		name: "conv2d with a bias of the wrong length",
		inputs: [[1, 4, 4, 3], [3, 2, 2, 3], [4]],
		run: ([x, w, bias]) => conv2d(x, w, bias),
		message: /conv2d: bias \[4\] and w \[3, 2, 2, 3\]; expected \[3\]/,
	},
	{
		name: "conv2d with an option that there is not",
		inputs: [
			[1, 4, 4, 3],
			[3, 2, 2, 3],
		],
		run: ([x, w]) => conv2d(x, w, null, { dilation: 2 } as ConvOptions),
		message:
			/conv2d: there is no option "dilation"; expected stride, padding, activation/,
	},
	{
		name: "linear with a stride",
		inputs: [
			[4, 3],
			[2, 3],
		],
		run: ([x, w]) => linear(x, w, null, { stride: 2 } as ConvOptions),
		message: /linear: there is no option "stride"/,
	},
	{
		name: "conv2d of three dimensions",
		inputs: [
			[4, 4, 3],
			[3, 2, 2, 3],
		],
		run: ([x, w]) => conv2d(x, w, null),
		message:
			/conv2d: x \[4, 4, 3\] and w \[3, 2, 2, 3\]; expected four dimensions/,
	},
	{
		name: "linear of wrong sizes",
		inputs: [
			[4, 3],
			[3, 4],
		],
		run: ([x, w]) => linear(x, w, null),
		message: /linear: x \[4, 3\] and w \[3, 4\]; expected/,
	},
	{
		name: "matmul of wrong sizes",
		inputs: [
			[4, 3],
			[4, 3],
		],
		run: ([a, b]) => matmul(a, b),
		message: /matmul: a \[4, 3\] and b \[4, 3\]; expected/,
	},
];
