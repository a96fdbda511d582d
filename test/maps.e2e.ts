import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readScatterers } from "../src/extraction/marks/scatterers.ts";
import { decodeNpy } from "../src/formats/npy.ts";
import { makeMaps } from "../src/node/datasets/makeMaps.ts";
import {
	evaluateMaps,
	type MapToExtract,
} from "../src/node/evaluation/evaluateMaps.ts";
import { mapsTable } from "../src/node/evaluation/mapsTable.ts";
import { randomKernel } from "../src/qpi/generator/families.ts";
import { kernelModel } from "../src/qpi/generator/kernel.ts";
import {
	drawRecipe,
	type GeneratedMap,
	type MapRanges,
	type MapRecipe,
	makeMap,
} from "../src/qpi/generator/maps.ts";
import { deviation } from "../src/qpi/generator/noise.ts";
import { centredCorrelation, correlation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const PLAIN: MapRecipe = { pixels: [64, 48], field: 300, marks: 6 };

/** Where each pixel lies, Angstrom. */
const place = ({ nx, ny, pixel }: GeneratedMap, p: number) => ({
	x: (Math.floor(p / ny) - (nx - 1) / 2) * pixel,
	y: ((p % ny) - (ny - 1) / 2) * pixel,
});

const difference = (a: GeneratedMap, b: GeneratedMap) =>
	a.image.map((v, p) => v - b.image[p]);

test("a map is the sum of its scatterers' patterns, and the kernel that pattern around its middle", () => {
	const map = makeMap({ ...PLAIN, spread: 0.2 }, 3, 2);
	assert.is(map.pixel, 300 / 64);
	assert.is(map.scatterers.length, 6);
	const weights = map.scatterers.map(({ weight }) => weight);
	assert.ok(weights.every((w) => w >= 0.8 && w <= 1.2));
	assert.ok(new Set(weights).size > 1);
	// The generator's own kernel, drawn from the stream that map 2 has.
	const model = kernelModel(randomKernel(new Random(3, 2 ** 31 + 2 * 4 + 1)));
	assert.is(map.kernels[0].family, model.spec.family);
	const sum = map.image.map((_, p) => {
		const { x, y } = place(map, p);
		return map.scatterers.reduce(
			(total, s) => total + s.weight * model.evaluate(x - s.x, y - s.y),
			0,
		);
	});
	const scale = map.image[100] / sum[100];
	map.image.forEach((v, p) => {
		assert.ok(Math.abs(v - scale * sum[p]) < 1e-4, `pixel ${p}`);
	});
	const [{ values, size }] = map.kernels;
	assert.is(size, 2 * Math.floor(120 / map.pixel) + 1);
	const half = (size - 1) / 2;
	let [power, near] = [0, 0];
	values.forEach((v, p) => {
		const x = (Math.floor(p / size) - half) * map.pixel;
		const y = ((p % size) - half) * map.pixel;
		assert.ok(Math.abs(v - scale * model.evaluate(x, y)) < 1e-4, `node ${p}`);
		if (Math.hypot(x, y) > 60) return;
		power += v * v;
		near++;
	});
	assert.ok(Math.abs(Math.sqrt(power / near) - 1) < 0.1, "unit strength");
});

test("kinds: equal shares, kernels that can be told apart, whatever else the map has", () => {
	const recipe = { ...PLAIN, marks: 10, kinds: 3 };
	for (const index of [0, 1, 2]) {
		const { scatterers, kernels } = makeMap(recipe, 1, index);
		assert.equal(
			[1, 2, 3].map((k) => scatterers.filter(({ kind }) => kind === k).length),
			[4, 3, 3],
		);
		const radius = (60 * 64) / 300;
		for (const [a, b] of [
			[0, 1],
			[0, 2],
			[1, 2],
		]) {
			const ncc = centredCorrelation(kernels[a], kernels[b], radius);
			assert.ok(Math.abs(ncc) < 0.85, `${index}: ${ncc}`);
		}
	}
	const [few, many] = [6, 9].map((marks) =>
		makeMap({ ...recipe, marks, pixels: [64, 64], noise: 0.3 }, 1, 0),
	);
	assert.equal(few.kernels, many.kernels);
	assert.not.equal(few.kernels, makeMap({ ...recipe }, 2, 0).kernels);
});

test("flaws: as strong as asked for, and each the same whatever the others", () => {
	const clean = makeMap(PLAIN, 5, 0);
	const sigma = deviation(clean.image);
	const all = { noise: 0.5, background: 20, clusters: 2, steps: 1 };
	const whole = makeMap({ ...PLAIN, ...all }, 5, 0);
	assert.equal(whole.scatterers, clean.scatterers);
	const alone: Record<string, Float32Array> = {};
	for (const flaw of Object.keys(all) as (keyof typeof all)[]) {
		const only = makeMap({ ...PLAIN, [flaw]: all[flaw] }, 5, 0);
		const without = makeMap({ ...PLAIN, ...all, [flaw]: 0 }, 5, 0);
		alone[flaw] = difference(only, clean);
		difference(whole, without).forEach((v, p) => {
			assert.ok(Math.abs(v - alone[flaw][p]) < 1e-3 * sigma, `${flaw}, ${p}`);
		});
	}
	const strength = (flaw: string) => deviation(alone[flaw]) / sigma;
	assert.ok(Math.abs(strength("noise") - 0.5) < 0.08, `${strength("noise")}`);
	assert.ok(Math.abs(strength("background") - 20) < 1e-3);
	// Third order: fourth differences along x vanish, third ones do not.
	const along = Array.from(
		{ length: 5 },
		(_, i) => alone.background[(10 + 10 * i) * 48 + 20] / sigma,
	);
	const [a, b, c, d, e] = along;
	assert.ok(Math.abs(a - 4 * b + 6 * c - 4 * d + e) < 1e-4, "no fourth order");
	assert.ok(Math.abs(b - 3 * c + 3 * d - e) > 1e-3, "third order");
	const steps = alone.steps.map((v) => Math.abs(v / sigma));
	const height = Math.max(...steps);
	assert.ok(height >= 10 && height <= 30, `${height}`);
	const flat = steps.filter((v) => v < 0.01 * height || v > 0.99 * height);
	assert.ok(flat.length > 0.8 * steps.length && Math.min(...steps) < 0.01);
	const high = [...alone.clusters.keys()].filter(
		(p) => alone.clusters[p] > 30 * sigma,
	);
	assert.ok(Math.max(...alone.clusters) > 50 * sigma);
	assert.ok(Math.max(...alone.clusters) < 61 * sigma);
	assert.ok(high.length * clean.pixel ** 2 > 2 * Math.PI * 4 ** 2);
	for (const p of high)
		for (const s of clean.scatterers) {
			const { x, y } = place(clean, p);
			assert.ok(Math.hypot(x - s.x, y - s.y) > 10, "clear of the scatterers");
		}
});

test("missing rows: the last ones, along x, not a number", () => {
	const { image, ny } = makeMap({ ...PLAIN, missingRows: 0.25 }, 1, 0);
	const clean = makeMap(PLAIN, 1, 0);
	image.forEach((v, p) => {
		if (p % ny >= 36) assert.ok(Number.isNaN(v), `pixel ${p}`);
		else assert.is(v, clean.image[p]);
	});
});

test("no scatterers: flaws of heights as they are, and no kernels", () => {
	const empty = { ...PLAIN, marks: 0, kinds: 2 };
	const { image, scatterers, kernels } = makeMap(empty, 1, 0);
	assert.equal([scatterers, kernels], [[], []]);
	assert.ok(image.every((v) => v === 0));
	const noisy = makeMap({ ...empty, noise: 1 }, 1, 0).image;
	assert.ok(Math.abs(deviation(noisy) - 1) < 0.1, `${deviation(noisy)}`);
});

test("scatterers keep apart, and within the map", () => {
	const { scatterers } = makeMap({ ...PLAIN, marks: 60 }, 1, 0);
	scatterers.forEach(({ x, y }, i) => {
		assert.ok(Math.abs(x) < 145 && Math.abs(y) < 109);
		for (const other of scatterers.slice(0, i))
			assert.ok(Math.hypot(x - other.x, y - other.y) > 11.99);
	});
	assert.throws(
		() => makeMap({ ...PLAIN, marks: 900 }, 1, 0),
		/300 x 225 A has room for \d+ of 900 scatterers or clusters 12 A apart/,
	);
});

test("recipes out of range are refused", () => {
	for (const [wrong, message] of [
		[{ pixels: [16, 64] }, /16 x 64 pixels: expected 32 to 1024/],
		[{ pixels: [64.5, 64] }, /64.5 x 64 pixels/],
		[{ field: 10 }, /10 A: expected 50 to 5000/],
		[{ kinds: 6 }, /6 kinds: expected 1 to 5/],
		[{ kinds: 3, marks: 2 }, /2 scatterers: expected 3 or more, .* or none/],
		[{ missingRows: 1 }, /1 of the rows missing: expected 0 to 0.9/],
	] as const)
		assert.throws(
			() => makeMap({ ...PLAIN, ...wrong } as MapRecipe, 1, 0),
			message,
		);
});

const RANGES: MapRanges = {
	pixels: [
		[64, 64],
		[64, 48],
	],
	kinds: 2,
	noise: [0.3, 1],
	field: [300, 400],
	marks: [6, 8],
	spread: [0.15, 0.15],
	background: [0, 10],
	clusters: [0, 1],
	steps: [0, 0],
	missingRows: [0, 0.2],
};

test("recipes: within their ranges, all of it, and one range leaves the other choices alone", () => {
	const recipes = Array.from({ length: 60 }, (_, i) =>
		drawRecipe(RANGES, 7, i),
	);
	for (const [i, recipe] of recipes.entries()) {
		assert.is(recipe.pixels, RANGES.pixels[i % 2]);
		assert.ok(recipe.field >= 300 && recipe.field <= 400);
		assert.ok(recipe.missingRows >= 0 && recipe.missingRows <= 0.2);
		assert.is(recipe.spread, 0.15);
		const { marks: _, ...rest } = drawRecipe(
			{ ...RANGES, marks: [50, 90] },
			7,
			i,
		);
		assert.equal({ ...rest, marks: recipe.marks }, recipe);
	}
	const values = (key: "marks" | "noise" | "clusters" | "steps") =>
		[...new Set(recipes.map((recipe) => recipe[key]))].sort();
	assert.equal(values("marks"), [6, 7, 8]);
	assert.equal(values("noise"), [0.3, 1]);
	assert.equal(values("clusters"), [0, 1]);
	assert.equal(values("steps"), [0]);
	assert.ok(new Set(recipes.map(({ field }) => field)).size > 50);
});

let scratch = "";
test.before(async () => {
	scratch = await mkdtemp(join(tmpdir(), "qpi-maps-"));
});
test.after(() => rm(scratch, { recursive: true }));
const read = (...names: string[]) => readFile(join(scratch, ...names));

test("a folder of maps: the files that truth.json lists, the same bytes for the same seed", async () => {
	const told: number[] = [];
	const make = (folder: string, seed: number) =>
		makeMaps({
			...{ out: join(scratch, folder), maps: 2, seed, ranges: RANGES },
			onMap: (done) => told.push(done),
		});
	await make("a", 1);
	assert.equal(told, [0, 1, 2]);
	await make("b", 1);
	const truth = JSON.parse((await read("a", "truth.json")).toString());
	assert.equal(Object.keys(truth.maps), ["map-001", "map-002"]);
	assert.is(truth.files.length, 8);
	for (const file of [...truth.files, "truth.json"])
		assert.equal(await read("a", file), await read("b", file), file);
	for (const [i, entry] of Object.values<Record<string, unknown>>(
		truth.maps,
	).entries()) {
		const recipe = drawRecipe(RANGES, 1, i);
		const made = makeMap(recipe, 1, i);
		const image = decodeNpy(await read("a", entry.file as string));
		assert.equal(image.shape, [made.nx, made.ny]);
		const bytes = (values: Float32Array) => Buffer.from(values.buffer);
		assert.ok(bytes(image.data as Float32Array).equals(bytes(made.image)));
		const marks = (await read("a", entry.marks as string)).toString();
		assert.equal(
			readScatterers(marks, "marks"),
			made.scatterers.map((s) => ({ ...s, quality: 1, keep: true })),
		);
		assert.equal(entry.kernels, [
			`map-00${i + 1}-kernel.npy`,
			`map-00${i + 1}-kernel-2.npy`,
		]);
		for (const [k, file] of (entry.kernels as string[]).entries())
			assert.equal(
				decodeNpy(await read("a", file)).data,
				made.kernels[k].values,
			);
		const { pixels, noise, missingRows } = recipe;
		const expected = {
			...{ pixels, noise, missingRows, pixel: made.pixel, kinds: 2 },
			field: [made.nx * made.pixel, made.ny * made.pixel],
			scatterers: made.scatterers.length,
		};
		for (const [key, value] of Object.entries(expected))
			assert.equal(entry[key], value, key);
	}
	// Earlier maps give way; a folder with anything else is left alone.
	await make("b", 2);
	assert.not.equal(
		await read("a", "map-001.npy"),
		await read("b", "map-001.npy"),
	);
	await writeFile(join(scratch, "result.json"), '{"program": "qpi-lens"}');
	const refused = await make("", 1).catch((error) => error.message);
	assert.match(refused, /holds other files/);
});

test("evaluateMaps: the correlation of each kind's kernel, and what was given to find it", async () => {
	const folder = join(scratch, "a");
	const truth = JSON.parse((await read("a", "truth.json")).toString());
	const given: MapToExtract[] = [];
	const progress: number[][] = [];
	// The first kind's kernel on a window of its own with another scale and offset; no second kind but in the second map, of the other sign.
	const extract = async (map: MapToExtract) => {
		given.push(map);
		const [first, second] = await Promise.all(
			(truth.maps[map.name].kernels as string[]).map(async (file) =>
				decodeNpy(await read("a", file)),
			),
		);
		const kinds = [
			{
				kind: 1,
				kernel: Float32Array.from(first.data as Float32Array, (v) => 3 * v + 1),
			},
		];
		if (map.name === "map-002")
			kinds.unshift({
				kind: 2,
				kernel: Float32Array.from(second.data as Float32Array, (v) => -v),
			});
		return {
			...{ method: "refined", kinds, size: first.shape[0] },
			explained: { ridge: { heldOut: 0.1 }, refined: { heldOut: 0.75 } },
		};
	};
	const evaluation = await evaluateMaps(folder, extract, {
		onProgress: (...at) => progress.push(at),
	});
	assert.equal(progress, [
		[0, 2],
		[1, 2],
		[2, 2],
	]);
	const entry = truth.maps["map-002"];
	const { scan, marks } = given[1];
	assert.equal([scan.nx, scan.ny], [64, 48]);
	assert.equal(scan.spacing, { x: entry.pixel, y: entry.pixel });
	assert.ok(Number.isNaN(scan.image[47]), "as measured: rows are missing");
	assert.is(marks.length, entry.scatterers);
	assert.ok(marks.every(({ weight }) => weight === 1));
	assert.equal([...new Set(marks.map(({ kind }) => kind))], [1, 2]);
	const close = (found: readonly number[], expected: readonly number[]) =>
		found.forEach((v, i) => {
			assert.ok(Math.abs(v - expected[i]) < 1e-6, `${found}`);
		});
	const { maps, mean, radius } = evaluation;
	assert.is(radius, 60);
	close(maps["map-001"].ncc, [1, 0]);
	close(maps["map-002"].ncc, [1, -1]);
	assert.ok(Math.abs(mean.ncc - 0.25) < 1e-6);
	assert.is(maps["map-002"].explained, 0.75);
	assert.is(maps["map-002"].marks, entry.scatterers);
	assert.is(maps["map-002"].noise, entry.noise);
	assert.equal(maps["map-002"].pixels, [64, 48]);
	assert.ok(mean.seconds > 0);
	const table = mapsTable(evaluation).split("\n");
	assert.match(table[0], /^map +pixels .*NCC within 60 A$/);
	assert.match(
		table[2],
		/^map-002 +64x48 +\d +\d\.\d0 +refined +0\.750 +\d+\.\d +1\.0000 -1\.0000$/,
	);
	assert.match(table[3], /^mean +\d+\.\d +0\.2500$/);
});

test("evaluateMaps: folders that are not as they should be, in one line", async () => {
	const never = () => Promise.reject(new Error("nothing to extract"));
	const message = (folder: string, radius?: number) =>
		evaluateMaps(join(scratch, folder), never, { radius }).then(
			() => "no error",
			(error) => error.message,
		);
	assert.match(await message("none"), /none: found no truth\.json, expected/);
	await makeMaps({
		...{ out: join(scratch, "c"), maps: 1, seed: 1, ranges: RANGES },
	});
	const file = join(scratch, "c", "truth.json");
	const truth = JSON.parse(await readFile(file, "utf8"));
	const entry = truth.maps["map-001"];
	for (const [change, expected] of [
		[{ pixel: -1 }, /map map-001: found -1 as pixel, expected Angstrom/],
		[{ kernels: undefined }, /found nothing as kernels, expected a list/],
		[{ kernels: [] }, /map map-001: found no kernels, expected one or more/],
		[{ pixels: [64] }, /found \[64\] as pixels, expected two/],
		[{ pixels: [64, 60] }, /map-001\.npy: found shape \(64, 64\), expected/],
		[{ kernels: [entry.file] }, /found shape \(64, 64\), expected a square of/],
	] as const) {
		await writeFile(
			file,
			JSON.stringify({ maps: { "map-001": { ...entry, ...change } } }),
		);
		assert.match(await message("c"), expected);
	}
	for (const [text, expected] of [
		["{", /found no JSON/],
		["{}", /found no maps/],
		['{"maps": {}}', /found no maps/],
	] as const) {
		await writeFile(file, text);
		assert.match(await message("c"), expected);
	}
});

test("evaluateMaps: a true kernel smaller than what is compared is refused; a found one counts as zero outside", async () => {
	const folder = join(scratch, "a");
	const delta = Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0);
	const extract = async () => ({
		...{ method: "ridge", explained: {}, size: 3 },
		kinds: [{ kind: 1, kernel: delta }],
	});
	await evaluateMaps(folder, extract, { radius: 300 }).then(
		() => assert.unreachable(),
		(error) =>
			assert.match(error.message, /expected a radius of 300 A or more/),
	);
	const { maps } = await evaluateMaps(folder, extract, { radius: 90 });
	const { data, shape } = decodeNpy(await read("a", "map-001-kernel.npy"));
	const whole = new Float32Array(data.length);
	whole[(data.length - 1) / 2] = 1;
	const truth = JSON.parse((await read("a", "truth.json")).toString());
	const pixel = truth.maps["map-001"].pixel;
	const half = (shape[0] - 1) / 2;
	const within = [...whole.keys()].filter(
		(p) =>
			Math.hypot(Math.floor(p / shape[0]) - half, (p % shape[0]) - half) <=
			90 / pixel,
	);
	const expected = correlation(
		within.map((p) => whole[p]),
		within.map((p) => Number(data[p])),
	);
	assert.ok(Math.abs(maps["map-001"].ncc[0] - expected) < 1e-9);
	assert.is(maps["map-001"].explained, null);
});

test("centredCorrelation: within the radius alone, and only of odd squares", () => {
	const random = new Random(1);
	const values = Float32Array.from({ length: 49 }, () => random.normal());
	const other = values.map((v, p) =>
		Math.hypot(Math.floor(p / 7) - 3, (p % 7) - 3) > 2 ? 9 : 2 * v - 1,
	);
	const [a, b] = [values, other].map((v) => ({ values: v, size: 7 }));
	assert.ok(Math.abs(centredCorrelation(a, b, 2) - 1) < 1e-6);
	assert.ok(centredCorrelation(a, b, 3) < 0.9);
	assert.throws(() => centredCorrelation(a, { ...b, size: 5 }, 2), RangeError);
	assert.throws(
		() => centredCorrelation({ values: [1, 2, 3, 4], size: 2 }, b, 2),
		/4 pixels are no image of 2 x 2, an odd side/,
	);
});

test.run();
