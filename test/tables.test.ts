/** Text files as other programs write them: labels, decimal commas, lists of points, comments that say how the lines lie. */
import { deepStrictEqual } from "node:assert/strict";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { arrange, layoutNote } from "../src/formats/axes.ts";
import { FormatError } from "../src/formats/measurement.ts";
import { readMeasurement } from "../src/formats/readMeasurement.ts";

const bytes = (content: string) => new TextEncoder().encode(content);
const read = (content: string) => readMeasurement(bytes(content), "a.csv");

/** The matrix without its labels, in the order of the file. */
const matrix = (content: string) => {
	const { nx, ny, channels, warnings } = read(content);
	const [{ images }] = channels;
	return { size: [nx, ny], values: [...images[0]], warnings: warnings.join() };
};
const SIX = [1.5, -2.25, 3e-9, 4, 5.125, -6.5].map(Math.fround);

function refused(content: string, message: RegExp): void {
	assert.throws(
		() => read(content),
		(error: Error) => {
			assert.ok(error instanceof FormatError, String(error));
			assert.match(error.message, message);
			return true;
		},
	);
}

test("labels of rows and columns are no pixels", () => {
	for (const [content, said] of [
		// pandas: index and columns, names, without an index, with a named one
		[",0,1,2\n0,1.5,-2.25,3e-9\n1,4,5.125,-6.5\n", /0 to 2.*0 to 1/],
		[",a,b,c\n0,1.5,-2.25,3e-9\n1,4,5.125,-6.5\n", /names.*0 to 1/],
		["a,b,c\n1.5,-2.25,3e-9\n4,5.125,-6.5\n", /names \("a", "b", "c"\)/],
		["0,1,2\n1.5,-2.25,3e-9\n4,5.125,-6.5\n", /first line's/],
		["idx,a,b,c\n7,1.5,-2.25,3e-9\n9,4,5.125,-6.5\n", /names.*7 to 9/],
		["\ta\tb\tc\nup\t1.5\t-2.25\t3e-9\ndown\t4\t5.125\t-6.5\n", /a word/],
		// R: one name fewer than columns
		["a b c\n1 1.5 -2.25 3e-9\n2 4 5.125 -6.5\n", /names.*1 to 2/],
	] as const) {
		const found = matrix(content);
		assert.equal([found.size, found.values], [[2, 3], SIX], content);
		assert.match(found.warnings, said);
		assert.match(found.warnings, /left out/);
	}
	const rows = matrix("0,1.5,-2.25\n1,3e-9,4\n2,5.125,-6.5\n");
	assert.equal([rows.size, rows.values], [[3, 2], SIX]);
	assert.match(rows.warnings, /first column's 0 to 2/);
});

test("places of rows and columns give the size where their unit is said", () => {
	const table = (corner: string) =>
		[
			[corner, -1.5, -0.5, 0.5, 1.5, 2.5],
			...[0, 2, 4, 6].map((x, i) => [x, ...[9, 7, 1, 3, 5].map((v) => v ** i)]),
		]
			.map((row) => row.join(","))
			.join("\n")
			.concat("\n");
	for (const corner of ["x \\ y (Angstrom)", "x (nm)", "x", "", "0", "5"]) {
		const m = read(table(corner));
		assert.equal([m.nx, m.ny], [4, 5], corner);
		assert.is(m.channels[0].images[0][19], 125);
		const each = { "x \\ y (Angstrom)": 1, "x (nm)": 10 }[corner];
		assert.equal(m.spacing, each && { x: 2 * each, y: each });
	}
	// Places that run downwards, and rows that lie along y.
	const [x, y] = [
		[0, 2, 4, 6],
		[-1, 0, 1],
	];
	const value = (ix: number, iy: number) => 7 ** ix + iy;
	for (const [corner, first, second, at] of [
		[
			"x \\ y (nm)",
			x,
			y.toReversed(),
			(i: number, k: number) => value(i, 2 - k),
		],
		["y \\ x (nm)", y, x, (i: number, k: number) => value(k, i)],
		["y/x (nm)", y.toReversed(), x, (i: number, k: number) => value(k, 2 - i)],
	] as const) {
		const rows = first.map((v, i) => [v, ...second.map((_, k) => at(i, k))]);
		const m = read(
			`${[[corner, ...second], ...rows].map((row) => row.join()).join("\n")}\n`,
		);
		assert.equal([m.nx, m.ny, m.spacing], [4, 3, { x: 20, y: 10 }], corner);
		m.channels[0].images[0].forEach((v, p) => {
			assert.is(v, value(Math.floor(p / 3), p % 3), corner);
		});
		assert.match(layoutNote(m) ?? "", /^lines lie along [xy], as the first/);
	}
	refused("x \\ y (m),0,1e9\n0,1,2\n1e9,3,4\n", /no even numbers/);
	refused(
		"x \\ y (m),0,1e9,2e9\n0,1,2,3\n1e9,3,4,5\n2e9,3,1,7\n",
		/pixels of 10000000000000000000 Angstrom, expected 1e-6 to 1e7/,
	);
	// A corner that says nothing, above what is no label.
	refused("x,1,5,2\n0,1,2,3\n1,4,5,6\n", /"x" in the first line/);
	assert.ok(Number.isNaN(matrix(",1,5\n0,1,2\n3,4,5\n").values[0]));
});

test("a ramp and whole numbers stay pixels", () => {
	for (const at of [
		(i: number, k: number) => i + 10 * k,
		(i: number, k: number) => 0.5 * i + k,
		(i: number, k: number) => i * k,
	]) {
		const rows = Array.from({ length: 6 }, (_, i) =>
			Array.from({ length: 7 }, (_, k) => at(i, k)).join(),
		);
		const found = matrix(`${rows.join("\n")}\n`);
		assert.equal([found.size, found.warnings], [[6, 7], ""]);
	}
});

test("decimal commas, quotes, and letters of Windows", () => {
	for (const content of [
		"1,5 -2,25 3e-9\n4 5,125 -6,5\n",
		"1,5;-2,25;3e-9\n4;5,125;-6,5\n",
		"1,5\t-2,25\t3e-9\n4\t5,125\t-6,5\n",
		'"1,5","-2,25","3e-9"\n"4","5,125","-6,5"\n',
		'"1.5";"-2.25";3e-9\n"4";"5,125";"-6,5"\n',
		'"1,5" "-2,25" "3e-9"\n4 5,125 "-6,5"\n',
		'"1.5", -2.25, "3e-9"\n4, 5.125, -6.5\n',
	]) {
		const found = matrix(content);
		assert.equal([found.size, found.values], [[2, 3], SIX], content);
		assert.is(found.warnings, "");
	}
	const latin = Uint8Array.from(
		"# 50 \xb5m, 30\xb0\n1.5,-2.25,3e-9\n4,5.125,-6.5\n",
		(c) => c.charCodeAt(0),
	);
	const m = readMeasurement(latin, "a.csv");
	assert.equal([...m.channels[0].images[0]], SIX);
	assert.equal(m.warnings, []);
	refused('"3","1,5,2"\n', /"1,5,2" in line 1/);
	refused("2;1.234,5\n", /"1\.234\.5" in line 1/);
});

test("a list of points is the image that they make", () => {
	const points = [0, 1, 2, 3].flatMap((ix) =>
		[0, 1, 2].map((iy) => [10 + 0.5 * ix, -2 + 0.5 * iy, 100 * ix + iy]),
	);
	const text = (rows: number[][], head = "", between = ",") =>
		`${head}${rows.map((row) => row.join(between)).join("\n")}\n`;
	const image = Float32Array.from(points, ([, , v]) => v);
	for (const [content, each] of [
		[text(points), undefined],
		[text(points.toReversed(), "", "\t"), undefined],
		[text(points, "x,y,z\n"), undefined],
		[text(points, "X (nm),Y (nm),dI/dV (S)\n"), 10],
	] as const) {
		const m = read(content);
		assert.equal([m.nx, m.ny], [4, 3]);
		deepStrictEqual(m.channels[0].images[0], image);
		assert.equal(m.spacing, each && { x: 0.5 * each, y: 0.5 * each });
		assert.match(layoutNote(m) ?? "", /a list of points: x from left/);
	}
	const [named] = read(text(points, "X (nm),Y (nm),dI/dV (S)\n")).channels;
	assert.equal([named.name, named.unit], ["dI/dV", "S"]);
	const gap = read(text(points.toSpliced(5, 1), "x,y,z\n"));
	assert.ok(Number.isNaN(gap.channels[0].images[0][5]));
	const jittered = points.map(([x, y, v], i) => [x + 0.01 * i, y, v]);
	refused(text(jittered, "x,y,z\n"), /12 points with 12 different x/);
	refused(text([...points, points[0]], "x,y,z\n"), /\(10, -2\) twice/);
	const oblong = points.map(([x, y, v]) => [x, 3 * y, v]);
	refused(text(oblong), /steps of 0\.5 along x and 1\.5 along y/);
	assert.is(
		read(text(oblong, "x [pm],y [pm],z\n")).spacing?.y.toFixed(6),
		"0.015000",
	);
	// Without names three columns that make no grid are a matrix.
	assert.equal(matrix(text(jittered)).size, [12, 3]);
});

test("Gwyddion's text: size, units, the top line first", () => {
	const m = readMeasurement(
		bytes(
			"# Channel: Z\n# Width: 50.0 nm\n# Height: 33.3 nm\n# Value units: m\n1.5\t-2.25\t3e-9\n4\t5.125\t-6.5\n",
		),
		"a.txt",
	);
	assert.equal([m.nx, m.ny], [3, 2]);
	assert.is((m.nx * Number(m.spacing?.x)).toFixed(6), "500.000000");
	assert.is((m.ny * Number(m.spacing?.y)).toFixed(6), "333.000000");
	const [{ name, unit, images }] = m.channels;
	assert.equal([name, unit], ["Z", "m"]);
	// image[ix * ny + iy], y from the bottom
	assert.equal(
		[...images[0]],
		[4, 1.5, 5.125, -2.25, -6.5, 3e-9].map(Math.fround),
	);
	assert.match(layoutNote(m) ?? "", /top one first.*Gwyddion/);
	assert.equal(arrange(m, {}, "a.txt"), m);
	assert.throws(
		() => arrange(m, { axes: "yx" }, "a.txt"),
		/says how its images lie, expected no --axes/,
	);
	for (const [width, angstrom] of [
		["2 µm", 2e4],
		["2 μm", 2e4],
		["2,5 Å", 2.5],
	] as const) {
		const { nx, spacing } = read(
			`# Width: ${width}\n# Height: 1 nm\n1 2\n3 4\n`,
		);
		assert.is((nx * Number(spacing?.x)).toFixed(6), angstrom.toFixed(6));
	}
});

test.run();
