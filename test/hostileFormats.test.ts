/** Files of other programs that announce much more than they hold, or unpack to it: refused in one line, before memory is taken for it. */
import { deflateSync } from "node:zlib";
import { zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeNpy } from "../src/formats/npy.ts";
import { readMeasurement } from "../src/formats/readMeasurement.ts";
import { concat } from "./formatFixtures.ts";
import {
	createcFile,
	gsfFile,
	gwyField,
	gwyFile,
	ibwFile,
	pack,
	padded,
	sm4File,
	wsxmFile,
} from "./spmFixtures.ts";

/** It is refused with such a message, and no more than 300 MB are held at any time. */
function refused(bytes: Uint8Array, what: RegExp): void {
	const before = process.memoryUsage().arrayBuffers;
	try {
		readMeasurement(bytes, "a.file");
	} catch (error) {
		const { name, message } = error as Error;
		assert.is(name, "FormatError", message);
		assert.match(message, what);
		assert.match(message, /^a\.file: found [ -~]+, expected [ -~]+$/);
		const held = process.memoryUsage().arrayBuffers - before;
		assert.ok(held < 300e6, `${held / 1e6} MB`);
		return;
	}
	assert.unreachable("it was read");
}
/** 134 MB of zeros, packed. */
const bomb = new Uint8Array(deflateSync(new Uint8Array(2 ** 27)));

test("bombs: zlib streams and archives that unpack to very much", () => {
	const scan = createcFile();
	const head = new TextDecoder("latin1").decode(scan).indexOf("DATA");
	refused(
		concat(scan.subarray(0, head), "DATA", bomb),
		/a stream that unpacks to more than 33\.6 MB/,
	);
	refused(
		concat(
			padded("MATLAB 5.0 MAT-file", 124),
			pack("<i2", 0x0100, 0x4d49),
			pack("<u4", 15, bomb.length),
			bomb,
		),
		/a compressed variable that unpacks to more than 33\.6 MB/,
	);
	const npy = encodeNpy(new Float64Array(2 ** 23), [2 ** 12, 2 ** 11]);
	refused(
		new Uint8Array(zipSync({ "a.npy": npy })),
		/an archive that unpacks to 67\.1 MB or more/,
	);
});

test("headers that announce what is not there", () => {
	refused(
		createcFile({
			keys: { "Num.X / Num.X": "30000", "Num.Y / Num.Y": "30000" },
		}),
		/4 planes of 30000 x 30000 pixels in \d+ bytes/,
	);
	refused(
		gsfFile({ XRes: 20_000, YRes: 20_000 }),
		/\d+ bytes behind the header, expected .*cut short/,
	);
	refused(
		wsxmFile({ lines: { "Number of columns": "40000" } }),
		/bytes at byte \d+, expected 320000 of 40000 x 4 pixels: cut short\?/,
	);
	const wave = ibwFile({ shape: [5, 4] });
	const wide = wave.slice();
	// Both sizes are changed by opposite amounts, so that the checksum holds.
	new DataView(wide.buffer).setInt32(64 + 68, 5 + 2 ** 24, true);
	new DataView(wide.buffer).setInt16(
		2,
		new DataView(wave.buffer).getInt16(2, true) - 256,
		true,
	);
	refused(wide, /expected \d+ of 16777221 x 4 numbers: cut short\?/);
	const field = gwyField(0);
	const cut = gwyFile([], { "/0/data": field.subarray(0, field.length - 8) });
	refused(cut, /cut short\?|expected/);
	const page = sm4File([{}]);
	const many = sm4File(Array(200).fill({}));
	// 200 pages whose data are one: only the index and one page are kept.
	refused(many.subarray(0, page.length + 200 * 56), /cut short\?/);
});

test("a picture whose directory announces huge parts", () => {
	const entries = [
		...[
			[256, 4, 1, 5],
			[257, 4, 1, 4],
			[258, 3, 1, 8],
			[259, 3, 1, 5],
		],
		...[
			[262, 3, 1, 1],
			[277, 3, 1, 1],
			[322, 4, 1, 60_000],
			[323, 4, 1, 60_000],
		],
		...[
			[324, 4, 1, 8],
			[325, 4, 1, 8],
		],
	];
	const directory = concat(
		pack("<i2", entries.length),
		...entries.map(([tag, type, count, value]) =>
			concat(pack("<i2", tag, type), pack("<u4", count, value)),
		),
		pack("<u4", 0),
	);
	const start = concat("II", pack("<i2", 42), pack("<u4", 8));
	refused(concat(start, directory), /1 parts of 60000 x 60000 pixels/);
	const huge = entries.map((entry) =>
		entry[0] < 258 ? [entry[0], 4, 1, 16_000] : entry,
	);
	const pages = concat(
		pack("<i2", huge.length),
		...huge.map(([tag, type, count, value]) =>
			concat(pack("<i2", tag, type), pack("<u4", count, value)),
		),
		pack("<u4", 0),
	);
	refused(concat(start, pages), /1 pages of 16000 x 16000/);
});

test.run();
