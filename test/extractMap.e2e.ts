/** Kernels of maps: the whole way, and its parts. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { binned, finer, unbinned } from "../src/extraction/kernels/bin.ts";
import { HeldOut } from "../src/extraction/kernels/heldOut.ts";
import { reachOf } from "../src/extraction/kernels/reach.ts";
import { ridgeMap } from "../src/extraction/kernels/refineMap.ts";
import type { SitedMap } from "../src/extraction/kernels/sitedMap.ts";
import { chooseWorkingPixel } from "../src/extraction/kernels/workingPixel.ts";
import { adjustSites } from "../src/extraction/marks/adjustMarks.ts";
import {
	extractMap,
	extractMaps,
} from "../src/extraction/methods/extractMap.ts";
import { preprocess } from "../src/extraction/preprocess.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { type GeneratedMap, makeMap } from "../src/qpi/generator/maps.ts";
import { besselJ } from "../src/qpi/maths/bessel.ts";
import { MapOperator } from "../src/qpi/operator/mapOperator.ts";
import { onThisThread } from "../src/qpi/posterior/solveMany.ts";
import { centredCorrelation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const prior = await (await openWeights()).prior();
const none = { clusters: 0, steps: 0, missingRows: 0 };
const recipe = {
	...none,
	pixels: [120, 96] as const,
	field: 360,
	marks: 30,
	noise: 0.5,
	background: 8,
};

/** As preprocess() leaves it, with its marks, of amplitude 1. */
function prepared(made: GeneratedMap) {
	const { image, nx, ny, pixel, scatterers } = made;
	const spacing = { x: pixel, y: pixel };
	const { scan, weights, order } = preprocess({ image, nx, ny, spacing });
	const marks = scatterers.map(({ x, y, kind }) => ({ x, y, kind }));
	return { image: scan.image, nx, ny, pixel, weights, order, marks };
}
const nccOf = (
	found: Awaited<ReturnType<typeof extractMap>>,
	made: GeneratedMap,
	k = 0,
) =>
	centredCorrelation(
		{ values: found.kinds[k].kernel, size: found.size },
		made.kernels[k],
		60 / made.pixel,
	);

test("a map that is not square, with a background: refined is better than ridge, and both say so", async () => {
	const made = makeMap(recipe, 3);
	const parts: string[] = [];
	const found = await extractMap(
		prepared(made),
		{ prior },
		{
			method: "auto",
			onProgress: (done, total, what) => parts.push(`${done}/${total} ${what}`),
		},
	);
	assert.is(found.method, "refined");
	const ridge = await found.by("ridge");
	const [a, b] = [nccOf(found, made), nccOf(ridge, made)];
	assert.ok(a > 0.99 && a > b, `refined ${a}, ridge ${b}`);
	const { refined, ridge: other } = found.explained;
	assert.ok((refined?.heldOut ?? 0) > (other?.heldOut ?? 1));
	assert.is(found.model.length, 120 * 96);
	const [{ kernel, uncertainty, samples, groups }] = found.kinds;
	assert.is(found.size % 2, 1);
	assert.is(kernel.length, found.size ** 2);
	assert.equal([samples.length, groups.length], [16, 4]);
	assert.ok(uncertainty.every((u) => u > 0));
	assert.ok(parts.length > 5 && parts[0].startsWith("0/"), `${parts}`);
	assert.ok(Object.values(found.seconds ?? {}).every((s) => s >= 0));
	let failure = "";
	await found.by("oneStep").catch((error: Error) => {
		failure = error.message;
	});
	assert.match(
		failure,
		"oneStep was not compared, expected one of ridge, refined",
	);
});

test("two kinds, one kernel each; the same seed gives the same bits", async () => {
	const made = makeMap({ ...recipe, kinds: 2, marks: 44, background: 0 }, 5);
	const [one, two] = [
		await extractMap(prepared(made), { prior }, { samples: 2 }),
		await extractMap(prepared(made), { prior }, { samples: 2 }),
	];
	assert.equal(
		one.kinds.map(({ kind }) => kind),
		[1, 2],
	);
	for (const k of [0, 1]) assert.ok(nccOf(one, made, k) > 0.97, `${k}`);
	assert.equal(one.kinds, two.kinds);
});

test("a mask counts nowhere, whatever lies under it", async () => {
	const map = prepared(makeMap({ ...recipe, background: 0 }, 4));
	const weights = map.weights.map((w, p) =>
		Math.floor(p / map.ny) < 30 ? 0 : w,
	);
	const options = { samples: 2, holdOut: false };
	const spoiled = map.image.map((v, p) => (weights[p] ? v : 1e6 + p));
	const [a, b] = await Promise.all(
		[map.image, spoiled].map((image) =>
			extractMap({ ...map, image, weights }, { prior }, options),
		),
	);
	assert.equal(a.kinds, b.kinds);
	assert.ok(a.residual.slice(0, 30 * map.ny).every((v) => v === 0));
	assert.ok(a.trust.slice(0, 30 * map.ny).every((v) => v === 0));
});

test("marks off their places are moved, and one on nothing is told", async () => {
	const made = makeMap({ ...recipe, noise: 0.3, background: 0 }, 3);
	const map = prepared(made);
	const random = new Random(2);
	const off = map.marks.map((m) => ({
		...m,
		x: m.x + 1.5 * random.normal(),
		y: m.y + 1.5 * random.normal(),
	}));
	const nothing = { x: -165, y: 120, kind: 1 };
	const far = map.marks.every(
		({ x, y }) => Math.hypot(x - nothing.x, y - nothing.y) > 20,
	);
	assert.ok(far, "the place is empty");
	const found = await extractMap(
		{ ...map, marks: [...off, nothing] },
		{ prior },
		{ samples: 2, holdOut: false },
	);
	const away = (list: readonly { x: number; y: number }[]) =>
		Math.sqrt(
			map.marks.reduce(
				(sum, { x, y }, j) => sum + (x - list[j].x) ** 2 + (y - list[j].y) ** 2,
				0,
			) / map.marks.length,
		);
	assert.ok(found.parameters.adjusted);
	assert.ok(
		away(found.scatterers) < 0.6 * away(off),
		`${away(found.scatterers)} A, ${away(off)} before`,
	);
	const significances = found.scatterers.map((s) => s.significance ?? 0);
	const empty = significances.pop() ?? 99;
	const rest = significances.sort((a, b) => a - b);
	assert.ok(empty < 4, `${empty} sigma where nothing is`);
	assert.ok(rest[3] > 6, `${rest}`);
});

test("a stack: every image has its own kernel, with what all share", async () => {
	const made = [0, 1, 2].map((i) =>
		makeMap({ ...recipe, noise: 0.4, background: 0 }, 9, i),
	);
	// the same places under three patterns
	const { scatterers, nx, ny, pixel } = made[0];
	const images = made.map(({ kernels: [{ values, size }] }, i) => {
		const sites = scatterers.map(({ x, y, weight }) => ({
			x: x / pixel + (nx - 1) / 2,
			y: y / pixel + (ny - 1) / 2,
			weight,
		}));
		const clean = new MapOperator({ nx, ny, size }, sites).apply(
			Float64Array.from(values),
		);
		const random = new Random(i);
		const sd = Math.sqrt(clean.reduce((s, v) => s + v * v, 0) / clean.length);
		return clean.map((v) => v + 0.4 * sd * random.normal());
	});
	const marks = scatterers.map(({ x, y }) => ({ x, y }));
	const found = await extractMaps(
		{ images, nx, ny, pixel, marks },
		{ prior },
		{ method: "refined" },
	);
	assert.is(found.length, 3);
	for (const [i, each] of found.entries()) {
		assert.ok(nccOf(each, made[i]) > 0.98, `${i}: ${nccOf(each, made[i])}`);
		assert.is(each.size, found[0].size);
		assert.ok((each.explained.refined?.heldOut ?? 0) > 0.5);
		assert.equal(each.scatterers, found[0].scatterers);
	}
});

test("what cannot be is refused in words", async () => {
	const map = prepared(makeMap({ ...recipe, background: 0 }, 3));
	const fault = async (
		change: Partial<typeof map>,
		options: Parameters<typeof extractMap>[2] = {},
		learned: { prior?: typeof prior } = { prior },
	) => {
		try {
			await extractMap({ ...map, ...change }, learned, options);
		} catch (error) {
			return (error as Error).message;
		}
		return "";
	};
	assert.match(
		await fault({ marks: [{ x: 900, y: 0, kind: 1 }] }),
		"none of the 1 scatterers lies in the map",
	);
	assert.match(await fault({ nx: 11 }), "a map of 11 x 96 = 1056 pixels");
	assert.match(await fault({ pixel: 0 }), "a pixel above 0 A, got 0");
	assert.match(
		await fault({ weights: map.weights.map((_, p) => (p < 99 ? 1 : 0)) }),
		"99 of the map's 11520 pixels count",
	);
	assert.match(
		await fault({}, { window: 2 }),
		/a window of 12\S* to .* A, got 2/,
	);
	assert.match(await fault({}, {}, {}), "needs the kernel prior");
});

test("binning keeps places, and a smooth kernel comes back from it", () => {
	const [n, factor] = [101, 3];
	const wave = (x: number, y: number) =>
		Math.cos(0.35 * Math.hypot(x, y)) * Math.exp(-Math.hypot(x, y) / 25);
	const kernel = (size: number, step: number) =>
		Float64Array.from({ length: size * size }, (_, i) =>
			wave(
				step * (Math.floor(i / size) - (size - 1) / 2),
				step * ((i % size) - (size - 1) / 2),
			),
		);
	const back = finer(kernel(41, factor), 41, factor, n);
	const truth = { values: kernel(n, 1), size: n };
	const same = centredCorrelation({ values: back, size: n }, truth, 40);
	assert.ok(same > 0.9999, `${same}`);
	const sites = [{ x: 31.4, y: 60.2, weight: 1, kind: 0 }];
	const map: SitedMap = {
		...{ nx: n, ny: n, pixel: 1, order: 0, kinds: 1, sites },
		image: Float64Array.from({ length: n * n }, (_, p) => p % n),
		weights: new Float64Array(n * n).fill(1),
	};
	const small = binned(map, factor);
	assert.equal([small.nx, small.ny, small.pixel], [33, 33, 3]);
	assert.ok(
		Math.abs(small.image[7] - 22) < 1e-12,
		"the mean of a bin is its middle's",
	);
	const [{ x, y }] = unbinned(small.sites, factor);
	assert.ok(Math.hypot(x - 31.4, y - 60.2) < 1e-12);
});

const RING = 17;
const ring = Float64Array.from({ length: RING * RING }, (_, i) => {
	const r = Math.hypot(
		Math.floor(i / RING) - (RING - 1) / 2,
		(i % RING) - (RING - 1) / 2,
	);
	return Math.cos(0.9 * r) * Math.exp(-r / 4);
});

/** A map of rings at sites, with noise. */
function ringed(
	sites: readonly Required<SitedMap["sites"][number]>[],
	noise: number,
	side = 80,
): SitedMap {
	const random = new Random(6);
	const shape = { nx: side, ny: side, size: RING };
	return {
		...{ nx: side, ny: side, pixel: 3, order: 0, kinds: 1, sites },
		image: new MapOperator(shape, sites)
			.apply(ring)
			.map((v) => v + noise * random.normal()),
		weights: new Float64Array(side * side).fill(1),
	};
}

test("places and amplitudes come back by one step; exact ones are promised nothing", () => {
	const random = new Random(3);
	const truth = Array.from({ length: 12 }, (_, j) => ({
		x: 10 + 20 * (j % 4) + random.uniform(0, 4),
		y: 14 + 24 * Math.floor(j / 4) + random.uniform(0, 4),
		weight: 1 + 0.2 * random.normal(),
		kind: 0,
	}));
	const map = ringed(truth, 0.05);
	const step = (marks: typeof truth) => {
		const operator = new MapOperator({ nx: 80, ny: 80, size: RING }, marks);
		const model = operator.apply(ring);
		return adjustSites(
			{
				...{ nx: 80, ny: 80, weights: map.weights, kernels: ring, size: RING },
				rest: model.map((v, p) => map.image[p] - v),
				sigma: 0.05,
			},
			marks,
			marks,
			{ amplitude: 0.3, shift: 0.5 },
		);
	};
	const off = truth.map((s) => ({
		...s,
		x: s.x + 0.3 * random.normal(),
		y: s.y + 0.3 * random.normal(),
		weight: 1,
	}));
	const found = step(off);
	assert.ok(found.promise > 0);
	const rms = (values: readonly number[]) =>
		Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
	const away = (list: readonly (typeof truth)[number][]) =>
		rms(list.flatMap(({ x, y }, j) => [x - truth[j].x, y - truth[j].y]));
	assert.ok(away(found.sites) < 0.4 * away(off), `${away(found.sites)}`);
	const mean = (list: readonly (typeof truth)[number][]) =>
		list.reduce((s, { weight }) => s + weight / list.length, 0);
	const wrong = found.sites.map(
		({ weight }, j) =>
			weight / mean(found.sites) - truth[j].weight / mean(truth),
	);
	assert.ok(rms(wrong) < 0.1, `${rms(wrong)}`);
	assert.ok(step(truth).promise < 0, "exact marks stay");
	// Two marks on one ring: neither is sure of its amplitude.
	const [first] = truth;
	const double = [...truth, { ...first, x: first.x + 0.4, weight: 1 }];
	const errors = step(double).significances;
	assert.ok(errors[0] < 0.4 * found.significances[0], `${errors[0]}`);
});

test("the judge ranks the true marks first", async () => {
	const random = new Random(12);
	const place = () => ({
		x: random.uniform(0, 120),
		y: random.uniform(0, 120),
		weight: 1,
		kind: 0,
	});
	const truth = Array.from({ length: 60 }, place);
	const map = ringed(truth, 0.3, 120);
	const score = async (sites: typeof truth) => {
		const given = { ...map, sites };
		const fit = ridgeMap(given, RING);
		const judge = new HeldOut(given, fit, 24);
		return (await judge.judge(map.image, fit, onThisThread)).share;
	};
	const others = {
		"90 %": truth.slice(6),
		"10 % false": [...truth.slice(6), ...Array.from({ length: 6 }, place)],
		shifted: truth.map((s) => ({
			...s,
			x: s.x + random.normal(),
			y: s.y + random.normal(),
		})),
		half: truth.slice(30),
		double: [...truth, ...Array.from({ length: 60 }, place)],
		random: truth.map(place),
		one: truth.slice(0, 1),
	};
	const best = await score(truth);
	for (const [name, marks] of Object.entries(others))
		assert.ok((await score(marks)) < best, name);
	assert.ok((await score(others.random)) < 0.1);
	assert.ok((await score(others.one)) < 0.1);
});

test("how far a pattern reaches is seen above its noise", () => {
	const random = new Random(1);
	const size = 101;
	const pattern = (reach: number) =>
		Float64Array.from({ length: size * size }, (_, i) => {
			const r = Math.hypot(Math.floor(i / size) - 50, (i % size) - 50) * 2;
			const wave = r < reach ? Math.cos(0.5 * r) : 0;
			return wave + 0.1 * random.normal();
		});
	for (const reach of [30, 70]) {
		const found = reachOf([pattern(reach)], size, 2);
		assert.ok(Math.abs(found - reach) <= 12, `${reach}: ${found}`);
	}
});

test("weights that do not fit the map are refused", async () => {
	const map = prepared(makeMap({ ...recipe, background: 0 }, 4));
	let failure = "";
	await extractMap(
		{ ...map, weights: map.weights.slice(1) },
		{ prior },
		{ method: "ridge" },
	).catch((error: Error) => {
		failure = error.message;
	});
	assert.match(
		failure,
		"expected weights of 120 x 96 = 11520 pixels, got 11519",
	);
});

test("waves of two radians a pixel are not made shorter, those of a fifth are made longer", () => {
	const rings = (q: number) =>
		Float64Array.from(
			{ length: 61 * 61 },
			(_, p) =>
				besselJ(q * Math.hypot(Math.floor(p / 61) - 30, (p % 61) - 30), 0)[0],
		);
	// The evidence always likes larger pixels: what stops it is what the prior knows.
	const most = (q: number) =>
		chooseWorkingPixel(2, [rings(q)], (pixel) => pixel).workingPixel / 2;
	assert.is(most(2), 1);
	assert.ok(Math.abs(most(1) - 2) < 1e-9);
	assert.ok(most(0.2) > 7 && most(0.2) * 0.2 < 2.7, `${most(0.2)}`);
});

test.run();
