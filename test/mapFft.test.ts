// The page's |FFT| of a map, and what is asked of kernels there: without a page.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	length,
	reciprocal,
	vectorsOf,
} from "../src/extraction/lattice/lattice.ts";
import { firstZone } from "../src/extraction/lattice/zone.ts";
import { argumentsOf } from "../src/extraction/results/commandLine.ts";
import { valueAt } from "../src/web/page/picture/fieldDrawing.ts";
import { analysisFields } from "../src/web/page/worker/analysisFields.ts";
import { mapFftOf } from "../src/web/page/worker/mapFft.ts";
import { asMarks } from "../src/web/page/worker/spotMarks.ts";

const area = (corners: readonly { x: number; y: number }[]) =>
	corners.reduce((sum, { x, y }, i) => {
		const next = corners[(i + 1) % corners.length];
		return sum + (x * next.y - next.x * y) / 2;
	}, 0);

test("the first zone has the reciprocal cell's area, four corners or six, all nearest to zero", () => {
	for (const [a, b, angle, corners] of [
		[3.8, 3.8, 90, 4],
		[3.8, 5.1, 90, 4],
		[2.46, 2.46, 60, 6],
		[2.46, 2.46, 120, 6],
		[3, 4, 75, 6],
	]) {
		const pair = reciprocal(vectorsOf({ a, b, angle }));
		const [p, q] = pair;
		// Any other vectors that span the same lattice have the same zone.
		const skew = [p, { x: q.x + 3 * p.x, y: q.y + 3 * p.y }] as const;
		for (const each of [pair, skew]) {
			const zone = firstZone(each);
			assert.is(zone.length, corners);
			const cell = Math.abs(p.x * q.y - p.y * q.x);
			assert.ok(Math.abs(area(zone) / cell - 1) < 1e-9);
			for (const corner of zone)
				for (const [h, k] of [
					[1, 0],
					[0, 1],
					[1, 1],
					[1, -1],
				]) {
					const g = { x: h * p.x + k * q.x, y: h * p.y + k * q.y };
					const far = Math.hypot(corner.x - g.x, corner.y - g.y);
					assert.ok(far >= length(corner) - 1e-9);
				}
		}
	}
});

test("q = 0 is the middle pixel, and a wave stands where its q is", () => {
	const [nx, ny, spacing] = [100, 90, 1.5];
	const q = { x: 0.42, y: -0.6 };
	const image = Float32Array.from({ length: nx * ny }, (_, p) =>
		Math.cos(q.x * spacing * Math.floor(p / ny) + q.y * spacing * (p % ny)),
	);
	const { field, note, lattice } = mapFftOf(
		{ image, nx, ny, spacing },
		undefined,
		undefined,
	);
	assert.is(lattice, null);
	assert.match(note, "100 x 90 pixels less their mean, Hann window");
	assert.is(field.nx % 2, 1);
	for (const [low, high] of [field.x, field.y])
		assert.ok(Math.abs(low + high) < 1e-9 && high > 0.95 * (Math.PI / spacing));
	const at = valueAt(field, q) ?? Number.NaN;
	const most = Array.from(field.values).reduce((a, b) => Math.max(a, b));
	assert.ok(most - at < 0.2, `${at}, at most ${most}`);
	assert.is(at, valueAt(field, { x: -q.x, y: -q.y }), "q and -q are the same");
	const elsewhere = valueAt(field, { x: q.x, y: -q.y }) ?? Number.NaN;
	assert.ok(elsewhere < most - 2, String(elsewhere));
});

test("analyses are typed as they were asked for, and a session fills their fields", () => {
	const asked = {
		...{ method: "auto", seed: 1 },
		...{ cut: [-45, 0], ring: [0.2, 0.4], symmetrised: ["4mm"] as const },
		...{ lattice: { a: 3.8, b: 3.9, angle: 90 }, calibrate: false },
	};
	assert.equal(argumentsOf(asked), [
		...["--lattice=3.8,3.9,90", "--cut=-45,0", "--ring=0.2,0.4"],
		...["--symmetrised=4mm", "--no-calibrate"],
	]);
	assert.equal(argumentsOf({ ...asked, lattice: undefined, ring: true }), [
		...["--cut=-45,0", "--symmetrised=4mm", "--ring", "--no-calibrate"],
	]);
	const windows = { seedWindow: [{ x: -20, y: 35, size: 40 }] };
	assert.is(
		argumentsOf({ ...asked, ...windows }).at(-2),
		"--seed-window=-20,35,40",
	);
	assert.is(analysisFields(windows)["seed-windows"], "-20, 35, 40");
	const fields = analysisFields({ ...asked, ring: true });
	assert.is(fields.cuts, "-45, 0");
	assert.is(fields.rings, "q*");
	assert.is(fields["lattice-b"], "3.9");
	assert.equal([fields.calibrate, fields.drift, fields.bragg], ["", "", ""]);
	const corrected = analysisFields({
		...{ ...asked, calibrate: undefined },
		...{ drift: true, bragg: "remove", braggWidth: 0.08 },
	});
	assert.is(corrected["lattice-a"], "3.8");
	assert.equal(
		[corrected.calibrate, corrected.drift, corrected.bragg],
		["yes", "yes", "yes"],
	);
	assert.is(corrected["bragg-width"], "0.08");
});

test("spots become marks of the scan's frame; of two signs the rarer one is upside down", () => {
	const marks = asMarks(
		[
			{ x: 1.04, y: -2, sign: -1, significance: 9 },
			{ x: 3, y: 4, sign: -1, significance: 8 },
			{ x: 5, y: 6, sign: 1, significance: 7 },
		],
		{ x: 10, y: 20 },
	);
	assert.equal(
		marks.map(({ x, y, weight }) => [x, y, weight]),
		[
			[11, 18, 1],
			[13, 24, 1],
			[15, 26, -1],
		],
	);
});

test.run();
