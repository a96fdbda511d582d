import type { Tensor } from "../engine/tensor.ts";

/** The latent of 64x64 images is an image of 8x8 pixels and 4 channels. */
export const LATENT_CHANNELS = 4;
/** Numbers in it. */
export const LATENT = 8 * 8 * LATENT_CHANNELS;

/** Mean and log-variance of a normal distribution over latents: each [B, 256] or [B, 8, 8, 4], the same numbers in the same order. */
export interface Latent {
	readonly mean: Tensor;
	readonly logvar: Tensor;
}
