/** The readers of what training writes. */

import { isConvolutional } from "../../src/models/networks.ts";
import { readWeightsManifest } from "../../src/models/trained/weightsManifest.ts";
import {
	decodeCheckpoint,
	keep,
	takeUp,
} from "../../src/training/checkpoint.ts";
import {
	sourceOf,
	weightsManifestText,
	written,
} from "../../test/fuzzFixtures.ts";
import { mutatedJson } from "./mutate.ts";
import type { Reader } from "./readers.ts";

const KEY = "vae {}";
const floats = (...values: number[]) => ({
	shape: [values.length],
	data: Float32Array.from(values),
});
const checkpoint = takeUp({
	epoch: 3,
	step: 12,
	tensors: new Map([
		["weight/w", { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }],
		["adam/m/w", floats(0, 0, 0, 0)],
		["adam/v/w", floats(0, 0, 0, 0)],
	]),
	history: {
		train: [
			[1, 0.5],
			[2, 0.25],
		],
		validation: [[1, NaN]],
	},
});
const utf8 = new TextEncoder();
const textOf = (value: unknown): string =>
	typeof value === "string" ? value : (JSON.stringify(value) ?? "");

export const weightReaders: Readonly<Record<string, Reader>> = {
	weights: {
		seeds: [utf8.encode(weightsManifestText)],
		errors: [Error],
		read(bytes, file) {
			const { version, preset, files } = readWeightsManifest(bytes, file);
			const { size } = preset;
			const sizes = isConvolutional(size)
				? [...size.blockOutChannels, size.layersPerBlock, size.normNumGroups]
				: [size.encoder, size.decoder].flatMap((part) => [
						...part.channels,
						...part.blocks,
					]);
			return typeof version === "string" &&
				sizes.every(Number.isFinite) &&
				Object.values(files).every(({ sha256 }) => sha256.length === 64)
				? undefined
				: "a manifest that is none";
		},
		damage: (_, random) =>
			utf8.encode(mutatedJson(weightsManifestText, random)),
	},
	checkpoint: {
		seeds: [await written(checkpoint, KEY)],
		errors: [Error],
		async read(bytes, file) {
			const read = await decodeCheckpoint(sourceOf(bytes, file), KEY);
			const { epoch, step, history, tensors } = await keep(read);
			const points = [...history.train, ...history.validation];
			return Number.isSafeInteger(epoch) &&
				Number.isSafeInteger(step) &&
				points.every(
					([at, value]) => typeof at === "number" && typeof value === "number",
				) &&
				[...tensors.values()].every(
					({ shape, data }) => shape.reduce((a, b) => a * b, 1) === data.length,
				)
				? undefined
				: "a checkpoint that is none";
		},
		/** Its checksum is right: what is wrong was so when it was written. */
		damage(_, random) {
			const { history } = checkpoint;
			const whole = JSON.stringify({ epoch: 3, step: 12, key: KEY, history });
			const told = JSON.parse(mutatedJson(whole, random)) ?? {};
			const [epoch, step, key] = [told.epoch, told.step, told.key].map(textOf);
			const figures = { epoch: epoch as never, step: step as never };
			return written({ ...checkpoint, ...figures, history: told.history }, key);
		},
	},
};
