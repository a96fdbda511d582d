import { test } from "uvu";
import * as assert from "uvu/assert";
import { findMissed } from "../src/extraction/marks/missed.ts";
import {
	readScatterers,
	writeScatterers,
} from "../src/extraction/marks/scatterers.ts";
import { readMasks } from "../src/extraction/scan/masks.ts";
import { makeKernel, planKernels } from "../src/qpi/generator/generator.ts";
import { ForwardOperator, pixelOf } from "../src/qpi/operator/forward.ts";
import { MapOperator } from "../src/qpi/operator/mapOperator.ts";
import { embed } from "../src/qpi/operator/ridge.ts";
import { Random } from "../src/random.ts";

test("a scatterer that was not marked is found in the residual, between the pixels", () => {
	const spec = planKernels(24, 5)[0];
	const [made] = [makeKernel(spec, { observations: 0, seed: 1 })];
	const known = [
		{ x: -120, y: 30 },
		{ x: 90, y: 140 },
	];
	const lost = [
		{ x: 33.7, y: -81.2 },
		{ x: -150.4, y: -120.9 },
	];
	const random = new Random(4);
	const residual = new ForwardOperator(lost, [1, 0.6]).apply(
		embed(made.kernel),
	);
	const size = Math.sqrt(residual.reduce((sum, v) => sum + (v * v) / 4096, 0));
	const noisy = residual.map((v) => v + 0.3 * size * random.normal());
	const onPixels = (list: typeof known) =>
		list.map(({ x, y }) => ({ x: pixelOf(x), y: pixelOf(y) }));
	const look = (
		residual: ArrayLike<number>,
		kernel: ArrayLike<number>,
		places = known,
		weights?: ArrayLike<number>,
	) =>
		findMissed({
			...{ residual, kernel, weights, nx: 64, ny: 64 },
			known: onPixels(places),
		});
	const found = look(noisy, made.kernel);
	assert.is(found.length, 2);
	onPixels(lost).forEach(({ x, y }, i) => {
		assert.ok(Math.hypot(found[i].x - x, found[i].y - y) < 0.1);
		assert.ok(Math.abs(found[i].amplitude - [1, 0.6][i]) < 0.05);
		assert.ok(found[i].significance > 5);
	});
	assert.is(look(noisy, made.kernel, [...known, ...lost]).length, 0);
	// Its side lobes are no more scatterers.
	const trimer = planKernels(24, 5)[20];
	const wide = makeKernel(trimer, { observations: 0, seed: 1 }).kernel;
	const one = new ForwardOperator(lost.slice(0, 1)).apply(embed(wide));
	assert.is(look(one, wide).length, 1);
	const noise = noisy.map(() => random.normal());
	assert.is(look(noise, made.kernel).length, 0);
	// A place in a part that was not measured cannot be seen.
	const valid = noisy.map((_, p) => (Math.floor(p / 64) < 28 ? 0 : 1));
	assert.is(look(noisy, made.kernel, known, valid).length, 1);
	assert.throws(() => look(noisy, [1, 2]), /square kernel, got 2 values/);
	assert.throws(() => look([1, 2], made.kernel), /residual of 64 x 64/);
	// On a map that is not square, an odd kernel whose lags are whole pixels.
	const [nx, ny, side] = [70, 51, 21];
	const ring = Float64Array.from({ length: side * side }, (_, i) => {
		const r = Math.hypot(Math.floor(i / side) - 10, (i % side) - 10);
		return Math.cos(0.9 * r) * Math.exp(-r / 5);
	});
	const site = { x: 51.3, y: 12.6 };
	const map = new MapOperator({ nx, ny, size: side }, [site]).apply(ring);
	const [at] = findMissed({
		...{ residual: map, kernel: ring, nx, ny },
		known: [],
	});
	assert.ok(Math.hypot(at.x - site.x, at.y - site.y) < 0.1);
});

test("scatterers as text, there and back", () => {
	const list = [
		{ x: -12.345, y: 67.8, weight: 1.1, quality: 0.93, keep: true, kind: 1 },
		{ x: 0, y: -0.001, weight: 0.5, quality: 0, keep: false, kind: 12 },
	];
	const text = writeScatterers(list);
	assert.match(text, /^# .*Angstrom/);
	assert.match(
		text,
		/\nx,y,weight,quality,keep,kind\n-12\.345,67\.8,1\.1,0\.93,1,1\n0,-0\.001,0\.5,0,0,12\n/,
	);
	assert.equal(readScatterers(text, "a.csv"), list);
	const [first, second] = list;
	const known = [
		{ ...first, significance: 8.3, errors: { x: 0.4, y: 0.35, weight: 0.02 } },
		{ ...second, significance: 5.1 },
	];
	const more = writeScatterers(known);
	assert.match(
		more,
		/,kind,significance,x_error,y_error,weight_error\n.*,1,1,8\.3,0\.4,0\.35,0\.02\n.*,0,12,5\.1,,,\n/,
	);
	assert.equal(readScatterers(more, "a.csv"), known);
	assert.throws(
		() => readScatterers("x,y,x_error\n1,2,big\n", "a.csv"),
		/a\.csv, row 2: found "big" as x_error, expected a number/,
	);
});

test("what people and programs make of that text", () => {
	const plain = { weight: 1, quality: 1, keep: true, kind: 1 };
	for (const [text, expected] of [
		[
			"1,2\r\n\r\n# no\r\n-3.5e1 , 4",
			[
				{ x: 1, y: 2, ...plain },
				{ x: -35, y: 4, ...plain },
			],
		],
		[
			'keep, Y [A],"x (A)",note\nNo,2,1,dirt\nTRUE,4,3,\n',
			[
				{ x: 1, y: 2, ...plain, keep: false },
				{ x: 3, y: 4, ...plain },
			],
		],
		[
			"\uFEFFx;y;weight\n1;2;0.5\n3;4;",
			[
				{ x: 1, y: 2, ...plain, weight: 0.5 },
				{ x: 3, y: 4, ...plain },
			],
		],
		[
			"1\t2\t0.5\t0.25\tyes",
			[{ x: 1, y: 2, ...plain, weight: 0.5, quality: 0.25 }],
		],
		[
			"x,y,Kind\n1,2,3\n3,4,",
			[
				{ x: 1, y: 2, ...plain, kind: 3 },
				{ x: 3, y: 4, ...plain },
			],
		],
		["1,2,1,1,0,2", [{ x: 1, y: 2, ...plain, keep: false, kind: 2 }]],
		["# nothing\nx,y\n", []],
	] as const)
		assert.equal(readScatterers(text, "a.csv"), expected, text);
	for (const [text, message] of [
		[
			"# c\nx,y\n1,2\n1,abc",
			'a.csv, row 4: found "abc" as y, expected a number',
		],
		["x,y\n1,", "a.csv, row 2: found nothing as y"],
		["x,y\n1,Infinity", 'row 2: found "Infinity" as y'],
		["x,weight\n1,2", "row 1: found .* expected a header with one column y"],
		["x,y,X\n1,2,3", "one column x"],
		["1,2,1,1,maybe", 'row 1: found "maybe" as keep, expected 1, 0, true'],
		["1,2,1,7", "row 1: found 7 as quality, expected a number from 0 to 1"],
		[
			"x,y,kind\n1,2,0",
			"row 2: found 0 as kind, expected a whole number from 1",
		],
		["x,y,kind\n1,2,1.5", "row 2: found 1.5 as kind"],
		["x,y,kind\n1,2,a", 'row 2: found "a" as kind, expected a number'],
		["x,y\n1,2,3", "row 2: found 3 columns, expected at most 2"],
	])
		assert.throws(
			() => readScatterers(text, "a.csv"),
			new RegExp(message),
			text,
		);
});

test("marks of spreadsheets: decimal commas, and lengths in other units", () => {
	const read = (text: string) =>
		readScatterers(text, "m.csv").map(({ x, y, weight }) => [x, y, weight]);
	assert.equal(read("-10,0;20,0\n1,5;-2,25;0,5\n"), [
		[-10, 20, 1],
		[1.5, -2.25, 0.5],
	]);
	assert.equal(read("x\ty\n-10,5\t20\n"), [[-10.5, 20, 1]]);
	assert.equal(read("x (nm),y (nm),weight (nA)\n1,2,3\n"), [[10, 20, 3]]);
	assert.equal(read('"x [nm]";"y [\u00c5]"\n1,5;2\n'), [[15, 2, 1]]);
	assert.equal(
		read("x (m),y (m)\n1e-9,0\n").flat().map(Math.round),
		[10, 0, 1],
	);
	const [{ errors }] = readScatterers(
		"x,y,x_error (nm),y_error,weight_error\n1,2,0.1,0.2,0.3\n",
		"m.csv",
	);
	assert.equal(errors, { x: 1, y: 0.2, weight: 0.3 });
	for (const [text, fault] of [
		[
			"x [px],y [px]\n1,2\n",
			/row 1: found x in "px", expected A, pm, nm, um or m/,
		],
		["x,y (pixel)\n1,2\n", /y in "pixel"/],
		["1.000,5;2\n", /"1\.000,5" as x/],
		["x,y\n-10,0;20,0\n", /found 3 columns, expected at most 2/],
	] as const)
		assert.throws(() => read(text), fault);
});

test("masks of spreadsheets: decimal commas", () => {
	assert.equal(readMasks("rectangle;1,5;-2;3,5;4\n", "m.csv"), [
		{ kind: "rectangle", x: 1.5, y: -2, width: 3.5, height: 4 },
	]);
});

test.run();
