import { test } from "uvu";
import * as assert from "uvu/assert";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { paperInputs, physicsInputs } from "../src/qpi/operator/inputs.ts";
import { centre, embed, ridge } from "../src/qpi/operator/ridge.ts";
import { meanKernel, NearestKernel } from "../src/qpi/operator/rivals.ts";
import { compareKernels, correlation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const near = (a: number, b: number, tolerance = 1e-6) =>
	assert.ok(Math.abs(a - b) < tolerance, `${a} is not ${b}`);

test("scores of a hand-computed example", () => {
	// On [-1, 1]: (-1, 0, 1, 1) against (-1, -0.5, 0, 1).
	const scores = compareKernels([0, 1, 2, 2], [10, 20, 30, 50]);
	near(scores.mae, (0 + 0.5 + 1 + 0) / 4);
	near(scores.mse, (0 + 0.25 + 1 + 0) / 4);
	near(scores.rmse, Math.sqrt(1.25 / 4));
	// Less their means: (-5, -1, 3, 3) / 4 and (-17.5, -7.5, 2.5, 22.5).
	near(
		scores.ncc,
		(1.25 * 17.5 + 0.25 * 7.5 + 0.75 * 2.5 + 0.75 * 22.5) /
			Math.sqrt((44 / 16) * (17.5 ** 2 + 7.5 ** 2 + 2.5 ** 2 + 22.5 ** 2)),
	);
});

test("scale and offset do not matter, the sign does", () => {
	const truth = [3, -1, 4, 1, -5, 9];
	const same = compareKernels(
		truth.map((v) => 0.1 * v - 7),
		truth,
	);
	near(same.mae, 0);
	near(same.ncc, 1);
	near(
		compareKernels(
			truth.map((v) => -v),
			truth,
		).ncc,
		-1,
	);
});

test("a constant image counts as -1 everywhere, with no correlation; broken ones are refused", () => {
	const scores = compareKernels([7.1, 7.1, 7.1, 7.1], [0, 1, 0, 1]);
	near(scores.mae, 1);
	near(scores.mse, 2);
	assert.is(scores.ncc, 0);
	assert.is(correlation([1, 2], [0.1, 0.1]), 0);
	assert.throws(() => compareKernels([1], [1, 2]), /1 pixels, the truth 2/);
	assert.throws(() => compareKernels([1, Number.NaN], [1, 2]), /not finite/);
});

// --- inputs and rivals

const random = new Random(3);
const DX = 400 / 63;
const waves = (q: number) =>
	Float32Array.from({ length: 4096 }, (_, i) => {
		const r = DX * Math.hypot(Math.floor(i / 64) - 31.5, (i % 64) - 31.5);
		return (Math.cos(q * r) * Math.exp(-r / 80)) / Math.sqrt(r + 4);
	});
const kernels = [0.1, 0.15, 0.2, 0.25].map(waves);
const scatterers = Array.from({ length: 12 }, () => ({
	x: random.uniform(-190, 190),
	y: random.uniform(-190, 190),
}));
const image = Float32Array.from(
	new ForwardOperator(scatterers).apply(embed(kernels[2])),
	(v) => 5 - 3 + 4 * v,
);
const channel = (inputs: Float32Array, k: number, of: number) =>
	inputs.filter((_, i) => i % of === k);

test("physics inputs: five channels of order one, centred on the kernel, with the ridge kernel's scale", () => {
	const { inputs, scale } = physicsInputs(image, scatterers);
	assert.is(inputs.length, 64 * 64 * 5);
	const channels = [0, 1, 2, 3, 4].map((k) => channel(inputs, k, 5));
	const [y, map, back, overlap, kernel] = channels;
	near(correlation(y, image), 1);
	near(
		y.reduce((s, v) => s + (v * v) / 4096, 0),
		1,
		1e-4,
	);
	near(
		map.reduce((s, v) => s + v, 0),
		8 * 12,
		1e-3,
	);
	for (const c of channels) {
		const peak = c.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
		assert.ok(peak > 0.5 && peak < 40, `peak ${peak}`);
	}
	assert.ok(correlation(back, kernels[2]) > 0.4, "backprojection");
	assert.ok(correlation(kernel, kernels[2]) > 0.9, "ridge");
	// The point-spread function peaks on the four nodes around lag zero.
	const peak = Math.max(...overlap);
	for (const i of [31 * 64 + 31, 31 * 64 + 32, 32 * 64 + 31, 32 * 64 + 32])
		assert.ok(overlap[i] > 0.5 * peak);
	const direct = centre(ridge(new ForwardOperator(scatterers), image).kernel);
	const error = direct.reduce(
		(m, v, i) => Math.max(m, Math.abs(v - kernel[i] * scale)),
		0,
	);
	assert.ok(error < 1e-4, `scale off by ${error}`);
});

test("backprojection is the mean of what surrounds the scatterers, also where the edge cuts some off", () => {
	// Scatterers between pixels 4 and 5, and 40 and 41: lags are whole nodes, node m sees pixels m - 27 and m + 9.
	const at = (pixel: number) => ({ x: -200 + pixel * DX, y: 0 });
	const { inputs } = physicsInputs(image, [at(4.5), at(40.5)]);
	const y = channel(inputs, 0, 5);
	const back = channel(inputs, 2, 5);
	for (const [ix, iy] of [
		[27, 31],
		[40, 10],
		[54, 63],
	])
		near(
			back[ix * 64 + iy],
			(y[(ix - 27) * 64 + iy] + y[(ix + 9) * 64 + iy]) / 2,
			1e-5,
		);
	near(back[31], y[9 * 64 + 31], 1e-5);
	near(back[63 * 64 + 31], y[36 * 64 + 31], 1e-5);
});

test("paper inputs: image from 0 to 1 and a binary map", () => {
	const inputs = paperInputs(image, scatterers);
	const y = channel(inputs, 0, 2);
	near(Math.min(...y), 0);
	near(Math.max(...y), 1);
	const map = channel(inputs, 1, 2);
	assert.ok(map.every((v) => v === 0 || v === 1));
	assert.is(
		map.reduce((s, v) => s + v, 0),
		12,
	);
});

test("inputs without contrast or scatterers are finite", () => {
	for (const { inputs, scale } of [
		physicsInputs(new Float32Array(4096).fill(3), scatterers),
		physicsInputs(image, []),
	]) {
		assert.ok(inputs.every(Number.isFinite));
		assert.is(scale, 0);
	}
	assert.throws(
		() => physicsInputs(new Float32Array(4096).fill(Number.NaN), []),
		/not finite/,
	);
});

test("the nearest kernel explains the image, whatever amplitude and offset", () => {
	const nearest = new NearestKernel(kernels);
	const found = nearest.find(image, scatterers);
	assert.is(found.index, 2);
	near(found.amplitude, 4, 1e-4);
	near(found.explained, 1, 1e-6);
	const inverted = image.map((v) => -v);
	const other = nearest.find(inverted, scatterers);
	assert.is.not(other.index, 2, "a negative amplitude is no match");
	const nothing = nearest.find(new Float32Array(4096), scatterers);
	assert.equal(nothing, { index: 0, amplitude: 0, explained: 0 });
	assert.throws(() => new NearestKernel([]), /no kernels/);
});

test("the mean kernel weighs kernels alike, whatever their amplitudes", () => {
	const mean = meanKernel([
		new Float32Array([1, -1, 1, -1]),
		new Float32Array([50, 50, 50, 50]),
	]);
	assert.equal([...mean], [1, 0, 1, 0]);
	assert.throws(() => meanKernel([]), /no kernels/);
});

test.run();
