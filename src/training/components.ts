import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { scope } from "../engine/basics/scope.ts";
import type { Gpu } from "../engine/device/gpu.ts";
import { Parameter, Parameters } from "../engine/layers/parameters.ts";
import { mul, scale } from "../engine/ops/elementwise.ts";
import { linear } from "../engine/ops/linear.ts";
import { sum } from "../engine/ops/reduce.ts";
import { backward } from "../engine/tensors/autograd.ts";
import { tensor } from "../engine/tensors/tensor.ts";
import { Random } from "../random.ts";

/** The leading eigenvectors of a second-moment matrix, the largest eigenvalue first. They have unit length; where all rows are zero, vectors and eigenvalues are zero. */
export interface Eigen {
	/** [count][length] */
	readonly vectors: Float32Array;
	readonly values: Float64Array;
}

/** A matrix too large to be passed around. */
export interface Rows {
	readonly count: number;
	readonly length: number;
	/** Dimension of the space that symmetry leaves them; `length` when not given. */
	readonly dimension?: number;
	/** Writes row i into `into`. */
	read(i: number, into: Float32Array): void;
}

/** Rows that go to the adapter together: 2048 x 4096 floats are a quarter of the smallest storage limit. */
const CHUNK = 2048;

/**
 * Principal directions about zero of many long rows, `X^T X / n`, by subspace iteration (Halko, Martinsson & Tropp, SIAM Rev. 53, 217 (2011), algorithm 4.4):
 * the product with X^T X is the gradient of |X Q|^2 / 2, so that each iteration is a forward and a backward pass of the
 * engine. Eigenvalues that are close to those left out are underestimated by a few per cent.
 *
 * @param spare more directions than wanted make the wanted ones converge faster
 */
export async function principalDirections(
	gpu: Gpu,
	rows: Rows,
	count: number,
	{ iterations = 5, spare = 32, seed = 0 } = {},
): Promise<Eigen> {
	const { length, dimension = length } = rows;
	// More directions than dimensions would be noise, and not orthogonal.
	const width = Math.min(dimension, count + spare);
	const random = new Random(seed);
	let q: Float32Array = Float32Array.from({ length: width * length }, () =>
		random.normal(),
	);
	orthonormalise(q, length);
	for (let iteration = 1; ; iteration++) {
		const product = await secondMoment(gpu, rows, q, width);
		if (iteration < iterations) {
			q = product;
			orthonormalise(q, length);
			continue;
		}
		return rayleighRitz(q, product, width, length, count);
	}
}

/** q X^T X / n for the rows of q. */
async function secondMoment(
	gpu: Gpu,
	rows: Rows,
	q: Float32Array,
	width: number,
): Promise<Float32Array> {
	const { length, count } = rows;
	const p = new Parameter([width, length], q);
	const parameters = new Parameters(gpu, [["q", p]]);
	try {
		for (let first = 0; first < count; first += CHUNK) {
			const n = Math.min(CHUNK, count - first);
			const values = new Float32Array(n * length);
			for (let i = 0; i < n; i++)
				rows.read(first + i, values.subarray(i * length, (i + 1) * length));
			scope(gpu, () => {
				const x = tensor(gpu, values, [n, length]);
				const y = linear(x, p, null);
				backward(scale(sum(mul(y, y)), 0.5 / count));
			});
			await gpu.idle();
		}
		return (await p.grad?.data()) as Float32Array;
	} finally {
		parameters.dispose();
	}
}
/** Modified Gram-Schmidt, twice, on rows. */
function orthonormalise(q: Float32Array, length: number): void {
	const row = (i: number) => q.subarray(i * length, (i + 1) * length);
	for (let i = 0; i < q.length / length; i++) {
		const a = row(i);
		for (let pass = 0; pass < 2; pass++)
			for (let j = 0; j < i; j++) {
				const b = row(j);
				let overlap = 0;
				for (let k = 0; k < length; k++) overlap += a[k] * b[k];
				for (let k = 0; k < length; k++) a[k] -= overlap * b[k];
			}
		let square = 0;
		for (let k = 0; k < length; k++) square += a[k] ** 2;
		// Where nothing varies there is no direction: the row stays zero.
		const norm = square > 0 ? 1 / Math.sqrt(square) : 0;
		for (let k = 0; k < length; k++) a[k] *= norm;
	}
}

/** Eigenvectors within the span of the orthonormal rows q, from their product with the matrix. */
function rayleighRitz(
	q: Float32Array,
	product: Float32Array,
	width: number,
	length: number,
	count: number,
): Eigen {
	const small = Matrix.zeros(width, width);
	for (let i = 0; i < width; i++)
		for (let j = 0; j <= i; j++) {
			let overlap = 0;
			for (let k = 0; k < length; k++)
				overlap += q[i * length + k] * product[j * length + k];
			small.set(i, j, overlap);
			small.set(j, i, overlap);
		}
	const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
		small,
		{ assumeSymmetric: true },
	);
	const order = realEigenvalues
		.map((_, i) => i)
		.sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
		.slice(0, count);
	const vectors = new Float32Array(order.length * length);
	order.forEach((from, to) => {
		const vector = new Float64Array(length);
		for (let i = 0; i < width; i++) {
			const weight = eigenvectorMatrix.get(i, from);
			for (let k = 0; k < length; k++) vector[k] += weight * q[i * length + k];
		}
		vectors.set(vector, to * length);
	});
	return {
		vectors,
		values: Float64Array.from(order, (i) => Math.max(0, realEigenvalues[i])),
	};
}
