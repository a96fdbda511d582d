// The page says what to do next, and the few numbers that count.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { diverging, putColour } from "../src/drawing/colour.ts";
import { describeDispersion } from "../src/extraction/findings/dispersion.ts";
import { fitParabola } from "../src/extraction/findings/parabola.ts";
import { Random } from "../src/random.ts";
import { nextStep } from "../src/web/page/basics/guide.ts";
import { sortedSample } from "../src/web/page/picture/colourRange.ts";
import { rowsOf } from "../src/web/page/picture/fieldDrawing.ts";
import { headlineOf } from "../src/web/page/results/headline.ts";

const found = {
	...{ open: true, own: false, sized: true, prepared: true },
	...{ used: 11, asFound: true },
	result: "none" as const,
};

test("each stand has its next step", () => {
	const stands = [
		{ ...found, open: false },
		{ ...found, own: true },
		{ ...found, prepared: false },
		{ ...found, prepared: false, sized: false },
		{ ...found, used: 0 },
		found,
		{ ...found, asFound: false },
		{ ...found, result: "stale" as const },
		{ ...found, result: "fresh" as const },
	];
	const said = stands.map(nextStep);
	assert.is(new Set(said).size, stands.length, said.join("\n"));
	assert.match(said[5], "11 scatterers found");
	assert.match(nextStep({ ...found, used: 1 }), /^1 scatterer found/);
});

test("the headline has q*, m* and E0 as the findings say them", () => {
	const points = [-0.02, 0, 0.02, 0.04].map((energy) => ({
		energy,
		// E = E0 + hbar^2 (q/2)^2 / 2m
		q: 2 * Math.sqrt(((energy + 0.065) * 0.4) / 3.80998),
		error: 0.0004,
	}));
	const fit = fitParabola(points);
	if (typeof fit === "string") throw new Error(fit);
	const line = `dispersion: ${describeDispersion({ points: [], fit, reason: null })}`;
	const q = { q: 0.13934, error: 0.00066 } as Parameters<
		typeof headlineOf
	>[0]["q"];
	const said = headlineOf({ q, findings: ["method refined", line] });
	assert.match(said, /^q\* = 0\.1393 ± 0\.0007 1\/Å · m\* = 0\.40/);
	assert.match(said, /mₑ, E₀ = −65\S* ± \S+ meV$/);
	assert.is(headlineOf({ q: null, findings: [] }), "no q* stands out");
	assert.is(
		headlineOf({
			q: null,
			findings: [
				"method ridge",
				"extraction failed: the kernel explains -0.032 of it; nothing is claimed of its q*",
			],
		}),
		"extraction failed: the kernel explains −0.032 of it",
	);
});

test("a large map's histogram: its extremes, and quantiles as of all values", () => {
	const values = Float32Array.from({ length: 300_000 }, (_, i) =>
		i % 7 === 0 ? Number.NaN : ((i * 7919) % 300_007) / 300_007,
	);
	values[150_001] = 5;
	values[150_002] = -3;
	const sorted = sortedSample(values);
	assert.is(sorted[0], -3);
	assert.is(sorted[sorted.length - 1], 5);
	const middle = sorted[sorted.length >> 1];
	assert.ok(Math.abs(middle - 0.5) < 0.01, String(middle));
	assert.ok(sorted.every((v, i) => i === 0 || v >= sorted[i - 1]));
	assert.equal(
		[...sortedSample([3, Number.NaN, 1, Number.POSITIVE_INFINITY, 2])],
		[1, 2, 3],
	);
});

test("a field's rows have the colours of its values, beyond the range those of its ends", () => {
	const [nx, ny] = [5, 37];
	const random = new Random(3);
	const values = Float32Array.from({ length: nx * ny }, () =>
		random.uniform(-2, 2),
	);
	values.set([Number.NaN, Infinity, -Infinity], 11);
	const [low, high] = [-1.2, 0.9];
	const rows = rowsOf(values, nx, ny, diverging, [low, high]);
	// In two parts, neither of whole strips.
	const found = [...rows(0, 20), ...rows(20, ny)];
	const wanted = new Uint8ClampedArray(4 * nx * ny);
	for (let ix = 0; ix < nx; ix++)
		for (let up = 0; up < ny; up++)
			putColour(
				...([wanted, 4 * ((ny - 1 - up) * nx + ix), diverging] as const),
				(values[ix * ny + up] - low) / (high - low),
			);
	// Of two colours that meet at a value either may be taken.
	const off = found.map((v, i) => Math.abs(v - wanted[i]));
	assert.ok(Math.max(...off) <= 3, String(Math.max(...off)));
	assert.ok(off.filter((v) => v > 0).length < 4);
});

test.run();
