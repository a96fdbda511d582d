import { sizeOf } from "../engine/basics/shape.ts";
import * as init from "../engine/layers/init.ts";
import { Module } from "../engine/layers/module.ts";
import { GroupNorm } from "../engine/layers/norms.ts";
import { Sequential } from "../engine/layers/sequential.ts";
import { Conv2d, Linear } from "../engine/layers/weighted.ts";
import { scaledDotProductAttention } from "../engine/ops/attention.ts";
import { add, clamp } from "../engine/ops/elementwise.ts";
import { reshape } from "../engine/ops/reshape.ts";
import { sliceChannels } from "../engine/ops/sample.ts";
import { upsampleConv2d } from "../engine/ops/upsampleConv.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import type { Random } from "../random.ts";
import {
	half,
	LATENT_CHANNELS,
	type Latent,
	type Network,
	type NetworkParts,
} from "./latent.ts";
import { conv, initial } from "./layers.ts";

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

/** Keeps a signal's size where no rectifier is behind it. */
const GAIN = Math.SQRT1_2;

/** A convolution that no rectifier is behind. */
const plain = (
	random: Random,
	inputs: number,
	outputs: number,
	kernel: number,
	options: Parameters<typeof conv>[4] = {},
) => conv(random, inputs, outputs, kernel, { gain: GAIN, ...options });

const norm = (
	{ normNumGroups }: AutoencoderKLConfig,
	channels: number,
	activation: "none" | "silu" = "silu",
) => new GroupNorm(normNumGroups, channels, { eps: EPS, activation });

/** Two convolutions behind groupNorm and SiLU, added to their input; where the channels differ a 1x1 convolution brings the input along. */
class Resnet extends Module {
	readonly norm1: GroupNorm;
	readonly conv1: Conv2d;
	readonly norm2: GroupNorm;
	readonly conv2: Conv2d;
	readonly conv_shortcut: Conv2d | null;

	constructor(
		random: Random,
		config: AutoencoderKLConfig,
		from: number,
		to: number,
	) {
		super();
		this.norm1 = norm(config, from);
		this.conv1 = conv(random, from, to, 3);
		this.norm2 = norm(config, to);
		// A branch that starts as nothing keeps the signal's size through any number of blocks.
		this.conv2 = conv(random, to, to, 3, { gain: 0 });
		this.conv_shortcut = from === to ? null : plain(random, from, to, 1);
	}

	forward(x: Tensor): Tensor {
		const h = this.conv1.forward(this.norm1.forward(x));
		const branch = this.conv2.forward(this.norm2.forward(h));
		return add(this.conv_shortcut?.forward(x) ?? x, branch);
	}
}

/** Single-head self-attention over the pixels, added to its input. */
class Attention extends Module {
	readonly group_norm: GroupNorm;
	readonly to_q: Linear;
	readonly to_k: Linear;
	readonly to_v: Linear;
	readonly to_out: readonly [Linear];

	constructor(random: Random, config: AutoencoderKLConfig, channels: number) {
		super();
		const linear = (gain = 1) =>
			new Linear(channels, channels, {
				weight: (shape) =>
					Float32Array.from(
						{ length: sizeOf(shape) },
						() => (gain * random.normal()) / Math.sqrt(channels),
					),
				bias: init.zeros,
			});
		this.group_norm = norm(config, channels, "none");
		this.to_q = linear();
		this.to_k = linear();
		this.to_v = linear();
		this.to_out = [linear(0)];
	}

	forward(x: Tensor): Tensor {
		const [batch, height, width, channels] = x.shape;
		const tokens = reshape(this.group_norm.forward(x), [
			batch,
			height * width,
			channels,
		]);
		const mixed = scaledDotProductAttention(
			this.to_q.forward(tokens),
			this.to_k.forward(tokens),
			this.to_v.forward(tokens),
		);
		return add(x, reshape(this.to_out[0].forward(mixed), x.shape));
	}
}

/** Nearest neighbours and a 3x3 convolution: doubles the image. */
class Doubling extends Conv2d {
	override forward(x: Tensor): Tensor {
		return upsampleConv2d(x, this.weight, this.bias);
	}
}

class MidBlock extends Module {
	readonly resnets: readonly [Resnet, Resnet];
	readonly attentions: readonly Attention[];

	constructor(random: Random, config: AutoencoderKLConfig, channels: number) {
		super();
		const resnet = () => new Resnet(random, config, channels, channels);
		const first = resnet();
		this.attentions = config.midBlockAddAttention
			? [new Attention(random, config, channels)]
			: [];
		this.resnets = [first, resnet()];
	}

	forward(x: Tensor): Tensor {
		const [first, second] = this.resnets;
		let h = first.forward(x);
		for (const attention of this.attentions) h = attention.forward(h);
		return second.forward(h);
	}
}

/** Residual blocks at each resolution, and behind all but the last the way to the next, by its name. */
function blocks(
	random: Random,
	config: AutoencoderKLConfig,
	channels: readonly number[],
	layers: number,
	name: string,
	way: (channels: number) => Conv2d,
): Sequential {
	const block = (to: number, i: number) => {
		const from = channels[Math.max(i - 1, 0)];
		const resnets = Array.from(
			{ length: layers },
			(_, j) => new Resnet(random, config, j > 0 ? to : from, to),
		);
		return new Sequential({
			resnets: new Sequential(...resnets),
			...(i < channels.length - 1 && {
				[name]: new Sequential(new Sequential({ conv: way(to) })),
			}),
		});
	};
	return new Sequential(...channels.map(block));
}

function makeEncoder(
	random: Random,
	config: AutoencoderKLConfig,
	inputs: number,
): Sequential {
	const { blockOutChannels: channels, layersPerBlock } = config;
	const last = channels[channels.length - 1];
	// A 3x3 convolution with stride 2 behind one row and column of zeros at the bottom and on the right, as the library has it.
	const halving = { stride: 2, padding: [0, 1, 0, 1] } as const;
	const way = (c: number) => plain(random, c, c, 3, halving);
	return new Sequential({
		conv_in: plain(random, inputs, channels[0], 3),
		down_blocks: blocks(
			random,
			config,
			channels,
			layersPerBlock,
			"downsamplers",
			way,
		),
		mid_block: new MidBlock(random, config, last),
		conv_norm_out: norm(config, last),
		conv_out: plain(random, last, 2 * LATENT_CHANNELS, 3),
	});
}

function makeDecoder(random: Random, config: AutoencoderKLConfig): Sequential {
	const channels = [...config.blockOutChannels].reverse();
	const last = channels[channels.length - 1];
	const layers = config.layersPerBlock + 1;
	const way = (c: number) => new Doubling(c, c, 3, initial(random, GAIN));
	return new Sequential({
		conv_in: plain(random, LATENT_CHANNELS, channels[0], 3),
		mid_block: new MidBlock(random, config, channels[0]),
		up_blocks: blocks(random, config, channels, layers, "upsamplers", way),
		conv_norm_out: norm(config, last),
		conv_out: plain(random, last, 1, 3),
	});
}

export class AutoencoderKL extends Module implements Network {
	readonly encoder: Sequential | null = null;
	readonly quant_conv: Conv2d | null = null;
	readonly post_quant_conv: Conv2d | null = null;
	readonly decoder: Sequential | null = null;

	/** Throws as checkConfig() does. */
	constructor(
		random: Random,
		config: AutoencoderKLConfig,
		{ encoder, decoder }: NetworkParts,
	) {
		super();
		checkConfig(config);
		if (encoder) {
			const moments = 2 * LATENT_CHANNELS;
			this.encoder = makeEncoder(random, config, encoder.channels);
			this.quant_conv = conv(random, moments, moments, 1, {
				bias: (shape) =>
					init.constant(shape, INITIAL_LOGVAR).fill(0, 0, LATENT_CHANNELS),
			});
		}
		if (decoder) {
			const latent = LATENT_CHANNELS;
			this.post_quant_conv = plain(random, latent, latent, 1);
			this.decoder = makeDecoder(random, config);
		}
	}

	/** Images [B, H, W, C] to mean and log-variance (clamped to [-30, 20], as the library does) of the latent, each [B, H / 2^n, W / 2^n, 4] with n + 1 resolutions. */
	encode(x: Tensor): Latent {
		const h = half(this.encoder, "encoder").forward(x);
		const moments = half(this.quant_conv, "encoder").forward(h);
		return {
			mean: sliceChannels(moments, 0, LATENT_CHANNELS),
			logvar: clamp(
				sliceChannels(moments, LATENT_CHANNELS, 2 * LATENT_CHANNELS),
				-30,
				20,
			),
		};
	}

	/** A latent [B, h, w, 4] to images [B, h 2^n, w 2^n, 1]. */
	decode(z: Tensor): Tensor {
		const h = half(this.post_quant_conv, "decoder").forward(z);
		return half(this.decoder, "decoder").forward(h);
	}
}
