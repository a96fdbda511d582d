// The posterior of a map's kernels against the same in dense float64 matrices.
import { inverse, Matrix } from "ml-matrix";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	cholesky,
	choleskySolve,
	inverseDiagonal,
} from "../src/qpi/maths/cholesky.ts";
import { Polynomials } from "../src/qpi/maths/polynomials.ts";
import { MapOperator } from "../src/qpi/operator/mapOperator.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { BlockCovariance } from "../src/qpi/posterior/blockCovariance.ts";
import { FactoredCovariance } from "../src/qpi/posterior/factoredCovariance.ts";
import { MapSolver, MapSystem } from "../src/qpi/posterior/mapPosterior.ts";
import { onThisThread } from "../src/qpi/posterior/solveMany.ts";
import { Random } from "../src/random.ts";

const random = new Random(11);
const normals = (n: number) =>
	Float64Array.from({ length: n }, () => random.normal());
const [NX, NY, SIZE, KINDS, ORDER] = [17, 14, 5, 2, 2];
const NODES = KINDS * SIZE ** 2;
const sites = Array.from({ length: 9 }, (_, j) => ({
	x: random.uniform(0, NX),
	y: random.uniform(0, NY),
	weight: random.uniform(0.7, 1.3),
	kind: j % KINDS,
}));
const weights = Float64Array.from({ length: NX * NY }, (_, p) =>
	p % 11 === 0 ? 0 : random.uniform(0.3, 1),
);
const operator = new MapOperator(
	{ nx: NX, ny: NY, size: SIZE, kinds: KINDS },
	sites,
);
const system = new MapSystem(operator, weights, ORDER);
const parts = Array.from(
	{ length: KINDS },
	() =>
		new FactoredCovariance({
			own: Float64Array.from({ length: SIZE ** 2 }, () =>
				random.uniform(0.1, 1),
			),
			components: Float32Array.from(normals(3 * SIZE ** 2)),
			variances: Float64Array.of(2, 1, 0.5),
			weights: Float64Array.of(0.7),
			vectors: normals(3),
		}),
);
const covariance = new BlockCovariance(parts);
const solver = new MapSolver(system, covariance);
const kernels = covariance.sample(random);
const map = operator.apply(kernels).map((v) => v + 0.5 * random.normal());

/** Columns of a linear map of `from` numbers. */
function dense(from: number, apply: (v: Float64Array) => Float64Array): Matrix {
	const columns = Array.from({ length: from }, (_, i) => {
		const unit = new Float64Array(from);
		unit[i] = 1;
		return Array.from(apply(unit));
	});
	return new Matrix(columns).transpose();
}
const A = dense(NODES, (k) => operator.apply(k));
const C = dense(NODES, (k) => covariance.apply(k));
// W' = W - W Phi Phi^T W: the polynomials are projected out
const W = Matrix.diag(Array.from(weights));
const phi = new Matrix(
	new Polynomials(NX, NY, weights, ORDER).basis.map((b) => Array.from(b)),
).transpose();
const projected = Matrix.sub(W, W.mmul(phi).mmul(phi.transpose()).mmul(W));
const N = A.transpose().mmul(projected).mmul(A);
const y = Matrix.columnVector(Array.from(map));
const right = A.transpose().mmul(projected).mmul(y);

function densely(lambda: number) {
	const inner = Matrix.add(N.mmul(C), Matrix.eye(NODES).mul(lambda));
	const kernels = C.mmul(inverse(inner)).mmul(right).to1DArray();
	const power = y.transpose().mmul(projected).mmul(y).get(0, 0);
	const rest =
		(power - dot(right.to1DArray() as never, kernels as never)) / lambda;
	// det(M + lambda) over the n data is lambda^(n - nodes) det(N C + lambda)
	let logdet = (system.n - NODES) * Math.log(lambda);
	const lu = inner.to2DArray();
	for (let i = 0; i < NODES; i++) {
		let best = i;
		for (let r = i; r < NODES; r++)
			if (Math.abs(lu[r][i]) > Math.abs(lu[best][i])) best = r;
		[lu[i], lu[best]] = [lu[best], lu[i]];
		logdet += Math.log(Math.abs(lu[i][i]));
		for (let r = i + 1; r < NODES; r++) {
			const f = lu[r][i] / lu[i][i];
			for (let c = i; c < NODES; c++) lu[r][c] -= f * lu[i][c];
		}
	}
	const evidence = -(system.n * Math.log(rest / system.n) + logdet) / 2;
	return { kernels, evidence, scale: rest / system.n };
}

const near = (a: ArrayLike<number>, b: ArrayLike<number>) => {
	let [off, all] = [0, 0];
	for (let i = 0; i < a.length; i++) {
		off += (a[i] - b[i]) ** 2;
		all += b[i] ** 2;
	}
	return Math.sqrt(off / all);
};

test("kernels and scale at a given lambda are those of dense matrices", () => {
	for (const lambda of [0.03, 0.5, 20]) {
		const found = solver.solve(map, { lambda });
		const expected = densely(lambda);
		assert.ok(near(found.kernels, expected.kernels) < 0.01, `${lambda}`);
		assert.ok(Math.abs(found.scale / expected.scale - 1) < 0.01);
		assert.ok(Math.abs(found.sigma ** 2 / (lambda * found.scale) - 1) < 1e-9);
		const kept = covariance.apply(found.u);
		assert.ok(near(kept, found.kernels) < 1e-9, "kernels are C u");
	}
});

test("lambda by the evidence is where the dense evidence is greatest", () => {
	const found = solver.solve(map);
	let best = { lambda: 0, evidence: Number.NEGATIVE_INFINITY };
	for (let step = -60; step <= 60; step++) {
		const lambda = 10 ** (step / 10);
		const { evidence } = densely(lambda);
		if (evidence > best.evidence) best = { lambda, evidence };
	}
	// The determinant is known to a few percent only (one probe).
	assert.ok(
		Math.abs(Math.log(found.lambda / best.lambda)) < 0.8,
		`${found.lambda} and ${best.lambda}`,
	);
	assert.ok(densely(found.lambda).evidence > best.evidence - 1);
	assert.ok(Math.abs(found.sigma - 0.5) < 0.15, `noise ${found.sigma}`);
});

test("a polynomial and what weighs nothing change nothing, and the background is found", () => {
	const lambda = 0.5;
	const plain = solver.solve(map, { lambda });
	const surface = Float64Array.from(map, (_, p) => {
		const [u, v] = [Math.floor(p / NY) / NX, (p % NY) / NY];
		return 100 + 40 * u - 30 * v * v + 25 * u * v;
	});
	const spoiled = map.map((v, p) =>
		weights[p] > 0 ? v + surface[p] : Number.NaN,
	);
	const found = solver.solve(spoiled, { lambda });
	assert.ok(near(found.kernels, plain.kernels) < 1e-6);
	const model = operator.apply(found.kernels);
	const background = system.background(spoiled, model);
	const before = system.background(map, model);
	const added = background.map((v, p) => v - before[p]);
	assert.ok(near(added, surface) < 1e-8);
});

test("draws spread as the dense posterior does", async () => {
	const lambda = 0.4;
	const posterior = { scale: 1.5, sigma: Math.sqrt(1.5 * lambda) };
	const count = 4000;
	const rights = Array.from({ length: count }, () => {
		const { truth, right } = solver.draw(posterior, random);
		return { system, truth, right };
	});
	const accuracy = { tolerance: 1e-4, steps: NODES };
	const found = await onThisThread.solve(rights, covariance, lambda, accuracy);
	const spread = new Float64Array(NODES);
	for (const [s, { truth }] of rights.entries())
		for (let i = 0; i < NODES; i++)
			spread[i] += (truth[i] - found[s][i]) ** 2 / count;
	// scale (C^-1 + N / lambda)^-1
	const expected = inverse(
		Matrix.add(inverse(C), Matrix.mul(N, 1 / lambda)),
	).mul(posterior.scale);
	for (let i = 0; i < NODES; i++)
		assert.ok(
			Math.abs(spread[i] / expected.get(i, i) - 1) < 0.15,
			`node ${i}: ${spread[i]}, ${expected.get(i, i)}`,
		);
});

test("polynomials are orthonormal under the weights; what they cannot tell apart is left out", () => {
	const { basis } = new Polynomials(NX, NY, weights, 3);
	assert.is(basis.length, 10);
	for (const [i, a] of basis.entries())
		for (const [j, b] of basis.entries()) {
			const inner = a.reduce((s, v, p) => s + weights[p] * v * b[p], 0);
			assert.ok(Math.abs(inner - (i === j ? 1 : 0)) < 1e-10);
		}
	const line = weights.map((_, p) => (p % NY === 3 ? 1 : 0));
	assert.is(new Polynomials(NX, NY, line, 2).basis.length, 3);
});

test("Cholesky's factor solves, and gives the inverse's diagonal", () => {
	const n = 7;
	const b = Matrix.rand(n, n);
	const a = b.mmul(b.transpose()).add(Matrix.eye(n));
	const l = cholesky(Float64Array.from(a.to1DArray()), n);
	const v = normals(n);
	const x = choleskySolve(l, n, v);
	const back = a.mmul(Matrix.columnVector(Array.from(x))).to1DArray();
	assert.ok(near(back, v) < 1e-10);
	const diagonal = inverse(a).diagonal();
	assert.ok(near(inverseDiagonal(l, n), diagonal) < 1e-10);
	assert.throws(() => cholesky(Float64Array.of(1, 0, 2, 1), 2), /positive/);
});

test("weights that are none are refused", () => {
	for (const bad of [[1, 2], Array(NX * NY).fill(-1)])
		assert.throws(
			() => new MapSystem(operator, bad),
			/a weight of at least 0 for each of the 238 pixels/,
		);
});

test.run();
