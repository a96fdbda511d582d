import { CholeskyDecomposition, Matrix, solve } from "ml-matrix";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import {
	fold,
	packTriangle,
	SORTS,
	unfold,
} from "../src/qpi/operator/quadrants.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { posterior, posteriorSamples } from "../src/qpi/posterior/posterior.ts";
import { type Covariance, KernelPrior } from "../src/qpi/posterior/prior.ts";
import { Random } from "../src/random.ts";

const normals = (length: number, stream: number) => {
	const random = new Random(7, stream);
	return Float64Array.from({ length }, () => random.normal());
};

/** A prior of two components a sort and three kernels, its components orthonormal within a sort by chance of high dimension alone. */
function smallPrior(): KernelPrior {
	const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
	SORTS.forEach(({ name, swap }, s) => {
		const data = new Float32Array(2 * 4096);
		for (let c = 0; c < 2; c++) {
			const values = normals(4096, 10 * s + c);
			let square = 0;
			for (let i = 0; i < 64; i++)
				for (let j = 0; j < 64; j++) {
					const v = values[i * 64 + j];
					const mirrored = values[j * 64 + i];
					const value = swap === 0 ? v : v + swap * mirrored;
					data[c * 4096 + i * 64 + j] = value;
					square += value ** 2;
				}
			for (let i = 0; i < 4096; i++) data[c * 4096 + i] /= Math.sqrt(square);
		}
		const stored = [0, 1].flatMap((c) => {
			const quadrant = data.subarray(c * 4096, (c + 1) * 4096);
			return [...(swap === 0 ? quadrant : packTriangle(quadrant))];
		});
		tensors.set(`${name}.components`, {
			shape: [2, stored.length / 2],
			data: Float32Array.from(stored),
		});
		tensors.set(`${name}.variances`, {
			shape: [2],
			data: Float32Array.of(2 + s, 1),
		});
	});
	tensors.set("kernels", {
		shape: [3, 12],
		data: Float32Array.from(normals(36, 99)),
	});
	tensors.set("floor", { shape: [1], data: Float32Array.of(0.01) });
	return new KernelPrior(tensors);
}

/** The square's eight symmetries: x -> -x, y -> -y, exchange. */
function views(kernel: Float64Array): Float64Array[] {
	const n = Math.sqrt(kernel.length);
	return Array.from({ length: 8 }, (_, view) => {
		const out = new Float64Array(kernel.length);
		for (let i = 0; i < n; i++)
			for (let j = 0; j < n; j++) {
				const x = view & 1 ? n - 1 - i : i;
				const y = view & 2 ? n - 1 - j : j;
				out[i * n + j] = kernel[view & 4 ? y * n + x : x * n + y];
			}
		return out;
	});
}

const near = (
	a: ArrayLike<number>,
	b: ArrayLike<number>,
	tolerance: number,
) => {
	let [difference, size] = [0, 0];
	for (let i = 0; i < a.length; i++) {
		difference += (a[i] - b[i]) ** 2;
		size += b[i] ** 2;
	}
	assert.ok(
		Math.sqrt(difference / size) < tolerance,
		`relative difference ${Math.sqrt(difference / size)}`,
	);
};

test("quadrants: unfold undoes fold, and lengths are kept", () => {
	const kernel = normals(16 * 16, 1);
	const parts = fold(kernel);
	near(unfold(parts), kernel, 1e-6);
	const square = parts.reduce(
		(sum, p) => sum + p.reduce((s, v) => s + v * v, 0),
		0,
	);
	assert.ok(Math.abs(square / dot(kernel, kernel) - 1) < 1e-6);
});

test("prior: a covariance is symmetric, also near a kernel", () => {
	const prior = smallPrior();
	const [x, y] = [normals(16384, 2), normals(16384, 3)];
	for (const c of [prior, prior.near(x)]) {
		const [a, b] = [dot(x, c.apply(y)), dot(y, c.apply(x))];
		assert.ok(Math.abs(a - b) < 1e-5 * Math.abs(a), `${a} and ${b}`);
	}
});

test("prior: apply is V diag(variances) V^T + floor", () => {
	const prior = smallPrior();
	const z = new Float64Array(12);
	for (const [place, variance] of [
		[0, 2],
		[3, 1],
		[8, 6],
		[10, 6],
		[11, 1],
	]) {
		z.fill(0)[place] = 1;
		const component = prior.kernel(z);
		near(
			prior.apply(component),
			component.map((v) => v * (variance + 0.01)),
			0.05,
		);
	}
});

test("prior: draws have its variances", () => {
	const prior = smallPrior();
	const squares = new Float64Array(12);
	const random = new Random(3);
	for (let i = 0; i < 200; i++)
		prior.coefficients(prior.sample(random)).forEach((v, k) => {
			squares[k] += (v * v) / 200;
		});
	assert.ok(squares[0] > 1.3 && squares[0] < 2.9, `${squares[0]} for 2`);
	assert.ok(squares[8] > 4 && squares[8] < 8.5, `${squares[8]} for 6`);
});

test("prior: a learned kernel is recognised in all eight orientations", () => {
	const prior = smallPrior();
	const first = prior.kernel(
		Float64Array.from(Float32Array.from(normals(36, 99)).subarray(0, 12)),
	);
	for (const turned of views(first)) {
		const about = prior.near(turned, { width: 1e-3, share: 1e-6 });
		const out = about.apply(turned);
		// all of the covariance is along the kernel itself
		const along = dot(out, turned) / dot(turned, turned);
		near(
			out,
			turned.map((v) => v * along),
			0.01,
		);
		assert.ok(along > 0.9 * dot(first, first), `${along}`);
	}
});

/** Independent nodes with a variance each. */
class Diagonal implements Covariance {
	readonly #variances: Float64Array;
	constructor(variances: Float64Array) {
		this.#variances = variances;
	}
	apply(kernel: Float64Array) {
		return kernel.map((v, i) => v * this.#variances[i]);
	}
	sample(random: Random) {
		return this.#variances.map((v) => Math.sqrt(v) * random.normal());
	}
}

/** The same by dense matrices: kernel, and log evidence with the scale at its best. */
function dense(
	operator: ForwardOperator,
	image: Float64Array,
	weights: Float64Array,
	variances: Float64Array,
	lambda: number,
) {
	const pixels = image.length;
	const nodes = variances.length;
	const a = Matrix.zeros(pixels, nodes);
	const unit = new Float64Array(nodes);
	for (let k = 0; k < nodes; k++) {
		unit.fill(0)[k] = 1;
		operator.apply(unit).forEach((v, i) => {
			a.set(i, k, v * Math.sqrt(weights[i]));
		});
	}
	const root = Matrix.columnVector([...weights.map(Math.sqrt)]);
	const constant = root.clone().div(root.norm());
	const project = Matrix.eye(pixels).sub(constant.mmul(constant.transpose()));
	const pa = project.mmul(a);
	const y = project.mmul(
		Matrix.columnVector([...image.map((v, i) => v * Math.sqrt(weights[i]))]),
	);
	const c = Matrix.diag([...variances]);
	const product = pa.mmul(c).mmul(pa.transpose());
	const m = product.add(product.transpose()).mul(0.5);
	const regular = m.add(Matrix.eye(pixels, pixels, lambda));
	const u = solve(regular, y);
	const n = weights.filter((w) => w > 0).length - 1;
	const { lowerTriangularMatrix: l } = new CholeskyDecomposition(regular);
	let logdet = 0;
	for (let i = 0; i < pixels; i++) logdet += 2 * Math.log(l.get(i, i));
	// directions without data (the constant, pixels of weight 0) have the eigenvalue lambda
	logdet -= (pixels - n) * Math.log(lambda);
	const quad = y.transpose().mmul(u).get(0, 0);
	return {
		kernel: c.mmul(pa.transpose()).mmul(u).to1DArray(),
		evidence: -(n * Math.log(quad / n) + logdet) / 2,
		sigma: Math.sqrt((lambda * quad) / n),
		n,
	};
}

const size = 8;
const operator = new ForwardOperator(
	[
		{ x: -60, y: 31 },
		{ x: 90, y: -110 },
		{ x: 15, y: 120 },
	],
	[1, 0.7, 1.2],
	size,
);
const variances = Float64Array.from({ length: 4 * size * size }, (_, i) => {
	const [x, y] = [Math.floor(i / 16) - 7.5, (i % 16) - 7.5];
	return Math.exp(-(x * x + y * y) / 18);
});
const covariance = new Diagonal(variances);
const random = new Random(11);
const truth = covariance.sample(random);
const clean = operator.apply(truth);
const noise = 0.2;
const image = clean.map((v) => 3 + 2 * (v + noise * random.normal()));
const weights = Float64Array.from(image, (_, i) =>
	i < 40 ? 0 : i % 3 ? 1 : 0.5,
);

test("posterior: the kernel is that of dense matrices", () => {
	const lambda = 0.05;
	const found = posterior({ operator, image, weights }, covariance, {
		lambda,
		steps: 300,
	});
	const expected = dense(operator, image, weights, variances, lambda);
	near(found.kernel, expected.kernel, 0.03);
	assert.ok(Math.abs(found.sigma / expected.sigma - 1) < 0.01);
});

test("posterior: a mean is shrunk toward", () => {
	const mean = truth.map((v) => 2 * v);
	const found = posterior({ operator, image, weights }, covariance, {
		lambda: 1e6,
		mean,
	});
	near(found.kernel, mean, 1e-3);
});

test("posterior: lambda is near the greatest evidence, and says the noise", () => {
	const found = posterior({ operator, image, weights }, covariance, {
		steps: 300,
	});
	const at = (lambda: number) =>
		dense(operator, image, weights, variances, lambda).evidence;
	const grid = Array.from({ length: 31 }, (_, i) => 10 ** (i / 10 - 2.5));
	const best = Math.max(...grid.map(at));
	assert.ok(
		best - at(found.lambda) < 1,
		`evidence ${at(found.lambda)}, at best ${best}`,
	);
	assert.ok(Math.abs(found.evidence - at(found.lambda)) < 6);
	// pixels of weight 1 have noise 0.2 x 2; those of weight 1/2 were given the same, so it looks a little smaller
	assert.ok(found.sigma > 0.2 && found.sigma < 0.6, `sigma ${found.sigma}`);
	assert.ok(Math.abs(found.offset - 3) < 0.6, `offset ${found.offset}`);
});

test("posterior: samples have the dense posterior's covariance", () => {
	const lambda = 0.05;
	const fixed = { lambda, scale: 1, sigma: Math.sqrt(lambda) };
	const draws = [
		...posteriorSamples({ operator, image, weights }, covariance, fixed, {
			count: 120,
			steps: 300,
		}),
	];
	// C - C A^T (A C A^T + lambda)^-1 A C by what the dense kernel of each node's own image is
	const nodes = [8 * 16 + 8, 7 * 16 + 9, 10 * 16 + 6];
	for (const node of nodes) {
		const column = new Float64Array(variances.length);
		column[node] = variances[node];
		const known = dense(
			operator,
			operator.apply(column),
			weights,
			variances,
			lambda,
		);
		const expected = variances[node] - known.kernel[node];
		const found = draws.reduce((s, d) => s + d[node] ** 2 / draws.length, 0);
		assert.ok(
			found > 0.65 * expected && found < 1.45 * expected,
			`variance ${found}, expected ${expected}`,
		);
	}
});

test("posterior: an image of nothing gives nothing", () => {
	const found = posterior(
		{ operator, image: new Float64Array(size * size) },
		covariance,
	);
	assert.ok(found.kernel.every((v) => v === 0));
});

test.run();
