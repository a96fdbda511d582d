/** A map's kernels by ridge, its scatterers a step further, and how far what is left resembles the kernels. */

import { maxOf } from "../../qpi/maths/extremes.ts";
import type { MapConvolution } from "../../qpi/operator/convolution.ts";
import { ringsOf } from "../kernels/reach.ts";
import { kindOf, misfitOf, ridgeMap } from "../kernels/refineMap.ts";
import type { MapSolution, SitedMap } from "../kernels/sitedMap.ts";
import { spreadOf } from "./grid.ts";
import { step } from "./step.ts";

/** Angstrom about a site in which its place and amplitude are sought, and pixels at most. */
const REACH = { angstrom: 40, pixels: 14 };
/** Lanczos steps for a kernel that is only looked with. */
const STEPS = 24;

export interface Completed {
	readonly map: SitedMap;
	readonly fit: MapSolution;
	/** Of each site: amplitude over its standard deviation, errors that go together reckoned with. */
	readonly significances: Float64Array;
	/** Of amplitude and place, pixels. */
	readonly errors: readonly { weight: number; x: number; y: number }[];
	/** What white noise would have to be, and the sum of squares that is left. */
	readonly noise: number;
	readonly left: number;
	/** Map less model, and how far it stands out at each pixel by each kind's kernel, standard deviations. */
	readonly rest: Float64Array;
	readonly matches: readonly Float64Array[];
}

/** Pixels about a site that say where and how strong it is. */
export const reachFor = (pixel: number): number =>
	Math.min(REACH.pixels, Math.round(REACH.angstrom / pixel));

/** One round's kernels, the sites as they have to be moved, and what is left. */
export function look(
	map: SitedMap,
	size: number,
	convolution: MapConvolution,
	white = 0,
	least = Number.POSITIVE_INFINITY,
	lambda?: number,
): Completed {
	const fit = ridgeMap(map, size, { steps: STEPS, lambda });
	const rest = Float64Array.from(misfitOf(map, fit).rest);
	const { matches, noise } = matched(map, fit, rest, convolution);
	const sigma = Math.max(white, Math.min(least, maxOf(noise)));
	const { nx, ny, weights } = map;
	const stepped = step(
		{
			...{ nx, ny, rest, weights, kernels: fit.kernels, size, sigma },
			reach: reachFor(map.pixel),
		},
		map.sites,
	);
	return {
		map: { ...map, sites: stepped.sites },
		fit,
		...{ rest, noise: sigma },
		significances: stepped.significances,
		errors: stepped.errors,
		left: rest.reduce((sum, v, p) => sum + weights[p] * v * v, 0),
		matches: matches.map((match, s) =>
			match.map((v) => (v * noise[s]) / Math.min(noise[s], sigma)),
		),
	};
}

/**
 * For each kind and pixel what is left resembles the kernel by, over the standard deviation that this has where nothing is: noise that goes together over pixels is reckoned with.
 * @returns also that standard deviation, in units of the map: what white noise would have to be
 */
export function matched(
	map: SitedMap,
	fit: Pick<MapSolution, "kernels" | "size">,
	rest: Float64Array,
	convolution: MapConvolution,
): { matches: Float64Array[]; noise: number[] } {
	const { weights, kinds } = map;
	const seen = rest.map((v, p) => v * weights[p]);
	const noise: number[] = [];
	const matches = Array.from({ length: kinds }, (_, s) => {
		const kernel = quietened(kindOf(fit, s), fit.size);
		const out = convolution.mapOf(convolution.kernelSpectrum(kernel), seen);
		const power = convolution.mapOf(
			convolution.kernelSpectrum(kernel.map((v) => v * v)),
			weights,
		);
		const most = power.reduce((a, b) => Math.max(a, b), 0);
		// A quarter of the pattern must be seen.
		const statistic = out.map((v, p) =>
			power[p] > 0.25 * most && weights[p] > 0 ? v / Math.sqrt(power[p]) : 0,
		);
		const spread = spreadOf(statistic, weights) || 1;
		noise.push(spread);
		return statistic.map((v) => v / spread);
	});
	return { matches, noise };
}

/** A kernel whose rings count as far as they stand above the quietest ones. */
export function quietened(kernel: Float64Array, size: number): Float64Array {
	const { power } = ringsOf(kernel, size, 2);
	const quiet = Float64Array.from(power).sort();
	const floor = quiet[Math.floor(quiet.length / 10)];
	const middle = (size - 1) / 2;
	return kernel.map((v, p) => {
		const r = Math.hypot(Math.floor(p / size) - middle, (p % size) - middle);
		const ring = Math.floor(r / 2);
		if (ring >= power.length) return 0;
		return v * Math.max(0, 1 - floor / power[ring]);
	});
}
