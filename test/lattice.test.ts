import { test } from "uvu";
import * as assert from "uvu/assert";
import { findBragg } from "../src/extraction/lattice/bragg.ts";
import {
	asScanned,
	corrected,
	findDistortion,
} from "../src/extraction/lattice/drift.ts";
import { length } from "../src/extraction/lattice/lattice.ts";
import { unwrap, wrapped } from "../src/extraction/lattice/unwrap.ts";
import { warped, warpOf } from "../src/extraction/lattice/warp.ts";
import type { Scan } from "../src/extraction/scan/scan.ts";
import { correlation } from "../src/qpi/scores/metrics.ts";
import { latticeScan, misplaced } from "./latticeScans.ts";
import { rippledScan } from "./rippledScans.ts";

const SQUARE = { a: 3.8, b: 3.8, angle: 90 };
const HEXAGONAL = { a: 4.2, b: 4.2, angle: 120 };
const OBLIQUE = { a: 4, b: 5.5, angle: 75 };

// An Angstrom a pixel.
for (const [name, lattice, nx, ny] of [
	["square", SQUARE, 160, 160],
	["hexagonal", HEXAGONAL, 192, 150],
	["oblique", OBLIQUE, 150, 200],
] as const)
	test(`drift and shear of a ${name} lattice, ${nx} x ${ny}, with rows missing, are found to a fraction of a pixel`, () => {
		const { scan, perfect } = latticeScan({ lattice, nx, ny });
		for (let ix = 0; ix < nx; ix++)
			for (let iy = 60; iy < 64; iy++) scan.image[ix * ny + iy] = Number.NaN;
		const known = findDistortion(scan, { lattice, drift: true });
		const rigid = misplaced((r) => corrected(known, r), perfect, scan, "rigid");
		const before = misplaced((r) => r, perfect, scan, "rigid");
		assert.ok(before.rms > 1.5, `${before.rms} A before`);
		assert.ok(rigid.rms < 0.12, `${rigid.rms} A of ${before.rms}`);
		assert.ok(rigid.most < 0.6, `at most ${rigid.most} A`);
		const unknown = findDistortion(scan, { drift: true });
		const linear = misplaced(
			(r) => corrected(unknown, r),
			perfect,
			scan,
			"linear",
		);
		assert.ok(linear.rms < 0.12, `${linear.rms} A, the lattice not known`);
		assert.is(known.dislocations, 0);
		const { a, b, angle } = unknown.lattice;
		// As it is seen: sheared by 3 %, and any pair of its vectors.
		assert.ok(
			Math.abs(
				(a * b * Math.sin((angle * Math.PI) / 180)) /
					(lattice.a * lattice.b * Math.sin((lattice.angle * Math.PI) / 180)) -
					1,
			) < 0.03,
			`${a} x ${b}, ${angle}`,
		);
	});

test("the way back from corrected places is the way there", () => {
	const { scan } = latticeScan({ lattice: SQUARE });
	const distortion = findDistortion(scan, { lattice: SQUARE, drift: true });
	for (const r of [
		{ x: 0, y: 0 },
		{ x: -60, y: 71 },
		{ x: 44.4, y: -77 },
	]) {
		const back = asScanned(distortion, corrected(distortion, r));
		assert.ok(Math.hypot(back.x - r.x, back.y - r.y) < 1e-3);
	}
});

test("a corrected scan is the scan of a perfect lattice; what leaves the frame is not a number", () => {
	const { scan } = latticeScan({ lattice: SQUARE, noise: 0.1 });
	const distortion = findDistortion(scan, { lattice: SQUARE, drift: true });
	const warp = warpOf(scan, distortion);
	const [p, q] = distortion.peaks;
	/** Power of the four waves over all of it, in the whole scan: sharp where the lattice is. */
	const coherent = ({ image, nx, ny, spacing }: Scan) =>
		[p, q].reduce((sum, g) => {
			let [re, im, n] = [0, 0, 0];
			image.forEach((v, at) => {
				if (!Number.isFinite(v)) return;
				const angle =
					g.x * (Math.floor(at / ny) - (nx - 1) / 2) * spacing.x +
					g.y * ((at % ny) - (ny - 1) / 2) * spacing.y;
				re += v * Math.cos(angle);
				im += v * Math.sin(angle);
				n++;
			});
			return sum + (2 * Math.hypot(re, im)) / n;
		}, 0);
	const after = warped(scan, warp);
	assert.ok(coherent(scan) < 0.3, `${coherent(scan)} before`);
	assert.ok(coherent(after) > 0.95 * 1.2, `${coherent(after)} of 1.2`);
	assert.ok(after.image.some(Number.isNaN));
});

test("resampling at exact places: a smooth image that was distorted comes back", () => {
	const [nx, ny, dx] = [120, 100, 1];
	const wave = (x: number, y: number) =>
		Math.cos(0.9 * x - 0.4 * y) + Math.sin(0.3 * x + 1.1 * y);
	const matrix = { xx: 1.02, xy: 0.03, yx: 0.01, yy: 0.97 };
	const back = (x: number, y: number) => ({
		x: matrix.xx * x + matrix.xy * y,
		y: matrix.yx * x + matrix.yy * y,
	});
	const image = Float32Array.from({ length: nx * ny }, (_, p) => {
		const r = back(
			(Math.floor(p / ny) - (nx - 1) / 2) * dx,
			((p % ny) - (ny - 1) / 2) * dx,
		);
		return wave(r.x, r.y);
	});
	const scan = { image, nx, ny, spacing: { x: dx, y: dx } };
	const out = warped(scan, warpOf(scan, { matrix }));
	const [got, want]: [number[], number[]] = [[], []];
	out.image.forEach((v, p) => {
		const [ix, iy] = [Math.floor(p / out.ny), p % out.ny];
		if (!Number.isFinite(v)) return;
		if (ix < 12 || iy < 12 || ix >= out.nx - 12 || iy >= out.ny - 12) return;
		got.push(v);
		want.push(wave((ix - (out.nx - 1) / 2) * dx, (iy - (out.ny - 1) / 2) * dx));
	});
	assert.ok(correlation(got, want) > 0.9999, `${correlation(got, want)}`);
});

test("a constant displacement changes nothing", () => {
	const still = { lattice: SQUARE, drift: 0, sheared: false, noise: 0.1 };
	const { scan } = latticeScan({ ...still, shift: { x: 1.1, y: -0.7 } });
	const distortion = findDistortion(scan, { lattice: SQUARE, drift: true });
	assert.ok(distortion.most < 0.15, `${distortion.most} A`);
	assert.ok(Math.abs(distortion.matrix.xx - 1) < 1e-3);
	const out = warped(scan, warpOf(scan, distortion));
	const same = scan.image.map((v, p) =>
		Number.isFinite(out.image[p]) ? v : 0,
	);
	const there = out.image.map((v) => (Number.isFinite(v) ? v : 0));
	assert.is(out.nx, scan.nx);
	assert.ok(correlation(there, same) > 0.99);
});

test("pixels that do not move are copied bit for bit", () => {
	const { scan } = latticeScan({ lattice: SQUARE, nx: 64 });
	const matrix = { xx: 1, xy: 0, yx: 0, yy: 1 };
	assert.equal(warped(scan, warpOf(scan, { matrix })), scan);
});

test("a scan without a lattice is refused in one line that names Nyquist", () => {
	for (const seed of [1, 2, 3, 4, 5, 6]) {
		const { scan } = rippledScan({
			...{ seed, nx: 128, dx: 2.5 },
			scatterers: [30, 1, 100, 5, 30, 8][seed - 1],
			noise: seed === 5 ? 0 : 0.3,
		});
		assert.throws(
			() => findBragg(scan),
			/^Bragg peaks: found no two that are sharp and steady.*Nyquist.*$/,
		);
		assert.throws(
			() => findBragg(scan, undefined, { a: 6, b: 6, angle: 90 }),
			/^Bragg peaks: found none of a lattice of 6.000 x 6.000 A.*Nyquist/,
		);
	}
	const { scan } = rippledScan({ seed: 1, nx: 64, dx: 4 });
	assert.throws(
		() => findBragg(scan, undefined, SQUARE),
		/pixels of 4 A are too coarse for a lattice of 3.800 x 3.800 A.* beyond the Nyquist wave vector of 0.785/,
	);
});

test("Bragg peaks are placed between the bins", () => {
	const still = { drift: 0, sheared: false, noise: 0.2 };
	const { scan } = latticeScan({ lattice: OBLIQUE, ...still, turned: 0.5 });
	const { measured, lattice } = findDistortion(scan, { lattice: OBLIQUE });
	const bin = (2 * Math.PI) / 160;
	const want = [
		(2 * Math.PI) / (4 * Math.sin((75 * Math.PI) / 180)),
		(2 * Math.PI) / (5.5 * Math.sin((75 * Math.PI) / 180)),
	];
	measured.forEach((peak, i) => {
		assert.ok(Math.abs(length(peak) - want[i]) < 0.02 * bin);
	});
	assert.ok(Math.abs(lattice.angle - 75) < 0.05);
});

test("a small scan with thirteen periods, whose ripples lie near in wave vector, is enough", () => {
	const small = { lattice: SQUARE, nx: 64, dx: 0.8, drift: 1 };
	const { scan, perfect } = latticeScan(small);
	const found = findDistortion(scan, { drift: true });
	const off = misplaced((r) => corrected(found, r), perfect, scan, "linear");
	assert.ok(off.rms < 0.1, `${off.rms} A`);
});

test("phases without their jumps: a steep ramp with a doubtful patch", () => {
	const [nx, ny] = [40, 30];
	const ramp = (p: number) => 0.9 * Math.floor(p / ny) - 1.3 * (p % ny);
	const bad = (p: number) =>
		Math.hypot(Math.floor(p / ny) - 20, (p % ny) - 15) < 5;
	const phase = Float64Array.from({ length: nx * ny }, (_, p) =>
		wrapped(bad(p) ? 7.7 * p * p : ramp(p)),
	);
	const quality = Array.from(phase, (_, p) => (bad(p) ? 0 : 1));
	const out = unwrap(phase, quality, nx, ny);
	const turns = new Set(
		[...out.keys()]
			.filter((p) => !bad(p))
			.map((p) => Math.round((out[p] - ramp(p)) * 1e6)),
	);
	assert.is(turns.size, 1);
});

test.run();
