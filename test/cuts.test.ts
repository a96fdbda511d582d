/** Line cuts, fitted peaks, branches, rings, the map's |FFT| and symmetrised kernels. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { branchesOf } from "../src/extraction/findings/branches.ts";
import { ringCut } from "../src/extraction/findings/cuts.ts";
import { mapSpectrum } from "../src/extraction/findings/mapSpectrum.ts";
import { fitPeaks } from "../src/extraction/findings/peakFit.ts";
import {
	type POINT_GROUPS,
	symmetriseGroup,
} from "../src/extraction/findings/pointGroups.ts";
import { profile } from "../src/extraction/findings/spectrum.ts";
import { HBAR2_2M } from "../src/qpi/generator/bands.ts";
import { Random } from "../src/random.ts";

const [N, PIXEL] = [65, 4];
/** A kernel of waves cos(q r + phase) / sqrt(r), q by direction. */
const waves = (
	list: readonly { q: (angle: number) => number; strength?: number }[],
) =>
	Float32Array.from({ length: N * N }, (_, p) => {
		const x = (Math.floor(p / N) - (N - 1) / 2) * PIXEL;
		const y = ((p % N) - (N - 1) / 2) * PIXEL;
		const r = Math.hypot(x, y);
		return list.reduce(
			(sum, { q, strength = 1 }) =>
				sum +
				(strength *
					Math.exp(-r / 120) *
					Math.cos(q(Math.atan2(y, x)) * r + 0.6)) /
					Math.sqrt(1 + r / 5),
			0,
		);
	});
const noisy = (kernel: Float32Array, sigma: number, random: Random) =>
	kernel.map((v) => v + sigma * random.normal());
const drawn = (kernel: Float32Array, sigma: number, random: Random) =>
	Array.from({ length: 16 }, () => noisy(kernel, sigma, random));

for (const shape of ["gaussian", "lorentzian"] as const)
	test(`two ${shape} lines on a background: both wave vectors within their errors`, () => {
		const random = new Random(4);
		const [a, b] = [0.22, 0.42];
		for (let round = 0; round < 4; round++) {
			const kernel = noisy(
				waves([{ q: () => a }, { q: () => b, strength: 0.6 }]),
				0.05,
				random,
			);
			const samples = drawn(kernel, 0.05, random);
			const of = profile(kernel, { spacing: PIXEL, direction: 0.5, samples });
			const peaks = fitPeaks(of, { shape }).sort((p, r) => p.q - r.q);
			assert.is(peaks.length, 2);
			for (const [i, q] of [a, b].entries()) {
				const { q: found, error, statistical, misfit } = peaks[i];
				assert.ok(statistical > 0 && error < 0.1 * of.resolution);
				assert.ok(
					Math.abs(found - q) < 3 * error,
					`${found} for ${q} ± ${error}`,
				);
				assert.ok(misfit < 0.1);
			}
		}
	});

test("the statistical error of a fitted line is what repeated noise scatters it by", () => {
	const random = new Random(8);
	const clean = waves([{ q: () => 0.3 }]);
	const found = Array.from({ length: 40 }, () => {
		const kernel = noisy(clean, 0.15, random);
		const samples = drawn(kernel, 0.15, random);
		const [peak] = fitPeaks(
			profile(kernel, { spacing: PIXEL, direction: 0, samples }),
		);
		return peak;
	});
	const mean = found.reduce((sum, p) => sum + p.q / found.length, 0);
	const scatter = Math.sqrt(
		found.reduce((sum, p) => sum + (p.q - mean) ** 2 / (found.length - 1), 0),
	);
	const said = found.reduce((sum, p) => sum + p.statistical / found.length, 0);
	assert.ok(said / scatter > 0.7 && said / scatter < 1.5, `${said} ${scatter}`);
});

test("noise alone has no line", () => {
	const random = new Random(2);
	const zero = new Float32Array(N * N);
	for (let round = 0; round < 5; round++) {
		const kernel = noisy(zero, 1, random);
		const samples = drawn(kernel, 1, random);
		assert.equal(fitPeaks(profile(kernel, { spacing: PIXEL, samples })), []);
	}
});

/** Of a noisy stack of kernels of such bands. */
function branchesOfBands(
	bands: readonly { mass: number; bottom: number }[],
	energies: readonly number[],
	random: Random,
) {
	const candidates = energies.map((energy) => {
		const kernel = noisy(
			waves(
				bands.map(({ mass, bottom }) => ({
					q: () => 2 * Math.sqrt(((energy - bottom) * mass) / HBAR2_2M),
				})),
			),
			0.05,
			random,
		);
		const samples = drawn(kernel, 0.05, random);
		return fitPeaks(profile(kernel, { spacing: PIXEL, direction: 0, samples }));
	});
	return branchesOf(
		energies,
		candidates,
		energies.map(() => 16),
	);
}

test("two bands of a stack become two branches, each with its parabola", () => {
	const random = new Random(6);
	const bands = [
		{ mass: 0.35, bottom: -0.08 },
		{ mass: 1.1, bottom: -0.1 },
	];
	const energies = Array.from({ length: 10 }, (_, i) => -0.02 + 0.018 * i);
	const branches = branchesOfBands(bands, energies, random);
	assert.is(branches.length, 2);
	const fits = branches
		.map(({ fit }) => fit)
		.sort((a, b) => (a?.mass ?? 0) - (b?.mass ?? 0));
	for (const [i, { mass, bottom }] of bands.entries()) {
		const fit = fits[i];
		assert.ok(fit);
		assert.ok(
			Math.abs(fit.mass - mass) < 3 * fit.massError,
			`${fit.mass} ± ${fit.massError} for ${mass}`,
		);
		assert.ok(Math.abs(fit.bottom - bottom) < 3 * fit.bottomError);
		assert.ok(fit.massError < 0.1 * mass);
	}
});

test("where branches come nearer than their lines are wide points are marked and left out: bands that part are right, of those that never do nothing is said that is not", () => {
	const random = new Random(1);
	const apart = [
		{ mass: 0.3, bottom: -0.1 },
		{ mass: 1.4, bottom: -0.05 },
	];
	const rising = Array.from({ length: 14 }, (_, i) => -0.02 + 0.02 * i);
	const parting = branchesOfBands(apart, rising, random).sort(
		(a, b) => (a.fit?.mass ?? 0) - (b.fit?.mass ?? 0),
	);
	assert.is(parting.length, 2);
	for (const [i, { mass, bottom }] of apart.entries()) {
		const { fit, points } = parting[i];
		const merged = points.filter((p) => p.merged).map(({ index }) => index);
		assert.ok(merged.length > 0 && Math.max(...merged) <= 4, `${merged}`);
		assert.ok(fit);
		assert.ok(Math.abs(fit.mass - mass) < 2.5 * fit.massError);
		assert.ok(Math.abs(fit.bottom - bottom) < 2.5 * fit.bottomError);
	}
	const near = branchesOfBands(
		[
			{ mass: 0.4, bottom: -0.06 },
			{ mass: 0.8, bottom: -0.06 },
		],
		Array.from({ length: 12 }, (_, i) => -0.01 + 0.02 * i),
		random,
	);
	assert.ok(near.length > 0);
	for (const { fit, reason, points } of near) {
		assert.ok(points.filter(({ merged }) => merged).length >= 5);
		if (!fit) assert.match(reason ?? "", /another branch is nearer than 1\.4/);
		else {
			const mass = fit.mass < 0.6 ? 0.4 : 0.8;
			const off = Math.abs(fit.mass - mass) / fit.massError;
			assert.ok(off < 2.5, `${fit.mass} ± ${fit.massError}`);
		}
	}
});

test("no peak is on two branches, and few peaks are none", () => {
	const kernel = waves([{ q: () => 0.3 }]);
	const [peak] = fitPeaks(profile(kernel, { spacing: PIXEL, direction: 0 }));
	assert.ok(peak);
	const at = (q: number) => ({ ...peak, q, statistical: 0.002 });
	const energies = [0, 0.1, 0.2, 0.3];
	assert.equal(branchesOf(energies, [[at(0.3)], [], [at(0.4)], []]), []);
	const candidates = energies.map((e) => [at(0.3 + e / 10), at(0.5 + e / 5)]);
	const branches = branchesOf(energies, candidates);
	const used = branches.flatMap(({ points }) => points.map((p) => p.peak));
	assert.is(used.length, 8);
	assert.is(new Set(used).size, 8);
});

test("around a ring |F| is greatest where the band has that wave vector", () => {
	const random = new Random(3);
	const ellipse = (angle: number) =>
		0.3 / Math.hypot(Math.cos(angle) / 1.3, Math.sin(angle));
	const kernel = noisy(waves([{ q: ellipse }]), 0.02, random);
	const samples = drawn(kernel, 0.02, random);
	const { angles, value, error } = ringCut(kernel, 0.39, {
		...{ spacing: PIXEL, samples },
	});
	const at = (degrees: number) =>
		value[
			angles.findIndex((a) => Math.abs(a - (degrees * Math.PI) / 180) < 1e-9)
		];
	assert.ok(at(0) > 2 * at(90) && at(180) > 2 * at(270));
	assert.ok(error?.every((e) => e > 0 && e < 0.2 * at(0)));
	assert.throws(() => ringCut(kernel, 0, { spacing: PIXEL }), /q above 0/);
	// a scatterer that is not even has different waves at q and -q
	const lopsided = kernel.map((v, p) => (Math.floor(p / N) < N / 2 ? 0 : v));
	const cut = ringCut(lopsided, 0.39, { spacing: PIXEL });
	assert.ok(cut.value[0] > 3 * cut.value[36]);
});

test("the map's |FFT| has a plane wave where it belongs, in maps that are not square, with holes and an offset", () => {
	const [nx, ny, spacing] = [150, 90, 2.5];
	const [qx, qy] = [0.4, -0.25];
	const image = Float32Array.from(
		{ length: nx * ny },
		(_, p) =>
			1000 + Math.cos((qx * Math.floor(p / ny) + qy * (p % ny)) * spacing),
	);
	const weights = image.map((_, p) => (p % ny < 20 ? 0 : 1));
	const { magnitude, size, step, note } = mapSpectrum({
		...{ image, nx, ny, weights, spacing },
	});
	assert.is(size, 150);
	assert.ok(Math.abs(step - (2 * Math.PI) / (150 * spacing)) < 1e-12);
	let best = 0;
	magnitude.forEach((v, p) => {
		if (v > magnitude[best]) best = p;
	});
	const [x, y] = [Math.floor(best / size), best % size].map(
		(i) => (i - size / 2) * step,
	);
	const sign = Math.sign(x);
	assert.ok(Math.abs(sign * x - qx) < step && Math.abs(sign * y - qy) < step);
	// the mean is gone: nothing at q = 0 but the wave's own tail
	assert.ok(magnitude[(size / 2) * size + size / 2] < 0.01 * magnitude[best]);
	assert.match(note, /150 x 90 pixels less their mean, Hann window.*150 x 150/);
});

test("noise has the same level in the |FFT| of small and large maps", () => {
	const random = new Random(9);
	const level = (n: number) => {
		const image = Float32Array.from({ length: n * n }, () => random.normal());
		const { magnitude } = mapSpectrum({ image, nx: n, ny: n, spacing: 3 });
		return Math.hypot(...magnitude) / Math.sqrt(magnitude.length);
	};
	const ratio = level(160) / level(320);
	assert.ok(Math.abs(ratio - 1) < 0.05, String(ratio));
});

test("symmetrised by its own group a kernel stays, by another it loses what contradicts it", () => {
	const lobes = (m: number, phase: number) =>
		waves([{ q: (a) => 0.3 * (1 + 0.15 * Math.cos(m * (a - phase))) }]);
	const four = lobes(4, 0.3);
	const lost = (group: (typeof POINT_GROUPS)[number], axis = 0.3) =>
		symmetriseGroup(four, group, { axis }).lost;
	for (const group of ["2", "4", "2mm", "4mm"] as const)
		assert.ok(lost(group) < 0.01, `${group} ${lost(group)}`);
	for (const group of ["3", "6", "3m", "6mm"] as const)
		assert.ok(lost(group) > 0.1, `${group} ${lost(group)}`);
	// mirrors beside the kernel's own
	assert.ok(lost("4mm", 0.3 + Math.PI / 4) < 0.01);
	assert.ok(lost("4mm", 0.3 + Math.PI / 8) > 0.05);
	const three = lobes(3, 0);
	assert.ok(symmetriseGroup(three, "3m").lost < 0.01);
	assert.ok(symmetriseGroup(three, "6").lost > 0.1);
	assert.is(symmetriseGroup(three, "3").axis, null);
});

test("what noise alone loses is told from what contradicts the group", () => {
	const random = new Random(5);
	const kernel = noisy(waves([{ q: () => 0.3 }]), 0.05, random);
	const samples = drawn(kernel, 0.05, random);
	const { lost, noise } = symmetriseGroup(kernel, "4mm", { samples });
	assert.ok(noise !== null && noise > 0.001);
	assert.ok(lost / noise > 0.7 && lost / noise < 1.4, `${lost} ${noise}`);
	assert.is(symmetriseGroup(kernel, "4mm").noise, null);
});

test.run();
