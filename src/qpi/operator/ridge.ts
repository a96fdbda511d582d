import { Random } from "../../random.ts";
import type { ForwardOperator } from "./forward.ts";

/**
 * Known-position ridge least squares: the kernel K and the constant b with the least `|Y - A K - b|^2 + lambda |K|^2`.
 *
 * b is eliminated by projecting constants out, P = 1 - 11^T/pixels, for then `Y - A K - b` becomes `P (Y - A K)`. All work is done on images: k
 * Lanczos steps on P A A^T P from P Y, orthogonalised in full, give the basis in which conjugate gradients (CGLS, LSQR) would move, K = A^T U c,
 * and the tridiagonal T's Cholesky factor is the bidiagonal matrix of Golub and Kahan (Paige & Saunders, ACM TOMS 8, 43 (1982)). So one run of k
 * products with A A^T serves every lambda and every number of steps up to k, at a cost of O(k) each, and equals k steps of CG from zero.
 */

/** A kernel, and how well it explains the image. */
export interface RidgeResult {
	/** support x support nodes (see ForwardOperator), in the image's units. */
	readonly kernel: Float64Array;
	/** The constant b. */
	readonly offset: number;
	readonly lambda: number;
	/** Steps taken: fewer than asked for when the image is explained before. */
	readonly iterations: number;
	/** 1 - |residual|^2 / |Y - mean|^2 on the fitted pixels themselves: close to 1 means little, for there are more nodes than pixels. */
	readonly explained: number;
}

export interface RidgeOptions {
	/** At least 0; compare with A A^T's eigenvalues, about the number of scatterers. Default 1. */
	readonly lambda?: number;
	/** Lanczos steps; 12 regularise by themselves (early stopping). Default 12. */
	readonly iterations?: number;
	/** support x support: shrink toward this kernel instead of zero, `lambda |K - toward|^2`. */
	readonly toward?: Float64Array;
}

/**
 * Ridge with a given lambda; by default stopped early, which on noisy images beats the converged solution.
 * @throws when lambda is negative or not a number, or the image is not size x size
 */
export function ridge(
	operator: ForwardOperator,
	image: ArrayLike<number>,
	{ lambda = 1, iterations = 12, toward }: RidgeOptions = {},
): RidgeResult {
	if (!(lambda >= 0))
		throw new Error(`ridge: expected lambda >= 0, got ${lambda}`);
	const rest = Float64Array.from(image);
	if (toward) addScaled(rest, operator.apply(toward), -1);
	const basis = lanczos(operator, rest, iterations);
	const kernel = combine(operator, basis, damped(basis, lambda));
	if (toward) addScaled(kernel, toward, 1);
	return {
		...judge(operator, image, kernel),
		lambda,
		iterations: basis.alpha.length,
	};
}

/**
 * Ridge with lambda by generalised cross-validation (Golub, Heath & Wahba, Technometrics 21, 215 (1979)): the least
 * `|residual|^2 / trace(1 - influence)^2` over lambda = 10^-3 ... 10^4. The trace is estimated with one fixed vector of random
 * signs by Gauss quadrature on its own Lanczos run (Golub & von Matt, J. Comput. Graph. Stat. 6, 1 (1997)): about 2 % off with 4096 pixels.
 *
 * On clean images the minimum is flat toward small lambda (an image has fewer pixels than the kernel nodes, so A has full row rank, and
 * residual and trace vanish together): lambda then says little about the noise, but the kernel hardly depends on it.
 * @throws when the image is not size x size
 */
export function ridgeGcv(
	operator: ForwardOperator,
	image: ArrayLike<number>,
	{ iterations = 20 }: { readonly iterations?: number } = {},
): RidgeResult {
	const basis = lanczos(operator, Float64Array.from(image), iterations);
	const signs = new Random(0);
	const probe = lanczos(
		operator,
		Float64Array.from(image, () => (signs.uint32() & 1 ? 1 : -1)),
		iterations,
	);
	const freedom = image.length - 1;
	let best = { lambda: 1, gcv: Number.POSITIVE_INFINITY };
	for (let step = -30; step <= 40; step++) {
		const lambda = 10 ** (step / 10);
		const { residual } = damped(basis, lambda);
		const trace = freedom * lambda * inverseCorner(probe, lambda);
		const gcv = residual / trace ** 2;
		if (gcv < best.gcv) best = { lambda, gcv };
	}
	const { lambda } = best;
	const kernel = combine(operator, basis, damped(basis, lambda));
	return {
		...judge(operator, image, kernel),
		lambda,
		iterations: basis.alpha.length,
	};
}

/** The central size x size nodes of a kernel: those that are the pixels of a kernel image. */
export function centre(kernel: Float64Array): Float32Array {
	const support = Math.sqrt(kernel.length);
	const size = support / 2;
	const out = new Float32Array(size * size);
	for (let ix = 0; ix < size; ix++)
		for (let iy = 0; iy < size; iy++)
			out[ix * size + iy] = kernel[(ix + size / 2) * support + iy + size / 2];
	return out;
}

/** The opposite of `centre`: a kernel image in the middle of a kernel that is zero around it. */
export function embed(image: ArrayLike<number>): Float64Array {
	const size = Math.sqrt(image.length);
	const out = new Float64Array(4 * size * size);
	for (let ix = 0; ix < size; ix++)
		for (let iy = 0; iy < size; iy++)
			out[(ix + size / 2) * 2 * size + iy + size / 2] = image[ix * size + iy];
	return out;
}

/** Orthonormal images U and the tridiagonal T = U^T P A A^T P U: diagonal alpha, and beta[i] between i and i + 1 (the last leads out of U). */
interface Basis {
	readonly vectors: Float64Array[];
	readonly alpha: number[];
	readonly beta: number[];
	/** |P Y|; U's first vector is P Y over it. */
	readonly norm: number;
}

function lanczos(
	operator: ForwardOperator,
	start: Float64Array,
	steps: number,
): Basis {
	removeMean(start);
	const norm = Math.sqrt(dot(start, start));
	const basis: Basis = { vectors: [], alpha: [], beta: [], norm };
	let next = start;
	let length = norm;
	for (let k = 0; k < steps; k++) {
		// Nothing left to explain: the Krylov space is exhausted, or there is no image or no scatterer.
		if (!(length > 1e-12 * Math.max(norm, basis.alpha[0] ?? 0))) break;
		const vector = next.map((v) => v / length);
		next = operator.gram(vector);
		removeMean(next);
		const alpha = dot(vector, next);
		if (!(alpha > 0)) break;
		basis.vectors.push(vector);
		for (const u of basis.vectors) addScaled(next, u, -dot(u, next));
		length = Math.sqrt(dot(next, next));
		basis.alpha.push(alpha);
		basis.beta.push(length);
	}
	return basis;
}

/** Coefficients c of K = A^T U c for the least |norm e1 - T c|^2 + lambda c^T T c, and its first term. */
interface Damped {
	readonly coefficients: Float64Array;
	readonly residual: number;
}

function damped({ alpha, beta, norm }: Basis, lambda: number): Damped {
	const k = alpha.length;
	// T = L L^T with the diagonal d and the subdiagonal e; the lower bidiagonal B is L with one more row, e[k-1].
	const d = new Float64Array(k);
	const e = new Float64Array(k);
	for (let i = 0; i < k; i++) {
		d[i] = Math.sqrt(
			Math.max(alpha[i] - (i > 0 ? e[i - 1] ** 2 : 0), 1e-14 * alpha[i]),
		);
		e[i] = beta[i] / d[i];
	}
	// (B^T B + lambda) y = B^T norm e1
	const y = solveTridiagonal(
		d.map((di, i) => di * di + e[i] * e[i] + lambda),
		e.map((ei, i) => ei * (d[i + 1] ?? 0)),
		norm * (d[0] ?? 0),
	);
	let residual = k > 0 ? (norm - d[0] * y[0]) ** 2 : norm ** 2;
	for (let i = 0; i < k; i++)
		residual += (e[i] * y[i] + (d[i + 1] ?? 0) * (y[i + 1] ?? 0)) ** 2;
	const coefficients = new Float64Array(k);
	for (let i = k - 1; i >= 0; i--)
		coefficients[i] = (y[i] - e[i] * (coefficients[i + 1] ?? 0)) / d[i];
	return { coefficients, residual };
}

/** First element of (T + lambda)^-1: the Gauss quadrature of u^T (P A A^T P + lambda)^-1 u for U's first vector u. */
function inverseCorner({ alpha, beta }: Basis, lambda: number): number {
	if (alpha.length === 0) return 1 / lambda;
	return solveTridiagonal(
		Float64Array.from(alpha, (a) => a + lambda),
		Float64Array.from(beta),
		1,
	)[0];
}

/** Solves a symmetric tridiagonal system (diagonal; off[i] between i and i + 1) for the right-hand side (first, 0, 0, ...). */
function solveTridiagonal(
	diagonal: Float64Array,
	off: Float64Array,
	first: number,
): Float64Array {
	const k = diagonal.length;
	const x = new Float64Array(k);
	const pivot = new Float64Array(k);
	for (let i = 0; i < k; i++) {
		const factor = i > 0 ? off[i - 1] / pivot[i - 1] : 0;
		pivot[i] = diagonal[i] - (i > 0 ? factor * off[i - 1] : 0);
		x[i] = i > 0 ? -factor * x[i - 1] : first;
	}
	for (let i = k - 1; i >= 0; i--)
		x[i] = (x[i] - (i + 1 < k ? off[i] * x[i + 1] : 0)) / pivot[i];
	return x;
}

/** K = A^T U c */
function combine(
	operator: ForwardOperator,
	{ vectors }: Basis,
	{ coefficients }: Damped,
): Float64Array {
	const dual = new Float64Array(operator.size ** 2);
	vectors.forEach((u, i) => {
		addScaled(dual, u, coefficients[i]);
	});
	return operator.adjoint(dual);
}

function judge(
	operator: ForwardOperator,
	image: ArrayLike<number>,
	kernel: Float64Array,
) {
	const signal = Float64Array.from(image);
	const residual = Float64Array.from(image);
	addScaled(residual, operator.apply(kernel), -1);
	removeMean(signal);
	const offset = removeMean(residual);
	const total = dot(signal, signal);
	const explained = total > 0 ? 1 - dot(residual, residual) / total : 0;
	return { kernel, offset, explained };
}

/** Takes the mean away in place and returns it. */
export function removeMean(image: Float64Array): number {
	let mean = 0;
	for (let i = 0; i < image.length; i++) mean += image[i] / image.length;
	for (let i = 0; i < image.length; i++) image[i] -= mean;
	return mean;
}

/** Inner product. */
export function dot(a: Float64Array, b: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
	return sum;
}

function addScaled(a: Float64Array, b: Float64Array, scale: number): void {
	for (let i = 0; i < a.length; i++) a[i] += scale * b[i];
}
