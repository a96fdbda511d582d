import { Matrix, solve } from "ml-matrix";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { centre, embed, ridge, ridgeGcv } from "../src/qpi/operator/ridge.ts";
import { correlation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const random = new Random(2);
const DX = 400 / 63;
const ring = (r: number) =>
	(Math.cos(0.22 * r) * Math.exp(-r / 80)) / Math.sqrt(r + 4);
const truth = Float32Array.from({ length: 4096 }, (_, i) => {
	const x = (Math.floor(i / 64) - 31.5) * DX;
	const y = ((i % 64) - 31.5) * DX;
	return ring(Math.hypot(x, y)) * (1 + (0.3 * x) / (Math.hypot(x, y) + 20));
});
const scatterers = (n: number) =>
	Array.from({ length: n }, () => ({
		x: random.uniform(-170, 170),
		y: random.uniform(-170, 170),
	}));

/** An image of `n` scatterers with white noise of `sigma` standard deviations of the signal, and a constant. */
function observe(n: number, sigma: number) {
	const operator = new ForwardOperator(scatterers(n));
	const image = operator.apply(embed(truth));
	const mean = image.reduce((s, v) => s + v / 4096, 0);
	const std = Math.sqrt(image.reduce((s, v) => s + (v - mean) ** 2 / 4096, 0));
	return {
		operator,
		image: image.map((v) => v + 3 + sigma * std * random.normal()),
	};
}

const norm = (a: Float64Array) => Math.sqrt(a.reduce((s, v) => s + v * v, 0));
const distance = (a: Float64Array, b: Float64Array) =>
	norm(a.map((v, i) => v - b[i])) / norm(b);

test("enough steps give the solution of the normal equations, offset included", () => {
	// A 16 x 16 image of a 32 x 32 kernel, so that the dense system can be solved.
	const operator = new ForwardOperator(scatterers(3), undefined, 16);
	const image = Float64Array.from({ length: 256 }, () => 1 + random.normal());
	const lambda = 0.3;
	const got = ridge(operator, image, { lambda, iterations: 256 });
	// K = A^T z, (A A^T + lambda) z + b = Y, sum z = 0: 257 equations.
	const n = 257;
	const system = Array.from({ length: n }, () => new Float64Array(n));
	for (let j = 0; j < 256; j++) {
		const unit = new Float64Array(256);
		unit[j] = 1;
		const columnJ = operator.apply(operator.adjoint(unit));
		for (let i = 0; i < 256; i++)
			system[i][j] = columnJ[i] + (i === j ? lambda : 0);
		system[j][256] = system[256][j] = 1;
	}
	const z = Float64Array.from(
		solve(new Matrix(system), Matrix.columnVector([...image, 0])).to1DArray(),
	);
	assert.ok(
		distance(got.kernel, operator.adjoint(z.slice(0, 256))) < 1e-8,
		"kernel",
	);
	assert.ok(Math.abs(got.offset - z[256]) < 1e-8, "offset");
});

test("k steps are k steps of conjugate gradients from zero", () => {
	const { operator, image } = observe(9, 0.3);
	for (const [lambda, iterations] of [
		[1, 12],
		[0.01, 5],
	]) {
		const expected = conjugateGradients(operator, image, lambda, iterations);
		const got = ridge(operator, image, { lambda, iterations });
		assert.is(got.iterations, iterations);
		assert.ok(distance(got.kernel, expected) < 1e-9);
	}
});

test("a noise-free kernel and the constant are recovered", () => {
	const { operator, image } = observe(8, 0);
	const { kernel, explained, offset } = ridge(operator, image, {
		lambda: 0.01,
		iterations: 40,
	});
	const ncc = correlation(centre(kernel), truth);
	assert.ok(ncc > 0.9, `NCC ${ncc}`);
	assert.ok(explained > 0.999, `explained ${explained}`);
	assert.ok(Math.abs(offset - 3) < 0.2, `offset ${offset}`);
});

test("early stopping and cross-validation come near the best lambda at every noise and density", () => {
	for (const n of [3, 10, 20])
		for (const sigma of [0, 0.1, 0.3, 0.5]) {
			const { operator, image } = observe(n, sigma);
			const ncc = (k: Float64Array) => correlation(centre(k), truth);
			const best = Math.max(
				...[-2, -1, 0, 0.5, 1, 2].map((e) =>
					ncc(ridge(operator, image, { lambda: 10 ** e }).kernel),
				),
			);
			const gcv = ncc(ridgeGcv(operator, image).kernel);
			const early = ncc(ridge(operator, image).kernel);
			assert.ok(
				gcv > best - 0.06,
				`${n} scatterers, noise ${sigma}: gcv ${gcv}, best ${best}`,
			);
			assert.ok(
				early > best - 0.06,
				`${n} scatterers, noise ${sigma}: early ${early}, best ${best}`,
			);
		}
});

test("cross-validation smooths pure noise away", () => {
	const operator = new ForwardOperator(scatterers(10));
	const image = Float64Array.from({ length: 4096 }, () => random.normal());
	const { lambda, explained } = ridgeGcv(operator, image);
	assert.ok(lambda > 10, `lambda ${lambda}`);
	assert.ok(explained < 0.5, `explained ${explained}`);
});

test("shrinking toward a kernel: the limits are that kernel and the plain fit", () => {
	const { operator, image } = observe(6, 0.3);
	const toward = embed(truth);
	const iterations = 30;
	const bound = ridge(operator, image, { lambda: 1e9, iterations, toward });
	assert.ok(distance(bound.kernel, toward) < 1e-4);
	const clean = operator.apply(toward);
	const kept = ridge(operator, clean, { lambda: 0.01, iterations, toward });
	assert.ok(distance(kept.kernel, toward) < 1e-9, "a perfect prior stays");
	const close = ridge(operator, image, { lambda: 3, iterations, toward });
	const plain = ridge(operator, image, { lambda: 3, iterations });
	assert.ok(
		distance(close.kernel, toward) < distance(plain.kernel, toward),
		"a good prior helps",
	);
});

test("nothing to explain, or nobody to explain it, gives zeros and no NaN", () => {
	const flat = new Float32Array(4096).fill(2);
	const { image } = observe(3, 0);
	for (const result of [
		ridge(new ForwardOperator(scatterers(4)), flat),
		ridgeGcv(new ForwardOperator(scatterers(4)), flat),
		ridge(new ForwardOperator([]), image),
		ridgeGcv(new ForwardOperator([]), image),
	]) {
		assert.ok(result.kernel.every((v) => v === 0));
		assert.is(result.explained, 0);
	}
	assert.throws(
		() => ridge(new ForwardOperator([]), flat, { lambda: -1 }),
		/lambda >= 0, got -1/,
	);
	assert.throws(
		() => ridge(new ForwardOperator([]), flat.subarray(1)),
		/64 x 64 = 4096 values, got 4095/,
	);
});

/** Textbook conjugate gradients on (A^T P A + lambda) K = A^T P Y. */
function conjugateGradients(
	operator: ForwardOperator,
	image: Float64Array,
	lambda: number,
	steps: number,
): Float64Array {
	const centred = (y: Float64Array) => {
		const mean = y.reduce((s, v) => s + v / y.length, 0);
		return y.map((v) => v - mean);
	};
	const dot = (a: Float64Array, b: Float64Array) =>
		a.reduce((s, v, i) => s + v * b[i], 0);
	let r = operator.adjoint(centred(image));
	let p = r;
	let x = new Float64Array(r.length);
	for (let i = 0; i < steps; i++) {
		const back = operator.adjoint(centred(operator.apply(p)));
		const q = back.map((v, j) => v + lambda * p[j]);
		const alpha = dot(r, r) / dot(p, q);
		x = x.map((v, j) => v + alpha * p[j]);
		const next = r.map((v, j) => v - alpha * q[j]);
		const beta = dot(next, next) / dot(r, r);
		p = next.map((v, j) => v + beta * p[j]);
		r = next;
	}
	return x;
}

test.run();
