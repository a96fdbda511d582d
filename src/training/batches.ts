import type { Gpu } from "../engine/device/gpu.ts";
import { type Tensor, tensor } from "../engine/tensors/tensor.ts";
import { PIXELS, RESOLUTION as SIDE } from "../qpi/dataset/format.ts";
import { copyTurned, type Prepared, type PreparedObservation } from "./data.ts";

/** Images, each turned as asked (see copyTurned), as [B, 64, 64, 1]. */
export function kernelBatch(
	gpu: Gpu,
	images: readonly Float32Array[],
	turns?: readonly number[],
): Tensor {
	const batch = new Float32Array(images.length * PIXELS);
	images.forEach((image, i) => {
		copyTurned(image, 1, turns?.[i] ?? 0, batch, i * PIXELS);
	});
	return tensor(gpu, batch, [images.length, SIDE, SIDE, 1]);
}

/** The true kernels of observations, as [B, 64, 64, 1]. */
export function kernelsOf(
	gpu: Gpu,
	data: Prepared,
	observations: readonly PreparedObservation[],
	turns?: readonly number[],
): Tensor {
	return kernelBatch(
		gpu,
		observations.map((o) => data.kernels[o.kernel].image),
		turns,
	);
}

/** The inputs of observations, as [B, 64, 64, channels]. */
export function inputBatch(
	gpu: Gpu,
	{ inputs }: Prepared,
	observations: readonly PreparedObservation[],
	turns?: readonly number[],
): Tensor {
	const { channels } = inputs;
	const each = PIXELS * channels;
	const batch = new Float32Array(observations.length * each);
	const one = new Float32Array(each);
	observations.forEach((o, i) => {
		inputs.read(o.index, one);
		copyTurned(one, channels, turns?.[i] ?? 0, batch, i * each);
	});
	return tensor(gpu, batch, [observations.length, SIDE, SIDE, channels]);
}
