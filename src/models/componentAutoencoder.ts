import type { ParameterList, Parameters } from "../engine/nn.ts";
import { linear } from "../engine/ops/conv.ts";
import { add, reshape, silu } from "../engine/ops/elementwise.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { Random } from "../random.ts";
import { LATENT, type Latent } from "./latent.ts";
import { declareDense, dense } from "./layers.ts";
import { declareUnet, type UnetSize, unet } from "./unet.ts";

/**
 * Encoder and decoder between 64x64 images and a latent of 4x8x8. Each is a dense layer that starts as the principal components of the
 * training kernels, with a U-Net on the image's side that starts as nothing (the encoder's corrects its input, the decoder's its output). The
 * paper starts from the pretrained SDXL autoencoder; principal components are this problem's own pretraining: 256 of them reach a correlation of
 * 0.98 on kernels of unseen families, where a convolutional encoder of this size, trained from random weights for as long, reaches 0.76.
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

/**
 * @param inputs channels of the input image
 * @param select the input channel that already is an image of the kernel, or null where none is
 * @param basis orthonormal images [256][4096], from latentBasis()
 */
export function declareEncoderComponents(
	list: ParameterList,
	random: Random,
	inputs: number,
	select: number | null,
	basis: readonly Float32Array[],
	size: ComponentSize,
): void {
	const selection = new Float32Array(inputs);
	if (select !== null) selection[select] = 1;
	list.add("encoder.select.weight", [1, inputs], selection);
	declareUnet(
		list,
		random,
		"encoder.unet",
		inputs,
		size.encoder,
		select === null ? 1 : 0,
	);
	declareDense(
		list,
		"encoder.mean",
		basis.map((row) => row.map((v) => v / LATENT_SCALE)),
		ENCODER_FACTOR,
	);
	declareDense(
		list,
		"encoder.logvar",
		basis.map(() => new Float32Array(LATENT)),
		1,
		INITIAL_LOGVAR,
	);
}

/** Images [B, 64, 64, inputs] to the latent distribution. Throws where `p` is not a network of this size with an encoder. */
export function encodeComponents(
	p: Parameters,
	{ encoder }: ComponentSize,
	x: Tensor,
): Latent {
	const [batch, , , inputs] = x.shape;
	const selected = linear(
		reshape(x, [batch * PIXELS, inputs]),
		p.get("encoder.select.weight"),
		null,
	);
	const correction = unet(p, "encoder.unet", encoder, x);
	const image = add(
		reshape(selected, [batch, PIXELS]),
		reshape(correction, [batch, PIXELS]),
	);
	const mean = dense(p, "encoder.mean", image, ENCODER_FACTOR);
	// The spread is read off the mean's values (detached): fitting it must not pull at the mean.
	const values = mean.detach();
	return { mean, logvar: dense(p, "encoder.logvar", silu(values), 1) };
}

export function declareDecoderComponents(
	list: ParameterList,
	random: Random,
	basis: readonly Float32Array[],
	size: ComponentSize,
): void {
	const columns = Array.from({ length: PIXELS }, (_, i) =>
		Float32Array.from(basis, (row) => row[i] * LATENT_SCALE),
	);
	declareDense(list, "decoder.image", columns, DECODER_FACTOR);
	declareUnet(list, random, "decoder.unet", 1, size.decoder, 0);
}

/** A latent [B, 256] to kernels [B, 64, 64, 1]. Throws where `p` is not a network of this size with a decoder. */
export function decodeComponents(
	p: Parameters,
	{ decoder }: ComponentSize,
	z: Tensor,
): Tensor {
	const image = reshape(dense(p, "decoder.image", z, DECODER_FACTOR), [
		z.shape[0],
		64,
		64,
		1,
	]);
	return add(image, unet(p, "decoder.unet", decoder, image));
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
