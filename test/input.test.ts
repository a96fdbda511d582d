import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeScatterers } from "../src/extraction/marks/scatterers.ts";
import {
	chooseChannel,
	chooseImages,
	labelsOf,
} from "../src/extraction/results/choose.ts";
import { resultJson } from "../src/extraction/results/files.ts";
import { checkSize } from "../src/extraction/results/input.ts";
import { measured } from "../src/extraction/results/measured.ts";
import { ownFile } from "../src/extraction/results/ownFiles.ts";
import { type Shape, writeMasks } from "../src/extraction/scan/masks.ts";
import type { Channel, Measurement } from "../src/formats/measurement.ts";
import { readInput } from "../src/node/files/input.ts";
import { OutFolder } from "../src/node/files/outFolder.ts";
import { makeAxis } from "../src/qpi/dataset/format.ts";
import { writeKernelFile } from "../src/qpi/dataset/writeCsv.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-input-"));
test.after(() => rm(scratch, { recursive: true }));

const image = new Float32Array(4);
const measurement = (names: string[], energies: number[] = []) => {
	const images = energies.length ? energies.map(() => image) : [image];
	const channels = names.map((name): Channel => ({ name, unit: "A", images }));
	const whole: Measurement = {
		format: "sxm",
		nx: 2,
		ny: 2,
		channels,
		energies,
		details: [],
		warnings: [],
	};
	return { file: "scan.sxm", sha256: "", bytes: 0, measurement: whole };
};

test("what this program wrote is told apart from a scan: kernels can be looked at, all else is named", async () => {
	const text = (words: string) => new TextEncoder().encode(words);
	const image = (bytes: Uint8Array, name: string) =>
		ownFile(bytes, name)?.image;
	const table = text("x \\ y (Angstrom),-1,0,1\n-1,0,2,4\n0,3,5,1\n1,2,2,7\n");
	assert.is(image(table, "kernel.csv"), true);
	assert.is(image(new Uint8Array(8), "C:\\out\\kernels-kind2.npy"), true);
	assert.is(image(text("qx \\ qy (1/Angstrom),0\n"), "spectrum.csv"), true);
	const mask: Shape = { kind: "rectangle", x: 0, y: 0, width: 1, height: 1 };
	for (const [words, name] of [
		[writeScatterers([]), "mine.csv"],
		[writeMasks([mask]), "mask.csv"],
		[resultJson({}, []), "result.json"],
		["<!doctype html>\n<head><title>Kernel of a.sxm</title>", "report.html"],
	])
		assert.is(image(text(words), name), false, name);
	const packed = zipSync({
		"kernel.npy": text("a"),
		"result.json": text("{}"),
	});
	assert.is(image(packed, "scan-kernel.zip"), false);
	const weights = zipSync({ "w/prior.safetensors": text("a") });
	assert.is(image(weights, "w.zip"), false);
	for (const [words, name] of [
		["1,2\n3,4\n", "scan.csv"],
		["x,y,weight\n1,2,1\n", "places.csv"],
		["<!doctype html><title>A page</title>", "page.html"],
	])
		assert.is(ownFile(text(words), name), undefined, name);
	assert.is(ownFile(zipSync({ "a.npy": text("a") }), "a.npz"), undefined);
	// The command line warns of the one, and refuses the other in one line.
	const kernel = join(scratch, "own.csv");
	await writeFile(kernel, table);
	const { measurement: found, ...rest } = await readInput(kernel);
	assert.ok(found);
	if (found)
		assert.match(
			measured({ ...rest, measurement: found }, {}).warnings[0],
			/own\.csv: a table of this program, a kernel or its uncertainty: it can/,
		);
	const list = join(scratch, "list.csv");
	await writeFile(list, writeScatterers([]));
	assert.match(
		await readInput(list).then(String, (e) => e.message),
		/list\.csv: found a list of scatterers, expected a scan: give the list/,
	);
});

const FESE = [
	"Z",
	"Z backward",
	"Current",
	"LIY_1_omega",
	"LIY_1_omega backward",
	"LIY_n_omega",
	"LIY_n_omega backward",
];

test("a channel by any unique part of its name, forward before backward", () => {
	const input = measurement(FESE);
	for (const [wanted, found] of [
		["liy 1 omega", "LIY_1_omega"],
		["liy_1", "LIY_1_omega"],
		["LIY_n_omega backward", "LIY_n_omega backward"],
		["n_omega back", "LIY_n_omega backward"],
		["z", "Z"],
		["curr", "Current"],
	])
		assert.is(chooseChannel(input, wanted).name, found);
	assert.throws(
		() => chooseChannel(input, "LIY"),
		/scan\.sxm: found several channels like "LIY".*"LIY_1_omega".*"LIY_n_omega"/,
	);
	assert.throws(
		() => chooseChannel(input, "phase"),
		/no channel like "phase", expected one of "Z".*"Current"/,
	);
});

test("without a name: dI/dV, the lock-in's output, else the first", () => {
	const byDefault = (...names: string[]) =>
		chooseChannel(measurement(names), undefined).name;
	assert.is(byDefault(...FESE), "LIY_1_omega");
	assert.is(byDefault("Z", "Lock-in backward", "Lock-in"), "Lock-in");
	assert.is(byDefault("LI Demod 1 Y", "LI Demod 1 X"), "LI Demod 1 X");
	assert.is(byDefault("Current", "calculated dI/dV"), "calculated dI/dV");
	assert.is(byDefault("Z", "Current", "Quality"), "Z");
});

test("an energy: the nearest within half the way to the next, else all are listed", () => {
	const input = measurement(["A"], [-0.02, 0, 0.01]);
	const [channel] = input.measurement.channels;
	const at = (energy?: number) =>
		chooseImages(input, channel, { energy }).map(({ index }) => index);
	assert.equal(at(), [0, 1, 2]);
	assert.equal(at(0.0099), [2]);
	assert.equal(at(0.004), [1]);
	assert.equal(at(-0.011), [0]);
	assert.throws(
		() => at(0.03),
		/no energy 0\.03 eV, expected one of -0\.02, 0, 0\.01/,
	);
	const none = measurement(["A"]);
	assert.throws(
		() => chooseImages(none, none.measurement.channels[0], { energy: 0.1 }),
		/found no energies/,
	);
});

test("energies are said with as many decimals as tell them apart", () => {
	const labels = (energies: number[]) => {
		const { measurement: m } = measurement(["A"], energies);
		return labelsOf(m, m.channels[0]);
	};
	const even = (n: number, from: number, to: number) =>
		Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1));
	for (const [energies, first] of [
		[even(8, 0, 0.1), ["0 meV", "14 meV", "29 meV", "43 meV"]],
		[even(120, -0.05, 0.1), ["-50 meV", "-48.7 meV", "-47.5 meV"]],
		[even(201, -0.01, 0.01), ["-10 meV", "-9.9 meV", "-9.8 meV"]],
		[
			[-1e-9, 0.1],
			["0 meV", "100 meV"],
		],
		[[0.04512345], ["45.123 meV"]],
	] as const)
		assert.equal(labels([...energies]).slice(0, first.length), [...first]);
	assert.is(new Set(labels(even(5000, -0.3, 0.3))).size, 5000);
});

test("an image's size: from the file, from --field, or the dataset's for 64 x 64", () => {
	const { measurement: small, ...rest } = measurement(["A"]);
	const sized = (nx: number, field?: number) =>
		measured({ ...rest, measurement: { ...small, nx, ny: nx } }, { field });
	assert.throws(() => sized(50), /without a size.*--field/);
	assert.is(sized(50, 100).scans[0].scan.spacing.x, 2);
	const assumed = sized(64);
	assert.is(assumed.scans[0].scan.spacing.x, 400 / 63);
	assert.match(assumed.warnings[0], /does not say its size/);
	const spacing = { x: 1, y: 1 };
	assert.throws(
		() =>
			measured({ ...rest, measurement: { ...small, spacing } }, { field: 9 }),
		/expected no --field/,
	);
});

test("files: a dataset's is told from an image's, a folder and what is not there are refused", async () => {
	const kernel = new Float32Array(4096).fill(1);
	const path = join(scratch, "kernel.csv");
	const file = { kernel, axis: makeAxis(), images: [kernel, kernel] };
	const scatterers = [[{ x: 0, y: 0 }], [{ x: 5, y: 7 }]];
	await writeFile(
		path,
		[...writeKernelFile({ ...file, scatterers }, path)].join(""),
	);
	const { dataset, measurement: none, sha256 } = await readInput(path);
	assert.is(dataset?.images.length, 2);
	assert.is(none, undefined);
	assert.match(sha256, /^[0-9a-f]{64}$/);
	const plain = join(scratch, "image.csv");
	const row = Array.from({ length: 64 }, (_, i) => i).join(",");
	await writeFile(plain, `${`${row}\n`.repeat(64)}`);
	assert.is((await readInput(plain)).measurement?.nx, 64);
	const refused = async (name: string, text: RegExp) => {
		const message = await readInput(name).then(String, (e) => e.message);
		assert.match(message, text);
	};
	await refused(join(scratch, "nothing.sxm"), /there is no such file/);
	await refused(scratch, /found a folder/);
	await refused("/dev/null", /no ordinary file/);
	assert.throws(
		() => checkSize("long.3ds", 3 * 2 ** 29),
		/long\.3ds: found 1\.5 GiB, expected at most 1 GiB/,
	);
});

const listed = (path: string) => readdirSync(path).sort();

test("a folder of results: there when it is whole, replaced without touching what else is in it", async () => {
	const path = join(scratch, "out", "deep");
	const first = await OutFolder.create(path);
	await first.write("kernel.npy", "1");
	await first.write("old.csv", "1");
	assert.not(existsSync(path), "before the end nothing is there");
	await first.commit({ value: Number.NaN, list: Float32Array.of(1, 2) });
	assert.equal(listed(path), ["kernel.npy", "old.csv", "result.json"]);
	const result = JSON.parse(readFileSync(join(path, "result.json"), "utf8"));
	assert.equal(result, {
		program: "qpi-lens",
		value: null,
		list: [1, 2],
		files: ["kernel.npy", "old.csv"],
	});
	await writeFile(join(path, "notes.txt"), "mine");
	const second = await OutFolder.create(path);
	await second.write("kernel.npy", "2");
	await second.commit({});
	assert.equal(listed(path), ["kernel.npy", "notes.txt", "result.json"]);
	assert.is(readFileSync(join(path, "kernel.npy"), "utf8"), "2");
	const third = await OutFolder.create(path);
	await third.write("kernel.npy", "3");
	await third.discard();
	assert.is(readFileSync(join(path, "kernel.npy"), "utf8"), "2");
	assert.equal(
		listed(join(scratch, "out")),
		["deep"],
		"nothing is left beside it",
	);
});

test("a folder of results: what a killed program left beside it goes, what a running one makes stays", async () => {
	const parent = join(scratch, "left");
	const dead = spawnSync(process.execPath, ["-e", ""]).pid;
	const names = [
		`.out.${dead}.0badcafe.tmp`,
		`.out.${process.pid}.0badcafe.tmp`,
		`.other.${dead}.0badcafe.tmp`,
		".out.notes.tmp",
	];
	for (const name of names)
		await mkdir(join(parent, name), { recursive: true });
	await (await OutFolder.create(join(parent, "out"))).discard();
	assert.equal(listed(parent), names.slice(1).sort());
});

test("a folder of results: not where something else is", async () => {
	const refused = async (path: string, text: RegExp) =>
		assert.match(
			await OutFolder.create(path).then(String, (e) => e.message),
			text,
		);
	const foreign = join(scratch, "foreign");
	await mkdir(foreign);
	await (await OutFolder.create(foreign)).discard();
	await writeFile(join(foreign, "result.json"), '{"files": ["../kernel.csv"]}');
	await refused(foreign, /holds other files \(result\.json\)/);
	await refused(join(foreign, "result.json"), /is no folder/);
	// A list that leads out of the folder is not followed.
	const listing = { program: "qpi-lens", files: ["../kernel.csv", "..", "a"] };
	await writeFile(join(foreign, "result.json"), JSON.stringify(listing));
	const out = await OutFolder.create(foreign);
	await out.commit({});
	assert.ok(existsSync(join(scratch, "kernel.csv")));
	// With --force it is written beside what is there, over what has its name.
	const full = join(scratch, "full");
	await mkdir(full);
	await writeFile(join(full, "mine.txt"), "mine");
	await writeFile(join(full, "kernel.npy"), "old");
	await refused(full, /full holds other files/);
	const forced = await OutFolder.create(full, undefined, true);
	await forced.write("kernel.npy", "new");
	await forced.commit({});
	assert.equal(listed(full), ["kernel.npy", "mine.txt", "result.json"]);
	assert.is(readFileSync(join(full, "kernel.npy"), "utf8"), "new");
	assert.is(readFileSync(join(full, "mine.txt"), "utf8"), "mine");
});

test.run();
