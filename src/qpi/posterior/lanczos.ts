import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { NormalMatrix } from "../operator/normalMatrix.ts";
import { dot } from "../operator/ridge.ts";
import type { Covariance } from "./prior.ts";

/** Steps between two looks at whether there have been enough. */
export const BLOCK = 8;

/** When a solution is good enough. */
export interface Accuracy {
	/** The error |(N C + lambda) u - b| over |lambda u| that is allowed. */
	readonly tolerance: number;
	/** At most. */
	readonly steps: number;
}

/**
 * C u of (N C + lambda) u = right.
 * @throws RangeError when the right-hand side is not of the kernels' size
 */
export function solveOne(
	normal: NormalMatrix,
	covariance: Covariance,
	right: Float64Array,
	lambda: number,
	{ tolerance, steps }: Accuracy,
): Float64Array {
	checkRight(normal, right);
	const run = new Lanczos(normal, covariance, right);
	while (run.length < steps && !(run.error(lambda) < tolerance))
		run.extend(BLOCK);
	return run.solve(lambda).kernels;
}

/** @throws RangeError when a right-hand side is not of the kernels' size */
export function checkRight(normal: NormalMatrix, right: Float64Array): void {
	const { nodes } = normal.operator;
	if (right.length !== nodes)
		throw new RangeError(
			`expected a right-hand side of ${nodes} values, as many as the kernels have, got ${right.length}`,
		);
}

/** Vectors that are orthonormal in x^T C y from a start vector on, and the tridiagonal T of N C between them. */
export class Lanczos {
	readonly alpha: number[] = [];
	readonly beta: number[] = [];
	/** Length of the start vector. */
	readonly norm: number;
	readonly #normal: NormalMatrix;
	readonly #covariance: Covariance;
	readonly #vectors: Float64Array[] = [];
	/** C of each. */
	readonly #images: Float64Array[] = [];
	#next: Float64Array;
	#image: Float64Array;
	#exhausted = false;

	constructor(
		normal: NormalMatrix,
		covariance: Covariance,
		start: Float64Array,
	) {
		this.#normal = normal;
		this.#covariance = covariance;
		this.#next = start;
		this.#image = covariance.apply(start);
		this.norm = Math.sqrt(Math.max(0, dot(start, this.#image)));
		this.#exhausted = this.norm === 0;
	}

	get length(): number {
		return this.#exhausted ? Number.POSITIVE_INFINITY : this.alpha.length;
	}

	extend(steps: number): void {
		let length = this.beta.at(-1) ?? this.norm;
		for (let k = 0; k < steps; k++) {
			// Nothing is left to explain, or there are no more dimensions than vectors.
			if (!(length > 1e-9 * (this.alpha[0] ?? 0))) this.#exhausted = true;
			if (this.#exhausted) return;
			const vector = this.#next.map((v) => v / length);
			const image = this.#image.map((v) => v / length);
			this.#vectors.push(vector);
			this.#images.push(image);
			const next = this.#normal.apply(image);
			this.alpha.push(dot(image, next));
			// Against all, for Lanczos vectors in floating point lose their orthogonality otherwise.
			for (let j = this.#vectors.length - 1; j >= 0; j--) {
				const overlap = dot(this.#images[j], next);
				const v = this.#vectors[j];
				for (let i = 0; i < next.length; i++) next[i] -= overlap * v[i];
			}
			this.#next = next;
			this.#image = this.#covariance.apply(next);
			length = Math.sqrt(Math.max(0, dot(next, this.#image)));
			this.beta.push(length);
		}
	}

	/** u = (N C + lambda)^-1 of the start vector, and C u. */
	solve(lambda: number): { u: Float64Array; kernels: Float64Array } {
		const x = this.#solve(lambda);
		const sum = (vectors: readonly Float64Array[]) => {
			const out = new Float64Array(this.#next.length);
			vectors.forEach((v, j) => {
				for (let i = 0; i < out.length; i++) out[i] += x[j] * v[i];
			});
			return out;
		};
		return { u: sum(this.#vectors), kernels: sum(this.#images) };
	}

	/** The solver's error |(N C + lambda) u - b| over |lambda u|. */
	error(lambda: number): number {
		if (this.#exhausted) return 0;
		const x = this.#solve(lambda);
		const last = x.at(-1);
		if (last === undefined) return Number.POSITIVE_INFINITY;
		return (
			(Math.abs(last) * (this.beta.at(-1) ?? 0)) /
			(lambda * Math.sqrt(dot(x, x)) + 1e-3 * this.norm)
		);
	}

	/** The coefficients of `solve`: a symmetric tridiagonal system. */
	#solve(lambda: number): Float64Array {
		const { alpha, beta } = this;
		const k = alpha.length;
		const x = new Float64Array(k);
		const pivot = new Float64Array(k);
		for (let i = 0; i < k; i++) {
			const factor = i > 0 ? beta[i - 1] / pivot[i - 1] : 0;
			pivot[i] = alpha[i] + lambda - (i > 0 ? factor * beta[i - 1] : 0);
			x[i] = i > 0 ? -factor * x[i - 1] : this.norm;
		}
		for (let i = k - 1; i >= 0; i--)
			x[i] = (x[i] - (i + 1 < k ? beta[i] * x[i + 1] : 0)) / pivot[i];
		return x;
	}

	/** Nodes, and weights that add up to the start vector's square, of the Gauss quadrature of the spectrum as it sees it (Golub & Meurant, Acta Numerica 1994). */
	quadrature() {
		const { alpha, beta } = this;
		const k = alpha.length;
		const t = Matrix.zeros(k, k);
		for (let i = 0; i < k; i++) {
			t.set(i, i, alpha[i]);
			if (i + 1 < k) {
				t.set(i, i + 1, beta[i]);
				t.set(i + 1, i, beta[i]);
			}
		}
		const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
			t,
			{ assumeSymmetric: true },
		);
		return realEigenvalues.map((value, i) => ({
			value: Math.max(0, value),
			weight: (this.norm * eigenvectorMatrix.get(0, i)) ** 2,
		}));
	}
}
