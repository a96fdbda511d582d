import type { Random } from "../random.ts";
import type { Covariance } from "./prior.ts";
import { dot } from "./ridge.ts";

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

	constructor(factors: Factors) {
		this.factors = factors;
	}

	/** Variance of each node on its own. */
	get own(): Float64Array {
		return this.factors.own;
	}

	/** The most probable coefficients of a kernel C u: those of the whole pattern, also where it lies outside the window. */
	coefficients(u: Float64Array): Float64Array {
		return this.#spread(this.#project(u));
	}

	apply(kernel: Float64Array): Float64Array {
		const { own } = this.factors;
		const out = this.#expand(this.#spread(this.#project(kernel)));
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
		const out = this.#expand(z);
		for (let i = 0; i < out.length; i++)
			out[i] += Math.sqrt(own[i]) * random.normal();
		return out;
	}

	/** V^T k */
	#project(kernel: Float64Array): Float64Array {
		const { components: v, own } = this.factors;
		const area = own.length;
		const out = new Float64Array(this.factors.variances.length);
		// Four at a time: each value is loaded once for them, and the processor adds them side by side.
		let c = 0;
		for (; c + 4 <= out.length; c += 4) {
			let [s0, s1, s2, s3] = [0, 0, 0, 0];
			for (let i = 0, k = c * area; i < area; i++, k++) {
				const value = kernel[i];
				s0 += value * v[k];
				s1 += value * v[k + area];
				s2 += value * v[k + 2 * area];
				s3 += value * v[k + 3 * area];
			}
			out[c] = s0;
			out[c + 1] = s1;
			out[c + 2] = s2;
			out[c + 3] = s3;
		}
		for (; c < out.length; c++)
			for (let i = 0; i < area; i++) out[c] += kernel[i] * v[c * area + i];
		return out;
	}

	/** V z */
	#expand(z: Float64Array): Float64Array {
		const { components: v, own } = this.factors;
		const area = own.length;
		const out = new Float64Array(area);
		let c = 0;
		for (; c + 4 <= z.length; c += 4) {
			const [a0, a1, a2, a3] = z.subarray(c, c + 4);
			for (let i = 0, k = c * area; i < area; i++, k++)
				out[i] +=
					a0 * v[k] +
					a1 * v[k + area] +
					a2 * v[k + 2 * area] +
					a3 * v[k + 3 * area];
		}
		for (; c < z.length; c++)
			for (let i = 0; i < area; i++) out[i] += z[c] * v[c * area + i];
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
