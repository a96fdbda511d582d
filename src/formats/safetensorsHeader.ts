import { oneLine, quote, said } from "../text.ts";

/** Bytes of a value. F16 and BF16 are read as 32-bit floats. */
export const ITEM_BYTES = {
	F64: 8,
	F32: 4,
	I32: 4,
	U32: 4,
	F16: 2,
	BF16: 2,
} as const;
export type Dtype = keyof typeof ITEM_BYTES;

/** What a header says of a tensor. */
export interface HeaderEntry {
	readonly name: string;
	readonly dtype: Dtype;
	readonly shape: readonly number[];
}

/** Where a tensor's values lie: bytes [begin, end) of the file. */
export interface TensorPlace extends HeaderEntry {
	readonly begin: number;
	readonly end: number;
}

const METADATA = "__metadata__";
/** Room for a quarter of a million tensors; the objects of a longer header would take many times the file's memory. */
const MAX_HEADER = 2 ** 24;

export const sizeOf = (shape: readonly number[]): number =>
	shape.reduce((a, b) => a * b, 1);
const isCount = (n: unknown): n is number =>
	Number.isSafeInteger(n) && (n as number) >= 0;

/** In the order in which a file holds them: by falling item size, so that each begins at a multiple of its own, and otherwise as they come. */
export function laidOut<T extends { readonly dtype: Dtype }>(
	tensors: readonly T[],
): T[] {
	return tensors.toSorted((a, b) => ITEM_BYTES[b.dtype] - ITEM_BYTES[a.dtype]);
}

/** The header, with its length before it, of a file that holds these tensors one after the other. Throws on a shape that is none, and on a name that is the format's own. */
export function encodeHeader(
	entries: readonly HeaderEntry[],
	metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
	const header: Record<string, unknown> = {};
	if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
	let end = 0;
	for (const { name, dtype, shape } of entries) {
		if (name === METADATA)
			throw new Error(`safetensors: a tensor may not be named ${METADATA}`);
		if (!shape.every(isCount))
			throw new Error(`safetensors: tensor "${name}" has shape [${shape}]`);
		const begin = end;
		end += sizeOf(shape) * ITEM_BYTES[dtype];
		header[name] = { dtype, shape, data_offsets: [begin, end] };
	}
	const json = new TextEncoder().encode(JSON.stringify(header));
	const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
	bytes.fill(0x20, 8).set(json, 8);
	return bytes;
}

type Fail = (what: string) => never;
const failFor =
	(source: string): Fail =>
	(what) => {
		throw new Error(oneLine(`${source}: ${what}`));
	};

/** Where the data begin, by the file's first 8 bytes. */
export function headerEnd(
	first: Uint8Array,
	fileBytes: number,
	source: string,
): number {
	const fail: Fail = failFor(source);
	if (fileBytes < 8)
		fail(`${fileBytes} bytes, but a header's length alone takes 8`);
	const length = Number(
		new DataView(first.buffer, first.byteOffset).getBigUint64(0, true),
	);
	const start = 8 + length;
	if (length > MAX_HEADER && start <= fileBytes)
		fail(`a header of ${length} bytes; at most ${MAX_HEADER} are read`);
	if (start > fileBytes)
		fail(
			`the header claims ${length} bytes, but ${fileBytes - 8} follow: cut short, or not a safetensors file`,
		);
	return start;
}

/**
 * What a header (`json`, which ends at byte `start`) says, in the order of the file's data. Everything that it claims is checked before any of it is used; the
 * error says what is wrong with which tensor of `source`.
 */
export function decodeHeader(
	json: Uint8Array,
	start: number,
	fileBytes: number,
	source: string,
): { places: TensorPlace[]; metadata: Record<string, string> } {
	const fail: Fail = failFor(source);
	const header = parse(json, fail);
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
	let expected = 0;
	const places = entries.map(([name, dtype, shape, begin, end]) => {
		const count = sizeOf(shape);
		if (begin !== expected)
			fail(
				`tensor ${quote(name)} begins at byte ${begin} of the data; ${expected} is expected, without gap or overlap`,
			);
		if (end - begin !== count * ITEM_BYTES[dtype])
			fail(
				`tensor ${quote(name)}, ${dtype} of shape [${shape}], takes ${count * ITEM_BYTES[dtype]} bytes, but its data_offsets span ${end - begin}`,
			);
		if (start + end > fileBytes)
			fail(
				`tensor ${quote(name)} ends at byte ${end} of the data, but the file holds ${fileBytes - start}`,
			);
		expected = end;
		return { name, dtype, shape, begin: start + begin, end: start + end };
	});
	if (start + expected !== fileBytes)
		fail(`${fileBytes - start - expected} bytes belong to no tensor`);
	return { places, metadata };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

function parse(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
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
