import {
	collect,
	type LazyState,
	type LazyTensor,
	lazy,
	part,
	type State,
} from "../engine/layers/state.ts";
import {
	type ByteSource,
	openSafetensors,
	streamSafetensors,
	type TensorSource,
} from "../formats/safetensors.ts";
import { oneLine, said } from "../text.ts";

export interface History {
	/** [epoch, mean loss] of the training steps. */
	readonly train: [number, number][];
	/** [epoch, figure] of validate(). */
	readonly validation: [number, number][];
}

/** Raised when checkpoints are laid out otherwise. */
export const CHECKPOINT_FORMAT = 2;

/** All that the next epoch depends on. */
export interface Checkpoint {
	/** Epochs done. */
	readonly epoch: number;
	/** The optimiser's steps. */
	readonly step: number;
	readonly history: History;
	/**
	 * `weight/NAME`, Adam's moments `adam/m/NAME` and `adam/v/NAME`, with loss scaling `adam/scaling`, and where weights are averaged `average/NAME`. While the
	 * training runs they must be read before its next step.
	 */
	readonly tensors: LazyState;
	/** Where they are read from a file: to be called when they have been. */
	close?(): Promise<void>;
}

/** A checkpoint in memory; structured clone takes it, as IndexedDB does. */
export interface KeptCheckpoint
	extends Pick<Checkpoint, "epoch" | "step" | "history"> {
	readonly tensors: State;
}

export async function keep({
	epoch,
	step,
	history,
	tensors,
}: Checkpoint): Promise<KeptCheckpoint> {
	return { epoch, step, history, tensors: await collect(tensors) };
}

/** What keep() kept, to go on from. */
export function takeUp(kept: KeptCheckpoint): Checkpoint {
	return { ...kept, tensors: lazy(kept.tensors) };
}

/** The weights that a finished training's checkpoint stands for: their average, where one was kept. */
export function learntWeights(tensors: LazyState): LazyState {
	const average = part(tensors, "average/");
	return average.size > 0 ? average : part(tensors, "weight/");
}

const CHECKSUM = "checksum";

/**
 * A checkpoint as a safetensors file, piece by piece, with one tensor at a time in memory; behind the checkpoint's tensors lies their `checksum`, and the metadata hold epoch,
 * step, history and a `key` that says what is being trained.
 */
export function encodeCheckpoint(
	{ epoch, step, history, tensors }: Checkpoint,
	key: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
	const metadata = {
		key,
		epoch: String(epoch),
		step: String(step),
		history: JSON.stringify(history),
	};
	const sum = new Checksum(metadata);
	const sources = new Map<string, TensorSource>();
	for (const [name, { shape, read }] of tensors)
		sources.set(name, {
			shape,
			dtype: "F32",
			async read() {
				const data = await read();
				sum.add(name, shape, data);
				return data;
			},
		});
	sources.set(CHECKSUM, {
		shape: [1],
		dtype: "U32",
		read: async () => Uint32Array.of(sum.value),
	});
	return streamSafetensors(sources, metadata);
}

/** Opens a checkpoint. Throws where the file is no whole checkpoint, or where it belongs to another training (`key` differs). */
export async function decodeCheckpoint(
	file: ByteSource,
	key: string,
): Promise<Checkpoint> {
	const { tensors, metadata } = await open(file);
	if (metadata.key !== key)
		throw new Error(
			`${file.name} is a checkpoint of another run (${metadata.key === undefined ? "none is named" : oneLine(metadata.key)}); expected ${key}. ` +
				"Give the options of that run, or another --out.",
		);
	const whole = (name: "epoch" | "step"): number => {
		if (!/^\d{1,15}$/.test(metadata[name] ?? ""))
			throw new Error(
				`${file.name}: found ${said(metadata[name])} as ${name}, expected a whole number`,
			);
		return Number(metadata[name]);
	};
	return {
		epoch: whole("epoch"),
		step: whole("step"),
		history: historyOf(metadata.history, file.name),
		tensors,
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

/** Reads the file once for its checksum. */
async function open(file: ByteSource) {
	let why = "its checksum differs";
	try {
		const { tensors, metadata } = await openSafetensors({
			name: "safetensors",
			bytes: file.bytes,
			read: (begin, end) => file.read(begin, end),
		});
		const sum = new Checksum(metadata);
		let claimed: number | undefined;
		const kept = new Map<string, LazyTensor>();
		for (const [name, { shape, read }] of tensors) {
			const data = await read();
			if (name === CHECKSUM) {
				claimed = data[0];
				continue;
			}
			if (!(data instanceof Float32Array))
				throw new Error(`"${name}" is not of float32`);
			sum.add(name, shape, data);
			kept.set(name, { shape, read: read as LazyTensor["read"] });
		}
		if (claimed === sum.value) return { tensors: kept, metadata };
		if (claimed === undefined)
			why = "it has no checksum: an earlier version wrote it, or nobody did";
	} catch (error) {
		why = (error as Error).message;
	}
	throw new Error(
		`${file.name} is damaged (${why}). Remove it, and this network is trained again from its start.`,
	);
}

/** FNV-1a, a 32-bit word at a time: no change of a single word goes unnoticed. */
class Checksum {
	#hash = 0x811c9dc5;

	constructor(metadata: Readonly<Record<string, string>>) {
		this.#text(JSON.stringify(Object.entries(metadata)));
	}

	get value(): number {
		return this.#hash >>> 0;
	}

	add(name: string, shape: readonly number[], data: Float32Array): void {
		this.#text(`${name} ${shape}`);
		this.#words(new Uint32Array(data.buffer, data.byteOffset, data.length));
	}

	#text(text: string): void {
		this.#words(new TextEncoder().encode(text));
	}

	#words(words: Uint32Array | Uint8Array): void {
		let hash = this.#hash;
		for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
		this.#hash = hash;
	}
}
