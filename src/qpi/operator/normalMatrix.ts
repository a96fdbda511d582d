import { MapOperator, type OperatorDescription } from "./mapOperator.ts";
import { dot } from "./ridge.ts";

/** A NormalMatrix as plain arrays, for another thread or a graphics device. */
export interface NormalDescription {
	readonly operator: OperatorDescription;
	readonly weights: Float64Array;
	readonly seen: readonly Float64Array[];
}

/** N = A^T W' A: W' the weights W with polynomials p projected out, W' = W - sum_p (W p) (W p)^T for p orthonormal under W. */
export class NormalMatrix {
	readonly operator: MapOperator;
	/** A weight a pixel. */
	readonly weights: Float64Array;
	/** A^T W p of each polynomial. */
	readonly seen: readonly Float64Array[];
	readonly #map: Float64Array;

	constructor(
		operator: MapOperator,
		weights: Float64Array,
		seen: readonly Float64Array[],
	) {
		this.operator = operator;
		this.weights = weights;
		this.seen = seen;
		this.#map = new Float64Array(operator.pixels);
	}

	static of({ operator, weights, seen }: NormalDescription): NormalMatrix {
		return new NormalMatrix(MapOperator.of(operator), weights, seen);
	}

	describe(): NormalDescription {
		const { operator, weights, seen } = this;
		return { operator: operator.describe(), weights, seen };
	}

	/** N k */
	apply(kernels: Float64Array): Float64Array {
		const map = this.operator.apply(kernels, this.#map);
		for (let i = 0; i < map.length; i++) map[i] *= this.weights[i];
		const out = this.operator.adjoint(map);
		for (const seen of this.seen) {
			const along = dot(seen, kernels);
			for (let i = 0; i < out.length; i++) out[i] -= along * seen[i];
		}
		return out;
	}
}
