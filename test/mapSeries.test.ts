/** One area at several energies, as `generate --energies` makes it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readScatterers } from "../src/extraction/marks/scatterers.ts";
import { makeSeriesFolder } from "../src/node/datasets/makeSeries.ts";
import { readInputs } from "../src/node/files/input.ts";
import {
	makeSeries,
	type SeriesRecipe,
} from "../src/qpi/generator/mapSeries.ts";

const RECIPE: SeriesRecipe = {
	band: { kind: "surface", mass: 0.4, bottom: -0.065 },
	...{ energies: [0.06, -0.02, 0.02], broadening: 0.006, phase: 0.6 },
	...{ pixels: [96, 64], field: 384, marks: 1, spread: 0, noise: 0, drift: 3 },
};

test("the ripples of a series have the band's wavelength at each energy, and sit where the scatterer has drifted to", () => {
	const { nx, ny, pixel, scatterers, maps } = makeSeries(RECIPE, 4);
	assert.equal([nx, ny, pixel], [96, 64, 4]);
	assert.equal(
		maps.map(({ energy }) => energy),
		[-0.02, 0.02, 0.06],
	);
	assert.equal(maps[1].drift, { x: 0, y: 0 });
	assert.ok(Math.hypot(maps[0].drift.x, maps[0].drift.y) > 0.2);
	const [{ x, y }] = scatterers;
	for (const { energy, image, drift } of maps) {
		/** |sum over pixels from 20 to 90 A of image exp(iqr)|, the envelope 1/r taken out; largest at the ripples' q. */
		const at = (q: number) => {
			let [re, im] = [0, 0];
			for (let p = 0; p < image.length; p++) {
				const px = (Math.floor(p / ny) - (nx - 1) / 2) * pixel;
				const py = ((p % ny) - (ny - 1) / 2) * pixel;
				const r = Math.hypot(px - x - drift.x, py - y - drift.y);
				if (r < 20 || r > 150) continue;
				const window = Math.sin((Math.PI * (r - 20)) / 130) ** 2;
				re += image[p] * window * Math.cos(q * r);
				im += image[p] * window * Math.sin(q * r);
			}
			return Math.hypot(re, im);
		};
		const expected = 2 * Math.sqrt(((energy + 0.065) * 0.4) / 3.81);
		const grid = Array.from({ length: 300 }, (_, i) => 0.05 + 0.001 * i);
		const found = grid.reduce((a, b) => (at(b) > at(a) ? b : a));
		assert.ok(Math.abs(found - expected) < 0.006, `${found}: ${expected}`);
	}
});

test("a series is written a file an energy, alike for one seed, and read as one stack", async () => {
	const folder = mkdtempSync(join(tmpdir(), "qpi-made-"));
	try {
		const recipe = { ...RECIPE, marks: 6, noise: 0.2, drift: 0 };
		const [a, b] = ["a", "b"].map((name) => join(folder, name));
		await makeSeriesFolder(a, recipe, 2);
		await makeSeriesFolder(b, recipe, 2);
		assert.equal(readdirSync(a).sort(), [
			...["map-001.gsf", "map-002.gsf", "map-003.gsf"],
			...["marks.csv", "truth.json"],
		]);
		for (const name of readdirSync(a))
			assert.equal(readFileSync(join(a, name)), readFileSync(join(b, name)));
		const { measurement } = await readInputs([join(a, "*.gsf")], undefined);
		assert.equal(measurement?.energies, [-0.02, 0.02, 0.06]);
		assert.is(Math.round((measurement?.spacing?.x ?? 0) * 1000), 4000);
		const { marks, maps } = JSON.parse(
			readFileSync(join(a, "truth.json"), "utf8"),
		);
		assert.is(maps.length, 3);
		const list = readFileSync(join(a, marks), "utf8");
		assert.is(readScatterers(list, marks).length, 6);
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test("a series that cannot be is refused in a line", () => {
	for (const [part, what] of [
		[{ energies: [0.1, 0.1] }, /energies 0\.1, 0\.1: expected each only once/],
		[{ pixels: [20, 64] as const }, /20 x 64 pixels: expected 32 to 1024/],
		[
			{ band: { kind: "topological", velocity: 2.5, lambda: 250 } as const },
			/band topological: expected a band of one orbital/,
		],
	] as const)
		assert.throws(() => makeSeries({ ...RECIPE, ...part }, 1), what);
});

test.run();
