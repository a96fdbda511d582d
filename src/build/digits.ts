/**
 * Makes src/web/examples/digits.png, which digits.html beside it learns from: 1500 digits of 20 x 20 pixels, white on black, in rows of 50; the i-th is an i mod 10. Each is a few
 * strokes whose points, slant, proportions and width are drawn at random.
 *   node src/build/digits.ts
 */

import { writeFile } from "node:fs/promises";
import { encodePng } from "../node/drawing/png.ts";
import { maxOf, minOf } from "../qpi/maths/extremes.ts";
import { Random } from "../random.ts";

const COUNT = 1500;
const COLUMNS = 50;
const SIDE = 20;
const INK = 16; // pixels of a digit's longer side
const SHADES = 15;

type Point = readonly [number, number];
interface Stroke {
	/** In a unit square, y down. */
	readonly points: readonly Point[];
	readonly round: boolean;
}
const round = (...points: Point[]): Stroke => ({ points, round: true });
const straight = (...points: Point[]): Stroke => ({ points, round: false });

// biome-ignore format: a table
const FORMS: readonly (readonly (readonly Stroke[])[])[] = [
	[[round([0.5, 0.08], [0.28, 0.25], [0.24, 0.55], [0.36, 0.86], [0.6, 0.9], [0.76, 0.62], [0.7, 0.24], [0.5, 0.08])]],
	[
		[straight([0.5, 0.08], [0.5, 0.92])],
		[straight([0.33, 0.28], [0.54, 0.08], [0.54, 0.92])],
		[straight([0.34, 0.26], [0.52, 0.08], [0.52, 0.92]), straight([0.32, 0.92], [0.72, 0.92])],
	],
	[
		[round([0.25, 0.28], [0.38, 0.1], [0.62, 0.1], [0.74, 0.3], [0.58, 0.56], [0.24, 0.9]), straight([0.24, 0.9], [0.78, 0.9])],
		[round([0.26, 0.24], [0.5, 0.08], [0.72, 0.26], [0.56, 0.6], [0.3, 0.86], [0.3, 0.72], [0.5, 0.8], [0.78, 0.9])],
	],
	[
		[round([0.26, 0.18], [0.5, 0.08], [0.72, 0.24], [0.6, 0.42], [0.42, 0.47]), round([0.42, 0.47], [0.68, 0.54], [0.74, 0.76], [0.5, 0.92], [0.24, 0.82])],
		[straight([0.26, 0.1], [0.72, 0.1], [0.46, 0.44]), round([0.46, 0.44], [0.7, 0.54], [0.72, 0.78], [0.48, 0.92], [0.24, 0.82])],
	],
	[
		[straight([0.58, 0.08], [0.2, 0.64], [0.8, 0.64]), straight([0.6, 0.36], [0.6, 0.92])],
		[straight([0.28, 0.1], [0.24, 0.52], [0.76, 0.52]), straight([0.7, 0.12], [0.68, 0.92])],
		[straight([0.64, 0.92], [0.64, 0.08], [0.22, 0.64], [0.8, 0.64])],
	],
	[
		[straight([0.74, 0.1], [0.32, 0.1], [0.29, 0.46]), round([0.29, 0.46], [0.54, 0.4], [0.75, 0.58], [0.68, 0.84], [0.44, 0.93], [0.23, 0.83])],
		[round([0.72, 0.1], [0.4, 0.12], [0.32, 0.4], [0.6, 0.48], [0.72, 0.7], [0.54, 0.92], [0.26, 0.84])],
	],
	[[round([0.66, 0.08], [0.4, 0.32], [0.27, 0.65], [0.4, 0.9], [0.62, 0.88], [0.72, 0.68], [0.56, 0.52], [0.36, 0.6], [0.29, 0.74])]],
	[
		[straight([0.22, 0.12], [0.76, 0.12], [0.42, 0.92])],
		[straight([0.22, 0.12], [0.76, 0.12], [0.44, 0.92]), straight([0.36, 0.5], [0.72, 0.5])],
	],
	[[round([0.62, 0.16], [0.42, 0.1], [0.3, 0.26], [0.42, 0.44], [0.62, 0.54], [0.72, 0.74], [0.52, 0.92], [0.3, 0.8], [0.36, 0.58], [0.6, 0.42], [0.7, 0.26], [0.62, 0.16])]],
	[
		[round([0.7, 0.28], [0.52, 0.1], [0.3, 0.2], [0.3, 0.42], [0.5, 0.5], [0.68, 0.36], [0.71, 0.24]), straight([0.71, 0.24], [0.66, 0.92])],
		[round([0.7, 0.28], [0.52, 0.1], [0.3, 0.2], [0.3, 0.42], [0.5, 0.5], [0.68, 0.36], [0.71, 0.26], [0.7, 0.6], [0.56, 0.88], [0.32, 0.88])],
	],
];

/** A Catmull-Rom spline through the points, as a polyline. */
function spline(points: readonly Point[]): Point[] {
	const at = (i: number) => points[Math.min(points.length - 1, Math.max(0, i))];
	return points.slice(1).flatMap((_, i) =>
		Array.from({ length: 8 }, (_, k): Point => {
			const t = k / 7;
			const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
			const along = (j: 0 | 1) =>
				b[j] +
				(t / 2) *
					(c[j] -
						a[j] +
						t *
							(2 * a[j] -
								5 * b[j] +
								4 * c[j] -
								d[j] +
								t * (3 * (b[j] - c[j]) + d[j] - a[j])));
			return [along(0), along(1)];
		}),
	);
}

/** A digit's pixels, from 0 to 1. */
function draw(random: Random, digit: number): Float32Array {
	const forms = FORMS[digit];
	const form = forms[random.integer(0, forms.length)];
	const [turn, shear] = [0.12 * random.normal(), 0.15 * random.normal()];
	const wide = random.uniform(0.7, 1.1);
	const moved = ([x, y]: Point): Point => {
		const u = wide * (x - 0.5 + 0.02 * random.normal());
		const v = y - 0.5 + 0.02 * random.normal();
		const s = u - shear * v;
		return [
			s * Math.cos(turn) - v * Math.sin(turn),
			s * Math.sin(turn) + v * Math.cos(turn),
		];
	};
	const lines = form.map((stroke) => {
		const points = stroke.points.map(moved);
		return stroke.round ? spline(points) : points;
	});
	const range = (j: 0 | 1) => {
		const values = lines.flat().map((point) => point[j]);
		return [minOf(values), maxOf(values)];
	};
	const [[left, right], [top, bottom]] = [range(0), range(1)];
	const scale = (INK - 2) / Math.max(right - left, bottom - top);
	const middle: Point = [
		SIDE / 2 + random.uniform(-0.7, 0.7),
		SIDE / 2 + random.uniform(-0.7, 0.7),
	];
	const placed = lines.map((line) =>
		line.map(
			([x, y]): Point => [
				middle[0] + scale * (x - (left + right) / 2),
				middle[1] + scale * (y - (top + bottom) / 2),
			],
		),
	);
	const width = random.uniform(1.6, 2.8);
	return Float32Array.from({ length: SIDE * SIDE }, (_, p) => {
		const [x, y] = [(p % SIDE) + 0.5, Math.floor(p / SIDE) + 0.5];
		let near = Number.POSITIVE_INFINITY;
		for (const line of placed)
			for (let i = 1; i < line.length; i++)
				near = Math.min(near, distance(x, y, line[i - 1], line[i]));
		return Math.min(1, Math.max(0, width / 2 - near + 0.5));
	});
}

/** From a point to a segment. */
function distance(x: number, y: number, [ax, ay]: Point, [bx, by]: Point) {
	const [dx, dy] = [bx - ax, by - ay];
	const length = dx * dx + dy * dy || 1;
	const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
	return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

const random = new Random(20261128);
const [width, height] = [COLUMNS * SIDE, (COUNT / COLUMNS) * SIDE];
const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
for (let i = 0; i < COUNT; i++) {
	const [left, top] = [(i % COLUMNS) * SIDE, Math.floor(i / COLUMNS) * SIDE];
	draw(random, i % 10).forEach((value, p) => {
		const grey = Math.round(SHADES * value) * (255 / SHADES);
		const at = (top + Math.floor(p / SIDE)) * width + left + (p % SIDE);
		rgba.fill(grey, 4 * at, 4 * at + 3);
	});
}
const file = encodePng(rgba, width, height);
await writeFile(new URL("../examples/digits.png", import.meta.url), file);
console.log(`examples/digits.png: ${file.length} bytes`);
