/** Pictures in TIFF (revision 6.0, with floats): grey, 8 to 64 bits, in strips or tiles, plain or packed by LZW, deflate or PackBits. */
import { Cursor, type NumberType } from "./cursor.ts";
import { mostUnpacked, unpack } from "./inflate.ts";
import { lzw, packBits } from "./lzw.ts";
import type { Channel, Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import {
	dropUnmeasured,
	type Fail,
	failFor,
	size,
	unmeasuredWarning,
} from "./reading.ts";

const MAX_PIXELS = 2 ** 28;
const MAX_PAGES = 4096;
/** Types of a directory's entries that are whole numbers, and text. */
const SHORT: Readonly<Record<number, NumberType>> = {
	1: "u1",
	3: "u2",
	4: "u4",
};
const TEXT = 2;
/** SampleFormat 1, 2, 3. */
const KINDS = ["u", "i", "f"] as const;
const TAG = {
	...{ width: 256, height: 257, bits: 258, compression: 259, photometric: 262 },
	...{ description: 270, offsets: 273, orientation: 274, samples: 277 },
	...{ rows: 278, counts: 279, software: 305, date: 306, predictor: 317 },
	...{ tileWidth: 322, tileHeight: 323, tileOffsets: 324, tileCounts: 325 },
	sampleFormat: 339,
} as const;

export const isTiff = (bytes: Uint8Array): boolean =>
	(bytes[0] === 0x49 &&
		bytes[1] === 0x49 &&
		bytes[2] === 42 &&
		bytes[3] === 0) ||
	(bytes[0] === 0x4d && bytes[1] === 0x4d && bytes[2] === 0 && bytes[3] === 42);

interface Directory {
	/** The whole numbers of a tag; empty where it is not there. */
	numbers(tag: number): number[];
	text(tag: number): string;
}

/**
 * Reads the pages of the first one's size, each a channel, numbers as they are stored. The lowest row of the picture is y = 0. Colours are refused, and so
 * is what is packed as a photograph. Throws FormatError.
 */
export function readTiff(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const cursor = new Cursor(bytes, fail, bytes[0] === 0x49);
	const pages = directories(cursor, fail);
	const [first] = pages;
	const [nx, ny] = sizeOf(first, fail);
	const leftOut: string[] = [];
	let infinities = 0;
	let unpacked = 0;
	const channels = pages.flatMap((page, i): Channel[] => {
		const [w, h] = sizeOf(page, fail);
		if (w !== nx || h !== ny) {
			leftOut.push(`${w} x ${h}`);
			return [];
		}
		unpacked += 4 * w * h;
		// Many pages may share the same few bytes.
		if (unpacked > mostUnpacked(bytes.length))
			fail(`${pages.length} pages of ${nx} x ${ny}`, "fewer in such a file");
		const image = imageOf(cursor, page, [nx, ny], fail);
		infinities += dropUnmeasured(image);
		return [{ name: `page ${i + 1}`, unit: "", images: [image] }];
	});
	return {
		...{ format: "tiff", nx, ny },
		channels:
			channels.length === 1 ? [{ ...channels[0], name: "image" }] : channels,
		energies: [],
		details: worthShowing([
			["comment", first.text(TAG.description)],
			["date", first.text(TAG.date)],
		]),
		warnings: [
			...(leftOut.length
				? [
						`pages of other sizes are left out: ${leftOut.slice(0, 8).join(", ")}`,
					]
				: []),
			...unmeasuredWarning(infinities),
		],
	};
}

function directories(cursor: Cursor, fail: Fail): Directory[] {
	cursor.seek(4, "the first directory");
	const pages: Directory[] = [];
	const seen = new Set<number>();
	for (
		let at = cursor.number("u4", "the first directory");
		at !== 0;
		at = cursor.number("u4", "the next directory")
	) {
		if (seen.has(at))
			fail(`a directory at byte ${at} twice`, "a list that ends");
		if (seen.add(at).size > MAX_PAGES)
			fail("very many pages", `at most ${MAX_PAGES}`);
		cursor.seek(at, "a directory");
		pages.push(directory(cursor));
	}
	if (pages.length === 0) fail("no directory", "a picture");
	return pages;
}

function directory(cursor: Cursor): Directory {
	const entries = new Map<
		number,
		{ type: number; count: number; at: number }
	>();
	const count = cursor.number("u2", "a directory");
	for (let i = 0; i < count; i++) {
		const tag = cursor.number("u2", "a directory");
		const type = cursor.number("u2", "a directory");
		const length = cursor.number("u4", "a directory");
		const bytes = length * Number(SHORT[type]?.[1] ?? 1);
		const at = cursor.at;
		const place = cursor.number("u4", "a directory");
		entries.set(tag, { type, count: length, at: bytes > 4 ? place : at });
	}
	const after = cursor.at;
	const read = <T>(
		tag: number,
		of: (e: { type: number; count: number }) => T,
	) => {
		const entry = entries.get(tag);
		if (!entry) return undefined;
		cursor.seek(entry.at, `the tag ${tag}`);
		return of(entry);
	};
	cursor.at = after;
	return {
		numbers: (tag) =>
			read(tag, ({ type, count }) =>
				SHORT[type]
					? [...cursor.numbers(count, SHORT[type], `the tag ${tag}`)]
					: [],
			) ?? [],
		text: (tag) =>
			read(tag, ({ type, count }) =>
				type === TEXT && count <= cursor.left
					? cursor.text(count, `the tag ${tag}`)
					: "",
			) ?? "",
	};
}

function sizeOf(page: Directory, fail: Fail): [number, number] {
	const [[nx = 0], [ny = 0]] = [
		page.numbers(TAG.width),
		page.numbers(TAG.height),
	];
	if (!(nx >= 1 && ny >= 1 && nx * ny <= MAX_PIXELS))
		fail(`${nx} x ${ny} pixels`, `1 to ${MAX_PIXELS}`);
	return [nx, ny];
}

function imageOf(
	cursor: Cursor,
	page: Directory,
	[nx, ny]: readonly [number, number],
	fail: Fail,
): Float32Array {
	const one = (tag: number, otherwise: number) =>
		page.numbers(tag)[0] ?? otherwise;
	const [bits, format] = [one(TAG.bits, 1), one(TAG.sampleFormat, 1)];
	const samples = one(TAG.samples, 1);
	const photometric = one(TAG.photometric, 1);
	const kind = KINDS[format - 1];
	const type = `${kind}${bits / 8}` as NumberType;
	if (
		samples !== 1 ||
		photometric > 1 ||
		!["u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8"].includes(type)
	)
		fail(
			`a picture of ${samples} samples of ${bits} bits, sample format ${format}, colours of kind ${photometric}`,
			"one grey sample of 8, 16 or 32 bits, or a float of 32 or 64",
		);
	const tiled = page.numbers(TAG.tileOffsets).length > 0;
	const width = tiled ? one(TAG.tileWidth, 0) : nx;
	const height = tiled
		? one(TAG.tileHeight, 0)
		: Math.min(one(TAG.rows, ny), ny);
	const across = Math.ceil(nx / width);
	const parts = across * Math.ceil(ny / height);
	const offsets = page.numbers(tiled ? TAG.tileOffsets : TAG.offsets);
	const lengths = page.numbers(tiled ? TAG.tileCounts : TAG.counts);
	if (
		!(width >= 1 && height >= 1) ||
		offsets.length !== parts ||
		lengths.length !== parts ||
		// A part in memory is no larger than what a file of this size may hold.
		width * height * bits > 8 * mostUnpacked(cursor.bytes.length)
	)
		fail(
			`${offsets.length} parts of ${width} x ${height} pixels`,
			`${parts} for ${nx} x ${ny}`,
		);
	const compression = one(TAG.compression, 1);
	const predictor = one(TAG.predictor, 1);
	if (predictor > 2 || (predictor === 2 && kind === "f"))
		fail(
			`predictor ${predictor} of a picture of kind ${type}`,
			"none (1), or horizontal (2) of whole numbers",
		);
	const image = new Float32Array(nx * ny);
	const white = photometric === 0 && kind === "u" ? 2 ** bits - 1 : undefined;
	for (let part = 0; part < parts; part++) {
		const [left, top] = [
			(part % across) * width,
			Math.floor(part / across) * height,
		];
		const rows = tiled ? height : Math.min(height, ny - top);
		const expected = (width * rows * bits) / 8;
		cursor.seek(offsets[part], "a part of the picture");
		const packed = cursor.take(lengths[part], "a part of the picture");
		const plain = expand(packed, compression, expected, fail);
		if (plain.length < expected)
			fail(
				`${size(plain.length)} in a part of the picture`,
				`${expected} for ${width} x ${rows} pixels`,
			);
		const values = new Cursor(plain, fail, cursor.little).numbers(
			width * rows,
			type,
			"a part of the picture",
		);
		for (let row = 0; row < rows && top + row < ny; row++) {
			let sum = 0;
			for (let column = 0; column < width; column++) {
				const stored = values[row * width + column];
				sum = predictor === 2 ? wrap(sum + stored, kind, bits) : stored;
				if (left + column < nx)
					image[(left + column) * ny + (ny - 1 - top - row)] =
						white === undefined ? sum : white - sum;
			}
		}
	}
	return turned(image, nx, ny, one(TAG.orientation, 1), fail);
}

/** Whole numbers run over at their ends. */
function wrap(value: number, kind: string, bits: number): number {
	const range = 2 ** bits;
	const low = ((value % range) + range) % range;
	return kind === "i" && low >= range / 2 ? low - range : low;
}

function expand(
	packed: Uint8Array,
	compression: number,
	expected: number,
	fail: Fail,
): Uint8Array {
	if (compression === 1) return packed;
	if (compression === 5) return lzw(packed, expected);
	if (compression === 32773) return packBits(packed, expected);
	if (compression === 8 || compression === 32946)
		return unpack(
			packed,
			{ most: expected + 2 ** 20, what: "a part of the picture" },
			fail,
		).bytes;
	return fail(
		`a picture of compression ${compression}`,
		"none (1), LZW (5), deflate (8) or PackBits (32773)",
	);
}

/** TIFF's orientations 1 to 4; the others swap the sides. */
function turned(
	image: Float32Array,
	nx: number,
	ny: number,
	orientation: number,
	fail: Fail,
): Float32Array {
	if (orientation === 1) return image;
	if (!(orientation >= 2 && orientation <= 4))
		fail(`a picture of orientation ${orientation}`, "1 to 4");
	const mirrored = orientation < 4;
	const upside = orientation > 2;
	return image.map((_, p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		return image[
			(mirrored ? nx - 1 - ix : ix) * ny + (upside ? ny - 1 - iy : iy)
		];
	});
}
