import type { Random } from "../random.ts";
import { taps } from "./interpolate.ts";
import type { Covariance, KernelPrior } from "./prior.ts";

/** Sizes of a window that a prior is looked at through. */
export interface WindowShape {
	/** Nodes along the window's side, odd, the scatterer in the middle one. */
	readonly size: number;
	/** The window's pixel over the prior's: how far apart its nodes are on the prior's 128 x 128. At most 1, so that they carry all that the prior has. */
	readonly step: number;
	/** Components at most, those of the greatest variance. */
	readonly most?: number;
}

/** Coefficients' covariance, as far as it is not diagonal. */
interface Alike {
	readonly weight: number;
	readonly vector: Float64Array;
}

/**
 * A kernel prior on the pixels of a map: its components interpolated (they are band-limited) from nodes that are a working pixel apart to a window at the map's own
 * pixel, and a variance of each pixel on its own for what they cannot make: detail finer than the working pixel, and what was never learned.
 */
export class WindowPrior implements Covariance {
	readonly size: number;
	/** Variance of each pixel on its own, for kernels of unit RMS. */
	readonly own: Float64Array;
	readonly #prior: KernelPrior;
	/** [kept][size * size] */
	readonly #components: Float32Array;
	/** Of the prior's coefficients, those whose components are kept. */
	readonly #kept: Int32Array;
	readonly #variances: Float64Array;
	readonly #alike: readonly Alike[];

	private constructor(
		of: Pick<WindowPrior, "size" | "own"> & {
			prior: KernelPrior;
			components: Float32Array;
			kept: Int32Array;
			variances: Float64Array;
			alike: readonly Alike[];
		},
	) {
		this.size = of.size;
		this.own = of.own;
		this.#prior = of.prior;
		this.#components = of.components;
		this.#kept = of.kept;
		this.#variances = of.variances;
		this.#alike = of.alike;
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
		return new WindowPrior({
			size,
			own: new Float64Array(area).fill(prior.floor + left / NODES ** 2),
			prior,
			components,
			kept,
			variances: Float64Array.from(kept, (k) => variances[k]),
			alike: [],
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
		return this.#with({
			variances: Float64Array.from(this.#kept, (c) => share * variances[c]),
			alike: found.map(({ weight, vector }) => ({
				weight: scale * weight,
				vector: Float64Array.from(this.#kept, (c) => vector[c]),
			})),
		});
	}

	#with(
		change: Partial<{
			own: Float64Array;
			variances: Float64Array;
			alike: readonly Alike[];
		}>,
	): WindowPrior {
		return new WindowPrior({
			size: this.size,
			own: this.own,
			prior: this.#prior,
			components: this.#components,
			kept: this.#kept,
			variances: this.#variances,
			alike: this.#alike,
			...change,
		});
	}

	/** The most probable coefficients of a kernel C u: those of the whole pattern, also where it lies outside the window. */
	coefficients(u: Float64Array): Float64Array {
		return this.#spread(this.#project(u));
	}

	apply(kernel: Float64Array): Float64Array {
		const out = this.#expand(this.#spread(this.#project(kernel)));
		for (let i = 0; i < out.length; i++) out[i] += this.own[i] * kernel[i];
		return out;
	}

	sample(random: Random): Float64Array {
		const z = this.#variances.map((v) => Math.sqrt(v) * random.normal());
		for (const { weight, vector } of this.#alike) {
			const a = Math.sqrt(weight) * random.normal();
			for (let i = 0; i < z.length; i++) z[i] += a * vector[i];
		}
		const out = this.#expand(z);
		for (let i = 0; i < out.length; i++)
			out[i] += Math.sqrt(this.own[i]) * random.normal();
		return out;
	}

	/** V^T k */
	#project(kernel: Float64Array): Float64Array {
		const area = this.size ** 2;
		const v = this.#components;
		const out = new Float64Array(this.#kept.length);
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
		const area = this.size ** 2;
		const v = this.#components;
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
		const out = z.map((v, i) => v * this.#variances[i]);
		for (const { weight, vector } of this.#alike) {
			let overlap = 0;
			for (let i = 0; i < z.length; i++) overlap += vector[i] * z[i];
			overlap *= weight;
			for (let i = 0; i < z.length; i++) out[i] += overlap * vector[i];
		}
		return out;
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
