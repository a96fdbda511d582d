import type { ParameterList, Parameters } from "../engine/nn.ts";
import { add } from "../engine/ops/elementwise.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { Random } from "../random.ts";
import {
	conv,
	convDown,
	convUp,
	declareConv,
	declareNorm,
	declareResidual,
	normSilu,
	residual,
} from "./layers.ts";

/** Channels at 32x32, 16x16 and 8x8 (multiples of 8), and residual blocks at 16x16 and 8x8. */
export interface UnetSize {
	readonly channels: readonly [number, number, number];
	readonly blocks: readonly [number, number];
}

/** Channels of the last, full-size image. */
const FULL = 8;

/** A small U-Net (Ronneberger et al. 2015): [B, 64, 64, inputs] to [B, 64, 64, 1]. With `gain` 0 it starts as nothing. */
export function declareUnet(
	list: ParameterList,
	random: Random,
	name: string,
	inputs: number,
	{ channels: [c32, c16, c8], blocks }: UnetSize,
	gain: number,
): void {
	const layer = (
		part: string,
		from: number,
		to: number,
		options: { kernel: number; transposed?: boolean; gain?: number },
	) =>
		declareConv(list, random, `${name}.${part}`, {
			inputs: from,
			outputs: to,
			...options,
		});
	const down = { kernel: 4 };
	const up = { kernel: 4, transposed: true };
	layer("down32", inputs, c32, down);
	declareNorm(list, `${name}.norm32`, c32);
	layer("down16", c32, c16, down);
	for (let i = 0; i < blocks[0]; i++)
		declareResidual(list, random, `${name}.residual16.${i}`, c16);
	declareNorm(list, `${name}.norm16`, c16);
	layer("down8", c16, c8, down);
	for (let i = 0; i < blocks[1]; i++)
		declareResidual(list, random, `${name}.residual8.${i}`, c8);
	declareNorm(list, `${name}.norm8`, c8);
	layer("up16", c8, c16, up);
	declareNorm(list, `${name}.normUp16`, c16);
	layer("up32", c16, c32, up);
	declareNorm(list, `${name}.normUp32`, c32);
	layer("up64", c32, FULL, up);
	declareNorm(list, `${name}.normUp64`, FULL);
	layer("out", FULL, 1, { kernel: 3, gain });
}

export function unet(
	p: Parameters,
	name: string,
	{ blocks }: UnetSize,
	x: Tensor,
): Tensor {
	const h32 = convDown(p, `${name}.down32`, x);
	let h16 = convDown(p, `${name}.down16`, normSilu(p, `${name}.norm32`, h32));
	for (let i = 0; i < blocks[0]; i++)
		h16 = residual(p, `${name}.residual16.${i}`, h16);
	let h8 = convDown(p, `${name}.down8`, normSilu(p, `${name}.norm16`, h16));
	for (let i = 0; i < blocks[1]; i++)
		h8 = residual(p, `${name}.residual8.${i}`, h8);
	const u16 = add(
		h16,
		convUp(p, `${name}.up16`, normSilu(p, `${name}.norm8`, h8)),
	);
	const u32 = add(
		h32,
		convUp(p, `${name}.up32`, normSilu(p, `${name}.normUp16`, u16)),
	);
	const u64 = convUp(p, `${name}.up64`, normSilu(p, `${name}.normUp32`, u32));
	return conv(p, `${name}.out`, normSilu(p, `${name}.normUp64`, u64));
}
