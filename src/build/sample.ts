/**
 * Makes data/sample.3ds, the page's and the README's example: a spectroscopic grid of a surface like Ag(111), five energies of 120 x 120 pixels of
 * 4 Angstrom, eleven scatterers of equal strength, white noise and offsets of the scan lines of a quarter of the signal, and a tilt.
 *   node src/build/sample.ts
 */
import { writeFile } from "node:fs/promises";
import { gridFile } from "../../test/formatFixtures.ts";
import { kernelModel, placeScatterers } from "../qpi/generator/generator.ts";
import { Random } from "../random.ts";

const SIDE = 120;
const SPACING = 4;
const ENERGIES = [-20, 0, 20, 40, 60]; // meV
const NOISE = { white: 0.2, line: 0.15 };

const random = new Random(20261126);
const places = placeScatterers(random, {
	count: 11,
	halfWidth: 0.42 * SIDE * SPACING,
	minDistance: 60,
});
const at = (i: number) => (i - (SIDE - 1) / 2) * SPACING;
const images = ENERGIES.map((meV) => {
	const model = kernelModel({
		number: 1,
		family: "sample",
		symmetry: 6,
		energy: meV / 1000,
		rotation: 0,
		broadening: 0.006,
		band: { kind: "surface", mass: 0.4, bottom: -0.065 },
		sites: [{ x: 0, y: 0, phase: 1.2 }],
	});
	const signal = Float64Array.from({ length: SIDE * SIDE }, (_, p) => {
		const [x, y] = [at(Math.floor(p / SIDE)), at(p % SIDE)];
		return places.reduce((sum, s) => sum + model.evaluate(x - s.x, y - s.y), 0);
	});
	const mean = signal.reduce((a, b) => a + b) / signal.length;
	const spread = Math.sqrt(
		signal.reduce((sum, v) => sum + (v - mean) ** 2, 0) / signal.length,
	);
	const lines = Float64Array.from(
		{ length: SIDE },
		() => NOISE.line * spread * random.normal(),
	);
	return signal.map((v, p) => {
		const [ix, iy] = [Math.floor(p / SIDE), p % SIDE];
		const tilt = (0.5 * spread * (ix - 0.6 * iy)) / SIDE;
		return v + lines[iy] + tilt + NOISE.white * spread * random.normal();
	});
});
const file = gridFile(
	(ix, iy, i) => {
		const [channel, energy] = [Math.floor(i / 1000), i % 1000];
		const conductance = 1 + images[energy][ix * SIDE + iy];
		// The current is the integral of what the lock-in amplifier sees.
		if (channel === 1) return 2e-11 * conductance;
		return (
			1e-9 *
			images
				.slice(0, energy + 1)
				.reduce((sum, image) => sum + 0.2 * (1 + image[ix * SIDE + iy]), 0)
		);
	},
	{
		nx: SIDE,
		ny: SIDE,
		points: ENERGIES.length,
		sweep: [ENERGIES[0] / 1000, ENERGIES[ENERGIES.length - 1] / 1000],
		size: [SIDE * SPACING * 1e-10, SIDE * SPACING * 1e-10],
		channels: ["Current (A)", "LIY 1 omega (A)"],
		keys: { Comment: '"made by src/build/sample.ts"' },
	},
);
await writeFile(new URL("../../data/sample.3ds", import.meta.url), file);
console.log(
	`data/sample.3ds: ${file.length} bytes, scatterers at ${places.map(({ x, y }) => `(${x.toFixed(0)}, ${y.toFixed(0)})`).join(" ")} Angstrom`,
);
