import * as ops from "../../src/engine/ops/sample.ts";
import type { BadCall, Case } from "../opTesting.ts";
import { at, image, rotate, upsampleNearest2x } from "../reference/sample.ts";

const DEGREE = Math.PI / 180;

export function rotation(
	shape: number[],
	degrees: number[],
	low?: number,
): Case {
	const angles = degrees.map((d) => d * DEGREE);
	return {
		name: `rotate [${shape}] by ${degrees}`,
		inputs: [{ shape, low }],
		run: ([x]) => ops.rotate(x, angles.length === 1 ? angles[0] : angles),
		reference: ([x]) =>
			rotate(x, angles.length === 1 ? Array(shape[0]).fill(angles[0]) : angles),
		// A place is known to 1e-7 of the image's side, and neighbours may differ by 2.
		tolerance: 2e-5,
	};
}

export const doubling = (shape: readonly number[]): Case => ({
	name: `upsampleNearest2x [${shape}]`,
	inputs: [{ shape }],
	run: ([x]) => ops.upsampleNearest2x(x),
	reference: ([x]) => upsampleNearest2x(x),
});

/** concat() of images [B, H, W] of so many channels. */
export const joining = (
	images: readonly number[],
	channels: readonly number[],
): Case => ({
	name: `concat of [${images}] with ${channels} channels`,
	inputs: channels.map((c) => ({ shape: [...images, c] })),
	run: (inputs) => ops.concat(inputs),
	reference: (inputs) => {
		const total = channels.reduce((sum, c) => sum + c, 0);
		return image([...images, total], (b, r, q, k) => {
			let left = k;
			for (const x of inputs) {
				if (left < x.shape[3]) return at(x, b, r, q, left);
				left -= x.shape[3];
			}
			return Number.NaN;
		});
	},
});

export const slicing = (
	shape: readonly number[],
	start: number,
	end: number,
): Case => ({
	name: `sliceChannels ${start} to ${end} of [${shape}]`,
	inputs: [{ shape }],
	run: ([x]) => ops.sliceChannels(x, start, end),
	reference: ([x]) =>
		image([...shape.slice(0, 3), end - start], (b, r, q, k) =>
			at(x, b, r, q, start + k),
		),
});

export const cropping = (
	shape: readonly number[],
	part: ops.CropWindow,
): Case => ({
	name: `crop [${shape}] to ${part.height} x ${part.width} at (${part.top}, ${part.left})`,
	inputs: [{ shape }],
	run: ([x]) => ops.crop(x, part),
	reference: ([x]) =>
		image([shape[0], part.height, part.width, shape[3]], (b, r, q, k) =>
			at(x, b, r + part.top, q + part.left, k),
		),
});

export const cases: Case[] = [
	...[
		[1, 1, 1, 1],
		[2, 3, 5, 3],
		[1, 4, 4, 8],
	].map(doubling),
	...[[3, 1, 2], [4, 8, 4], [5], [2, 4]].map((channels) =>
		joining([2, 3, 5], channels),
	),
	...[
		[8, 0, 4],
		[8, 4, 8],
		[7, 2, 5],
		[5, 4, 5],
	].map(([c, start, end]) => slicing([2, 3, 2, c], start, end)),
	...[
		[2, 7, 6, 1],
		[1, 9, 8, 4],
	].map((shape) => cropping(shape, { top: 2, left: 1, height: 4, width: 5 })),
	rotation([1, 6, 6, 1], [0]),
	rotation([1, 6, 6, 1], [90]),
	rotation([1, 5, 5, 1], [-90]),
	rotation([1, 6, 6, 1], [180]),
	rotation([1, 6, 6, 1], [60]),
	rotation([1, 6, 6, 1], [-120]),
	rotation([1, 6, 6, 1], [1]),
	rotation([1, 6, 6, 1], [45]),
	rotation([1, 5, 7, 1], [33]),
	rotation([1, 1, 6, 1], [70]),
	rotation([4, 3, 3, 1], [10, 120, -60, 200]),
	rotation([2, 16, 16, 3], [60, -17]),
	rotation([2, 64, 64, 1], [120, 91], 0),
];

export const badCalls: BadCall[] = [
	{
		name: "upsampleNearest2x of a matrix",
		inputs: [[2, 3]],
		run: ([x]) => ops.upsampleNearest2x(x),
		message: /upsampleNearest2x: x \[2, 3\]; expected \[B, H, W, C\]/,
	},
	{
		name: "concat of two sizes",
		inputs: [
			[1, 2, 2, 3],
			[1, 2, 3, 3],
		],
		run: (inputs) => ops.concat(inputs),
		message: /concat: \[1, 2, 2, 3\], \[1, 2, 3, 3\]/,
	},
	{
		name: "sliceChannels beyond the last",
		inputs: [[1, 2, 2, 3]],
		run: ([x]) => ops.sliceChannels(x, 2, 4),
		message: /sliceChannels: x \[1, 2, 2, 3\], channels 2 to 4/,
	},
	{
		name: "crop beyond the edge",
		inputs: [[1, 4, 4, 1]],
		run: ([x]) => ops.crop(x, { top: 2, left: 0, height: 3, width: 3 }),
		message: /crop: x \[1, 4, 4, 1\] to 3 x 3 at \(2, 0\)/,
	},
	{
		name: "crop with an option that there is not",
		inputs: [[1, 4, 4, 1]],
		run: ([x]) => {
			const part = { top: 0, left: 0, height: 3, width: 3, size: 3 };
			return ops.crop(x, part);
		},
		message: /crop: there is no option "size"/,
	},
	{
		name: "rotate by angles of another batch",
		inputs: [[2, 4, 4, 1]],
		run: ([x]) => ops.rotate(x, [1, 2, 3]),
		message: /rotate: x \[2, 4, 4, 1\] by \[1, 2, 3\]/,
	},
	{
		name: "rotate by NaN",
		inputs: [[2, 4, 4, 1]],
		run: ([x]) => ops.rotate(x, Number.NaN),
		message: /rotate: .*NaN/,
	},
];
