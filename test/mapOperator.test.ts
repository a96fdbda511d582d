import { test } from "uvu";
import * as assert from "uvu/assert";
import { MapOperator, type Site } from "../src/qpi/operator/mapOperator.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { Random } from "../src/random.ts";

const random = new Random(5);
const noise = (n: number) =>
	Float64Array.from({ length: n }, () => random.normal());
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
	Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);

/** The superposition as a dense matrix [pixels][nodes], from its definition, for scatterers on whole lags. */
function dense(
	nx: number,
	ny: number,
	size: number,
	kinds: number,
	sites: readonly Site[],
): Float64Array[] {
	const rows = Array.from(
		{ length: nx * ny },
		() => new Float64Array(kinds * size * size),
	);
	for (const { x, y, weight = 1, kind = 0 } of sites)
		for (let i = 0; i < nx; i++)
			for (let j = 0; j < ny; j++) {
				const m = i - x + (size - 1) / 2;
				const n = j - y + (size - 1) / 2;
				if (m >= 0 && n >= 0 && m < size && n < size)
					rows[i * ny + j][(kind * size + m) * size + n] += weight;
			}
	return rows;
}

for (const [nx, ny, size, kinds, half] of [
	[20, 31, 9, 1, 0],
	[17, 12, 25, 1, 0], // a kernel larger than the map
	[24, 24, 13, 3, 0],
	[13, 29, 8, 2, 0.5], // half-integer lags
])
	test(`${nx} x ${ny} pixels, ${kinds} kernels of ${size} x ${size}: the dense matrix and its transpose`, () => {
		const place = (n: number) => random.integer(0, n) + half;
		const sites = Array.from({ length: 7 }, (_, j) => ({
			x: place(nx),
			y: place(ny),
			weight: random.uniform(0.5, 2),
			kind: j % kinds,
		}));
		// one outside the map, whose pattern reaches into it
		sites.push({ x: half - 2, y: half + 3, weight: 1, kind: 0 });
		const operator = new MapOperator({ nx, ny, size, kinds }, sites);
		const matrix = dense(nx, ny, size, kinds, sites);
		const kernels = noise(operator.nodes);
		const map = noise(operator.pixels);
		// twice, so that leftovers of the first call would show
		operator.apply(noise(operator.nodes));
		assert.ok(
			largest(
				operator.apply(kernels),
				matrix.map((row) => dot(row, kernels)),
			) < 1e-12,
			"apply",
		);
		const back = new Float64Array(operator.nodes);
		matrix.forEach((row, p) => {
			row.forEach((v, k) => {
				back[k] += v * map[p];
			});
		});
		assert.ok(largest(operator.adjoint(map), back) < 1e-12, "adjoint");
	});

test("between pixels: a band-limited pattern is where its formula has it, and the adjoint is the transpose", () => {
	const [nx, ny, size] = [48, 61, 41];
	const pattern = (x: number, y: number) =>
		Math.cos(1.1 * x + 0.4 * y + 0.3) * Math.exp(-(x * x + y * y) / 18);
	const sites = [
		{ x: 20.3, y: 33.8, weight: 0.7 },
		{ x: 3.52, y: 57.1, weight: 1.3 },
		{ x: 45.9, y: 1.25, weight: 1 },
	];
	const operator = new MapOperator({ nx, ny, size }, sites);
	const middle = (size - 1) / 2;
	const kernel = Float64Array.from({ length: size * size }, (_, i) =>
		pattern(Math.floor(i / size) - middle, (i % size) - middle),
	);
	const expected = Float64Array.from({ length: nx * ny }, (_, p) =>
		sites.reduce(
			(sum, { x, y, weight }) =>
				sum + weight * pattern(Math.floor(p / ny) - x, (p % ny) - y),
			0,
		),
	);
	assert.ok(largest(operator.apply(kernel), expected) < 1e-5);
	const [k, y] = [noise(operator.nodes), noise(operator.pixels)];
	assert.ok(
		Math.abs(dot(operator.apply(k), y) - dot(k, operator.adjoint(y))) < 1e-10,
	);
});

test("what is no map, site or kernel is refused in words", () => {
	const shape = { nx: 8, ny: 8, size: 5 };
	assert.throws(
		() => new MapOperator({ ...shape, ny: 7.5 }, []),
		/expected ny of 1 or more, got 7\.5/,
	);
	assert.throws(
		() => new MapOperator(shape, [{ x: Number.NaN, y: 1 }]),
		/scatterer 0 has a position/,
	);
	assert.throws(
		() => new MapOperator(shape, [{ x: 1, y: 1, kind: 1 }]),
		/scatterer 0 is of kind 1, expected one below 1/,
	);
	const operator = new MapOperator(shape, [{ x: 1, y: 1 }]);
	assert.throws(
		() => operator.apply(noise(24)),
		/apply: expected 1 x 5 x 5 = 25 values, got 24/,
	);
	assert.throws(
		() => operator.adjoint(noise(63)),
		/adjoint: expected 8 x 8 = 64 values, got 63/,
	);
	assert.throws(() => operator.gram(noise(64)), /as large as the period/);
});

test.run();
