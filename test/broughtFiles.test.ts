/** Files as people bring them, from their bytes to the images that would be extracted from: what is left out, what is taken, what is said. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseInput } from "../src/extraction/results/input.ts";
import {
	type PrepareOptions,
	prepareScans,
} from "../src/extraction/results/prepareScans.ts";
import { makeTasks } from "../src/extraction/results/take.ts";
import { FormatError } from "../src/formats/measurement.ts";
import { encodeNpy } from "../src/formats/npy.ts";
import {
	type GridOptions,
	gridFile,
	type Pixels,
	sxmFile,
} from "./formatFixtures.ts";

async function prepared(
	file: string,
	bytes: Uint8Array,
	options: PrepareOptions = {},
) {
	const { measurement, ...input } = await parseInput(
		Uint8Array.from(bytes),
		file,
	);
	if (!measurement) throw new Error("no measurement");
	return prepareScans({ ...input, measurement }, options);
}

const N = 32;
/** A pattern without symmetry; of every image another. */
const pattern: Pixels = (ix, iy, image) =>
	Math.sin(0.7 * ix + image) * Math.cos(0.4 * iy) + 0.02 * ix * (1 + image);

const SEGMENTS =
	"Segment Start (V), Segment End (V), Settling (s), Integration (s), Steps (xn), Lockin, Init. Settling (s)";

const grid = (pixels: Pixels = pattern, options: GridOptions = {}) =>
	gridFile(pixels, {
		...{ nx: N, ny: N, points: 3 },
		size: [160e-10, 160e-10],
		channels: ["LI Demod 1 X (A)"],
		...options,
	});

const labels = ({ used }: Awaited<ReturnType<typeof prepared>>) =>
	used.map(({ label }) => label);

test("an energy that is empty, constant or cut off is left out by name, in all of the image or in its crop", async () => {
	const corner = { x: -40, y: -40, size: 70 };
	for (const [dead, options] of [
		[() => Number.NaN, {}],
		[() => 1e-9, {}],
		[(v: number) => Math.min(v, 0), {}],
		// Dead where it is asked for, and alive elsewhere; the mask leaves the upper half.
		[
			(v: number, ix: number, iy: number) => (ix < 16 && iy < 16 ? 7 : v),
			{ crop: corner },
		],
		[
			(v: number, _: number, iy: number) => (iy < 16 ? v : Number.NaN),
			{
				mask: [
					{ kind: "rectangle", x: 0, y: -40, width: 170, height: 80 } as const,
				],
			},
		],
	] as const) {
		const bytes = grid((ix, iy, i) => {
			const v = pattern(ix, iy, i);
			return i === 1 ? dead(v, ix, iy) : v;
		});
		const found = await prepared("grid.3ds", bytes, options);
		assert.equal(labels(found), ["-100 meV", "100 meV"]);
		assert.match(found.warnings.join("; "), /(^|; )0 meV: left out, /);
		// On its own it is named with the file, the channel and the energy.
		const message = await prepared("grid.3ds", bytes, {
			...{ ...options, energy: 0 },
		}).then(
			() => "it was taken",
			(error: Error) => {
				assert.ok(error instanceof FormatError);
				return error.message;
			},
		);
		if (dead(1, 20, 20) === Math.min(1, 0)) continue; // cut off, it is all there is
		assert.match(
			message,
			/^grid\.3ds: found nothing to extract from in channel LI Demod 1 X, in 0 meV \(.*, expected an image$/,
		);
	}
});

test("an energy that cannot be prepared does not stop the others", async () => {
	// Each line has one value: no pixel of it was measured.
	const bytes = grid((ix, iy, i) => (i === 1 ? iy : pattern(ix, iy, i)));
	const found = await prepared("grid.3ds", bytes);
	assert.equal(labels(found), ["-100 meV", "100 meV"]);
	assert.match(
		found.warnings.join("; "),
		/(^|; )0 meV: left out, nothing was measured: each of the 32 rows/,
	);
	const all = await prepared("grid.3ds", bytes, { energy: 0 }).catch(String);
	assert.match(String(all), /grid\.3ds: nothing was measured: each of/);
	const outside = { crop: { x: 70, y: 0, size: 60 } };
	const bad = await prepared("grid.3ds", bytes, outside).catch(String);
	assert.match(String(bad), /leaves the scan/);
});

test("a channel that holds nothing is not taken by default, and is named where it is asked for", async () => {
	const bytes = sxmFile(
		(ix, iy, image) => (image < 2 ? 1e-9 : pattern(ix, iy, image)),
		{
			...{ nx: N, ny: N, range: [160e-10, 160e-10] },
			channels: [
				{ name: "Z", unit: "m", direction: "both" },
				{ name: "Current", unit: "A", direction: "both" },
			],
		},
	);
	const found = await prepared("scan.sxm", bytes);
	assert.is(found.channel.name, "Current");
	assert.match(found.told[0], /channel Current \(A\), taken by default/);
	assert.match(
		found.warnings.join(),
		/"Z" holds one value everywhere or none: "Current" is taken/,
	);
	const asked = await prepared("scan.sxm", bytes, { channel: "Z" }).catch(
		(error: Error) => error.message,
	);
	assert.is(
		asked,
		"scan.sxm: found nothing to extract from in channel Z, in 45 meV (it has one value everywhere), expected an image",
	);
});

test("what is no energy gets no energy: Z sweeps, sweeps that end where they start, arrays", async () => {
	const files: [string, Uint8Array, string[]][] = [
		[
			"z.3ds",
			grid(pattern, {
				...{ keys: { "Sweep Signal": '"Z (m)"' }, sweep: [-1e-10, 2e-10] },
			}),
			["Z = -1e-10 m", "Z = 5e-11 m", "Z = 2e-10 m"],
		],
		[
			"still.3ds",
			grid(pattern, { sweep: [0, 0] }),
			["image 1", "image 2", "image 3"],
		],
		[
			"stack.npy",
			encodeNpy(
				Float32Array.from({ length: 3 * N * N }, (_, p) =>
					pattern(Math.floor(p / N) % N, p % N, Math.floor(p / N / N)),
				),
				[3, N, N],
			),
			["image 1", "image 2", "image 3"],
		],
	];
	for (const [file, bytes, names] of files) {
		const field = file.endsWith("npy") ? 160 : undefined;
		const found = await prepared(file, bytes, { field });
		assert.equal(labels(found), names);
		const marks = [{ x: 0, y: 0, weight: 1, quality: 1, keep: true, kind: 1 }];
		const { tasks, about, told, warnings } = makeTasks(found, marks, "given");
		assert.ok(tasks.every(({ energy }) => energy === undefined));
		const said = JSON.stringify([about, told, warnings]);
		assert.not.match(said, /\d m?eV\b/);
		const second = await prepared(file, bytes, { field, image: 2 });
		assert.equal(labels(second), [names[1]]);
		await prepared(file, bytes, { field, energy: 1 }).then(
			() => assert.unreachable(),
			(error: Error) =>
				assert.match(
					error.message,
					/found no energies, expected --image 1 to 3 in place of --energy 1/,
				),
		);
		await prepared(file, bytes, { field, image: 4 }).then(
			() => assert.unreachable(),
			(error: Error) => assert.match(error.message, /--image 1 to 3/),
		);
	}
});

test("a loop of segments has its energies twice, there and back", async () => {
	const bytes = grid(pattern, {
		...{ points: 5, sweep: [0, 0] },
		keys: { Filetype: "MLS", [SEGMENTS]: "0,0.1,1,1,3,1,1;0.1,0,1,1,3,1,1" },
	});
	const found = await prepared("loop.3ds", bytes);
	assert.equal(
		found.used.map(({ energy }) => energy),
		[0, 0.05, 0.1, 0.05, 0],
	);
	assert.equal(labels(found), [
		"0 meV (image 1)",
		"50 meV (image 2)",
		"100 meV",
		"50 meV (image 4)",
		"0 meV (image 5)",
	]);
	assert.match(found.told[0], /5 energies from 0 meV to 100 meV to 0 meV;/);
	const there = await prepared("loop.3ds", bytes, { energy: 0.052 });
	assert.equal(labels(there), ["50 meV (image 2)"]);
	const back = await prepared("loop.3ds", bytes, { image: 4 });
	assert.equal(labels(back), ["50 meV (image 4)"]);
});

test.run();
