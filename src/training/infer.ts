import { scope } from "../engine/basics/scope.ts";
import type { Gpu } from "../engine/device/gpu.ts";
import { noGrad } from "../engine/tensors/autograd.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import { LATENT, type Network } from "../models/latent.ts";
import { PIXELS } from "../qpi/dataset/format.ts";
import { inputBatch, kernelBatch } from "./batches.ts";
import type { Prepared, PreparedObservation } from "./data.ts";

/** Kernels that a two-step or one-step network finds for observations, 16 at a time; the latent's mean, no noise. */
export async function inferKernels(
	gpu: Gpu,
	data: Prepared,
	observations: readonly PreparedObservation[],
	networks: { encoder: Network; decoder: Network },
): Promise<Float32Array[]> {
	const found: Float32Array[] = [];
	for (let i = 0; i < observations.length; i += 16) {
		const chosen = observations.slice(i, i + 16);
		const made = await readOut(gpu, () => {
			const x = inputBatch(gpu, data, chosen);
			const { mean } = networks.encoder.encode(x);
			return networks.decoder.decode(mean);
		});
		for (let k = 0; k < chosen.length; k++)
			found.push(made.slice(k * PIXELS, (k + 1) * PIXELS));
	}
	return found;
}

/** Mean and log-variance of every kernel's latent: float32 (kernels, 2, 4, 8, 8), as the paper's files have them. */
export async function kernelLatents(
	gpu: Gpu,
	vae: Network,
	images: readonly Float32Array[],
): Promise<Float32Array> {
	const each = 2 * LATENT;
	const all = new Float32Array(images.length * each);
	for (let i = 0; i < images.length; i += 16) {
		const chosen = images.slice(i, i + 16);
		for (const [half, part] of (["mean", "logvar"] as const).entries()) {
			const values = await readOut(
				gpu,
				() => vae.encode(kernelBatch(gpu, chosen))[part],
			);
			// A latent is an image [8, 8, 4]; the file has the channels first.
			for (let k = 0; k < chosen.length; k++)
				for (let pixel = 0; pixel < 64; pixel++)
					for (let c = 0; c < 4; c++)
						all[(i + k) * each + half * LATENT + c * 64 + pixel] =
							values[k * LATENT + pixel * 4 + c];
		}
	}
	return all;
}

/** What the VAE makes of kernels of 64x64 pixels each; the latent's mean, no noise. All of them are one batch. */
export async function reconstruct(
	gpu: Gpu,
	vae: Network,
	images: readonly Float32Array[],
): Promise<Float32Array[]> {
	const made = await readOut(gpu, () => {
		const { mean } = vae.encode(kernelBatch(gpu, images));
		return vae.decode(mean);
	});
	return images.map((_, i) => made.slice(i * PIXELS, (i + 1) * PIXELS));
}

/** Runs an inference in a scope of its own and reads its result. */
export async function readOut(
	gpu: Gpu,
	fn: () => Tensor,
): Promise<Float32Array> {
	const out = noGrad(gpu, () => scope(gpu, fn));
	try {
		return await out.data();
	} finally {
		out.dispose();
	}
}
