import type { Gpu } from "../engine/device/gpu.ts";
import type { State } from "../engine/layers/state.ts";
import { Random } from "../random.ts";
import { AutoencoderKL, type AutoencoderKLConfig } from "./autoencoderKL.ts";
import {
	ComponentAutoencoder,
	type ComponentSize,
	latentBasis,
} from "./componentAutoencoder.ts";
import { fromDiffusers, type PretrainedWeights } from "./diffusers.ts";
import type { Network, NetworkInput, NetworkParts } from "./latent.ts";

/** The three networks of the paper; each encodes, decodes, or both. */
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

const KERNEL: NetworkInput = { channels: 1, kernelChannel: 0 };

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
): Network {
	const random = new Random(seed, STREAMS[name]);
	// The same basis for all three, whatever else is drawn.
	const basis = () => latentBasis(components, new Random(seed, BASIS));
	return makeParts(size, random, basis, partsOf(name, input)).to(gpu);
}

const partsOf = (name: NetworkName, input: NetworkInput): NetworkParts => ({
	encoder: name === "vae" ? KERNEL : input,
	decoder: name !== "aligner",
});

/** For networks that are to be loaded: their initial values do not matter, and millions of them take seconds. */
class Still extends Random {
	override normal(): number {
		return 0;
	}
}

/** A network, or one half of it, to load weights into. */
export function makeEmptyNetwork(
	gpu: Gpu,
	size: NetworkSize,
	parts: NetworkParts,
): Network {
	const basis = () => latentBasis([], new Random(0));
	return makeParts(size, new Still(0), basis, parts).to(gpu);
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
	for (const name of ["vae", "oneStep"] as const)
		parametersIn({ source, tensors }, name, size, input);
}

/** A network's parameters, by the names that its load() takes, from the file that its training wrote. Throws where they are no parameters, or where a convolutional one's are not those of this size. */
export function parametersIn(
	{ source, tensors }: PretrainedWeights,
	name: NetworkName,
	size: NetworkSize,
	input: NetworkInput,
): State {
	if (!isConvolutional(size)) {
		for (const [tensor, { data }] of tensors)
			if (!(data instanceof Float32Array))
				throw new Error(
					`${source}: tensor "${tensor}" holds no 32-bit floats, expected a network's parameters`,
				);
		return new Map(tensors) as State;
	}
	const parts = partsOf(name, input);
	const network = new AutoencoderKL(new Still(0), size, parts);
	return fromDiffusers(tensors, network.namedParameters(), source);
}

function makeParts(
	size: NetworkSize,
	random: Random,
	makeBasis: () => readonly Float32Array[],
	parts: NetworkParts,
): Network {
	return isConvolutional(size)
		? new AutoencoderKL(random, size, parts)
		: new ComponentAutoencoder(random, makeBasis(), size, parts);
}
