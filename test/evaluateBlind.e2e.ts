import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareMarks } from "../src/extraction/marks/compareMarks.ts";
import { makeMaps } from "../src/node/datasets/makeMaps.ts";
import { sbdMethod } from "../src/node/evaluation/blindMethods.ts";
import {
	type BlindScore,
	summaryOf,
} from "../src/node/evaluation/blindScores.ts";
import { blindTable } from "../src/node/evaluation/blindTable.ts";
import {
	type BlindFound,
	type BlindInput,
	evaluateBlind,
} from "../src/node/evaluation/evaluateBlind.ts";
import { evaluateMaps } from "../src/node/evaluation/evaluateMaps.ts";
import {
	drawRecipe,
	type MapRanges,
	makeMap,
} from "../src/qpi/generator/maps.ts";
import {
	lookedAt,
	shiftedCorrelation,
} from "../src/qpi/scores/shiftedCorrelation.ts";
import { Random } from "../src/random.ts";

const random = new Random(6);
/** Two kinds, far apart. */
const TRUTH = Array.from({ length: 12 }, (_, i) => ({
	x: 40 * (i % 4) - 60 + random.uniform(-5, 5),
	y: 40 * Math.floor(i / 4) - 40 + random.uniform(-5, 5),
	kind: 1 + (i % 2),
}));

test("compareMarks: kinds by what they pair, the shift of a kind is free, each mark once", () => {
	// Kinds under other names, the first one off by 8 A; one lost, one doubled, one false, one of the wrong kind.
	const found = TRUTH.slice(1).map(({ x, y, kind }) => ({
		x: x + (kind === 1 ? 6 : 0) + random.uniform(-1, 1),
		y: y - (kind === 1 ? 5 : 0),
		kind: kind === 1 ? 7 : 3,
	}));
	found.push({ ...found[4], x: found[4].x + 2 }, { x: 85, y: 65, kind: 3 });
	found[0] = { ...found[0], kind: 7 };
	const kinds = compareMarks(found, TRUTH);
	assert.equal(
		kinds.map(({ truth, found: f, pairs }) => [truth, f, pairs.length]),
		[
			[1, 7, 5],
			[2, 3, 5],
		],
	);
	const [{ shift, pairs }] = kinds;
	assert.ok(Math.hypot(shift.x - 6, shift.y + 5) < 1, JSON.stringify(shift));
	for (const pair of pairs) {
		assert.is(found[pair.found].kind, 7);
		assert.is(TRUTH[pair.truth].kind, 1);
		assert.ok(pair.distance < 2);
	}
	// No more than 12 A, and never two for one.
	const far = TRUTH.map(({ x, y, kind }) => ({ x: x + 19, y, kind }));
	assert.equal(compareMarks(far, TRUTH), []);
	const twice = [TRUTH[0], TRUTH[0]];
	assert.is(compareMarks(twice, TRUTH)[0].pairs.length, 1);
	assert.equal(compareMarks([], TRUTH), []);
	assert.equal(compareMarks(TRUTH, []), []);
});

test("shiftedCorrelation: the shift to a quarter pixel, none beyond what is allowed", () => {
	const wave = (x: number, y: number) =>
		Math.exp(-(x * x + y * y) / 60) * Math.cos(0.9 * x + 0.4 * y);
	const image = (size: number, dx: number, dy: number) => ({
		size,
		values: Float64Array.from({ length: size ** 2 }, (_, p) =>
			wave(
				Math.floor(p / size) - (size - 1) / 2 - dx,
				(p % size) - (size - 1) / 2 - dy,
			),
		),
	});
	const truth = image(41, 0, 0);
	const found = shiftedCorrelation(image(45, 2.25, -1.5), truth, 15, 4);
	assert.ok(found.ncc > 0.9999, `${found.ncc}`);
	assert.equal([found.x, found.y], [2.25, -1.5]);
	const near = shiftedCorrelation(image(45, 2.25, -1.5), truth, 15, 1);
	assert.ok(near.ncc < 0.9 && Math.hypot(near.x, near.y) <= 1);
	const whole = lookedAt(truth, 3, -2).values;
	assert.is(whole[20 * 41 + 20], truth.values[23 * 41 + 18]);
	assert.is(whole[40 * 41 + 20], 0);
});

const RANGES: MapRanges = {
	...{ pixels: [[96, 80]], kinds: 2, noise: [0.3], field: [300, 300] },
	...{ marks: [14, 14], spread: [0, 0], background: [0, 0] },
	...{ clusters: [0, 0], steps: [0, 0], missingRows: [0.2, 0.2] },
};
const scratch = await mkdtemp(join(tmpdir(), "qpi-blind-"));
test.after(() => rm(scratch, { recursive: true }));
const folder = join(scratch, "maps");
const empty = join(scratch, "empty");
await makeMaps({ out: folder, maps: 2, seed: 5, ranges: RANGES });
await makeMaps({
	...{ out: empty, maps: 1, seed: 5 },
	ranges: { ...RANGES, marks: [0, 0], noise: [1], missingRows: [0, 0] },
});
const made = [0, 1].map((i) => makeMap(drawRecipe(RANGES, 5, i), 5, i));
const nothing = async (): Promise<BlindFound> => ({ marks: [], kernels: [] });

test("evaluateBlind: masked scatterers need not be found, false ones count, kernels are compared at their own middle", async () => {
	const given: BlindInput[] = [];
	const progress: number[][] = [];
	const { maps, mean, by } = await evaluateBlind(
		folder,
		async (input) => {
			given.push(input);
			const { stack, truth } = input;
			if (given.length === 2) return nothing();
			const seen = ({ x, y }: { x: number; y: number }) => {
				const ix = Math.round(x / stack.pixel + (stack.nx - 1) / 2);
				const iy = Math.round(y / stack.pixel + (stack.ny - 1) / 2);
				return (stack.weights?.[ix * stack.ny + iy] ?? 0) > 0;
			};
			// The second kind is not found; the first, called 4, is off by a pixel, and one more is false.
			const own = truth.filter((mark) => mark.kind === 1 && seen(mark));
			const marks = own.map((mark, i) => ({
				...mark,
				x: mark.x + stack.pixel + (i % 2 ? 0.5 : -0.5),
				kind: 4,
			}));
			const [free] = [-140, -100, -60, -20, 20, 60, 100, 140].filter((x) =>
				own.every((mark) => Math.hypot(mark.x - x, mark.y + 90) > 25),
			);
			marks.push({ ...marks[0], x: free, y: -90 });
			const kernel = lookedAt(made[0].kernels[0], 1, 0);
			return { marks, kernels: [{ ...kernel, kind: 4 }] };
		},
		{ onProgress: (...at) => progress.push(at) },
	);
	assert.equal(progress, [
		[0, 2],
		[1, 2],
		[2, 2],
	]);
	assert.is(given[0].truth.length, 14);
	assert.ok(
		Array.from(given[0].stack.weights ?? []).includes(0),
		"rows are missing",
	);
	assert.ok(Array.from(given[0].stack.images[0]).every(Number.isFinite));
	const first = maps["map-001"];
	assert.equal([first.kinds, first.trueKinds], [1, 2]);
	const [own, all] = [1, 0].map(
		(kind) =>
			given[0].truth.filter((mark) => {
				const { nx, ny, pixel, weights } = given[0].stack;
				const ix = Math.round(mark.x / pixel + (nx - 1) / 2);
				const iy = Math.round(mark.y / pixel + (ny - 1) / 2);
				return (
					(kind === 0 || mark.kind === kind) &&
					(weights?.[ix * ny + iy] ?? 0) > 0 &&
					Math.abs(mark.x) <= (nx * pixel) / 2 - 6 &&
					Math.abs(mark.y) <= (ny * pixel) / 2 - 6
				);
			}).length,
	);
	assert.ok(all < 14, "some are masked");
	assert.ok(Math.abs((first.recall ?? 0) - own / all) < 1e-9);
	const paired = first.marks - 1;
	assert.ok(Math.abs((first.precision ?? 0) - paired / first.marks) < 1e-9);
	assert.ok(Math.abs((first.positionError ?? 0) - 0.5) < 0.1);
	assert.ok(first.ncc[0] > 0.9999, `${first.ncc[0]}`);
	assert.is(first.ncc[1], 0);
	assert.ok((first.overlap ?? 0) > 0.3 && (first.overlap ?? 0) < 0.5);
	// Of a kind that was not found the angle is 1.
	assert.ok(first.angle !== null && first.angle > 0.5 && first.angle < 0.6);
	const { seconds, noise, density, ...second } = maps["map-002"];
	assert.ok(seconds > 0);
	assert.is(noise, 0.3);
	assert.equal(second, {
		...{ kinds: 0, trueKinds: 2, marks: 0, trueMarks: 14 },
		...{ recall: 0, precision: null, positionError: null, ncc: [0, 0] },
		...{ angle: 1, fft: 0, overlap: 0, spread: 0, background: 0 },
	});
	assert.ok(Math.abs(density - 14 / (3 * 2.5)) < 1e-9, `${density}`);
	assert.equal(by, {}, "the maps were made alike");
	assert.is(mean.kinds, 0.5);
	assert.is(mean.precision, first.precision);
	assert.ok(Math.abs((mean.ncc ?? 0) - first.ncc[0] / 4) < 1e-9);
	const table = blindTable({ maps, mean, by }).split("\n");
	assert.match(table[0], /^map +noise +kinds +marks +recall +precision .*NCC$/);
	assert.match(table[2], /^map-002 +0\.30 +0 of 2 +0 of 14 +0\.000 +- +- /);
	assert.match(table[3], /^mean +0\.50 /);
});

test("means by what differs between maps: each level, or four groups of many values; what is unknown is left out", () => {
	const score = (i: number): BlindScore => ({
		...{ kinds: 1, trueKinds: 1, precision: 1, positionError: null },
		...{ recall: i / 8, ncc: [i / 8], angle: 0, fft: 1, overlap: 1 },
		...{ seconds: 1, marks: 1, trueMarks: 1, background: null, spread: 0.15 },
		...{ noise: i % 2 ? 1 : 0.5, density: 2 + i },
	});
	const { mean, by } = summaryOf(Array.from({ length: 8 }, (_, i) => score(i)));
	assert.equal(Object.keys(by).sort(), ["density", "noise"]);
	assert.equal(
		by.noise?.map(({ from, to, maps, recall }) => [from, to, maps, recall]),
		[
			[0.5, 0.5, 4, 0.375],
			[1, 1, 4, 0.5],
		],
	);
	assert.equal(
		by.density?.map(({ from, to, maps }) => [from, to, maps]),
		[
			[2, 3, 2],
			[4, 5, 2],
			[6, 7, 2],
			[8, 9, 2],
		],
	);
	assert.ok(Math.abs((mean.ncc ?? 0) - 0.4375) < 1e-12);
	assert.is(mean.positionError, null);
	const table = blindTable({ maps: {}, mean, by });
	assert.match(table, /^noise 0\.5 .* 0\.375 /m);
	assert.match(table, /^on 100 x 100 A 8 to 9 .* 0\.813 /m);
});

test("evaluateBlind: an empty map, where nothing and where something is found", async () => {
	const silent = await evaluateBlind(empty, nothing);
	const { seconds: _, ...score } = silent.maps["map-001"];
	assert.equal(score, {
		...{ density: 0, spread: 0, background: 0 },
		...{ kinds: 0, trueKinds: 0, marks: 0, trueMarks: 0, noise: 1, ncc: [] },
		...{ recall: null, precision: null, positionError: null },
		...{ angle: null, fft: null, overlap: null },
	});
	assert.is(silent.mean.ncc, null);
	assert.match(blindTable(silent), /map-001 +1\.00 +0 of 0 +0 of 0 +- +-/);
	const loud = await evaluateBlind(empty, async () => ({
		marks: [{ x: 0, y: 0, kind: 1, weight: 1 }],
		kernels: [{ kind: 1, values: [1], size: 1 }],
	}));
	assert.is(loud.maps["map-001"].kinds, 1);
	assert.is(loud.maps["map-001"].precision, null);
	const plain = await evaluateMaps(empty, () =>
		Promise.reject(new Error("nothing to extract")),
	).catch((error) => error.message);
	assert.match(plain, /map map-001: found no kernels, expected one or more/);
});

test("evaluateBlind: a true kernel smaller than what is compared is refused", async () => {
	const message = await evaluateBlind(folder, nothing, { radius: 300 }).catch(
		(error) => error.message,
	);
	assert.match(message, /kernel\.npy: found 77 pixels of .* radius of 300 A/);
});

test("the rival gets a window about a true scatterer of each kind, and a random one where there is none", async () => {
	const { maps } = await evaluateBlind(folder, sbdMethod);
	for (const map of Object.values(maps)) {
		assert.is(map.trueKinds, 2);
		assert.ok(map.kinds >= 1 && map.marks > 0);
		assert.ok((map.recall ?? 0) > 0.3, `${map.recall}`);
		assert.ok(Math.max(...map.ncc) > 0.5, map.ncc.join());
	}
	const alone = await evaluateBlind(empty, sbdMethod);
	assert.equal(alone.maps["map-001"].ncc, []);
});

test.run();
