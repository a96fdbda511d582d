/** The weights that come with the package: what they were made of, and how well they extract. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { METHODS } from "../src/extraction/kernels/extraction.ts";
import { refine } from "../src/extraction/kernels/refined.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { makeSplit } from "../src/qpi/dataset/split.ts";
import { makeKernel, planKernels } from "../src/qpi/generator/generator.ts";
import {
	bareKernel,
	HELD_OUT,
	view,
	wideKernel,
} from "../src/qpi/generator/wide.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { SORTS } from "../src/qpi/operator/quadrants.ts";
import { centre, ridgeGcv } from "../src/qpi/operator/ridge.ts";
import { compareKernels } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";
import { WEIGHTS } from "../src/training/presets.ts";

const weights = await openWeights();
const prior = await weights.prior();
const { tensors } = decodeSafetensors(await weights.read("prior.safetensors"));
const stored = tensors.get("kernels")?.data as Float32Array;
const length = prior.length;

test("the manifest says what makeWeights would do now", () => {
	const { preset, neverDrawn, seed } = weights.manifest as unknown as {
		preset: unknown;
		neverDrawn: unknown;
		seed: number;
	};
	assert.equal(preset, JSON.parse(JSON.stringify(WEIGHTS)));
	assert.equal(neverDrawn, [...HELD_OUT]);
	assert.is(seed, 1);
});

/** Kernel i of the wide set of seed 1, as openWideSet makes it: two views of each pattern. */
function wideSetKernel(i: number) {
	const number = Math.floor(i / 2);
	const random = new Random(1, number);
	const pattern =
		number < WEIGHTS.models ? wideKernel(random) : bareKernel(random);
	let nodes = new Float32Array(0);
	for (let v = 0; v <= i % 2; v++) {
		const turn = random.uniform(0, 2 * Math.PI);
		const stretch = random.uniform(0.9, 1.12);
		nodes = Float32Array.from(view(pattern, { turn, stretch }));
	}
	return { kind: pattern.kind, nodes: Float64Array.from(nodes) };
}

test("kernels that the prior was learned from come out the same when they are made anew", () => {
	assert.is(stored.length, WEIGHTS.kept * length);
	const every = (2 * (WEIGHTS.models + WEIGHTS.bare)) / WEIGHTS.kept;
	const kinds = [
		[0, "rings 3"],
		[2, "free pair"],
		[3, "ellipse ring3"],
		[7, "quartic ring3"],
		[10, "dWave unequal4"],
		[13, "warped point"],
		[37, "surface point"],
		[41, "pnictide point"],
		[49, "topological point"],
		[2135, "bare 1"],
		[2399, "bare 1"],
	] as const;
	for (const [row, expected] of kinds) {
		const { kind, nodes } = wideSetKernel(every * row);
		assert.is(kind, expected);
		const z = prior.coefficients(nodes);
		let [difference, size] = [0, 0];
		for (let c = 0; c < length; c++) {
			const value = stored[row * length + c];
			difference += (z[c] - value) ** 2;
			size += value ** 2;
		}
		// half precision
		const away = Math.sqrt(difference / size);
		assert.ok(away < 1e-3, `row ${row}, ${kind}: ${away}`);
	}
});

test("the prior's variances are those of its kernels' coefficients", () => {
	const { variances } = prior;
	const squares = new Float64Array(length);
	stored.forEach((value, k) => {
		squares[k % length] += value ** 2 / WEIGHTS.kept;
	});
	let at = 0;
	for (const { name, swap } of SORTS) {
		const count = tensors.get(`${name}.variances`)?.shape[0] ?? 0;
		// Of a pair of mixed components the two kernels' orientations are one mean.
		const pairs = swap === 0 ? 2 : 1;
		let [found, due] = [0, 0];
		for (let c = at; c < at + count; c++) {
			let square = 0;
			for (let half = 0; half < pairs; half++)
				square += squares[c + half * count] / pairs;
			const ratio = square / variances[c];
			assert.ok(ratio > 0.7 && ratio < 1.4, `${name} ${c - at}: ${ratio}`);
			found += square;
			due += variances[c];
		}
		assert.ok(Math.abs(found / due - 1) < 0.05, `${name}: ${found / due}`);
		at += count * pairs;
	}
	// Unit root mean square in the middle, and what lies around it.
	const power = variances.reduce((sum, v) => sum + v, 0);
	assert.ok(Math.abs(power - 4117.8) < 0.5, `${power}`);
	assert.ok(Math.abs(prior.floor - 0.00366032) < 1e-7, `${prior.floor}`);
});

const specs = planKernels(100, 1);
const unseen = makeSplit(specs, { seed: 1 }).unseenFamily;

/** The table of 64x64 images in bench/README.md, by kernel; `qpi-lens evaluate` gives it, for a set of `qpi-lens generate --seed 1`. */
const TABLE: readonly (Record<
	(typeof METHODS)[number],
	{ readonly ncc: number; readonly mae: number }
> & { readonly number: number; readonly family: string })[] = JSON.parse(
	readFileSync(
		new URL("../bench/results/extraction/evaluate.json", import.meta.url),
		"utf8",
	),
).perKernel;
/** A kernel of each family that the weights have not seen. */
const CHOSEN = [31, 55, 93];
const gpu = await openGpu();
console.log(describeAdapter(gpu));
const networks = await weights.networks(gpu);
test.after(() => {
	networks.dispose();
	gpu.dispose();
});

for (const number of CHOSEN)
	test(`kernel ${number} of the published table has the scores that stand there`, async () => {
		const row = TABLE.find((r) => r.number === number);
		assert.ok(row && unseen.includes(number));
		const { kernel, observations } = makeKernel(specs[number - 1], {
			observations: 5,
			seed: 1,
		});
		const inputs = observations.map((o) =>
			networks.inputsOf(o.image, o.scatterers),
		);
		const found: Partial<Record<(typeof METHODS)[number], Float32Array[]>> = {
			ridge: observations.map((o) =>
				centre(ridgeGcv(new ForwardOperator(o.scatterers), o.image).kernel),
			),
			oneStep: await networks.infer("oneStep", inputs),
			twoStep: await networks.infer("twoStep", inputs),
			// Of one of them, for it takes seconds.
			...(number === CHOSEN[0] && {
				refined: observations.map(({ image, scatterers }) => {
					const marks = scatterers.map((s) => ({ ...s, weight: 1 }));
					return centre(refine({ image, scatterers: marks }, prior).kernel);
				}),
			}),
		};
		for (const method of METHODS)
			for (const score of ["ncc", "mae"] as const) {
				const values = found[method]?.map(
					(k) => compareKernels(k, kernel)[score],
				);
				if (!values) continue;
				const mean = values.reduce((a, b) => a + b, 0) / values.length;
				const expected = row[method][score];
				assert.ok(
					Math.abs(mean - expected) < 5e-4,
					`${method}, ${score}: found ${mean}, expected ${expected}`,
				);
			}
	});

test.run();
