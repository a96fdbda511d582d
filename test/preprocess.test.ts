import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	type Preprocessed,
	preprocess,
	type Scan,
	type Square64,
	squareOf,
	toModel,
	toScan,
} from "../src/extraction/preprocess.ts";
import { radialFilter } from "../src/extraction/scan/filter.ts";
import { makeKernel, planKernels } from "../src/qpi/generator/generator.ts";
import { addLines, deviation } from "../src/qpi/generator/noise.ts";
import { correlation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const DX = 400 / 63;

/** A scan of a function of the place, Angstrom from the centre. */
function scanOf(
	f: (x: number, y: number) => number,
	[nx, ny]: readonly [number, number],
	[dx, dy]: readonly [number, number],
): Scan {
	const image = Float32Array.from({ length: nx * ny }, (_, p) =>
		f((Math.floor(p / ny) - (nx - 1) / 2) * dx, ((p % ny) - (ny - 1) / 2) * dy),
	);
	return { image, nx, ny, spacing: { x: dx, y: dy } };
}

const field = (image: Float32Array): Scan => ({
	image,
	nx: 64,
	ny: 64,
	spacing: { x: DX, y: DX },
});

/** Rings about a few scatterers, wavelength 22 A. */
const PLACES = [
	[-40, 30],
	[25, 44],
	[10, -35],
	[-52, -48],
];
const rings = (x: number, y: number) =>
	PLACES.reduce((sum, [a, b]) => {
		const r = Math.hypot(x - a, y - b);
		return (
			sum + (Math.cos(0.285 * r) * Math.exp(-r / 60)) / Math.sqrt(r / 5 + 1)
		);
	}, 0);
const fine = () => scanOf(rings, [200, 200], [0.8, 0.8]);

const off = {
	flatten: "none",
	stepEdges: false,
	repair: false,
	clip: 0,
	clusters: false,
} as const;
const same = (a: Float32Array, b: Float32Array) =>
	a.length === b.length && a.every((v, p) => v === b[p]);
const note = ({ steps }: Preprocessed, name: string) =>
	steps.find((step) => step.name === name)?.note ?? "";
const step = ({ steps }: Preprocessed, name: string) =>
	steps.find((s) => s.name === name)?.scan.image ?? new Float32Array();

/** Largest difference from a function over the pixels at least `rim` from the edge. */
function farthest(
	{ image, spacing, centre }: Square64,
	f: (x: number, y: number) => number,
	rim: number,
): number {
	let worst = 0;
	for (let ix = rim; ix < 64 - rim; ix++)
		for (let iy = rim; iy < 64 - rim; iy++) {
			const x = centre.x + (ix - 31.5) * spacing;
			const y = centre.y + (iy - 31.5) * spacing;
			worst = Math.max(worst, Math.abs(image[ix * 64 + iy] - f(x, y)));
		}
	return worst;
}

test("images of ripples pass through the defaults bit for bit", () => {
	const specs = planKernels(24, 3);
	for (const spec of specs.filter((_, i) => i % 6 === 0))
		for (const { image } of makeKernel(spec, {
			observations: 4,
			seed: 3,
			noiseLevels: [0, 0.1],
		}).observations) {
			const prepared = preprocess(field(image));
			assert.ok(same(prepared.scan.image, image), spec.family);
			assert.ok(prepared.weights.every((v) => v === 1));
			assert.is(prepared.order, 0);
			assert.equal(prepared.masks, []);
			assert.equal(prepared.warnings, []);
			const square = squareOf(prepared);
			assert.ok(same(square.image, image));
			assert.ok(square.valid.every((v) => v === 1));
			assert.is(square.aliased, 0);
			assert.equal(square.warnings, []);
			assert.is(square.spacing, DX);
		}
});

test("each of the 64 pixels is exact for a wave, at any scan size, shape and crop", () => {
	for (const [size, spacing, crop, rim] of [
		[[224, 224], [0.893, 0.893], { x: 13.7, y: -8.2, size: 120 }, 0],
		[[300, 150], [1, 2], { x: -31.3, y: 12.1, size: 151 }, 0],
		[[100, 90], [2, 2.5], undefined, 20],
		[[90, 80], [3, 3], { x: 3.1, y: -5.2, size: 60 }, 12],
		[[64, 64], [2, 2], { x: 0.9, y: 0, size: 120 }, 22],
	] as const) {
		const pixel =
			(crop?.size ?? Math.min(size[0] * spacing[0], size[1] * spacing[1])) / 64;
		const q = (0.8 * Math.PI) / Math.max(pixel, ...spacing);
		for (const [qx, qy] of [
			[q, 0.1 * q],
			[-0.1 * q, q],
			[0.6 * q, -0.7 * q],
		]) {
			const wave = (x: number, y: number) => Math.sin(qx * x + qy * y + 0.4);
			const prepared = preprocess(scanOf(wave, size, spacing), {
				...off,
				crop,
			});
			const error = farthest(squareOf(prepared), wave, rim);
			assert.ok(error < 5e-3, `${size} ${crop?.size}: off by ${error}`);
		}
	}
});

test("what 64 pixels cannot carry is cut off, measured and warned of", () => {
	const slow = (x: number, y: number) => Math.sin(0.3 * x + 0.2 * y);
	const fast = (x: number) => Math.sin(1.3 * x);
	const scan = scanOf((x, y) => slow(x, y) + fast(x), [256, 256], [1, 1]);
	// 4 A a pixel: Nyquist at 0.785 1/A
	const prepared = squareOf(preprocess(scan, off));
	assert.ok(farthest(prepared, slow, 22) < 0.01);
	assert.ok(Math.abs(prepared.aliased - 0.5) < 0.02, `${prepared.aliased}`);
	const [warning] = prepared.warnings;
	assert.match(warning, /50.* %.*0\.785 1\/A.*low-pass below 0\.683/);
	// It says how small a crop carries 1.3 1/A: 64 pi / 1.3 = 155 A.
	const [, size] = /crop to at most (\d+)/.exec(warning) ?? [];
	assert.ok(Number(size) > 140 && Number(size) < 158, warning);
	const cropped = squareOf(
		preprocess(scan, { ...off, crop: { x: 0, y: 0, size: 140 } }),
	);
	assert.ok(cropped.aliased < 0.05);
	const smooth = squareOf(preprocess(scan, { ...off, lowPass: 0.683 }));
	assert.equal(smooth.warnings, []);
	assert.ok(smooth.aliased < 1e-3);
});

test("the low-pass keeps what is slower and takes what is faster, at the edges too", () => {
	const slow = (16 * Math.PI) / 128; // 0.39 1/A, whole periods: its mirror image goes on smoothly
	const scan = scanOf(
		(x, y) => 7 + Math.cos(slow * (x + 64)) + Math.cos(1.2 * y),
		[128, 100],
		[1, 1],
	);
	const prepared = preprocess(scan, { ...off, lowPass: 0.8 });
	const smooth = step(prepared, "low-pass");
	let worst = 0;
	for (let ix = 0; ix < 128; ix++)
		for (let iy = 8; iy < 92; iy++)
			worst = Math.max(
				worst,
				Math.abs(smooth[ix * 100 + iy] - 7 - Math.cos(slow * (ix + 0.5))),
			);
	assert.ok(worst < 0.05, `${worst}`);
	assert.match(note(prepared, "low-pass"), /below 0\.8 1\/A/);
	const same = radialFilter(scan, () => 1, 10).image;
	assert.ok(same.every((v, p) => Math.abs(v - scan.image[p]) < 1e-5));
});

test("scan frame and model frame", () => {
	const frame = { centre: { x: 10, y: -20 }, spacing: 2 };
	const corner = toModel({ x: 10 - 31.5 * 2, y: -20 + 31.5 * 2 }, frame);
	assert.ok(Math.hypot(corner.x + 200, corner.y - 200) < 1e-9);
	const back = toScan(toModel({ x: 3, y: 4 }, frame), frame);
	assert.ok(Math.hypot(back.x - 3, back.y - 4) < 1e-9);
});

test("rows that were never scanned are not invented", () => {
	const scan = fine();
	const { image, nx, ny } = scan;
	// the last fifth padded with zeros, the row before broken off, and a hole
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 159; iy < ny; iy++)
			if (iy > 159 || ix >= 120) image[ix * ny + iy] = 0;
	for (let ix = 40; ix < 44; ix++) image[ix * ny + 20] = Number.NaN;
	const prepared = preprocess(scan);
	assert.match(
		note(prepared, "missing"),
		/^40 of 200 rows are empty, and 84 more pixels without a value:/,
	);
	assert.match(prepared.warnings.join(), /40 of 200 rows are empty/);
	assert.ok(prepared.scan.image.every(Number.isFinite));
	assert.is(prepared.counts.filter((v) => v === 0).length, 40 * 200 + 84);
	assert.equal(prepared.masks, [{ name: "not measured", share: 8084 / 4e4 }]);
	const { image: square, valid } = squareOf(prepared);
	for (let ix = 0; ix < 64; ix++)
		for (let iy = 0; iy < 64; iy++) {
			const v = valid[ix * 64 + iy];
			// 3.125 rows a pixel: row 159 is the last of pixel 50, and 160 the first of 51
			if (iy > 51) assert.is(v, 0);
			if (iy < 50 && iy !== 6) assert.ok(Math.abs(v - 1) < 1e-6);
		}
	const total = valid.reduce((sum, v) => sum + v, 0) / 4096;
	assert.ok(Math.abs(total - (160 * 200 - 84) / 40000) < 1e-6);
	// What was measured is as without the gap, away from it.
	const whole = squareOf(preprocess(fine()));
	for (let p = 0; p < 4096; p++)
		if (p % 64 < 40 && p % 64 > 12)
			assert.ok(Math.abs(square[p] - whole.image[p]) < 0.02);
	assert.throws(
		() => preprocess({ ...scan, image: image.map(() => 2) }),
		/nothing was measured/,
	);
});

test("a tilt goes, whatever stands on it, and is found by itself", () => {
	const tilted = scanOf(
		(x, y) =>
			5 +
			rings(x, y) +
			0.03 * x -
			0.05 * y +
			(Math.hypot(x - 60, y) < 8 ? 40 : 0),
		[120, 120],
		[1.3, 1.3],
	);
	const prepared = preprocess(tilted, { flatten: "auto" });
	assert.is(prepared.order, 1);
	const flat = step(prepared, "background");
	const level = scanOf(
		(x, y) => 5 + rings(x, y) + (Math.hypot(x - 60, y) < 8 ? 40 : 0),
		[120, 120],
		[1.3, 1.3],
	).image;
	const worst = flat.reduce(
		(m, v, p) => Math.max(m, Math.abs(v - level[p])),
		0,
	);
	assert.ok(worst < 0.3, `${worst}`); // 6 along the diagonal before
});

test("line offsets go and the rings stay", () => {
	const clean = fine();
	const kept = step(preprocess(clean, { flatten: "line" }), "lines");
	assert.ok(correlation(kept, clean.image) > 0.99);
	assert.is(step(preprocess(clean), "lines"), clean.image);
	const spec = planKernels(24, 3)[0];
	const { observations } = makeKernel(spec, {
		observations: 3,
		seed: 4,
		noiseLevels: [0],
	});
	for (const { image } of observations) {
		const lines = image.slice();
		addLines(lines, new Random(1), deviation(image));
		const prepared = preprocess(field(lines));
		assert.match(note(prepared, "lines"), /offsets of .* removed/);
		const [before, after] = [lines, prepared.scan.image].map((i) =>
			correlation(i, image),
		);
		assert.ok(before < 0.8 && after > 0.97, `${before} ${after}`);
		const forced = preprocess(field(image), { flatten: "line" }).scan.image;
		assert.ok(correlation(forced, image) > 0.97);
	}
});

test("streaks, a bad row and a spike are repaired, peaks are not", () => {
	const clean = fine();
	const { ny } = clean;
	const random = new Random(2);
	const image = clean.image.slice();
	for (let ix = 30; ix < 110; ix++) image[ix * ny + 71] += 0.8;
	for (let ix = 120; ix < 200; ix++) image[ix * ny + 140] -= 0.6;
	for (let ix = 0; ix < 200; ix++) image[ix * ny + 100] += random.normal();
	image[77 * ny + 33] += 9;
	const prepared = preprocess({ ...clean, image });
	assert.match(
		note(prepared, "repair"),
		/2 streaks in 2 rows.*; 1 bad row replaced/,
	);
	assert.match(note(prepared, "clip"), /1 single pixel beyond 8/);
	const repaired = prepared.whole.image;
	const worst = repaired.reduce(
		(m, v, p) => Math.max(m, Math.abs(v - clean.image[p])),
		0,
	);
	assert.ok(worst < 0.1, `${worst}`);
	// two streaks of 80 pixels, a row of 200 and a spike
	assert.is(prepared.counts.filter((v) => v === 0).length, 361);
	assert.is(preprocess({ ...clean, image }, { ...off }).steps.length, 1);
	// Rings have their centres' peaks still, and nothing was found.
	const untouched = preprocess(clean);
	assert.is(step(untouched, "clip"), clean.image);
	assert.match(note(untouched, "repair"), /no streak or bad row/);
});

test("a square that leaves the scan, and other things that cannot be", () => {
	const scan = fine();
	assert.throws(
		() => preprocess(scan, { crop: { x: 50, y: 0, size: 80 } }),
		/crop of 80 A at \(50, 0\) leaves the scan, which reaches from -80 to 80 A along x/,
	);
	assert.throws(
		() => preprocess(scan, { crop: { x: 0, y: 0, size: 0 } }),
		/crop\.size > 0/,
	);
	assert.throws(() => preprocess(scan, { lowPass: -1 }), /lowPass > 0/);
	assert.throws(
		() => preprocess({ ...scan, nx: 7 }),
		/at least 8 x 8 pixels|values/,
	);
	assert.throws(() =>
		preprocess(scan, { crop: { x: Number.NaN, y: 0, size: 10 } }),
	);
});

/** Largest difference of a map from a function over the pixels at least `rim` from its edge. */
function mapError(
	{ scan: { image, nx, ny, spacing }, centre }: Preprocessed,
	f: (x: number, y: number) => number,
	rim: number,
): number {
	let worst = 0;
	for (let ix = rim; ix < nx - rim; ix++)
		for (let iy = rim; iy < ny - rim; iy++) {
			const x = centre.x + (ix - (nx - 1) / 2) * spacing.x;
			const y = centre.y + (iy - (ny - 1) / 2) * spacing.y;
			worst = Math.max(worst, Math.abs(image[ix * ny + iy] - f(x, y)));
		}
	return worst;
}
const wave = (x: number, y: number) => Math.sin(0.3 * x - 0.25 * y + 0.4);

test("the map is the scan's own pixels, all of them or a rectangle's", () => {
	const scan = scanOf(wave, [150, 110], [1.2, 1.2]);
	const whole = preprocess(scan, off);
	assert.ok(same(whole.scan.image, scan.image));
	assert.equal(whole.centre, { x: 0, y: 0 });
	const crop = { x: 31.7, y: -12.4, width: 60, height: 36 };
	const part = preprocess(scan, { ...off, crop });
	assert.equal([part.scan.nx, part.scan.ny], [50, 30]);
	assert.is(part.weights.length, 1500);
	// Whole pixels: half of one off at most, and the centre says by how much.
	assert.ok(Math.abs(part.centre.x - crop.x) <= 0.6);
	assert.ok(Math.abs(part.centre.y - crop.y) <= 0.6);
	assert.ok(mapError(part, wave, 0) < 1e-6);
	assert.match(note(part, "crop"), /60 x 36 A at \(.*\): 50 x 30 pixels/);
	assert.ok(same(part.whole.image, scan.image));
	const square = preprocess(scan, { ...off, crop: { x: 0, y: 6, size: 48 } });
	assert.equal([square.scan.nx, square.scan.ny], [40, 40]);
	for (const [bad, error] of [
		[{ x: 0, y: 0, width: 181, height: 20 }, /crop of 181 x 20 A .* leaves/],
		[{ x: 0, y: 0, width: 20, height: 0 }, /crop\.height > 0/],
		[{ x: 0, y: 0, width: 20, height: 6 }, /holds only 16 x 5 pixels/],
	] as const)
		assert.throws(() => preprocess(scan, { ...off, crop: bad }), error);
});

test("pixels that are not square become so, at the finer spacing", () => {
	const scan = scanOf(wave, [100, 150], [2, 1.25]);
	const prepared = preprocess(scan, off);
	assert.equal([prepared.scan.nx, prepared.scan.ny], [160, 150]);
	assert.equal(prepared.scan.spacing, { x: 1.25, y: 1.25 });
	assert.ok(mapError(prepared, wave, 40) < 5e-3);
	assert.match(note(prepared, "resample"), /not square: 2 x 1\.25 A/);
	assert.ok(same(prepared.whole.image, scan.image));
	const nearly = preprocess(
		{ ...scan, spacing: { x: 2, y: 2 + 1e-5 } },
		{ ...off },
	);
	assert.equal(nearly.scan.spacing, { x: 2, y: 2 });
	assert.ok(same(nearly.scan.image, scan.image));
});

test("other pixels when asked for, and beyond 1024 a side; averaged pixels count by their share", () => {
	const fast = (x: number, y: number) => wave(x, y) + Math.sin(2 * x);
	const scan = scanOf(fast, [240, 160], [1, 1]);
	for (let ix = 0; ix < 240; ix++) scan.image[ix * 160] = Number.NaN;
	const prepared = preprocess(scan, { ...off, pixel: 2 });
	assert.equal([prepared.scan.nx, prepared.scan.ny], [120, 80]);
	// What 2 A cannot carry, 1.57 1/A, is cut off and not folded back.
	assert.ok(mapError(prepared, wave, 22) < 0.01);
	assert.match(prepared.warnings.join(), /50.* % of the power .* cut off/);
	assert.ok(prepared.weights.every((w, p) => w === (p % 80 === 0 ? 0.5 : 1)));
	const wide = preprocess(scanOf(wave, [1100, 60], [0.5, 0.5]), off);
	assert.equal([wide.scan.nx, wide.scan.ny], [1024, 55]);
	assert.ok(Math.abs(wide.scan.spacing.x - 550 / 1024) < 1e-12);
	assert.match(note(wide, "resample"), /at most 1024 a side/);
	for (const [pixel, error] of [
		[30, /pixels of 30 A leave 8 x 5 of them/],
		[0.1, /pixels of 0\.1 A make 2400 x 1600 of them, expected at most 1024/],
		[-1, /pixel > 0/],
	] as const)
		assert.throws(() => preprocess(scan, { ...off, pixel }), error);
});

test("what does not count is hidden in every step, filled in the map", () => {
	const scan = fine();
	const mask = [
		{ kind: "rectangle", x: 0, y: 0, width: 40, height: 20 } as const,
	];
	scan.image.fill(1e3, 100 * 200, 101 * 200);
	const prepared = preprocess(scan, { mask, lowPass: 1 });
	for (const { name, scan: seen } of prepared.steps.slice(1))
		assert.ok(Number.isNaN(seen.image[90 * 200 + 100]), name);
	assert.ok(prepared.scan.image.every(Number.isFinite));
	assert.is(prepared.weights[90 * 200 + 100], 0);
	const everywhere = preprocess(scan, { mask, crop: { x: 0, y: 0, size: 60 } });
	assert.ok(everywhere.weights.includes(0));
	assert.throws(
		() => preprocess(scan, { mask, crop: { x: 0, y: 0, size: 16 } }),
		/nothing counts in the crop/,
	);
});

test("few pixels and other shapes are told", () => {
	const crop = { x: 0, y: 0, size: 20 };
	const [few] = squareOf(preprocess(fine(), { ...off, crop })).warnings;
	assert.match(few, /only 25 x 25 pixels/);
	const wide = preprocess(scanOf(rings, [200, 100], [0.8, 0.8]), off);
	assert.equal([wide.scan.nx, wide.scan.ny, wide.warnings], [200, 100, []]);
	assert.match(
		squareOf(wide).warnings[0],
		/not square \(160 x 80 A\): only its central 80 A/,
	);
	assert.is(squareOf(wide).spacing, 80 / 64);
});

test("very unequal pixels are refused at once, unless a side is asked for", () => {
	const random = new Random(2);
	const [nx, ny] = [2000, 32];
	const scan = {
		image: Float32Array.from({ length: nx * ny }, () => random.normal()),
		...{ nx, ny, spacing: { x: 29 / nx, y: 29 / ny } },
	};
	assert.throws(
		() => preprocess(scan),
		/pixels are 0\.0145 x 0\.906 A, expected sides that differ at most 16 times.*\(pixel\)/,
	);
	const { scan: coarse } = preprocess(scan, { pixel: 0.9 });
	assert.equal([coarse.nx, coarse.ny], [32, 32]);
});

test.run();
