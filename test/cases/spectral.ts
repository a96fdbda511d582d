import * as ops from "../../src/engine/ops/spectral.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { type BadCall, type Case, nd } from "../opTesting.ts";
import { filter, pointSpectrum } from "../reference/spectral.ts";

/** The filters are those of points: inputs 1 of the operators, with shifts and weights of up to 40. */
const row = (
	op: string,
	batch: number,
	n: number,
	count: number,
	side: number,
	rest: Pick<Case, "run" | "reference">,
): Case => ({
	name: `${op} ${batch} x ${side} x ${side}, ${count} points on ${n}`,
	inputs: [
		{ shape: [batch, side, side] },
		{ shape: [batch, count, 3], low: -40, high: 40, grad: false },
	],
	...rest,
});

const conv = (batch: number, n: number, count: number, side = n): Case =>
	row("spectralConv", batch, n, count, side, {
		run: ([x, points]) => ops.spectralConv(x, ops.pointSpectrum(points, n)),
		reference: ([x, points]) =>
			filter(x, pointSpectrum(points, n), (n - side) / 2, n / 2, 0),
	});

const adjoint = (batch: number, n: number, count: number, side = n): Case =>
	row(`spectralConvAdjoint to ${side}:`, batch, n, count, n / 2, {
		run: ([y, points]) =>
			ops.spectralConvAdjoint(y, ops.pointSpectrum(points, n), side),
		reference: ([y, points]) =>
			filter(y, pointSpectrum(points, n), 0, side, (n - side) / 2, true),
	});

const gram = (batch: number, n: number, count: number): Case =>
	row("spectralGram", batch, n, count, n / 2, {
		run: ([y, points]) => ops.spectralGram(y, ops.pointSpectrum(points, n)),
		reference: ([y, points]) => {
			const spectrum = pointSpectrum(points, n);
			return filter(filter(y, spectrum, 0, n, 0, true), spectrum, 0, n / 2, 0);
		},
	});

const spectrum = (batch: number, count: number, n: number): Case => ({
	name: `pointSpectrum of ${batch} x ${count} points on ${n}`,
	inputs: [{ shape: [batch, count, 3], low: -n, high: n, grad: false }],
	run: ([points]) => ops.pointSpectrum(points, n),
	reference: ([points]) => pointSpectrum(points, n),
});

/** A single point at a whole shift picks a window; shifts count modulo n. */
const window = (n: number, sx: number, sy: number): Case => ({
	name: `spectralConv of one point at (${sx}, ${sy}) on ${n}`,
	inputs: [{ shape: [1, n, n] }],
	run: ([x]) => {
		const point = tensor(x.gpu, Float32Array.of(sx, sy, 1), [1, 1, 3]);
		return ops.spectralConv(x, ops.pointSpectrum(point, n));
	},
	reference: ([x]) =>
		nd([1, n / 2, n / 2], (i) => {
			const row = (Math.floor(i / (n / 2)) + sx + n) % n;
			return x.data[row * n + (((i % (n / 2)) + sy + n) % n)];
		}),
});

export const cases: Case[] = [
	window(16, 3, 12),
	window(128, -5, 64),
	window(512, 300, 77),
	spectrum(1, 1, 16),
	spectrum(3, 7, 32),
	spectrum(2, 24, 128),
	spectrum(1, 5, 256),
	conv(1, 16, 1),
	conv(3, 16, 4),
	conv(5, 16, 2, 8),
	conv(3, 16, 3, 4),
	conv(3, 32, 3, 20),
	conv(1, 64, 5),
	adjoint(1, 16, 1),
	adjoint(3, 16, 4, 12),
	adjoint(3, 32, 3),
	adjoint(1, 64, 5, 4),
	gram(1, 16, 1),
	gram(5, 16, 3),
	gram(3, 32, 2),
	// Too slow for the differences.
	...[
		conv(1, 128, 20),
		conv(3, 128, 6, 64),
		adjoint(3, 128, 6, 64),
		gram(1, 128, 6),
		conv(1, 256, 3),
		adjoint(1, 256, 3),
	].map((c) => ({
		...c,
		inputs: c.inputs.map((input) => ({ ...input, grad: false })),
	})),
];

export const badCalls: BadCall[] = [
	{
		name: "spectralConv with the spectrum of another batch",
		inputs: [
			[2, 16, 16],
			[3, 9, 16, 2],
		],
		run: ([x, s]) => ops.spectralConv(x, s),
		message:
			/spectralConv: image \[2, 16, 16\] and spectrum \[3, 9, 16, 2\]; expected \[B, m, m\]/,
	},
	{
		name: "spectralConv of an image larger than the grid",
		inputs: [
			[1, 20, 20],
			[1, 9, 16, 2],
		],
		run: ([x, s]) => ops.spectralConv(x, s),
		message: /spectralConv: image \[1, 20, 20\]/,
	},
	{
		name: "spectralGram of a whole grid",
		inputs: [
			[1, 16, 16],
			[1, 9, 16, 2],
		],
		run: ([y, s]) => ops.spectralGram(y, s),
		message: /spectralGram: .*expected \[B, n\/2, n\/2\]/,
	},
	{
		name: "spectralConvAdjoint to an odd side",
		inputs: [
			[1, 8, 8],
			[1, 9, 16, 2],
		],
		run: ([y, s]) => ops.spectralConvAdjoint(y, s, 6),
		message: /to a side of 6; expected a multiple of 4 up to 16/,
	},
	{
		name: "pointSpectrum on a grid that is no power of two",
		inputs: [[1, 4, 3]],
		run: ([points]) => ops.pointSpectrum(points, 96),
		message: /pointSpectrum: points \[1, 4, 3\] on a grid of 96/,
	},
];
