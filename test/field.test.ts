/** Sets of another field and with more scatterers than the usual 400 A and 20, as the published set of 100 A: made, read, trained on, extracted from. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeExtractor } from "../src/extraction/results/extractor.ts";
import { analyseAll } from "../src/extraction/results/items.ts";
import { take } from "../src/extraction/results/take.ts";
import { openDataset } from "../src/node/datasets/dataset.ts";
import { datasetSource } from "../src/node/datasets/datasetSource.ts";
import { makeDataset } from "../src/node/datasets/makeDataset.ts";
import { readInput } from "../src/node/files/input.ts";
import { parseKernelFile } from "../src/qpi/dataset/csv.ts";
import {
	DatasetError,
	fieldOf,
	kernelFileName,
	makeAxis,
} from "../src/qpi/dataset/format.ts";
import { writeKernelFile } from "../src/qpi/dataset/writeCsv.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-field-"));
test.after(() => rm(scratch, { recursive: true }));

const options = { kernels: 6, observations: 3, seed: 4, maxScatterers: 100 };
const [wide, small] = ["wide", "small"].map((name) => join(scratch, name));
await makeDataset({ ...options, out: wide });
await makeDataset({ ...options, out: small, field: 100 });
const fileIn = (folder: string, number = 2) =>
	join(folder, kernelFileName(number));
const read = async (folder: string) =>
	parseKernelFile(await readFile(fileIn(folder)), "k.csv");

test("rows 1 and 2 say field and places; pixels are those of 400 A, places a quarter as far", async () => {
	const text = await readFile(fileIn(small), "utf8");
	const rows = text.trimEnd().split("\n");
	assert.is(rows[0], "64,100");
	assert.ok(rows[1].startsWith("-50,-48.41269") && rows[1].endsWith(",50"));
	assert.equal(
		rows.slice(2).map((row) => row.split(",").length),
		[4296, 4296, 4296, 4296],
	);
	const [one, four] = [await read(small), await read(wide)];
	assert.equal([fieldOf(one), fieldOf(four)], [100, 400]);
	assert.equal([one.kernel, one.images], [four.kernel, four.images]);
	const counts = one.scatterers.map(({ length }) => length);
	assert.ok(Math.max(...counts) > 20 && Math.max(...counts) <= 100);
	one.scatterers.forEach((list, i) => {
		list.forEach(({ x, y }, j) => {
			assert.ok(Math.abs(x) <= 50 && Math.abs(y) <= 50);
			const far = four.scatterers[i][j];
			assert.ok(Math.hypot(4 * x - far.x, 4 * y - far.y) < 1e-4);
		});
	});
});

test("training and evaluation see one frame, whatever the field", async () => {
	const load = async (folder: string) => {
		const source = await datasetSource(await openDataset(folder));
		return { source, loaded: await source.load(2) };
	};
	const [one, four] = [await load(small), await load(wide)];
	assert.equal([one.source.field, four.source.field], [100, undefined]);
	one.loaded.observations.forEach(({ scatterers }, i) => {
		scatterers.forEach(({ x, y }, j) => {
			const far = four.loaded.observations[i].scatterers[j];
			assert.ok(Math.hypot(x - far.x, y - far.y) < 1e-4);
		});
	});
	// The published labels are those of the set of 400 A; and a set is of one field.
	const mixed = join(scratch, "mixed");
	await makeDataset({ ...options, out: mixed, kernels: 6, field: 100 });
	await rm(join(mixed, "manifest.json"));
	const text = await readFile(fileIn(wide, 3));
	await writeFile(fileIn(mixed, 3), text);
	const source = await datasetSource(await openDataset(mixed));
	assert.equal(
		source.kernels.map(({ symmetry, family }) => [symmetry, family]),
		Array(6).fill([1, "1-9"]),
	);
	await source.load(3).then(
		() => assert.unreachable(),
		(error: Error) => {
			assert.ok(error instanceof DatasetError);
			assert.match(
				error.message,
				/number3\.csv: found a field of 400 Angstrom, expected 100, as in .*number1/,
			);
		},
	);
});

test("a file of such a set is known as one, and its kernel's lengths are a quarter", async () => {
	const result = async (folder: string) => {
		const input = await readInput(fileIn(folder));
		assert.ok(input.dataset && !input.measurement);
		const taken = await take(input, { max: 1, repair: true });
		const extractor = await makeExtractor({ method: "ridge", seed: 1 });
		const extractions = await extractor.extract(taken);
		return analyseAll(taken, extractions);
	};
	const [one, four] = [await result(small), await result(wide)];
	assert.equal([one.taken.pixel, four.taken.pixel], [100 / 63, 400 / 63]);
	assert.match(one.taken.told[0], /64 x 64 pixels over 100 A, 1 of 3 images/);
	assert.equal(one.shown.kernel.length, four.shown.kernel.length);
	const off = one.shown.kernel.map((v, p) => v - four.shown.kernel[p]);
	const most = Math.max(...four.shown.kernel.map(Math.abs));
	assert.ok(Math.max(...off.map(Math.abs)) < 1e-3 * most);
	assert.is(
		(one.shown.spectrum.step / four.shown.spectrum.step).toFixed(9),
		"4.000000000",
	);
});

test("axes that are none, and more places than there are, are refused", () => {
	const image = new Float32Array(4096);
	const text = (axis: number[], places = 100) =>
		[
			`64,${places}`,
			axis.join(),
			[...image, 0, 0].join(),
			[...image, ...Array(2 * places).fill(1000)].join(),
			"",
		].join("\n");
	const axis = (field: number) => [...makeAxis(field)];
	for (const field of [1, 100, 399, 1999])
		assert.is(fieldOf(parseKernelFile(text(axis(field)), "k.csv")), field);
	const four = axis(100).map((v) => Number(v.toPrecision(4)));
	assert.is(fieldOf(parseKernelFile(text(four), "k.csv")), 100);
	for (const [bad, message] of [
		[
			axis(100).map((v) => v + 50),
			/row 2, column 1: found 0, expected the axis's start/,
		],
		[axis(2001), /found -1000\.5, expected the axis's start/],
		[axis(100).map((v) => -v), /found 50, expected the axis's start/],
		[
			axis(100).with(9, -36),
			/row 2, column 10: found -36, expected -35\.714, as the axis is linspace\(-50, 50, 64\)/,
		],
	] as const)
		assert.throws(
			() => parseKernelFile(text(bad), "k.csv"),
			(error: Error) => message.test(error.message),
		);
	assert.throws(
		() => parseKernelFile(text(axis(100), 101), "k.csv"),
		/an integer from 1 to 100/,
	);
	const many = Array.from({ length: 21 }, () => ({ x: 1, y: 2 }));
	const file = { kernel: image, axis: makeAxis(), images: [image] };
	assert.throws(
		() => [...writeKernelFile({ ...file, scatterers: [many] }, "k.csv")],
		/21 scatterers, expected at most 20/,
	);
	assert.ok([...writeKernelFile({ ...file, scatterers: [many] }, "k.csv", 21)]);
});

test.run();
