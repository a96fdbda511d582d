import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { Random } from "../../random.ts";
import type { ForwardOperator } from "../operator/forward.ts";
import { dot } from "../operator/ridge.ts";
import type { Covariance } from "./prior.ts";

/**
 * The kernel of a linear model with normal noise and a normal prior: Y = A K + b + e, K ~ N(K0, c C), e ~ N(0, sigma^2 / w) at a pixel of weight w
 * (0: not measured), b any constant. With lambda = sigma^2 / c the most probable kernel is `K0 + C A^T W^1/2 (M + lambda)^-1 W^1/2 (Y - A K0 - b)`,
 * M = W^1/2 A C A^T W^1/2 (Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006, ch. 2). All work is done on images: one Lanczos run on M
 * serves every lambda, as in ridge.ts, which is the case C = 1.
 */
export interface MeasuredImage {
	readonly operator: ForwardOperator;
	/** 64 x 64, first index x. */
	readonly image: ArrayLike<number>;
	/** A weight a pixel, 1 where not given. */
	readonly weights?: ArrayLike<number>;
}

export interface Posterior {
	/** 128 x 128 nodes, in the image's units. */
	readonly kernel: Float64Array;
	/** The constant b. */
	readonly offset: number;
	readonly lambda: number;
	/** Standard deviation of the noise of a pixel of weight 1. */
	readonly sigma: number;
	/** The kernel's own scale: c of its covariance c C. */
	readonly scale: number;
	/** Logarithm of the evidence, up to a constant that is the same for all priors of one image and its weights. */
	readonly evidence: number;
}

export interface PosteriorOptions {
	/** Kept when given, chosen by the evidence when not. */
	readonly lambda?: number;
	/** K0, 128 x 128 nodes; zero when not given. */
	readonly mean?: Float64Array;
	/** Lanczos steps at most. */
	readonly steps?: number;
}

/** The most probable kernel, lambda by the greatest evidence (type-II maximum likelihood) where it is not given. */
export function posterior(
	measured: MeasuredImage,
	covariance: Covariance,
	{ lambda, mean, steps = 60 }: PosteriorOptions = {},
): Posterior {
	const system = new System(measured, covariance);
	const y = system.whiten(measured.image, mean);
	const basis = new Lanczos(system, y);
	const probe =
		lambda === undefined
			? new Lanczos(system, system.signs(new Random(0)))
			: undefined;
	let best = { evidence: Number.NaN, lambda: lambda ?? 1 };
	while (basis.length < steps) {
		// The evidence of a short run misleads: it takes what is not yet resolved for noise-free signal.
		const more = basis.length === 0 && probe ? 3 * BLOCK : BLOCK;
		basis.extend(more);
		// Of the logarithms' sum a shorter run says enough.
		if (probe && probe.length < PROBED) probe.extend(more);
		if (probe && basis.norm > 0) best = mostEvident(basis, probe, system.n);
		if (basis.error(best.lambda) < TOLERANCE) break;
	}
	const chosen = best.lambda;
	const u = basis.solve(chosen);
	const scale = Math.max(0, dot(u, y)) / system.n;
	const kernel = system.kernel(u);
	if (mean) for (let i = 0; i < kernel.length; i++) kernel[i] += mean[i];
	return {
		kernel,
		offset: system.offset(kernel),
		lambda: chosen,
		sigma: Math.sqrt(chosen * scale),
		scale,
		evidence: best.evidence,
	};
}

/**
 * Draws from the posterior about its mean, for the uncertainty of a kernel and of everything that is computed from it: a draw from the prior, measured
 * with drawn noise, less its own most probable kernel (Papandreou & Yuille, NIPS 2010). 128 x 128 nodes each.
 */
export function* posteriorSamples(
	measured: MeasuredImage,
	covariance: Covariance,
	{ lambda, scale, sigma }: Pick<Posterior, "lambda" | "scale" | "sigma">,
	{ count = 16, seed = 0, steps = 60 } = {},
): Generator<Float64Array> {
	const system = new System(measured, covariance);
	const weights = system.weights;
	for (let s = 0; s < count; s++) {
		const random = new Random(seed, s + 1);
		const truth = covariance.sample(random);
		const amplitude = Math.sqrt(scale);
		for (let i = 0; i < truth.length; i++) truth[i] *= amplitude;
		const image = measured.operator.apply(truth);
		for (let i = 0; i < image.length; i++)
			if (weights[i] > 0)
				image[i] += (sigma / Math.sqrt(weights[i])) * random.normal();
		const basis = new Lanczos(system, system.whiten(image));
		while (basis.length < steps && !(basis.error(lambda) < TOLERANCE))
			basis.extend(BLOCK);
		const kernel = system.kernel(basis.solve(lambda));
		for (let i = 0; i < truth.length; i++) truth[i] -= kernel[i];
		yield truth;
	}
}

/** M and what surrounds it. Images here are whitened: times the root of the weight, the constant's direction taken out. */
class System {
	/** Degrees of freedom: pixels of positive weight, less the constant. */
	readonly n: number;
	readonly weights: Float64Array;
	readonly #measured: MeasuredImage;
	readonly #covariance: Covariance;
	readonly #root: Float64Array;
	/** Whitened constant, of unit length. */
	readonly #constant: Float64Array;

	constructor(measured: MeasuredImage, covariance: Covariance) {
		const pixels = measured.operator.size ** 2;
		this.weights = Float64Array.from({ length: pixels }, (_, i) =>
			measured.weights ? measured.weights[i] : 1,
		);
		if (measured.image.length !== pixels || !this.weights.every((w) => w >= 0))
			throw new RangeError(
				`expected an image of ${pixels} pixels with weights of at least 0`,
			);
		this.#measured = measured;
		this.#covariance = covariance;
		this.#root = this.weights.map(Math.sqrt);
		const length = Math.sqrt(dot(this.#root, this.#root));
		this.#constant = this.#root.map((v) => (length > 0 ? v / length : 0));
		this.n = Math.max(1, this.weights.filter((w) => w > 0).length - 1);
	}

	whiten(image: ArrayLike<number>, mean?: Float64Array): Float64Array {
		const out = this.#root.map((r, i) => (r > 0 ? r * image[i] : 0));
		if (mean) {
			const known = this.#measured.operator.apply(mean);
			for (let i = 0; i < out.length; i++) out[i] -= this.#root[i] * known[i];
		}
		return this.#project(out);
	}

	/** Random signs where there are pixels: a probe of M's spectrum. */
	signs(random: Random): Float64Array {
		return this.#project(
			this.#root.map((r) => {
				const sign = random.uint32() & 1 ? 1 : -1;
				return r > 0 ? sign : 0;
			}),
		);
	}

	multiply(x: Float64Array): Float64Array {
		const out = this.#measured.operator.apply(this.kernel(x));
		for (let i = 0; i < out.length; i++) out[i] *= this.#root[i];
		return this.#project(out);
	}

	/** C A^T W^1/2 x */
	kernel(x: Float64Array): Float64Array {
		const weighted = x.map((v, i) => v * this.#root[i]);
		return this.#covariance.apply(this.#measured.operator.adjoint(weighted));
	}

	/** Weighted mean of Y - A K. */
	offset(kernel: Float64Array): number {
		const fit = this.#measured.operator.apply(kernel);
		let [sum, total] = [0, 0];
		this.weights.forEach((w, i) => {
			if (w === 0) return;
			sum += w * (this.#measured.image[i] - fit[i]);
			total += w;
		});
		return total > 0 ? sum / total : 0;
	}

	#project(x: Float64Array): Float64Array {
		const along = dot(x, this.#constant);
		for (let i = 0; i < x.length; i++) x[i] -= along * this.#constant[i];
		return x;
	}
}

/** Lanczos steps between two looks at whether there have been enough. */
const BLOCK = 10;
/** Steps of the run that only the determinant needs. */
const PROBED = 40;
/** Enough when the solver's error is below this share of the misfit, or of a misfit that is negligible. */
const TOLERANCE = 0.05;
/** And not to be judged when above this. */
const UNRESOLVED = 0.5;
/** A misfit that nobody minds, as a share of the image. */
const NEGLIGIBLE = 0.05;

/** Orthonormal vectors from a start vector on, and the tridiagonal T of M between them: conjugate gradients for every lambda at once. */
class Lanczos {
	readonly alpha: number[] = [];
	readonly beta: number[] = [];
	/** Length of the start vector. */
	readonly norm: number;
	readonly #system: System;
	readonly #vectors: Float64Array[] = [];
	#next: Float64Array;
	#exhausted = false;

	constructor(system: System, start: Float64Array) {
		this.#system = system;
		this.#next = start;
		this.norm = Math.sqrt(dot(start, start));
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
			const next = this.#system.multiply(vector);
			this.#vectors.push(vector);
			this.alpha.push(dot(vector, next));
			// Twice is enough (Parlett): Lanczos vectors in floating point lose their orthogonality otherwise.
			for (let pass = 0; pass < 2; pass++)
				for (const v of this.#vectors) {
					const overlap = dot(v, next);
					for (let i = 0; i < next.length; i++) next[i] -= overlap * v[i];
				}
			length = Math.sqrt(dot(next, next));
			this.beta.push(length);
			this.#next = next;
		}
	}

	/** (M + lambda)^-1 of the start vector. */
	solve(lambda: number): Float64Array {
		const x = this.#solve(lambda);
		const out = new Float64Array(this.#next.length);
		this.#vectors.forEach((v, j) => {
			for (let i = 0; i < out.length; i++) out[i] += x[j] * v[i];
		});
		return out;
	}

	/** The solver's error |(M + lambda) u - y| over the misfit |lambda u|, u = solve(lambda), or over a small share of |y| where that is more. */
	error(lambda: number): number {
		if (this.#exhausted) return 0;
		const x = this.#solve(lambda);
		const last = x.at(-1);
		if (last === undefined) return Number.POSITIVE_INFINITY;
		const error = Math.abs(last) * (this.beta.at(-1) ?? 0);
		return (
			error / Math.max(lambda * Math.sqrt(dot(x, x)), NEGLIGIBLE * this.norm)
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
}

/** lambda of the greatest evidence, c being at its best for each: log p(Y) = -(n log(y^T (M + lambda)^-1 y / n) + log det(M + lambda)) / 2 + const. */
function mostEvident(basis: Lanczos, probe: Lanczos, n: number) {
	const spectrum = quadrature(probe);
	const own = quadrature(basis);
	let best = { evidence: Number.NEGATIVE_INFINITY, lambda: 1 };
	for (let step = -50; step <= 25; step++) {
		const lambda = 10 ** (step / 10);
		// What the run has not resolved yet looks like noise-free signal.
		if (basis.error(lambda) > UNRESOLVED) continue;
		let logdet = 0;
		for (const { value, weight } of spectrum)
			logdet += n * weight * Math.log(Math.max(0, value) + lambda);
		let quad = 0;
		for (const { value, weight } of own)
			quad += (basis.norm ** 2 * weight) / (Math.max(0, value) + lambda);
		const evidence = -(n * Math.log(quad / n) + logdet) / 2;
		if (evidence > best.evidence) best = { evidence, lambda };
	}
	return best;
}

/** Nodes and weights of the Gauss quadrature of M's spectrum as the start vector sees it (Golub & Meurant, Acta Numerica 1994). */
function quadrature({ alpha, beta }: Lanczos) {
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
		{
			assumeSymmetric: true,
		},
	);
	return realEigenvalues.map((value, i) => ({
		value,
		weight: eigenvectorMatrix.get(0, i) ** 2,
	}));
}
