import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	colourOf,
	deviationOf,
	doubted,
} from "../src/extraction/kernels/misfit.ts";
import { Random } from "../src/random.ts";

const [NX, NY] = [110, 90];
const random = new Random(8);
const weights = Float64Array.from({ length: NX * NY }, (_, p) =>
	p % NY < 10 ? 0 : 1,
);
const white = weights.map((w) => (w > 0 ? random.normal() : 0));
const misfit = (rest: Float64Array, deviation = 2) => ({
	...{ rest, nx: NX, ny: NY, weights, deviation },
});
/** Means of 3 x 3 pixels. */
const smoothed = Float64Array.from(white, (_, p) => {
	const [x, y] = [Math.floor(p / NY), p % NY];
	let sum = 0;
	for (let i = Math.max(0, x - 1); i <= Math.min(NX - 1, x + 1); i++)
		for (let j = Math.max(0, y - 1); j <= Math.min(NY - 1, y + 1); j++)
			sum += white[i * NY + j];
	return weights[p] > 0 ? sum : 0;
});

test("colour: 1 of white noise, the area of what errs together else", () => {
	assert.ok(Math.abs(colourOf(misfit(white)) - 1) < 0.05);
	// along each axis 1 + 2 (2/3)^2 + 2 (1/3)^2
	const expected = (1 + (2 * (4 + 1)) / 9) ** 2;
	const found = colourOf(misfit(smoothed));
	assert.ok(Math.abs(found / expected - 1) < 0.1, `${found} for ${expected}`);
});

test("colour: 1 where next to nothing is left", () => {
	const rest = smoothed.map((v) => v / 100);
	assert.is(colourOf(misfit(rest, 2)), 1);
	assert.ok(colourOf(misfit(rest, 0.1)) > 3);
});

test("doubt: none of even noise; where the misfit is great pixels count for less, others as before", () => {
	assert.is(doubted(misfit(white)), undefined);
	const wrong = (p: number) => {
		const [x, y] = [Math.floor(p / NY), p % NY];
		return Math.abs(x - 60) < 6 && Math.abs(y - 50) < 6;
	};
	const rest = white.map((v, p) => (wrong(p) ? 6 * v : v));
	const found = doubted(misfit(rest));
	assert.ok(found);
	found.forEach((v, p) => {
		const [x, y] = [Math.floor(p / NY), p % NY];
		if (weights[p] === 0) assert.is(v, 0);
		else if (Math.abs(x - 60) < 4 && Math.abs(y - 50) < 4) assert.ok(v < 0.4);
		else if (Math.abs(x - 60) > 8 || Math.abs(y - 50) > 8)
			assert.ok(v > 0.7 && v <= 1);
	});
	// of a map that is explained but for a hundredth
	assert.is(doubted(misfit(rest, 1000)), undefined);
});

test("deviation: of the pixels that count, also on a large constant", () => {
	const values = white.map((v, p) =>
		weights[p] > 0 ? 3 * v + 1e9 : Number.NaN,
	);
	const found = deviationOf(values, weights);
	assert.ok(Math.abs(found / 3 - 1) < 0.03, `${found}`);
	assert.is(deviationOf([], []), 0);
});

test.run();
