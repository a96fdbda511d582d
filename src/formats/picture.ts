/** Pictures (.png, W3C's PNG specification, third edition): the brightness of each pixel. */
import { decode } from "fast-png";
import { Unzlib } from "fflate";
import type { Measurement } from "./measurement.ts";
import { type Fail, FormatError, failFor, quote, size } from "./reading.ts";

const MAX_PIXELS = 2 ** 26;
const MAX_UNPACKED = 2 ** 28;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Samples a pixel, by colour type. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PALETTE = 3;
const ADAM7 = [
	[0, 0, 8, 8],
	[4, 0, 8, 8],
	[0, 4, 4, 8],
	[2, 0, 4, 4],
	[0, 2, 2, 4],
	[1, 0, 2, 2],
	[0, 1, 1, 2],
];

interface Chunk {
	readonly type: string;
	readonly data: Uint8Array;
	/** With length and checksum. */
	readonly whole: Uint8Array;
}

/**
 * Reads a picture of 8 or 16 bits, or with a palette or few greys of less: numbers from 0 to 255 or 65535, as they are stored. Colours become their luma
 * (ITU-R BT.709), with a warning; what is wholly transparent is NaN. The lowest row of the picture is y = 0. Sizes and the length of the
 * unpacked data are checked before anything is unpacked for keeps. Throws FormatError.
 */
export function readPicture(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const chunks = readChunks(bytes, fail);
	const head = chunks[0].data;
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	const [width, height] = [view.getUint32(0), view.getUint32(4)];
	const [depth, colour, , , interlace] = head.subarray(8);
	const samples = SAMPLES[colour];
	if (width === 0 || height === 0 || width * height > MAX_PIXELS)
		fail(`${width} x ${height} pixels`, `1 to ${MAX_PIXELS} pixels`);
	const few = (colour === 0 || colour === PALETTE) && [1, 2, 4].includes(depth);
	if (
		!samples ||
		!(few || depth === 8 || (depth === 16 && colour !== PALETTE)) ||
		interlace > 1 ||
		(few && interlace === 1)
	)
		fail(
			`a picture of colour type ${colour}, ${depth} bits and interlace ${interlace}`,
			"grey, colour or palette of 8 or 16 bits, or of less without interlace",
		);

	const passes = interlace === 1 ? ADAM7 : [[0, 0, 1, 1]];
	const expected = passes.reduce((sum, [x, y, stepX, stepY]) => {
		const columns = Math.ceil((width - x) / stepX);
		const rows = Math.ceil((height - y) / stepY);
		if (columns <= 0 || rows <= 0) return sum;
		return sum + rows * (1 + Math.ceil((columns * samples * depth) / 8));
	}, 0);
	if (expected > MAX_UNPACKED)
		fail(`${size(expected)} unpacked`, `at most ${size(MAX_UNPACKED)}`);
	const parts = chunks.filter(({ type }) => type === "IDAT");
	const unpacked = unpackedLength(parts, expected, fail);
	if (unpacked !== expected)
		fail(
			`${unpacked > expected ? "more than " : ""}${Math.min(unpacked, expected)} bytes of pixels`,
			`${expected} for ${width} x ${height} pixels`,
		);

	// Only what the pixels need is handed on: a colour profile may be a bomb of its own.
	const needed = chunks.filter(({ type }) =>
		["IHDR", "PLTE", "IDAT", "IEND", colour === PALETTE ? "tRNS" : ""].includes(
			type,
		),
	);
	const png = attempt(
		() => decode(join(needed), { checkCrc: true }),
		(what) => fail(`a damaged picture (${what})`, "a sound one"),
	);
	const palette = colour === PALETTE ? (png.palette ?? []) : undefined;
	const rowLength = Math.ceil((width * samples * depth) / (few ? 8 : depth));
	const sample = (row: number, column: number, i: number): number => {
		if (!few) return png.data[row * rowLength + column * samples + i];
		const bit = column * depth;
		const byte = png.data[row * rowLength + (bit >> 3)];
		return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
	};

	const image = new Float32Array(width * height);
	let coloured = false;
	for (let row = 0; row < height; row++)
		for (let column = 0; column < width; column++) {
			const first = sample(row, column, 0);
			let [r, g, b, alpha] = [first, first, first, 1];
			if (palette) {
				const entry = palette[first];
				if (!entry)
					fail(
						`colour ${first} of a palette of ${palette.length}`,
						"one of it",
					);
				[r, g, b, alpha = 1] = entry;
			} else if (samples > 2) {
				g = sample(row, column, 1);
				b = sample(row, column, 2);
			}
			if (samples % 2 === 0) alpha = sample(row, column, samples - 1);
			coloured ||= r !== g || g !== b;
			image[column * height + height - 1 - row] =
				alpha === 0 ? NaN : 0.2126 * r + 0.7152 * g + 0.0722 * b;
		}
	return {
		format: "png",
		nx: width,
		ny: height,
		channels: [{ name: "image", unit: "", images: [image] }],
		energies: [],
		details: [["bits", String(depth)]],
		warnings: coloured
			? [
					"colours are read as their luminance: that of a false-colour picture is not what was measured",
				]
			: [],
	};
}

function readChunks(bytes: Uint8Array, fail: Fail): Chunk[] {
	if (SIGNATURE.some((byte, i) => bytes[i] !== byte))
		fail("other bytes than a PNG file's first eight", "a picture");
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const chunks: Chunk[] = [];
	for (let at = 8; chunks.at(-1)?.type !== "IEND"; ) {
		const length = at + 12 <= bytes.length ? view.getUint32(at) : Infinity;
		const end = at + 12 + length;
		if (end > bytes.length)
			fail(
				`a file of ${bytes.length} bytes that ends within chunk ${chunks.length + 1}`,
				"whole chunks up to IEND: cut short?",
			);
		const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
		const data = bytes.subarray(at + 8, end - 4);
		if (
			(chunks.length === 0) !== (type === "IHDR") ||
			(type === "IHDR" && length !== 13)
		)
			fail(
				`a chunk ${quote(type)} of ${length} bytes as number ${chunks.length + 1}`,
				"one IHDR of 13 bytes, as the first",
			);
		chunks.push({ type, data, whole: bytes.subarray(at, end) });
		at = end;
	}
	return chunks;
}

/** How many bytes the data chunks unpack to; stops soon beyond `limit`, so that a bomb costs no more than a picture of that size. */
function unpackedLength(
	parts: readonly Chunk[],
	limit: number,
	fail: Fail,
): number {
	let length = 0;
	return attempt(
		() => {
			const unzip = new Unzlib((part) => {
				length += part.length;
			});
			for (const { data } of parts)
				for (let at = 0; at < data.length && length <= limit; at += 2 ** 14)
					unzip.push(data.subarray(at, at + 2 ** 14));
			if (length <= limit) unzip.push(new Uint8Array(0), true);
			return length;
		},
		(what) => fail(`pixels that do not unpack (${what})`, "a zlib stream"),
	);
}

/** What a library's call returns; its error, of whatever kind, goes to `failed` as text. */
function attempt<T>(call: () => T, failed: (what: string) => never): T {
	try {
		return call();
	} catch (error) {
		if (error instanceof FormatError) throw error;
		return failed(error instanceof Error ? error.message : String(error));
	}
}

function join(chunks: readonly Chunk[]): Uint8Array {
	const parts = [Uint8Array.from(SIGNATURE), ...chunks.map((c) => c.whole)];
	const result = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
	let at = 0;
	for (const part of parts) {
		result.set(part, at);
		at += part.length;
	}
	return result;
}
