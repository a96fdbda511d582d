import { test } from "uvu";
import * as assert from "uvu/assert";
import { marksOf } from "../src/extraction/blind/activationMarks.ts";
import {
	findActivation,
	findKernel,
	type SparseProblem,
	shrink,
} from "../src/extraction/blind/sparseSteps.ts";
import {
	cut,
	heaviest,
	moved,
	resized,
	unit,
	windowsOf,
} from "../src/extraction/blind/windows.ts";
import { preprocess } from "../src/extraction/preprocess.ts";
import {
	activationOverlap,
	kernelAngle,
	spectrumCorrelation,
} from "../src/extraction/sbd/metrics.ts";
import { sparseDeconvolution } from "../src/extraction/sbd/sbd.ts";
import { type MapRecipe, makeMap } from "../src/qpi/generator/maps.ts";
import { MapConvolution } from "../src/qpi/operator/convolution.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { centredCorrelation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const random = new Random(8);
const normal = (length: number) =>
	Float64Array.from({ length }, () => random.normal());

test("shrink: the least of Huber's function and a parabola", () => {
	for (const mu of [0, 0.3])
		for (const v of [-2, -0.4, 0, 0.1, 0.9]) {
			const huber = (x: number) =>
				Math.abs(x) < mu ? x ** 2 / (2 * mu) : Math.abs(x) - mu / 2;
			const cost = (x: number) => 0.5 * huber(x) + (x - v) ** 2 / 2;
			const found = shrink(v, 0.5, mu);
			for (let x = -3; x < 3; x += 0.01)
				assert.ok(cost(found) <= cost(x) + 1e-12, `${v}: ${found}, ${x}`);
		}
});

test("steps: each makes the objective less; the kernel keeps its norm, masked pixels do not count", () => {
	const [nx, ny, size] = [32, 24, 7];
	const convolution = new MapConvolution(nx, ny, size);
	const truth = unit(normal(size ** 2));
	const spikes = new Float64Array(nx * ny);
	for (const [x, y] of [
		[5, 6],
		[20, 12],
		[13, 18],
		[27, 5],
	])
		spikes[x * ny + y] = 3;
	const map = convolution.convolve(
		convolution.mapSpectrum(spikes),
		convolution.kernelSpectrum(truth),
	);
	const weights = new Float64Array(nx * ny).fill(1);
	for (let p = 0; p < 3 * ny; p++) {
		weights[p] = 0;
		map[p] = 1e3;
	}
	const problem: SparseProblem = {
		...{ convolution, map, weights, lambda: 0.1, mu: 0, signed: false },
	};
	const cost = (activation: Float64Array, kernel: Float64Array) => {
		const model = convolution.convolve(
			convolution.mapSpectrum(activation),
			convolution.kernelSpectrum(kernel),
		);
		const left = model.map((v, p) => v - map[p]);
		return (
			left.reduce((sum, v, p) => sum + (weights[p] * v * v) / 2, 0) +
			0.1 * activation.reduce((sum, v) => sum + Math.abs(v), 0)
		);
	};
	const start = unit(truth.map((v) => v + 0.08 * random.normal()));
	const nothing = new Float64Array(nx * ny);
	const activation = findActivation(problem, start, nothing, 60);
	const costs = [cost(nothing, start), cost(activation, start)];
	const kernel = findKernel(problem, activation, start, 20);
	costs.push(cost(activation, kernel));
	const again = findActivation(problem, kernel, activation, 60);
	costs.push(cost(again, kernel));
	for (let i = 1; i < costs.length; i++)
		assert.ok(costs[i] < costs[i - 1], costs.join(" "));
	assert.ok(Math.abs(dot(kernel, kernel) - 1) < 1e-9);
	assert.ok(dot(kernel, truth) > 0.99, `${dot(kernel, truth)}`);
	assert.ok(again.every((v) => v >= 0));
	assert.ok(Math.abs(again[20 * ny + 12] - 3) < 0.2);
});

test("windows: cut about the nearest pixel, grown, moved to the heaviest part", () => {
	const grid = { nx: 20, ny: 16, pixel: 2 };
	const map = Float64Array.from({ length: 320 }, (_, p) => p + 1);
	// Pixel (12, 7) lies at (5, -1) A; a window of 6 A is three pixels wide.
	const kernel = cut(map, grid, { x: 5.4, y: -0.7, size: 6 }, 5);
	assert.is(kernel[12], 12 * 16 + 7 + 1);
	assert.is(kernel[6], 11 * 16 + 6 + 1);
	assert.is(kernel[0], 0);
	const corner = cut(map, grid, { x: -19, y: -15, size: 10 }, 5);
	assert.is(corner[12], 1);
	assert.equal([...corner.subarray(0, 12)], Array(12).fill(0));
	const wide = moved(resized(kernel, 5, 9), 9, 9, 3, 0);
	assert.equal(heaviest(wide, 9, 5), [2, 0]);
	assert.equal(heaviest(new Float64Array(81), 9, 5), [0, 0]);
	assert.equal(resized(resized(kernel, 5, 9), 9, 5), kernel);
	assert.throws(
		() => windowsOf(grid, [{ x: 30, y: 0, size: 6 }]),
		/6 A at \(30, 0\): expected its middle in the map/,
	);
});

test("marks of an activation map: clusters at their centroids, weak ones left out", () => {
	const grid = { nx: 64, ny: 48, pixel: 1.5 };
	const map = new Float64Array(64 * 48);
	const put = (x: number, y: number, v: number) => {
		map[x * 48 + y] += v;
	};
	for (const [x, y, v] of [
		[10, 10, 2],
		[40, 30, 2],
		[55, 12, 2.4],
		[20, 35, 0.4],
	]) {
		put(x, y, v / 2);
		put(x + 1, y, v / 2);
	}
	const marks = marksOf(map, grid);
	assert.is(marks.length, 3);
	const at = marks.find(({ x }) => Math.abs(x - (10.5 - 31.5) * 1.5) < 0.01);
	assert.ok(at && Math.abs(at.y - (10 - 23.5) * 1.5) < 0.01);
	assert.is(at?.weight, 1);
	assert.equal(marksOf(new Float64Array(64 * 48), grid), []);
});

test("metrics: a shift does not count for angle and spectrum, a place does for the overlap", () => {
	const size = 21;
	const small = Float64Array.from({ length: size ** 2 }, (_, p) => {
		const [x, y] = [Math.floor(p / size) - 9, (p % size) - 11];
		return Math.exp(-(x * x + 2 * y * y) / 6) * Math.cos(x + y);
	});
	const a = { values: small, size };
	const b = { values: moved(small, size, size, 3, -2), size };
	assert.ok(
		kernelAngle(a, { ...b, values: b.values.map((v) => -5 * v) }) < 0.01,
	);
	assert.ok(spectrumCorrelation(a, b) > 0.999);
	const noise = { values: normal(size ** 2), size };
	assert.ok(kernelAngle(a, noise) > 0.6);
	assert.ok(Math.abs(spectrumCorrelation(a, noise)) < 0.5);
	const angle = Math.PI / 5;
	const [u, v] = [Float64Array.of(1, 0, 0), Float64Array.of(0, 1, 0)];
	const turned = u.map((x, i) => Math.cos(angle) * x + Math.sin(angle) * v[i]);
	const only = (values: Float64Array) => {
		const out = new Float64Array(9);
		out.set(values, 0);
		return { values: out, size: 3 };
	};
	const found = kernelAngle(only(u), only(turned));
	assert.ok(Math.abs(found - (2 / Math.PI) * angle) < 1e-9);
	const places = [
		{ x: 0, y: 0, weight: 1 },
		{ x: 40, y: 10, weight: 1 },
	];
	assert.ok(Math.abs(activationOverlap(places, places) - 1) < 1e-9);
	const half = activationOverlap(places, [places[0], { ...places[1], x: 99 }]);
	assert.ok(Math.abs(half - 0.5) < 1e-9);
	assert.is(activationOverlap(places, []), 0);
});

const RECIPE: MapRecipe = {
	...{ pixels: [96, 80], field: 300, marks: 16, noise: 0.3, spread: 0.15 },
};

for (const kinds of [1, 2])
	test(`a made map of ${kinds} ${kinds > 1 ? "kinds" : "kind"}: scatterers and kernels from a window each`, async () => {
		const larger = { pixels: [128, 112], field: 400, marks: 30 } as const;
		const recipe = kinds > 1 ? { ...RECIPE, ...larger, kinds } : RECIPE;
		const made = makeMap(recipe, 4, 3);
		const { image, nx, ny, pixel, scatterers, kernels } = made;
		const { scan, weights } = preprocess({
			...{ image, nx, ny, spacing: { x: pixel, y: pixel } },
		});
		const windows = Array.from({ length: kinds }, (_, k) => {
			// As a user would: the one farthest from all others.
			const alone = (s: (typeof scatterers)[number]) =>
				Math.min(
					...scatterers.map((o) =>
						o === s ? 999 : Math.hypot(o.x - s.x, o.y - s.y),
					),
				);
			const [own] = scatterers
				.filter(
					({ x, y, kind }) =>
						kind === k + 1 &&
						Math.abs(x) < made.nx * pixel * 0.38 &&
						Math.abs(y) < made.ny * pixel * 0.38,
				)
				.sort((a, b) => alone(b) - alone(a));
			return { x: own.x, y: own.y, size: 60 };
		});
		const told: number[] = [];
		const found = await sparseDeconvolution(
			{ images: [scan.image], nx, ny, pixel, weights },
			{
				windows,
				onProgress: (done, total) => {
					told.push(done / total);
				},
			},
		);
		assert.is(found.kinds.length, kinds);
		assert.ok(told.length > 5 && told.every((v) => v < 1));
		for (const [k, { kernel, size, activation }] of found.kinds.entries()) {
			assert.is(activation.length, nx * ny);
			assert.ok(Math.abs(dot(kernel, kernel) - 1) < 1e-9);
			const estimate = { values: kernel, size };
			const ncc = centredCorrelation(estimate, kernels[k], 28 / pixel);
			assert.ok(ncc > 0.85, `kind ${k + 1}: ${ncc}`);
			const truth = scatterers.filter(({ kind }) => kind === k + 1);
			const marks = found.marks.filter(({ kind }) => kind === k + 1);
			const near = truth.filter(({ x, y }) =>
				marks.some((m) => Math.hypot(m.x - x, m.y - y) < 6),
			);
			assert.ok(near.length >= 0.85 * truth.length, `${near.length}`);
			assert.ok(marks.length <= truth.length + 1, `${marks.length}`);
		}
	});

test("a random window, the same for the same seed", async () => {
	const { image, nx, ny, pixel } = makeMap({ ...RECIPE, pixels: [48, 40] }, 1);
	const run = (seed: number) =>
		sparseDeconvolution(
			{ images: [image], nx, ny, pixel },
			{ size: 45, seed, turns: 2 },
		);
	const [a, b, c] = [await run(1), await run(1), await run(2)];
	assert.is(a.kinds[0].size, 7);
	assert.equal(a.kinds[0].kernel, b.kinds[0].kernel);
	assert.not.equal(a.kinds[0].kernel, c.kinds[0].kernel);
	const refused = await sparseDeconvolution(
		{ images: [image], nx, ny, pixel },
		{ size: 1000 },
	).catch((error) => error.message);
	assert.match(refused, /expected kernels of 18.8 to 250 A, got 1000/);
});

test.run();
