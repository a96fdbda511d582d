import { detached, scope } from "../basics/scope.ts";
import { type Shape, show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import { noGrad } from "../tensors/autograd.ts";
import { type Tensor, zeros } from "../tensors/tensor.ts";

/** (N C + lambda) u = b for a batch, N = M - sum_t s_t s_t^T, as functions on tensors [B, length]. */
export interface Equations {
	/** M x */
	readonly normal: (x: Tensor) => Tensor;
	/** C x */
	readonly covariance: (x: Tensor) => Tensor;
	/** s_t as [B or 1, T / 4, length, 4]: four of them in each, zeros where there are not so many. */
	readonly seen: Tensor;
	/** Positive. */
	readonly lambda: number;
}

/**
 * Batched conjugate gradients in the inner product x^T C y, in which N C is symmetric: each step costs one product with M and one with C. Every sum is taken in a fixed
 * order; a sample that has converged to rounding stays as it is. No gradient. Its tensors live until dispose().
 */
export class ConjugateGradients {
	readonly #equations: Equations;
	/** Residual, direction, C of it, and the solution: [B, length]. */
	readonly #r: Tensor;
	readonly #p: Tensor;
	readonly #cp: Tensor;
	readonly #u: Tensor;
	/** C u, [B, length]. */
	readonly kernels: Tensor;
	/** [B, 4] */
	readonly #state: Tensor;

	/**
	 * @param right b, [B, length]; copied
	 * @throws when the length is no multiple of 4, or `seen` or lambda do not fit
	 */
	constructor(right: Tensor, equations: Equations) {
		const { gpu, shape } = right;
		const [batch, length] = shape;
		const { seen, lambda } = equations;
		const [count, , nodes, four] = seen.shape;
		if (
			shape.length !== 2 ||
			length % 4 !== 0 ||
			seen.shape.length !== 4 ||
			(count !== 1 && count !== batch) ||
			nodes !== length ||
			four !== 4 ||
			!(lambda > 0)
		)
			throw new Error(
				`ConjugateGradients: right ${show(shape)}, seen ${show(seen.shape)} and lambda ${lambda}; expected [B, length], a multiple of 4, [B or 1, n, length, 4] and a positive number`,
			);
		this.#equations = equations;
		const make = (shape: Shape) => detached(gpu, () => zeros(gpu, shape));
		[this.#r, this.#p, this.#cp] = [make(shape), make(shape), make(shape)];
		[this.#u, this.kernels] = [make(shape), make(shape)];
		this.#state = make([batch, 4]);
		gpu.copy(right, this.#r);
		scope(gpu, () => noGrad(gpu, () => this.#turn()));
	}

	step(): void {
		const { gpu, shape } = this.#r;
		scope(gpu, () =>
			noGrad(gpu, () => {
				const [direction, image] = [this.#p, this.#cp];
				const w = this.#equations.normal(image);
				const { seen } = this.#equations;
				const state = this.#state;
				this.#run("measure", { direction, image, seen, w, state }, [shape[0]]);
				const bindings = {
					...{ direction, image, slope: w, states: state },
					...{ residual: this.#r, solution: this.#u, kernels: this.kernels },
				};
				this.#run("advance", bindings, lines(gpu, this.#r.size / 4));
				this.#turn();
			}),
		);
	}

	/** Of each sample |(N C + lambda) u - b| / (lambda |u| + |b| / 1000), as the solver of src/qpi has it. */
	async errors(): Promise<number[]> {
		const { lambda } = this.#equations;
		const state = await this.#state.data();
		return Array.from({ length: state.length / 4 }, (_, b) => {
			const [left, start, size] = state.subarray(4 * b);
			if (start === 0) return 0;
			return (
				Math.sqrt(left) / (lambda * Math.sqrt(size) + 1e-3 * Math.sqrt(start))
			);
		});
	}

	dispose(): void {
		for (const t of [this.#r, this.#p, this.#cp, this.#u]) t.dispose();
		for (const t of [this.kernels, this.#state]) t.dispose();
	}

	#turn(): void {
		const cr = this.#equations.covariance(this.#r);
		const bindings = {
			...{ r: this.#r, cr, p: this.#p, cp: this.#cp },
			...{ u: this.#u, cu: this.kernels, state: this.#state },
		};
		this.#run("turn", bindings, [this.#r.shape[0]]);
	}

	#run(
		entry: string,
		bindings: Record<string, Tensor>,
		workgroups: [number, number?],
	): void {
		const { gpu, size, shape } = this.#r;
		const { seen, lambda } = this.#equations;
		gpu.run({
			shader: "conjugateGradients",
			entry,
			bindings,
			params: {
				...{ quads: shape[1] / 4, threads: size / 4, lambda },
				fours: seen.shape[1],
				oneSeen: seen.shape[0] === 1 ? 1 : 0,
			},
			workgroups,
		});
	}
}
