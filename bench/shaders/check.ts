/** Comparisons of what the kernels gave with float64 on the CPU. */
import { Random } from "../../src/random.ts";
import { type Nd, nd } from "../../test/opTesting.ts";

export interface Given {
	readonly inputs: readonly Nd[];
	/** Of the output, where gradients were computed. */
	readonly dy: Nd | null;
}

/** The results of a pass, in its order; `of` is the output's number or the number of the input whose gradient it is. */
export type Result = { readonly of: number; readonly data: Float32Array };

/** The largest error, relative to the largest value; NaN where something is none. */
export type Check = (given: Given, results: readonly Result[]) => number;

const SAMPLES = 50;

const largest = (values: readonly number[]) =>
	values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** Where single elements can be summed: some of each result. */
export const sampled =
	(element: (given: Given, of: number, i: number) => number): Check =>
	(given, results) => {
		const random = new Random(results[0].data.length);
		const errors = results.map(({ of, data }) => {
			const places = Array.from({ length: SAMPLES }, () =>
				random.integer(0, data.length),
			);
			const expected = places.map((i) => element(given, of, i));
			const off = places.map((i, k) => Math.abs(data[i] - expected[k]));
			return Math.max(...off) / largest(expected);
		});
		return Math.max(...errors);
	};

const STEP = 1e-5;
const PLACES = 4;

/**
 * Where the whole operator is at hand: all of its values; of gradients some elements, by central differences, and the slope in a random direction,
 * to which all of them contribute (errors of n elements that do not conspire add up to sqrt(n)).
 */
export const differences =
	(operator: (inputs: readonly Nd[]) => Nd): Check =>
	({ inputs, dy }, results) => {
		if (!dy) {
			const expected = operator(inputs).data;
			let [error, most] = [0, 0];
			results[0].data.forEach((v, i) => {
				error = Math.max(error, Math.abs(v - expected[i]));
				most = Math.max(most, Math.abs(expected[i]));
			});
			return error / most;
		}
		const random = new Random(dy.data.length);
		const slope = (directions: (readonly number[] | Float64Array)[]) => {
			const [up, down] = [STEP, -STEP].map(
				(step) =>
					operator(
						inputs.map(({ shape, data }, k) =>
							nd(shape, (i) => data[i] + step * (directions[k]?.[i] ?? 0)),
						),
					).data,
			);
			let sum = 0;
			for (let i = 0; i < up.length; i++) sum += (up[i] - down[i]) * dy.data[i];
			return sum / (2 * STEP);
		};
		const errors = results.map(({ of, data }) => {
			const places = Array.from({ length: PLACES }, () =>
				random.integer(0, data.length),
			);
			const expected = places.map((i) => {
				const directions = [];
				const unit = new Float64Array(data.length);
				unit[i] = 1;
				directions[of] = unit;
				return slope(directions);
			});
			const scale = largest(expected);
			const off = places.map((i, k) => Math.abs(data[i] - expected[k]));
			const direction = Float64Array.from(data, () => random.uniform(-1, 1));
			const along = data.reduce((sum, g, i) => sum + g * direction[i], 0);
			const directions = [];
			directions[of] = direction;
			const apart = Math.abs(along - slope(directions));
			return Math.max(...off, apart / Math.sqrt(data.length)) / scale;
		});
		return Math.max(...errors);
	};
