import type { Random } from "../random.ts";
import type { Covariance } from "./prior.ts";

/** Kernels of several kinds, each with a distribution of its own and independent of the others; all of one size. */
export class BlockCovariance implements Covariance {
	readonly #parts: readonly Covariance[];

	constructor(parts: readonly Covariance[]) {
		this.#parts = parts;
	}

	apply(kernels: Float64Array): Float64Array {
		const length = kernels.length / this.#parts.length;
		const out = new Float64Array(kernels.length);
		this.#parts.forEach((part, s) => {
			const own = kernels.slice(s * length, (s + 1) * length);
			out.set(part.apply(own), s * length);
		});
		return out;
	}

	sample(random: Random): Float64Array {
		const draws = this.#parts.map((part) => part.sample(random));
		const out = new Float64Array(draws.length * draws[0].length);
		draws.forEach((draw, s) => {
			out.set(draw, s * draw.length);
		});
		return out;
	}
}

/** Every node on its own, with the same variance: ridge's prior. */
export const independent = (nodes: number): Covariance => ({
	apply: (kernels) => kernels.slice(),
	sample: (random) =>
		Float64Array.from({ length: nodes }, () => random.normal()),
});
