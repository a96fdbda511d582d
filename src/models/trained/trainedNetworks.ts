import { scope } from "../../engine/basics/scope.ts";
import type { Gpu } from "../../engine/device/gpu.ts";
import type { State } from "../../engine/layers/state.ts";
import { noGrad } from "../../engine/tensors/autograd.ts";
import { tensor } from "../../engine/tensors/tensor.ts";
import { PIXELS, RESOLUTION as SIDE } from "../../qpi/dataset/format.ts";
import type { Position } from "../../qpi/operator/forward.ts";
import { INPUTS, inputsOf } from "../../qpi/operator/inputs.ts";
import type { Network } from "../latent.ts";
import { makeEmptyNetwork, type NetworkSize } from "../networks.ts";

export type NetworkMethod = "oneStep" | "twoStep";

/** Inputs that networks for extraction may be trained on. Centred ones can be computed for a map of any size. */
export type NetworkInputs = "physics" | "centred";

const BATCH = 16;

/** The trained networks, for inference: aligner and decoder (two-step), and the one-step network. */
export class Networks {
	/** What they see (qpi/operator/inputs.ts). */
	readonly inputs: NetworkInputs;
	readonly #gpu: Gpu;
	readonly #encoders: Record<NetworkMethod, Network>;
	readonly #decoders: Record<NetworkMethod, Network>;

	/**
	 * @param weights parameters as the weights' files hold them
	 * @throws when they are not those of networks of this size
	 */
	constructor(
		gpu: Gpu,
		size: NetworkSize,
		inputs: NetworkInputs,
		weights: { aligner: State; decoder: State; oneStep: State },
	) {
		const make = (state: State, encoder: boolean, decoder: boolean) => {
			const network = makeEmptyNetwork(gpu, size, {
				encoder: encoder ? INPUTS[inputs] : undefined,
				decoder,
			});
			network.load(state);
			return network;
		};
		const oneStep = make(weights.oneStep, true, true);
		this.inputs = inputs;
		this.#gpu = gpu;
		this.#encoders = { oneStep, twoStep: make(weights.aligner, true, false) };
		this.#decoders = { oneStep, twoStep: make(weights.decoder, false, true) };
	}

	/** What they see of an image of 64 x 64 pixels. */
	inputsOf(
		image: ArrayLike<number>,
		scatterers: readonly Position[],
	): Float32Array {
		return inputsOf(this.inputs, image, scatterers);
	}

	/**
	 * Kernels of 64 x 64 pixels and about unit RMS, first index x, from their inputs (inputsOf(), 64 x 64 x channels) each.
	 * @throws RangeError when inputs have another size, before anything runs
	 */
	async infer(
		method: NetworkMethod,
		inputs: readonly Float32Array[],
	): Promise<Float32Array[]> {
		const { channels } = INPUTS[this.inputs];
		const bad = inputs.find(({ length }) => length !== PIXELS * channels);
		if (bad)
			throw new RangeError(
				`infer: inputs of ${bad.length} values; expected 64 x 64 x ${channels}, of the ${this.inputs} inputs`,
			);
		const found: Float32Array[] = [];
		for (let first = 0; first < inputs.length; first += BATCH) {
			const chosen = inputs.slice(first, first + BATCH);
			const batch = new Float32Array(chosen.length * PIXELS * channels);
			chosen.forEach((one, i) => {
				batch.set(one, i * PIXELS * channels);
			});
			const out = noGrad(this.#gpu, () =>
				scope(this.#gpu, () => {
					const x = tensor(this.#gpu, batch, [
						chosen.length,
						SIDE,
						SIDE,
						channels,
					]);
					const { mean } = this.#encoders[method].encode(x);
					return this.#decoders[method].decode(mean);
				}),
			);
			try {
				const kernels = await out.data();
				for (let i = 0; i < chosen.length; i++)
					found.push(kernels.slice(i * PIXELS, (i + 1) * PIXELS));
			} finally {
				out.dispose();
			}
		}
		return found;
	}

	/** Gives the weights' memory on the device back. */
	dispose(): void {
		for (const each of new Set([
			...Object.values(this.#encoders),
			...Object.values(this.#decoders),
		]))
			each.dispose();
	}
}
