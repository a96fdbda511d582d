import type { Random } from "../../random.ts";
import { FactoredCovariance, type Factors } from "./factoredCovariance.ts";
import type { Covariance } from "./prior.ts";

/** Kernels of several kinds, each with a distribution of its own and independent of the others; all of one size. */
export class BlockCovariance implements Covariance {
	readonly parts: readonly FactoredCovariance[];

	constructor(parts: readonly FactoredCovariance[]) {
		this.parts = parts;
	}

	apply(kernels: Float64Array): Float64Array {
		const length = kernels.length / this.parts.length;
		const out = new Float64Array(kernels.length);
		this.parts.forEach((part, s) => {
			const own = kernels.slice(s * length, (s + 1) * length);
			out.set(part.apply(own), s * length);
		});
		return out;
	}

	sample(random: Random): Float64Array {
		const draws = this.parts.map((part) => part.sample(random));
		const out = new Float64Array(draws.length * draws[0].length);
		draws.forEach((draw, s) => {
			out.set(draw, s * draw.length);
		});
		return out;
	}
}

/**
 * What a covariance is made of, kind by kind, for another thread or a graphics device.
 * @throws Error when it is of another sort than those that maps are solved with
 */
export function factorsOf(covariance: Covariance): readonly Factors[] {
	if (covariance instanceof BlockCovariance)
		return covariance.parts.map((part) => part.factors);
	if (covariance instanceof FactoredCovariance) return [covariance.factors];
	throw new Error(
		"factorsOf: expected a covariance of components and of nodes on their own",
	);
}
