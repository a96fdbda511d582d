import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	normalise,
	setPointWarning,
} from "../src/extraction/results/normalise.ts";
import { take } from "../src/extraction/results/take.ts";
import {
	energyRatio,
	isConstantCurrent,
	normalisedConductance,
	offsetsOf,
} from "../src/extraction/scan/setPoint.ts";
import type { Measurement } from "../src/formats/measurement.ts";
import { correlation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const N = 32;
const BIASES = Array.from({ length: 21 }, (_, k) => -0.1 + 0.01 * k);
/** A wave of the density of states, whose wavelength goes with the energy. */
const wave = (p: number, e: number) =>
	Math.cos((0.8 + 3 * e) * Math.floor(p / N) + 0.3 * (p % N));

interface Sample {
	/** Density of states at a pixel and energy (eV), and its integral from 0. */
	readonly states: (p: number, e: number) => number;
	readonly integral: (p: number, e: number) => number;
}
const METAL: Sample = {
	states: (p, e) => 1 + 2 * e + 0.2 * wave(p, e),
	integral: (p, e) => {
		const steps = 40;
		let sum = 0;
		for (let i = 0; i < steps; i++)
			sum +=
				1 +
				(2 * e * (i + 0.5)) / steps +
				0.2 * wave(p, (e * (i + 0.5)) / steps);
		return (e * sum) / steps;
	},
};

/** I and dI/dV of a grid, each spectrum stabilised at the last bias, with both offsets. */
function grid(
	{ states, integral }: Sample,
	{ bias = 0.004, zero = 3e-12, noise = 0, gain = 1, rough = 0 } = {},
) {
	const random = new Random(5);
	const tip = Array.from(
		{ length: N * N },
		(_, p) => (1e-9 * Math.exp(rough * Math.sin(0.1 * p))) / integral(p, 0.1),
	);
	const image = (f: (p: number) => number) =>
		Float32Array.from({ length: N * N }, (_, p) => f(p));
	return {
		tip,
		current: BIASES.map((v) =>
			image(
				(p) =>
					tip[p] * integral(p, v - bias) +
					zero +
					noise * 1e-12 * random.normal(),
			),
		),
		conductance: BIASES.map((v) =>
			image((p) => gain * tip[p] * states(p, v - bias)),
		),
	};
}

test("offsets of bias and current are where spectra of different height cross", () => {
	for (const bias of [0.004, -0.0075, 0]) {
		const { current } = grid(METAL, { bias, rough: 0.3, noise: 2 });
		const found = offsetsOf(current, BIASES);
		assert.is(found.by, "crossing");
		assert.ok(
			Math.abs(found.bias - bias) < 3e-4,
			`${found.bias} for ${bias} V`,
		);
		assert.ok(Math.abs(found.current - 3e-12) < 5e-12, `${found.current} A`);
	}
});

test("where all spectra are alike the offset of the bias is where the mean current is zero", () => {
	const alike = BIASES.map((v) =>
		new Float32Array(N * N).fill(1e-9 * (v - 0.003)),
	);
	const found = offsetsOf(alike, BIASES);
	assert.is(found.by, "mean");
	assert.ok(Math.abs(found.bias - 0.003) < 1e-6);
	assert.is(found.current, 0);
	assert.throws(
		() => offsetsOf(alike.slice(12), BIASES.slice(12)),
		/set point: the current does not change its sign from 0.0/,
	);
});

test("the middle of a gap is zero bias", () => {
	const gapped = (e: number) => Math.sign(e) * Math.max(0, Math.abs(e) - 0.03);
	const images = BIASES.map((v) =>
		Float32Array.from(
			{ length: N * N },
			(_, p) => (1 + 0.3 * Math.sin(p)) * gapped(v - 0.01) + 1e-3,
		),
	);
	const found = offsetsOf(images, BIASES);
	assert.ok(Math.abs(found.bias - 0.01) < 1e-3, `${found.bias}`);
	assert.ok(Math.abs(found.current - 1e-3) < 1e-4);
});

test("(dI/dV)/(I/V) does not know how high the tip was, nor the lock-in's unit", () => {
	const flat = grid(METAL, { gain: 1e-4 });
	const rough = grid(METAL, { gain: 1e-4, rough: 0.5 });
	const offsets = { bias: 0.004, current: 3e-12, by: "crossing" } as const;
	const of = (g: typeof flat) =>
		normalisedConductance(g.conductance, g.current, BIASES, offsets);
	const [a, b] = [of(flat), of(rough)];
	// Far from zero, where the floor is nothing.
	for (const k of [0, 3, 17, 20]) {
		a.images[k].forEach((v, p) => {
			assert.ok(Math.abs(v - b.images[k][p]) < 0.02 * Math.abs(v));
		});
		const e = BIASES[k] - 0.004;
		const want = a.images[k].map(
			(_, p) => (METAL.states(p, e) * e) / METAL.integral(p, e),
		);
		assert.ok(correlation(a.images[k], want) > 0.999);
		const ratio = a.images[k].reduce((s, v, p) => s + v / want[p] / N / N, 0);
		assert.ok(Math.abs(ratio - 1) < 0.03, `${ratio} at ${e} eV`);
	}
	assert.ok(Math.abs(a.energies[0] + 0.104) < 1e-9);
	assert.ok(a.images.every((image) => image.every(Number.isFinite)));
});

test("in a gap the quotient stays finite, and its floor is told", () => {
	const sign = (v: number) => Math.sign(v) * Math.max(0, Math.abs(v) - 0.05);
	const images = BIASES.map((v) =>
		new Float32Array(N * N).fill(1e-9 * sign(v)),
	);
	const slope = BIASES.map((v) =>
		new Float32Array(N * N).fill(Math.abs(v) > 0.05 ? 1e-9 : 1e-12),
	);
	const { images: out, told } = normalisedConductance(slope, images, BIASES, {
		...{ bias: 0, current: 0, by: "mean" },
	});
	assert.ok(out.every((image) => image.every((v) => Math.abs(v) < 100)));
	assert.match(told, /floor of I\/V .* above (4|5)\d\.\d % of the values/);
});

test("g(E)/g(-E) is free of the tip's height, between layers too", () => {
	const { conductance } = grid(METAL, { bias: 0.004, rough: 0.5 });
	const { images, energies, told } = energyRatio(conductance, BIASES, 0.004);
	assert.is(energies.length, 10);
	assert.match(told, /ratio g\(E\)\/g\(-E\) of 10 energies, bias offset 4 mV/);
	images.forEach((image, k) => {
		const want = image.map(
			(_, p) => METAL.states(p, energies[k]) / METAL.states(p, -energies[k]),
		);
		image.forEach((v, p) => {
			// Straight lines between layers 10 meV apart.
			assert.ok(Math.abs(v - want[p]) < 0.03 * want[p], `${v} for ${want[p]}`);
		});
	});
	assert.throws(
		() => energyRatio(conductance.slice(12), BIASES.slice(12)),
		/hold none with its opposite, expected both signs/,
	);
});

test("where g(-E) is as good as zero the ratio is no number", () => {
	const g = [new Float32Array([1, 1, 1e-4, 1]), new Float32Array(4).fill(2)];
	const { images, told } = energyRatio(g, [-0.1, 0.1]);
	assert.equal([...images[0]].map(Number.isNaN), [false, false, true, false]);
	assert.match(told, /25.0 % of the values left out/);
});

const { current, conductance } = grid(METAL);
const FILE: Measurement = {
	format: "3ds",
	...{ nx: N, ny: N, spacing: { x: 2, y: 2 } },
	channels: [
		{ name: "Current", unit: "A", images: current },
		{ name: "LIY 1 omega", unit: "A", images: conductance },
	],
	energies: BIASES,
	...{ details: [], warnings: [] },
};
const input = { file: "grid.3ds", sha256: "", bytes: 1, measurement: FILE };

test("--normalise takes the file's own current, and says what is missing", async () => {
	const taken = await take(input, {
		...{ normalise: "feenstra", flatten: "none" },
		scatterers: { file: "marks.csv", text: "x,y\n0,0\n" },
	});
	assert.is(taken.about.channel, "(dI/dV)/(I/V)");
	assert.is(taken.unit, "");
	assert.ok(
		taken.told.some((line) =>
			line.startsWith("LIY 1 omega, normalised: (dI/dV)/(I/V): bias offset 4"),
		),
	);
	assert.ok(Math.abs((taken.tasks[0].energy ?? 0) + 0.104) < 5e-4);
	const ratio = await take(input, {
		...{
			normalise: "ratio",
			scatterers: { file: "m.csv", text: "x,y\n0,0\n" },
		},
	});
	assert.is(ratio.tasks.length, 10);
	const without = { ...FILE, channels: FILE.channels.slice(1) };
	assert.throws(
		() =>
			normalise({ measurement: without, file: "a.3ds" }, undefined, "feenstra"),
		"a.3ds: found no current with an image an energy, expected a channel Current beside dI/dV for --normalise feenstra",
	);
	assert.throws(
		() => normalise({ measurement: FILE, file: "a.3ds" }, "Current", "ratio"),
		"a.3ds: found the channel Current, expected dI/dV for --normalise ratio",
	);
});

test("maps at constant current are warned of where a dispersion is read, grids are not", () => {
	const [, channel] = FILE.channels;
	assert.equal(setPointWarning(FILE, channel, 21), []);
	const random = new Random(3);
	const held = current.map((image) =>
		image.map(() => 1e-10 * (1 + 0.01 * random.normal())),
	);
	assert.ok(isConstantCurrent(held) && !isConstantCurrent(current));
	const constant = {
		...FILE,
		channels: [{ ...FILE.channels[0], images: held }, channel],
	};
	assert.match(
		setPointWarning(constant, channel, 21)[0],
		/^set-point effect: each layer was taken at constant current.*shifts q/,
	);
	assert.equal(setPointWarning(constant, channel, 1), []);
	const still = {
		...constant,
		format: "sxm" as const,
		channels: [
			...constant.channels,
			{ name: "Z", unit: "m", images: [new Float32Array(N * N).fill(1e-9)] },
		],
	};
	assert.equal(setPointWarning(still, channel, 3), []);
});

test.run();
