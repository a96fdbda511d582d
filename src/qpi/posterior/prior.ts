import type { Random } from "../../random.ts";
import {
	fold,
	foldTriangle,
	SORTS,
	unfold,
	unpackTriangle,
} from "../operator/quadrants.ts";

/**
 * What is known of kernels before any image is seen: a normal distribution over 128 x 128 kernels (ForwardOperator's nodes), learned from
 * thousands of generated ones. Its covariance is that of the principal components of those kernels in the eight orientations of the square,
 * plus a little of everything (`floor`, the variance a node that the components leave over).
 *
 * By the symmetry of the square the components fall into five sorts, even or odd in x and in y and, where both agree, under the
 * exchange of x and y; those even in one and odd in the other come in pairs. Each is fixed by its quadrant, so that 64 x 64
 * numbers hold it and products with it cost a quarter.
 */

/** A normal distribution of kernels, as its covariance: what a solver needs. */
export interface Covariance {
	/** C k, kernels of 128 x 128 nodes. */
	apply(kernel: Float64Array): Float64Array;
	/** A draw from N(0, C). */
	sample(random: Random): Float64Array;
}

interface Group {
	/** [count][width]: quadrants of unit norm, or the halves that fix them (packTriangle). */
	readonly components: Float32Array;
	readonly count: number;
	readonly width: number;
	/** 1 and -1: even and odd under the exchange of x and y; 0: neither. */
	readonly swap: number;
	/** Variances of the coefficients, for kernels of unit RMS. */
	readonly variances: Float32Array;
}

const QUADRANT = 64 * 64;
const TRIANGLE = (64 * 65) / 2;
const ZEROS = new Float64Array(QUADRANT);

export class KernelPrior implements Covariance {
	readonly #groups: readonly Group[];
	readonly #floor: number;
	/** Coefficients of the kernels it was learned from, [n][length]. */
	readonly #kernels: Float32Array;
	/** Numbers of a kernel's coefficients. */
	readonly length: number;

	/**
	 * @param tensors of the weights' file: NAME.components and NAME.variances for each of SORTS, `kernels` and `floor` (training/prior.ts)
	 * @param file its name, for errors
	 * @throws when one is missing or the shapes do not fit
	 */
	constructor(
		tensors: ReadonlyMap<
			string,
			{ readonly shape: readonly number[]; readonly data: unknown }
		>,
		file = "the kernel prior",
	) {
		const get = (name: string) => {
			const tensor = tensors.get(name);
			if (!(tensor?.data instanceof Float32Array))
				throw new Error(
					`${file}: found no tensor ${name} of 32-bit floats, expected those of a kernel prior`,
				);
			return { shape: tensor.shape, data: tensor.data };
		};
		this.#groups = SORTS.map(({ name, swap }) => {
			const { shape, data } = get(`${name}.components`);
			const variances = get(`${name}.variances`).data;
			const [count, width] = shape;
			if (
				width !== (swap === 0 ? QUADRANT : TRIANGLE) ||
				variances.length !== count
			)
				throw new Error(
					`${file}: ${name}.components have the shape [${shape}] and ${variances.length} variances; expected [n, ${swap === 0 ? QUADRANT : TRIANGLE}] and n`,
				);
			return { components: data, count, width, swap, variances };
		});
		this.length = this.#groups.reduce(
			(sum, { count }, g) => sum + count * (g === 4 ? 2 : 1),
			0,
		);
		const kernels = get("kernels");
		if (kernels.shape[1] !== this.length)
			throw new Error(
				`${file}: kernels have ${kernels.shape[1] ?? 0} coefficients, expected ${this.length}`,
			);
		this.#kernels = kernels.data;
		this.#floor = get("floor").data[0];
	}

	/** The components, 128 x 128 nodes each, with their variances for kernels of unit RMS, in the order of the coefficients; an array that is used again for the next. */
	*components(): Generator<{ variance: number; nodes: Float64Array }> {
		for (let block = 0; block < 6; block++) {
			// Even-even and odd-odd parts have two sorts each, by what the exchange of x and y does.
			const { components, count, width, swap, variances } =
				this.#groupOf(block);
			const part = [0, 0, 1, 1, 2, 3][block];
			for (let c = 0; c < count; c++) {
				const values = components.subarray(c * width, (c + 1) * width);
				const quadrants: ArrayLike<number>[] = Array.from(
					{ length: 4 },
					() => ZEROS,
				);
				quadrants[part] = swap === 0 ? values : unpackTriangle(values, swap);
				yield { variance: variances[c], nodes: unfold(quadrants) };
			}
		}
	}

	/** The variance a node that the components leave over. */
	get floor(): number {
		return this.#floor;
	}

	/** V^T k: the components' coefficients in a kernel. */
	coefficients(kernel: Float64Array): Float64Array {
		const [ee, oo, eo, oe] = fold(kernel);
		const out = new Float64Array(this.length);
		let at = 0;
		[ee, ee, oo, oo, eo, oe].forEach((quadrant, block) => {
			const { components, count, width, swap } = this.#groupOf(block);
			const values = swap === 0 ? quadrant : foldTriangle(quadrant, swap);
			// Four at a time: each value is loaded once for them, and the processor adds them side by side.
			let c = 0;
			for (; c + 4 <= count; c += 4) {
				const from = c * width;
				let [s0, s1, s2, s3] = [0, 0, 0, 0];
				for (let i = 0, k = from; i < width; i++, k++) {
					const v = values[i];
					s0 += v * components[k];
					s1 += v * components[k + width];
					s2 += v * components[k + 2 * width];
					s3 += v * components[k + 3 * width];
				}
				out[at++] = s0;
				out[at++] = s1;
				out[at++] = s2;
				out[at++] = s3;
			}
			for (; c < count; c++) {
				let sum = 0;
				for (let i = 0; i < width; i++)
					sum += values[i] * components[c * width + i];
				out[at++] = sum;
			}
		});
		return out;
	}

	/** V z: the kernel with these coefficients. */
	kernel(coefficients: Float64Array): Float64Array {
		const quadrants = Array.from(
			{ length: 4 },
			() => new Float64Array(QUADRANT),
		);
		const [ee, oo, eo, oe] = quadrants;
		let at = 0;
		[ee, ee, oo, oo, eo, oe].forEach((quadrant, block) => {
			const { components, count, width, swap } = this.#groupOf(block);
			const values = swap === 0 ? quadrant : new Float64Array(width);
			let c = 0;
			for (; c + 4 <= count; c += 4) {
				const [a0, a1, a2, a3] = coefficients.subarray(at, at + 4);
				at += 4;
				for (let i = 0, k = c * width; i < width; i++, k++)
					values[i] +=
						a0 * components[k] +
						a1 * components[k + width] +
						a2 * components[k + 2 * width] +
						a3 * components[k + 3 * width];
			}
			for (; c < count; c++) {
				const a = coefficients[at++];
				for (let i = 0; i < width; i++)
					values[i] += a * components[c * width + i];
			}
			if (swap !== 0)
				unpackTriangle(values, swap).forEach((v, i) => {
					quadrant[i] += v;
				});
		});
		return unfold(quadrants);
	}

	/** Components of the six parts that a kernel is made of: mixed ones serve two. */
	#groupOf(block: number): Group {
		return this.#groups[Math.min(block, 4)];
	}

	apply(kernel: Float64Array): Float64Array {
		return this.#withFloor(kernel, (z) => this.#scale(z, this.variances));
	}

	sample(random: Random): Float64Array {
		const z = Float64Array.from(
			this.variances,
			(variance) => Math.sqrt(variance) * random.normal(),
		);
		return this.#addFloor(this.kernel(z), random);
	}

	/**
	 * The distribution near a first estimate: kernels it was learned from, in all orientations, weighted by exp(-(1 - c^2) / width), c the correlation with the
	 * estimate, make `1 - share` of the covariance, the whole distribution the rest. What is known to look like this kernel then
	 * counts for more than what is known of kernels at large: a step of a non-linear estimator with nothing but normal distributions.
	 */
	near(
		estimate: Float64Array,
		{ width = 0.1, share = 0.1, most = 512 } = {},
	): Covariance {
		const neighbours = this.alike(this.coefficients(estimate), {
			width,
			most,
		});
		const variances = this.variances.map((v) => share * v);
		const scale =
			(1 - share) / neighbours.reduce((sum, n) => sum + n.weight, 0);
		return {
			apply: (kernel) =>
				this.#withFloor(kernel, (z) => {
					const out = this.#scale(z, variances);
					for (const { weight, vector } of neighbours) {
						let overlap = 0;
						for (let i = 0; i < z.length; i++) overlap += vector[i] * z[i];
						overlap *= scale * weight;
						for (let i = 0; i < z.length; i++) out[i] += overlap * vector[i];
					}
					return out;
				}),
			sample: (random) => {
				const z = variances.map((v) => Math.sqrt(v) * random.normal());
				for (const { weight, vector } of neighbours) {
					const a = Math.sqrt(scale * weight) * random.normal();
					for (let i = 0; i < z.length; i++) z[i] += a * vector[i];
				}
				return this.#addFloor(this.kernel(z), random);
			},
		};
	}

	/** Variances of the coefficients, for kernels of unit RMS over 64 x 64 nodes. */
	get variances(): Float64Array {
		const out = new Float64Array(this.length);
		let at = 0;
		this.#groups.forEach(({ variances }, g) => {
			for (let copy = 0; copy < (g === 4 ? 2 : 1); copy++) {
				out.set(variances, at);
				at += variances.length;
			}
		});
		return out;
	}

	#scale(z: Float64Array, by: Float64Array): Float64Array {
		return z.map((v, i) => v * by[i]);
	}

	#withFloor(
		kernel: Float64Array,
		covariance: (z: Float64Array) => Float64Array,
	): Float64Array {
		const out = this.kernel(covariance(this.coefficients(kernel)));
		for (let i = 0; i < out.length; i++) out[i] += this.#floor * kernel[i];
		return out;
	}

	#addFloor(kernel: Float64Array, random: Random): Float64Array {
		const sigma = Math.sqrt(this.#floor);
		return kernel.map((v) => v + sigma * random.normal());
	}

	/** The learned kernels most like the one with these coefficients, in any of the eight orientations, each as its coefficients with its weight exp(-(1 - c^2) / width). */
	alike(
		z: Float64Array,
		{ width = 0.1, most = 512 } = {},
	): { weight: number; vector: Float64Array }[] {
		const m = this.length;
		const count = this.#kernels.length / m;
		const counts = this.#groups.map((g) => g.count);
		const norm = Math.sqrt(z.reduce((sum, v) => sum + v * v, 0));
		const found: { weight: number; kernel: number; view: number }[] = [];
		const d = new Float64Array(8);
		for (let k = 0; k < count; k++) {
			const row = this.#kernels.subarray(k * m, (k + 1) * m);
			let at = 0;
			let square = 0;
			// Overlaps by sort; of mixed pairs straight (x with x, y with y) and crossed.
			for (let g = 0; g < 4; g++) {
				d[g] = 0;
				for (const end = at + counts[g]; at < end; at++) {
					d[g] += row[at] * z[at];
					square += row[at] ** 2;
				}
			}
			d.fill(0, 4);
			const pairs = counts[4];
			for (let i = at; i < at + pairs; i++) {
				const [a, b] = [row[i], row[i + pairs]];
				d[4] += a * z[i];
				d[5] += b * z[i + pairs];
				d[6] += b * z[i];
				d[7] += a * z[i + pairs];
				square += a * a + b * b;
			}
			for (let view = 0; view < 8; view++) {
				const { x, y, swap } = signs(view);
				const s = swap ? -1 : 1;
				const overlap =
					d[0] +
					s * d[1] +
					x * y * (d[2] + s * d[3]) +
					(swap ? y * d[6] + x * d[7] : y * d[4] + x * d[5]);
				const c = overlap / (norm * Math.sqrt(square));
				found.push({ weight: Math.exp(-(1 - c * c) / width), kernel: k, view });
			}
		}
		found.sort((a, b) => b.weight - a.weight);
		return found.slice(0, most).map(({ weight, kernel, view }) => ({
			weight,
			vector: this.#turned(
				this.#kernels.subarray(kernel * m, (kernel + 1) * m),
				view,
			),
		}));
	}

	/** A kernel's coefficients after x -> -x (bit 0), y -> -y (bit 1), and before both the exchange of x and y (bit 2). */
	#turned(row: Float32Array, view: number): Float64Array {
		const { x, y, swap } = signs(view);
		const out = Float64Array.from(row);
		const counts = this.#groups.map((g) => g.count);
		let at = 0;
		SORTS.slice(0, 4).forEach((sort, g) => {
			const sign = (sort.x < 0 ? x * y : 1) * (swap ? sort.swap : 1);
			for (const end = at + counts[g]; at < end; at++) out[at] *= sign;
		});
		const pairs = counts[4];
		for (let i = at; i < at + pairs; i++) {
			const [a, b] = swap ? [row[i + pairs], row[i]] : [row[i], row[i + pairs]];
			out[i] = y * a;
			out[i + pairs] = x * b;
		}
		return out;
	}
}

function signs(view: number) {
	return { x: view & 1 ? -1 : 1, y: view & 2 ? -1 : 1, swap: (view & 4) > 0 };
}
