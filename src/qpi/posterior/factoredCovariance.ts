import type { Random } from "../../random.ts";
import { dot } from "../operator/ridge.ts";
import type { Covariance } from "./prior.ts";
import { WindowComponents } from "./windowComponents.ts";

/** What a covariance C = V (diag(variances) + sum_m weights_m vectors_m vectors_m^T) V^T + diag(own) is made of. */
export interface Factors {
	/** Of each node on its own, [nodes]. */
	readonly own: Float64Array;
	/** V^T, [n][nodes]. */
	readonly components: Float32Array;
	/** Of the components' coefficients, [n]. */
	readonly variances: Float64Array;
	/** Of further patterns of coefficients, [m], and these, [m][n]. */
	readonly weights: Float64Array;
	readonly vectors: Float64Array;
}

/** Kernels that are sums of components with normal coefficients, and independent values of the nodes. */
export class FactoredCovariance implements Covariance {
	readonly factors: Factors;
	readonly #components: WindowComponents;

	constructor(factors: Factors) {
		this.factors = factors;
		const { components, own } = factors;
		this.#components = WindowComponents.of(components, own.length);
	}

	/** Variance of each node on its own. */
	get own(): Float64Array {
		return this.factors.own;
	}

	/** The most probable coefficients of a kernel C u: those of the whole pattern, also where it lies outside the window. */
	coefficients(u: Float64Array): Float64Array {
		return this.#spread(this.#components.project(u));
	}

	apply(kernel: Float64Array): Float64Array {
		const { own } = this.factors;
		const z = this.#components.project(kernel);
		const out = this.#components.expand(this.#spread(z));
		for (let i = 0; i < out.length; i++) out[i] += own[i] * kernel[i];
		return out;
	}

	sample(random: Random): Float64Array {
		const { own, variances, weights, vectors } = this.factors;
		const z = variances.map((v) => Math.sqrt(v) * random.normal());
		weights.forEach((weight, m) => {
			const a = Math.sqrt(weight) * random.normal();
			for (let i = 0, k = m * z.length; i < z.length; i++, k++)
				z[i] += a * vectors[k];
		});
		const out = this.#components.expand(z);
		for (let i = 0; i < out.length; i++)
			out[i] += Math.sqrt(own[i]) * random.normal();
		return out;
	}

	/** The coefficients' covariance times coefficients. */
	#spread(z: Float64Array): Float64Array {
		const { variances, weights, vectors: v } = this.factors;
		const n = z.length;
		const out = z.map((value, i) => value * variances[i]);
		// Two at a time, as above.
		let m = 0;
		for (; m + 2 <= weights.length; m += 2) {
			const [first, second] = [m * n, (m + 1) * n];
			let [a, b] = [0, 0];
			for (let i = 0; i < n; i++) {
				a += v[first + i] * z[i];
				b += v[second + i] * z[i];
			}
			a *= weights[m];
			b *= weights[m + 1];
			for (let i = 0; i < n; i++)
				out[i] += a * v[first + i] + b * v[second + i];
		}
		if (m < weights.length) {
			const vector = v.subarray(m * n, (m + 1) * n);
			const overlap = weights[m] * dot(vector, z);
			for (let i = 0; i < n; i++) out[i] += overlap * vector[i];
		}
		return out;
	}
}

/** Every node on its own, with these variances: ridge's prior where all are 1. */
export const independent = (own: Float64Array): FactoredCovariance =>
	new FactoredCovariance({
		own,
		components: new Float32Array(0),
		variances: new Float64Array(0),
		weights: new Float64Array(0),
		vectors: new Float64Array(0),
	});
