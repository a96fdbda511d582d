import { taps } from "../maths/interpolate.ts";
import { FactoredCovariance, type Factors } from "./factoredCovariance.ts";
import type { KernelPrior } from "./prior.ts";

/** Sizes of a window that a prior is looked at through. */
export interface WindowShape {
	/** Nodes along the window's side, odd, the scatterer in the middle one. */
	readonly size: number;
	/** The window's pixel over the prior's: how far apart its nodes are on the prior's 128 x 128. At most 1, so that they carry all that the prior has. */
	readonly step: number;
	/** Components at most, those of the greatest variance. */
	readonly most?: number;
}

/**
 * A kernel prior on the pixels of a map: its components interpolated (they are band-limited) from nodes that are a working pixel apart to a window at the map's own
 * pixel, and a variance of each pixel on its own for what they cannot make: detail finer than the working pixel, and what was never learned.
 */
export class WindowPrior extends FactoredCovariance {
	readonly size: number;
	readonly #prior: KernelPrior;
	/** Of the prior's coefficients, those whose components are kept. */
	readonly #kept: Int32Array;

	private constructor(
		size: number,
		prior: KernelPrior,
		kept: Int32Array,
		factors: Factors,
	) {
		super(factors);
		this.size = size;
		this.#prior = prior;
		this.#kept = kept;
	}

	/** @throws RangeError for an even size or a step above 1 */
	static of(
		prior: KernelPrior,
		{ size, step, most = prior.length }: WindowShape,
	): WindowPrior {
		if (size % 2 !== 1 || !(step > 0 && step <= 1 + 1e-9))
			throw new RangeError(
				`WindowPrior: expected an odd size and a step of at most 1, got ${size} and ${step}`,
			);
		const { variances } = prior;
		const all = [...variances.keys()];
		all.sort((a, b) => variances[b] - variances[a]);
		const kept = Int32Array.from(all.slice(0, most)).sort();
		const place = new Map([...kept].map((c, at) => [c, at]));
		const area = size * size;
		const components = new Float32Array(kept.length * area);
		const along = window(size, step);
		let c = 0;
		let left = 0;
		for (const { variance, nodes } of prior.components()) {
			const at = place.get(c++);
			if (at === undefined) left += variance;
			else
				interpolate(
					nodes,
					along,
					components.subarray(at * area, (at + 1) * area),
				);
		}
		return new WindowPrior(size, prior, kept, {
			own: new Float64Array(area).fill(prior.floor + left / NODES ** 2),
			components,
			variances: Float64Array.from(kept, (k) => variances[k]),
			weights: new Float64Array(0),
			vectors: new Float64Array(0),
		});
	}

	/** The same with another variance of each pixel on its own. */
	withOwn(own: Float64Array): WindowPrior {
		return this.#with({ own });
	}

	/** The distribution near kernels with these coefficients (as `coefficients` gives them), as KernelPrior.near has it. */
	near(
		coefficients: Float64Array,
		{ width = 0.1, share = 0.1, most = 512 } = {},
	): WindowPrior {
		const z = new Float64Array(this.#prior.length);
		this.#kept.forEach((c, at) => {
			z[c] = coefficients[at];
		});
		const found = this.#prior.alike(z, { width, most });
		const scale = (1 - share) / found.reduce((sum, n) => sum + n.weight, 0);
		const { variances } = this.#prior;
		const kept = this.#kept;
		const vectors = new Float64Array(found.length * kept.length);
		found.forEach(({ vector }, m) => {
			kept.forEach((c, at) => {
				vectors[m * kept.length + at] = vector[c];
			});
		});
		return this.#with({
			variances: Float64Array.from(kept, (c) => share * variances[c]),
			weights: Float64Array.from(found, ({ weight }) => scale * weight),
			vectors,
		});
	}

	#with(change: Partial<Factors>): WindowPrior {
		const factors = { ...this.factors, ...change };
		return new WindowPrior(this.size, this.#prior, this.#kept, factors);
	}
}

/** Nodes along the prior's side. */
const NODES = 128;

/** Nodes and weights that make each of the window's values along one axis. */
function window(size: number, step: number) {
	return Array.from({ length: size }, (_, i) =>
		taps((NODES - 1) / 2 + (i - (size - 1) / 2) * step),
	);
}

function interpolate(
	nodes: Float64Array,
	along: ReturnType<typeof window>,
	out: Float32Array,
): void {
	const size = along.length;
	const first = Math.max(0, along[0].first);
	const last = Math.min(NODES, along[size - 1].first + along[0].weights.length);
	const row = new Float64Array(NODES);
	for (let i = 0; i < size; i++) {
		row.fill(0);
		along[i].weights.forEach((w, p) => {
			const x = along[i].first + p;
			// the prior's patterns are nothing beyond its nodes
			if (x < 0 || x >= NODES) return;
			for (let y = first; y < last; y++) row[y] += w * nodes[x * NODES + y];
		});
		for (let j = 0; j < size; j++) {
			const { first: start, weights } = along[j];
			let sum = 0;
			for (let p = 0; p < weights.length; p++) {
				const y = start + p;
				if (y >= 0 && y < NODES) sum += weights[p] * row[y];
			}
			out[i * size + j] = sum;
		}
	}
}
