/** Patterns over a window, by the quarter where they are even or odd. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { WindowComponents } from "../src/qpi/posterior/windowComponents.ts";
import { Random } from "../src/random.ts";

const random = new Random(3);
const normals = (length: number) =>
	Float64Array.from({ length }, () => random.normal());

/** Random patterns with these signs under a mirror in x and in y; 0 asks for none. */
function patterns(size: number, signs: readonly (readonly number[])[]) {
	const area = size * size;
	const all = new Float32Array(signs.length * area);
	signs.forEach(([sx, sy], c) => {
		const v = normals(area);
		for (let x = 0; x < size; x++)
			for (let y = 0; y < size; y++) {
				const [mx, my] = [size - 1 - x, size - 1 - y];
				all[c * area + x * size + y] =
					v[x * size + y] +
					sx * v[mx * size + y] +
					sy * v[x * size + my] +
					sx * sy * v[mx * size + my];
			}
	});
	return all;
}

const SYMMETRIC = [
	[1, 1],
	[1, -1],
	[-1, 1],
	[-1, -1],
	[-1, 1],
	[1, 1],
	[1, 1],
	[1, 1],
	[1, 1],
];

for (const [what, size, signs] of [
	["even and odd ones", 7, SYMMETRIC],
	["one of them without a symmetry", 7, [...SYMMETRIC, [0, 0]]],
	["a window of even size", 6, SYMMETRIC],
	["a window of one node", 1, [[1, 1]]],
	["none", 5, []],
] as const)
	test(`products with ${what} are those of the whole patterns`, () => {
		const area = size * size;
		const v = patterns(size, signs);
		const found = WindowComponents.of(v, area);
		const [k, z] = [normals(area), normals(signs.length)];
		const projected = z.map((_, c) =>
			k.reduce((sum, value, i) => sum + value * v[c * area + i], 0),
		);
		const expanded = k.map((_, i) =>
			z.reduce((sum, value, c) => sum + value * v[c * area + i], 0),
		);
		const near = (a: Float64Array, b: Float64Array) => {
			assert.is(a.length, b.length);
			a.forEach((value, i) => {
				assert.ok(Math.abs(value - b[i]) < 1e-5, `${i}: ${value} ${b[i]}`);
			});
		};
		near(found.project(k), projected);
		near(found.expand(z), expanded);
	});

test.run();
