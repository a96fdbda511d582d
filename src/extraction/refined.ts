import { ForwardOperator } from "../qpi/forward.ts";
import { type Posterior, posterior } from "../qpi/posterior.ts";
import type { Covariance, KernelPrior } from "../qpi/prior.ts";
import { adjust, type Weighted } from "./adjust.ts";

/** An image and what is known of it. */
export interface Marked {
	/** 64 x 64, first index x. */
	readonly image: ArrayLike<number>;
	/** A weight a pixel, 0 where nothing was measured; 1 where not given. */
	readonly weights?: ArrayLike<number>;
	/** Model frame, Angstrom. */
	readonly scatterers: readonly Weighted[];
}

/** The refined kernel, and all that it was found with. */
export interface Refined extends Posterior {
	readonly covariance: Covariance;
	readonly operator: ForwardOperator;
	/** Positions and amplitudes as the image has them: the marks themselves, where it does not ask for others. */
	readonly scatterers: readonly Weighted[];
	/** Weight of each pixel: those given, less where the image is not explained. */
	readonly weights: Float64Array;
	/** Whether scatterers were adjusted, and whether pixels count for less. */
	readonly adjusted: boolean;
	readonly robust: boolean;
}

/** How far kernels count as alike, and what share of the covariance is not about them (KernelPrior.near). */
const NEAR = { width: 0.07, share: 0.2 };
const FEW = 30;
/** Adjustments of the scatterers at most. */
const ROUNDS = 3;
/** Times the median that a local misfit must reach before pixels are doubted: of noise alone it stays below 3. */
const DOUBT = 4;

/**
 * The most probable kernel, and with it where the scatterers are:
 *
 * 1. under the kernel prior, then under what is known of kernels near the first answer (KernelPrior.near), lambda by the evidence, which
 *    also decides whether the second is kept: where nothing that was learned looks like this kernel, it is not;
 *    The evidence takes misfits for white noise; where they are not, but patches that the model has nothing for or the colour that a filter gave them,
 *    lambda grows by the number of pixels that err together;
 * 2. the scatterers' positions and amplitudes are adjusted to that kernel and the kernel found again, as long as the evidence grows by more than the
 *    freedom costs;
 * 3. where the image stays unexplained (a scatterer that was not marked, another species, the tip) its pixels count for less, as if errors had Student's
 *    t distribution locally, and the kernel is found once more.
 */
export function refine(marked: Marked, prior: KernelPrior): Refined {
	const { image, scatterers: marks } = marked;
	const given = Float64Array.from(image, (_, i) =>
		marked.weights ? marked.weights[i] : 1,
	);
	const under = (
		covariance: Covariance,
		scatterers: readonly Weighted[],
		weights: Float64Array,
		{ colour = 1, steps }: { colour?: number; steps?: number } = {},
	) => {
		const operator = new ForwardOperator(
			scatterers,
			scatterers.map((s) => s.weight),
		);
		const measured = { operator, image, weights };
		const found = posterior(measured, covariance, { steps });
		const all = { ...found, covariance, operator, scatterers, weights };
		return colour > 1 ? widened(all, image, colour) : all;
	};
	// To know which kernels are alike, a few steps do.
	const first = under(prior, marks, given, { steps: FEW });
	const second = under(prior.near(first.kernel, NEAR), marks, given);
	let best =
		second.evidence > first.evidence ? second : under(prior, marks, given);
	const colour = colourOf(image, best, given);
	if (colour > 1) best = widened(best, image, colour);
	const again = (scatterers: readonly Weighted[], weights: Float64Array) =>
		under(prior.near(best.kernel, NEAR), scatterers, weights, { colour });

	let occam = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const { kernel, offset, sigma, scatterers } = best;
		if (!(sigma > 0)) break;
		const change = adjust(
			{ image, weights: given },
			kernel,
			offset,
			sigma,
			scatterers,
			marks,
		);
		if (change.promise <= 0) break;
		const next = again(change.scatterers, given);
		if (next.evidence + change.occam <= best.evidence + occam + 1) break;
		best = next;
		occam = change.occam;
	}
	const adjusted = best.scatterers !== marks;
	const weights = doubted(image, best, given);
	if (weights) best = again(best.scatterers, weights);
	return { ...best, adjusted, robust: weights !== undefined };
}

type Solution = Omit<Refined, "adjusted" | "robust">;

/** The same with lambda `colour` times as large, and the evidence of as many fewer independent pixels. */
function widened(
	found: Solution,
	image: ArrayLike<number>,
	colour: number,
): Solution {
	const { operator, weights, covariance, lambda, evidence } = found;
	return {
		...found,
		...posterior({ operator, image, weights }, covariance, {
			lambda: colour * lambda,
		}),
		evidence: evidence / colour,
	};
}

/** Misfits below this share of the image's standard deviation are none. */
const SMALL = 0.1;
/** Pixels that are tried for erring together with one: this far in x and y. */
const PATCH = 6;

/**
 * How many pixels err together: the sum of the squared autocorrelation of the misfit, 1 for white noise (an area in pixels; the variance of a sum of squares
 * grows by it). Also 1 where next to nothing is left unexplained.
 */
function colourOf(
	image: ArrayLike<number>,
	{ operator, kernel, offset }: Solution,
	given: Float64Array,
): number {
	const n = operator.size;
	const fit = operator.apply(kernel);
	const rest = fit.map((v, i) => (given[i] > 0 ? image[i] - v - offset : 0));
	const measured = given.filter((w) => w > 0).length;
	const power = rest.reduce((sum, v) => sum + v * v, 0) / measured;
	if (!(power > (SMALL * deviation(image, given)) ** 2)) return 1;
	let sum = 0;
	for (let dx = -PATCH; dx <= PATCH; dx++)
		for (let dy = -PATCH; dy <= PATCH; dy++) {
			let [product, count] = [0, 0];
			for (let x = Math.max(0, -dx); x < Math.min(n, n - dx); x++)
				for (let y = Math.max(0, -dy); y < Math.min(n, n - dy); y++) {
					const [i, j] = [x * n + y, (x + dx) * n + y + dy];
					if (given[i] === 0 || given[j] === 0) continue;
					product += rest[i] * rest[j];
					count++;
				}
			// What chance alone gives is taken off.
			if (count > 0)
				sum += Math.max(0, (product / count / power) ** 2 - 1 / count);
		}
	return Math.max(1, sum);
}

/** Degrees of freedom of the t distribution. */
const FREEDOM = 4;
/** Pixels around one whose misfit is looked at together: 5 x 5. */
const REACH = 2;

/** Weights after one step of iterative reweighting, from the mean square misfit around each pixel; undefined where it is even. */
function doubted(
	image: ArrayLike<number>,
	{ operator, kernel, offset }: Solution,
	given: Float64Array,
): Float64Array | undefined {
	const fit = operator.apply(kernel);
	const n = operator.size;
	const square = fit.map((v, i) =>
		given[i] > 0 ? given[i] * (image[i] - v - offset) ** 2 : 0,
	);
	const local = new Float64Array(square.length);
	for (let x = 0; x < n; x++)
		for (let y = 0; y < n; y++) {
			let [sum, count] = [0, 0];
			for (let i = Math.max(0, x - REACH); i <= Math.min(n - 1, x + REACH); i++)
				for (
					let j = Math.max(0, y - REACH);
					j <= Math.min(n - 1, y + REACH);
					j++
				) {
					sum += square[i * n + j];
					if (given[i * n + j] > 0) count++;
				}
			local[x * n + y] = count > 0 ? sum / count : 0;
		}
	const known = local.filter((_, i) => given[i] > 0).sort();
	const median = known[Math.floor(known.length / 2)] ?? 0;
	// Where almost everything is explained, what is left is the prior's doing and says nothing about the image.
	const usual = Math.max(median, (SMALL * deviation(image, given)) ** 2);
	if (!(known[known.length - 1] > DOUBT * usual)) return undefined;
	return given.map(
		(w, i) => (w * (FREEDOM + 1)) / (FREEDOM + Math.max(1, local[i] / usual)),
	);
}

/** Standard deviation of the pixels that were measured. */
function deviation(image: ArrayLike<number>, given: Float64Array): number {
	let [count, mean, square] = [0, 0, 0];
	given.forEach((w, i) => {
		if (w === 0) return;
		// Welford's recurrence: images on a large constant keep their digits
		const away = image[i] - mean;
		mean += away / ++count;
		square += away * (image[i] - mean);
	});
	return Math.sqrt(square / Math.max(1, count));
}
