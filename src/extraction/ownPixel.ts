/** From kernels that were solved for on a binned map to the map's own pixel. */
import { BlockCovariance } from "../qpi/blockCovariance.ts";
import { MapSolver, type MapSystem } from "../qpi/mapPosterior.ts";
import type { Covariance } from "../qpi/prior.ts";
import { Random } from "../random.ts";
import { finer, unbinned } from "./bin.ts";
import {
	kindOf,
	type MapSolution,
	ridgeMap,
	type SitedMap,
	systemOf,
} from "./refineMap.ts";
import { ringsOf } from "./window.ts";

/** Kernels at the map's own pixel. */
export interface Native {
	/** [kinds][size][size] */
	readonly kernels: Float64Array;
	readonly size: number;
	readonly samples: readonly Float64Array[];
	readonly groups: readonly Float64Array[];
	readonly system: MapSystem;
	/** [nx][ny] */
	readonly trust: Float32Array;
}

/** Lanczos steps that are enough for what is small. */
const FEW = 24;

/**
 * The kernels at the map's own pixel. Of a map that was not binned those found; else they are interpolated, and what is finer than the bins is found as ridge finds it,
 * each ring of pixels with the variance that the map gives it: close to the scatterer, and nothing where nothing is.
 */
export function finished(
	map: SitedMap,
	fit: MapSolution,
	samples: readonly Float64Array[],
	groups: readonly Float64Array[],
	factor: number,
	window: number,
): Native {
	const given = map.weights;
	if (factor === 1)
		return {
			...{ kernels: fit.kernels, size: fit.size, samples, groups },
			system: fit.system,
			trust: trustOf(fit.system.weights, given, map, map, 1),
		};
	const size = 2 * Math.round(window / map.pixel) + 1;
	const fine = (kernels: Float64Array) => {
		const out = new Float64Array(map.kinds * size ** 2);
		for (let s = 0; s < map.kinds; s++)
			out.set(
				finer(kindOf({ kernels, size: fit.size }, s), fit.size, factor, size),
				s * size ** 2,
			);
		return out;
	};
	const sites = unbinned(fit.sites, factor);
	const coarse = {
		nx: Math.floor(map.nx / factor),
		ny: Math.floor(map.ny / factor),
	};
	const trust = trustOf(fit.system.weights, given, map, coarse, factor);
	const system = systemOf(
		map,
		size,
		sites,
		given.map((w, p) => w * trust[p]),
	);
	const smooth = fine(fit.kernels);
	const known = system.operator.apply(smooth);
	const rest = known.map((v, p) => (given[p] > 0 ? map.image[p] - v : 0));
	const rough = ridgeMap({ ...map, image: rest, sites }, size, { steps: FEW });
	const parts = Array.from({ length: map.kinds }, (_, s) =>
		byRings(kindOf(rough, s), size),
	);
	const detail = new MapSolver(system, new BlockCovariance(parts)).solve(rest, {
		steps: FEW,
	});
	const reach = sites.reduce((sum, { weight }) => sum + weight ** 2, 0);
	const random = new Random(1, 0);
	const errors = new BlockCovariance(
		parts.map(({ variance }) => ({
			apply: (kernel) => kernel,
			sample: () =>
				variance.map((v) => {
					const own = v * detail.scale;
					const noise = detail.sigma ** 2 / reach;
					return (
						Math.sqrt((own * noise) / (own + noise || 1)) * random.normal()
					);
				}),
		})),
	);
	const add = (kernels: Float64Array, noise?: Float64Array) =>
		fine(kernels).map((v, i) => v + detail.kernels[i] + (noise?.[i] ?? 0));
	return {
		kernels: add(fit.kernels),
		size,
		samples: samples.map((draw) => add(draw, errors.sample(random))),
		groups: groups.map((group) => add(group)),
		system,
		trust,
	};
}

/** Independent pixels whose variance is what each ring's mean square has above the outer half's. */
function byRings(
	kernel: Float64Array,
	size: number,
): Covariance & { readonly variance: Float64Array } {
	const { power } = ringsOf(kernel, size, 1);
	const outer = power.slice(Math.floor(power.length / 2)).sort();
	const noise = outer[Math.floor(outer.length / 2)];
	const middle = (size - 1) / 2;
	const variance = kernel.map((_, p) => {
		const r = Math.hypot(Math.floor(p / size) - middle, (p % size) - middle);
		const above = power[Math.min(power.length - 1, Math.floor(r))] - 2 * noise;
		return Math.max(1e-3 * noise, above);
	});
	return {
		variance,
		apply: (k) => k.map((v, i) => v * variance[i]),
		sample: (random) => variance.map((v) => Math.sqrt(v) * random.normal()),
	};
}

/** What was made of the weights, on the map's own pixels. */
function trustOf(
	weights: Float64Array,
	given: Float64Array,
	{ nx, ny }: Pick<SitedMap, "nx" | "ny">,
	coarse: Pick<SitedMap, "nx" | "ny">,
	factor: number,
): Float32Array {
	const out = new Float32Array(nx * ny);
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const p = ix * ny + iy;
			if (!(given[p] > 0)) continue;
			if (factor === 1) {
				out[p] = weights[p] / given[p];
				continue;
			}
			const x = Math.min(coarse.nx - 1, Math.floor(ix / factor));
			const y = Math.min(coarse.ny - 1, Math.floor(iy / factor));
			out[p] = Math.min(1, weights[x * coarse.ny + y]);
		}
	return out;
}
