import { Module } from "../engine/layers/module.ts";
import type { GroupNorm } from "../engine/layers/norms.ts";
import type { Conv2d, ConvTranspose2d } from "../engine/layers/weighted.ts";
import { add } from "../engine/ops/elementwise.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import type { Random } from "../random.ts";
import { conv, convDown, convUp, normSilu, Residual } from "./layers.ts";

/** Channels at 32x32, 16x16 and 8x8 (multiples of 8), and residual blocks at 16x16 and 8x8. */
export interface UnetSize {
	readonly channels: readonly [number, number, number];
	readonly blocks: readonly [number, number];
}

/** Channels of the last, full-size image. */
const FULL = 8;

/** A small U-Net (Ronneberger et al. 2015): [B, 64, 64, inputs] to [B, 64, 64, 1]. With `gain` 0 it starts as nothing. */
export class Unet extends Module {
	readonly down32: Conv2d;
	readonly norm32: GroupNorm;
	readonly down16: Conv2d;
	readonly residual16: readonly Residual[];
	readonly norm16: GroupNorm;
	readonly down8: Conv2d;
	readonly residual8: readonly Residual[];
	readonly norm8: GroupNorm;
	readonly up16: ConvTranspose2d;
	readonly normUp16: GroupNorm;
	readonly up32: ConvTranspose2d;
	readonly normUp32: GroupNorm;
	readonly up64: ConvTranspose2d;
	readonly normUp64: GroupNorm;
	readonly out: Conv2d;

	constructor(
		random: Random,
		inputs: number,
		{ channels: [c32, c16, c8], blocks }: UnetSize,
		gain: number,
	) {
		super();
		const residuals = (length: number, channels: number) =>
			Array.from({ length }, () => new Residual(random, channels));
		this.down32 = convDown(random, inputs, c32);
		this.norm32 = normSilu(c32);
		this.down16 = convDown(random, c32, c16);
		this.residual16 = residuals(blocks[0], c16);
		this.norm16 = normSilu(c16);
		this.down8 = convDown(random, c16, c8);
		this.residual8 = residuals(blocks[1], c8);
		this.norm8 = normSilu(c8);
		this.up16 = convUp(random, c8, c16);
		this.normUp16 = normSilu(c16);
		this.up32 = convUp(random, c16, c32);
		this.normUp32 = normSilu(c32);
		this.up64 = convUp(random, c32, FULL);
		this.normUp64 = normSilu(FULL);
		this.out = conv(random, FULL, 1, 3, { gain });
	}

	forward(x: Tensor): Tensor {
		const h32 = this.down32.forward(x);
		let h16 = this.down16.forward(this.norm32.forward(h32));
		for (const block of this.residual16) h16 = block.forward(h16);
		let h8 = this.down8.forward(this.norm16.forward(h16));
		for (const block of this.residual8) h8 = block.forward(h8);
		const u16 = add(h16, this.up16.forward(this.norm8.forward(h8)));
		const u32 = add(h32, this.up32.forward(this.normUp16.forward(u16)));
		const u64 = this.up64.forward(this.normUp32.forward(u32));
		return this.out.forward(this.normUp64.forward(u64));
	}
}
