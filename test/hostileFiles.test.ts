/** Files that lie, or are made to hurt: each is refused in one clear line, or read for what it is. */
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readScatterers } from "../src/extraction/marks/scatterers.ts";
import { chooseChannel } from "../src/extraction/results/choose.ts";
import { readMasks } from "../src/extraction/scan/masks.ts";
import { encodeNpy } from "../src/formats/npy.ts";
import { readMeasurement } from "../src/formats/readMeasurement.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import { sha256 } from "../src/formats/sha256.ts";
import { Weights } from "../src/models/trained/weights.ts";
import { readWeightsManifest } from "../src/models/trained/weightsManifest.ts";
import { parseKernelFile } from "../src/qpi/dataset/csv.ts";
import { readManifest } from "../src/qpi/dataset/manifest.ts";
import { decodeCheckpoint } from "../src/training/checkpoint.ts";
import { concat, gridFile, sxmFile } from "./formatFixtures.ts";
import {
	datasetText,
	safetensorsFile,
	sourceOf,
	weightsManifestText,
	written,
} from "./fuzzFixtures.ts";

const text = (content: string) => new TextEncoder().encode(content);
/** The error's message, after a check that it is one short line without control characters. */
function message(call: () => unknown): string {
	try {
		call();
	} catch (error) {
		const { message } = error as Error;
		assert.match(message, /^[ -~\u00a0-\uffff]{1,2500}$/);
		assert.not.match(message, /undefined|Cannot read|call stack/);
		return message;
	}
	return assert.unreachable("it was read") as never;
}
/** By the time that the process has computed: others may keep the machine busy. What takes time by the square of a length takes far longer. */
const within = (seconds: number, call: () => unknown) => {
	const began = process.cpuUsage();
	call();
	const { user, system } = process.cpuUsage(began);
	assert.ok(user + system < 3e6 * seconds, `${(user + system) / 1e6} s`);
};

test("a pixel of a dataset file that is not finite is refused, however it is written", () => {
	for (const value of [
		"1e999",
		"1e1000000000000000000000",
		"-1e99999999999999999999999",
		"inf",
	])
		assert.match(
			message(() => parseKernelFile(datasetText(value), "k.csv")),
			/k\.csv, row 4, column 11: found an infinite value/,
			value,
		);
	const zero = parseKernelFile(
		datasetText("0e99999999999999999999999"),
		"k.csv",
	);
	assert.is(zero.images[0][10], 0);
});

test("the largest floats and what is infinite count as not measured, and are said", () => {
	const pixels = (ix: number, iy: number) =>
		ix === 1 ? 3.4028235e38 : ix === 2 ? -2e38 : ix + iy;
	const npy = Float32Array.from({ length: 20 }, (_, i) =>
		pixels(i >> 2, i % 4),
	);
	for (const m of [
		readMeasurement(sxmFile(pixels), "a.sxm"),
		readMeasurement(gridFile(pixels), "a.3ds"),
		readMeasurement(encodeNpy(npy, [5, 4]), "a.npy"),
		readMeasurement(text("0,1,2\n3e38,1,-3e38\n1e999,1,1e31\n"), "a.csv"),
	]) {
		for (const { name, images } of m.channels)
			for (const image of name === "Z" && m.format === "3ds" ? [] : images) {
				assert.ok(image.some(Number.isNaN));
				assert.ok(image.every((v) => !(Math.abs(v) > 1e18)));
			}
		assert.match(
			m.warnings.join("; "),
			/values infinite or beyond 1e\+18: taken as not measured/,
		);
	}
});

test("a manifest with holes says what is missing, and where", () => {
	const whole = {
		number: 1,
		file: "Kernel number1.csv",
		bytes: 1,
		family: "f",
		symmetry: 1,
		energy: 0,
		observations: 1,
		noise: [0],
	};
	const read = (kernels: unknown, rest = {}) =>
		message(() =>
			readManifest(
				JSON.stringify({ format: 1, count: 1, kernels, ...rest }),
				"manifest.json",
			),
		);
	assert.match(
		read([null]),
		/^manifest\.json: found nothing in place 1 of the kernels/,
	);
	assert.match(read([whole, 7]), /place 2 of the kernels/);
	assert.match(
		read([{ ...whole, number: undefined }]),
		/no file name or number in place 1/,
	);
	assert.match(
		read([{ ...whole, symmetry: undefined }]),
		/found nothing as the symmetry of kernel 1/,
	);
	assert.match(read([{ ...whole, noise: null }]), /not whole/);
	assert.match(
		message(() => readManifest("null", "m.json")),
		/found format nothing/,
	);
	assert.match(
		message(() => readManifest('{"a":\n"b"\n\u001b', "m.json")),
		/m\.json/,
	);
});

test("a length that the header does not give is called missing", () => {
	const sxm = sxmFile(undefined, { tags: { SCAN_RANGE: " 1e-8" } });
	assert.match(
		message(() => readMeasurement(sxm, "a.sxm")),
		/found nothing as the height in SCAN_RANGE/,
	);
	assert.match(
		message(() =>
			decodeSafetensors(safetensorsFile('{"__proto__":{"shape":[]}}'), "w"),
		),
		/tensor "__proto__" has dtype nothing/,
	);
});

test("weights: a manifest says what is wrong with it", () => {
	const good = JSON.parse(weightsManifestText);
	for (const [bad, what] of [
		["[1,\n\u001b", /expected the manifest of weights/],
		[null, /found no list of files/],
		[{ ...good, version: 1 }, /found 1 as version/],
		[{ ...good, files: { a: null } }, /found nothing as sha256 of "a"/],
		[{ ...good, files: { a: { sha256: 5 } } }, /found 5 as sha256 of "a"/],
		[
			`{"version":"","preset":{"size":1},"files":{"a":{"sha256":${"[".repeat(5000)}${"]".repeat(5000)}}}}`,
			/found a list of 1 as sha256 of "a"/,
		],
	] as const)
		assert.match(
			message(() =>
				readWeightsManifest(
					text(typeof bad === "string" ? bad : JSON.stringify(bad)),
					"m",
				),
			),
			what,
		);
});

test("a checkpoint whose checksum is right and whose figures are none", async () => {
	const whole = {
		...{ epoch: 1, step: 1, tensors: new Map() },
		history: { train: [], validation: [] },
	};
	const read = async (changes: object) =>
		decodeCheckpoint(
			sourceOf(await written({ ...whole, ...changes }, "k"), "c"),
			"k",
		);
	assert.is((await read({})).epoch, 1);
	const refused = async (changes: object, what: RegExp) =>
		assert.match(
			await read(changes).then(
				() => "nothing was refused",
				(error: Error) => error.message,
			),
			what,
		);
	await refused({ epoch: NaN }, /^c: found "NaN" as epoch/);
	await refused({ history: null }, /^c: found "null" as history/);
	await refused(
		{ history: { train: [[1]], validation: [] } },
		/^c: found .* as history/,
	);
});

test("weights: what does not fit names its file", async () => {
	const open = async (size: unknown, prior = safetensorsFile("{}")) => {
		const sum = await sha256(prior as Uint8Array<ArrayBuffer>);
		const manifest = {
			version: "0",
			preset: { size },
			files: { "prior.safetensors": { sha256: sum } },
		};
		const files: Record<string, Uint8Array> = {
			"manifest.json": text(JSON.stringify(manifest)),
			"prior.safetensors": prior,
		};
		return Weights.open(
			"w",
			async (name) => files[name] as Uint8Array<ArrayBuffer>,
		);
	};
	const said = (work: Promise<unknown>) =>
		work.then(
			() => assert.unreachable() as never,
			(error) =>
				message(() => {
					throw error;
				}),
		);
	const part = { channels: [8, 16, 32], blocks: [0, 0] };
	const good = { encoder: part, decoder: part };
	for (const bad of [
		{ ...good, encoder: null },
		{ ...good, decoder: { ...part, channels: [8, 16] } },
		{ ...good, decoder: { ...part, channels: [8, 16, 1e9] } },
		{ ...good, decoder: { ...part, blocks: "00" } },
		{ ...good, decoder: { ...part, blocks: [0, -1] } },
	])
		assert.match(
			await said(open(bad)),
			/^w\/manifest\.json: found .* preset\.size\.(en|de)coder/,
		);
	const weights = await open(good);
	assert.match(
		await said(weights.prior()),
		/^w\/prior\.safetensors: found no tensor even\+\.components/,
	);
	assert.match(
		await said((await open(good, text("cut"))).prior()),
		/^w\/prior\.safetensors: 3 bytes/,
	);
});

test("lists nested thousands deep are refused, not followed", () => {
	const deep = `${"[".repeat(2e4)}${"]".repeat(2e4)}`;
	for (const entry of [
		`{"dtype":"F32","shape":[${deep}],"data_offsets":[0,0]}`,
		`{"dtype":${deep},"shape":[],"data_offsets":[0,0]}`,
		`{"dtype":"F32","shape":[],"data_offsets":${deep}}`,
	])
		message(() => decodeSafetensors(safetensorsFile(`{"w":${entry}}`), "w"));
	message(() => readManifest(`{"format":${deep}}`, "m"));
});

test("control characters of a file are written out in names, units, details and messages", () => {
	const m = readMeasurement(
		sxmFile(undefined, {
			channels: [
				{ name: "Z\u001b[2J\u0007", unit: "m\u009b", direction: "both" },
			],
			tags: { COMMENT: "a\u001b]0;owned\u0007 \u202eb" },
		}),
		"a.sxm",
	);
	const shown = JSON.stringify([
		m.channels.map(({ name, unit }) => [name, unit]),
		m.details,
		m.warnings,
	]);
	assert.match(shown, /Z\\\\u001b/);
	assert.not.match(shown, /[^ -~]/);
	for (const [name, bytes] of [
		[
			"\u001b[2J.sxm",
			sxmFile(undefined, { tags: { SCAN_PIXELS: "\u001b \u0007" } }),
		],
		["a\n.3ds", gridFile(undefined, { keys: { "Grid dim": '"\u009b"' } })],
		["a.csv", text("1,2\u001b\n")],
		["a.bin", text("\u001b[2J")],
	] as const)
		message(() => readMeasurement(bytes, name));
});

test("long fields and names take time by their length, not its square", () => {
	const digits = "1".repeat(3e5);
	within(1, () =>
		message(() => readMeasurement(text(`${digits}x,1\n`), "a.csv")),
	);
	within(1, () =>
		message(() => parseKernelFile(datasetText(`${digits}x`), "k.csv")),
	);
	within(1, () =>
		message(() => parseKernelFile(datasetText(`+${digits}`), "k.csv")),
	);
	const dim = `"${"x".repeat(3e5)}\u2028"`;
	within(1, () =>
		message(() =>
			readMeasurement(
				gridFile(undefined, { keys: { "Grid dim": dim } }),
				"a.3ds",
			),
		),
	);
	within(1, () =>
		message(() => readScatterers(`${"(".repeat(3e5)}\u2028,y\n1,2\n`, "s.csv")),
	);
	const measurement = readMeasurement(
		sxmFile(undefined, {
			channels: [
				{ name: `dI${" ".repeat(1e5)}x`, unit: "m", direction: "both" },
				{ name: `dI${" ".repeat(1e5)}x`, unit: "m", direction: "both" },
			],
		}),
		"a.sxm",
	);
	within(1, () =>
		assert.ok(
			message(() => chooseChannel({ measurement, file: "a.sxm" }, "none"))
				.length < 2500,
		),
	);
});

test("a text that was cut is refused, or its size is said", () => {
	const read = (content: string) => readMeasurement(text(content), "a.csv");
	for (const cut of [
		"1,2,3\n4,5,",
		"1,2,3\n4,5",
		"1,2,3\n4,5,6.",
		"1,2,3\n4,5,6e",
		"1;2\n3;",
	])
		assert.match(
			message(() => read(cut)),
			/a\.csv: found .*expected/,
			cut,
		);
	const warned = read("1,2,3\n4,5,6");
	assert.match(
		warned.warnings.join(),
		/no newline at the end.*2 rows of 3 numbers were read/,
	);
	for (const whole of ["1,2,3\n4,5,\n", "1,2,3\r4,5,6\r", "1,2,\n3,4,\n"])
		assert.equal(read(whole).warnings, [], whole);
	assert.is(read("1,2,\n3,4,").ny, 2);
});

test("tables with very many columns and rows take time by their length", () => {
	const table = `Name Direction ${"c ".repeat(2e5)}\n${"Z both\n".repeat(6e4)}`;
	const wide = sxmFile(undefined, { tags: { DATA_INFO: table } });
	within(2, () => message(() => readMeasurement(wide, "a.sxm")));
	const marks = `x,y${",c".repeat(3e5)}\n${"1,2\n".repeat(2e5)}`;
	within(2, () =>
		assert.match(
			message(() => readScatterers(marks, "s.csv")),
			/s\.csv, row 1: found 300002 columns, expected at most 100/,
		),
	);
	const corners = `polygon${",1".repeat(4e4)}\n`;
	assert.match(
		message(() => readMasks(corners, "m.csv")),
		/m\.csv, row 1: found 40000 numbers, expected a polygon of at most 10000 corners/,
	);
});

test("files of very many tiny images, or that announce much more than they hold, are refused", () => {
	const header = (tags: Record<string, string>) =>
		gridFile(undefined, {
			...{ nx: 1, ny: 1, points: 1, channels: ["I (A)"] },
			keys: { "Experiment size (bytes)": undefined, ...tags },
		});
	const bytes = new Uint8Array(4e6);
	assert.match(
		message(() =>
			readMeasurement(encodeNpy(new Float32Array(1e5), [1e5, 1, 1]), "a.npy"),
		),
		/shape \(100000, 1, 1\), expected at most 65536 images/,
	);
	assert.match(
		message(() =>
			readMeasurement(concat(header({ Points: "999000" }), bytes), "a.3ds"),
		),
		/1 channels of 999000 points, expected at most 65536 images/,
	);
	const lie = concat(
		header({ "Grid dim": '"4000 x 4000"', Points: "20" }),
		new Uint8Array(2e7),
	);
	assert.match(
		message(() => readMeasurement(lie, "a.3ds")),
		/20000\d+ bytes behind the header, expected 4000 x 4000 points/,
	);
	const tensors = Array.from(
		{ length: 4e5 },
		(_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`,
	);
	assert.match(
		message(() => decodeSafetensors(safetensorsFile(`{${tensors}}`), "w")),
		/a header of \d+ bytes; at most 16777216 are read/,
	);
});

test("a long text takes a few times its own memory", () => {
	const script = `
		import { readMeasurement } from ${JSON.stringify(new URL("../src/formats/readMeasurement.ts", import.meta.url).href)};
		const row = "1,".repeat(999) + "1\\n";
		const bytes = Buffer.alloc(30_000_000, row);
		const before = process.resourceUsage().maxRSS;
		const text = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
		const { nx, ny } = readMeasurement(text, "a.csv");
		console.log(nx * ny, (process.resourceUsage().maxRSS - before) * 1024);`;
	const [pixels, memory] = execFileSync(
		process.execPath,
		["--input-type=module", "--eval", script],
		{ encoding: "utf8" },
	)
		.split(" ")
		.map(Number);
	assert.is(pixels, 15e6);
	assert.ok(memory < 200e6, `${memory / 1e6} MB`);
});

test.run();
