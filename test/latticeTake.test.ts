/** From a file to what is extracted from, by its lattice. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	intoScan,
	latticeEntry,
} from "../src/extraction/lattice/correction.ts";
import { writeScatterers } from "../src/extraction/marks/scatterers.ts";
import { extractMap } from "../src/extraction/methods/extractMap.ts";
import { type TakeOptions, take } from "../src/extraction/results/take.ts";
import type { Measurement } from "../src/formats/measurement.ts";
import { correlation } from "../src/qpi/scores/metrics.ts";
import { latticeScan, ripple } from "./latticeScans.ts";

const LATTICE = { a: 3.8, b: 3.8, angle: 90 };
const SIDE = 160;
const made = { lattice: LATTICE, nx: SIDE, drift: 3, noise: 0.3 };
const { scan, scatterers } = latticeScan({ ...made, height: 0.8 });
const listed = {
	file: "marks.csv",
	text: writeScatterers(
		scatterers.map((s) => ({
			...{ ...s, weight: 1, quality: 1, keep: true, kind: 1 },
		})),
	),
};
const fileOf = (
	images: Float32Array[],
	height?: Float32Array,
): Measurement => ({
	format: "3ds",
	nx: SIDE,
	ny: SIDE,
	spacing: scan.spacing,
	channels: [
		{ name: "LIY 1 omega", unit: "A", images },
		...(height
			? [{ name: "Z", unit: "m", images: images.map(() => height) }]
			: []),
	],
	energies: images.map((_, i) => i / 100),
	details: [],
	warnings: [],
});
const input = { file: "grid.3ds", sha256: "", bytes: 1 };
const taken = (options: TakeOptions, measurement = fileOf([scan.image])) =>
	take({ ...input, measurement }, { scatterers: listed, ...options });

/** How far the kernel, by ridge, is the ripples' formula: a correlation within 30 A. */
async function likeness(options: TakeOptions): Promise<number> {
	const { tasks, pixel, order } = await taken(options);
	const [{ scatterers: marks, ...task }] = tasks;
	const { size, kinds } = await extractMap(
		{ ...task, pixel, order, marks },
		{},
		{ method: "ridge", samples: 0, window: 36, holdOut: false },
	);
	const [got, want]: [number[], number[]] = [[], []];
	kinds[0].kernel.forEach((v, p) => {
		const middle = (size - 1) / 2;
		const r =
			pixel * Math.hypot(Math.floor(p / size) - middle, (p % size) - middle);
		if (r > 30) return;
		got.push(v);
		want.push(ripple(r));
	});
	return correlation(got, want);
}

test("the kernel of a distorted scan is better by the correction, and once more without the lattice's waves", async () => {
	const before = await likeness({});
	const after = await likeness({ lattice: LATTICE, drift: true });
	const without = await likeness({
		...{ lattice: LATTICE, drift: true, bragg: "remove" },
	});
	assert.ok(before < 0.94, `NCC ${before} before`);
	assert.ok(after > 0.96, `NCC ${after}, ${before} before`);
	assert.ok(without > after, `NCC ${without}, ${after} with the lattice`);
});

test("marks move with the scan, and go back to where they were", async () => {
	const {
		tasks,
		scatterers: moved,
		correction,
		centre,
	} = await taken({
		...{ lattice: LATTICE, drift: true },
	});
	assert.is(centre.x, 0);
	assert.is(tasks[0].scatterers.length, scatterers.length);
	const far = moved?.map((s, i) =>
		Math.hypot(s.x - scatterers[i].x, s.y - scatterers[i].y),
	);
	assert.ok(Math.max(...(far ?? [])) > 2);
	moved?.forEach((s, i) => {
		const back = intoScan(correction, s);
		assert.ok(
			Math.hypot(back.x - scatterers[i].x, back.y - scatterers[i].y) < 2e-3,
		);
		assert.is(s.weight, 1);
	});
	assert.is(correction && latticeEntry(correction).frame, "corrected");
});

test("a mask is the user's, in the scan's own frame", async () => {
	const shape = {
		kind: "rectangle",
		x: -40,
		y: 30,
		width: 20,
		height: 16,
	} as const;
	const { tasks, correction } = await taken({
		...{ lattice: LATTICE, drift: true, mask: [shape] },
	});
	const [{ nx, ny, weights = new Float32Array() }] = tasks;
	let [wrong, masked] = [0, 0];
	for (let p = 0; p < nx * ny; p++) {
		const at = {
			x: Math.floor(p / ny) - (nx - 1) / 2,
			y: (p % ny) - (ny - 1) / 2,
		};
		const r = intoScan(correction, at);
		const inside = (margin: number) =>
			Math.abs(r.x + 40) < 10 - margin && Math.abs(r.y - 30) < 8 - margin;
		if (inside(1)) {
			masked++;
			wrong += weights[p];
		} else if (!inside(-2) && Math.hypot(at.x, at.y) < 60)
			wrong += 1 - weights[p];
	}
	assert.ok(masked > 200);
	assert.is(wrong, 0);
});

test("all layers of a stack move alike, by the topography where there is one", async () => {
	const smooth = latticeScan({ ...made, height: 0 }).scan.image;
	const z = latticeScan({ ...made, height: 3, seed: 5 }).scan.image.map(
		(v) => 1e-11 * v,
	);
	const { tasks, correction, told } = await taken(
		{ drift: true },
		fileOf([smooth, smooth.map((v) => 2 * v)], z),
	);
	assert.is(correction?.reference, "Z");
	assert.ok(
		told.some((line) => line.startsWith("lattice: by Z; lattice measured:")),
	);
	const [a, b] = tasks.map(({ image }) => image);
	assert.ok(
		a.every((v, p) => Math.abs(2 * v - b[p]) < 1e-4 * (1 + Math.abs(v))),
	);
	assert.ok(correlation(a, smooth) < 0.95);
});

test("a file whose images show no lattice is refused in one line", async () => {
	const smooth = latticeScan({ ...made, height: 0 }).scan.image;
	for (const options of [
		{ drift: true },
		{ lattice: LATTICE },
		{ bragg: "remove" },
	] as const)
		try {
			await taken(options, fileOf([smooth]));
			assert.unreachable();
		} catch (error) {
			assert.match(
				(error as Error).message,
				/^grid\.3ds: Bragg peaks: found no.*Nyquist.*\(looked at LIY 1 omega\)$/,
			);
		}
});

test.run();
