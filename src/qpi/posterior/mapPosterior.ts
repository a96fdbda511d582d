import { Random } from "../../random.ts";
import { Polynomials } from "../maths/polynomials.ts";
import type { MapOperator } from "../operator/mapOperator.ts";
import { NormalMatrix } from "../operator/normalMatrix.ts";
import { dot } from "../operator/ridge.ts";
import { BLOCK, Lanczos } from "./lanczos.ts";
import type { Covariance } from "./prior.ts";

/**
 * The kernels of a map as Bayes' rule has them: Y = A K + b + e, K ~ N(0, c C), e ~ N(0, sigma^2 / w) at a pixel of weight w (0: counts nowhere), b any polynomial in x and y up to an order.
 * With lambda = sigma^2 / c and N = A^T W' A, W' the weights with the polynomials projected out, the most probable kernels are `K = C u, (N C + lambda) u = A^T W' Y` (Rasmussen &
 * Williams, Gaussian Processes for Machine Learning, 2006, ch. 2). N C is symmetric in the inner product x^T C y, so one Lanczos run there serves every lambda,
 * and all of its vectors are of the kernels' size, however large the map is.
 */
export class MapSystem {
	readonly operator: MapOperator;
	/** A weight a pixel. */
	readonly weights: Float64Array;
	/** Degrees of freedom: pixels of positive weight, less the polynomials. */
	readonly n: number;
	/** N */
	readonly matrix: NormalMatrix;
	readonly #polynomials: Polynomials;

	/**
	 * @param weights a weight a pixel, all 1 where not given
	 * @param order of the polynomials, 0 for a constant alone
	 * @param polynomials of these weights and this order, where they are known already
	 * @throws RangeError when weights are negative, not finite, or do not fit the map
	 */
	constructor(
		operator: MapOperator,
		weights: ArrayLike<number> | undefined,
		order = 0,
		polynomials?: Polynomials,
	) {
		const { nx, ny, pixels } = operator;
		this.operator = operator;
		this.weights = Float64Array.from({ length: pixels }, (_, i) =>
			weights ? weights[i] : 1,
		);
		if (
			(weights && weights.length !== pixels) ||
			!this.weights.every((w) => w >= 0 && w < Number.POSITIVE_INFINITY)
		)
			throw new RangeError(
				`expected a weight of at least 0 for each of the ${pixels} pixels`,
			);
		this.#polynomials =
			polynomials ?? new Polynomials(nx, ny, this.weights, order);
		const seen = this.#polynomials.basis.map((basis) =>
			operator.adjoint(
				basis.map((v: number, i: number) => v * this.weights[i]),
			),
		);
		this.matrix = new NormalMatrix(operator, this.weights, seen);
		const counted = this.weights.reduce((n, w) => n + (w > 0 ? 1 : 0), 0);
		this.n = Math.max(1, counted - seen.length);
	}

	/** A^T W' Y, and Y^T W' Y. Pixels without weight may hold anything. */
	see(map: ArrayLike<number>): { right: Float64Array; power: number } {
		const clean = Float64Array.from(map, (v, i) =>
			this.weights[i] > 0 ? v : 0,
		);
		const rest = this.#polynomials.without(clean);
		let power = 0;
		for (let i = 0; i < rest.length; i++) {
			const weighted = rest[i] * this.weights[i];
			power += weighted * rest[i];
			rest[i] = weighted;
		}
		return { right: this.operator.adjoint(rest), power };
	}

	/** What noise of unit variance in a pixel of weight 1 makes of A^T W' Y. */
	noise(random: Random): Float64Array {
		const noise = this.weights.map((w) =>
			w > 0 ? random.normal() / Math.sqrt(w) : 0,
		);
		return this.see(noise).right;
	}

	/** Random signs, seen likewise: a probe of the spectrum. */
	signs(random: Random): { right: Float64Array; power: number } {
		return this.see(
			this.weights.map((w) =>
				w > 0 ? (random.uint32() & 1 ? 1 : -1) / Math.sqrt(w) : 0,
			),
		);
	}

	/** The polynomial b that explains most of Y - A K. */
	background(map: ArrayLike<number>, model: Float64Array): Float64Array {
		const rest = model.map((v, i) => (this.weights[i] > 0 ? map[i] - v : 0));
		return this.#polynomials.of(rest);
	}
}

/** What was found, with what belongs to it. */
export interface MapPosterior {
	/** [kinds][size][size], in the map's units. */
	readonly kernels: Float64Array;
	/** (N C + lambda)^-1 A^T W' Y: the kernels are C u. */
	readonly u: Float64Array;
	readonly lambda: number;
	/** Standard deviation of the noise of a pixel of weight 1. */
	readonly sigma: number;
	/** c of the kernels' covariance c C. */
	readonly scale: number;
	/** Logarithm of the evidence, up to a constant that is the same for all priors of one map and its weights; NaN where lambda was given. */
	readonly evidence: number;
}

/** Lanczos steps at most. */
const STEPS = 80;
/** Steps of the run that only the determinant needs. */
const PROBED = 32;
/** Enough when the solver's error is below this share of what regularisation leaves. */
const TOLERANCE = 0.03;
/** And not to be judged when above this. */
const UNRESOLVED = 0.5;

/** Looks at one system under one covariance: solves for several maps. */
export class MapSolver {
	readonly #system: MapSystem;
	readonly #covariance: Covariance;
	#probe: Lanczos | undefined;

	constructor(system: MapSystem, covariance: Covariance) {
		this.#system = system;
		this.#covariance = covariance;
	}

	/** The most probable kernels, lambda by the greatest evidence (type-II maximum likelihood) where it is not given. */
	solve(
		map: ArrayLike<number>,
		{ lambda, steps = STEPS }: { lambda?: number; steps?: number } = {},
	): MapPosterior {
		const { n } = this.#system;
		const { right, power } = this.#system.see(map);
		const run = this.#run(right);
		let best = { lambda: lambda ?? 1, evidence: Number.NaN };
		while (run.length < steps) {
			// The evidence of a short run misleads: it takes what is not yet resolved for noise-free signal.
			run.extend(run.length === 0 && lambda === undefined ? 3 * BLOCK : BLOCK);
			if (lambda === undefined && run.norm > 0)
				best = this.#mostEvident(run, power);
			if (run.error(best.lambda) < TOLERANCE) break;
		}
		const { u, kernels } = run.solve(best.lambda);
		// y^T (M + lambda)^-1 y / n, M = A C A^T between the weights' roots
		const scale = Math.max(0, (power - dot(right, kernels)) / best.lambda / n);
		return {
			...best,
			u,
			kernels,
			scale,
			sigma: Math.sqrt(best.lambda * scale),
		};
	}

	/**
	 * A draw from the prior, and how a map of it with drawn noise is seen: the draw less its own most probable kernels, solved for (solveMany.ts), is a draw of the kernels about
	 * their mean (Papandreou & Yuille, NIPS 2010).
	 */
	draw(
		{ scale, sigma }: Pick<MapPosterior, "scale" | "sigma">,
		random: Random,
	): { truth: Float64Array; right: Float64Array } {
		const amplitude = Math.sqrt(scale);
		const truth = this.#covariance.sample(random).map((v) => amplitude * v);
		const right = this.#system.matrix.apply(truth);
		const noise = this.#system.noise(random);
		for (let i = 0; i < right.length; i++) right[i] += sigma * noise[i];
		return { truth, right };
	}

	#run(right: Float64Array): Lanczos {
		return new Lanczos(this.#system.matrix, this.#covariance, right);
	}

	/** c being at its best for each lambda: log p(Y) = -(n log(y^T (M + lambda)^-1 y / n) + log det(M + lambda)) / 2 + const. */
	#mostEvident(run: Lanczos, power: number) {
		const { n } = this.#system;
		if (!this.#probe) {
			this.#probe = this.#run(this.#system.signs(new Random(0)).right);
			this.#probe.extend(PROBED);
		}
		const own = run.quadrature();
		const spectrum = this.#probe.quadrature();
		let best = { evidence: Number.NEGATIVE_INFINITY, lambda: 1 };
		for (let step = -60; step <= 60; step++) {
			const lambda = 10 ** (step / 10);
			// What the run has not resolved yet looks like noise-free signal.
			if (run.error(lambda) > UNRESOLVED) continue;
			let quad = power;
			for (const { value, weight } of own) quad -= weight / (value + lambda);
			quad = Math.max(quad, 1e-12 * power) / lambda;
			let logdet = n * Math.log(lambda);
			for (const { value, weight } of spectrum)
				logdet +=
					(weight * Math.log1p(Math.max(0, value) / lambda)) /
					Math.max(value, 1e-300);
			const evidence = -(n * Math.log(quad / n) + logdet) / 2;
			if (evidence > best.evidence) best = { evidence, lambda };
		}
		return best;
	}
}
