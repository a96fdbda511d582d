/** Files of other programs, written by fixtures and by other libraries (goldens/makeFormats.py): every value, size, unit and energy. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { arrange, layoutNote } from "../src/formats/axes.ts";
import type { Measurement } from "../src/formats/measurement.ts";
import { readMeasurement } from "../src/formats/readMeasurement.ts";
import {
	createcFile,
	gsfFile,
	gwyBrick,
	gwyFile,
	ibwFile,
	PIXELS,
	type Sm4Page,
	sm4File,
	wsxmFile,
} from "./spmFixtures.ts";

const golden = (name: string, as = "file") =>
	readMeasurement(
		readFileSync(new URL(`goldens/formats/${name}`, import.meta.url)),
		as,
	);
/** Every pixel of every image of a channel. */
function checkImages(
	m: Measurement,
	index = 0,
	of: (ix: number, iy: number, e: number) => number = PIXELS,
	scale = 1,
): void {
	assert.equal([m.nx, m.ny], [5, 4]);
	m.channels[index].images.forEach((image, e) => {
		for (let ix = 0; ix < 5; ix++)
			for (let iy = 0; iy < 4; iy++)
				assert.is(image[ix * 4 + iy], Math.fround(of(ix, iy, e) * scale));
	});
}
const near = (a: number | undefined, b: number) =>
	assert.ok(Math.abs((a ?? NaN) - b) <= 1e-9 * Math.abs(b), `${a}, not ${b}`);
const refused = (bytes: Uint8Array, what: RegExp) => {
	try {
		readMeasurement(bytes, "a.file");
	} catch (error) {
		assert.match((error as Error).message, what);
		return;
	}
	assert.unreachable("it was read");
};

test("npz by numpy: the stack, its energies and the image beside it; a text is left out", () => {
	const m = golden("stored.npz");
	assert.is(m.format, "npz");
	assert.equal(
		m.channels.map(({ name, images }) => [name, images.length]),
		[
			["didv", 3],
			["z", 3],
		],
	);
	assert.equal(m.energies, [-0.01, 0, 0.02]);
	checkImages(m);
	checkImages(m, 1, (ix, iy) => PIXELS(ix, iy, 0), 1e-10);
	assert.match(m.warnings.join(), /left out: note/);
});

test("npz by numpy, deflated, Fortran order, big-endian: the energies say which index counts the images", () => {
	const m = golden("deflated.npz");
	assert.equal(m.energies, [-0.01, 0, 0.02]);
	checkImages(m);
	assert.match(layoutNote(m) ?? "", /--axes xye/);
	const turned = arrange(m, { axes: "yxe" }, "a.npz");
	assert.equal([turned.nx, turned.ny], [4, 5]);
	assert.is(turned.channels[0].images[2][1 * 5 + 3], PIXELS(3, 1, 2));
	assert.equal(turned.energies, m.energies);
	assert.throws(() => arrange(m, { axes: "exy" }, "a.npz"), /along index 3/);
});

test("npz and mat without an image say which arrays there are", () => {
	assert.throws(
		() => golden("vectors.npz", "v.npz"),
		/v\.npz: found only arrays of other shapes \(energy: 3\), expected an image/,
	);
});

test("mat by scipy: matrices in MATLAB's order, a text, and what is left out", () => {
	const m = golden("plain.mat");
	assert.is(m.format, "mat");
	assert.equal(
		m.channels.map(({ name }) => name),
		["didv", "z"],
	);
	assert.equal(m.energies, [-0.01, 0, 0.02]);
	checkImages(m);
	checkImages(m, 1, (ix, iy) => PIXELS(ix, iy, 0), 1e-10);
	assert.match(m.warnings.join(), /left out: "spectrum" \(complex\)/);
	assert.match(m.warnings.join(), /other sizes are left out: other, 7 x 2/);
	assert.equal(Object.fromEntries(m.details).comment, "cold tip");
});

test("mat by scipy, compressed: the fields of a struct", () => {
	const m = golden("packed.mat");
	assert.equal(
		m.channels.map(({ name }) => name),
		["run.map"],
	);
	assert.equal(m.energies, [-0.01, 0, 0.02]);
	checkImages(m);
});

test("gwy: images of one size, titles, units, and the bias of their metadata", () => {
	const m = readMeasurement(
		gwyFile([
			{ title: "dI/dV", meta: { Bias: "-45 mV", "Set point": "1 nA" } },
			{ unit: "m", meta: { Bias: "100 mV" } },
			{ title: "small", nx: 3, ny: 3 },
		]),
		"a.gwy",
	);
	assert.equal(
		m.channels.map(({ name, unit, energies }) => [name, unit, energies]),
		[
			["dI/dV", "A", [-0.045]],
			["image 1", "m", [0.1]],
		],
	);
	checkImages(m);
	checkImages(m, 1, (ix, iy) => PIXELS(ix, iy, 1));
	near(m.spacing?.x, 20);
	near(m.spacing?.y, 10);
	assert.equal(Object.fromEntries(m.details)["Set point"], "1 nA");
	assert.match(m.warnings.join(), /left out: small \(3 x 3\)/);
	const one = readMeasurement(gwyFile(), "a.gwy");
	assert.equal(one.energies, [-0.045]);
	const fft = readMeasurement(gwyFile([{ lateral: "1/m" }]), "a.gwy");
	assert.is(fft.spacing, undefined);
	assert.match(fft.warnings.join(), /the size is unknown/);
});

test("gwy: volume data are a stack, its energies calibrated or evenly spaced", () => {
	for (const [calibrated, energies] of [
		[true, [-0.01, 0, 0.02]],
		[false, [-0.1, 0, 0.1]],
	] as const) {
		const m = readMeasurement(gwyBrick(calibrated), "a.gwy");
		assert.equal(
			m.channels.map(({ name, unit }) => [name, unit]),
			[["LIY", "S"]],
		);
		checkImages(m);
		m.energies.forEach((energy, i) => {
			assert.ok(Math.abs(energy - energies[i]) < 1e-12);
		});
	}
});

test("gsf: one image from the top row, its size, unit and bias", () => {
	const m = readMeasurement(gsfFile(), "a.gsf");
	checkImages(m);
	near(m.spacing?.x, 20);
	near(m.spacing?.y, 10);
	assert.equal([m.channels[0].name, m.channels[0].unit], ["Z", "m"]);
	assert.equal(m.energies, [0.05]);
	assert.is(readMeasurement(gsfFile({ XYUnits: "" }), "a").spacing, undefined);
	// A header whose length is a multiple of four is followed by four zeros.
	for (const title of ["", "a", "ab", "abc"])
		checkImages(readMeasurement(gsfFile({ Title: title }), "a.gsf"));
});

test("ibw: both byte orders, single, double and 16-bit numbers, scales and energies", () => {
	for (const big of [false, true])
		for (const type of [2, 4, 16]) {
			const m = readMeasurement(ibwFile({ big, type }), "a.ibw");
			checkImages(m);
			assert.equal([m.channels[0].name, m.channels[0].unit], ["LIY", "nS"]);
			near(m.spacing?.x, 20);
			near(m.spacing?.y, 10);
			assert.equal(m.energies, [-0.01, 0, 0.01]);
			assert.equal(m.details, [
				["wave", "LIY"],
				["created", "2024-05-31 11:33:20"],
				["Bias", "0.1 V"],
				["Setpoint", "1 nA"],
			]);
		}
});

test("ibw: labelled layers are channels, a negative step counts from the other side, and one index is no image", () => {
	const labelled = readMeasurement(
		ibwFile({ labels: ["", "Height", "Phase", ""] }),
		"a.ibw",
	);
	assert.equal(
		labelled.channels.map(({ name }) => name),
		["Height", "Phase", "layer 3"],
	);
	assert.equal(labelled.energies, [0.1]);
	checkImages(labelled, 1, (ix, iy) => PIXELS(ix, iy, 1));
	const turned = readMeasurement(
		ibwFile({
			scales: [
				[-2, 0, "nm"],
				[-1, 0, "Angstrom"],
			],
			shape: [5, 4],
		}),
		"a.ibw",
	);
	checkImages(turned, 0, (ix, iy) => PIXELS(4 - ix, 3 - iy, 0));
	near(turned.spacing?.y, 1);
	refused(ibwFile({ shape: [5] }), /an Igor wave of 1 index, 5, expected an/);
	refused(ibwFile({ shape: [] }), /an Igor wave without numbers, expected an/);
	// Of the old versions 126 bytes of the wave's header count, its last ones data already.
	const old = new Int16Array((16 + 126 + 18) / 2).fill(7);
	old[0] = 2;
	old[7] = 0;
	old[7] = -old.subarray(0, (16 + 126) / 2).reduce((sum, v) => sum + v, 0);
	refused(
		new Uint8Array(old.buffer),
		/an Igor wave of version 2, which has one index, expected an image/,
	);
});

test("tiff by Pillow and tifffile: 8, 16 and 32 bits, packed in every way, strips and tiles, both byte orders", () => {
	for (const name of [
		"plain16",
		"lzw16",
		"deflate32",
		"packbits8",
		"predictor",
	]) {
		const m = golden(`${name}.tif`);
		assert.is(m.format, "tiff", name);
		checkImages(m);
	}
	const tiles = golden("tiles.tif");
	assert.equal(
		tiles.channels.map(({ name }) => name),
		["page 1", "page 2", "page 3"],
	);
	for (const page of [0, 1, 2])
		checkImages(tiles, page, (ix, iy) => PIXELS(ix, iy, page));
	assert.equal(tiles.details, [["comment", "Bias: 45 mV"]]);
});

test("tiff by Pillow: LZW with codes of all lengths, and a table that fills up", () => {
	const m = golden("long.tif");
	assert.equal([m.nx, m.ny], [200, 120]);
	const [image] = m.channels[0].images;
	for (let row = 0; row < 120; row++) {
		let sum = 0;
		for (let column = 0; column < 200; column++) {
			sum += (31 * column ** 2 + 17 * row + row * column) % 9;
			if (image[column * 120 + 119 - row] !== sum)
				assert.unreachable(`row ${row}, column ${column}`);
		}
	}
});

test("createc: planes, their directions and scales; a float at the start belongs to no pixel", () => {
	for (const gap of ["", "\r\n", " ".repeat(100)]) {
		const m = readMeasurement(createcFile({ gap }), "a.dat");
		assert.equal(
			m.channels.map(({ name, unit }) => [name, unit]),
			[
				["Z", "m"],
				["Current", "A"],
				["Z backward", "m"],
				["Current backward", "A"],
			],
		);
		const metres = 0.0002 * 3 * 1e-10;
		const ampere = 20 / 2 ** 20 / 1e9;
		for (const [plane, scale] of [metres, ampere, metres, ampere].entries())
			for (const [p, value] of m.channels[plane].images[0].entries())
				near(
					value,
					Math.fround(scale * PIXELS(Math.floor(p / 4), p % 4, plane)),
				);
		near(m.spacing?.x, 20);
		near(m.spacing?.y, 10);
		assert.equal(m.energies, [-0.045]);
		assert.equal(m.details, [
			["bias", "-45.00 mV"],
			["setpoint", "300.0 pA"],
			["lock-in amplitude", "10.0 mV"],
			["comment", "a remark"],
			["title", "lHe"],
		]);
	}
});

test("createc: unfinished rows, unknown planes, other versions and spectra", () => {
	for (const keys of [{}, { ImageYPosMax: undefined }]) {
		const m = readMeasurement(createcFile({ finished: 3, keys }), "a.dat");
		assert.match(m.warnings.join(), /1 of 4 rows were not measured/);
		assert.equal(
			[...m.channels[0].images[0].keys()].filter((p) =>
				Number.isNaN(m.channels[0].images[0][p]),
			),
			[0, 4, 8, 12, 16],
		);
	}
	const more = readMeasurement(createcFile({ planes: 6 }), "a.dat");
	assert.equal(
		more.channels.map(({ name, unit }) => `${name}, ${unit}`).slice(2, 5),
		["channel 7, DAC units", "Z backward, m", "Current backward, A"],
	);
	const plain = createcFile({ keys: { "Dacto[A]z": undefined } });
	assert.is(readMeasurement(plain, "a").channels[0].unit, "DAC units");
	const text = (start: string) => new TextEncoder().encode(start.padEnd(99));
	refused(text("[ParVERT30]\r\n"), /found a spectrum of Createc's \(\.VERT\)/);
	refused(text("[Paramet32]\r\n"), /a Createc file of the version "\[Paramet/);
	refused(createcFile({ keys: { "Num.X / Num.X": "500" } }), /: cut short\?/);
});

test("wsxm: whole numbers span the Z Amplitude, others are in its unit; x runs from right to left", () => {
	for (const type of ["short", "float", "double"] as const) {
		const m = readMeasurement(wsxmFile({ type }), "a.stp");
		const [{ name, unit, images }] = m.channels;
		assert.equal([name, unit], ["Topography", "pm"]);
		for (const [p, value] of images[0].entries())
			near(value, Math.fround(PIXELS(Math.floor(p / 4), p % 4, 0)));
		near(m.spacing?.x, 20);
		near(m.spacing?.y, 10);
		assert.equal(m.energies, [-0.045]);
		assert.equal(Object.fromEntries(m.details), {
			"Topography Bias": "-45 mV",
			"Set Point": "1 nA",
			Comments: "a remark",
		});
	}
});

test("rhk: images with their directions, scales and strings, whichever way the axes run", () => {
	const signs: [number, number][] = [
		[1, 1],
		[1, -1],
		[-1, 1],
		[-1, -1],
	];
	for (const each of signs) {
		const m = readMeasurement(
			sm4File([{ signs: each }, { signs: each, label: "LIA", scanType: 1 }]),
			"a.sm4",
		);
		assert.equal(
			m.channels.map(({ name, unit }) => [name, unit]),
			[
				["Topography", "A"],
				["LIA backward", "A"],
			],
		);
		for (const [i, { images }] of m.channels.entries())
			for (const [p, value] of images[0].entries())
				assert.ok(Math.abs(value - PIXELS(Math.floor(p / 4), p % 4, i)) < 1e-4);
		assert.ok(Math.abs((m.spacing?.x ?? 0) - 20) < 1e-5);
		assert.ok(Math.abs((m.spacing?.y ?? 0) - 10) < 1e-5);
		assert.equal(m.energies, [0.5]);
		assert.equal(Object.fromEntries(m.details).comment, "a remark");
	}
	const mixed = readMeasurement(
		sm4File([{ kind: 1 }, { bias: 0.25 }, { bias: -0.5 }, { nx: 3 }]),
		"a.sm4",
	);
	assert.equal(
		mixed.channels.map(({ energies }) => energies),
		[[0.25], [-0.5]],
	);
	assert.match(mixed.warnings.join(), /left out: Topography \(3 x 4\)/);
	assert.match(mixed.warnings.join(), /1 page of spectra left out/);
	refused(
		sm4File([{ kind: 1 }]),
		/found 1 page of spectra on no grid of 32 x 32 points or more, and no image/,
	);
});

test("rhk: a grid of spectra is a stack, each at the pixel where it was measured", () => {
	const stack = (page: Sm4Page, ...others: Sm4Page[]) =>
		readMeasurement(
			sm4File([
				{ nx: 3, label: "LIA", ...page },
				{ nx: 3, label: "Current", ...page },
				...others,
			]),
			"a.sm4",
		);
	const sides: [number, number] = [33, 32];
	for (const grid of [
		{ sides },
		{ sides, angle: 30 },
		{ sides, repeats: 2, serpentine: true },
	]) {
		const m = stack({ grid }, { signs: [1, 1] });
		assert.equal([m.nx, m.ny], sides);
		assert.equal(
			m.channels.map(({ name, images }) => [name, images.length]),
			[
				["LIA", 3],
				["Current", 3],
			],
		);
		assert.equal(m.energies, [0.3, 0.295, 0.29]);
		assert.ok(Math.abs((m.spacing?.x ?? 0) - 20) < 1e-3);
		assert.ok(Math.abs((m.spacing?.y ?? 0) - 10) < 1e-3);
		for (const [i, { images }] of m.channels.entries())
			for (const [e, image] of images.entries())
				for (const [p, value] of image.entries()) {
					const [ix, iy] = [Math.floor(p / 32), p % 32];
					assert.ok(Math.abs(value - PIXELS(ix, iy, e) - i) < 1e-3);
				}
		assert.match(
			m.warnings.join(),
			/images are left out: Topography \(5 x 4\)/,
		);
		assert.is(/2 spectra at each/.test(m.warnings.join()), "repeats" in grid);
	}
	const heights = stack({ grid: { sides, unit: "m" } });
	assert.equal(heights.energies, []);
	assert.equal(heights.sweep?.values, [0.3, 0.295, 0.29]);
	refused(
		sm4File([{ nx: 3, grid: { sides: [16, 16] } }]),
		/found 1 page of spectra on no grid/,
	);
});

test("a point spectrum of Nanonis is called what it is", () => {
	refused(
		new TextEncoder().encode(
			"Experiment\tbias spectroscopy\t\r\nDate\t\t\r\n[DATA]\r\nBias calc (V)\tCurrent (A)\r\n1\t2\r\n",
		),
		/^a\.file: found a point spectrum of Nanonis \("bias spectroscopy"\), expected an image or a grid/,
	);
});

test("what is cut short is refused in a line that says so, whatever the format", () => {
	for (const whole of [
		gwyFile(),
		gsfFile(),
		ibwFile(),
		createcFile(),
		wsxmFile(),
		sm4File(),
	])
		for (const kept of [0.3, 0.6, 0.9])
			refused(
				whole.subarray(0, Math.floor(kept * whole.length)),
				/^a\.file: found .*, expected /,
			);
});

test.run();
