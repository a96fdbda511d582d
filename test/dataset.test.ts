import { spawnSync } from "node:child_process";
import {
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	utimes,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { datasetSplit, openDataset } from "../src/node/datasets/dataset.ts";
import { makeDataset } from "../src/node/datasets/makeDataset.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { startProgress } from "../src/node/files/progress.ts";
import { KernelParser, parseKernelFile } from "../src/qpi/dataset/csv.ts";
import {
	DatasetError,
	type KernelFile,
	kernelFileName,
	kernelNumber,
	makeAxis,
	OPEN_END,
} from "../src/qpi/dataset/format.ts";
import type { Manifest } from "../src/qpi/dataset/manifest.ts";
import {
	activationMap,
	minMax,
	standardise,
} from "../src/qpi/dataset/preprocess.ts";
import {
	makeSplit,
	publishedFamily,
	publishedSymmetry,
	readSplit,
	type SplitKernel,
	type Symmetry,
	splitObservations,
} from "../src/qpi/dataset/split.ts";
import { printFloat32, writeKernelFile } from "../src/qpi/dataset/writeCsv.ts";
import { makeKernel, planKernels } from "../src/qpi/generator/generator.ts";
import { Random } from "../src/random.ts";

const FILE = "Kernel number7.csv";

/** A kernel with a few images; the last image uses all 20 places. `plain` gives one-digit pixels: a small text. */
function made(images: number, seed = 1, plain = false): KernelFile {
	const random = new Random(seed);
	const image = () =>
		Float32Array.from({ length: 4096 }, () =>
			plain ? random.integer(0, 3) : random.normal() * 0.1,
		);
	const counts = Array.from({ length: images }, (_, i) =>
		i === images - 1 ? 20 : 1 + ((i * 7) % 19),
	);
	return {
		kernel: image(),
		axis: makeAxis(),
		images: counts.map(image),
		scatterers: counts.map((n) =>
			Array.from({ length: n }, () => ({
				x: Math.fround(random.uniform(-180, 180)),
				y: Math.fround(random.uniform(-180, 180)),
			})),
		),
	};
}

const textOf = (data: KernelFile) => [...writeKernelFile(data, FILE)].join("");
const near = (text: string) => Number(printFloat32(Number(text)));

/** What a file reads back as: positions as the decimals that were written. */
const rounded = (data: KernelFile): KernelFile => ({
	...data,
	scatterers: data.scatterers.map((list) =>
		list.map(({ x, y }) => ({ x: near(`${x}`), y: near(`${y}`) })),
	),
});

/** Equality of two files; a diff of 4096 pixels helps nobody. */
function sameFile(actual: KernelFile, expected: KernelFile, message = "") {
	const bytes = (arrays: (Float32Array | Float64Array)[]) =>
		Buffer.concat(
			arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength)),
		);
	const pixels = (f: KernelFile) =>
		bytes([f.kernel, ...f.images].map((a) => a.map((v) => v + 0))); // -0 is 0
	assert.ok(pixels(actual).equals(pixels(expected)), `${message}: pixels`);
	for (const [i, x] of expected.axis.entries())
		assert.ok(Math.abs(actual.axis[i] - x) < 1e-12, `${message}: axis`);
	assert.equal(actual.scatterers, expected.scatterers, message);
	assert.is(actual.warning, expected.warning, message);
}

function fails(text: string | Uint8Array, ...parts: (string | RegExp)[]) {
	try {
		parseKernelFile(text, FILE);
	} catch (error) {
		assert.instance(error, DatasetError);
		for (const part of [FILE, ...parts])
			assert.match((error as Error).message, part);
		return;
	}
	assert.unreachable(`read, but it should fail with ${parts.join(" ")}`);
}

/** The small file as fields, changed by `edit`, as text again. */
function edited(edit: (rows: string[][]) => void): string {
	const rows = textOf(small)
		.trimEnd()
		.split("\n")
		.map((row) => row.split(","));
	edit(rows);
	return `${rows.map((row) => row.join(",")).join("\n")}\n`;
}

const small = made(3, 5, true);

test("what is written is read back, float32 by float32", () => {
	const data = made(4);
	data.images[0].set([0, -0, 1e-45, -3.4e38, 1e-7, 16777217, 1 / 3]);
	sameFile(parseKernelFile(textOf(data), FILE), rounded(data));
});

test("the text is the published format", () => {
	const rows = textOf(small).split("\n");
	assert.is(rows.length, 3 + 3 + 1); // and a newline at the end
	assert.is(rows[0], "64,20");
	assert.is(rows[1].split(",").length, 64);
	assert.ok(rows[1].startsWith("-200,-193.65079") && rows[1].endsWith(",200"));
	for (const row of rows.slice(2, 6)) assert.is(row.split(",").length, 4136);
	assert.ok(rows[2].endsWith(`,0,0${",1000".repeat(38)}`));
	const { x, y } = small.scatterers[0][0];
	assert.ok(
		rows[3].endsWith(
			`,${printFloat32(x)},${printFloat32(y)}${",1000".repeat(38)}`,
		),
	);
});

test("numbers are the shortest that keep a float32, for any bits", () => {
	const random = new Random(2);
	const floats = new Float32Array(
		new Uint32Array(20_000).map(() => random.uint32()).buffer,
	);
	for (const v of floats) {
		if (!Number.isFinite(v)) continue;
		const text = printFloat32(v);
		assert.is(Math.fround(Number(text)), v === 0 ? 0 : v, text);
		assert.ok(
			text.replace(/e.*|[-.]/g, "").replace(/^0+|0+$/g, "").length < 10,
		);
	}
	assert.is(printFloat32(0.1), "0.1");
	assert.is(printFloat32(-1 / 3), "-0.33333334");
});

test("the writer refuses what the format cannot hold", () => {
	const data = made(1);
	data.images[0][5] = Number.NaN;
	assert.throws(() => textOf(data), /row 4, column 6: found NaN/);
	data.images[0][5] = 0;
	data.scatterers[0].push({ x: 0, y: 0 });
	assert.throws(() => textOf(data), /row 4: found 21 scatterers/);
});

for (const [name, padding] of [
	["nothing", undefined],
	["empty fields", ""],
	["zeros", "0"],
	["zeros with a point", "0.0"],
	["NaN", "NaN"],
	["nan", " nan"],
] as const)
	test(`rows 1-3 padded with ${name} read the same`, () => {
		const text = edited((rows) => {
			rows[2].length = 4096;
			if (padding === undefined) return;
			for (const row of rows.slice(0, 3))
				while (row.length < 4136) row.push(padding);
		});
		sameFile(parseKernelFile(text, FILE), rounded(small));
	});

test("a kernel row may have its position and lack the unused places", () => {
	for (const rest of [[], ["", ""], ["nan", "NaN"], ["1000", "1000"]])
		sameFile(
			parseKernelFile(
				edited((rows) => {
					rows[2].splice(4098, 40, ...rest);
				}),
				FILE,
			),
			rounded(small),
		);
});

test("CRLF, a byte-order mark, blanks, plus signs, exponents, blank lines at the end", () => {
	const text = textOf(small);
	const same = (t: string) =>
		sameFile(parseKernelFile(t, FILE), rounded(small));
	same(text.replaceAll("\n", "\r\n"));
	same(`\ufeff${text}`);
	same(text.replaceAll(",", ", "));
	same(`${text}\n\r\n\n`);
	same(text.replace("64,20", "+6.4e+1,2.0E1"));
	same(text.replaceAll(",1000", ",1.000000000000000000e+03"));
});

test("numbers in any spelling", () => {
	const spellings = [
		"0.25",
		".25",
		"25e-2",
		"+0.25",
		"2.5E-01",
		"0.250000000000000000000000000000",
		"250000000000000000000000000e-27",
		"0.00000000000000000000000000025e27",
		" 0.25 ",
	];
	const text = edited((rows) => {
		rows[3].splice(0, spellings.length, ...spellings);
		rows[3].splice(20, 3, "-12345678901234567890", "7.", "-0");
	});
	const [image] = parseKernelFile(text, FILE).images;
	assert.equal(
		[...image.subarray(0, spellings.length)],
		spellings.map(() => 0.25),
	);
	assert.equal(
		[...image.subarray(20, 23)],
		[Math.fround(-1.234567890123457e19), 7, -0],
	);
});

test("a missing newline at the end is accepted, with a warning if a digit may be lost", () => {
	const text = textOf(small).trimEnd();
	sameFile(parseKernelFile(text, FILE), {
		...rounded(small),
		warning: OPEN_END,
	});
	const unused = made(2, 1, true);
	unused.scatterers[1].pop();
	const whole = textOf(unused).trimEnd();
	assert.is(parseKernelFile(whole, FILE).warning, undefined);
	fails(whole.slice(0, -1), "truncated last line", "row 5, column 4136");
});

test("pieces of any size give the same", () => {
	const text = textOf(made(1, 3, true)).replaceAll("\n", "\r\n");
	const bytes = new TextEncoder().encode(text);
	const whole = parseKernelFile(bytes, FILE);
	const single = new KernelParser(FILE);
	for (let i = 0; i < bytes.length; i++) single.push(bytes.subarray(i, i + 1));
	sameFile(single.end(), whole);
	// Every cut in the first two rows, at the rows' ends, and some elsewhere.
	const random = new Random(1);
	const cuts = [
		...Array.from({ length: 1400 }, (_, i) => i),
		...Array.from({ length: 100 }, (_, i) => bytes.length - i),
		...Array.from({ length: 300 }, () => random.integer(0, bytes.length)),
	];
	for (const cut of cuts) {
		const parser = new KernelParser(FILE);
		parser.push(cut % 2 ? bytes.subarray(0, cut) : text.slice(0, cut));
		parser.push(cut % 3 ? bytes.subarray(cut) : text.slice(cut));
		const { images, scatterers } = parser.end();
		if (
			Buffer.compare(
				Buffer.from(images[0].buffer),
				Buffer.from(whole.images[0].buffer),
			) !== 0
		)
			assert.unreachable(`image differs after a cut at ${cut}`);
		assert.equal(scatterers, whole.scatterers);
	}
});

const set = (row: number, column: number, value: string) =>
	edited((rows) => {
		rows[row - 1][column - 1] = value;
	});

const malformed: [string, () => string, ...(string | RegExp)[]][] = [
	["an empty file", () => "", "found an empty file"],
	["only newlines", () => "\n\r\n", "found an empty file"],
	[
		"another resolution",
		() => set(1, 1, "128"),
		"row 1, column 1: found resolution 128, expected 64",
	],
	["no number of places", () => set(1, 2, "2.5"), "row 1, column 2: found 2.5"],
	[
		"row 1 of one column",
		() => edited((rows) => void rows[0].pop()),
		"row 1, column 1: found 1 column,",
	],
	[
		"row 1 that goes on",
		() => set(1, 3, "7"),
		"row 1, column 3: found 7, expected the end",
	],
	[
		"only a header",
		() => "64,20\n",
		"row 2: found the end of the file, expected the axis",
	],
	[
		"a short axis",
		() => edited((rows) => void rows[1].pop()),
		"row 2, column 63: found 63 columns",
	],
	[
		"another axis",
		() => set(2, 64, "193.75"),
		"row 2, column 64: found 193.75, expected 200.000",
	],
	[
		"an axis that goes on",
		() => set(2, 65, "206.35"),
		"row 2, column 65: found 206.35",
	],
	[
		"an axis with NaN",
		() => set(2, 3, "NaN"),
		"row 2, column 3: found NaN, expected a finite",
	],
	[
		"no rows after the axis",
		() => edited((rows) => void rows.splice(2)),
		"row 3: found no kernel row",
	],
	[
		"no kernel row",
		() => edited((rows) => void rows.splice(2, 1)),
		"row 3, column 4097: found no kernel row",
		"at (0, 0)",
	],
	[
		"a short kernel row",
		() => edited((rows) => void rows[2].splice(4095)),
		"row 3, column 4095: found 4095 columns",
		"4096",
	],
	[
		"NaN in the kernel",
		() => set(3, 4096, "nan"),
		"row 3, column 4096: found nan",
	],
	[
		"no image",
		() => edited((rows) => void rows.splice(3)),
		"row 4: found the end of the file, expected at least one row",
	],
	[
		"a column too few",
		() => edited((rows) => void rows[4].pop()),
		"row 5, column 4135: found 4135 columns, expected 4136 columns",
	],
	[
		"a column too many",
		() => set(5, 4137, "0"),
		"row 5, column 4137: found more than 4136 columns",
	],
	["a comma at the row's end", () => set(5, 4137, ""), "row 5, column 4137"],
	[
		"text in a number",
		() => set(4, 17, "0.1a"),
		'row 4, column 17: found "0.1a", expected a number',
	],
	[
		"two points",
		() => set(4, 4096, "1.2.3"),
		'row 4, column 4096: found "1.2.3"',
	],
	[
		"an exponent without digits",
		() => set(6, 1, "1e"),
		'row 6, column 1: found "1e"',
	],
	["a lone minus", () => set(6, 4136, "-"), 'row 6, column 4136: found "-"'],
	[
		"semicolons",
		() => textOf(small).replaceAll(",", ";"),
		/row 1, column 1: found "64;20/,
	],
	[
		"something binary",
		() => "\0".repeat(5000),
		"row 1, column 1: found",
		"expected a number",
	],
	[
		"NaN in an image",
		() => set(5, 9, "NaN"),
		"row 5, column 9: found NaN, expected a finite number",
	],
	[
		"an empty field in an image",
		() => set(5, 9, ""),
		"row 5, column 9: found an empty field",
	],
	[
		"infinity",
		() => set(5, 9, "-inf"),
		"row 5, column 9: found an infinite value (-inf)",
	],
	[
		"more than a float32 holds",
		() => set(5, 9, "1e39"),
		"row 5, column 9: found an infinite value (1e39)",
	],
	[
		"an exponent beyond all",
		() => set(5, 9, "1e999"),
		"row 5, column 9: found an infinite value",
	],
	[
		"half a position",
		() => set(4, 4099, "12.5"),
		/row 4, column 4100: found the scatterer \(12\.5, 1000\)/,
	],
	[
		"NaN for a position",
		() => set(4, 4136, "NaN"),
		"row 4, column 4136: found NaN",
	],
	[
		"a blank line inside",
		() => edited((rows) => void rows.splice(4, 0, [""])),
		"row 5, column 1: found a blank line",
	],
	[
		"a cut last line",
		() => textOf(small).slice(0, -300),
		/row 6, column 4\d+: found a truncated last line: 4\d+ columns, expected 4136/,
	],
	[
		"a cut last number",
		() =>
			`${textOf(small)
				.trimEnd()
				.replace(/[^,]+$/, "")}-`,
		'row 6, column 4136: found a truncated last line: "-"',
	],
];
for (const [name, text, ...parts] of malformed)
	test(`fails on ${name}, saying where`, () => fails(text(), ...parts));

test("an error carries its place", () => {
	try {
		parseKernelFile(set(5, 9, "x"), FILE);
		assert.unreachable();
	} catch (error) {
		const { file, row, column, found, expected } = error as DatasetError;
		assert.equal(
			[file, row, column, found, expected],
			[FILE, 5, 9, '"x"', "a number"],
		);
	}
});

test("a file cut anywhere is never a shorter dataset without a sign", () => {
	const text = textOf(small);
	const ends = [...text.matchAll(/\n/g)].map((m) => m.index + 1);
	const random = new Random(9);
	const cuts = [
		...Array.from({ length: 400 }, () => random.integer(0, text.length)),
		...Array.from({ length: 30 }, (_, i) => text.length - 1 - i),
		...ends.slice(0, -1).flatMap((at) => [at - 2, at - 1, at, at + 1]),
	];
	for (const cut of cuts) {
		let data: KernelFile;
		try {
			data = parseKernelFile(text.slice(0, cut), FILE);
		} catch (error) {
			assert.instance(error, DatasetError);
			continue;
		}
		// Whole rows are left; that rows lack is seen beside other files (below). A last row without its newline warns or has lost nothing.
		const rows = ends.filter((at) => at <= cut + 1).length - 3;
		const open = !ends.includes(cut);
		if (data.warning) assert.ok(open);
		else {
			assert.is(data.images.length, rows, `cut at ${cut}`);
			assert.equal(data.scatterers, rounded(small).scatterers.slice(0, rows));
		}
	}
});

test("names of the published files", () => {
	const number: [string, number | undefined][] = [
		["Kernel number1.csv", 1],
		["Kernel number12 something.csv", 12],
		["Kernel number100 64X64 vp coords (2).CSV", 100],
		["Kernel  number3\tx.csv", 3],
		["Kernel number0.csv", undefined],
		["Kernel number12b.csv", undefined],
		["Kernel number.csv", undefined],
		["My Kernel number1.csv", undefined],
		["Kernel number1.csv.bin", undefined],
		["Kernel number1.csv.77.ab.tmp", undefined],
		["Kernel number1.png", undefined],
	];
	for (const [name, n] of number) assert.is(kernelNumber(name), n, name);
	assert.is(kernelNumber(kernelFileName(31)), 31);
});

/** Runs `body` in a folder that is removed afterwards. */
const inFolder = (body: (dir: string) => Promise<void>) => async () => {
	const dir = await mkdtemp(join(tmpdir(), "qpi-dataset-"));
	try {
		await body(dir);
	} finally {
		await rm(dir, { recursive: true });
	}
};

async function rejects(
	promise: Promise<unknown>,
	...parts: (string | RegExp)[]
) {
	const error = await promise.then(
		() => undefined,
		(e) => e,
	);
	assert.instance(error, DatasetError);
	for (const part of parts) assert.match(error.message, part);
}

const kernelPath = (dir: string, n: number) => join(dir, kernelFileName(n));

async function fill(dir: string, numbers: number[], images = 2) {
	await mkdir(dir, { recursive: true });
	for (const n of numbers)
		await writeFile(kernelPath(dir, n), textOf(made(images, n, true)));
}

test(
	"a folder or its one subfolder opens, in the order of numbers, with the published labels",
	inFolder(async (dir) => {
		const folder = join(dir, "64X64 vp coords");
		await fill(folder, [10, 2, 9]);
		await writeFile(
			join(folder, "Kernel number11 and more.csv"),
			textOf(made(5, 11, true)),
		);
		await writeFile(join(folder, "readme.txt"), "not a kernel");
		for (const at of [dir, folder]) {
			const dataset = await openDataset(at, { maxObservations: 2 });
			assert.is(dataset.folder, folder);
			assert.equal(
				dataset.kernels.map((k) => [k.number, k.symmetry, k.observations]),
				[
					[2, 1, 2],
					[9, 4, 2],
					[10, 2, 2],
					[11, 2, 2],
				],
			);
			const whole = rounded(made(5, 11, true));
			sameFile(await dataset.load(11), {
				...whole,
				images: whole.images.slice(0, 2),
				scatterers: whole.scatterers.slice(0, 2),
			});
			await rejects(dataset.load(3), "no kernel 3");
		}
		await fill(join(dir, "other"), [1]);
		await rejects(
			openDataset(dir),
			"kernel files in",
			"64X64 vp coords",
			"other",
		);
		await writeFile(join(folder, "Kernel number9 copy.csv"), "");
		await rejects(
			openDataset(folder),
			"Kernel number9 copy.csv",
			"one file with kernel number 9",
		);
		await mkdir(join(dir, "empty"));
		await rejects(
			openDataset(join(dir, "empty")),
			"no kernel files",
			"Kernel number1.csv",
		);
		await rejects(openDataset(join(dir, "absent")), "no such folder");
	}),
);

test(
	"the cache is used while its source stays the same, and only then",
	inFolder(async (dir) => {
		await fill(dir, [1, 2]);
		const path = kernelPath(dir, 1);
		const text = await readFile(path, "utf8");
		const first = async () =>
			(await (await openDataset(dir)).load(1)).images[0][0];
		const truth = made(2, 1, true).images[0][0];
		assert.is(await first(), truth);
		assert.equal((await readdir(join(dir, ".qpi-cache"))).sort(), [
			"Kernel number1.csv.bin",
			"Kernel number2.csv.bin",
		]);
		// Other content of the same size and time is not looked at: the cache answers.
		const row = text.split("\n").slice(0, 3).join("\n").length + 1;
		const other = `${text.slice(0, row)}9${text.slice(row + 1)}`;
		const put = async (content: string, time: Date) => {
			await writeFile(path, content);
			await utimes(path, time, time);
		};
		const time = new Date("2024-01-01T00:00:00Z");
		await put(text, time);
		assert.is(await first(), truth);
		await put(other, time);
		assert.is(await first(), truth);
		// Another time, or another size at the same time: parsed again.
		const later = new Date("2024-01-01T00:00:01Z");
		await put(other, later);
		assert.is(await first(), 9);
		await put(`${text}\n`, later);
		assert.is(await first(), truth);
	}),
);

test(
	"a damaged cache is rebuilt, wherever it is damaged",
	inFolder(async (dir) => {
		await fill(dir, [1]);
		const cached = join(dir, ".qpi-cache", "Kernel number1.csv.bin");
		const truth = rounded(made(2, 1, true));
		const opened = await openDataset(dir);
		sameFile(await opened.load(1), truth);
		const good = await readFile(cached);
		const damages: [string, (b: Buffer) => Uint8Array][] = [
			["empty", () => new Uint8Array(0)],
			["cut in the header", (b) => b.subarray(0, 20)],
			["cut at the end", (b) => b.subarray(0, -1)],
			["longer", (b) => Buffer.concat([b, Buffer.alloc(4)])],
			...[0, 5, 9, 13, 17, 21, 27, 35, 41, 60, 1000, good.length - 1].map(
				(at): [string, (b: Buffer) => Uint8Array] => [
					`byte ${at} changed`,
					(b) => {
						const copy = Buffer.from(b);
						copy[at] ^= 4;
						return copy;
					},
				],
			),
		];
		for (const [name, damage] of damages) {
			await writeFile(cached, damage(good));
			sameFile(await opened.load(1), truth, `${name}, while open`);
			assert.ok(good.equals(await readFile(cached)), `${name}: rebuilt`);
			await writeFile(cached, damage(good));
			const again = await openDataset(dir);
			sameFile(await again.load(1), truth, name);
			assert.ok(good.equals(await readFile(cached)), `${name}: rebuilt`);
		}
	}),
);

test(
	"a cache that cannot be written is done without",
	inFolder(async (dir) => {
		await fill(dir, [1]);
		await writeFile(join(dir, "file"), "in the way");
		const dataset = await openDataset(dir, {
			cacheDir: join(dir, "file", "x"),
		});
		assert.match(
			dataset.warnings.join(),
			"no cache, so the text is read again",
		);
		sameFile(await dataset.load(1), rounded(made(2, 1, true)));
		const without = await openDataset(dir, { cacheDir: false });
		sameFile(await without.load(1), rounded(made(2, 1, true)));
		assert.equal(without.warnings, []);
		assert.equal((await readdir(dir)).sort(), ["Kernel number1.csv", "file"]);
	}),
);

test(
	"a bad file stops, or with skipBad is left out and named",
	inFolder(async (dir) => {
		await fill(dir, [1, 2, 3, 4]);
		await writeFile(kernelPath(dir, 2), textOf(small).replace("64,20", "64,x"));
		await writeFile(kernelPath(dir, 4), "");
		await rejects(openDataset(dir), "Kernel number2.csv, row 1, column 2");
		const dataset = await openDataset(dir, { skipBad: true });
		assert.equal(
			dataset.kernels.map((k) => k.number),
			[1, 3],
		);
		assert.equal(
			dataset.bad.map((e) => [e.row, e.file.slice(-5)]),
			[
				[1, "2.csv"],
				[1, "4.csv"],
			],
		);
		await rejects(dataset.load(2), "no kernel 2");
		await writeFile(kernelPath(dir, 1), "");
		await writeFile(kernelPath(dir, 3), "");
		await rejects(openDataset(dir, { skipBad: true }), "no good file");
	}),
);

test(
	"a kernel with fewer images than the others is warned of",
	inFolder(async (dir) => {
		await fill(dir, [1, 2], 3);
		const text = await readFile(kernelPath(dir, 2), "utf8");
		await writeFile(
			kernelPath(dir, 2),
			text.slice(0, text.trimEnd().lastIndexOf("\n") + 1),
		);
		const { warnings } = await openDataset(dir);
		assert.is(warnings.length, 1);
		assert.match(warnings[0], /number2.csv: 2 images, where others have 3/);
	}),
);

test(
	"a manifest gives families, noise and the split, and no cut passes it",
	inFolder(async (dir) => {
		const numbers = [1, 2, 3, 4];
		await fill(dir, numbers);
		const about = numbers.map((number) => ({
			number,
			family: number < 3 ? "a" : "b",
			symmetry: 6 as const,
			energy: number / 100,
		}));
		const manifest: Manifest = {
			format: 1,
			generator: "1",
			seed: 3,
			options: {},
			count: 4,
			split: makeSplit(about, { seed: 3 }),
			kernels: await Promise.all(
				about.map(async (k) => ({
					...k,
					file: kernelFileName(k.number),
					bytes: (await stat(kernelPath(dir, k.number))).size,
					observations: 2,
					noise: [0.1, 0.2],
					spec: {},
				})),
			),
		};
		const save = (m: unknown) =>
			writeFile(join(dir, "manifest.json"), JSON.stringify(m));
		await save(manifest);
		const dataset = await openDataset(dir, { maxObservations: 1 });
		assert.equal(
			dataset.kernels.map((k) => [k.family, k.symmetry, k.energy, k.noise]),
			[
				["a", 6, 0.01, [0.1]],
				["a", 6, 0.02, [0.1]],
				["b", 6, 0.03, [0.1]],
				["b", 6, 0.04, [0.1]],
			],
		);
		assert.equal(datasetSplit(dataset, 99), manifest.split);

		const path = kernelPath(dir, 2);
		const text = await readFile(path, "utf8");
		const random = new Random(4);
		const rows = text.trimEnd().lastIndexOf("\n") + 1;
		for (const cut of [
			rows,
			rows - 1,
			text.length - 1,
			text.length - 2,
			...Array.from({ length: 20 }, () => random.integer(0, text.length)),
		]) {
			await writeFile(path, text.slice(0, cut));
			await rejects(
				openDataset(dir),
				"Kernel number2.csv",
				"as manifest.json says",
			);
		}
		await rm(path);
		await rejects(openDataset(dir), "no such file", "kernel 2");
		const rest = await openDataset(dir, { skipBad: true });
		assert.equal(rest.bad.length, 1);
		assert.not.ok(
			Object.values(datasetSplit(rest, 99)).some(
				(v) => Array.isArray(v) && v.includes(2),
			),
		);
		await writeFile(path, text);

		await save({ ...manifest, kernels: manifest.kernels.slice(0, 3) });
		await rejects(openDataset(dir), "3 kernels, expected 4", "interrupted");
		await save({ ...manifest, format: 2 });
		await rejects(openDataset(dir), "format 2");
		await save({ ...manifest, split: { ...manifest.split, train: [1, 1] } });
		await rejects(openDataset(dir), "manifest.json, split", "each kernel once");
		await writeFile(join(dir, "manifest.json"), '{"format": 1');
		await rejects(openDataset(dir), "manifest.json", "expected JSON");
	}),
);

test(
	"a made dataset is whole, opens, goes on where it was stopped, and refuses what is not its own",
	inFolder(async (dir) => {
		const out = join(dir, "set");
		const options = { out, kernels: 6, observations: 2, seed: 4 };
		const made = await makeDataset(options);
		const dataset = await openDataset(out);
		assert.equal(dataset.warnings, []);
		assert.equal(
			dataset.kernels.map((k) => k.number),
			[1, 2, 3, 4, 5, 6],
		);
		assert.equal(datasetSplit(dataset, 99), made.split);
		const spec = planKernels(6, 4)[2];
		const truth = makeKernel(spec, options);
		const { kernel, images, scatterers } = await dataset.load(3);
		sameFile(
			{ kernel, images, scatterers, axis: makeAxis() },
			rounded({
				kernel: truth.kernel,
				axis: makeAxis(),
				images: truth.observations.map((o) => o.image),
				scatterers: truth.observations.map((o) =>
					o.scatterers.map(({ x, y }) => ({
						x: Math.fround(x),
						y: Math.fround(y),
					})),
				),
			}),
		);
		assert.equal(
			dataset.kernels[2].noise,
			truth.observations.map((o) => o.noise),
		);

		// As if stopped while the third file was written, the second one cut, and a piece left.
		const third = await readFile(kernelPath(out, 3));
		await writeFile(
			join(out, "manifest.json"),
			JSON.stringify({ ...made, kernels: made.kernels.slice(0, 2) }),
		);
		await writeFile(kernelPath(out, 2), "64,20\n");
		await writeFile(join(out, "Kernel number3.csv.12.ab.tmp"), "64");
		const times: number[] = [];
		assert.equal(
			await makeDataset({ ...options, onKernel: (done) => times.push(done) }),
			made,
		);
		assert.equal(times, [1, 2, 3, 4, 5, 6]);
		assert.ok(third.equals(await readFile(kernelPath(out, 3))));
		assert.equal(
			(await readdir(out)).filter((name) => name.endsWith(".tmp")),
			[],
		);

		await rejects(
			makeDataset({ ...options, seed: 5 }),
			"made with seed 4, expected 5",
			"--force",
		);
		await rejects(makeDataset({ ...options, out: dir }), "1 other files (set");
		await writeFile(join(out, "mine.txt"), "");
		await makeDataset({ ...options, observations: 1, seed: 5, force: true });
		assert.is((await openDataset(out)).kernels[0].observations, 1);
		assert.ok((await readdir(out)).includes("mine.txt"));
	}),
);

test(
	"the command says what is wrong and exits with 1",
	inFolder(async (dir) => {
		const command = (...args: string[]) =>
			spawnSync(
				process.execPath,
				[fileURLToPath(new URL("../bench/data.ts", import.meta.url)), ...args],
				{ encoding: "utf8" },
			);
		const wrong = command("--out", dir, "--kernels", "3");
		assert.is(wrong.status, 1);
		assert.match(wrong.stderr, "at least 6 kernels, got 3");
		const word = command("--out", dir, "--noise", "0.1,x");
		assert.is(word.status, 1);
		assert.match(word.stderr, "--noise");
		assert.equal(await readdir(dir), []);
		const good = command("--out", dir, "-k", "6", "-n", "1");
		assert.is(good.status, 0, good.stderr);
		assert.match(good.stderr, "kernels 6/6");
		assert.match(good.stdout, "6 kernels of 1 images");
	}),
);

test("the published labels", () => {
	const members = (n: number) =>
		Array.from({ length: 120 }, (_, i) => i + 1).filter(
			(k) => publishedSymmetry(k) === n,
		);
	const run = (a: number, b: number) =>
		Array.from({ length: b - a + 1 }, (_, i) => a + i);
	assert.equal(members(1), [1, 2, 4, 5, 7, 8, 82, 83, 85, 86, 88, 89]);
	assert.equal(members(2), [...run(10, 27), ...run(91, 99)]);
	assert.equal(members(3), [...run(64, 81), 100]);
	assert.equal(members(4), [3, 6, 9, ...run(28, 45), 84, 87, 90]);
	assert.equal(members(6), run(46, 63));
	assert.is(publishedFamily(27), "19-27 2-fold");
	assert.is(publishedFamily(9), "1-9 4-fold");
	assert.is(publishedFamily(101), "100-108");
});

/** Kernels of `families` families with `energies` energies each. */
const ladder = (families: number, energies: number): SplitKernel[] =>
	Array.from({ length: families * energies }, (_, i) => ({
		number: i + 1,
		family: `f${Math.floor(i / energies)}`,
		symmetry: ([1, 2, 3, 4, 6] as Symmetry[])[Math.floor(i / energies) % 5],
		energy: (i % energies) / 100,
	}));
const published = Array.from(
	{ length: 100 },
	(_, i): SplitKernel => ({
		number: i + 1,
		family: publishedFamily(i + 1),
		symmetry: publishedSymmetry(i + 1),
	}),
);

test("splits are disjoint, deterministic, and what is unseen is unseen", () => {
	const parts = new Set<string>();
	for (const kernels of [ladder(25, 4), ladder(20, 5), published])
		for (let seed = 0; seed < 20; seed++) {
			const split = makeSplit(kernels, { seed });
			const { train, unseenEnergy, unseenFamily } = split;
			const all = [...train, ...unseenEnergy, ...unseenFamily];
			assert.equal(
				all.toSorted((a, b) => a - b),
				kernels.map((k) => k.number),
			);
			assert.equal(makeSplit(kernels.toReversed(), { seed }), split);
			assert.equal(
				readSplit(JSON.parse(JSON.stringify(split)), "f", all),
				split,
			);
			parts.add(JSON.stringify([unseenEnergy, unseenFamily]));
			const unseen = unseenEnergy.length + unseenFamily.length;
			assert.ok(unseen >= 20 && unseen <= 30, `${unseen} unseen`);

			const of = (n: number) => kernels[n - 1];
			const trained = new Set(train.map((n) => of(n).family));
			for (const n of unseenFamily) assert.not.ok(trained.has(of(n).family));
			const classes = new Set(unseenFamily.map((n) => of(n).symmetry));
			assert.ok(classes.size >= 2, "several classes");
			for (const symmetry of classes)
				assert.ok(train.some((n) => of(n).symmetry === symmetry));
			for (const n of unseenEnergy) {
				const { family, energy } = of(n);
				const known = train.map(of).filter((k) => k.family === family);
				const rung = (k: SplitKernel) => k.energy ?? k.number;
				const here = energy ?? n;
				assert.ok(
					known.every((k) => rung(k) !== here),
					"an energy twice",
				);
				assert.ok(
					known.some((k) => rung(k) < here),
					"interior",
				);
				assert.ok(
					known.some((k) => rung(k) > here),
					"interior",
				);
			}
		}
	assert.ok(parts.size > 50, "seeds differ");
});

test("families that are named are left out in place of drawn ones, where they are there", () => {
	const kernels = ladder(25, 4);
	const named = [kernels[4].family, "nowhere", kernels[40].family];
	for (const seed of [1, 2]) {
		const split = makeSplit(kernels, { seed, unseenFamilies: named });
		const { train, unseenEnergy, unseenFamily } = split;
		assert.equal(
			unseenFamily,
			kernels.filter((k) => named.includes(k.family)).map((k) => k.number),
		);
		assert.is(unseenEnergy.length, 10);
		assert.is(train.length + unseenEnergy.length + unseenFamily.length, 100);
	}
	const none = makeSplit(kernels, { seed: 1, unseenFamilies: [] });
	assert.equal(none.unseenFamily, []);
});

test("small sets keep something to train on", () => {
	for (const [families, energies] of [
		[1, 1],
		[1, 2],
		[2, 1],
		[3, 2],
		[5, 1],
		[5, 3],
		[2, 6],
	])
		for (let seed = 0; seed < 5; seed++) {
			const kernels = ladder(families, energies);
			const { train, unseenFamily } = makeSplit(kernels, { seed });
			assert.ok(train.length >= kernels.length / 3);
			assert.is(unseenFamily.length > 0, families > 1);
		}
	// Seven families in five classes: only a class with two may lose one.
	for (let seed = 0; seed < 10; seed++) {
		const kernels = ladder(7, 5);
		const { train, unseenFamily } = makeSplit(kernels, { seed });
		const symmetry = kernels[unseenFamily[0] - 1].symmetry;
		assert.ok(train.some((n) => kernels[n - 1].symmetry === symmetry));
	}
	const none = makeSplit(ladder(4, 4), { seed: 1, unseenFraction: 0 });
	assert.is(none.train.length, 16);
});

test("two kernels of one energy are left out together", () => {
	const twins = ladder(10, 4).flatMap((k) => [
		k,
		{ ...k, number: k.number + 100 },
	]);
	const { unseenEnergy } = makeSplit(twins, { seed: 2 });
	assert.ok(unseenEnergy.length > 0);
	for (const n of unseenEnergy)
		assert.ok(unseenEnergy.includes(n > 100 ? n - 100 : n + 100));
});

test("a split is checked", () => {
	const kernels = ladder(5, 4);
	const split = makeSplit(kernels, { seed: 1 });
	const numbers = kernels.map((k) => k.number);
	const bad = (change: object, message: RegExp, of?: number[]) =>
		assert.throws(
			() => readSplit({ ...split, ...change }, "s.json", of),
			message,
		);
	bad({ train: undefined }, /s\.json: found no list "train"/);
	bad(
		{ train: [...split.train, split.unseenEnergy[0]] },
		/in "train" and in "unseenEnergy"/,
	);
	bad({ train: [1.5] }, /1\.5 in "train"/);
	bad({ unseenFamily: [] }, /in no part/, numbers);
	bad({ train: [...split.train, 99] }, /kernel 99 in the split/, numbers);
	bad({ maxTraining: 0 }, /maxTraining 0/);
	bad({ heldOutFraction: 1 }, /heldOutFraction 1/);
	assert.throws(
		() => readSplit(null, "s.json"),
		/found null, expected a split/,
	);
	assert.throws(() => makeSplit([], { seed: 1 }), /no kernels/);
	assert.throws(
		() => makeSplit([kernels[0], kernels[0]], { seed: 1 }),
		/kernel 1 comes twice/,
	);
	assert.throws(() => makeSplit(kernels, { seed: 0.5 }), /seed 0.5/);
});

test("the last fifth of a training kernel's images is held out", () => {
	const split = makeSplit(ladder(5, 4), { seed: 1 });
	const of = (n: number) => Object.values(splitObservations(n, split));
	assert.equal(of(500), [250, 400]);
	assert.equal(of(100), [80, 80]);
	assert.equal(of(2), [1, 1]);
	assert.equal(of(1), [1, 1]);
});

test("min-max, and a constant image", () => {
	assert.equal(minMax([-1, 0, 3]), Float32Array.of(0, 0.25, 1));
	assert.equal(minMax([5, 5]), new Float32Array(2));
	assert.throws(() => minMax([1, Number.NaN, 2]), /not finite/);
	const image = made(1).images[0];
	const scaled = minMax(image);
	assert.is(Math.max(...scaled), 1);
	assert.is(Math.min(...scaled), 0);
	const { image: z, mean, std } = standardise(image);
	assert.ok(Math.abs(z.reduce((a, b) => a + b) / 4096) < 1e-6);
	assert.ok(Math.abs(z.reduce((a, b) => a + b * b) / 4096 - 1) < 0.01);
	assert.ok(Math.abs(z[77] * std + mean - image[77]) < 1e-6);
	assert.equal(standardise([0.1, 0.1, 0.1]).image, new Float32Array(3));
});

test("activation maps", () => {
	const on = (map: Float32Array) =>
		[...map.entries()].flatMap(([i, v]) => (v ? [[i >> 6, i & 63, v]] : []));
	const places = [
		{ x: -200, y: 199.9 },
		{ x: 0, y: -6.3 },
		{ x: 0.1, y: -6.3 },
	];
	assert.equal(on(activationMap(places, "paper")), [
		[0, 63, 1],
		[32, 30, 1],
	]);
	assert.equal(on(activationMap(places, "paper", 100)), [[32, 30, 1]]);
	assert.equal(on(activationMap([{ x: 200, y: 1000 }], "paper")), []);
	assert.equal(on(activationMap([{ x: 200, y: 200 }], "paper")), [[63, 63, 1]]);
	// Halfway between the middle pixels, and on the corners.
	assert.equal(on(activationMap([{ x: 0, y: 0 }], "bilinear")), [
		[31, 31, 0.25],
		[31, 32, 0.25],
		[32, 31, 0.25],
		[32, 32, 0.25],
	]);
	assert.equal(on(activationMap([{ x: 200, y: -200 }], "bilinear")), [
		[63, 0, 1],
	]);
	// The map's moments are the position, and scatterers add up.
	const at = { x: 31.7, y: -118.2 };
	const map = activationMap([at, at], "bilinear");
	const axis = makeAxis();
	const moment = (of: (i: number) => number) =>
		map.reduce((sum, v, i) => sum + v * of(i), 0);
	assert.ok(Math.abs(moment(() => 1) - 2) < 1e-6);
	assert.ok(Math.abs(moment((i) => axis[i >> 6]) / 2 - at.x) < 1e-4);
	assert.ok(Math.abs(moment((i) => axis[i & 63]) / 2 - at.y) < 1e-4);
});

test(
	"an interrupted write leaves the old file and nothing beside it",
	inFolder(async (dir) => {
		const path = join(dir, "a.txt");
		await writeFileAtomic(path, "old");
		await writeFileAtomic(path, ["new", "er"]);
		assert.is(await readFile(path, "utf8"), "newer");
		const broken = function* () {
			yield "half";
			throw new Error("stop");
		};
		const error = await writeFileAtomic(path, broken()).catch((e) => e);
		assert.is(error.message, "stop");
		assert.is(await readFile(path, "utf8"), "newer");
		assert.equal(await readdir(dir), ["a.txt"]);
	}),
);

test("progress is plain lines where there is no terminal", () => {
	let text = "";
	const stream = {
		write: (piece: string) => {
			text += piece;
			return true;
		},
	} as unknown as NodeJS.WritableStream;
	const quiet = startProgress("vae", 4, { unit: "steps", stream });
	for (let i = 1; i <= 4; i++) quiet.update(i, { loss: 0.125 / i });
	quiet.stop();
	quiet.stop();
	assert.match(
		text,
		/^vae 4\/4 {2}loss 0\.03125 {2}\S+ steps\/s {2}took 0s\n$/,
	);
	text = "";
	const chatty = startProgress("vae", 4, { unit: "steps", stream, every: 0 });
	chatty.update(1);
	chatty.update(2, { loss: "nan" });
	chatty.stop();
	assert.is(text.split("\n").length, 3);
	assert.match(text, /vae 1\/4 .*left\n/);
});

test.run();
