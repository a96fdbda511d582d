import { Polynomials } from "../../qpi/maths/polynomials.ts";
import { MapOperator, type Site } from "../../qpi/operator/mapOperator.ts";
import { BlockCovariance } from "../../qpi/posterior/blockCovariance.ts";
import { independent } from "../../qpi/posterior/factoredCovariance.ts";
import { MapSolver, MapSystem } from "../../qpi/posterior/mapPosterior.ts";
import type { KernelPrior } from "../../qpi/posterior/prior.ts";
import { WindowPrior } from "../../qpi/posterior/windowPrior.ts";
import { type AdjustedSites, adjustSites } from "../marks/adjustMarks.ts";
import { FurtherImages, type MapKernels } from "./furtherImages.ts";
import {
	colourOf,
	deviationOf,
	doubted,
	MISFIT,
	type Misfit,
} from "./misfit.ts";
import { ringsOf } from "./reach.ts";
import type { MapSolution, SitedMap } from "./sitedMap.ts";
import { chooseWorkingPixel, type WorkingPixel } from "./workingPixel.ts";

/** The refined kernels of a map. */
export interface RefinedMap extends MapSolution, WorkingPixel {
	readonly adjusted: boolean;
	readonly robust: boolean;
	/**
	 * For other images of the same scatterers, at other energies: with this one's working pixel and variances, and the prior made anew near each one's own first
	 * answer. lambda by the evidence, grown by as much as here.
	 * @param sites this one's when not given
	 */
	again(sites?: MapSolution["sites"]): FurtherImages;
}

/** The choices that refineMap() rests on (npm run bench:ablation -- refined). */
export const REFINE_MAP = {
	/** Components of the prior that are kept, and that the choice of the working pixel is made with. */
	most: 500,
	trial: 100,
	/** How far kernels count as alike, and what share of the covariance is not about them (KernelPrior.near); null: the whole distribution alone. */
	near: { width: 0.07, share: 0.2 } as { width: number; share: number } | null,
	/** Whether each pixel gets a variance of its own where ridge has what the first answer lacks. */
	own: true,
	/** Lanczos steps that are enough to compare working pixels, and to know which kernels are alike. */
	few: 24,
	/** Adjustments of the scatterers at most. */
	rounds: 2,
	misfit: MISFIT,
};
/** What is expected of marks: relative amplitude, and place in Angstrom. */
const MARKS = { amplitude: 0.3, shift: 1.5 };

/** Every pixel of the kernels on its own; lambda by the evidence where it is not given. */
export function ridgeMap(
	map: SitedMap,
	size: number,
	options: { lambda?: number; steps?: number } = {},
): MapSolution {
	const system = systemOf(map, size, map.sites, map.weights);
	const covariance = independent(
		new Float64Array(map.kinds * size ** 2).fill(1),
	);
	return {
		...new MapSolver(system, covariance).solve(map.image, options),
		size,
		covariance,
		system,
		sites: map.sites,
		colour: 1,
	};
}

/** For other images of the same scatterers, at other energies. @param sites those of the first when not given */
export const ridgeAgain = (
	map: SitedMap,
	first: MapSolution,
	sites: MapSolution["sites"] = first.sites,
): FurtherImages =>
	new FurtherImages({
		system:
			sites === first.sites
				? first.system
				: systemOf(map, first.size, sites, map.weights),
		...{ sites, size: first.size, covariance: first.covariance },
		...{ growth: 1, colour: 1 },
	});

/**
 * The most probable kernels under what is known of kernels (EXTRACTION: the prior of 128 x 128 nodes, seen through a window at the map's own pixel):
 *
 * 1. the working pixel, the prior's node in Angstrom, is the one of the greatest evidence among a few;
 * 2. near the first answer the prior is made anew from the learned kernels that are like it, and each pixel gets a variance of its own where ridge says that the answer lacks
 *    something, close to the scatterer most of all;
 * 3. sites and amplitudes are adjusted as long as the evidence grows by more than the freedom costs; errors that are not white widen lambda;
 * 4. where the map stays unexplained its pixels count for less.
 *
 * @param ridge of the same map and size
 */
export async function refineMap(
	map: SitedMap,
	prior: KernelPrior,
	ridge: MapSolution,
	report: (what: string) => Promise<void> = async () => {},
	constants = REFINE_MAP,
): Promise<RefinedMap> {
	const { image, pixel, kinds } = map;
	const { few, near: alike } = constants;
	const { size, system } = ridge;
	await report("working pixel");
	const look = (working: number, most: number) =>
		WindowPrior.of(prior, { size, step: pixel / working, most });
	const rough = Array.from({ length: kinds }, (_, s) => kindOf(ridge, s));
	const { workingPixel, tried } = chooseWorkingPixel(
		pixel,
		rough,
		(working) => {
			const part = look(working, constants.trial);
			const parts = Array.from({ length: kinds }, () => part);
			return new MapSolver(system, new BlockCovariance(parts)).solve(image, {
				steps: few,
			}).evidence;
		},
	);
	await report("prior");
	const whole = look(workingPixel, constants.most);
	const under = (
		parts: readonly WindowPrior[],
		system: MapSystem,
		sites: readonly Required<Site>[],
		options: { lambda?: number; steps?: number } = {},
	): MapSolution & { parts: readonly WindowPrior[] } => {
		const covariance = new BlockCovariance(parts);
		const found = new MapSolver(system, covariance).solve(image, options);
		return { ...found, size, covariance, system, sites, colour: 1, parts };
	};
	const first = under(
		Array.from({ length: kinds }, () => whole),
		system,
		map.sites,
	);
	const own = first.parts.map((part, s) =>
		constants.own
			? part.withOwn(
					ownVariance(
						part,
						kindOf(ridge, s),
						kindOf(first, s),
						first.scale,
						size,
					),
				)
			: part,
	);
	/** The distributions near the kernels that were solved for. */
	const nearTo = (from: readonly WindowPrior[], u: Float64Array) =>
		own.map((part, s) =>
			alike
				? part.near(
						from[s].coefficients(kindOf({ kernels: u, size }, s)),
						alike,
					)
				: part,
		);
	await report("kernels like it");
	const second = under(nearTo(first.parts, first.u), system, map.sites);
	let best = second.evidence > first.evidence ? second : first;
	const misfit = (found: MapSolution): Misfit => misfitOf(map, found);
	const colour = colourOf(misfit(best), constants.misfit);
	const widened = (found: typeof first): typeof first =>
		colour > 1
			? {
					...found,
					...under(found.parts, found.system, found.sites, {
						lambda: colour * found.lambda,
					}),
					// The kernels' scale stays; the noise is that of as many fewer independent pixels.
					scale: found.scale,
					sigma: Math.sqrt(colour) * found.sigma,
					evidence: found.evidence / colour,
					colour,
				}
			: found;
	best = widened(best);

	let occam = 0;
	const prior1 = { amplitude: MARKS.amplitude, shift: MARKS.shift / pixel };
	for (let round = 0; round < constants.rounds; round++) {
		if (!(best.sigma > 0)) break;
		await report("marks");
		const change = adjustTo(map, best, prior1);
		if (change.promise <= 0) break;
		const moved = systemOf(map, size, change.sites, map.weights);
		const next = widened(under(best.parts, moved, change.sites));
		if (next.evidence + change.occam <= best.evidence + occam + 1) break;
		best = next;
		occam = change.occam;
	}
	const adjusted = best.sites !== map.sites;
	const weights = doubted(misfit(best), constants.misfit);
	if (weights) {
		await report("doubtful pixels");
		const doubting = systemOf(map, size, best.sites, weights);
		best = widened(under(best.parts, doubting, best.sites));
	}
	const about = {
		workingPixel,
		tried,
		adjusted,
		robust: weights !== undefined,
	};

	const again = (sites: MapSolution["sites"] = best.sites) =>
		new FurtherImages({
			...{ system: systemOf(map, size, sites, map.weights), sites, size },
			covariance: new BlockCovariance(own),
			near: (u) => new BlockCovariance(nearTo(own, u)),
			...{ growth: best.lambda / first.lambda, colour: best.colour },
		});
	return { ...best, ...about, again };
}

/** The sites as the map has them with the kernels that were found, and how sure each is. */
export function adjustTo(
	map: SitedMap,
	found: MapKernels,
	prior: { amplitude: number; shift: number } = {
		amplitude: MARKS.amplitude,
		shift: MARKS.shift / map.pixel,
	},
): AdjustedSites {
	const { rest, weights } = misfitOf(map, found);
	return adjustSites(
		{
			nx: map.nx,
			ny: map.ny,
			rest: Float64Array.from(rest),
			weights,
			kernels: found.kernels,
			size: found.size,
			// Of a pixel: what errs together is not a scatterer's own.
			sigma: found.sigma / Math.sqrt(found.colour),
		},
		found.sites,
		map.sites,
		prior,
	);
}

/** What a solution leaves. */
export function misfitOf(
	map: SitedMap,
	{ system, kernels }: Pick<MapSolution, "system" | "kernels">,
): Misfit {
	const { nx, ny, image } = map;
	const model = system.operator.apply(kernels);
	const background = system.background(image, model);
	const { weights } = system;
	const rest = model.map((v, i) =>
		weights[i] > 0 ? image[i] - v - background[i] : 0,
	);
	return { rest, nx, ny, weights, deviation: deviationOf(image, weights) };
}

/** Of the weights that were last seen: many arrangements of sites share them. */
const polynomials = new WeakMap<
	Float64Array,
	{ readonly order: number; readonly basis: Polynomials }
>();

export function systemOf(
	{ nx, ny, kinds, order }: SitedMap,
	size: number,
	sites: readonly Required<Site>[],
	weights: Float64Array,
): MapSystem {
	const operator = new MapOperator({ nx, ny, size, kinds }, sites);
	let known = polynomials.get(weights);
	if (known?.order !== order) {
		known = { order, basis: new Polynomials(nx, ny, weights, order) };
		polynomials.set(weights, known);
	}
	return new MapSystem(operator, weights, order, known.basis);
}

/** One kind's part of kernels. */
export const kindOf = (
	{ kernels, size }: Pick<MapSolution, "kernels" | "size">,
	s: number,
): Float64Array => kernels.slice(s * size ** 2, (s + 1) * size ** 2);

/**
 * Variance of each pixel on its own, in units of the kernels' scale: the mean square of what ridge has and the first answer has not, ring by ring, less what
 * ridge's noise makes of it (the mean of the rings farther out than half the window).
 */
function ownVariance(
	part: WindowPrior,
	ridge: Float64Array,
	found: Float64Array,
	scale: number,
	size: number,
): Float64Array {
	const { power } = ringsOf(
		ridge.map((v, i) => v - found[i]),
		size,
		1,
	);
	const outer = power.slice(Math.floor(power.length / 2)).sort();
	const noise = outer[Math.floor(outer.length / 2)];
	const middle = (size - 1) / 2;
	return part.own.map((floor, p) => {
		const r = Math.hypot(Math.floor(p / size) - middle, (p % size) - middle);
		const ring = Math.min(power.length - 1, Math.floor(r));
		return floor + Math.max(0, power[ring] - noise) / scale;
	});
}
