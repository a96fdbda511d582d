/** HDF5 files that h5py wrote (goldens/makeFormats.py), and what is no good of them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Measurement } from "../src/formats/measurement.ts";
import {
	openMeasurement,
	readMeasurement,
} from "../src/formats/readMeasurement.ts";
import { PIXELS } from "./spmFixtures.ts";

const bytesOf = (name: string) =>
	readFileSync(new URL(`goldens/formats/${name}`, import.meta.url));
const golden = (name: string) => openMeasurement(bytesOf(name), name);
function checkImages(m: Measurement, index = 0, scale = 1): void {
	assert.equal([m.nx, m.ny], [5, 4]);
	m.channels[index].images.forEach((image, e) => {
		for (let p = 0; p < 20; p++)
			assert.is(
				image[p],
				Math.fround(
					PIXELS(Math.floor(p / 4), p % 4, index === 0 ? e : 0) * scale,
				),
			);
	});
}
const refused = async (work: Promise<unknown>, what: RegExp) =>
	work.then(
		() => assert.unreachable("it was read"),
		(error: Error) => {
			assert.is(error.name, "FormatError");
			assert.match(error.message, what);
			assert.not.match(error.message, /\n/);
		},
	);

test("nexus: axes say which index is what, which way it runs, sizes and energies", async () => {
	const m = await golden("nexus.h5");
	assert.is(m.format, "nexus");
	assert.equal(
		m.channels.map(({ name, unit }) => [name, unit]),
		[
			["dIdV", "S"],
			["z_forward", "m"],
		],
	);
	checkImages(m);
	checkImages(m, 1, 1e-10);
	assert.ok(Math.abs((m.spacing?.x ?? 0) - 20) < 1e-9);
	assert.ok(Math.abs((m.spacing?.y ?? 0) - 10) < 1e-9);
	m.energies.forEach((energy, i) => {
		assert.ok(Math.abs(energy - [-0.01, 0, 0.02][i]) < 1e-12);
	});
	assert.equal(Object.fromEntries(m.details), {
		"sample_bias bias_voltage": "0.05 V",
	});
});

test("hdf5: arrays without axes, chunked and packed; records and dead links are passed over", async () => {
	const m = await golden("arrays.h5");
	assert.is(m.format, "hdf5");
	assert.equal(
		m.channels.map(({ name }) => name),
		["run/didv"],
	);
	checkImages(m);
	assert.equal(m.energies, [-0.01, 0, 0.02]);
	assert.equal(Object.fromEntries(m.details)["run comment"], "cold tip");
});

test("mat 7.3: sizes in MATLAB's order, texts, and nothing of what cells refer to", async () => {
	const m = await golden("matlab73.mat");
	assert.is(m.format, "mat");
	assert.equal(
		m.channels.map(({ name }) => name),
		["didv"],
	);
	checkImages(m);
	assert.equal(m.energies, [-0.01, 0, 0.02]);
	assert.equal(Object.fromEntries(m.details).comment, "cold tip");
});

test("hdf5: what is cut short, announces too much or holds no image is refused in one line", async () => {
	const whole = bytesOf("nexus.h5");
	for (const kept of [0.1, 0.5, 0.9])
		await refused(
			openMeasurement(whole.subarray(0, kept * whole.length), "a.h5"),
			/^a\.h5: found an HDF5 file that does not open \(.+\), expected a sound one/,
		);
	await refused(
		golden("hollow.h5"),
		/^hollow\.h5: found arrays of more than .* MB in .*, expected no more/,
	);
	assert.throws(
		() => readMeasurement(whole, "a.h5"),
		/found an HDF5 file, expected openMeasurement\(\)/,
	);
});

test("hdf5: without the optional package the error says what to type", () => {
	const script = `
		import { registerHooks } from "node:module";
		registerHooks({ resolve(name, context, next) {
			if (name === "h5wasm") throw new Error("Cannot find package 'h5wasm'");
			return next(name, context);
		} });
		const { openMeasurement } = await import(${JSON.stringify(new URL("../src/formats/readMeasurement.ts", import.meta.url).href)});
		const { readFileSync } = await import("node:fs");
		const bytes = readFileSync(new URL(${JSON.stringify(new URL("goldens/formats/nexus.h5", import.meta.url).href)}));
		await openMeasurement(bytes, "a.h5").catch((error) => console.log(error.message));`;
	const said = execFileSync(
		process.execPath,
		["--input-type=module", "--eval", script],
		{ encoding: "utf8" },
	);
	assert.is(
		said.trim(),
		"a.h5: an HDF5 file: found no package h5wasm (Cannot find package 'h5wasm'), expected it; npm install h5wasm brings it",
	);
});

test.run();
