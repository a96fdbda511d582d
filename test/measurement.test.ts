import { deepStrictEqual } from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	energiesOf,
	FormatError,
	findChannel,
	type Measurement,
} from "../src/formats/measurement.ts";
import { encodeNpy } from "../src/formats/npy.ts";
import { readMeasurement } from "../src/formats/readMeasurement.ts";
import { Random } from "../src/random.ts";
import {
	concat,
	gridFile,
	pngChunk,
	pngFile,
	sxmFile,
} from "./formatFixtures.ts";

/** The image that `pixels` is, first index x. */
const imageOf = (
	nx: number,
	ny: number,
	pixel: (ix: number, iy: number) => number,
) =>
	Float32Array.from({ length: nx * ny }, (_, i) =>
		pixel(Math.floor(i / ny), i % ny),
	);
const text = (content: string) => new TextEncoder().encode(content);
const names = (m: Measurement) => m.channels.map((c) => c.name);

/** Reading fails with a FormatError in one line that names the file and matches. */
function refused(bytes: Uint8Array, name: string, message: RegExp): void {
	try {
		readMeasurement(bytes, name);
	} catch (error) {
		assert.instance(error, FormatError, String((error as Error).stack));
		const said = (error as Error).message;
		assert.match(said, message);
		assert.ok(said.startsWith(`${name}: found `), said);
		assert.match(said, /, expected |^.*\.npy/, said);
		assert.not.match(said, /[\n\r]/, said);
		return;
	}
	assert.unreachable(`${name} was read; expected ${message}`);
}

test("sxm: channels, directions, sizes, bias; up and down; both byte orders", () => {
	const pixels = (ix: number, iy: number, image: number) =>
		1 + ix + 100 * iy + 1e4 * image;
	for (const up of [false, true])
		for (const little of [false, true])
			for (const newline of ["\n", "\r\n"]) {
				const type = `FLOAT    ${little ? "LSBFIRST" : "MSBFIRST"}`;
				const m = readMeasurement(
					sxmFile(pixels, { up, little, type, newline }),
					"scan.sxm",
				);
				assert.is(m.format, "sxm");
				assert.equal([m.nx, m.ny], [5, 4]);
				assert.ok(m.spacing);
				assert.ok(Math.abs(m.spacing.x - 40) < 1e-9);
				assert.ok(Math.abs(m.spacing.y - 20) < 1e-9);
				assert.equal(m.energies, [0.045]);
				assert.equal(m.warnings, []);
				assert.equal(names(m), [
					"Z",
					"Z backward",
					"LIY_1_omega",
					"LIY_1_omega backward",
				]);
				assert.equal(m.channels[3].unit, "A");
				m.channels.forEach(({ images }, image) => {
					assert.is(images.length, 1);
					assert.equal(
						images[0],
						imageOf(5, 4, (ix, iy) => pixels(ix, iy, image)),
					);
				});
				assert.ok(m.details.some(([, v]) => v === "first line second line"));
			}
});

test("sxm: one-way channels, missing optional tags, names", () => {
	const m = readMeasurement(
		sxmFile((ix, iy, image) => ix + 10 * iy + 100 * image, {
			channels: [
				{ name: "Z", unit: "m", direction: "forward" },
				{ name: "Current", unit: "A", direction: "backward" },
				{ name: "Current", unit: "A", direction: "bwd" },
			],
			tags: { SCAN_RANGE: undefined, BIAS: undefined, SCAN_DIR: undefined },
		}),
		"scan.sxm",
	);
	assert.equal(names(m), ["Z", "Current backward", "Current backward (2)"]);
	assert.is(m.channels[1].images[0][4 * 2 + 1], 2 + 10 + 100);
	assert.is(m.spacing, undefined);
	assert.equal(m.energies, []);
	assert.match(m.warnings.join(), /SCAN_RANGE.*|BIAS.*|SCAN_DIR/);
	assert.is(m.warnings.length, 3);
	assert.is(findChannel(m, "current BACKWARD (A)")?.name, "Current backward");
	assert.is(findChannel(m, "Input 8"), undefined);
});

test("sxm: the passes of a multi-pass scan have their own energies", () => {
	const passes = [
		"\tRecord-Ch\tPlayback\tBias_override\tBias_override_value",
		"\t-1\tFALSE\tTRUE\t2.000E-3",
		"\t-1\tFALSE\tTRUE\t3.000E-3",
		"\t-1\tTRUE\tTRUE\t-2.000E-3",
		"\t-1\tTRUE\tFALSE\t-9.000E-3",
	].join("\n");
	const channels = ["[P1]_Z", "[P2]_Z"].map((name) => ({
		name,
		unit: "m",
		direction: "both",
	}));
	const m = readMeasurement(
		sxmFile(undefined, { channels, tags: { "Multipass-Config": passes } }),
		"scan.sxm",
	);
	assert.equal(m.energies, []);
	assert.equal(
		m.channels.map((channel) => energiesOf(m, channel)),
		[[0.002], [0.003], [-0.002], [0.045]],
	);
	assert.match(m.warnings.join(), /multi-pass/);
});

test("sxm: unfinished rows, infinities, a wrong word for the byte order", () => {
	const holes = readMeasurement(
		sxmFile((ix, iy) => (iy < 2 ? NaN : ix === 1 && iy === 2 ? Infinity : 1)),
		"scan.sxm",
	);
	assert.is(holes.channels[0].images[0].filter(Number.isNaN).length, 2 * 5 + 1);
	assert.match(holes.warnings.join("; "), /2 of 4 rows.*4 values infinite/);

	// Early files say LSBFIRST and are MSBFIRST: what they hold tells.
	const noise = new Random(1, 1);
	const values = Array.from(
		{ length: 4 * 64 },
		() => 1e-9 * (1 + noise.uniform()),
	);
	const early = readMeasurement(
		sxmFile((ix, iy, image) => values[64 * image + 8 * ix + iy], {
			nx: 8,
			ny: 8,
			type: "FLOAT LSBFIRST",
		}),
		"scan.sxm",
	);
	assert.equal(
		early.channels[0].images[0],
		Float32Array.from(values.slice(0, 64)),
	);
	assert.match(early.warnings.join(), /LSBFIRST/);
});

test("sxm: what is short, wrong or a lie is refused", () => {
	const whole = sxmFile();
	const start = whole.length - 4 * 20 * 4;
	for (const cut of [1, 4, 80, 319, 320])
		refused(
			whole.subarray(0, whole.length - cut),
			"a.sxm",
			new RegExp(`found ${320 - cut} bytes.*4 images of 5 x 4.*320 bytes`),
		);
	refused(whole.subarray(0, start - 1), "a.sxm", /no bytes 1a 04/);
	refused(whole.subarray(0, start - 8), "a.sxm", /SCANIT_END/);
	refused(concat(whole, new Uint8Array(20)), "a.sxm", /340 bytes/);
	assert.match(
		readMeasurement(concat(whole, "\r\n"), "a.sxm").warnings.join(),
		/2 bytes behind/,
	);
	const lies: [Record<string, string | undefined>, RegExp][] = [
		[{ SCAN_PIXELS: "0 4" }, /width in SCAN_PIXELS = "0"/],
		[{ SCAN_PIXELS: "-5 4" }, /"-5"/],
		[{ SCAN_PIXELS: "5" }, /height in SCAN_PIXELS = nothing/],
		[{ SCAN_PIXELS: "NaN 4" }, /"NaN"/],
		[{ SCAN_PIXELS: "1e30 4" }, /"1e30"/],
		[{ SCAN_PIXELS: "50000 50000" }, /announces.*at most/],
		[{ SCAN_PIXELS: "4294967296 4294967297" }, /announces/],
		[{ SCAN_PIXELS: undefined }, /SCAN_PIXELS = nothing/],
		[{ SCAN_PIXELS: "4 4" }, /320 bytes.*256 bytes/],
		[{ SCAN_RANGE: "0 1e-8" }, /width in SCAN_RANGE = 0 m/],
		[{ SCAN_RANGE: "1e-8 -1e-8" }, /height in SCAN_RANGE/],
		[{ SCAN_RANGE: "20 20" }, /20 m.*between/],
		[{ SCAN_RANGE: "inf nan" }, /SCAN_RANGE/],
		[{ SCAN_DIR: "sideways" }, /SCAN_DIR = "sideways"/],
		[{ SCANIT_TYPE: "INT MSBFIRST" }, /SCANIT_TYPE = "INT/],
		[{ BIAS: "high" }, /BIAS = "high"/],
		[{ DATA_INFO: undefined }, /DATA_INFO/],
		[{ DATA_INFO: "\tChannel\tName\tUnit\tDirection\n" }, /no channel/],
		[{ DATA_INFO: "\tName\tUnit\tDirection\n\tZ\tm\tupwards\n" }, /"upwards"/],
		[
			{ DATA_INFO: "\tName\tUnit\tDirection\n\tZ\tm\t__proto__\n" },
			/"__proto__"/,
		],
	];
	for (const [tags, message] of lies)
		refused(sxmFile(undefined, { tags }), "a.sxm", message);
	refused(concat("X", whole.subarray(1)), "a.sxm", /opening/);
	refused(
		concat(":NANONIS_VERSION:\n2\n:COMMENT:\n", new Uint8Array(3e6).fill(65)),
		"a.sxm",
		/no :SCANIT_END: in the first 1\.05 MB/,
	);
});

test("3ds: every point at its place, energies, units, the height before the sweep", () => {
	const pixels = (ix: number, iy: number, i: number) =>
		1 + ix + 10 * iy + 100 * i;
	for (const newline of ["\r\n", "\n"]) {
		const m = readMeasurement(gridFile(pixels, { newline }), "grid.3ds");
		assert.is(m.format, "3ds");
		assert.equal([m.nx, m.ny], [4, 3]);
		assert.ok(m.spacing);
		assert.ok(Math.abs(m.spacing.x - 20) < 1e-9);
		assert.ok(Math.abs(m.spacing.y - 20) < 1e-9);
		assert.equal(m.energies, [-0.1, -0.05, 0, 0.05, 0.1]);
		assert.equal(m.warnings, []);
		assert.equal(
			m.channels.map(({ name, unit }) => [name, unit]),
			[
				["Current", "A"],
				["LIY 1 omega [AVG]", "A"],
				["Z", "m"],
			],
		);
		for (const [c, channel] of m.channels.slice(0, 2).entries())
			channel.images.forEach((image, i) => {
				assert.equal(
					image,
					imageOf(4, 3, (ix, iy) => pixels(ix, iy, i + 1000 * c)),
				);
			});
		const { images } = m.channels[2];
		assert.is(images.length, 5);
		assert.equal(
			images[4],
			imageOf(4, 3, (ix, iy) => 1e-10 * ix + 1e-9 * iy),
		);
	}
});

test("3ds: segments, other sweeps, energies from the header, a line of points", () => {
	const energies = (
		keys: Record<string, string | undefined>,
		sweep?: [number, number],
	) => readMeasurement(gridFile(undefined, { keys, sweep }), "g.3ds").energies;
	const segments =
		"Segment Start (V), Segment End (V), Settling (s), Integration (s), Steps (xn), Lockin, Init. Settling (s)";
	const mls = {
		Filetype: "MLS",
		[segments]: "0,0.2,1,1,3,1,1;0.2,1,1,1,3,1,1",
	};
	assert.equal(energies(mls), [0, 0.1, 0.2, 0.6, 1]);
	// A loop starts and ends at the same bias: only its segments tell.
	const loop = {
		Filetype: "MLS",
		[segments]: "0,0.1,1,1,3,1,1;0.1,0,1,1,3,1,1",
	};
	assert.equal(energies(loop, [0, 0]), [0, 0.05, 0.1, 0.05, 0]);
	const last = readMeasurement(
		zeroFrom(7, gridFile(undefined, { keys: loop, sweep: [0, 0] })),
		"g.3ds",
	);
	assert.match(last.warnings.join("; "), /^7 of 12 points/);
	assert.not.match(last.warnings.join("; "), /positions/);
	// What is no bias has no energies.
	const z = readMeasurement(
		gridFile(undefined, {
			...{ keys: { "Sweep Signal": '"Z (m)"' }, sweep: [-1e-10, 2e-10] },
		}),
		"g.3ds",
	);
	assert.equal(z.energies, []);
	assert.equal(z.sweep, {
		...{ name: "Z", unit: "m" },
		values: [-1e-10, -2.5e-11, 5e-11, 1.25e-10, 2e-10],
	});
	assert.match(
		z.warnings.join(),
		/the sweep is Z \(m\) from -1e-10 to 2e-10, not the bias: its images have no energies/,
	);
	const fromHeader = {
		"Bias Spectroscopy>Sweep Start (V)": "200E-3",
		"Bias Spectroscopy>Sweep End (V)": "0",
	};
	assert.equal(energies(fromHeader, [0, 0]), [0.2, 0.15, 0.1, 0.05, 0]);
	assert.equal(energies({}, [0, 0]), []);
	for (const along of [
		{ nx: 40, ny: 1, size: [1e-8, 0] },
		{ nx: 1, ny: 40, size: [0, 1e-8] },
	] as const) {
		const { spacing } = readMeasurement(
			gridFile(undefined, { ...along, size: [...along.size] }),
			"g.3ds",
		);
		assert.is(spacing?.x.toFixed(9), "2.500000000");
		assert.is(spacing?.y, spacing?.x);
	}
	const named = readMeasurement(
		gridFile(undefined, {
			channels: ["Current (A)", "Current [bwd] (A)", "Counts"],
		}),
		"g.3ds",
	);
	assert.equal(names(named), ["Current", "Current [bwd]", "Counts", "Z"]);
});

/** A grid of 15 numbers a point whose points from this one on are zeros. */
function zeroFrom(point: number, bytes: Uint8Array): Uint8Array {
	const out = bytes.slice();
	return out.fill(0, out.length - 4 * 15 * (12 - point));
}

test("3ds: a stopped grid keeps its points, the rest is NaN", () => {
	const whole = gridFile();
	const point = 4 * (5 + 10);
	const m = readMeasurement(
		whole.subarray(0, whole.length - 3 * point + 7),
		"g.3ds",
	);
	const image = m.channels[1].images[2];
	// The last row, from the right: pixels (1, 2), (2, 2), (3, 2).
	assert.equal(
		[...image.keys()].filter((i) => Number.isNaN(image[i])),
		[5, 8, 11],
	);
	assert.match(m.warnings.join(), /9 of 12 points/);
	const filled = whole.slice();
	filled.fill(0, filled.length - 2 * point);
	const padded = readMeasurement(filled, "g.3ds");
	assert.match(padded.warnings.join(), /10 of 12 points/);
	// Points that were never measured have no positions to be wrong.
	for (const measured of [1, 4, 5, 9])
		assert.equal(readMeasurement(zeroFrom(measured, whole), "g.3ds").warnings, [
			`${measured} of 12 points of the grid were measured: it was stopped`,
		]);
	assert.ok(Number.isNaN(padded.channels[0].images[0][11]));
	// A header that is wrong about the width looks like a stopped grid, but for the positions.
	const wide = gridFile(undefined, { keys: { "Grid dim": '"6 x 3"' } });
	assert.match(
		readMeasurement(wide, "g.3ds").warnings.join("; "),
		/12 of 18 points.*from row to row/,
	);
});

test("3ds: what is wrong or a lie is refused", () => {
	const lies: [Record<string, string | undefined>, RegExp][] = [
		[{ "Grid dim": '"0 x 3"' }, /width in Grid dim/],
		[{ "Grid dim": '"4"' }, /Grid dim = "4"/],
		[{ "Grid dim": '"4 x -3"' }, /height in Grid dim/],
		[{ "Grid dim": '"40000 x 40000"' }, /announces/],
		[{ "Grid dim": '"2000 x 2000"' }, /720 bytes.*240 MB/],
		[{ Points: "NaN" }, /Points = "NaN"/],
		[{ Points: undefined }, /Points = nothing/],
		[{ Points: "6" }, /Experiment size/],
		[{ Points: "4", "Experiment size (bytes)": undefined }, /720 bytes/],
		[{ Points: "7", "Experiment size (bytes)": undefined }, /a sweep from/],
		[{ Channels: '""' }, /Channels/],
		[{ "# Parameters (4 byte)": "3" }, /at least the 5/],
		[{ "# Parameters (4 byte)": "1e9" }, /announces/],
		[{ "Grid settings": "0;0;0;1e-8;0" }, /width in Grid settings/],
		[{ "Grid settings": "0;0;1e-8" }, /height in Grid settings/],
	];
	for (const [keys, message] of lies)
		refused(gridFile(undefined, { keys }), "g.3ds", message);
	const whole = gridFile();
	refused(whole.subarray(0, whole.length - 720 + 59), "g.3ds", /at least one/);
	refused(whole.subarray(0, 100), "g.3ds", /no :HEADER_END:/);
	const huge = {
		"Grid dim": '"512 x 512"',
		Points: "256",
		"Experiment size (bytes)": "2048",
	};
	refused(
		gridFile(undefined, { keys: huge }),
		"g.3ds",
		/at least one of 512 x 512/,
	);
});

test("npy: one image or a stack, of any dtype and order", () => {
	const one = readMeasurement(
		encodeNpy(Int16Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
		"a.npy",
	);
	assert.equal([one.format, one.nx, one.ny], ["npy", 2, 3]);
	assert.equal(one.channels[0].images, [Float32Array.of(1, 2, 3, 4, 5, 6)]);
	assert.equal([one.energies, one.spacing, one.warnings], [[], undefined, []]);
	const stack = readMeasurement(
		encodeNpy(Float64Array.of(1, 1e300, -Infinity, 4, 5, NaN), [3, 1, 2]),
		"a.npy",
	);
	assert.equal(stack.energies, []);
	deepStrictEqual(stack.channels[0].images, [
		Float32Array.of(1, NaN),
		Float32Array.of(NaN, 4),
		Float32Array.of(5, NaN),
	]);
	assert.match(stack.warnings.join("; "), /no energies.*2 values infinite/);
	const big = readMeasurement(
		encodeNpy(BigInt64Array.of(-3n, 7n), [2, 1]),
		"a.npy",
	);
	assert.equal(big.channels[0].images[0], Float32Array.of(-3, 7));
	const npy = (dict: string, data: Uint8Array) =>
		concat(
			Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, dict.length, 0),
			dict,
			data,
		);
	const fortran = readMeasurement(
		npy(
			"{'descr': '>u2', 'fortran_order': True, 'shape': (2, 3), }",
			Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 0),
		),
		"a.npy",
	);
	assert.equal(
		fortran.channels[0].images[0],
		Float32Array.of(1, 3, 5, 2, 4, 256),
	);
	const flags = npy(
		"{'descr': '|b1', 'fortran_order': False, 'shape': (2, 2), }",
		Uint8Array.of(1, 0, 0, 1),
	);
	assert.equal(
		readMeasurement(flags, "a.npy").channels[0].images[0],
		Float32Array.of(1, 0, 0, 1),
	);

	refused(encodeNpy(new Float32Array(4), [4]), "a.npy", /shape \(4\)/);
	refused(
		encodeNpy(new Float32Array(4), [1, 1, 2, 2]),
		"a.npy",
		/\(1, 1, 2, 2\)/,
	);
	refused(encodeNpy(new Float32Array(0), [0, 4]), "a.npy", /\(0, 4\)/);
	const said = (bytes: Uint8Array, message: RegExp) =>
		assert.throws(
			() => readMeasurement(bytes, "a.npy"),
			(error: Error) =>
				error instanceof FormatError && message.test(error.message),
		);
	said(
		npy(
			"{'descr': '<f4', 'fortran_order': False, 'shape': (99999, 99999), }",
			new Uint8Array(8),
		),
		/39999200004 bytes/,
	);
	said(
		npy(
			"{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1), }",
			new Uint8Array(8),
		),
		/c8/,
	);
	said(
		npy(
			"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 2), }",
			new Uint8Array(8),
		),
		/shape/,
	);
	said(encodeNpy(new Float32Array(4), [2, 2]).subarray(0, 140), /16 bytes/);
	said(encodeNpy(Float32Array.of(1), Array(65).fill(1)), /65 axes/);
	const long = new Uint8Array(2e6).fill(0x20);
	long.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0, 0, 0x1e, 0]);
	said(long, /a header of 1966092 bytes/);
});

test("csv: separators, comments, gaps, decimal commas", () => {
	for (const csv of [
		"1,2.5,3\n4,NaN,6\n",
		"# a, comment\twith\r\n1;2.5;3\r\n4;;6\r\n",
		"1\t2.5\t3\n4\tnan\t6",
		"# x;y\tz\n  1 2.5   3 \n\n 4 nan 6\n",
		"1;2,5;3;\n4;;6;\n",
		"\ufeff1,2.5e0,+3\r4,-inf,.6E1\r",
	]) {
		const m = readMeasurement(text(csv), "a.csv");
		assert.equal([m.format, m.nx, m.ny, m.energies], ["csv", 2, 3, []], csv);
		deepStrictEqual(
			m.channels[0].images[0],
			Float32Array.of(1, 2.5, 3, 4, NaN, 6),
			csv,
		);
	}
	refused(text("1,2\n3\n"), "a.csv", /1 numbers in line 2/);
	refused(text("x,y\n1,2\n"), "a.csv", /a list of points with 2 columns/);
	refused(text("1,2\n3,0x10\n"), "a.csv", /"0x10" in line 2, column 2/);
	refused(text("# nothing\n"), "a.csv", /no numbers/);
	refused(text("nan,nan\n,\n"), "a.csv", /no finite/);
	refused(
		new Uint8Array(Buffer.from("\ufeff1,2\n", "utf16le")),
		"a.csv",
		/UTF-16/,
	);
	refused(
		new Uint8Array(Buffer.from("1,2\n", "utf16le")),
		"a.csv",
		/zero byte/,
	);
	refused(Uint8Array.of(0xe9, 0x2c, 0xff), "a.csv", /no numbers/);
});

test("png: greys, colours, palettes and transparency, y upwards", () => {
	const at = (m: Measurement, column: number, row: number) =>
		m.channels[0].images[0][column * m.ny + m.ny - 1 - row];
	const check = (
		samples: (column: number, row: number) => number[],
		options: Parameters<typeof pngFile>[1],
		value: (column: number, row: number) => number,
	) => {
		const m = readMeasurement(pngFile(samples, options), "a.png");
		assert.equal([m.format, m.nx, m.ny], ["png", 5, 3]);
		for (let row = 0; row < 3; row++)
			for (let column = 0; column < 5; column++)
				assert.equal(
					at(m, column, row),
					Math.fround(value(column, row)),
					JSON.stringify(options),
				);
		return m;
	};
	const grey = (column: number, row: number) => column + 40 * row;
	assert.equal(check((c, r) => [grey(c, r)], {}, grey).warnings, []);
	check(
		(c, r) => [257 * grey(c, r)],
		{ depth: 16 },
		(c, r) => 257 * grey(c, r),
	);
	for (const depth of [1, 2, 4]) {
		const few = (c: number, r: number) => (3 * c + r) % 2 ** depth;
		check((c, r) => [few(c, r)], { depth }, few);
	}
	check(
		(c, r) => [grey(c, r), c],
		{ colour: 4 },
		(c, r) => (c === 0 ? NaN : grey(c, r)),
	);
	check(
		(c, r) => [grey(c, r), grey(c, r), grey(c, r), 255],
		{ colour: 6 },
		grey,
	);
	const coloured = check(
		(c, r) => [c, r, 9],
		{ colour: 2 },
		(c, r) => 0.2126 * c + 0.7152 * r + 0.0722 * 9,
	);
	assert.match(coloured.warnings.join(), /luminance/);
	const palette = [
		[0, 0, 0],
		[10, 10, 10],
		[200, 200, 200],
		[7, 7, 7, 0],
	];
	for (const depth of [2, 8])
		check(
			(c, r) => [(c + r) % 4],
			{ colour: 3, depth, palette },
			(c, r) => [0, 10, 200, NaN][(c + r) % 4],
		);
});

test("png: bombs, lies and damage are refused", () => {
	const samples = () => [7];
	const whole = pngFile(samples);
	refused(
		pngFile(samples, { width: 60000, height: 60000, data: new Uint8Array(9) }),
		"a.png",
		/60000 x 60000 pixels/,
	);
	refused(
		pngFile(samples, {
			width: 8000,
			height: 8000,
			colour: 6,
			depth: 16,
			data: new Uint8Array(9),
		}),
		"a.png",
		/512 MB unpacked/,
	);
	refused(
		pngFile(samples, { width: 0, data: new Uint8Array(9) }),
		"a.png",
		/0 x 3 pixels/,
	);
	refused(
		pngFile(samples, { data: new Uint8Array(5e7) }),
		"a.png",
		/more than 18 bytes/,
	);
	refused(
		pngFile(samples, { data: new Uint8Array(17) }),
		"a.png",
		/17 bytes of pixels.*18/,
	);
	refused(pngFile(samples, { depth: 3 }), "a.png", /3 bits/);
	refused(pngFile(samples, { colour: 5 }), "a.png", /colour type 5/);
	refused(
		pngFile(() => [3], { colour: 3, depth: 8, palette: [[1, 1, 1]] }),
		"a.png",
		/palette of 1/,
	);
	for (let cut = 1; cut < whole.length - 4; cut++)
		assert.throws(
			() => readMeasurement(whole.subarray(0, whole.length - cut), "a.png"),
			(e: Error) => e instanceof FormatError,
		);
	const damaged = whole.slice();
	damaged[whole.length - 16 - 6] ^= 1;
	refused(damaged, "a.png", /damaged|unpack/);
	// A profile that would unpack to 50 MB is not even looked at.
	const profile = concat(
		"icc\0\0",
		new Uint8Array(deflateSync(new Uint8Array(5e7))),
	);
	assert.is(
		readMeasurement(pngFile(samples, { extra: [["iCCP", profile]] }), "a.png")
			.nx,
		5,
	);
	refused(
		concat(whole.subarray(0, 8), pngChunk("IDAT", new Uint8Array(3))),
		"a.png",
		/one IHDR/,
	);
});

test("what is no measurement is refused, and content goes before the name", () => {
	refused(new Uint8Array(), "a.sxm", /an empty file/);
	refused(text("Dear all, the helium"), "a.docx", /begins with "Dear all"/);
	refused(
		Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 1, 1),
		"a.jpg",
		/ff d8 ff/,
	);
	refused(text("a b c"), "hasOwnProperty", /begins with/);
	refused(text("a b c"), "x.toString", /begins with/);
	refused(text("1 2\n3 4\n"), "a.sxm", /opening/);
	refused(text("1 2\n3 4\n"), "a.3ds", /no :HEADER_END:/);
	refused(text("1 2\n3 4\n"), "a.png", /first eight/);
	const renamed = readMeasurement(sxmFile(), "scan.npy");
	assert.is(renamed.format, "sxm");
	assert.match(renamed.warnings[0], /named \.npy, but holds sxm/);
	// A view into a larger buffer, as Node's small files are.
	const shifted = concat("abc", gridFile()).subarray(3);
	assert.is(readMeasurement(shifted, "g").format, "3ds");
});

function consistent(m: Measurement): void {
	assert.ok(Number.isSafeInteger(m.nx * m.ny) && m.nx > 0 && m.ny > 0);
	assert.ok(m.channels.length > 0);
	assert.is(new Set(names(m)).size, m.channels.length);
	for (const s of m.spacing ? [m.spacing.x, m.spacing.y] : [])
		assert.ok(s > 0 && Number.isFinite(s));
	for (const channel of m.channels) {
		const energies = energiesOf(m, channel);
		assert.ok(energies.every(Number.isFinite));
		assert.ok([0, channel.images.length].includes(energies.length));
		assert.ok(channel.images.length > 0);
		for (const image of channel.images) {
			assert.is(image.length, m.nx * m.ny);
			assert.ok(!image.includes(Infinity) && !image.includes(-Infinity));
		}
	}
}

test("thousands of damaged files: read consistently, or FormatError", () => {
	const random = new Random(4, 1);
	const below = (n: number) => random.integer(0, n);
	const multipass = {
		"Multipass-Config":
			"\tBias_override\tBias_override_value\n\tTRUE\t1\n\tTRUE\t2",
	};
	const seeds: [string, Uint8Array][] = [
		["a.sxm", sxmFile()],
		["a.sxm", sxmFile(undefined, { tags: multipass, up: true })],
		["a.3ds", gridFile()],
		["a.npy", encodeNpy(new Float32Array(12).fill(1.5), [3, 4])],
		["a.npy", encodeNpy(new Float64Array(12).fill(-1), [3, 2, 2])],
		["a.csv", text("1,2.5,3\n4,nan,6\n# x\n7,8,9e1\n")],
		["a.csv", text(",0,1,2\n0,1.5,-2,3e-9\n1,4,5.1,-6\n")],
		["a.csv", text('"1,5";"2"\n"3";"-4,25"\n')],
		["a.txt", text("# Width: 5 nm\n# Height: 3 nm\n1\t2\n3\t4\n")],
		["a.csv", text("x (nm),y (nm),z\n0,0,1\n0,1,2\n1,0,3\n1,1,4\n")],
		["a.png", pngFile((c, r) => [c * r])],
		["a.png", pngFile((c, r) => [c * r, 2, 3, 4], { colour: 6, depth: 16 })],
		[
			"a.png",
			pngFile((c, r) => [(c + r) % 2], {
				colour: 3,
				depth: 1,
				palette: [
					[1, 2, 3],
					[4, 5, 6],
				],
			}),
		],
	];
	const pieces = [
		"0",
		"9999999",
		"-1",
		"NaN",
		"1e308",
		";",
		"\n",
		":",
		'"',
		"=",
		"x",
		"\t",
		"\0",
		"(",
		",",
	];
	let read = 0;
	let refusals = 0;
	for (let round = 0; round < 6000; round++) {
		const [name, seed] = seeds[round % seeds.length];
		let bytes: Uint8Array = seed.slice();
		for (let edits = 1 + below(3); edits > 0; edits--) {
			// Headers are most of what there is to get wrong.
			const at = below(
				random.uniform() < 0.5 ? bytes.length : Math.min(600, bytes.length),
			);
			const kind = below(6);
			if (kind === 0) bytes = bytes.slice(0, at);
			else if (kind === 1)
				bytes = concat(bytes.slice(0, at), bytes.slice(at + 1 + below(9)));
			else if (kind === 2)
				bytes = concat(
					bytes.slice(0, at),
					pieces[below(pieces.length)],
					bytes.slice(at + below(3)),
				);
			else if (kind === 3)
				bytes = concat(
					bytes.slice(0, at),
					seed.slice(below(seed.length)).slice(0, below(99)),
					bytes.slice(at),
				);
			else if (at < bytes.length)
				bytes[at] = kind === 4 ? below(256) : bytes[at] ^ (1 << below(8));
		}
		try {
			consistent(readMeasurement(bytes, name));
			read++;
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			assert.match(error.message, /^a\.\w+: [^\n\r]+$/);
			refusals++;
		}
	}
	assert.ok(read > 500, `${read} were read`);
	assert.ok(refusals > 1000, `${refusals} were refused`);
});

test("random bytes under every name", () => {
	const random = new Random(5, 1);
	for (let round = 0; round < 300; round++) {
		const bytes = Uint8Array.from({ length: 1 + round * 7 }, () =>
			random.integer(0, 256),
		);
		for (const extension of ["sxm", "3ds", "npy", "png", "csv", "dat"])
			assert.throws(
				() => readMeasurement(bytes, `a.${extension}`),
				(error: Error) => error instanceof FormatError,
			);
	}
});

const real = fileURLToPath(
	new URL("../../shared/real/FeSe_topography.sxm", import.meta.url),
);
if (!existsSync(real)) console.log(`not tried: no ${real}`);
else
	test("the real scan of FeSe: channels, size, bias, orientation", () => {
		const bytes = readFileSync(real);
		const m = readMeasurement(bytes, "FeSe_topography.sxm");
		assert.equal([m.nx, m.ny, m.energies, m.warnings], [224, 224, [0.045], []]);
		assert.ok(m.spacing && Math.abs(m.spacing.x * 224 - 200) < 1e-9);
		assert.equal(
			names(m).filter((name) => !name.includes("backward")),
			["Z", "Current", "LIY_1_omega", "LIY_n_omega"],
		);
		// SCAN_DIR is down: the first number of the fifth image is its upper left corner.
		const channel = findChannel(m, "LIY 1 omega (A)");
		assert.is(channel?.name, "LIY_1_omega");
		const first = bytes.readFloatBE(bytes.length - 4 * 224 * 224 * 4);
		assert.is(channel?.images[0][223], first);
		// The same surface both ways: un-mirrored, forward and backward agree.
		const [z, back] = m.channels.slice(0, 2).map((c) => c.images[0]);
		assert.ok(correlation(z, back) > 0.9);
	});

function correlation(a: Float32Array, b: Float32Array): number {
	const mean = (x: Float32Array) => x.reduce((s, v) => s + v, 0) / x.length;
	const [ma, mb] = [mean(a), mean(b)];
	let [ab, aa, bb] = [0, 0, 0];
	a.forEach((v, i) => {
		ab += (v - ma) * (b[i] - mb);
		aa += (v - ma) ** 2;
		bb += (b[i] - mb) ** 2;
	});
	return ab / Math.sqrt(aa * bb);
}

test.run();
