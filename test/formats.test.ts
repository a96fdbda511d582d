import { deepStrictEqual } from "node:assert";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fromHalf, toHalf } from "../src/formats/half.ts";
import { decodeNpy, encodeNpy, type NpyData } from "../src/formats/npy.ts";
import {
	decodeSafetensors,
	encodeSafetensors,
	openSafetensors,
	type StoredTensor,
	streamSafetensors,
} from "../src/formats/safetensors.ts";

const bytesOf = (...parts: (string | number[])[]) =>
	Uint8Array.from(
		parts.flatMap((part) =>
			typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part,
		),
	);

/** A safetensors file with this header, and so many bytes of zeros. */
function withHeader(header: unknown, dataBytes: number): Uint8Array {
	const json = typeof header === "string" ? header : JSON.stringify(header);
	return bytesOf(
		[json.length & 255, json.length >> 8, 0, 0, 0, 0, 0, 0],
		json,
		Array(dataBytes).fill(0),
	);
}

test("half precision: every finite pattern survives, and rounding is to nearest even", () => {
	for (let bits = 0; bits < 0x10000; bits++) {
		const value = fromHalf(bits);
		if (!Number.isNaN(value)) assert.is(toHalf(value), bits);
	}
	assert.ok(Number.isNaN(fromHalf(toHalf(NaN))));
	const cases: [number, number][] = [
		[1 + 2 ** -11, 1], // a tie goes to the even neighbour below
		[1 + 3 * 2 ** -11, 1 + 2 ** -9], // and above
		[1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
		[65519, 65504],
		[65520, Infinity],
		[2 ** -25, 0],
		[1.5 * 2 ** -24, 2 ** -23],
	];
	for (const [value, expected] of cases)
		assert.is(fromHalf(toHalf(value)), expected, String(value));
});

test("safetensors: the bytes of the specification, by hand", () => {
	const written = encodeSafetensors(
		new Map([["w", { shape: [2, 1], data: new Float32Array([1, -2]) }]]),
	);
	const json = '{"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}';
	assert.is(json.length, 56);
	assert.equal(
		written,
		bytesOf([56, 0, 0, 0, 0, 0, 0, 0], json, [0, 0, 128, 63, 0, 0, 0, 192]),
	);
	const padded = encodeSafetensors(
		new Map([["ww", { shape: [], data: new Uint32Array([258]) }]]),
	);
	const text = '{"ww":{"dtype":"U32","shape":[],"data_offsets":[0,4]}}';
	assert.is(text.length, 54);
	assert.equal(
		padded,
		bytesOf([56, 0, 0, 0, 0, 0, 0, 0], `${text}  `, [2, 1, 0, 0]),
	);
});

test("safetensors: round trip of every dtype, metadata, empty and unaligned input", () => {
	const tensors = new Map<string, StoredTensor>([
		[
			"half",
			{ shape: [3], data: new Float32Array([0.5, -1, 3]), dtype: "F16" },
		],
		["float", { shape: [2, 2], data: new Float32Array([1, NaN, 3e-39, -0]) }],
		["double", { shape: [1], data: new Float64Array([Math.PI]) }],
		["counts", { shape: [2], data: new Uint32Array([0, 2 ** 32 - 1]) }],
		["signed", { shape: [2], data: new Int32Array([-1, 5]) }],
		["none", { shape: [0, 4], data: new Float32Array() }],
	]);
	const metadata = { epoch: "7", note: 'an "é"' };
	const bytes = encodeSafetensors(tensors, metadata);
	// A small Buffer lies somewhere in a pool that it shares.
	const read = decodeSafetensors(Buffer.from(bytes));
	assert.equal(read.metadata, metadata);
	assert.equal([...read.tensors.keys()].sort(), [...tensors.keys()].sort());
	for (const [name, tensor] of tensors)
		deepStrictEqual(read.tensors.get(name), tensor); // knows NaN and -0
});

test("safetensors: F16 and BF16 of other programs are widened exactly, every bit pattern", () => {
	const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
	const read = (dtype: string) => {
		const header = {
			w: { dtype, shape: [256, 256], data_offsets: [0, 131_072] },
		};
		const file = withHeader(header, 131_072);
		file.set(new Uint8Array(bits.buffer), file.length - 131_072);
		const w = decodeSafetensors(file).tensors.get("w");
		assert.instance(w?.data, Float32Array);
		assert.equal(w?.shape, [256, 256]);
		return w?.data as Float32Array;
	};
	/** A format of so many exponent and fraction bits, by its definition. */
	const value = (i: number, exponents: number, fractions: number) => {
		const sign = i >> 15 ? -1 : 1;
		const fraction = (i & (2 ** fractions - 1)) / 2 ** fractions;
		const exponent = (i >> fractions) & (2 ** exponents - 1);
		const bias = 2 ** (exponents - 1) - 1;
		if (exponent === 2 ** exponents - 1)
			return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
		return exponent === 0
			? sign * fraction * 2 ** (1 - bias)
			: sign * (1 + fraction) * 2 ** (exponent - bias);
	};
	for (const [dtype, exponents, fractions] of [
		["F16", 5, 10],
		["BF16", 8, 7],
	] as const)
		read(dtype).forEach((found, i) => {
			const expected = value(i, exponents, fractions);
			if (!Object.is(found, expected))
				throw new Error(`${dtype} ${i}: ${found}, expected ${expected}`);
		});
});

test("safetensors: a stream of tensors gives the bytes of the whole, and a file read in parts what was in it", async () => {
	const tensors = new Map<string, StoredTensor>([
		[
			"half",
			{ shape: [3], data: new Float32Array([0.5, -1, 3]), dtype: "F16" },
		],
		["float", { shape: [2, 2], data: new Float32Array([1, NaN, 3e-39, -0]) }],
		["double", { shape: [1], data: new Float64Array([Math.PI]) }],
	]);
	const metadata = { epoch: "7" };
	const whole = encodeSafetensors(tensors, metadata);
	const sources = new Map(
		[...tensors].map(([name, { shape, data, dtype }]) => [
			name,
			{
				shape,
				dtype: dtype ?? (data instanceof Float64Array ? "F64" : "F32"),
				read: async () => data,
			} as const,
		]),
	);
	const pieces: Uint8Array[] = [];
	for await (const piece of streamSafetensors(sources, metadata))
		pieces.push(piece);
	assert.equal(new Uint8Array(Buffer.concat(pieces)), whole);

	const parts: [number, number][] = [];
	const open = (bytes: Uint8Array) =>
		openSafetensors({
			name: "a.st",
			bytes: bytes.length,
			async read(begin, end) {
				parts.push([begin, end]);
				return bytes.slice(begin, end) as Uint8Array<ArrayBuffer>;
			},
		});
	const file = await open(whole);
	assert.equal(file.metadata, metadata);
	const header = parts.at(-1)?.[1] ?? 0;
	for (const [name, { shape, data }] of tensors) {
		deepStrictEqual(file.tensors.get(name)?.shape, shape);
		deepStrictEqual(await file.tensors.get(name)?.read(), data);
	}
	// Header, then each tensor's own bytes.
	assert.equal(parts.slice(2), [
		[header + 24, header + 30],
		[header + 8, header + 24],
		[header, header + 8],
	]);
	for (const [bytes, message] of [
		[whole.subarray(0, 5), "a.st: 5 bytes"],
		[whole.subarray(0, 40), "a.st: the header claims"],
		[whole.subarray(0, whole.length - 1), "ends at byte 30 of the data"],
	] as const)
		await open(bytes).then(
			() => assert.unreachable(),
			(error: Error) => assert.match(error.message, message),
		);
});

test("safetensors: what cannot be written is refused", () => {
	const write = (tensor: StoredTensor, name = "w") =>
		encodeSafetensors(new Map([[name, tensor]]));
	const data = new Float32Array(3);
	assert.throws(() => write({ shape: [2], data }), /"w" has shape \[2\] but 3/);
	assert.throws(() => write({ shape: [3], data }, "__metadata__"), /named/);
	assert.throws(
		() => write({ shape: [1], data: new Int32Array(1), dtype: "F16" }),
		/F16/,
	);
});

test("safetensors: malformed files say what is wrong, and where", () => {
	const w = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
	const cases: [Uint8Array, RegExp][] = [
		[new Uint8Array(5), /^Error: a\.st: 5 bytes/],
		[bytesOf([255, 0, 0, 0, 0, 0, 0, 0], "{}"), /claims 255 bytes, but 2/],
		[bytesOf(Array(8).fill(255), "{}"), /claims/],
		[withHeader("{nonsense}", 0), /not JSON/],
		[withHeader("[]", 0), /not a JSON object/],
		[withHeader({ w: 3 }, 0), /"w" is not an object/],
		[withHeader({ __metadata__: { a: 1 } }, 0), /metadata "a"/],
		[withHeader({ w: { ...w, dtype: "Q8" } }, 8), /"w" has dtype "Q8"; known/],
		[withHeader({ w: { ...w, dtype: "toString" } }, 8), /dtype "toString"/],
		[withHeader({ w: { ...w, shape: [-2] } }, 8), /shape \[-2\]/],
		[withHeader({ w: { ...w, shape: "2" } }, 8), /shape "2"/],
		[withHeader({ w: { ...w, data_offsets: [0] } }, 8), /data_offsets \[0\]/],
		[withHeader({ w: { ...w, shape: [3] } }, 8), /takes 12 bytes.*span 8/],
		[withHeader({ w: { ...w, data_offsets: [8, 0] } }, 8), /begins at byte 8/],
		[
			withHeader({ w: { ...w, data_offsets: [4, 12] } }, 12),
			/begins at byte 4/,
		],
		[withHeader({ v: w, w }, 8), /"w" begins at byte 0.*8 is expected/],
		[withHeader({ w }, 7), /ends at byte 8.*holds 7/],
		[withHeader({ w }, 9), /1 bytes belong to no tensor/],
	];
	for (const [bytes, message] of cases)
		assert.throws(
			() => decodeSafetensors(bytes, "a.st"),
			(error: Error) => message.test(String(error)),
			String(message),
		);
});

/** An npy file of the given header text; version 2 has a longer length field. */
function npyFile(dict: string, data: number[], version = 1): Uint8Array {
	const length = [dict.length & 255, dict.length >> 8];
	if (version > 1) length.push(0, 0);
	return bytesOf([0x93], "NUMPY", [version, 0], length, dict, data);
}

test("npy: the bytes of the specification, by hand", () => {
	const written = encodeNpy(new Float32Array([1, 2]), [2]);
	const dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
	assert.equal(
		written,
		bytesOf(
			[0x93],
			"NUMPY",
			[1, 0, 118, 0],
			`${dict.padEnd(117)}\n`,
			[0, 0, 128, 63, 0, 0, 0, 64],
		),
	);
});

test("npy: round trip of every dtype and of scalars, empty and unaligned arrays", () => {
	const arrays: [NpyData, number[]][] = [
		[new Float32Array([1, NaN, -0, 4, 5, 6]), [1, 2, 3]],
		[new Float64Array([Math.PI]), []],
		[new Float32Array(), [0, 5]],
		[new Int8Array([-1]), [1]],
		[new Uint8Array([255]), [1]],
		[new Int16Array([-300]), [1]],
		[new Uint16Array([60000]), [1]],
		[new Int32Array([-70000]), [1]],
		[new Uint32Array([4e9]), [1]],
		[new BigInt64Array([-(2n ** 60n)]), [1]],
		[new BigUint64Array([2n ** 63n]), [1]],
	];
	for (const [data, shape] of arrays) {
		const bytes = encodeNpy(data, shape);
		deepStrictEqual(decodeNpy(Buffer.from(bytes)), { shape, data });
		const shifted = new Uint8Array(bytes.length + 1);
		shifted.set(bytes, 1);
		deepStrictEqual(decodeNpy(shifted.subarray(1)), { shape, data });
	}
	assert.throws(() => encodeNpy(new Float32Array(3), [2]), /shape \[2\] but 3/);
});

test("npy: Fortran order, other byte orders, booleans, halves and version 2", () => {
	const f =
		"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }          \n";
	assert.equal(decodeNpy(npyFile(f, [1, 4, 2, 5, 3, 6], 2)), {
		shape: [2, 3],
		data: new Uint8Array([1, 2, 3, 4, 5, 6]),
	});
	const deep =
		"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }\n";
	assert.equal(
		decodeNpy(npyFile(deep, [0, 1, 2, 3, 4, 5, 6, 7])).data,
		new Uint8Array([0, 4, 2, 6, 1, 5, 3, 7]),
	);
	const big = '{"shape": (1,), "descr": ">f4", "fortran_order": False}\n';
	assert.equal(
		decodeNpy(npyFile(big, [63, 128, 0, 0])).data,
		new Float32Array([1]),
	);
	const half = "{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}\n";
	assert.equal(
		decodeNpy(npyFile(half, [0, 0x3c, 0, 0xc0])).data,
		new Float32Array([1, -2]),
	);
	const bool = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}\n";
	assert.equal(decodeNpy(npyFile(bool, [1, 0])).data, new Uint8Array([1, 0]));
});

test("npy: malformed files say what is wrong", () => {
	const dict = (descr: string, shape = "(2,)") =>
		`{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`;
	const cases: [Uint8Array, RegExp][] = [
		[bytesOf("PK stands for zip"), /^Error: a\.npy: not an npy file/],
		[new Uint8Array(3), /not an npy file/],
		[npyFile(dict("'<f4'"), [], 9), /version 9/],
		[npyFile(dict("'<f4'"), []).subarray(0, 30), /header ends at byte/],
		[npyFile(dict("'<f4'"), [0, 0, 0, 0]), /takes 8 bytes, but 4 follow/],
		[npyFile(dict("'<f4'"), Array(12).fill(0)), /takes 8 bytes, but 12/],
		[npyFile(dict("'<c8'"), Array(16).fill(0)), /dtype '<c8' is not read/],
		[npyFile(dict("'<f16'"), Array(32).fill(0)), /dtype '<f16' is not read/],
		[npyFile(dict("[('x', '<f4')]"), []), /no usable 'descr'/],
		[npyFile(dict("'<f4'", "(-2,)"), []), /no usable 'shape'/],
		[npyFile("{'descr': '<f4', 'shape': (1,)}\n", []), /'fortran_order'/],
	];
	for (const [bytes, message] of cases)
		assert.throws(
			() => decodeNpy(bytes, "a.npy"),
			(error: Error) => message.test(String(error)),
			String(message),
		);
});

test.run();
