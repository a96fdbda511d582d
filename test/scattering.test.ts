import { test } from "uvu";
import * as assert from "uvu/assert";
import { HBAR2_2M } from "../src/qpi/generator/bands.ts";
import {
	type KernelModel,
	kernelModel,
	tMatrix,
} from "../src/qpi/generator/kernel.ts";
import type { KernelSpec } from "../src/qpi/generator/kernelSpec.ts";
import {
	kernelImage,
	observation,
	placeScatterers,
} from "../src/qpi/generator/scattering.ts";
import { pixelPosition } from "../src/qpi/generator/table.ts";
import { besselJ, hankel0 } from "../src/qpi/maths/bessel.ts";
import { Matrix } from "../src/qpi/maths/matrix.ts";
import { Random } from "../src/random.ts";

const SILVER: KernelSpec = {
	number: 1,
	family: "silver",
	symmetry: 6,
	energy: 0.1,
	rotation: 0.4,
	broadening: 0.005,
	band: { kind: "surface", mass: 0.41, bottom: -0.065 },
	sites: [{ x: 0, y: 0, phase: 0.8 }],
};

function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let difference = 0;
	let norm = 0;
	for (let i = 0; i < a.length; i++) {
		difference += (a[i] - b[i]) ** 2;
		norm += b[i] ** 2;
	}
	return Math.sqrt(difference / norm);
}

function near(actual: number, expected: number, tolerance: number, what = "") {
	assert.ok(
		Math.abs(actual - expected) <= tolerance,
		`${what} expected ${expected} +- ${tolerance}, got ${actual}`,
	);
}

/** k of the surface state, [re, im]. */
function waveNumber({ energy, broadening, band }: KernelSpec) {
	if (!("mass" in band)) throw new TypeError("no parabola");
	const re = (energy - band.bottom) * (band.mass / HBAR2_2M);
	const im = broadening * (band.mass / HBAR2_2M);
	const k = Math.sqrt((Math.hypot(re, im) + re) / 2);
	return [k, im / (2 * k)];
}

test("hankel0: tabulated values on the real axis", () => {
	// Abramowitz & Stegun, tables 9.1 and 9.4
	for (const [x, j, y] of [
		[0.1, 0.99750156206604, -1.534238651350367],
		[1, 0.765197686557967, 0.088256964215677],
		[5, -0.177596771314338, -0.308517625249034],
		[10, -0.245935764451348, 0.055671167283599],
		[15, -0.014224472826781, 0.205464296038919],
	]) {
		const [re, im] = hankel0(x);
		near(re, j, 1e-10, `J0(${x})`);
		near(im, y, 1e-10, `Y0(${x})`);
	}
});

test("besselJ: the harmonics of exp(i x sin t)", () => {
	for (const x of [0, 0.3, 7, 61]) {
		const values = besselJ(x, 12);
		for (const m of [0, 1, 5, 12]) {
			let sum = 0;
			for (let t = 0; t < 512; t++) {
				const angle = (2 * Math.PI * t) / 512;
				sum += Math.cos(m * angle - x * Math.sin(angle)) / 512;
			}
			assert.ok(Math.abs(values[m] - sum) < 1e-12, `J${m}(${x})`);
		}
	}
});

test("hankel0: complex arguments against the integral exp(i z cosh t) / (pi i)", () => {
	for (const [x, y] of [
		[0.7, 0.4],
		[3, 0.5],
		[11.9, 0.6],
		[12.1, 0.6],
		[25, 1.5],
	]) {
		let [re, im] = [0, 0];
		const step = 2e-4;
		for (let t = -7; t <= 7; t += step) {
			const size = step * Math.exp(-y * Math.cosh(t));
			re += (size * Math.sin(x * Math.cosh(t))) / Math.PI;
			im -= (size * Math.cos(x * Math.cosh(t))) / Math.PI;
		}
		const [hr, hi] = hankel0(x, y);
		near(hr, re, 1e-9, `Re H0(${x} + ${y}i)`);
		near(hi, im, 1e-9, `Im H0(${x} + ${y}i)`);
	}
	assert.throws(() => hankel0(0), /Re z > 0/);
});

test("G by FFT of a free-electron band is the Hankel function", () => {
	const spec: KernelSpec = {
		...SILVER,
		broadening: 0.012,
		band: { kind: "free", mass: 0.41, bottom: -0.065 },
	};
	const { source } = kernelModel(spec);
	const [k, damping] = waveNumber(spec);
	const g = new Float64Array(2);
	for (const [x, y] of [
		[22, 0],
		[30, 41],
		[-77, 12],
		[0, 150],
		[260, -190],
	]) {
		const r = Math.hypot(x, y);
		const [hr, hi] = hankel0(k * r, damping * r);
		const scale = 0.41 / (4 * HBAR2_2M);
		source.green(x, y, g);
		const size = scale * Math.hypot(hr, hi);
		near(g[0], scale * hi, 0.03 * size, `Re G at ${r}`);
		near(g[1], -scale * hr, 0.03 * size, `Im G at ${r}`);
	}
});

test("a surface state's kernel is Re[f H0^2], and its image has that at half-integer lags", () => {
	const [k, damping] = waveNumber(SILVER);
	const f = [(Math.cos(1.6) - 1) / 2, Math.sin(1.6) / 2];
	const kernel = kernelImage(kernelModel(SILVER));
	const exact = new Float64Array(4096);
	const got = new Float64Array(4096);
	for (let ix = 0; ix < 64; ix++)
		for (let iy = 0; iy < 64; iy++) {
			const r = Math.hypot(pixelPosition(ix), pixelPosition(iy));
			// nearer, the image is low-passed
			if (r < 60) continue;
			const [re, im] = hankel0(k * r, damping * r);
			exact[ix * 64 + iy] = f[0] * (re * re - im * im) - 2 * f[1] * re * im;
			got[ix * 64 + iy] = kernel[ix * 64 + iy];
		}
	const error = relativeError(got, exact);
	assert.ok(error < 0.02, `relative error ${error}`);
});

/** 1 - f H and the like written down once more, straight from PHYSICS: rho/rho0 - 1 = Re[f h^T (1 - f H)^-1 h]. */
function multipleScattering(
	spec: KernelSpec,
	phase: number,
	places: { x: number; y: number }[],
	x: number,
	y: number,
): number {
	const [k, damping] = waveNumber(spec);
	const f = [(Math.cos(2 * phase) - 1) / 2, Math.sin(2 * phase) / 2];
	const n = places.length;
	const a = new Matrix(n);
	const h = new Matrix(n);
	places.forEach((p, i) => {
		places.forEach((q, j) => {
			const at = i * n + j;
			if (i === j) a.re[at] = 1;
			else {
				const r = Math.hypot(p.x - q.x, p.y - q.y);
				const [re, im] = hankel0(k * r, damping * r);
				a.re[at] = -(f[0] * re - f[1] * im);
				a.im[at] = -(f[0] * im + f[1] * re);
			}
		});
		const r = Math.hypot(p.x - x, p.y - y);
		[h.re[i * n], h.im[i * n]] = hankel0(k * r, damping * r);
	});
	const s = a.solve(h);
	let [re, im] = [0, 0];
	for (let i = 0; i < n * n; i += n) {
		re += h.re[i] * s.re[i] - h.im[i] * s.im[i];
		im += h.re[i] * s.im[i] + h.im[i] * s.re[i];
	}
	return f[0] * re - f[1] * im;
}

test("full scattering of several point scatterers is the T-matrix formula", () => {
	const model = kernelModel(SILVER);
	const places = placeScatterers(new Random(3), { count: 8, minDistance: 30 });
	const image = observation(model, places, { scattering: "full" });
	const got: number[] = [];
	const exact: number[] = [];
	for (let p = 0; p < 4096; p += 7) {
		const x = pixelPosition(Math.floor(p / 64));
		const y = pixelPosition(p % 64);
		// next to a scatterer the image is low-passed
		if (places.some((q) => Math.hypot(q.x - x, q.y - y) < 40)) continue;
		got.push(image[p]);
		exact.push(multipleScattering(SILVER, 0.8, places, x, y));
	}
	const error = relativeError(got, exact);
	assert.ok(got.length > 300 && error < 0.05, `relative error ${error}`);
});

test("superposition is off by as much as was measured for 20 scatterers", () => {
	const errors = [0.3, Math.PI / 4, Math.PI / 2, "black" as const].map(
		(phase) => {
			const model = kernelModel({ ...SILVER, sites: [{ x: 0, y: 0, phase }] });
			const places = placeScatterers(new Random(7), { count: 20 });
			return relativeError(
				observation(model, places),
				observation(model, places, { scattering: "full" }),
			);
		},
	);
	[0.18, 0.4, 0.5, 0.27].forEach((measured, i) => {
		near(errors[i], measured, 0.35 * measured, `case ${i}:`);
	});
});

const CLUSTERS: KernelSpec[] = [
	{
		...SILVER,
		broadening: 0.008,
		band: { kind: "free", mass: 0.41, bottom: -0.065 },
		sites: [
			{ x: -9, y: 0, phase: 1 },
			{ x: 9, y: 3, phase: -0.7 },
		],
	},
	{
		...SILVER,
		energy: 0.03,
		broadening: 0.009,
		band: { kind: "pnictide", scale: 0.1, filling: 1.6, cells: 128 },
		sites: [
			{ x: -12, y: 0, potential: [0.4, 0.1] },
			{ x: 12, y: 0, potential: [0.2, 0] },
		],
	},
];

test("a cluster's pattern is -(1/pi) Im Tr sum G T G of its sites", () => {
	const warped: KernelSpec = {
		...SILVER,
		energy: 0.25,
		broadening: 0.012,
		band: { kind: "topological", velocity: 2.55, lambda: 250 },
		sites: [
			{ x: -12, y: 4, potential: [60, 20] },
			{ x: 12, y: 0, potential: [30, 0] },
		],
	};
	for (const spec of [CLUSTERS[0], warped]) {
		const { evaluate, places, source, cluster, density } = kernelModel(spec);
		const n = source.local.n;
		const exact: number[] = [];
		const got: number[] = [];
		// from 70 A on, where the low-pass of the square does not matter
		for (let step = 0; step < 60; step++) {
			const x = (70 + 2 * step) * Math.cos(step);
			const y = (70 + 2 * step) * Math.sin(step);
			let sum = 0;
			places.forEach((from, i) => {
				const out = new Float64Array(2 * n * n);
				source.image(x - from.x, y - from.y, out);
				places.forEach((to, j) => {
					const back = new Float64Array(2 * n * n);
					source.image(to.x - x, to.y - y, back);
					for (let a = 0; a < n; a++)
						for (let b = 0; b < n; b++)
							for (let c = 0; c < n; c++) {
								const [u, w] = [2 * (a * n + b), 2 * (c * n + a)];
								const t = (i * n + b) * cluster.n + j * n + c;
								const re = out[u] * back[w] - out[u + 1] * back[w + 1];
								const im = out[u] * back[w + 1] + out[u + 1] * back[w];
								sum += re * cluster.im[t] + im * cluster.re[t];
							}
				});
			});
			exact.push(-sum / (Math.PI * density));
			got.push(evaluate(x, y));
		}
		const error = relativeError(got, exact);
		assert.ok(error < 0.03, `${spec.band.kind}: relative error ${error}`);
	}
});

test("one scatterer alone: full is linear, and T is the cluster's own", () => {
	for (const spec of CLUSTERS) {
		const model = kernelModel(spec);
		const again = tMatrix(model.places, model.single, model.source.green);
		assert.ok(relativeError(again.re, model.cluster.re) < 1e-12);
		const alone = [{ x: 20, y: -35 }];
		assert.equal(
			observation(model, alone, { scattering: "full" }),
			observation(model, alone),
		);
	}
});

test("full scattering does not depend on the order of the scatterers, and two-orbital tables agree with the pattern", () => {
	for (const spec of CLUSTERS) {
		const model = kernelModel(spec);
		const places = placeScatterers(new Random(5), {
			count: 4,
			minDistance: 60,
		});
		const full = observation(model, places, { scattering: "full" });
		const reversed = observation(model, [...places].reverse(), {
			scattering: "full",
		});
		assert.ok(relativeError(reversed, full) < 1e-5);
		const linear = observation(model, places);
		const error = relativeError(linear, full);
		assert.ok(error > 0.01 && error < 0.7, `${spec.band.kind}: ${error}`);
	}
});

test("T obeys the optical theorem T - T* = T* (G - G*) T for real phase shifts", () => {
	const spec = CLUSTERS[0];
	const model = kernelModel(spec);
	const places = [
		{ x: 0, y: 0 },
		{ x: 40, y: 10 },
		{ x: -30, y: 70 },
	].flatMap((p) =>
		model.places.map(({ x, y }) => ({ x: p.x + x, y: p.y + y })),
	);
	const single = [...model.single, ...model.single, ...model.single];
	assert.ok(unitarityError(model, places, single) < 1e-4);
	// an absorber must not
	const black = kernelModel({
		...spec,
		sites: [{ x: 0, y: 0, phase: "black" }],
	});
	assert.ok(unitarityError(black, black.places, black.single) > 0.1);
});

/** Largest violation of the optical theorem, relative to T's largest element. */
function unitarityError(
	model: KernelModel,
	places: { x: number; y: number }[],
	single: Matrix[],
): number {
	const t = tMatrix(places, single, model.source.green);
	const n = t.n;
	const g = new Float64Array(2);
	const dagger = new Matrix(n);
	const jump = new Matrix(n);
	for (let i = 0; i < n; i++)
		for (let j = 0; j < n; j++) {
			dagger.re[i * n + j] = t.re[j * n + i];
			dagger.im[i * n + j] = -t.im[j * n + i];
			// G - G* = 2i Im G, G being symmetric
			if (i === j) g[1] = model.source.local.im[0];
			else
				model.source.green(
					places[i].x - places[j].x,
					places[i].y - places[j].y,
					g,
				);
			jump.im[i * n + j] = 2 * g[1];
		}
	const right = dagger.times(jump).times(t);
	const scale = Math.max(...t.re.map(Math.abs), ...t.im.map(Math.abs));
	let error = 0;
	for (let i = 0; i < n * n; i++)
		error = Math.max(
			error,
			Math.abs(t.re[i] - dagger.re[i] - right.re[i]) / scale,
			Math.abs(t.im[i] - dagger.im[i] - right.im[i]) / scale,
		);
	return error;
}

test("an image is the pattern at each pixel, with drift, and from scatterers outside", () => {
	const model = kernelModel(CLUSTERS[0]);
	const places = [
		{ x: 31.7, y: -150.2 },
		{ x: 260, y: 410 },
	];
	const image = observation(model, places, {
		shear: 0.02,
		amplitudes: [1, 0.5],
	});
	for (const [ix, iy] of [
		[0, 0],
		[63, 0],
		[10, 63],
		[36, 8],
	]) {
		const y = pixelPosition(iy);
		const x = pixelPosition(ix) + 0.02 * y;
		near(
			image[ix * 64 + iy],
			model.evaluate(x - 31.7, y + 150.2) +
				0.5 * model.evaluate(x - 260, y - 410),
			1e-6,
		);
	}
	assert.throws(() => observation(model, [{ x: 601, y: 0 }]), /600 A/);
	assert.throws(
		() => observation(model, places, { amplitudes: [1] }),
		/expected 2 amplitudes/,
	);
});

test("drift moves each scan line, single and multiple scattering alike", () => {
	const model = kernelModel(SILVER);
	const places = placeScatterers(new Random(6), { count: 3, halfWidth: 60 });
	for (const scattering of ["linear", "full"] as const) {
		const drifted = observation(model, places, { scattering, shear: 0.05 });
		for (const iy of [3, 50]) {
			const moved = observation(
				model,
				places.map(({ x, y }) => ({ x: x - 0.05 * pixelPosition(iy), y })),
				{ scattering },
			);
			for (let ix = 0; ix < 64; ix++)
				near(drifted[ix * 64 + iy], moved[ix * 64 + iy], 1e-6, scattering);
		}
	}
});

test("a site that does not fit the band is refused", () => {
	assert.throws(
		() => kernelModel({ ...CLUSTERS[1], sites: SILVER.sites }),
		/needs a potential/,
	);
	assert.throws(
		() => kernelModel({ ...SILVER, sites: CLUSTERS[1].sites }),
		/needs a phase/,
	);
});

test("placeScatterers: counts, distances and a square that is too full", () => {
	const random = new Random(1);
	for (let i = 0; i < 50; i++) {
		const places = placeScatterers(random, { min: 3, max: 20 });
		assert.ok(places.length >= 3 && places.length <= 20);
		for (const p of places) {
			assert.ok(Math.abs(p.x) <= 170 && Math.abs(p.y) <= 170);
			for (const q of places)
				assert.ok(p === q || Math.hypot(p.x - q.x, p.y - q.y) >= 15);
		}
	}
	assert.is(placeScatterers(random, { count: 5 }).length, 5);
	assert.throws(
		() => placeScatterers(random, { count: 20, halfWidth: 20 }),
		/do not fit/,
	);
});

test.run();
