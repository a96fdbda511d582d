/** Small whole files of the formats that formatFixtures.ts has not. */
import type { ByteSource } from "../src/formats/safetensors.ts";
import {
	type Checkpoint,
	encodeCheckpoint,
} from "../src/training/checkpoint.ts";
import { concat } from "./formatFixtures.ts";

/** A file of the dataset's format with one image, whose 11th pixel is written as `pixel`. */
export function datasetText(pixel = "0.5"): string {
	const axis = Array.from({ length: 64 }, (_, i) => -200 + (i * 400) / 63);
	const image = Array.from({ length: 4096 }, (_, i) =>
		i === 10 ? pixel : `${(i % 7) / 8}`,
	);
	const kernel = image.with(10, "0.25");
	return [
		"64,2",
		axis.join(),
		[...kernel, 0, 0].join(),
		[...image, 10.5, -20, 1000, 1000].join(),
		"",
	].join("\n");
}

/** A safetensors file with this header and these bytes behind it. */
export function safetensorsFile(
	header: string,
	data: Uint8Array = new Uint8Array(),
): Uint8Array {
	const json = new TextEncoder().encode(header);
	const length = new DataView(new ArrayBuffer(8));
	length.setBigUint64(0, BigInt(json.length), true);
	return concat(new Uint8Array(length.buffer), json, data);
}

/** The manifest of a dataset of two kernels. */
export const manifestText: string = JSON.stringify({
	format: 1,
	generator: "test",
	seed: 1,
	options: {},
	count: 2,
	kernels: [1, 2].map((number) => ({
		number,
		file: `Kernel number${number}.csv`,
		bytes: 1000,
		family: "a family",
		symmetry: 4,
		energy: 0.1 * number,
		observations: 2,
		noise: [0, 0.1],
		spec: {},
	})),
	split: {
		...{ seed: 1, unseenFraction: 0.2, heldOutFraction: 0.2, maxTraining: 250 },
		...{ train: [1], unseenEnergy: [2], unseenFamily: [] },
	},
});

/** The manifest of a file of weights. */
export const weightsManifestText: string = JSON.stringify({
	version: "0.1.0",
	seed: 1,
	preset: {
		size: {
			encoder: { channels: [16, 32, 64], blocks: [0, 0] },
			decoder: { channels: [8, 16, 32], blocks: [0, 0] },
		},
	},
	files: {
		"prior.safetensors": { bytes: 10, sha256: "0123456789abcdef".repeat(4) },
	},
});

/** The bytes of a checkpoint's file. */
export async function written(
	checkpoint: Checkpoint,
	key: string,
): Promise<Uint8Array> {
	const pieces: Uint8Array[] = [];
	for await (const piece of encodeCheckpoint(checkpoint, key))
		pieces.push(piece);
	return Uint8Array.from(Buffer.concat(pieces));
}

/** Bytes as a file that is read piece by piece. */
export const sourceOf = (bytes: Uint8Array, name: string): ByteSource => ({
	name,
	bytes: bytes.length,
	read: async (begin, end) => Uint8Array.from(bytes.subarray(begin, end)),
});
