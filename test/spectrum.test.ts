import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	describePeak,
	dominantPeak,
	findPeaks,
	judgePeak,
	profile,
	spectrum,
	withError,
} from "../src/extraction/findings/spectrum.ts";
import { PIXEL } from "../src/qpi/dataset/format.ts";
import {
	type KernelSpec,
	kernelImage,
	kernelModel,
} from "../src/qpi/generator/generator.ts";
import { hankel0 } from "../src/qpi/maths/bessel.ts";
import { Random } from "../src/random.ts";

const D = PIXEL;

/** n x n image of f(x, y), its centre between the middle pixels. */
function image(n: number, f: (x: number, y: number) => number) {
	return Float64Array.from({ length: n * n }, (_, p) =>
		f((Math.floor(p / n) - (n - 1) / 2) * D, ((p % n) - (n - 1) / 2) * D),
	);
}

const ripples = (q: number, phase: number, n = 64) =>
	image(n, (x, y) => Math.cos(q * Math.hypot(x, y) + phase) / Math.hypot(x, y));

const near = (a: number | undefined, b: number, within: number, what: string) =>
	assert.ok(
		a !== undefined && Math.abs(a - b) <= within,
		`${what}: ${a}, expected ${b} +- ${within}`,
	);

const white = (random: Random, n: number) =>
	Float64Array.from({ length: n * n }, () => random.normal());

test("|FFT| of a plane wave peaks at its q, x along the first index", () => {
	const bin = (2 * Math.PI) / (64 * D);
	for (const window of ["hann", "none"] as const)
		for (const [qx, qy] of [
			[0.2, 0.07],
			[-0.11, 0.31],
		]) {
			const { magnitude, size, step } = spectrum(
				image(64, (x, y) => Math.cos(qx * x + qy * y + 0.4)),
				{ window, pad: 320 },
			);
			const top = magnitude.indexOf(Math.max(...magnitude));
			const [u, v] = [Math.floor(top / size), top % size].map(
				(i) => (i - size / 2) * step,
			);
			const sign = Math.sign(u * qx + v * qy);
			near(sign * u, qx, 0.11 * bin, `${window} qx`);
			near(sign * v, qy, 0.11 * bin, `${window} qy`);
		}
});

test("|FFT| at q = 0 is the windowed sum times the pixel's area", () => {
	const { magnitude, size } = spectrum(
		image(32, () => 2),
		{
			window: "none",
			pad: 64,
			spacing: 3,
		},
	);
	near(magnitude[(size / 2) * (size + 1)], 2 * 1024 * 9, 1e-2, "sum");
});

test("outgoing waves peak at 2k whatever their phase; the plain |FFT| does not", () => {
	for (const q of [0.09, 0.165, 0.4]) {
		let worst = 0;
		for (const phase of [0, 0.8, Math.PI / 2, 3.9]) {
			const kernel = ripples(q, phase);
			const within = q < 0.1 ? 0.0025 : 0.0012;
			near(dominantPeak(profile(kernel))?.q, q, within, `phase ${phase}`);
			const plain = dominantPeak(profile(kernel, { waves: "full" }), {
				qMax: 1,
			});
			worst = Math.max(worst, Math.abs((plain?.q ?? 9) - q));
		}
		assert.ok(worst > 0.012, `the edge's maximum is off by ${worst} only`);
	}
});

const surface = (
	[mass, bottom]: [number, number],
	energy: number,
	phase: number | "black",
	broadening: number,
): KernelSpec => ({
	number: 1,
	family: "surface",
	symmetry: 6,
	energy,
	rotation: 0,
	broadening,
	band: { kind: "surface", mass, bottom },
	sites: [{ x: 0, y: 0, phase }],
});

for (const [name, spec] of Object.entries({
	"Ag(111) at the Fermi energy": surface([0.41, -0.065], 0, 0.6, 0.005),
	"Ag(111) at 0.19 eV": surface([0.41, -0.065], 0.19, 0.6, 0.005),
	"Cu(111) at -0.17 eV": surface([0.38, -0.44], -0.17, "black", 0.006),
	"Au(111) at -0.2 eV": surface([0.25, -0.487], -0.2, Math.PI / 2, 0.012),
}))
	test(`q of ${name} is 2k to 0.001 1/A`, () => {
		const { band, energy } = spec;
		assert.is(band.kind, "surface");
		if (band.kind !== "surface") return;
		const q = 2 * Math.sqrt((2 * band.mass * (energy - band.bottom)) / 7.62);
		const kernel = kernelImage(kernelModel(spec));
		near(dominantPeak(profile(kernel))?.q, q, 0.001, "all directions");
		near(
			dominantPeak(profile(kernel, { direction: 0.3 }))?.q,
			q,
			0.002,
			"sector",
		);
	});

test("sectors of an anisotropic band have their own q, the same in opposite directions", () => {
	const rotation = 0.5;
	const kernel = kernelImage(
		kernelModel({
			...surface([0, 0], 0.08, 0.8, 0.007),
			symmetry: 2,
			rotation,
			band: { kind: "ellipse", mass: 0.6, massY: 0.25, bottom: -0.1 },
		}),
	);
	for (const [angle, mass] of [
		[0, 0.6],
		[Math.PI / 2, 0.25],
	]) {
		const q = 2 * Math.sqrt((2 * mass * 0.18) / 7.62);
		const at = (direction: number) =>
			dominantPeak(profile(kernel, { direction, width: 0.13 }));
		const peak = at(rotation + angle);
		near(peak?.q, q, 0.003, `mass ${mass}`);
		near(at(rotation + angle + Math.PI)?.q, peak?.q ?? 0, 1e-9, "opposite");
	}
});

test("a sector counts the waves of both directions", () => {
	const kernel = image(64, (x) => (x > 0 ? Math.cos(0.3 * x) : 0));
	const [right, left] = [0, Math.PI].map((direction) =>
		profile(kernel, { direction }),
	);
	const k = Math.round(0.3 / right.q[1]);
	near(left.value[k] / right.value[k], 1, 1e-9, "left over right");
	assert.ok(right.value[k] > 1);
});

test("propagated errors are what noise does, for a map and for samples", () => {
	const n = 32;
	const random = new Random(3);
	const kernel = ripples(0.2, 0.5, n);
	const sigma = image(n, (x) => 0.001 * (1 + (x > 0 ? 1 : 0)));
	const draws = Array.from({ length: 80 }, () =>
		white(random, n).map((v, i) => kernel[i] + v * sigma[i]),
	);
	const map = profile(kernel, { uncertainty: sigma, correlation: 1 });
	const sampled = profile(kernel, { samples: draws });
	const peak = dominantPeak(map);
	assert.ok(peak && map.error && sampled.error);
	const k = Math.round(peak.q / map.q[1]);
	near(map.error[k] / sampled.error[k], 1, 0.2, "height's error");
	const found = draws.map((d) => dominantPeak(profile(d))?.q ?? 0);
	const scatter = Math.sqrt(
		found.reduce((sum, q) => sum + (q - peak.q) ** 2, 0) / found.length,
	);
	near(peak.statistical / scatter, 1, 0.25, "position's error");
	// four times the power in errors that go together
	const patches = profile(kernel, { uncertainty: sigma });
	near((patches.error?.[k] ?? 0) / map.error[k], 2, 1e-9, "correlation");
});

test("no peak is invented: white noise, nothing at all, noise far above a signal", () => {
	const random = new Random(8);
	for (let i = 0; i < 3; i++) {
		const noise = white(random, 64);
		assert.is(dominantPeak(profile(noise)), null);
		const ones = noise.map(() => 1);
		const known = profile(noise, { uncertainty: ones, correlation: 1 });
		assert.is(dominantPeak(known), null);
	}
	assert.is(dominantPeak(profile(new Float64Array(4096))), null);
	const kernel = ripples(0.2, 0);
	const buried = white(random, 64).map((v, i) => kernel[i] + 0.3 * v);
	const huge = new Float64Array(4096).fill(0.3);
	assert.is(dominantPeak(profile(buried, { uncertainty: huge })), null);
	const fair = white(random, 64).map((v, i) => kernel[i] + 0.003 * v);
	const small = huge.map(() => 0.003);
	const peak = dominantPeak(profile(fair, { uncertainty: small }));
	assert.ok(peak && (peak.significance ?? 0) > 5);
	near(peak.q, 0.2, 3 * peak.error, "fair");
});

/** Waves of a point scatterer on 61 x 61 pixels of 2 A that are zero from `radius` on. */
const native = (q: number, radius: number, phase = 0.7) =>
	Float64Array.from({ length: 61 * 61 }, (_, p) => {
		const r = 2 * Math.hypot(Math.floor(p / 61) - 30, (p % 61) - 30);
		const [re, im] = hankel0((q / 2) * Math.max(r, 2));
		return r < radius
			? (re * re - im * im) * Math.cos(phase) - 2 * re * im * Math.sin(phase)
			: 0;
	});

test("the window ends where the kernel does: at zeros, or in the noise", () => {
	const kernel = native(0.4, 44);
	near(profile(kernel, { spacing: 2 }).reach, 45, 2, "zeros");
	assert.is(profile(kernel, { spacing: 2, reach: 50 }).reach, 50);
	const random = new Random(21);
	const faint = native(0.4, 60).map(
		(v, p) =>
			v *
			Math.exp(-((Math.floor(p / 61) - 30) ** 2 + ((p % 61) - 30) ** 2) / 80),
	);
	const sigma = 0.004;
	const samples = Array.from({ length: 12 }, () =>
		faint.map((v) => v + sigma * random.normal()),
	);
	const noisy = faint.map((v) => v + sigma * random.normal());
	const { reach } = profile(noisy, { spacing: 2, samples });
	assert.ok(reach > 24 && reach < 48, `noise: ${reach}`);
	near(profile(ripples(0.2, 0)).reach, 31.5 * D, 1e-9, "circle");
});

test("the transform by lines is the sum over pixels", () => {
	const kernel = native(0.4, 44);
	const { q, value } = profile(kernel, { spacing: 2, reach: 44 });
	for (const k of [0, 13, 60, 110]) {
		let mean = 0;
		for (let a = 0; a < 48; a++) {
			const angle = ((a + 0.5) / 48) * 2 * Math.PI;
			let [re, im] = [0, 0];
			kernel.forEach((v, p) => {
				const [x, y] = [2 * (Math.floor(p / 61) - 30), 2 * ((p % 61) - 30)];
				const t = x * Math.cos(angle) + y * Math.sin(angle);
				const r = Math.hypot(x, y);
				if (t <= 0 || r >= 44) return;
				const w = 4 * v * (Math.sin((Math.PI * r) / 44) * (t / r)) ** 2;
				re += w * Math.cos(q[k] * t);
				im -= w * Math.sin(q[k] * t);
			});
			mean += Math.hypot(re, im) / 48;
		}
		near(value[k], mean, 1e-4 * Math.max(...value), `q = ${q[k]}`);
	}
});

test("a peak holds in most groups and both halves, of a kernel that explains something", () => {
	const random = new Random(22);
	const kernel = native(0.4, 58);
	const samples = Array.from({ length: 12 }, () =>
		kernel.map((v) => v && v + 0.002 * random.normal()),
	);
	const judge = (
		groups: Float64Array[] | undefined,
		heldOut: number | null = null,
		of = kernel,
	) => judgePeak(profile(of, { spacing: 2, samples, groups }), { heldOut });
	const alike = [1.02, 0.98, 1, 1.01, 0.99].map((share) =>
		kernel.map((v) => share * v),
	);
	const good = judge(alike);
	assert.ok(good.peak && good.missing.length === 0);
	near(good.peak.q, 0.4, 3 * good.peak.error, "q");
	near(
		Math.hypot(good.peak.statistical, good.peak.systematic),
		good.peak.error,
		1e-12,
		"parts",
	);
	assert.ok(good.peak.share > 0.3 && good.peak.share <= 1);
	const poor = judge(alike, 0.03);
	assert.is(poor.peak, null);
	assert.match(poor.missing.join(), /explains 0.03 of held-out.*expected 0.10/);
	assert.match(
		describePeak(poor.peak, poor.missing),
		/^no q\* that holds: the/,
	);
	assert.is(
		dominantPeak(profile(kernel, { spacing: 2 }), { heldOut: 0 }),
		null,
	);
	// every group saw other waves
	const parts = [0.25, 0.33, 0.4, 0.52, 0.61].map((q) => native(q, 58, 9 * q));
	const sum = kernel.map((_, p) => parts.reduce((s, part) => s + part[p], 0));
	const mixed = judge(
		parts.map((part) => sum.map((v, p) => (v - part[p]) / 4)),
		null,
		sum.map((v) => v / 5),
	);
	assert.is(mixed.peak, null);
	// two halves of the groups, each with its own
	const [a, b] = [native(0.37, 58), native(0.43, 58)];
	const both = a.map((v, p) => (v + b[p]) / 2);
	const split = judge(
		[a, b, a, b].map((part) => both.map((v, p) => (4 * v - part[p]) / 3)),
		null,
		both,
	);
	assert.is(split.peak, null);
	assert.throws(
		() => profile(kernel, { groups: [kernel] }),
		/at least 3 groups/,
	);
});

test("two rings give two peaks, and qMin and qMax choose", () => {
	const [a, b] = [ripples(0.15, 0.3), ripples(0.33, 1.9)];
	const both = profile(a.map((v, i) => v + 0.6 * b[i]));
	const peaks = findPeaks(both);
	assert.is(peaks.length, 2);
	near(peaks[0].q, 0.15, 0.003, "stronger");
	near(peaks[1].q, 0.33, 0.003, "weaker");
	near(dominantPeak(both, { qMin: 0.2 })?.q, 0.33, 0.003, "qMin");
	assert.is(dominantPeak(both, { qMin: 0.2, qMax: 0.3 }), null);
	// what may be a side lobe is not named
	const faint = profile(a.map((v, i) => v + 0.03 * b[i]));
	assert.is(findPeaks(faint).length, 1);
});

test("sentences have value and error to the error's digits", () => {
	assert.is(withError(0.16512, 0.0031), "0.165 +- 0.003");
	assert.is(withError(0.16512, 0.0014), "0.1651 +- 0.0014");
	assert.is(withError(-65.2, 12.3), "-65 +- 12");
	assert.is(withError(0.41, 0), "0.41");
	const peak = {
		q: 0.1651,
		error: 0.003,
		statistical: 0.0027,
		systematic: 0.00014,
		height: 1,
		prominence: 1,
		share: 0.6,
	};
	assert.is(
		describePeak({ ...peak, significance: 12.2 }),
		"q = 0.165 +- 0.003 1/A (wavelength 38 A; 12 sigma; statistical 0.003, systematic 0.00014)",
	);
	assert.match(describePeak({ ...peak, significance: null }), /errors unknown/);
	assert.is(describePeak(null), "no q* that holds: no significant peak");
	assert.is(describePeak(null, ["a", "b"]), "no q* that holds: a; b");
});

test("wrong input is named", () => {
	const kernel = ripples(0.2, 0, 32);
	assert.throws(() => profile(kernel.slice(1)), /square image.*1023/);
	assert.throws(
		() => spectrum(kernel.map((v, i) => (i === 33 ? Number.NaN : v))),
		/pixel 1, 1.*NaN/,
	);
	assert.throws(() => spectrum(kernel, { pad: 16 }), /at least 32, got 16/);
	assert.throws(
		() => profile(kernel, { uncertainty: new Float64Array(256) }),
		/32 x 32 pixels, its uncertainty 256/,
	);
	assert.throws(
		() => profile(kernel, { samples: [kernel] }),
		/at least 3 samples/,
	);
});

test.run();
