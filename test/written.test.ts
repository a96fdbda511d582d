/** What is written for other programs comes back as it was, by the readers, which know files of others' making. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Field } from "../src/formats/field.ts";
import { encodeGsf } from "../src/formats/gsf.ts";
import { encodeGwy } from "../src/formats/gwyWriter.ts";
import { encodeIbw } from "../src/formats/ibwWriter.ts";
import type { Measurement } from "../src/formats/measurement.ts";
import { encodeNexus } from "../src/formats/nexusWriter.ts";
import { openMeasurement } from "../src/formats/readMeasurement.ts";
import { PIXELS } from "./spmFixtures.ts";

const image = (e: number) =>
	Float32Array.from({ length: 20 }, (_, p) =>
		PIXELS(Math.floor(p / 4), p % 4, e),
	);
const plain: Field = {
	...{ name: "kernel", unit: "nA/V", nx: 5, ny: 4, pixel: 1.5 },
	images: [image(0)],
	energies: [-0.045],
};
const stack: Field = {
	...plain,
	name: "residuals",
	images: [0, 1, 2].map(image),
	energies: [-0.02, 0, 0.02],
};
const holes: Field = {
	...plain,
	name: "input",
	images: [image(0).with(7, Number.NaN)],
};

const near = (a: number | undefined, b: number) =>
	assert.ok(Math.abs((a ?? NaN) - b) < 1e-6, `${a}, not ${b}`);

/** A channel has the field's images, unit, energies, and its pixels' size. */
function same(m: Measurement, index: number, field: Field): void {
	const { images, energies = m.energies, ...channel } = m.channels[index];
	assert.equal([channel.name, channel.unit], [field.name, field.unit]);
	assert.equal([m.nx, m.ny, images.length], [5, 4, field.images.length]);
	for (const [i, each] of images.entries())
		assert.equal([...each], [...field.images[i]]);
	near(m.spacing?.x, field.pixel);
	near(m.spacing?.y, field.pixel);
	assert.is(energies.length, field.energies?.length);
	energies.forEach((energy, i) => {
		near(energy, field.energies?.[i] ?? NaN);
	});
}

test("gwy: images with their bias, stacks with their energies; what was not measured is filled and masked", async () => {
	const one = await openMeasurement(encodeGwy([plain, holes]), "a.gwy");
	assert.is(one.format, "gwy");
	same(one, 0, plain);
	const filled = one.channels[1].images[0];
	const others = [...image(0)].filter((_, p) => p !== 7);
	near(filled[7], others.reduce((a, b) => a + b) / 19);
	assert.equal([...filled.with(7, 0)], [...image(0).with(7, 0)]);
	const bytes = encodeGwy([holes]);
	assert.match(
		new TextDecoder("latin1").decode(bytes),
		/\/0\/mask\0oGwyDataField/,
	);
	same(await openMeasurement(encodeGwy([stack]), "a.gwy"), 0, stack);
	const uneven = { ...stack, energies: [-0.02, 0.01, 0.02] };
	same(await openMeasurement(encodeGwy([uneven]), "a.gwy"), 0, uneven);
});

test("gsf and ibw: a field a file, with what was not measured", async () => {
	same(await openMeasurement(encodeGsf(plain), "a.gsf"), 0, plain);
	same(await openMeasurement(encodeGsf(holes), "a.gsf"), 0, holes);
	const third = await openMeasurement(encodeGsf(stack, 2), "a.gsf");
	same(third, 0, { ...stack, images: [image(2)], energies: [0.02] });
	for (const field of [plain, holes, stack, { ...stack, unit: "A" }]) {
		const m = await openMeasurement(encodeIbw(field), "a.ibw");
		assert.is(m.format, "ibw");
		same(m, 0, field);
	}
	const uneven = { ...stack, energies: [-0.02, 0.01, 0.02] };
	const m = await openMeasurement(encodeIbw(uneven), "a.ibw");
	assert.equal(m.energies, []);
	assert.match(m.warnings.join(), /the file says no energies/);
});

test("nexus: all fields in one file", async () => {
	const images = await openMeasurement(
		await encodeNexus([plain, holes], "a title"),
		"a.nxs",
	);
	assert.is(images.format, "nexus");
	// Groups are read in the order of their names.
	same(images, 0, holes);
	same(images, 1, plain);
	same(
		await openMeasurement(await encodeNexus([stack], "a title"), "a.nxs"),
		0,
		stack,
	);
});

test.run();
