/** How sure the kernels of a map are. */
import { MapOperator } from "../../qpi/operator/mapOperator.ts";
import { MapSolver } from "../../qpi/posterior/mapPosterior.ts";
import type { ManySolver } from "../../qpi/posterior/solveMany.ts";
import { Random } from "../../random.ts";
import type { AdjustedSites } from "../marks/adjustMarks.ts";
import type { KindKernel } from "./extraction.ts";
import type { Native } from "./ownPixel.ts";
import { kindOf } from "./refineMap.ts";
import type { MapSolution, SitedMap } from "./sitedMap.ts";

/** Draws need no more digits than this. */
const ROUGH = { tolerance: 0.15, steps: 20 };

/** Draws of the kernels less those found: of prior and noise, and of sites within their own errors. */
export async function drawn(
	map: SitedMap,
	fit: MapSolution,
	{ errors }: Pick<AdjustedSites, "errors">,
	count: number,
	seed: number,
	many: ManySolver,
): Promise<Float64Array[]> {
	const { system, kernels, lambda, sites, size } = fit;
	const solver = new MapSolver(system, fit.covariance);
	const model = system.operator.apply(kernels);
	const draws = Array.from({ length: count }, (_, s) => {
		const random = new Random(seed, s + 1);
		const { truth, right } = solver.draw(fit, random);
		const moved = sites.map((site, j) => ({
			...site,
			weight: site.weight + errors[j].weight * random.normal(),
			x: site.x + errors[j].x * random.normal(),
			y: site.y + errors[j].y * random.normal(),
		}));
		const other = new MapOperator({ ...map, size }, moved).apply(kernels);
		const shift = system.see(other.map((v, p) => v - model[p])).right;
		return { system, truth, right: right.map((v, i) => v + shift[i]) };
	});
	const found = await many.solve(draws, fit.covariance, lambda, ROUGH);
	return draws.map(({ truth }, s) => truth.map((v, i) => v - found[s][i]));
}

export function kindKernel(
	kind: number,
	s: number,
	{ kernels, samples, groups }: Native,
	size: number,
	turned: (kernel: Float64Array) => Float32Array,
): KindKernel {
	const part = (all: Float64Array) => turned(kindOf({ kernels: all, size }, s));
	const kernel = part(kernels);
	const without = groups.map(part);
	const wider = widening(kernel, samples.map(part), without);
	const draws = samples.map((draw) =>
		part(draw).map((v, i) => kernel[i] + wider * (v - kernel[i])),
	);
	const variance =
		draws.length > 0
			? spread(draws, kernel)
			: jackknife(without, kernel.length);
	return {
		kind,
		kernel,
		uncertainty: variance.map(Math.sqrt),
		samples: draws,
		groups: without,
	};
}

/** Mean square deviation of draws from the kernel, pixel by pixel. */
function spread(
	draws: readonly Float32Array[],
	kernel: Float32Array,
): Float32Array {
	const out = new Float32Array(kernel.length);
	for (const draw of draws)
		for (let i = 0; i < out.length; i++)
			out[i] += (draw[i] - kernel[i]) ** 2 / draws.length;
	return out;
}

/** Variance of each of n pixels by the delete-a-group jackknife (Shao & Tu, The Jackknife and Bootstrap, 1995), from the kernel without each of the groups; zeros where there are none. */
function jackknife(groups: readonly Float32Array[], n: number): Float32Array {
	const out = new Float32Array(n);
	for (let i = 0; i < n; i++) {
		const mean = groups.reduce((sum, g) => sum + g[i] / groups.length, 0);
		for (const group of groups)
			out[i] += ((group[i] - mean) ** 2 * (groups.length - 1)) / groups.length;
	}
	return out;
}

/**
 * What the posterior's deviations are to be multiplied by: the jackknife's deviation over theirs where it is greater, for it holds what the model does not know of:
 * marks, background, other species.
 */
function widening(
	kernel: Float32Array,
	draws: readonly Float32Array[],
	groups: readonly Float32Array[],
): number {
	if (groups.length < 2 || draws.length === 0) return 1;
	const sum = (list: Float32Array) => list.reduce((a, b) => a + b, 0);
	const posterior = sum(spread(draws, kernel));
	const left = sum(jackknife(groups, kernel.length));
	return posterior > 0 ? Math.max(1, Math.sqrt(left / posterior)) : 1;
}
