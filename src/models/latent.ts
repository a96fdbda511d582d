import type { Module } from "../engine/layers/module.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";

/** The latent of 64x64 images is an image of 8x8 pixels and 4 channels. */
export const LATENT_CHANNELS = 4;
/** Numbers in it. */
export const LATENT = 8 * 8 * LATENT_CHANNELS;

/** Mean and log-variance of a normal distribution over latents: each [B, 256] or [B, 8, 8, 4], the same numbers in the same order. */
export interface Latent {
	readonly mean: Tensor;
	readonly logvar: Tensor;
}

/** What a network sees. */
export interface NetworkInput {
	readonly channels: number;
	/** The channel that already is an image of the kernel (the ridge estimate), or null. */
	readonly kernelChannel: number | null;
}

/** The halves of a network: an encoder for this input, and a decoder. */
export interface NetworkParts {
	readonly encoder?: NetworkInput;
	readonly decoder: boolean;
}

/** An encoder, a decoder, or both. */
export interface Network extends Module {
	/** Images [B, 64, 64, channels] to the latent's distribution. Throws where the network has no encoder. */
	encode(x: Tensor): Latent;
	/** A latent, as encode() gives it, to kernels [B, 64, 64, 1]. Throws where the network has no decoder. */
	decode(z: Tensor): Tensor;
}

/** The half of a network that is asked for. */
export function half<T>(part: T | null, name: "encoder" | "decoder"): T {
	if (!part) throw new Error(`this network has no ${name}`);
	return part;
}
