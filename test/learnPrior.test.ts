/** Principal components and the kernel prior, against dense matrices and against draws. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { StoredTensor } from "../src/formats/safetensors.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { bareKernel, view } from "../src/qpi/generator/wide.ts";
import {
	SORTS,
	unfold,
	unpackTriangle,
} from "../src/qpi/operator/quadrants.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { KernelPrior } from "../src/qpi/posterior/prior.ts";
import { Random } from "../src/random.ts";
import { principalDirections } from "../src/training/components.ts";
import { learnPrior, principalImages } from "../src/training/prior.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

/** Rows whose columns have standard deviations of 1, 1/2, 1/3, ... */
function normalRows(count: number, length: number): Float32Array[] {
	const random = new Random(3);
	return Array.from({ length: count }, () =>
		Float32Array.from({ length }, (_, i) => random.normal() / (i + 1)),
	);
}

/** The second moments of rows in float64, with `views` of each. */
function moments(
	rows: readonly ArrayLike<number>[],
	views: (row: ArrayLike<number>) => ArrayLike<number>[] = (row) => [row],
): Matrix {
	const all = rows.flatMap(views).map((row) => Array.from(row));
	const x = new Matrix(all);
	return x.transpose().mmul(x).div(all.length);
}

function eigen(matrix: Matrix) {
	const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
		matrix,
		{ assumeSymmetric: true },
	);
	return realEigenvalues
		.map((value, i) => ({ value, vector: eigenvectorMatrix.getColumn(i) }))
		.sort((a, b) => b.value - a.value);
}

/** The square's eight symmetries: x -> -x, y -> -y, exchange. */
function views(kernel: ArrayLike<number>): Float64Array[] {
	const n = Math.sqrt(kernel.length);
	return Array.from({ length: 8 }, (_, view) => {
		const out = new Float64Array(n * n);
		for (let i = 0; i < n; i++)
			for (let j = 0; j < n; j++) {
				const x = view & 1 ? n - 1 - i : i;
				const y = view & 2 ? n - 1 - j : j;
				out[i * n + j] = kernel[view & 4 ? y * n + x : x * n + y];
			}
		return out;
	});
}

const source = (kernels: readonly Float32Array[]) => ({
	count: kernels.length,
	read: async (i: number) => kernels[i],
});

function close(found: number, expected: number, tolerance: number, what = "") {
	assert.ok(
		Math.abs(found - expected) <= tolerance,
		`${what}: found ${found}, expected ${expected}`,
	);
}

for (const [count, length] of [
	[40, 20],
	// more than goes to the adapter together
	[2100, 12],
])
	test(`principal directions of ${count} rows are the dense matrix's eigenvectors`, async () => {
		const rows = normalRows(count, length);
		const { vectors, values } = await principalDirections(
			gpu,
			{ count, length, read: (i, into) => into.set(rows[i]) },
			4,
		);
		const dense = eigen(moments(rows));
		assert.is(values.length, 4);
		for (let c = 0; c < 4; c++) {
			close(values[c], dense[c].value, 1e-5 * dense[0].value, `value ${c}`);
			const found = vectors.subarray(c * length, (c + 1) * length);
			const overlap = Math.abs(
				dot(Float64Array.from(found), Float64Array.from(dense[c].vector)),
			);
			close(overlap, 1, 1e-4, `vector ${c}`);
		}
	});

test("rows that are all zero have directions, and variances of zero", async () => {
	const { vectors, values } = await principalDirections(
		gpu,
		{ count: 3, length: 8, read: (_, into) => into.fill(0) },
		2,
	);
	assert.equal([...values], [0, 0]);
	assert.ok(vectors.every(Number.isFinite));
});

/** The covariance that the tensors of a prior's file say. */
function denseCovariance(tensors: ReadonlyMap<string, StoredTensor>): Matrix {
	const get = (name: string) => tensors.get(name)?.data as Float32Array;
	const nodes = 64;
	const out = Matrix.eye(nodes, nodes).mul(get("floor")[0]);
	for (const { name, x, swap } of SORTS) {
		const all = get(`${name}.components`);
		const variances = get(`${name}.variances`);
		const width = all.length / variances.length;
		variances.forEach((variance, c) => {
			const values = all.subarray(c * width, (c + 1) * width);
			const quadrant = swap === 0 ? values : unpackTriangle(values, swap);
			for (const place of swap === 0 ? [2, 3] : [x > 0 ? 0 : 1]) {
				const parts = Array.from({ length: 4 }, () => new Float64Array(16));
				parts[place] = Float64Array.from(quadrant);
				const v = Matrix.columnVector(unfold(parts));
				out.add(v.mmul(v.transpose()).mul(variance));
			}
		});
	}
	return out;
}

const SMALL = normalRows(10, 64);
const trace = (m: Matrix) => m.trace();

test("a prior of all components is the kernels' second moment in eight orientations", async () => {
	const found = denseCovariance(
		await learnPrior(gpu, source(SMALL), { components: 200, kept: 10 }),
	);
	const expected = moments(SMALL, views);
	const away = Matrix.sub(found, expected).norm() / expected.norm();
	assert.ok(away < 1e-5, `relative difference ${away}`);
});

test("a prior of a few holds the largest eigenvalues, and the floor what is left over", async () => {
	const tensors = await learnPrior(gpu, source(SMALL), {
		components: 12,
		kept: 10,
	});
	const get = (name: string) => tensors.get(name)?.data as Float32Array;
	const values = SORTS.flatMap(({ name, swap }) => {
		const variances = [...get(`${name}.variances`)];
		return swap === 0 ? [...variances, ...variances] : variances;
	}).sort((a, b) => b - a);
	const dense = eigen(moments(SMALL, views));
	// A pair of mixed components is not cut in two.
	assert.ok(values.length === 12 || values.length === 13, `${values.length}`);
	values.forEach((value, c) => {
		close(value, dense[c].value, 1e-5 * dense[0].value, `value ${c}`);
	});
	const all = trace(moments(SMALL));
	close(trace(denseCovariance(tensors)), all, 1e-5 * all, "trace");
	const rest = all - values.reduce((sum, v) => sum + v, 0);
	close(get("floor")[0], rest / 64, 1e-5 * all, "floor");
});

test("principal images are the dense matrix's eigenvectors, the strongest first", async () => {
	const images = await principalImages(gpu, source(SMALL), 9);
	assert.is(images.length, 9);
	const covariance = moments(SMALL, views);
	const dense = eigen(covariance);
	images.forEach((image, c) => {
		const v = Matrix.columnVector(Array.from(image));
		close(v.norm(), 1, 1e-5, `length ${c}`);
		const value = v.transpose().mmul(covariance).mmul(v).get(0, 0);
		close(value, dense[c].value, 1e-5 * dense[0].value, `value ${c}`);
		const rest = Matrix.sub(covariance.mmul(v), Matrix.mul(v, value)).norm();
		close(rest, 0, 2e-3 * dense[0].value, `residual ${c}`);
	});
});

const KERNELS = Array.from({ length: 4 }, (_, i) =>
	view(bareKernel(new Random(2, i)), { turn: 0.3 + i }),
);
const tensors = await learnPrior(gpu, source(KERNELS), {
	components: 40,
	kept: 2,
});
const prior = new KernelPrior(tensors);

/** A smooth bump at a node, odd in neither axis. */
function bump(x: number, y: number): Float64Array {
	return Float64Array.from({ length: 128 * 128 }, (_, p) =>
		Math.exp(-(((p >> 7) - x) ** 2 + ((p & 127) - y) ** 2) / 18),
	);
}
const PROBES = [bump(64, 64), bump(70, 61), bump(75, 80), bump(50, 66)];

/** Second moment of the kernels in eight orientations along x and y. */
function moment(x: Float64Array, y: Float64Array): number {
	let sum = 0;
	for (const kernel of KERNELS)
		for (const turned of views(kernel)) sum += dot(turned, x) * dot(turned, y);
	return sum / (8 * KERNELS.length);
}

test("at full size the prior's covariance is the kernels'", () => {
	for (const [i, x] of PROBES.entries())
		for (const [j, y] of PROBES.entries()) {
			const scale = Math.sqrt(moment(x, x) * moment(y, y));
			close(dot(x, prior.apply(y)), moment(x, y), 1e-4 * scale, `${i}, ${j}`);
		}
});

test("draws have the kernels' second moments and no mean", () => {
	const random = new Random(9);
	const draws = 500;
	const squares = new Float64Array(PROBES.length);
	const means = new Float64Array(PROBES.length);
	for (let d = 0; d < draws; d++) {
		const kernel = prior.sample(random);
		PROBES.forEach((probe, i) => {
			const value = dot(kernel, probe);
			squares[i] += value ** 2 / draws;
			means[i] += value / draws;
		});
	}
	PROBES.forEach((probe, i) => {
		const expected = moment(probe, probe);
		// four standard errors
		close(squares[i] / expected, 1, 4 * Math.sqrt(2 / draws), `probe ${i}`);
		close(means[i] / Math.sqrt(expected), 0, 4 / Math.sqrt(draws), `mean ${i}`);
	});
});

test("the coefficients that are kept are those of every so-many-th kernel", () => {
	const stored = tensors.get("kernels")?.data as Float32Array;
	assert.equal(tensors.get("kernels")?.shape, [2, prior.length]);
	for (const [row, number] of [0, 2].entries()) {
		const z = stored.subarray(row * prior.length, (row + 1) * prior.length);
		const kernel = prior.kernel(Float64Array.from(z));
		const expected = Float64Array.from(KERNELS[number]);
		const away = kernel.map((v, i) => v - expected[i]);
		const share = dot(away, away) / dot(expected, expected);
		assert.ok(share < 1e-6, `kernel ${number}: ${share} left over`);
	}
});

test.run();
