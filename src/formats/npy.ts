/**
 * NumPy's .npy format (numpy.lib.format, NEP 1): magic, version, a Python dict as text, then the array's bytes. Version 1.0 is written,
 * 1.0, 2.0 and 3.0 are read; numbers of any byte order, C or Fortran order. Bytes in, bytes out.
 */
import { oneLine, quote } from "../text.ts";
import { fromHalf } from "./half.ts";

export type NpyData =
	| Float32Array
	| Float64Array
	| Int8Array
	| Int16Array
	| Int32Array
	| BigInt64Array
	| Uint8Array
	| Uint16Array
	| Uint32Array
	| BigUint64Array;

/** An array in C order: the last index runs fastest. */
export interface NpyArray {
	shape: number[];
	data: NpyData;
}

const TYPES = {
	f4: Float32Array,
	f8: Float64Array,
	i1: Int8Array,
	i2: Int16Array,
	i4: Int32Array,
	i8: BigInt64Array,
	u1: Uint8Array,
	u2: Uint16Array,
	u4: Uint32Array,
	u8: BigUint64Array,
} as const;

/** A longer header describes no array of numbers. */
const MAX_HEADER = 2 ** 20;
const MAX_AXES = 64;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** An array in C order to the bytes of a file, version 1.0, little-endian. Throws when the shape does not hold the data's length. */
export function encodeNpy(
	data: NpyData,
	shape: readonly number[],
): Uint8Array<ArrayBuffer> {
	if (
		!shape.every((n) => Number.isSafeInteger(n) && n >= 0) ||
		sizeOf(shape) !== data.length
	)
		throw new Error(`npy: shape [${shape}] but ${data.length} values`);
	const type = Object.entries(TYPES).find(([, T]) => data instanceof T)?.[0];
	if (!type) throw new Error(`npy: cannot store a ${data.constructor.name}`);
	const order = data.BYTES_PER_ELEMENT === 1 ? "|" : "<";
	const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
	const dict = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
	// The data begin at a multiple of 64 bytes; a line feed closes the header.
	const start = Math.ceil((10 + dict.length + 1) / 64) * 64;
	const bytes = new Uint8Array(start + data.byteLength);
	bytes.set([...MAGIC, 1, 0]);
	new DataView(bytes.buffer).setUint16(8, start - 10, true);
	bytes.fill(0x20, 10, start).set(new TextEncoder().encode(dict), 10);
	bytes[start - 1] = 0x0a;
	bytes.set(
		new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
		start,
	);
	return bytes;
}

/**
 * The bytes of a file to an array that owns its memory. Booleans are read as Uint8Array and half floats as Float32Array; Fortran order is
 * transposed to C order. Throws on anything else (records, strings, objects, complex numbers), and on a damaged file named `source`.
 */
export function decodeNpy(bytes: Uint8Array, source = "npy"): NpyArray {
	const fail = (what: string): never => {
		throw new Error(oneLine(`${source}: ${what}`));
	};
	if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
		fail("not an npy file: its first bytes are not \\x93NUMPY");
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const version = bytes[6];
	if (version < 1 || version > 3)
		fail(`npy version ${version}.${bytes[7]}; 1.0 to 3.0 are known`);
	const prefix = version === 1 ? 10 : 12;
	const start =
		prefix +
		(version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
	if (start > bytes.length)
		fail(`the header ends at byte ${start}, but the file has ${bytes.length}`);
	if (start > MAX_HEADER)
		fail(`a header of ${start} bytes; at most ${MAX_HEADER} are expected`);
	const text = new TextDecoder().decode(bytes.subarray(prefix, start)).trim();
	const field = (name: string, value: string): string =>
		new RegExp(`['"]${name}['"]\\s*:\\s*${value}`).exec(text)?.[1] ??
		fail(`no usable '${name}' in the header ${quote(text, 200)}`);
	const descr = field("descr", `['"]([<>|=]?[a-z]\\d+)['"]`);
	const fortran = field("fortran_order", "(True|False)") === "True";
	const shape = field("shape", "\\(([\\d\\s,L]*)\\)")
		.split(",")
		.filter((part) => part.trim() !== "")
		.map((part) => Number.parseInt(part, 10));
	if (shape.length > MAX_AXES)
		fail(`${shape.length} axes; NumPy has at most ${MAX_AXES}`);

	const kind = descr.slice(-2);
	const Type =
		kind === "b1"
			? Uint8Array
			: kind === "f2"
				? Uint16Array
				: TYPES[kind as keyof typeof TYPES];
	if (!Type || !/^[<>|=]?[a-z]\d$/.test(descr))
		fail(
			`dtype '${descr}' is not read; known are b1, f2, ${Object.keys(TYPES).join(", ")}`,
		);
	const count = sizeOf(shape);
	const found = bytes.length - start;
	if (found !== count * Type.BYTES_PER_ELEMENT)
		fail(
			`shape (${shape.join(", ")}) of '${descr}' takes ${count * Type.BYTES_PER_ELEMENT} bytes, but ${found} follow the header`,
		);
	// A copy; slice() of a Node Buffer would be a view of its pool.
	const body = new Uint8Array(bytes.subarray(start));
	if (descr[0] === ">") swapBytes(body, Type.BYTES_PER_ELEMENT);
	const raw: NpyData = new Type(body.buffer);
	const data =
		kind === "f2" ? Float32Array.from(raw as Uint16Array, fromHalf) : raw;
	return { shape, data: fortran ? toCOrder(data, shape) : data };
}

function swapBytes(bytes: Uint8Array, itemBytes: number): void {
	for (let at = 0; at < bytes.length; at += itemBytes)
		bytes.subarray(at, at + itemBytes).reverse();
}

/** The same array with the last index running fastest, from one whose first does. */
function toCOrder(data: NpyData, shape: readonly number[]): NpyData {
	const result = data.slice();
	const index = shape.map(() => 0);
	const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
	for (let to = 0; to < data.length; to++) {
		result[to] =
			data[index.reduce((sum, i, axis) => sum + i * strides[axis], 0)];
		for (let axis = shape.length - 1; axis >= 0; axis--) {
			if (++index[axis] < shape[axis]) break;
			index[axis] = 0;
		}
	}
	return result;
}
