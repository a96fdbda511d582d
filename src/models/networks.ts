import type { Gpu } from "../engine/gpu.ts";
import { ParameterList, Parameters } from "../engine/nn.ts";
import { Random } from "../random.ts";
import {
	declareDecoder,
	declareEncoder,
	latentBasis,
	type Size,
} from "./autoencoder.ts";

/** The three networks of the paper; each is a set of parameters for the functions of autoencoder.ts. */
export type NetworkName = "vae" | "aligner" | "oneStep";

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

/**
 * Makes a network with initial weights from `seed` and the principal components of the training kernels:
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
	size: Size,
	input: NetworkInput,
	components: readonly Float32Array[],
	seed: number,
): Parameters {
	const list = new ParameterList();
	const random = new Random(seed, STREAMS[name]);
	// The same basis for all three, whatever else is drawn.
	const basis = latentBasis(components, new Random(seed, BASIS));
	const { channels, kernelChannel } =
		name === "vae" ? { channels: 1, kernelChannel: 0 } : input;
	declareEncoder(list, random, channels, kernelChannel, basis, size);
	if (name !== "aligner") declareDecoder(list, random, basis, size);
	return new Parameters(gpu, list);
}
