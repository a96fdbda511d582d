import type { State } from "../engine/nn.ts";
import {
	decodeSafetensors,
	encodeSafetensors,
	type SafetensorsFile,
	type StoredTensor,
} from "../formats/safetensors.ts";
import { oneLine, said } from "../text.ts";
import type { Checkpoint, History } from "./loop.ts";

/**
 * A checkpoint as a safetensors file: `weight/NAME`, `adam/m` and `adam/v`, with loss scaling `adam/scaling`, and in its metadata the epoch, the optimiser's step, the history and
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
	for (const part of ["m", "v", "scaling"] as const) {
		const data = optimiser[part];
		if (data) tensors.set(`adam/${part}`, { shape: [data.length], data });
	}
	const metadata = {
		key,
		epoch: String(epoch),
		step: String(optimiser.step),
		history: JSON.stringify(history),
	};
	return encodeSafetensors(tensors, {
		...metadata,
		checksum: checksum(tensors, metadata),
	});
}

/** Reads a checkpoint. Throws where `file` is no whole checkpoint, or where it belongs to another training (`key` differs). */
export function decodeCheckpoint(
	bytes: Uint8Array,
	key: string,
	file: string,
): Checkpoint {
	const { tensors, metadata } = read(bytes, file);
	if (metadata.key !== key)
		throw new Error(
			`${file} is a checkpoint of another run (${metadata.key === undefined ? "none is named" : oneLine(metadata.key)}); expected ${key}. ` +
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
	const whole = (name: "epoch" | "step"): number => {
		if (!/^\d{1,15}$/.test(metadata[name] ?? ""))
			throw new Error(
				`${file}: found ${said(metadata[name])} as ${name}, expected a whole number`,
			);
		return Number(metadata[name]);
	};
	return {
		epoch: whole("epoch"),
		weights,
		optimiser: {
			m: floats("adam/m"),
			v: floats("adam/v"),
			step: whole("step"),
			...(tensors.has("adam/scaling") && { scaling: floats("adam/scaling") }),
		},
		history: historyOf(metadata.history, file),
	};
}

function historyOf(text: string | undefined, file: string): History {
	let history: unknown;
	try {
		// JSON has no NaN, the figure of a validation without samples.
		history = JSON.parse(text ?? "", (_, value) => value ?? Number.NaN);
	} catch {}
	const { train, validation } = Object(history);
	if (![train, validation].every(isCurve))
		throw new Error(
			`${file}: found ${said(text)} as history, expected lists of epochs with their figures`,
		);
	return { train, validation };
}

const isCurve = (list: unknown): boolean =>
	Array.isArray(list) &&
	list.every(
		(point) =>
			Array.isArray(point) &&
			point.length === 2 &&
			point.every((value) => typeof value === "number"),
	);

function read(bytes: Uint8Array, file: string): SafetensorsFile {
	let why: string;
	try {
		const { tensors, metadata } = decodeSafetensors(bytes, "safetensors");
		const { checksum: claimed, ...rest } = metadata;
		if (claimed === checksum(tensors, rest)) return { tensors, metadata: rest };
		why = "its checksum differs";
	} catch (error) {
		why = (error as Error).message;
	}
	throw new Error(
		`${file} is damaged (${why}). Remove it, and this network is trained again from its start.`,
	);
}

/** FNV-1a, a 32-bit word at a time: no change of a single word goes unnoticed. */
function checksum(
	tensors: ReadonlyMap<string, StoredTensor>,
	metadata: Readonly<Record<string, string>>,
): string {
	let hash = 0x811c9dc5;
	const add = (words: Uint32Array | Uint8Array) => {
		for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
	};
	const text = new TextEncoder();
	add(text.encode(JSON.stringify(Object.entries(metadata))));
	for (const [name, { shape, data }] of tensors) {
		add(text.encode(`${name} ${shape}`));
		add(new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4));
	}
	return String(hash >>> 0);
}
