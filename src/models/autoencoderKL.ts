import type { ParameterList, Parameters } from "../engine/nn.ts";
import { scaledDotProductAttention } from "../engine/ops/attention.ts";
import { conv2d, linear } from "../engine/ops/conv.ts";
import { add, reshape } from "../engine/ops/elementwise.ts";
import { groupNorm } from "../engine/ops/norm.ts";
import { sliceChannels } from "../engine/ops/sample.ts";
import { upsampleConv2d } from "../engine/ops/upsampleConv.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { Random } from "../random.ts";
import { LATENT_CHANNELS, type Latent } from "./latent.ts";
import { conv, declareConv, declareNorm } from "./layers.ts";

/**
 * The convolutional autoencoder of the paper: AutoencoderKL as the diffusers library defines it (Rombach et al. 2022, "High-resolution image synthesis with
 * latent diffusion models"). Parameters carry the library's names, so that its weights can be read and written (diffusers.ts). The fields
 * are those of the library's config.json: `block_out_channels`, `layers_per_block`, `norm_num_groups` and `mid_block_add_attention`.
 */
export interface AutoencoderKLConfig {
	/** Channels at each resolution, from the image's inwards; between two of them the image is halved. */
	readonly blockOutChannels: readonly number[];
	/** Residual blocks a resolution in the encoder; the decoder has one more. */
	readonly layersPerBlock: number;
	/** Groups of every groupNorm; divides all of `blockOutChannels`. */
	readonly normNumGroups: number;
	/** Self-attention between the two residual blocks at the lowest resolution. */
	readonly midBlockAddAttention: boolean;
}

/** By name: `tiny` for tests, `small` for a software adapter and hours (what learns the most in a given time: bench/NOTES.md), `paper` as the SDXL autoencoder (34 M + 50 M parameters). */
export const AUTOENCODERS = {
	tiny: {
		blockOutChannels: [8, 8, 16, 16],
		layersPerBlock: 1,
		normNumGroups: 4,
		midBlockAddAttention: true,
	},
	small: {
		blockOutChannels: [8, 16, 32, 64],
		layersPerBlock: 1,
		normNumGroups: 8,
		midBlockAddAttention: true,
	},
	paper: {
		blockOutChannels: [128, 256, 512, 512],
		layersPerBlock: 2,
		normNumGroups: 32,
		midBlockAddAttention: true,
	},
} as const satisfies Record<string, AutoencoderKLConfig>;

const EPS = 1e-6;
/** The spread that an encoder starts with: small enough that the decoder sees the mean from the first step on. */
const INITIAL_LOGVAR = -6;

type Declare = {
	readonly list: ParameterList;
	readonly random: Random;
};

/** Throws where the channels do not fit the groups, or fewer than one resolution or layer is asked for. */
export function checkConfig(config: AutoencoderKLConfig): void {
	const { blockOutChannels, layersPerBlock, normNumGroups } = config;
	const whole = (n: number) => Number.isInteger(n) && n > 0;
	if (
		blockOutChannels.length === 0 ||
		![...blockOutChannels, layersPerBlock, normNumGroups].every(whole) ||
		blockOutChannels.some((c) => c % normNumGroups !== 0)
	)
		throw new Error(
			`AutoencoderKL with channels [${blockOutChannels}], ${layersPerBlock} layers a block and ${normNumGroups} groups; expected positive whole numbers, and channels that the groups divide`,
		);
}

/** Declares "encoder.*" and "quant_conv.*" for images of `inputs` channels. */
export function declareEncoderKL(
	list: ParameterList,
	random: Random,
	inputs: number,
	config: AutoencoderKLConfig,
): void {
	checkConfig(config);
	const declare = { list, random };
	const { blockOutChannels: channels, layersPerBlock } = config;
	convolution(declare, "encoder.conv_in", inputs, channels[0], 3);
	channels.forEach((to, i) => {
		const block = `encoder.down_blocks.${i}`;
		for (let j = 0; j < layersPerBlock; j++) {
			const from = j > 0 ? to : channels[Math.max(i - 1, 0)];
			declareResnet(declare, `${block}.resnets.${j}`, from, to);
		}
		if (i < channels.length - 1)
			convolution(declare, `${block}.downsamplers.0.conv`, to, to, 3);
	});
	const last = channels[channels.length - 1];
	declareMiddle(declare, "encoder.mid_block", last, config);
	declareNorm(list, "encoder.conv_norm_out", last);
	const moments = 2 * LATENT_CHANNELS;
	convolution(declare, "encoder.conv_out", last, moments, 3);
	declareConv(list, random, "quant_conv", {
		inputs: moments,
		outputs: moments,
		kernel: 1,
		bias: (c) => (c < LATENT_CHANNELS ? 0 : INITIAL_LOGVAR),
	});
}

/** Images [B, H, W, C] to mean and log-variance of the latent, each [B, H / 2^n, W / 2^n, 4] with n + 1 resolutions. */
export function encodeKL(
	p: Parameters,
	config: AutoencoderKLConfig,
	x: Tensor,
): Latent {
	const { blockOutChannels: channels, layersPerBlock } = config;
	let h = conv(p, "encoder.conv_in", x);
	for (let i = 0; i < channels.length; i++) {
		const block = `encoder.down_blocks.${i}`;
		for (let j = 0; j < layersPerBlock; j++)
			h = resnet(p, config, `${block}.resnets.${j}`, h);
		if (i < channels.length - 1)
			h = halve(p, `${block}.downsamplers.0.conv`, h);
	}
	h = middle(p, config, "encoder.mid_block", h);
	h = normSilu(p, config, "encoder.conv_norm_out", h);
	const moments = conv(p, "quant_conv", conv(p, "encoder.conv_out", h));
	return {
		mean: sliceChannels(moments, 0, LATENT_CHANNELS),
		logvar: sliceChannels(moments, LATENT_CHANNELS, 2 * LATENT_CHANNELS),
	};
}

/** Declares "post_quant_conv.*" and "decoder.*" for images of one channel. */
export function declareDecoderKL(
	list: ParameterList,
	random: Random,
	config: AutoencoderKLConfig,
): void {
	checkConfig(config);
	const declare = { list, random };
	const channels = [...config.blockOutChannels].reverse();
	const layers = config.layersPerBlock + 1;
	convolution(declare, "post_quant_conv", LATENT_CHANNELS, LATENT_CHANNELS, 1);
	convolution(declare, "decoder.conv_in", LATENT_CHANNELS, channels[0], 3);
	declareMiddle(declare, "decoder.mid_block", channels[0], config);
	channels.forEach((to, i) => {
		const block = `decoder.up_blocks.${i}`;
		for (let j = 0; j < layers; j++)
			declareResnet(
				declare,
				`${block}.resnets.${j}`,
				j === 0 && i > 0 ? channels[i - 1] : to,
				to,
			);
		if (i < channels.length - 1)
			convolution(declare, `${block}.upsamplers.0.conv`, to, to, 3);
	});
	const last = channels[channels.length - 1];
	declareNorm(list, "decoder.conv_norm_out", last);
	convolution(declare, "decoder.conv_out", last, 1, 3);
}

/** A latent [B, h, w, 4] to images [B, h 2^n, w 2^n, 1]. */
export function decodeKL(
	p: Parameters,
	config: AutoencoderKLConfig,
	z: Tensor,
): Tensor {
	const resolutions = config.blockOutChannels.length;
	let h = conv(p, "decoder.conv_in", conv(p, "post_quant_conv", z));
	h = middle(p, config, "decoder.mid_block", h);
	for (let i = 0; i < resolutions; i++) {
		const block = `decoder.up_blocks.${i}`;
		for (let j = 0; j <= config.layersPerBlock; j++)
			h = resnet(p, config, `${block}.resnets.${j}`, h);
		if (i < resolutions - 1) h = double(p, `${block}.upsamplers.0.conv`, h);
	}
	return conv(
		p,
		"decoder.conv_out",
		normSilu(p, config, "decoder.conv_norm_out", h),
	);
}

function convolution(
	{ list, random }: Declare,
	name: string,
	inputs: number,
	outputs: number,
	kernel: number,
	gain = Math.SQRT1_2,
): void {
	declareConv(list, random, name, { inputs, outputs, kernel, gain });
}

/** Two convolutions behind groupNorm and SiLU, added to their input; where the channels differ a 1x1 convolution brings the input along. */
function declareResnet(
	declare: Declare,
	name: string,
	from: number,
	to: number,
): void {
	declareNorm(declare.list, `${name}.norm1`, from);
	convolution(declare, `${name}.conv1`, from, to, 3, 1);
	declareNorm(declare.list, `${name}.norm2`, to);
	// A branch that starts as nothing keeps the signal's size through any number of blocks.
	convolution(declare, `${name}.conv2`, to, to, 3, 0);
	if (from !== to) convolution(declare, `${name}.conv_shortcut`, from, to, 1);
}

function resnet(
	p: Parameters,
	config: AutoencoderKLConfig,
	name: string,
	x: Tensor,
): Tensor {
	const h = conv(p, `${name}.conv1`, normSilu(p, config, `${name}.norm1`, x));
	const branch = conv(
		p,
		`${name}.conv2`,
		normSilu(p, config, `${name}.norm2`, h),
	);
	const same = x.shape[3] === branch.shape[3];
	return add(same ? x : conv(p, `${name}.conv_shortcut`, x), branch);
}

function declareMiddle(
	declare: Declare,
	name: string,
	channels: number,
	{ midBlockAddAttention }: AutoencoderKLConfig,
): void {
	declareResnet(declare, `${name}.resnets.0`, channels, channels);
	if (midBlockAddAttention) {
		const attention = `${name}.attentions.0`;
		declareNorm(declare.list, `${attention}.group_norm`, channels);
		for (const part of ["to_q", "to_k", "to_v", "to_out.0"])
			declareLinear(
				declare,
				`${attention}.${part}`,
				channels,
				part === "to_out.0" ? 0 : 1,
			);
	}
	declareResnet(declare, `${name}.resnets.1`, channels, channels);
}

function middle(
	p: Parameters,
	config: AutoencoderKLConfig,
	name: string,
	x: Tensor,
): Tensor {
	let h = resnet(p, config, `${name}.resnets.0`, x);
	if (config.midBlockAddAttention)
		h = attention(p, config, `${name}.attentions.0`, h);
	return resnet(p, config, `${name}.resnets.1`, h);
}

/** Single-head self-attention over the pixels, added to its input. */
function attention(
	p: Parameters,
	config: AutoencoderKLConfig,
	name: string,
	x: Tensor,
): Tensor {
	const [batch, height, width, channels] = x.shape;
	const tokens = reshape(norm(p, config, `${name}.group_norm`, x, "none"), [
		batch,
		height * width,
		channels,
	]);
	const project = (part: string, t: Tensor) =>
		linear(t, p.get(`${name}.${part}.weight`), p.get(`${name}.${part}.bias`));
	const mixed = scaledDotProductAttention(
		project("to_q", tokens),
		project("to_k", tokens),
		project("to_v", tokens),
	);
	return add(x, reshape(project("to_out.0", mixed), x.shape));
}

function declareLinear(
	{ list, random }: Declare,
	name: string,
	channels: number,
	gain: number,
): void {
	const weights = Float32Array.from(
		{ length: channels * channels },
		() => (gain * random.normal()) / Math.sqrt(channels),
	);
	list.add(`${name}.weight`, [channels, channels], weights);
	list.add(`${name}.bias`, [channels]);
}

/** A 3x3 convolution with stride 2 behind one row and column of zeros at the bottom and on the right, as the library has it. */
function halve(p: Parameters, name: string, x: Tensor): Tensor {
	return conv2d(x, p.get(`${name}.weight`), p.get(`${name}.bias`), {
		stride: 2,
		padding: [0, 1, 0, 1],
	});
}

/** Nearest neighbours and a 3x3 convolution: doubles the image. */
const double = (p: Parameters, name: string, x: Tensor) =>
	upsampleConv2d(x, p.get(`${name}.weight`), p.get(`${name}.bias`));

function norm(
	p: Parameters,
	{ normNumGroups: groups }: AutoencoderKLConfig,
	name: string,
	x: Tensor,
	activation: "none" | "silu",
): Tensor {
	return groupNorm(x, p.get(`${name}.weight`), p.get(`${name}.bias`), {
		groups,
		eps: EPS,
		activation,
	});
}

function normSilu(
	p: Parameters,
	config: AutoencoderKLConfig,
	name: string,
	x: Tensor,
): Tensor {
	return norm(p, config, name, x, "silu");
}
