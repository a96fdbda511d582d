import type { State } from "../engine/nn.ts";
import {
	decodeSafetensors,
	encodeSafetensors,
	type StoredTensor,
} from "../formats/safetensors.ts";
import type { Checkpoint, History } from "./loop.ts";

/**
 * A checkpoint as a safetensors file: `weight/NAME`, `adam/m` and `adam/v`, and in its metadata the epoch, the optimiser's step, the history and
 * a `key` that says what is being trained.
 */
export function encodeCheckpoint(
	checkpoint: Checkpoint,
	key: string,
): Uint8Array<ArrayBuffer> {
	const { weights, optimiser, epoch, history } = checkpoint;
	const tensors = new Map<string, StoredTensor>();
	for (const [name, { shape, data }] of weights)
		tensors.set(`weight/${name}`, { shape, data });
	for (const moment of ["m", "v"] as const)
		tensors.set(`adam/${moment}`, {
			shape: [optimiser[moment].length],
			data: optimiser[moment],
		});
	return encodeSafetensors(tensors, {
		key,
		epoch: String(epoch),
		step: String(optimiser.step),
		history: JSON.stringify(history),
	});
}

/** Reads a checkpoint. Throws where it is no checkpoint, or where it belongs to another training (`key` differs). */
export function decodeCheckpoint(
	bytes: Uint8Array,
	key: string,
	file: string,
): Checkpoint {
	const { tensors, metadata } = decodeSafetensors(bytes);
	if (metadata.key !== key)
		throw new Error(
			`${file} is a checkpoint of another run (${metadata.key ?? "no key"}); expected ${key}. ` +
				"Give the options of that run, or another --out.",
		);
	const floats = (name: string): Float32Array => {
		const data = tensors.get(name)?.data;
		if (!(data instanceof Float32Array))
			throw new Error(`${file} lacks the float32 tensor "${name}"`);
		return data;
	};
	const weights: State = new Map();
	for (const [name, { shape }] of tensors)
		if (name.startsWith("weight/"))
			weights.set(name.slice(7), { shape, data: floats(name) });
	return {
		epoch: Number(metadata.epoch),
		weights,
		optimiser: {
			m: floats("adam/m"),
			v: floats("adam/v"),
			step: Number(metadata.step),
		},
		history: JSON.parse(metadata.history) as History,
	};
}
