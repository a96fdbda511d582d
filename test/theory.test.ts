/** Joint density of states, T matrix and fits of bands; Wannier90's files. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { directions, profile } from "../src/extraction/findings/profile.ts";
import { spectrum } from "../src/extraction/findings/spectrum.ts";
import { FormatError } from "../src/formats/measurement.ts";
import { readWannier } from "../src/formats/wannier.ts";
import { HBAR2_2M } from "../src/qpi/generator/bands.ts";
import { kernelModel } from "../src/qpi/generator/generator.ts";
import { outgoingAlong } from "../src/qpi/theory/along.ts";
import { fitBand } from "../src/qpi/theory/fitBand.ts";
import {
	greenGrids,
	jointDensity,
	tMatrixPattern,
} from "../src/qpi/theory/green.ts";
import { energiesAt, energiesOfQ } from "../src/qpi/theory/lines.ts";
import {
	areaOf,
	cellOf,
	formulaBand,
	type Hoppings,
	hoppingBand,
} from "../src/qpi/theory/model.ts";
import { bandOf, familyOf, parseFormula } from "../src/qpi/theory/source.ts";
import { patternSpectrum } from "../src/qpi/theory/spectrum.ts";
import { Random } from "../src/random.ts";

const [MASS, BOTTOM, ENERGY] = [0.4, -0.065, 0.03];
const TWO_K = 2 * Math.sqrt(((ENERGY - BOTTOM) * MASS) / HBAR2_2M);
const SIZE = 256;
const PIXEL = 4;
const STEP = (2 * Math.PI) / (SIZE * PIXEL);

/** Mean of a zero-centred image over rings of one step, by their number. */
function rings(magnitude: ArrayLike<number>, size: number): Float64Array {
	const [sum, count] = [new Float64Array(size / 2), new Float64Array(size / 2)];
	for (let i = 0; i < size; i++)
		for (let j = 0; j < size; j++) {
			const r = Math.round(Math.hypot(i - size / 2, j - size / 2));
			if (r >= size / 2) continue;
			sum[r] += magnitude[i * size + j];
			count[r]++;
		}
	return sum.map((v, r) => v / count[r]);
}
/** The ring with the most, from `first` on, 1/A. */
const peakOf = (values: Float64Array, first: number) => {
	let best = first;
	for (let r = first; r < values.length; r++)
		if (values[r] > values[best]) best = r;
	return best * STEP;
};

test("the joint density of states of a parabola peaks at 2k and ends there", () => {
	const band = formulaBand({ kind: "free", mass: MASS, bottom: BOTTOM }, 2, 0);
	const pattern = jointDensity(band, { energy: ENERGY, broadening: 0.004 });
	for (const reach of [120, 250]) {
		const { magnitude } = patternSpectrum(pattern, band.cell, {
			...{ size: SIZE, step: STEP, reach },
		});
		const of = rings(magnitude, SIZE);
		const q = peakOf(of, Math.round(0.6 * (TWO_K / STEP)));
		// the window smears the edge at 2k, whose maximum then lies inside
		const within = (0.6 * 2 * Math.PI) / reach;
		assert.ok(Math.abs(q - TWO_K) < within, `${q} for ${TWO_K}`);
		const at = (value: number) => of[Math.round(value / STEP)];
		assert.ok(at(1.5 * TWO_K) < 0.1 * at(q));
		assert.ok(at(0.7 * TWO_K) > at(1.5 * TWO_K));
	}
});

test("the joint density of states is the spectral function's autocorrelation, summed pair by pair", () => {
	const points = 20;
	const cell = cellOf(4, 4, 90, 0);
	const band = hoppingBand(square(-0.1, 0.02), cell);
	const at = { energy: -0.05, broadening: 0.03, points };
	const { value } = jointDensity(band, at);
	const spectral = Array.from({ length: points ** 2 }, (_, p) => {
		const [e] = energiesAt(
			band,
			Math.floor(p / points) / points,
			(p % points) / points,
		);
		return 0.03 / Math.PI / ((at.energy - e) ** 2 + 0.03 ** 2);
	});
	for (const [m, n] of [
		[0, 0],
		[3, 1],
		[10, 7],
	]) {
		let [direct, transformed] = [0, 0];
		for (let i = 0; i < points; i++)
			for (let j = 0; j < points; j++) {
				direct +=
					spectral[i * points + j] *
					spectral[((i + m) % points) * points + ((j + n) % points)];
				transformed +=
					value[i * points + j] *
					Math.cos((2 * Math.PI * (i * m + j * n)) / points);
			}
		assert.ok(Math.abs(transformed * points ** 2 - direct) < 1e-6 * direct);
	}
});

test("the T matrix of a free-electron band makes the ring of the generator's kernel", () => {
	const n = 65;
	const reach = ((n - 1) / 2) * PIXEL;
	const model = kernelModel({
		...{ number: 1, family: "free", symmetry: 6, energy: ENERGY },
		...{ rotation: 0, broadening: 0.006, sites: [{ x: 0, y: 0, phase: 0.3 }] },
		band: { kind: "free", mass: MASS, bottom: BOTTOM },
	});
	const kernel = Float32Array.from({ length: n * n }, (_, p) =>
		model.evaluate(
			(Math.floor(p / n) - (n - 1) / 2) * PIXEL,
			((p % n) - (n - 1) / 2) * PIXEL,
		),
	);
	const measured = spectrum(kernel, { spacing: PIXEL, pad: SIZE });
	const band = formulaBand({ kind: "free", mass: MASS, bottom: BOTTOM }, 2, 0);
	// 1/T = 1/V - G(0); the generator's phase shift leaves G(0)'s real part out, which is the cutoff's
	const at = { energy: ENERGY, broadening: 0.006 };
	const [{ re, im }] = greenGrids(band, at);
	const mean = (list: Float64Array) =>
		list.reduce((a, b) => a + b, 0) / list.length / areaOf(band.cell);
	const potential = 1 / (mean(im) / Math.tan(0.3) + mean(re));
	const { magnitude } = patternSpectrum(
		tMatrixPattern(band, at, potential),
		band.cell,
		{ size: SIZE, step: measured.step, reach },
	);
	const [a, b] = [measured.magnitude, magnitude].map((m) => rings(m, SIZE));
	const first = Math.round((0.6 * TWO_K) / STEP);
	const [qa, qb] = [a, b].map((m) => peakOf(m, first));
	assert.ok(Math.abs(qa - qb) <= STEP * 1.01, `${qa} ${qb}`);
	assert.ok(Math.abs(qb - TWO_K) < (0.6 * 2 * Math.PI) / reach);
	// alike in shape about the ring, too
	const [from, to] = [0.5, 1.8].map((f) => Math.round((f * TWO_K) / STEP));
	const [x, y] = [a, b].map((m) => m.slice(from, to));
	const dot = (u: Float64Array, v: Float64Array) =>
		u.reduce((sum, value, i) => sum + value * v[i], 0);
	const cosine = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
	assert.ok(cosine > 0.99, String(cosine));
});

/** Nearest and next-nearest neighbours of a square lattice, eV. */
const square = (t: number, next: number, level = 0): Hoppings => ({
	orbitals: 1,
	hoppings: [
		{ x: 0, y: 0, from: 0, to: 0, re: level, im: 0 },
		...[
			[1, 0],
			[-1, 0],
			[0, 1],
			[0, -1],
		].map(([x, y]) => ({ x, y, from: 0, to: 0, re: t, im: 0 })),
		...[
			[1, 1],
			[-1, 1],
			[1, -1],
			[-1, -1],
		].map(([x, y]) => ({ x, y, from: 0, to: 0, re: next, im: 0 })),
	],
});

/** As Wannier90 writes it, each cell with degeneracy 1 but the corners, which count double and are halved. */
function hrFile({ orbitals, hoppings }: Hoppings): string {
	const cells = [...new Set(hoppings.map(({ x, y }) => `${x} ${y}`))];
	const degeneracies = cells.map((cell) => (/^-?1 -?1$/.test(cell) ? 2 : 1));
	const rows = cells.flatMap((cell, c) =>
		Array.from({ length: orbitals ** 2 }, (_, p) => {
			const [from, to] = [p % orbitals, Math.floor(p / orbitals)];
			const found = hoppings.find(
				(h) => `${h.x} ${h.y}` === cell && h.from === from && h.to === to,
			);
			const [x, y] = cell.split(" ");
			return `${x.padStart(5)}${y.padStart(5)}    0${String(from + 1).padStart(5)}${String(to + 1).padStart(5)}${((found?.re ?? 0) * degeneracies[c]).toFixed(6).padStart(12)}${(found?.im ?? 0).toFixed(6).padStart(12)}`;
		}),
	);
	return [
		" written on  1Jan2024 at 00:00:00",
		`          ${orbitals}`,
		`          ${cells.length}`,
		`    ${degeneracies.join("    ")}`,
		...rows,
		"",
	].join("\n");
}
const read = (text: string) =>
	readWannier(new TextEncoder().encode(text), "a_hr.dat");

test("along a direction the T matrix's pattern is transformed as a measured kernel is, and a lattice's q comes again", () => {
	const energy = 0.03;
	const source = {
		kind: "formula",
		band: { kind: "free", mass: MASS, bottom: BOTTOM },
		...{ spacing: 1.5, turn: 0 },
	} as const;
	const band = bandOf(source);
	const points = 256;
	const at = { energy, broadening: 0.005, points };
	const pattern = tMatrixPattern(band, at, 10);
	const [n, reach] = [121, 80];
	const wrap = (i: number) => (i + points) % points;
	const kernel = Float64Array.from({ length: n * n }, (_, p) => {
		const [i, j] = [Math.floor(p / n) - (n - 1) / 2, (p % n) - (n - 1) / 2];
		return pattern.value[wrap(i) * points + wrap(j)];
	});
	const direction = 0.3;
	const measured = profile(kernel, { spacing: 1.5, direction, reach });
	const along = directions({ direction });
	const theory = outgoingAlong(pattern, band.cell, along, measured.q, reach);
	const most = measured.value.reduce((a, b) => Math.max(a, b));
	theory.forEach((v, k) => {
		if (measured.q[k] < 1)
			assert.ok(Math.abs(v - measured.value[k]) < 1e-4 * most, `${k}`);
	});
	const top = theory.indexOf(theory.reduce((a, b) => Math.max(a, b)));
	const expected = 2 * Math.sqrt(((energy - BOTTOM) * MASS) / HBAR2_2M);
	assert.ok(Math.abs(measured.q[top] - expected) < 0.01);
	// 2 pi / 4 A further along an axis of a square lattice.
	const cell = cellOf(4, 4, 90, 0);
	const hops = hoppingBand(square(-0.12, 0.02, 0.3), cell);
	const lattice = tMatrixPattern(hops, { ...at, points: 64 }, 0.1);
	const period = Math.PI / 2;
	const q = Float64Array.from({ length: 41 }, (_, k) => (k * period) / 20);
	const values = outgoingAlong(lattice, cell, [0], q, 60);
	for (let k = 0; k <= 20; k++)
		assert.ok(Math.abs(values[k] / values[k + 20] - 1) < 0.02, `${k}`);
	assert.throws(
		() => outgoingAlong(lattice, cell, [0], q, 200),
		/a window of 200 A needs 101 points a side, the grid has 64/,
	);
});

test("a square lattice's _hr.dat gives the analytic band of cosines, in the image's axes", () => {
	const [t, next, level] = [-0.1, 0.03, 0.05];
	const { note, ...hoppings } = read(hrFile(square(t, next, level)));
	assert.match(note, /^1 Wannier function in 9 cells$/);
	const [a, turn, fermi] = [3.9, 0.3, 0.02];
	const band = hoppingBand(hoppings, cellOf(a, a, 90, turn), fermi);
	for (const [q, angle] of [
		[0.2, 0],
		[0.9, 0.7],
		[1.4, -2],
	]) {
		const [kx, ky] = [
			(q / 2) * Math.cos(angle - turn),
			(q / 2) * Math.sin(angle - turn),
		];
		const [cx, cy] = [Math.cos(kx * a), Math.cos(ky * a)];
		const expected = level - fermi + 2 * t * (cx + cy) + 4 * next * cx * cy;
		const [found] = energiesOfQ(band, { name: "Γ", u: 0, v: 0 }, angle, q);
		assert.ok(Math.abs(found - expected) < 1e-9, `${found} ${expected}`);
	}
});

test("two orbitals with complex hoppings have the eigenvalues of their matrix", () => {
	const hoppings: Hoppings = {
		orbitals: 2,
		hoppings: [
			{ x: 0, y: 0, from: 0, to: 0, re: 0.2, im: 0 },
			{ x: 0, y: 0, from: 1, to: 1, re: -0.2, im: 0 },
			{ x: 1, y: 0, from: 0, to: 1, re: 0.1, im: 0.05 },
			{ x: -1, y: 0, from: 1, to: 0, re: 0.1, im: -0.05 },
		],
	};
	const band = hoppingBand(read(hrFile(hoppings)), cellOf(4, 4, 90, 0));
	const gap = Math.hypot(0.2, Math.hypot(0.1, 0.05));
	for (const u of [0, 0.2, 0.41]) {
		const found = energiesAt(band, u, 0.1);
		assert.ok(Math.abs(found[0] + gap) < 1e-9);
		assert.ok(Math.abs(found[1] - gap) < 1e-9);
	}
	// the density of states of both orbitals: -Im Tr G / pi at one k
	const { value } = jointDensity(band, {
		...{ energy: 0, broadening: 0.05, points: 4 },
	});
	assert.ok(value[0] > 0);
});

test("what is no _hr.dat is refused in one line that says where", () => {
	const good = hrFile(square(-0.1, 0.02));
	const lines = good.split("\n");
	const put = (at: number, text: string) =>
		lines.map((line, i) => (i === at ? text : line)).join("\n");
	for (const [text, expected] of [
		["", /number of Wannier functions \(line 2\) = nothing/],
		[put(1, "1e9"), /1000000000 functions/],
		[put(1, "-3"), /expected a whole number from 1/],
		[put(2, "10"), /9 degeneracies|degeneracy 10/],
		[put(2, "8"), /9 degeneracies by line 4, expected 8|9 degeneracies/],
		[put(6, "1 0 0 1 1 0.1"), /line 7 = .*expected R1 R2 R3 m n Re Im/],
		[put(6, "1 0 0 1 1 NaN 0"), /line 7/],
		[
			put(6, "1 0 0 1 2 0.1 0"),
			/functions 1, 2 in line 7, expected numbers from 1 to 1/,
		],
		[put(6, "-1 0 0 1 1 0.3 0"), /Hermitian/],
		[put(6, lines[5]), /once more in line 7/],
		[put(6, "99999 0 0 1 1 0.1 0"), /cells within 1000/],
		[lines.slice(0, 9).join("\n"), /the end after 9 lines/],
		[`${good}1 0 0 1 1 0.1 0\n`, /expected the end after line 13/],
		["\u0000", /zero byte/],
	] as const)
		assert.throws(
			() => read(text),
			(error: Error) =>
				error instanceof FormatError &&
				!error.message.includes("\n") &&
				error.message.startsWith("a_hr.dat: found") &&
				expected.test(error.message),
			String(expected),
		);
});

test("damaged _hr.dat files are refused or hold only finite numbers", () => {
	const random = new Random(7);
	const good = new TextEncoder().encode(hrFile(square(-0.1, 0.02, 0.3)));
	let refused = 0;
	for (let i = 0; i < 1000; i++) {
		const bytes = good.slice(
			0,
			random.integer(0, 9) ? undefined : random.integer(0, good.length - 1),
		);
		for (let k = 0; k <= random.integer(0, 3); k++)
			bytes[random.integer(0, Math.max(0, bytes.length - 1))] = random.integer(
				0,
				255,
			);
		try {
			const { hoppings, orbitals } = readWannier(bytes, "a_hr.dat");
			assert.ok(orbitals >= 1);
			for (const h of hoppings)
				assert.ok(Object.values(h).every(Number.isFinite));
		} catch (error) {
			assert.instance(error, FormatError);
			refused++;
		}
	}
	assert.ok(refused > 300);
});

test("a formula is read, or refused in one line", () => {
	assert.equal(parseFormula('{"kind":"free","mass":0.4,"bottom":-0.06}'), {
		...{ kind: "free", mass: 0.4, bottom: -0.06 },
	});
	for (const [text, expected] of [
		["{", /expected JSON such as/],
		["null", /expected one of surface, free/],
		['{"kind":"toString"}', /expected one of/],
		['{"kind":"free","mass":0.4}', /"bottom" = nothing/],
		['{"kind":"free","mass":0,"bottom":0}', /"mass" = 0/],
		['{"kind":"free","mass":1,"bottom":0,"c4":3}', /"c4" = 3/],
		['{"kind":"dWave","scale":1,"gap":0.02,"cells":1e9}', /"cells"/],
	] as const)
		assert.throws(() => parseFormula(text), expected);
});

test("a fit finds a hopping that it did not know, within its error", () => {
	const random = new Random(11);
	const cell = cellOf(3.9, 3.9, 90, 0.2);
	const [t, next] = [-0.12, 0.02];
	const truth = hoppingBand(square(t, next, 0.3), cell);
	const gamma = { name: "Γ", u: 0, v: 0 };
	const start = {
		kind: "hoppings",
		hoppings: square(-0.1, next, 0.3),
	} as const;
	const pulls = Array.from({ length: 12 }, () => {
		const points = [0.4, 0.6, 0.8, 1.0].flatMap((q) =>
			[0.2, 0.9].map((direction, branch) => ({
				...{ direction, branch, error: 0.01 },
				energy: energiesOfQ(truth, gamma, direction, q)[0],
				q: q + 0.01 * random.normal(),
			})),
		);
		const fit = fitBand(
			familyOf({ ...start, cell, fermi: 0 }, ["t1/0"]),
			points,
		);
		if (typeof fit === "string") throw new Error(fit);
		assert.equal(fit.centres, ["Γ", "Γ"]);
		assert.ok(fit.errors[0] < 0.02);
		return (fit.values[0] - t) / fit.errors[0];
	});
	const rms = Math.hypot(...pulls) / Math.sqrt(pulls.length);
	assert.ok(
		pulls.every((p) => Math.abs(p) < 3.5),
		String(pulls),
	);
	assert.ok(rms > 0.4 && rms < 1.7, String(rms));
});

test("a fit of m* and E0 gives what the parabola's does, and a pocket about M is found", () => {
	const source = {
		kind: "formula",
		band: parseFormula('{"kind":"free","mass":0.3,"bottom":-0.02}'),
		...{ spacing: 2, turn: 0 },
	} as const;
	const points = [-0.03, 0, 0.03, 0.06, 0.1].map((energy) => ({
		...{ energy, error: 0.002, direction: null, branch: 0 },
		q: 2 * Math.sqrt(((energy - BOTTOM) * MASS) / HBAR2_2M),
	}));
	const fit = fitBand(familyOf(source, ["mass", "bottom"]), points);
	if (typeof fit === "string") throw new Error(fit);
	assert.ok(Math.abs(fit.values[0] - MASS) < 1e-4);
	assert.ok(Math.abs(fit.values[1] - BOTTOM) < 1e-4);
	assert.ok(fit.errors.every((e) => e > 1e-4));
	assert.match(
		String(fitBand(familyOf(source, ["mass", "bottom"]), points.slice(0, 2))),
		/need more than 2 wave vectors, there are 2/,
	);
	const hole = square(0.1, 0);
	const cell = cellOf(4, 4, 90, 0);
	const centre = { name: "M", u: 0.5, v: 0.5 };
	const band = bandOf({ kind: "hoppings", hoppings: hole, cell, fermi: 0 });
	const around = [0.3, 0.5, 0.7].map((q) => ({
		...{ q, error: 0.01, direction: 0, branch: 3 },
		energy: energiesOfQ(band, centre, 0, q)[0],
	}));
	const found = fitBand(
		familyOf({ kind: "hoppings", hoppings: hole, cell, fermi: 0 }, ["scale"]),
		around,
	);
	if (typeof found === "string") throw new Error(found);
	assert.equal(found.centres, ["M"]);
	assert.ok(Math.abs(found.values[0] - 1) < 1e-6);
	assert.throws(
		() =>
			familyOf({ kind: "hoppings", hoppings: hole, cell, fermi: 0 }, ["t5/0"]),
		/expected shift, scale, or a hopping/,
	);
	assert.throws(
		() => familyOf(source, ["c4"]),
		/expected some of mass, bottom/,
	);
});

test.run();
