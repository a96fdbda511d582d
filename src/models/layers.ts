import type { Shape } from "../engine/basics/shape.ts";
import * as init from "../engine/layers/init.ts";
import { Module } from "../engine/layers/module.ts";
import { GroupNorm } from "../engine/layers/norms.ts";
import { Parameter } from "../engine/layers/parameters.ts";
import { Conv2d, ConvTranspose2d } from "../engine/layers/weighted.ts";
import type { ConvOptions } from "../engine/ops/conv.ts";
import { add, scale } from "../engine/ops/elementwise.ts";
import { linear } from "../engine/ops/linear.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import type { Random } from "../random.ts";

/** The few layers that the networks are made of. */

/** Channels in a group of groupNorm: 8, as 32 groups of a 256-channel network have. */
const GROUP = 8;

type Init = (shape: Shape) => Float32Array;

/** Weights as He et al. 2015 have them for rectifiers, times `gain`, and no biases. */
export const initial = (random: Random, gain: number) => ({
	weight: ((shape) => init.kaimingNormal(shape, { random, gain })) as Init,
	bias: init.zeros as Init,
});

/** A convolution that keeps the image's size, unless a stride is given. */
export const conv = (
	random: Random,
	inputs: number,
	outputs: number,
	kernel: number,
	{ gain = 1, ...options }: ConvOptions & { gain?: number; bias?: Init } = {},
) =>
	new Conv2d(inputs, outputs, kernel, {
		padding: (kernel - 1) / 2,
		...initial(random, gain),
		...options,
	});

/** A 4x4 convolution with stride 2: halves the image. */
export const convDown = (random: Random, inputs: number, outputs: number) =>
	conv(random, inputs, outputs, 4, { stride: 2, padding: 1 });

/** A transposed 4x4 convolution with stride 2: doubles the image. It adds up a quarter of its taps at each pixel, so weights are twice as large. */
export const convUp = (random: Random, inputs: number, outputs: number) =>
	new ConvTranspose2d(inputs, outputs, 4, {
		stride: 2,
		padding: 1,
		weight: (shape) =>
			init.kaimingNormal(shape, { random, gain: 2, mode: "fanOut" }),
		bias: init.zeros,
	});

/** SiLU behind groupNorm, in one kernel. */
export const normSilu = (channels: number) =>
	new GroupNorm(Math.max(1, channels / GROUP), channels, {
		activation: "silu",
	});

/** Two 3x3 convolutions behind groupNorm and SiLU, added to their input (He et al. 2016, pre-activation form). Starts as nothing but its input. */
export class Residual extends Module {
	readonly norm1: GroupNorm;
	readonly conv1: Conv2d;
	readonly norm2: GroupNorm;
	readonly conv2: Conv2d;

	constructor(random: Random, channels: number) {
		super();
		this.norm1 = normSilu(channels);
		this.conv1 = conv(random, channels, channels, 3);
		this.norm2 = normSilu(channels);
		this.conv2 = conv(random, channels, channels, 3, { gain: 0 });
	}

	forward(x: Tensor): Tensor {
		const h = this.conv1.forward(this.norm1.forward(x));
		return add(x, this.conv2.forward(this.norm2.forward(h)));
	}
}

/**
 * A dense layer that applies `factor` times its stored weights. Adam moves every weight by about the learning rate a step, so a layer of many
 * small weights needs a smaller step than the convolutions beside it ("equalised learning rate", Karras et al. 2018).
 */
export class Dense extends Module {
	readonly weight: Parameter;
	readonly bias: Parameter;
	readonly factor: number;

	/** Acts as `rows` (outputs rows of inputs) times x, plus `bias`. */
	constructor(rows: readonly Float32Array[], factor: number, bias = 0) {
		super();
		const [outputs, inputs] = [rows.length, rows[0].length];
		const weights = new Float32Array(outputs * inputs);
		rows.forEach((row, o) => {
			for (let i = 0; i < inputs; i++)
				weights[o * inputs + i] = row[i] / factor;
		});
		this.factor = factor;
		this.weight = new Parameter([outputs, inputs], weights);
		this.bias = new Parameter([outputs], init.constant([outputs], bias));
	}

	forward(x: Tensor): Tensor {
		return add(scale(linear(x, this.weight, null), this.factor), this.bias);
	}
}
