/**
 * The safetensors file format (the public specification of huggingface/safetensors): 8 bytes of header length (little-endian), a JSON
 * header that gives each tensor's dtype, shape and byte range, then the bytes of all tensors, one after the other without a gap.
 * Bytes in, bytes out: reading and renaming files is the caller's. All hosts that WebGPU runs on are little-endian, as the format is.
 */
import { oneLine, quote, said } from "../text.ts";
import { fromHalf, toHalf } from "./half.ts";

export type TensorData = Float32Array | Float64Array | Uint32Array | Int32Array;

/** A tensor in C order. `dtype: "F16"` stores a Float32Array in half precision; it is read back as a Float32Array. */
export interface StoredTensor {
	shape: readonly number[];
	data: TensorData;
	dtype?: "F16";
}

export interface SafetensorsFile {
	tensors: Map<string, StoredTensor>;
	metadata: Record<string, string>;
}

const ITEM_BYTES = { F64: 8, F32: 4, I32: 4, U32: 4, F16: 2 } as const;
type Dtype = keyof typeof ITEM_BYTES;

const METADATA = "__metadata__";
/** Room for a quarter of a million tensors; the objects of a longer header would take many times the file's memory. */
const MAX_HEADER = 2 ** 24;

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const isCount = (n: unknown): n is number =>
	Number.isSafeInteger(n) && (n as number) >= 0;

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
	const header: Record<string, unknown> = {};
	if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
	const laidOut = [...tensors].sort(
		([, a], [, b]) => ITEM_BYTES[dtypeOf(b)] - ITEM_BYTES[dtypeOf(a)],
	);
	let end = 0;
	for (const [name, tensor] of laidOut) {
		const { shape, data } = tensor;
		if (name === METADATA)
			throw new Error(`safetensors: a tensor may not be named ${METADATA}`);
		if (!shape.every(isCount) || sizeOf(shape) !== data.length)
			throw new Error(
				`safetensors: tensor "${name}" has shape [${shape}] but ${data.length} values`,
			);
		const dtype = dtypeOf(tensor);
		if (dtype === "F16" && !(data instanceof Float32Array))
			throw new Error(
				`safetensors: tensor "${name}": F16 is stored from a Float32Array`,
			);
		const begin = end;
		end += data.length * ITEM_BYTES[dtype];
		header[name] = { dtype, shape, data_offsets: [begin, end] };
	}
	const json = new TextEncoder().encode(JSON.stringify(header));
	const start = 8 + Math.ceil(json.length / 8) * 8;
	const bytes = new Uint8Array(start + end);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
	bytes.fill(0x20, 8, start).set(json, 8);
	let at = start;
	for (const [, { data, dtype }] of laidOut) {
		const stored = dtype === "F16" ? Uint16Array.from(data, toHalf) : data;
		bytes.set(
			new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength),
			at,
		);
		at += stored.byteLength;
	}
	return bytes;
}

/**
 * The bytes of a file to tensors that own their memory, in the order of the file's data. Everything that the header claims is checked
 * before any of it is used; the error says what is wrong with which tensor of `source` (a file name, for the message).
 */
export function decodeSafetensors(
	bytes: Uint8Array,
	source = "safetensors",
): SafetensorsFile {
	const fail = (what: string): never => {
		throw new Error(oneLine(`${source}: ${what}`));
	};
	if (bytes.length < 8)
		fail(`${bytes.length} bytes, but a header's length alone takes 8`);
	const length = Number(
		new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true),
	);
	const start = 8 + length;
	if (length > MAX_HEADER && start <= bytes.length)
		fail(`a header of ${length} bytes; at most ${MAX_HEADER} are read`);
	if (start > bytes.length)
		fail(
			`the header claims ${length} bytes, but ${bytes.length - 8} follow: cut short, or not a safetensors file`,
		);
	const header = parseHeader(bytes.subarray(8, start), fail);

	const metadata: Record<string, string> = {};
	const entries: [string, Dtype, number[], number, number][] = [];
	for (const [name, entry] of Object.entries(header)) {
		if (!isRecord(entry)) return fail(`${quote(name)} is not an object`);
		if (name === METADATA) {
			for (const [key, value] of Object.entries(entry))
				metadata[key] =
					typeof value === "string"
						? value
						: fail(`metadata ${quote(key)} is not a string`);
			continue;
		}
		const { dtype, shape, data_offsets: offsets } = entry;
		if (typeof dtype !== "string" || !Object.hasOwn(ITEM_BYTES, dtype))
			fail(
				`tensor ${quote(name)} has dtype ${said(dtype)}; known are ${Object.keys(ITEM_BYTES).join(", ")}`,
			);
		if (!Array.isArray(shape) || !shape.every(isCount))
			return fail(
				`tensor ${quote(name)} has shape ${said(shape)}; whole numbers from 0 are expected`,
			);
		if (
			!Array.isArray(offsets) ||
			offsets.length !== 2 ||
			!offsets.every(isCount)
		)
			return fail(
				`tensor ${quote(name)} has data_offsets ${said(offsets)}; [begin, end] is expected`,
			);
		entries.push([name, dtype as Dtype, shape, offsets[0], offsets[1]]);
	}

	entries.sort((a, b) => a[3] - b[3] || a[4] - b[4]);
	const tensors = new Map<string, StoredTensor>();
	let expected = 0;
	for (const [name, dtype, shape, begin, end] of entries) {
		const count = sizeOf(shape);
		if (begin !== expected)
			fail(
				`tensor ${quote(name)} begins at byte ${begin} of the data; ${expected} is expected, without gap or overlap`,
			);
		if (end - begin !== count * ITEM_BYTES[dtype])
			fail(
				`tensor ${quote(name)}, ${dtype} of shape [${shape}], takes ${count * ITEM_BYTES[dtype]} bytes, but its data_offsets span ${end - begin}`,
			);
		if (start + end > bytes.length)
			fail(
				`tensor ${quote(name)} ends at byte ${end} of the data, but the file holds ${bytes.length - start}`,
			);
		expected = end;
		tensors.set(name, {
			shape,
			// A copy; slice() of a Node Buffer would be a view of its pool.
			...toArray(
				dtype,
				new Uint8Array(bytes.subarray(start + begin, start + end)),
			),
		});
	}
	if (start + expected !== bytes.length)
		fail(`${bytes.length - start - expected} bytes belong to no tensor`);
	return { tensors, metadata };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

function parseHeader(
	bytes: Uint8Array,
	fail: (what: string) => never,
): Record<string, unknown> {
	let header: unknown;
	try {
		header = JSON.parse(
			new TextDecoder("utf-8", { fatal: true }).decode(bytes),
		);
	} catch (error) {
		fail(`the header is not JSON (${(error as Error).message})`);
	}
	return isRecord(header) ? header : fail("the header is not a JSON object");
}

function toArray(
	dtype: Dtype,
	{ buffer }: Uint8Array<ArrayBuffer>,
): Pick<StoredTensor, "data" | "dtype"> {
	switch (dtype) {
		case "F64":
			return { data: new Float64Array(buffer) };
		case "F32":
			return { data: new Float32Array(buffer) };
		case "U32":
			return { data: new Uint32Array(buffer) };
		case "I32":
			return { data: new Int32Array(buffer) };
		case "F16":
			return {
				data: Float32Array.from(new Uint16Array(buffer), fromHalf),
				dtype,
			};
	}
}
