import type { Gpu } from "../engine/gpu.ts";
import { ParameterList, Parameters } from "../engine/nn.ts";
import type { Tensor } from "../engine/tensor.ts";
import { Random } from "../random.ts";
import {
	type AutoencoderKLConfig,
	declareDecoderKL,
	declareEncoderKL,
	decodeKL,
	encodeKL,
} from "./autoencoderKL.ts";
import {
	type ComponentSize,
	declareDecoderComponents,
	declareEncoderComponents,
	decodeComponents,
	encodeComponents,
	latentBasis,
} from "./componentAutoencoder.ts";
import { fromDiffusers, type PretrainedWeights } from "./diffusers.ts";
import type { Latent } from "./latent.ts";

/** The three networks of the paper; each is a set of parameters for encode() and decode(). */
export type NetworkName = "vae" | "aligner" | "oneStep";

/** The form of encoder and decoder, and their widths: the paper's convolutional autoencoder, or principal components with U-Nets that correct them. */
export type NetworkSize = AutoencoderKLConfig | ComponentSize;

/** Whether encoder and decoder are convolutional, without principal components. */
export function isConvolutional(
	size: NetworkSize,
): size is AutoencoderKLConfig {
	return "blockOutChannels" in size;
}

/** Streams of random numbers for initial weights; 0x40000000 itself is the basis's. */
const BASIS = 0x40000000;
const STREAMS: Record<NetworkName, number> = {
	vae: BASIS + 1,
	aligner: BASIS + 2,
	oneStep: BASIS + 3,
};

/** What a network sees. */
export interface NetworkInput {
	readonly channels: number;
	/** The channel that already is an image of the kernel (the ridge estimate), or null. */
	readonly kernelChannel: number | null;
}

const KERNEL: NetworkInput = { channels: 1, kernelChannel: 0 };

/** Images [B, 64, 64, channels] to the latent's distribution. Throws where `p` is not a network of this size with an encoder. */
export function encode(p: Parameters, size: NetworkSize, x: Tensor): Latent {
	return isConvolutional(size)
		? encodeKL(p, size, x)
		: encodeComponents(p, size, x);
}

/** A latent, as encode() gives it, to kernels [B, 64, 64, 1]. Throws where `p` is not a network of this size with a decoder. */
export function decode(p: Parameters, size: NetworkSize, z: Tensor): Tensor {
	return isConvolutional(size)
		? decodeKL(p, size, z)
		: decodeComponents(p, size, z);
}

/**
 * Makes a network with initial weights from `seed` and, where its form has them, the principal components of the training kernels:
 * - `vae`: kernel -> latent -> kernel (its input is the kernel itself);
 * - `aligner`: input channels -> latent, no decoder of its own (it uses the VAE's);
 * - `oneStep`: input channels -> latent -> kernel.
 *
 * @param input what aligner and one-step network see; the VAE sees kernels
 * @param components orthonormal images of 64 x 64 pixels each, as principalComponents() gives; random directions make them up to 256
 */
export function makeNetwork(
	gpu: Gpu,
	name: NetworkName,
	size: NetworkSize,
	input: NetworkInput,
	components: readonly Float32Array[],
	seed: number,
): Parameters {
	const random = new Random(seed, STREAMS[name]);
	// The same basis for all three, whatever else is drawn.
	const basis = () => latentBasis(components, new Random(seed, BASIS));
	return makeParts(gpu, size, random, basis, {
		encoder: name === "vae" ? KERNEL : input,
		decoder: name !== "aligner",
	});
}

/** A network, or one half of it, for weights that are loaded: what it starts with is of no use. */
export function makeEmptyNetwork(
	gpu: Gpu,
	size: NetworkSize,
	parts: { readonly encoder?: NetworkInput; readonly decoder: boolean },
): Parameters {
	const basis = () => latentBasis([], new Random(0));
	return makeParts(gpu, size, new Random(0), basis, parts);
}

/** Throws where networks of this size, for this input, cannot start from a file of weights. */
export function checkPretrained(
	{ source, tensors }: PretrainedWeights,
	size: NetworkSize,
	input: NetworkInput,
): void {
	if (!isConvolutional(size))
		throw new Error(
			`${source} holds weights of a convolutional autoencoder; networks of principal components cannot start from them`,
		);
	for (const { channels } of [KERNEL, input]) {
		const list = new ParameterList();
		declareEncoderKL(list, new Random(0), channels, size);
		declareDecoderKL(list, new Random(0), size);
		const wanted = list.entries.map((e) => [e.name, e] as const);
		fromDiffusers(tensors, wanted, source);
	}
}

function makeParts(
	gpu: Gpu,
	size: NetworkSize,
	random: Random,
	makeBasis: () => readonly Float32Array[],
	{ encoder, decoder }: { encoder?: NetworkInput; decoder: boolean },
): Parameters {
	const list = new ParameterList();
	if (isConvolutional(size)) {
		if (encoder) declareEncoderKL(list, random, encoder.channels, size);
		if (decoder) declareDecoderKL(list, random, size);
	} else {
		const basis = makeBasis();
		if (encoder) {
			const { channels, kernelChannel } = encoder;
			declareEncoderComponents(
				list,
				random,
				channels,
				kernelChannel,
				basis,
				size,
			);
		}
		if (decoder) declareDecoderComponents(list, random, basis, size);
	}
	return new Parameters(gpu, list);
}
