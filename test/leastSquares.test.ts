import { inverse, Matrix, solve } from "ml-matrix";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	cholesky,
	choleskySolve,
	inverseDiagonal,
} from "../src/qpi/maths/cholesky.ts";
import { Polynomials } from "../src/qpi/maths/polynomials.ts";
import { Random } from "../src/random.ts";

const random = new Random(4);
const close = (
	found: ArrayLike<number>,
	expected: ArrayLike<number>,
	tolerance: number,
) => {
	assert.is(found.length, expected.length);
	for (let i = 0; i < found.length; i++)
		assert.ok(
			Math.abs(found[i] - expected[i]) < tolerance,
			`${i}: ${found[i]} for ${expected[i]}`,
		);
};

const [NX, NY] = [23, 14];
const weights = Float64Array.from({ length: NX * NY }, (_, p) =>
	p % 5 === 0 ? 0 : random.uniform(0.2, 3),
);
const product = (a: Float64Array, b: Float64Array, w = weights) =>
	a.reduce((sum, v, p) => sum + w[p] * v * b[p], 0);

test("polynomials: as many as an order has, orthonormal under the weights", () => {
	for (const [order, terms] of [
		[0, 1],
		[1, 3],
		[4, 15],
	]) {
		const { basis } = new Polynomials(NX, NY, weights, order);
		assert.is(basis.length, terms);
		basis.forEach((a, i) => {
			basis.forEach((b, j) => {
				assert.ok(Math.abs(product(a, b) - (i === j ? 1 : 0)) < 1e-10);
			});
		});
	}
});

test("polynomials: one of the order is found whatever weightless pixels hold, and what is left is orthogonal to all", () => {
	const polynomials = new Polynomials(NX, NY, weights, 3);
	const surface = weights.map((_, p) => {
		const [x, y] = [Math.floor(p / NY), p % NY];
		return 5 - 0.3 * x + 0.02 * x * y - 0.001 * x ** 3 + 0.01 * y ** 3;
	});
	const seen = surface.map((v, p) => (weights[p] > 0 ? v : 99));
	close(polynomials.of(seen), surface, 1e-9);
	const map = surface.map((v) => v + random.normal());
	const rest = polynomials.without(map);
	for (const basis of polynomials.basis)
		assert.ok(Math.abs(product(basis, rest)) < 1e-9);
	// of fourth order something stays
	const quartic = surface.map((_, p) => (Math.floor(p / NY) / NX) ** 4);
	assert.ok(Math.max(...polynomials.without(quartic).map(Math.abs)) > 1e-3);
});

test("polynomials: terms that the pixels of weight do not tell apart are left out", () => {
	// two columns of pixels: nothing of second order in x
	const two = weights.map((_, p) => (Math.floor(p / NY) < 2 ? 1 : 0));
	const { basis } = new Polynomials(NX, NY, two, 2);
	assert.is(basis.length, 5);
	basis.forEach((a, i) => {
		basis.forEach((b, j) => {
			const expected = i === j ? 1 : 0;
			assert.ok(Math.abs(product(a, b, two) - expected) < 1e-9);
		});
	});
	assert.is(
		new Polynomials(1, NY, new Float64Array(NY).fill(1), 2).basis.length,
		3,
	);
	assert.is(
		new Polynomials(NX, NY, new Float64Array(NX * NY), 2).basis.length,
		0,
	);
});

test("Cholesky: factors, solutions and the inverse's diagonal are those of dense matrices", () => {
	for (const n of [1, 2, 13]) {
		const square = Matrix.zeros(n, n);
		for (let i = 0; i < n; i++)
			for (let j = 0; j < n; j++) square.set(i, j, random.normal());
		const matrix = square.mmul(square.transpose()).add(Matrix.eye(n).mul(0.1));
		// only the lower triangle is read
		const lower = Float64Array.from(matrix.to1DArray(), (v, k) =>
			k % n > Math.floor(k / n) ? Number.NaN : v,
		);
		const root = cholesky(lower, n);
		const b = Array.from({ length: n }, () => random.normal());
		const expected = solve(matrix, Matrix.columnVector(b)).to1DArray();
		close(choleskySolve(root, n, b), expected, 1e-8);
		close(inverseDiagonal(root, n), inverse(matrix).diagonal(), 1e-8);
	}
});

test("Cholesky: what is not positive definite is refused in words", () => {
	for (const bad of [
		[1, 0, 2, 1],
		[0, 0, 0, 0],
		[1, 0, Number.NaN, 1],
	])
		assert.throws(
			() => cholesky(Float64Array.from(bad), 2),
			/matrix of 2 x 2 is not positive definite/,
		);
});

test.run();
