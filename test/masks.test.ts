/** The user's masks, and what the indices of an array are. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { preprocess } from "../src/extraction/preprocess.ts";
import {
	covered,
	readMasks,
	type Shape,
	writeMasks,
} from "../src/extraction/scan/masks.ts";
import { type Axes, arrange, axesOf, layoutNote } from "../src/formats/axes.ts";
import { FormatError } from "../src/formats/measurement.ts";
import { encodeNpy } from "../src/formats/npy.ts";
import { readMeasurement } from "../src/formats/readMeasurement.ts";
import { rippledScan } from "./rippledScans.ts";

const SHAPES: Shape[] = [
	{ kind: "rectangle", x: 10.5, y: -20.5, width: 30, height: 12 },
	{
		kind: "polygon",
		points: [
			{ x: -40, y: 0 },
			{ x: 0.5, y: 0 },
			{ x: -40, y: 40.5 },
		],
	},
];
const STROKES: Shape[] = [
	{
		kind: "brush",
		radius: 7.5,
		points: [
			{ x: -30, y: -50 },
			{ x: 30, y: -40 },
			{ x: 30, y: 60 },
		],
	},
	{ kind: "eraser", radius: 5, points: [{ x: 0, y: -45 }] },
	{ kind: "brush", radius: 1.5, points: [{ x: 0, y: -45 }] },
];

test("a mask's text, there and back", () => {
	assert.equal(readMasks(writeMasks(SHAPES), "mask.csv"), SHAPES);
	const other =
		'\uFEFF# mine\r\n"shape";x;y\r\n\r\nRectangle; 10.5;-20.5;30;12;;\r\npolygon;-40;0;0.5;0;-40;40.5';
	assert.equal(readMasks(other, "mask.csv"), SHAPES);
	assert.equal(readMasks("# nothing\n", "mask.csv"), []);
	assert.equal(readMasks(writeMasks(STROKES), "mask.csv"), STROKES);
});

test("a fault in it: its row, what was found and what was expected", () => {
	for (const [text, error] of [
		["circle,0,0,5", /m\.csv, row 1: found "circle", expected rectangle, pol/],
		["# a\nrectangle,0,0,5", /row 2: found 3 numbers, expected 4 of a rect/],
		["rectangle,0,0,5,-1", /row 1: found 5 x -1 A, expected a width and a/],
		["rectangle,0,,5,1", /row 1: found nothing, expected a number/],
		["rectangle,0,zero,5,1", /row 1: found "zero", expected a number/],
		["brush,0,1,1", /row 1: found radius 0, expected a radius above 0/],
		["eraser,5,1", /row 1: found 1 numbers after the radius, expected x/],
		["polygon,0,0,1,1", /row 1: found 4 numbers, expected x and y of each/],
		["polygon,0,0,1,1,2,2,3", /row 1: found 7 numbers, expected x and y/],
	] as const)
		assert.throws(
			() => readMasks(text, "m.csv"),
			(e: Error) => e instanceof FormatError && error.test(e.message),
			text,
		);
});

test("pixels in the shapes, and nowhere else, do not count", () => {
	const { scan } = rippledScan({ seed: 1, nx: 60, ny: 80, dx: 2 });
	const area = covered(scan, SHAPES);
	area.forEach((found, p) => {
		const x = (Math.floor(p / 80) - 29.5) * 2;
		const y = ((p % 80) - 39.5) * 2;
		const inside =
			(Math.abs(x - 10.5) <= 15 && Math.abs(y + 20.5) <= 6) ||
			(x >= -40 && y >= 0 && x + y <= 0.5);
		assert.is(found, inside ? 1 : 0, `(${x}, ${y})`);
	});
	const prepared = preprocess(scan, { mask: SHAPES });
	assert.ok(prepared.counts.every((c, p) => c === 1 - area[p]));
	assert.is(prepared.masks[0].name, "given mask");
	// What lies under it does not matter.
	const image = scan.image.map((v, p) => (area[p] ? 1e4 : v));
	const other = preprocess({ ...scan, image }, { mask: SHAPES });
	assert.equal(other.scan, prepared.scan);
	const [, shown] = prepared.steps;
	assert.ok(shown.scan.image.every((v, p) => Number.isNaN(v) === !!area[p]));
	const everything: Shape = {
		kind: "rectangle",
		...{ x: 0, y: 0, width: 500, height: 500 },
	};
	assert.throws(
		() => preprocess(scan, { mask: [everything] }),
		/nothing is left: all of it is masked/,
	);
});

test("a brush masks what lies near its path, an eraser takes it back, and what came after it stays", () => {
	const { scan } = rippledScan({ seed: 1, nx: 60, ny: 80, dx: 2 });
	/** From the segment from a to b, by trying out its points. */
	const from = (x: number, y: number, a: number[], b: number[]) =>
		Math.min(
			...Array.from({ length: 401 }, (_, i) =>
				Math.hypot(
					x - a[0] - (i / 400) * (b[0] - a[0]),
					y - a[1] - (i / 400) * (b[1] - a[1]),
				),
			),
		);
	const shapes = covered(scan, SHAPES);
	covered(scan, [...SHAPES, ...STROKES]).forEach((found, p) => {
		const x = (Math.floor(p / 80) - 29.5) * 2;
		const y = ((p % 80) - 39.5) * 2;
		const under = Math.min(
			from(x, y, [-30, -50], [30, -40]),
			from(x, y, [30, -40], [30, 60]),
		);
		if (Math.abs(under - 7.5) < 0.01) return;
		const dot = Math.hypot(x, y + 45);
		const shape = shapes[p] === 1;
		const inside = dot <= 1.5 || (dot > 5 && (under < 7.5 || shape));
		assert.is(found, inside ? 1 : 0, `(${x}, ${y})`);
	});
});

/** value = 100 e + 10 x + y */
const VALUE = { e: 100, x: 10, y: 1 };
const LENGTH = { e: 2, x: 3, y: 4 };

/** An array with these axes, y's first index at the bottom or the top. */
function arrayOf(axes: string, top: boolean) {
	const shape = [...axes].map((a) => LENGTH[a as keyof typeof LENGTH]);
	const data = new Float32Array(shape.reduce((a, b) => a * b));
	data.forEach((_, p) => {
		let rest = p;
		for (let k = shape.length - 1; k >= 0; k--) {
			const axis = axes[k] as keyof typeof VALUE;
			const i = rest % shape[k];
			rest = Math.floor(rest / shape[k]);
			data[p] += VALUE[axis] * (axis === "y" && top ? 3 - i : i);
		}
	});
	return readMeasurement(encodeNpy(data, shape), "a.npy");
}

test("an array's axes, every order and both orientations", () => {
	for (const axes of ["xy", "yx", "exy", "eyx", "xye", "yxe", "xey", "yex"])
		for (const top of [false, true]) {
			const found = arrange(
				arrayOf(axes, top),
				{ axes: axes as Axes, orientation: top ? "top" : "bottom" },
				"a.npy",
			);
			assert.equal([found.nx, found.ny], [3, 4]);
			const [{ images }] = found.channels;
			assert.is(images.length, axes.includes("e") ? 2 : 1);
			assert.equal(found.energies, []);
			images.forEach((image, e) => {
				image.forEach((v, p) => {
					assert.is(v, 100 * e + 10 * Math.floor(p / 4) + (p % 4), axes);
				});
			});
		}
	const plain = arrayOf("exy", false);
	assert.equal(arrange(plain, { axes: "exy" }, "a.npy"), plain);
	assert.match(
		arrange(arrayOf("xye", false), { axes: "xye" }, "a.npy").warnings[0],
		/numbered 1 to 2/,
	);
});

test("axes that do not fit, files that say it themselves, and a hint", () => {
	const image = arrayOf("xy", false);
	assert.throws(
		() => arrange(image, { axes: "xye" }, "a.npy"),
		/a\.npy: found one image of 3 x 4, expected --axes xy or yx/,
	);
	assert.throws(
		() => arrange(arrayOf("exy", false), { axes: "yx" }, "a.npy"),
		/found three indices, 2 x 3 x 4, expected --axes with x, y and e/,
	);
	assert.throws(
		() => arrange({ ...image, format: "sxm" }, { orientation: "top" }, "a.sxm"),
		/a sxm file, which says how its images lie, expected no --orientation/,
	);
	assert.match(layoutNote(image) ?? "", /first index: x from left to right/);
	assert.is(layoutNote({ ...image, format: "3ds" }), undefined);
	const last = readMeasurement(
		encodeNpy(new Float32Array(5 * 5 * 3), [5, 5, 3]),
		"a.npy",
	);
	const said = (found: ReturnType<typeof arrange>) => found.warnings.join("; ");
	assert.equal(axesOf(last)[0], "xye", "the usual first");
	assert.is(axesOf(last).length, 6);
	// The images are last: nothing else has two lengths that are equal.
	const found = arrange(last, {}, "a.npy");
	assert.equal(
		[found.nx, found.ny, found.channels[0].images.length],
		[5, 5, 3],
	);
	assert.equal(
		found.channels,
		arrange(last, { axes: "xye" }, "a.npy").channels,
	);
	assert.match(layoutNote(last) ?? "", /--axes xye --orientation bottom/);
	assert.match(
		said(found),
		/5 x 5 x 3 is taken for 3 images of 5 x 5; --axes exy or eyx, if it is 5 images of 5 x 3/,
	);
	assert.is(
		said(arrange(last, { axes: "yxe" }, "a.npy")),
		"the file says no energies: its images are numbered 1 to 3",
	);
	// Three lengths say nothing: the usual order, and that it is.
	const other = arrange(arrayOf("exy", false), {}, "a.npy");
	assert.is(other.channels[0].images.length, 2);
	assert.match(
		said(other),
		/taken for 2 images of 3 x 4; --axes xye or yxe, if it is 4 images of 2 x 3/,
	);
});

test.run();
