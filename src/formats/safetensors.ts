/**
 * The safetensors file format (the public specification of huggingface/safetensors): 8 bytes of header length (little-endian), a JSON
 * header that gives each tensor's dtype, shape and byte range, then the bytes of all tensors, one after the other without a gap.
 * Bytes in, bytes out: reading and renaming files is the caller's. All hosts that WebGPU runs on are little-endian, as the format is.
 */
import { fromHalf, toHalf } from "./half.ts";
import {
	type Dtype,
	decodeHeader,
	encodeHeader,
	headerEnd,
	laidOut,
	sizeOf,
	type TensorPlace,
} from "./safetensorsHeader.ts";

export type TensorData = Float32Array | Float64Array | Uint32Array | Int32Array;

/**
 * A tensor in C order. `dtype: "F16"` stores a Float32Array in half precision; it is read back as a Float32Array. BF16, which is not written, is read as a
 * Float32Array too.
 */
export interface StoredTensor {
	shape: readonly number[];
	data: TensorData;
	dtype?: "F16";
}

export interface SafetensorsFile {
	tensors: Map<string, StoredTensor>;
	metadata: Record<string, string>;
}

/** A tensor whose values are fetched when they are needed. */
export interface TensorSource {
	readonly shape: readonly number[];
	readonly dtype: Dtype;
	/** Of F16 and BF16 a Float32Array. */
	read(): Promise<TensorData>;
}

/** A file, of which any part can be read. */
export interface ByteSource {
	/** What messages call it. */
	readonly name: string;
	readonly bytes: number;
	/** Bytes [begin, end), in memory of their own. */
	read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

function dtypeOf({ data, dtype }: StoredTensor): Dtype {
	if (dtype === "F16") return "F16";
	if (data instanceof Float32Array) return "F32";
	if (data instanceof Float64Array) return "F64";
	return data instanceof Uint32Array ? "U32" : "I32";
}

/**
 * Tensors to the bytes of a file. They are laid out by falling item size, so that each begins at a multiple of its own, and
 * otherwise in the map's order. Throws when a shape does not hold the data's length, and when a name is the format's own.
 */
export function encodeSafetensors(
	tensors: ReadonlyMap<string, StoredTensor>,
	metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
	if (typeof Object(tensors)[Symbol.iterator] !== "function")
		throw new TypeError(
			`safetensors: found ${tensors instanceof Promise ? "a promise" : "no Map"}, expected a Map of tensors by name${tensors instanceof Promise ? ": await it" : ""}`,
		);
	const entries = laidOut(
		[...tensors].map(([name, tensor]) => ({
			name,
			...tensor,
			dtype: dtypeOf(tensor),
		})),
	);
	const header = encodeHeader(entries, metadata);
	const pieces = [header, ...entries.map(bytesOf)];
	const bytes = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
	let at = 0;
	for (const piece of pieces) {
		bytes.set(piece, at);
		at += piece.length;
	}
	return bytes;
}

/** The same file piece by piece, with one tensor at a time in memory. */
export async function* streamSafetensors(
	tensors: ReadonlyMap<string, TensorSource>,
	metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
	const entries = laidOut(
		[...tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype })),
	);
	yield encodeHeader(entries, metadata);
	for (const entry of entries) {
		const source = tensors.get(entry.name) as TensorSource;
		yield bytesOf({ ...entry, data: await source.read() });
	}
}

function bytesOf({
	name,
	shape,
	dtype,
	data,
}: {
	name: string;
	shape: readonly number[];
	dtype: Dtype;
	data: TensorData;
}): Uint8Array<ArrayBuffer> {
	if (sizeOf(shape) !== data.length)
		throw new Error(
			`safetensors: tensor "${name}" has shape [${shape}] but ${data.length} values`,
		);
	if (dtype === "F16" && !(data instanceof Float32Array))
		throw new Error(
			`safetensors: tensor "${name}": F16 is stored from a Float32Array`,
		);
	if (dtype === "BF16")
		throw new Error(`safetensors: tensor "${name}": BF16 is not written`);
	const stored = dtype === "F16" ? Uint16Array.from(data, toHalf) : data;
	return new Uint8Array(
		stored.buffer as ArrayBuffer,
		stored.byteOffset,
		stored.byteLength,
	);
}

/**
 * The bytes of a file to tensors that own their memory, in the order of the file's data. Everything that the header claims is checked
 * before any of it is used; the error says what is wrong with which tensor of `source` (a file name, for the message).
 */
export function decodeSafetensors(
	bytes: Uint8Array,
	source = "safetensors",
): SafetensorsFile {
	const start = headerEnd(bytes, bytes.length, source);
	const { places, metadata } = decodeHeader(
		bytes.subarray(8, start),
		start,
		bytes.length,
		source,
	);
	const tensors = new Map<string, StoredTensor>();
	for (const { name, dtype, shape, begin, end } of places) {
		// A copy; slice() of a Node Buffer would be a view of its pool.
		const data = toArray(dtype, new Uint8Array(bytes.subarray(begin, end)));
		tensors.set(name, { shape, data, ...(dtype === "F16" && { dtype }) });
	}
	return { tensors, metadata };
}

/** The tensors of a file, each to be read when it is needed: of a large file no more is ever in memory. Throws as decodeSafetensors() does. */
export async function openSafetensors(file: ByteSource): Promise<{
	tensors: Map<string, TensorSource>;
	metadata: Record<string, string>;
}> {
	const first = await file.read(0, Math.min(8, file.bytes));
	const start = headerEnd(first, file.bytes, file.name);
	const { places, metadata } = decodeHeader(
		await file.read(8, start),
		start,
		file.bytes,
		file.name,
	);
	const source = ({ dtype, shape, begin, end }: TensorPlace) => ({
		dtype,
		shape,
		read: async () => toArray(dtype, await file.read(begin, end)),
	});
	return {
		tensors: new Map(places.map((place) => [place.name, source(place)])),
		metadata,
	};
}

function toArray(
	dtype: Dtype,
	{ buffer }: Uint8Array<ArrayBuffer>,
): TensorData {
	switch (dtype) {
		case "F64":
			return new Float64Array(buffer);
		case "F32":
			return new Float32Array(buffer);
		case "U32":
			return new Uint32Array(buffer);
		case "I32":
			return new Int32Array(buffer);
		case "F16":
			return widened(new Uint16Array(buffer));
		case "BF16":
			// The upper half of a float32.
			return new Float32Array(
				Uint32Array.from(new Uint16Array(buffer), (b) => b << 16).buffer,
			);
	}
}

let halves: Float32Array | undefined;

/** By a table: a network has tens of millions of weights. */
function widened(bits: Uint16Array): Float32Array {
	halves ??= Float32Array.from({ length: 65_536 }, (_, i) => fromHalf(i));
	const values = new Float32Array(bits.length);
	for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]];
	return values;
}
