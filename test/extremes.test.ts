// Lists that grow with the data are not spread into arguments: the stack holds some 120,000.
import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { chooseImages } from "../src/extraction/results/choose.ts";
import { makeSplit } from "../src/qpi/dataset/split.ts";
import { maxOf, minOf } from "../src/qpi/maths/extremes.ts";

const MANY = 200_000;

test("extremes of 200,000 values, of none, and with NaN", () => {
	const values = Array.from({ length: MANY }, (_, i) => (i * 7919) % MANY);
	assert.is(minOf(values), 0);
	assert.is(maxOf(Float32Array.from(values)), MANY - 1);
	assert.is(minOf([]), Infinity);
	assert.is(maxOf([]), -Infinity);
	assert.ok(Number.isNaN(maxOf([1, NaN, 3])));
});

test("an energy is chosen among 200,000", () => {
	const energies = Array.from({ length: MANY }, (_, i) => i / MANY);
	const images = energies.map(() => new Float32Array(1));
	const channel = { name: "A", unit: "", images };
	const [nx, ny, details, warnings] = [1, 1, [], []];
	const measurement = {
		...{
			format: "3ds" as const,
			nx,
			ny,
			spacing: undefined,
			channels: [channel],
		},
		...{ energies, details, warnings },
	};
	const input = { measurement, file: "many.3ds" };
	const [chosen] = chooseImages(input, channel, { energy: 0.25 });
	assert.is(chosen.index, MANY / 4);
});

test("families of 200,000 kernels are split", () => {
	const kernels = ["a", "b", "c"].flatMap((family, f) =>
		Array.from({ length: MANY }, (_, i) => ({
			...{ number: f * MANY + i + 1, family, symmetry: 4 as const },
			energy: Math.floor((3 * i) / MANY),
		})),
	);
	const split = makeSplit(kernels, { seed: 1, unseenFraction: 0.5 });
	assert.is(split.unseenFamily.length, MANY);
	assert.ok(split.unseenEnergy.length > 0);
});

test("no source spreads a list into Math.max or Math.min", () => {
	const root = new URL("../src/", import.meta.url);
	const files = readdirSync(root, { recursive: true, encoding: "utf8" });
	for (const file of files.filter((name) => name.endsWith(".ts")))
		assert.not.match(
			readFileSync(new URL(file, root), "utf8").replaceAll(
				/\/\*[\s\S]*?\*\//g,
				"",
			),
			/Math\.(max|min)\([\w\s.,]*\.\.\./,
			file,
		);
});

test.run();
