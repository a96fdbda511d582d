/**
 * MATLAB's .mat, level 5 ("MAT-File Format", The MathWorks): a header of 128 bytes, then elements, each a tag (type, length) and its data, padded
 * to eight bytes; an element may be a zlib stream of another. Version 7.3 is HDF5, see hdf5.ts.
 */
import { measurementOfArrays, type NamedArray } from "./arrays.ts";
import { Cursor, type NumberType } from "./cursor.ts";
import { mostUnpacked, unpack } from "./inflate.ts";
import type { Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import { decodeText, type Fail, failFor, quote, size } from "./reading.ts";

const HEADER = 128;
const MATRIX = 14;
const COMPRESSED = 15;
/** Types of an element's numbers. */
const NUMBERS: Readonly<Record<number, NumberType>> = {
	...{ 1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4" },
	...{ 7: "f4", 9: "f8", 12: "i8", 13: "u8" },
};
/** Classes of a matrix that are numbers: double, single and whole ones. */
const NUMERIC = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const STRUCT = 2;
const CHAR = 4;
const COMPLEX = 0x800;
const MAX_DEPTH = 6;
const MAX_ARRAYS = 10_000;

export const isMat5 = (bytes: Uint8Array): boolean =>
	bytes.length > HEADER &&
	/^(IM|MI)$/.test(String.fromCharCode(bytes[126], bytes[127])) &&
	decodeText(bytes.subarray(0, 19)).startsWith("MATLAB 5.0 MAT-file");

interface Found {
	readonly arrays: NamedArray[];
	readonly texts: [string, string][];
	readonly leftOut: string[];
	count: number;
	/** Bytes that may still be unpacked. */
	room: number;
}

/**
 * Reads the numeric arrays, also those inside of structs ("map.data"), as arrays.ts says; the first index is x, and the images of a stack without a vector
 * of energies run along the last. Cells, sparse and complex arrays and objects are left out, with a warning. Throws FormatError.
 */
export function readMat(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const little = bytes[126] === 0x49;
	const version = bytes[little ? 125 : 124];
	if (version !== 1)
		fail(`a MAT-file of version ${version}`, "5 (1 in its header) or 7.3");
	const found: Found = {
		...{ arrays: [], texts: [], leftOut: [] },
		...{ count: 0, room: mostUnpacked(bytes.length) },
	};
	const cursor = new Cursor(bytes, fail, little);
	cursor.seek(HEADER, "the first element");
	while (cursor.left >= 8) readElement(cursor, found);
	const { arrays, texts, leftOut } = found;
	return measurementOfArrays(arrays, {
		...{ format: "mat", fail, stacked: "xye" },
		details: worthShowing(texts),
		warnings: leftOut.length
			? [`left out: ${leftOut.slice(0, 8).join(", ")}`]
			: [],
	});
}

interface Tag {
	readonly type: number;
	readonly length: number;
	readonly small: boolean;
}

function readTag(cursor: Cursor): Tag {
	const first = cursor.number("u4", "an element's tag");
	if (first >>> 16)
		return { type: first & 0xffff, length: first >>> 16, small: true };
	return { type: first, length: cursor.number("u4", "a tag"), small: false };
}

/** After a part of a matrix: they begin at multiples of 4 or 8 bytes. */
function skipPadding(cursor: Cursor, { length, small }: Tag): void {
	const unit = small ? 4 : 8;
	const rest = small ? 4 - length : (unit - (length % unit)) % unit;
	cursor.at = Math.min(cursor.at + Math.max(rest, 0), cursor.bytes.length);
}

function readElement(cursor: Cursor, found: Found): void {
	const fail: Fail = cursor.fail;
	const tag = readTag(cursor);
	const body = cursor.take(tag.length, "an element");
	if (tag.type === COMPRESSED) {
		const what = "a compressed variable";
		const { bytes, broken } = unpack(body, { most: found.room, what }, fail);
		if (broken)
			fail(`${what} that does not unpack (${broken})`, "a zlib stream");
		found.room -= bytes.length;
		const inner = new Cursor(bytes, fail, cursor.little);
		const { type, length } = readTag(inner);
		if (type === MATRIX) readMatrix(inner, length, "", 0, found);
	} else if (tag.type === MATRIX) {
		const inner = new Cursor(body, fail, cursor.little);
		readMatrix(inner, body.length, "", 0, found);
		skipPadding(cursor, tag);
	} else skipPadding(cursor, tag);
}

/** The bytes of a part of a matrix, and what they are. */
function readPart(cursor: Cursor, what: string): Tag & { data: Cursor } {
	const tag = readTag(cursor);
	if (tag.small) cursor.need(4, what);
	const data = cursor.take(tag.length, what);
	skipPadding(cursor, tag);
	return { ...tag, data: new Cursor(data, cursor.fail, cursor.little) };
}

/** @param given its name inside of a struct; a variable has its own */
function readMatrix(
	cursor: Cursor,
	length: number,
	given: string,
	depth: number,
	found: Found,
): void {
	const fail: Fail = cursor.fail;
	const end = cursor.at + length;
	cursor.need(length, "a variable");
	if (length === 0) return;
	if (++found.count > MAX_ARRAYS)
		fail("very many variables", `at most ${MAX_ARRAYS}`);
	const flags = readPart(cursor, "a variable's flags").data.number(
		"u4",
		"a variable's flags",
	);
	const kind = flags & 0xff;
	const dims = readPart(cursor, "a variable's sizes").data;
	if (dims.left > 4 * 16)
		fail(`a variable of ${dims.left / 4} indices`, "at most 16");
	const shape = [...dims.numbers(dims.left >> 2, "i4", "sizes")];
	const own = readPart(cursor, "a variable's name").data;
	const name = given || own.text(own.left, "a name");
	const count = shape.reduce((product, n) => product * n, 1);
	if (kind === STRUCT && count === 1 && depth < MAX_DEPTH)
		readStruct(cursor, name, depth, found);
	else if (kind === CHAR) {
		const { data } = readPart(cursor, name);
		const wide = data.left === 2 * count;
		const text = wide
			? String.fromCharCode(...data.numbers(Math.min(count, 1000), "u2", name))
			: data.text(Math.min(data.left, 1000), name);
		found.texts.push([name, text]);
	} else if (!NUMERIC.includes(kind) || flags & COMPLEX)
		found.leftOut.push(
			`${quote(name)} (${flags & COMPLEX ? "complex" : `class ${kind}`})`,
		);
	else {
		const { type, data } = readPart(cursor, `the numbers of ${quote(name)}`);
		const stored = NUMBERS[type];
		if (!stored)
			fail(
				`numbers of type ${type} in ${quote(name)}`,
				"one of the level-5 types",
			);
		if (data.left !== count * Number(stored[1]) || shape.some((n) => n < 0))
			fail(
				`${size(data.left)} of numbers in ${quote(name)}`,
				`${shape.join(" x ")} of type ${stored}`,
			);
		if (count > 0)
			found.arrays.push({
				...{ name, shape, fortran: true },
				data: data.numbers(count, stored, name),
			});
	}
	cursor.at = end;
}

function readStruct(
	cursor: Cursor,
	name: string,
	depth: number,
	found: Found,
): void {
	const fail: Fail = cursor.fail;
	const width = readPart(cursor, "a struct").data.number("i4", "a struct");
	const names = readPart(cursor, "a struct's names").data;
	if (!(width >= 1 && width <= 4096))
		fail(`${width} bytes a name in the struct ${quote(name)}`, "1 to 4096");
	while (names.left >= width) {
		const field = names.text(width, "a name");
		const { type, length } = readTag(cursor);
		if (type !== MATRIX)
			fail(`type ${type} in the struct ${quote(name)}`, "a variable");
		readMatrix(cursor, length, `${name}.${field}`, depth + 1, found);
	}
}
