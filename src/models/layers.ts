import type { ParameterList, Parameters } from "../engine/nn.ts";
import { conv2d, convTranspose2d, linear } from "../engine/ops/conv.ts";
import { add, scale } from "../engine/ops/elementwise.ts";
import { groupNorm } from "../engine/ops/norm.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { Random } from "../random.ts";

/**
 * The few layers that the networks are made of. Each has a `declare...` function, which adds its parameters to a list, and a function that
 * applies it; both find the parameters by the layer's name.
 */

/** Channels in a group of groupNorm: 8, as 32 groups of a 256-channel network have. */
const GROUP = 8;

export function declareConv(
	list: ParameterList,
	random: Random,
	name: string,
	options: {
		inputs: number;
		outputs: number;
		kernel: number;
		transposed?: boolean;
		/** Multiplies the initial weights: 0 makes a residual branch start as nothing. */
		gain?: number;
		bias?: (output: number) => number;
	},
): void {
	const { inputs, outputs, kernel, transposed = false, gain = 1 } = options;
	// He et al. 2015 for the gain of rectifiers; a stride-2 transposed convolution adds up a quarter of its taps at each pixel.
	const fanIn = (inputs * kernel * kernel) / (transposed ? 4 : 1);
	const deviation = gain * Math.sqrt(2 / fanIn);
	const shape = transposed
		? [inputs, kernel, kernel, outputs]
		: [outputs, kernel, kernel, inputs];
	const weights = new Float32Array(inputs * outputs * kernel * kernel);
	for (let i = 0; i < weights.length; i++)
		weights[i] = deviation * random.normal();
	list.add(`${name}.weight`, shape, weights);
	list.add(
		`${name}.bias`,
		[outputs],
		Float32Array.from({ length: outputs }, (_, o) => options.bias?.(o) ?? 0),
	);
}

export function declareNorm(
	list: ParameterList,
	name: string,
	channels: number,
): void {
	list.add(`${name}.weight`, [channels], new Float32Array(channels).fill(1));
	list.add(`${name}.bias`, [channels], new Float32Array(channels));
}

/** Two 3x3 convolutions behind groupNorm and SiLU, added to their input (He et al. 2016, pre-activation form). */
export function declareResidual(
	list: ParameterList,
	random: Random,
	name: string,
	channels: number,
): void {
	const shape = { inputs: channels, outputs: channels, kernel: 3 };
	declareNorm(list, `${name}.norm1`, channels);
	declareConv(list, random, `${name}.conv1`, shape);
	declareNorm(list, `${name}.norm2`, channels);
	declareConv(list, random, `${name}.conv2`, { ...shape, gain: 0 });
}

/** A convolution that keeps the image's size (stride 1, odd kernel). */
export function conv(p: Parameters, name: string, x: Tensor): Tensor {
	const w = p.get(`${name}.weight`);
	return conv2d(x, w, p.get(`${name}.bias`), {
		padding: (w.shape[1] - 1) / 2,
	});
}

/** A 4x4 convolution with stride 2: halves the image. */
export function convDown(p: Parameters, name: string, x: Tensor): Tensor {
	return conv2d(x, p.get(`${name}.weight`), p.get(`${name}.bias`), {
		stride: 2,
		padding: 1,
	});
}

/** A transposed 4x4 convolution with stride 2: doubles the image. */
export function convUp(p: Parameters, name: string, x: Tensor): Tensor {
	return convTranspose2d(x, p.get(`${name}.weight`), p.get(`${name}.bias`), {
		stride: 2,
		padding: 1,
	});
}

/** SiLU behind groupNorm, in one kernel. */
export function normSilu(p: Parameters, name: string, x: Tensor): Tensor {
	const channels = x.shape[3];
	return groupNorm(x, p.get(`${name}.weight`), p.get(`${name}.bias`), {
		groups: Math.max(1, channels / GROUP),
		activation: "silu",
	});
}

export function residual(p: Parameters, name: string, x: Tensor): Tensor {
	const h = conv(p, `${name}.conv1`, normSilu(p, `${name}.norm1`, x));
	return add(x, conv(p, `${name}.conv2`, normSilu(p, `${name}.norm2`, h)));
}

/**
 * A dense layer whose weights are kept `1/factor` times larger than they act. Adam moves every weight by about the learning rate a step, so a layer of many
 * small weights needs a smaller step than the convolutions beside it ("equalised learning rate", Karras et al. 2018).
 */
export function dense(
	p: Parameters,
	name: string,
	x: Tensor,
	factor: number,
): Tensor {
	return add(
		scale(linear(x, p.get(`${name}.weight`), null), factor),
		p.get(`${name}.bias`),
	);
}

/** Declares a dense layer that acts as `weights` (outputs rows of `inputs`) times x, plus `bias`. */
export function declareDense(
	list: ParameterList,
	name: string,
	rows: readonly Float32Array[],
	factor: number,
	bias = 0,
): void {
	const [outputs, inputs] = [rows.length, rows[0].length];
	const weights = new Float32Array(outputs * inputs);
	rows.forEach((row, o) => {
		for (let i = 0; i < inputs; i++) weights[o * inputs + i] = row[i] / factor;
	});
	list.add(`${name}.weight`, [outputs, inputs], weights);
	list.add(`${name}.bias`, [outputs], new Float32Array(outputs).fill(bias));
}
