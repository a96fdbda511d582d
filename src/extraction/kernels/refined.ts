import { ForwardOperator } from "../../qpi/operator/forward.ts";
import { type Posterior, posterior } from "../../qpi/posterior/posterior.ts";
import type { Covariance, KernelPrior } from "../../qpi/posterior/prior.ts";
import { adjust, type Weighted } from "../marks/adjust.ts";
import {
	colourOf,
	deviationOf,
	doubted,
	MISFIT,
	type Misfit,
} from "./misfit.ts";

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

/** The choices that refine() rests on (npm run bench:ablation -- refined). */
export const REFINE = {
	/** How far kernels count as alike, and what share of the covariance is not about them (KernelPrior.near); null: the whole distribution alone. */
	near: { width: 0.07, share: 0.2 } as { width: number; share: number } | null,
	/** Lanczos steps that are enough to know which kernels are alike, and whether that helps. */
	few: 30,
	/** Adjustments of the scatterers at most. */
	rounds: 3,
	misfit: MISFIT,
};

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
export function refine(
	marked: Marked,
	prior: KernelPrior,
	{ near, few, rounds, misfit } = REFINE,
): Refined {
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
	// To know which kernels are alike, and whether that helps, as few steps of both do.
	const first = under(prior, marks, given, { steps: few });
	const local = near && prior.near(first.kernel, near);
	const better =
		local &&
		under(local, marks, given, { steps: few }).evidence > first.evidence;
	let best = under(better ? local : prior, marks, given);
	const colour = colourOf(misfitOf(image, best, given), misfit);
	if (colour > 1) best = widened(best, image, colour);
	const again = (scatterers: readonly Weighted[], weights: Float64Array) =>
		under(near ? prior.near(best.kernel, near) : prior, scatterers, weights, {
			colour,
		});

	let occam = 0;
	for (let round = 0; round < rounds; round++) {
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
	const weights = doubted(misfitOf(image, best, given), misfit);
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

/** What a solution leaves, for misfit.ts. */
function misfitOf(
	image: ArrayLike<number>,
	{ operator, kernel, offset }: Solution,
	weights: Float64Array,
): Misfit {
	const { size } = operator;
	const rest = operator
		.apply(kernel)
		.map((v, i) => (weights[i] > 0 ? image[i] - v - offset : 0));
	const deviation = deviationOf(image, weights);
	return { rest, nx: size, ny: size, weights, deviation };
}
