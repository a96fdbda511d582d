/** Stacks of energies: dead layers, the band that is read from them, and amplitudes that change with energy. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ParabolaFit } from "../src/extraction/findings/parabola.ts";
import { extractMaps } from "../src/extraction/methods/extractMap.ts";
import { makeExtractor } from "../src/extraction/results/extractor.ts";
import { resultObject } from "../src/extraction/results/files.ts";
import { parseInput } from "../src/extraction/results/input.ts";
import { analyseAll } from "../src/extraction/results/items.ts";
import { deadLayers } from "../src/extraction/results/layers.ts";
import { type TakeOptions, take } from "../src/extraction/results/take.ts";
import { FormatError } from "../src/formats/measurement.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { HBAR2_2M } from "../src/qpi/generator/bands.ts";
import { Random } from "../src/random.ts";
import { gridFile } from "./formatFixtures.ts";

const fileOf = (...file: Parameters<typeof gridFile>) =>
	Uint8Array.from(gridFile(...file));
const [MASS, BOTTOM] = [0.4, -0.065];
const [N, PIXEL, LAYERS] = [64, 4, 8];
const ENERGIES = Array.from({ length: LAYERS }, (_, i) => (0.1 * i) / 7);
/** Dead layers of the file: 42.857 and 71.429 meV. */
const [EMPTY, SATURATED] = [3, 5];

/** Angstrom from the middle, none nearer than 16 to another. */
function places(count: number, random: Random) {
	const out: { x: number; y: number; weight: number }[] = [];
	const reach = (N * PIXEL) / 2 - 12;
	while (out.length < count) {
		const [x, y] = [0, 0].map(() => random.uniform(-reach, reach));
		if (out.every((p) => Math.hypot(p.x - x, p.y - y) > 16))
			out.push({ x, y, weight: 1 });
	}
	return out;
}

/** Rings of q = 2k(E) about each place, of unit variance and with noise. */
function layer(
	energy: number,
	marks: readonly { x: number; y: number; weight: number }[],
	random: Random,
	noise: number,
): Float32Array {
	const q = 2 * Math.sqrt(((energy - BOTTOM) * MASS) / HBAR2_2M);
	const image = Float64Array.from({ length: N * N }, (_, p) => {
		const x = (Math.floor(p / N) - (N - 1) / 2) * PIXEL;
		const y = ((p % N) - (N - 1) / 2) * PIXEL;
		return marks.reduce((sum, mark) => {
			const r = Math.hypot(x - mark.x, y - mark.y);
			const fall = Math.exp(-r / 40) / Math.sqrt(1 + r / 6);
			return sum + mark.weight * fall * Math.cos(q * r + 0.5);
		}, 0);
	});
	const mean = image.reduce((sum, v) => sum + v, 0) / image.length;
	const power = image.reduce((sum, v) => sum + (v - mean) ** 2, 0);
	const sigma = Math.sqrt(power / image.length);
	return Float32Array.from(
		image,
		(v) => (v - mean) / sigma + noise * random.normal(),
	);
}

const random = new Random(5);
const truth = places(14, random);
const images = ENERGIES.map((energy) => layer(energy, truth, random, 0.2));
images[EMPTY].fill(Number.NaN);
images[SATURATED] = images[SATURATED].map((v) => Math.min(v, -0.2));
const size = N * PIXEL * 1e-10;
const bytes = fileOf((ix, iy, i) => images[i][ix * N + iy], {
	...{ nx: N, ny: N, points: LAYERS, sweep: [0, 0.1] },
	...{ size: [size, size], channels: ["LIY 1 omega (A)"] },
});
const input = await parseInput(bytes, "grid.3ds");

async function result(options: TakeOptions) {
	const taken = await take(input, options);
	const extractor = await makeExtractor({
		...{ method: "auto" as const, seed: 1, weights: await openWeights() },
	});
	const analysis = analyseAll(taken, await extractor.extract(taken));
	return resultObject(analysis, {
		...{ input, parameters: {}, about: {}, versions: {}, command: "" },
	}) as {
		readonly dispersion: { readonly fit: ParabolaFit | null };
		readonly items: readonly { energy: number; q: { q: number } | null }[];
		readonly scattererList: readonly { x: number; y: number }[];
		readonly warnings: readonly string[];
		readonly findings: readonly string[];
		readonly input: { readonly leftOut: readonly { label: string }[] };
	};
}

/** What every way of a stack with dead layers has to say. */
function hasBand(found: Awaited<ReturnType<typeof result>>): void {
	const told = found.warnings.join("\n");
	assert.match(told, "43 meV: left out, nothing was measured");
	assert.match(told, /71 meV: left out, saturated: \d+ % of its pixels/);
	assert.is(found.input.leftOut.length, 2);
	assert.is(found.items.length, LAYERS - 2);
	const { fit } = found.dispersion;
	assert.ok(fit, "a parabola");
	assert.ok(Math.abs((fit?.mass ?? 0) - MASS) < 0.03, `m* = ${fit?.mass}`);
	assert.ok(
		Math.abs((fit?.bottom ?? 0) - BOTTOM) < 0.01,
		`E0 = ${fit?.bottom}`,
	);
	for (const { energy, q } of found.items) {
		const expected = 2 * Math.sqrt(((energy - BOTTOM) * MASS) / HBAR2_2M);
		if (q) assert.ok(Math.abs(q.q - expected) < 0.012, `${energy}: ${q.q}`);
	}
	assert.match(found.findings.join("\n"), "amplitudes: shared by all energies");
}

test("a stack in which nothing is marked, two of its layers dead: the scatterers, q(E), m* and E0; the dead ones are named", async () => {
	const found = await result({});
	const hits = truth.filter(({ x, y }) =>
		found.scattererList.some((s) => Math.hypot(s.x - x, s.y - y) < 4),
	);
	assert.ok(hits.length >= truth.length - 1, `${hits.length} found`);
	assert.ok(found.scattererList.length <= truth.length, "none is false");
	hasBand(found);
});

test("the same stack with its scatterers given", async () => {
	const rows = truth.map(({ x, y }) => `${x},${y}\n`).join("");
	hasBand(
		await result({ scatterers: { file: "marks.csv", text: `x,y\n${rows}` } }),
	);
});

test("dead layers: each kind is told apart, quantised and negative images are none, and a stack of nothing else is refused", async () => {
	const wave = Float32Array.from({ length: 400 }, (_, p) => Math.sin(p));
	const few = wave.map((v, p) => (p < 300 ? Number.NaN : v));
	const coarse = wave.map((v) => Math.round(2 * v));
	const dead = [
		deadLayers([wave, few])[1],
		deadLayers([wave, wave.map(() => 3)])[1],
		deadLayers([wave, wave.map((v) => Math.max(v, 0.3))])[1],
	];
	assert.match(dead[0] ?? "", /only 25 % of its pixels/);
	assert.match(dead[1] ?? "", /one value everywhere/);
	assert.match(dead[2] ?? "", /saturated/);
	assert.equal(deadLayers([wave, coarse, wave.map((v) => -v)]), [
		undefined,
		undefined,
		undefined,
	]);
	const nothing = fileOf(() => Number.NaN, { nx: 12, ny: 12 });
	const empty = await parseInput(nothing, "empty.3ds");
	try {
		// By default another channel is taken.
		await take(empty, { channel: "Current" });
		assert.unreachable();
	} catch (error) {
		assert.instance(error, FormatError);
		assert.match(
			(error as Error).message,
			/empty\.3ds.*channel Current, in any of its 5 layers \(-100 meV: nothing/,
		);
	}
});

test("amplitudes stay shared by all energies unless some scatterers change their strength", async () => {
	const random = new Random(8);
	const marks = places(16, random).map((mark) => ({
		...mark,
		weight: 1 + 0.15 * random.normal(),
	}));
	/** Every third grows from 0.5 to 1.5 times its strength. */
	const grown = (i: number) =>
		marks.map((mark, j) => ({
			...mark,
			weight: mark.weight * (j % 3 === 0 ? 0.5 + i / (LAYERS - 1) : 1),
		}));
	const extracted = async (
		weights: (i: number) => ReturnType<typeof grown>,
		adjust = true,
	) => {
		const images = ENERGIES.map((energy, i) =>
			layer(energy, weights(i), random, 0.3),
		);
		const stack = { images, nx: N, ny: N, pixel: PIXEL, marks };
		const options = { method: "ridge", samples: 4, adjust } as const;
		return extractMaps(stack, {}, options);
	};
	for (const { parameters, scatterers } of await extracted(() => marks)) {
		assert.is(parameters.amplitudes, "shared");
		assert.equal(
			scatterers.map(({ weight }) => weight),
			marks.map(({ weight }) => weight),
		);
	}
	const changing = await extracted(grown);
	for (const [i, { parameters, scatterers }] of changing.entries()) {
		assert.is(parameters.amplitudes, "by energy");
		// The mean is the kernel's own.
		const ratio = (values: readonly { weight: number }[]) => {
			const of = (third: boolean) =>
				values
					.filter((_, j) => (j % 3 === 0) === third)
					.reduce((sum, { weight }) => sum + weight, 0);
			return of(true) / of(false);
		};
		const [found, expected] = [ratio(scatterers), ratio(grown(i))];
		assert.ok(
			Math.abs(found / expected - 1) < 0.2,
			`energy ${i}: ${found} for ${expected}`,
		);
	}
	const [kept] = await extracted(grown, false);
	assert.is(kept.parameters.amplitudes, undefined, "--no-adjust");
});

test.run();
