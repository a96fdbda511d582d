import { Module } from "../engine/layers/module.ts";
import { Linear } from "../engine/layers/weighted.ts";
import { add, silu } from "../engine/ops/elementwise.ts";
import { reshape } from "../engine/ops/reshape.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import type { Random } from "../random.ts";
import {
	half,
	LATENT,
	type Latent,
	type Network,
	type NetworkInput,
	type NetworkParts,
} from "./latent.ts";
import { Dense } from "./layers.ts";
import { Unet, type UnetSize } from "./unet.ts";

/**
 * Encoder and decoder between 64x64 images and a latent of 4x8x8. Each is a dense layer that starts as the principal components of the
 * training kernels, with a U-Net on the image's side that starts as nothing (the encoder's corrects its input, the decoder's its output). The
 * paper starts from the pretrained SDXL autoencoder; principal components are this problem's own pretraining: 256 of them reach a correlation of
 * 0.98 on kernels of unseen families (each training prints it); bench/README.md has what convolutional ones reach in an hour.
 */
export interface ComponentSize {
	readonly encoder: UnetSize;
	readonly decoder: UnetSize;
}

const PIXELS = 64 * 64;

/** The spread that the encoder starts with: small enough that the decoder sees the mean from the first step on. */
const INITIAL_LOGVAR = -6;
/** Root mean square of a latent of a unit-RMS kernel is then 1, and squared distances in latent and image space are proportional. */
const LATENT_SCALE = Math.sqrt(PIXELS / LATENT);
/** Learning-rate factors (see dense()): stored weights of both layers have an RMS of about 1/2. */
const ENCODER_FACTOR = 1 / 128;
const DECODER_FACTOR = 1 / 8;

class ComponentEncoder extends Module {
	readonly select: Linear;
	readonly unet: Unet;
	readonly mean: Dense;
	readonly logvar: Dense;

	constructor(
		random: Random,
		{ channels, kernelChannel }: NetworkInput,
		basis: readonly Float32Array[],
		size: UnetSize,
	) {
		super();
		const selection = new Float32Array(channels);
		if (kernelChannel !== null) selection[kernelChannel] = 1;
		this.select = new Linear(channels, 1, {
			weight: () => selection,
			bias: false,
		});
		this.unet = new Unet(
			random,
			channels,
			size,
			kernelChannel === null ? 1 : 0,
		);
		this.mean = new Dense(
			basis.map((row) => row.map((v) => v / LATENT_SCALE)),
			ENCODER_FACTOR,
		);
		this.logvar = new Dense(
			basis.map(() => new Float32Array(LATENT)),
			1,
			INITIAL_LOGVAR,
		);
	}

	forward(x: Tensor): Latent {
		const flat = [x.shape[0], PIXELS];
		const image = add(
			reshape(this.select.forward(x), flat),
			reshape(this.unet.forward(x), flat),
		);
		const mean = this.mean.forward(image);
		// The spread is read off the mean's values (detached): fitting it must not pull at the mean.
		return { mean, logvar: this.logvar.forward(silu(mean.detach())) };
	}
}

class ComponentDecoder extends Module {
	readonly image: Dense;
	readonly unet: Unet;

	constructor(random: Random, basis: readonly Float32Array[], size: UnetSize) {
		super();
		const columns = Array.from({ length: PIXELS }, (_, i) =>
			Float32Array.from(basis, (row) => row[i] * LATENT_SCALE),
		);
		this.image = new Dense(columns, DECODER_FACTOR);
		this.unet = new Unet(random, 1, size, 0);
	}

	forward(z: Tensor): Tensor {
		const image = reshape(this.image.forward(z), [z.shape[0], 64, 64, 1]);
		return add(image, this.unet.forward(image));
	}
}

export class ComponentAutoencoder extends Module implements Network {
	readonly encoder: ComponentEncoder | null;
	readonly decoder: ComponentDecoder | null;

	/** @param basis orthonormal images [256][4096], from latentBasis() */
	constructor(
		random: Random,
		basis: readonly Float32Array[],
		size: ComponentSize,
		{ encoder, decoder }: NetworkParts,
	) {
		super();
		this.encoder = encoder
			? new ComponentEncoder(random, encoder, basis, size.encoder)
			: null;
		this.decoder = decoder
			? new ComponentDecoder(random, basis, size.decoder)
			: null;
	}

	/** Images [B, 64, 64, channels] to the latent's distribution, each [B, 256]. */
	encode(x: Tensor): Latent {
		return half(this.encoder, "encoder").forward(x);
	}

	/** A latent [B, 256] to kernels [B, 64, 64, 1]. */
	decode(z: Tensor): Tensor {
		return half(this.decoder, "decoder").forward(z);
	}
}

/** Fills up fewer than 256 principal components with random directions of the same length. */
export function latentBasis(
	components: readonly Float32Array[],
	random: Random,
): Float32Array[] {
	const basis = components.slice(0, LATENT);
	while (basis.length < LATENT)
		basis.push(
			Float32Array.from(
				{ length: PIXELS },
				() => random.normal() / Math.sqrt(PIXELS),
			),
		);
	return basis;
}
