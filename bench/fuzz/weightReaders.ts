/** The readers of what training writes. */
import { readWeightsManifest } from "../../src/extraction/weightsManifest.ts";
import {
	decodeCheckpoint,
	encodeCheckpoint,
} from "../../src/training/checkpoint.ts";
import type { Checkpoint } from "../../src/training/loop.ts";
import { weightsManifestText } from "../../test/fuzzFixtures.ts";
import { mutatedJson } from "./mutate.ts";
import type { Reader } from "./readers.ts";

const KEY = "vae {}";
const checkpoint: Checkpoint = {
	epoch: 3,
	weights: new Map([
		["w", { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }],
	]),
	optimiser: { m: new Float32Array(4), v: new Float32Array(4), step: 12 },
	history: {
		train: [
			[1, 0.5],
			[2, 0.25],
		],
		validation: [[1, NaN]],
	},
};
const utf8 = new TextEncoder();
const textOf = (value: unknown): string =>
	typeof value === "string" ? value : (JSON.stringify(value) ?? "");

export const weightReaders: Readonly<Record<string, Reader>> = {
	weights: {
		seeds: [utf8.encode(weightsManifestText)],
		errors: [Error],
		read(bytes, file) {
			const { version, preset, files } = readWeightsManifest(bytes, file);
			const { encoder, decoder } = preset.size;
			const sizes = [encoder, decoder].flatMap((part) => [
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
		seeds: [encodeCheckpoint(checkpoint, KEY)],
		errors: [Error],
		read(bytes, file) {
			const { epoch, weights, optimiser, history } = decodeCheckpoint(
				bytes,
				KEY,
				file,
			);
			const points = [...history.train, ...history.validation];
			return Number.isSafeInteger(epoch) &&
				Number.isSafeInteger(optimiser.step) &&
				optimiser.m.length === optimiser.v.length &&
				points.every(
					([at, value]) => typeof at === "number" && typeof value === "number",
				) &&
				[...weights.values()].every(
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
			return encodeCheckpoint(
				{
					...checkpoint,
					epoch: epoch as never,
					history: told.history,
					optimiser: { ...checkpoint.optimiser, step: step as never },
				},
				key,
			);
		},
	},
};
