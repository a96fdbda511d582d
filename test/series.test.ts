/** Several files of one area as one stack: their order, their drift, and what does not belong together. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseInput } from "../src/extraction/results/input.ts";
import { prepareScans } from "../src/extraction/results/prepareScans.ts";
import { seriesOf } from "../src/extraction/results/series.ts";
import { moved, shiftBetween } from "../src/extraction/scan/register.ts";
import { encodeGsf } from "../src/formats/gsf.ts";
import { filesOf } from "../src/node/files/input.ts";
import { makeSeries } from "../src/qpi/generator/mapSeries.ts";
import { Random } from "../src/random.ts";
import { sxmFile } from "./formatFixtures.ts";

const random = new Random(3);
const bumps = Array.from({ length: 40 }, () => ({
	x: random.uniform(-20, 100),
	y: random.uniform(-20, 92),
	width: random.uniform(2, 5),
	height: random.uniform(-1, 1),
}));
/** A surface that is known between the pixels. */
const surface = (x: number, y: number) =>
	bumps.reduce((sum, b) => {
		const r = ((x - b.x) ** 2 + (y - b.y) ** 2) / (2 * b.width ** 2);
		return sum + b.height * Math.exp(-r);
	}, 0);
const [nx, ny] = [80, 72];
function scan(dx: number, dy: number, noise = 0, tilt = 0) {
	const image = Float32Array.from({ length: nx * ny }, (_, p) => {
		const [x, y] = [Math.floor(p / ny), p % ny];
		return surface(x - dx, y - dy) + noise * random.normal() + tilt * x;
	});
	return { image, nx, ny, spacing: { x: 2, y: 2 } };
}

test("the drift between two maps is found to a part of a pixel, through noise, tilt and other contrast", () => {
	for (const [dx, dy] of [
		[0, 0],
		[3.3, -2.75],
		[-14.5, 11.25],
		[0.4, 16],
	]) {
		const { x, y, likeness } = shiftBetween(
			scan(0, 0, 0.05),
			scan(dx, dy, 0.05, 0.05),
		);
		assert.ok(Math.hypot(x - dx, y - dy) < 0.15, `${x}, ${y}: ${dx}, ${dy}`);
		assert.ok(likeness > 0.8, `${likeness}`);
	}
	const other = scan(200, 200, 0.1);
	assert.ok(shiftBetween(scan(0, 0, 0.1), other).likeness < 0.2);
});

test("a map is moved back: what it shows agrees, what it does not show is missing", () => {
	const [dx, dy] = [3.3, -2.75];
	const back = moved(scan(dx, dy), { x: dx, y: dy });
	const still = scan(0, 0).image;
	let missing = 0;
	for (let p = 0; p < back.length; p++) {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		if (Number.isNaN(back[p])) missing++;
		else if (ix > 22 && ix < nx - 26 && iy > 22 && iy < ny - 22)
			assert.ok(Math.abs(back[p] - still[p]) < 2e-3, `${ix}, ${iy}`);
	}
	assert.is(missing, nx * ny - (nx - 3) * (ny - 3));
	const whole = scan(0, 0).image;
	const holed = { ...scan(0, 0), image: whole.with(40 * ny + 30, NaN) };
	const out = moved(holed, { x: 2, y: 1 });
	assert.ok(Number.isNaN(out[38 * ny + 29]));
});

/** A scan whose topography and dI/dV have drifted by so many pixels. */
const file = (name: string, bias: number, drift: number, more = {}) =>
	parseInput(
		Uint8Array.from(
			sxmFile(
				(ix, iy, image) => {
					const height = surface(ix - drift, iy + drift / 2);
					return image === 0 ? 1e-10 * height : 1e-12 * (height + bias);
				},
				{
					...{ nx, ny, range: [16e-9, 14.4e-9] as [number, number] },
					channels: [
						{ name: "Z", unit: "m", direction: "forward" },
						{ name: "LIY", unit: "A", direction: "forward" },
					],
					tags: { BIAS: String(bias) },
					...more,
				},
			),
		),
		name,
	);

test("files are sorted by bias and moved onto the middle one", async () => {
	const files = await Promise.all([
		file("b.sxm", 0.02, 4),
		file("c.sxm", 0.05, 6.5),
		file("a.sxm", -0.03, 2),
	]);
	const series = await seriesOf(files);
	const m = series.measurement;
	if (!m) return assert.unreachable();
	assert.equal(m.energies, [-0.03, 0.02, 0.05]);
	assert.is(series.file, "a.sxm and 2 more");
	assert.equal(
		m.channels.map(({ name, images }) => [name, images.length]),
		[
			["Z", 3],
			["LIY", 3],
		],
	);
	const at = 40 * ny + 36;
	for (const [i, bias] of [-0.03, 0.02, 0.05].entries()) {
		const expected = surface(36, 38) + bias;
		const found = m.channels[1].images[i][at] / 1e-12;
		assert.ok(Math.abs(found - expected) < 0.02, `${found}, ${expected}`);
	}
	assert.match(
		m.done?.[0] ?? "",
		/^a series of 3 files, moved onto b\.sxm by Z; drift in x, y \(A\): a\.sxm -\d\.\d, 2\.0; b\.sxm 0\.0, 0\.0; c\.sxm 5\.\d, -2\.\d$/,
	);
	const { told, used } = await prepareScans(
		{ ...series, measurement: m },
		{ flatten: "none" },
	);
	assert.is(used.length, 3);
	assert.match(told[1], /^a series of 3 files/);
});

test("ripples that change with the energy are followed from neighbour to neighbour", async () => {
	const recipe = {
		band: { kind: "surface", mass: 0.4, bottom: -0.065 } as const,
		...{ energies: [-0.04, -0.01, 0.02, 0.05, 0.08, 0.11], broadening: 0.006 },
		...{ phase: 0.6, pixels: [96, 96] as const, field: 288 },
		...{ marks: 10, spread: 0.1, noise: 0.2, drift: 4 },
	};
	const { nx, ny, pixel, maps } = makeSeries(recipe, 3);
	const field = { name: "dI/dV", unit: "", nx, ny, pixel };
	const { measurement: m } = await seriesOf(
		await Promise.all(
			maps.map(({ image, energy }, i) =>
				parseInput(
					Uint8Array.from(
						encodeGsf({ ...field, images: [image], energies: [energy] }),
					),
					`${i}.gsf`,
				),
			),
		),
	);
	assert.equal(m?.warnings.join(), "");
	for (const [i, { drift }] of maps.entries()) {
		const [, x, y] =
			new RegExp(`${i}\\.gsf (-?[\\d.]+), (-?[\\d.]+)`).exec(
				m?.done?.[0].split("(A): ")[1] ?? "",
			) ?? [];
		const off = Math.hypot(Number(x) - drift.x, Number(y) - drift.y);
		assert.ok(off < 1.5, `${i}: ${x}, ${y}, drifted ${JSON.stringify(drift)}`);
	}
});

test("what does not belong together is refused, and what does not resemble is left where it is", async () => {
	const first = await file("a.sxm", 0.01, 0);
	const refused = async (other: Promise<Awaited<typeof first>>, what: RegExp) =>
		seriesOf([first, await other]).then(
			() => assert.unreachable("it was taken"),
			(error: Error) => assert.match(error.message, what),
		);
	await refused(
		file("b.sxm", 0.02, 0, { nx: 40 }),
		/^b\.sxm: found 40 x 72 pixels of 4\.000 x 2\.000 A, expected 80 x 72 pixels/,
	);
	await refused(
		file("b.sxm", 0.02, 0, { tags: { BIAS: undefined } }),
		/^b\.sxm: found no bias, expected one in each file of a series/,
	);
	const stranger = await parseInput(
		Uint8Array.from(
			sxmFile(() => 1e-10 * random.normal(), {
				...{ nx, ny, range: [16e-9, 14.4e-9] },
				channels: [
					{ name: "Z", unit: "m", direction: "forward" },
					{ name: "LIY", unit: "A", direction: "forward" },
				],
				tags: { BIAS: "-1" },
			}),
		),
		"s.sxm",
	);
	const { measurement } = await seriesOf([first, stranger]);
	assert.match(
		measurement?.warnings.join() ?? "",
		/s\.sxm does not resemble a\.sxm .*: left where it is/,
	);
});

test("a folder, a pattern and names say which files are meant", async () => {
	const folder = mkdtempSync(join(tmpdir(), "qpi-series-"));
	try {
		for (const name of [
			"m2.sxm",
			"m1.sxm",
			"notes.txt",
			".hidden.sxm",
			"x.sxm",
		])
			writeFileSync(join(folder, name), "");
		const names = async (...given: string[]) =>
			(await filesOf(given.map((each) => join(folder, each)))).map((each) =>
				each.slice(folder.length + 1),
			);
		assert.equal(await names("."), ["m1.sxm", "m2.sxm", "x.sxm"]);
		assert.equal(await names("m?.sxm"), ["m1.sxm", "m2.sxm"]);
		assert.equal(await names("*2.sxm", "x.sxm"), ["m2.sxm", "x.sxm"]);
		await names("*.dat").then(
			() => assert.unreachable(),
			(error: Error) =>
				assert.match(error.message, /found no file of such a name/),
		);
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test.run();
