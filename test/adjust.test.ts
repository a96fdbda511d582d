import { test } from "uvu";
import * as assert from "uvu/assert";
import { adjust } from "../src/extraction/marks/adjust.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { Random } from "../src/random.ts";

// A ring of waves, well resolved.
const kernel = Float64Array.from({ length: 128 * 128 }, (_, i) => {
	const r = Math.hypot(Math.floor(i / 128) - 63.5, (i % 128) - 63.5);
	return Math.cos(1.1 * r) * Math.exp(-r / 9);
});
const truth = [
	{ x: -80, y: 35, weight: 1.2 },
	{ x: 60, y: 90, weight: 0.8 },
	{ x: 25, y: -110, weight: 1 },
];
const random = new Random(5);
const sigma = 0.05;
const image = new ForwardOperator(
	truth,
	truth.map((s) => s.weight),
)
	.apply(kernel)
	.map((v) => v + 7 + sigma * random.normal());
const errors = (found: readonly { x: number; y: number }[]) =>
	found.map((s, j) => Math.hypot(s.x - truth[j].x, s.y - truth[j].y));

test("adjust: finds places that are half a pixel off, and amplitudes", () => {
	const marks = truth.map(({ x, y }, j) => ({
		x: x + [3, -2.5, 2][j],
		y: y - [2, 1.5, -3][j],
		weight: 1,
	}));
	let found = adjust({ image }, kernel, 7, sigma, marks, marks);
	assert.ok(found.promise > 100, `promise ${found.promise}`);
	for (let round = 0; round < 3; round++)
		found = adjust({ image }, kernel, 7, sigma, found.scatterers, marks);
	assert.ok(
		Math.max(...errors(found.scatterers)) < 0.15,
		`${errors(found.scatterers)} A off`,
	);
	found.scatterers.forEach(({ weight }, j) => {
		assert.ok(
			Math.abs(weight - truth[j].weight) < 0.02,
			`${weight} for ${truth[j].weight}`,
		);
	});
});

test("adjust: leaves good marks where they are, and promises nothing", () => {
	const found = adjust({ image }, kernel, 7, sigma, truth, truth);
	assert.ok(found.promise < 0, `promise ${found.promise}`);
	assert.ok(Math.max(...errors(found.scatterers)) < 0.15);
});

test("adjust: pixels of weight 0 do not count", () => {
	const weights = Float64Array.from(image, (_, i) => (i % 64 < 20 ? 0 : 1));
	const marks = truth.map((s) => ({ ...s, x: s.x + 2 }));
	const damaged = image.map((v, i) => (weights[i] ? v : Number.NaN));
	const a = adjust({ image, weights }, kernel, 7, sigma, marks, marks);
	const b = adjust({ image: damaged, weights }, kernel, 7, sigma, marks, marks);
	assert.equal(b, a);
});

test("adjust: the prior holds where the image says little", () => {
	const marks = truth.map((s) => ({ ...s, x: s.x + 3 }));
	const found = adjust({ image }, kernel, 7, 1000, marks, marks);
	found.scatterers.forEach(({ x }, j) => {
		assert.ok(Math.abs(x - marks[j].x) < 0.05);
	});
});

test.run();
