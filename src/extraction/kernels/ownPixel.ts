/** From kernels that were solved for on a binned map to the map's own pixel. */

import type { Site } from "../../qpi/operator/mapOperator.ts";
import { BlockCovariance } from "../../qpi/posterior/blockCovariance.ts";
import {
	type FactoredCovariance,
	independent,
} from "../../qpi/posterior/factoredCovariance.ts";
import { MapSolver, type MapSystem } from "../../qpi/posterior/mapPosterior.ts";
import { Random } from "../../random.ts";
import { binnedWeights, finer, unbinned } from "./bin.ts";
import { ringsOf } from "./reach.ts";
import { kindOf, ridgeMap, systemOf } from "./refineMap.ts";
import type { MapSolution, SitedMap } from "./sitedMap.ts";

/** Kernels at the map's own pixel. */
export interface Native {
	/** [kinds][size][size] */
	readonly kernels: Float64Array;
	readonly samples: readonly Float64Array[];
	readonly groups: readonly Float64Array[];
}

/** Lanczos steps that are enough for what is small. */
const FEW = 24;

/**
 * Takes kernels to the map's own pixel. Of a map that was not binned they are there; else they are interpolated, and what is finer than the bins is found as ridge finds it,
 * each ring of pixels with the variance that the first image gives it: close to the scatterer, and nothing where nothing is.
 */
export class OwnPixel {
	/** Pixels along a kernel's side. */
	readonly size: number;
	readonly system: MapSystem;
	/** [nx][ny], what was made of the weights: 1 where the map was taken at its word. */
	readonly trust: Float32Array;
	readonly #map: SitedMap;
	readonly #coarse: number;
	readonly #factor: number;
	readonly #sites: readonly Required<Site>[];
	#detail:
		| {
				readonly solver: MapSolver;
				readonly parts: readonly FactoredCovariance[];
				readonly lambda: number;
		  }
		| undefined;

	/** @param fit of the map binned by `factor` @param size pixels along a kernel's side, odd */
	constructor(
		map: SitedMap,
		fit: Pick<MapSolution, "system" | "sites" | "size">,
		factor: number,
		size: number,
	) {
		this.#map = map;
		this.#coarse = fit.size;
		this.#factor = factor;
		this.#sites = unbinned(fit.sites, factor);
		this.size = factor === 1 ? fit.size : size;
		this.trust = trustOf(fit.system.weights, map, factor);
		this.system =
			factor === 1
				? fit.system
				: systemOf(
						map,
						size,
						this.#sites,
						map.weights.map((w, p) => w * this.trust[p]),
					);
	}

	/** @param image [nx][ny], what the kernels are of */
	take(image: ArrayLike<number>, { kernels, samples, groups }: Native): Native {
		if (this.#factor === 1) return { kernels, samples, groups };
		const smooth = this.#finer(kernels);
		const known = this.system.operator.apply(smooth);
		const { weights } = this.#map;
		const rest = known.map((v, p) => (weights[p] > 0 ? image[p] - v : 0));
		this.#detail ??= this.#lookForDetail(rest);
		const { solver, parts, lambda } = this.#detail;
		const found = solver.solve(rest, { steps: FEW, lambda });
		// What each pixel of the detail is uncertain by: its variance and the noise over all scatterers, in parallel.
		const seen = this.#sites.reduce((sum, { weight }) => sum + weight ** 2, 0);
		const noise = found.sigma ** 2 / seen;
		const errors = parts.flatMap(({ own: variances }) =>
			Array.from(variances, (v) => {
				const own = v * found.scale;
				return Math.sqrt((own * noise) / (own + noise || 1));
			}),
		);
		const random = new Random(1);
		const add = (kernels: Float64Array) =>
			this.#finer(kernels).map((v, i) => v + found.kernels[i]);
		return {
			kernels: smooth.map((v, i) => v + found.kernels[i]),
			samples: samples.map((draw) =>
				add(draw).map((v, i) => v + errors[i] * random.normal()),
			),
			groups: groups.map(add),
		};
	}

	#lookForDetail(rest: Float64Array) {
		const map = { ...this.#map, image: rest, sites: this.#sites };
		const rough = ridgeMap(map, this.size, { steps: FEW });
		const parts = Array.from({ length: map.kinds }, (_, s) =>
			byRings(kindOf(rough, s), this.size),
		);
		const solver = new MapSolver(this.system, new BlockCovariance(parts));
		const { lambda } = solver.solve(rest, { steps: FEW });
		return { solver, parts, lambda };
	}

	#finer(kernels: Float64Array): Float64Array {
		const { size } = this;
		const out = new Float64Array(this.#map.kinds * size ** 2);
		for (let s = 0; s < this.#map.kinds; s++) {
			const kernel = kindOf({ kernels, size: this.#coarse }, s);
			out.set(finer(kernel, this.#coarse, this.#factor, size), s * size ** 2);
		}
		return out;
	}
}

/** Independent pixels whose variance is what each ring's mean square has above the outer half's. */
function byRings(kernel: Float64Array, size: number): FactoredCovariance {
	const { power } = ringsOf(kernel, size, 1);
	const outer = power.slice(Math.floor(power.length / 2)).sort();
	const noise = outer[Math.floor(outer.length / 2)];
	const middle = (size - 1) / 2;
	const variance = kernel.map((_, p) => {
		const r = Math.hypot(Math.floor(p / size) - middle, (p % size) - middle);
		const above = power[Math.min(power.length - 1, Math.floor(r))] - 2 * noise;
		return Math.max(1e-3 * noise, above);
	});
	return independent(variance);
}

/** What was made of the weights of a binned map, on the map's own pixels. */
function trustOf(
	weights: Float64Array,
	{ nx, ny, weights: given }: SitedMap,
	factor: number,
): Float32Array {
	const [mx, my] = [Math.floor(nx / factor), Math.floor(ny / factor)];
	const share = binnedWeights(given, nx, ny, factor);
	return Float32Array.from(given, (w, p) => {
		if (!(w > 0)) return 0;
		// pixels at the far edges that fill no whole bin go with the last that is whole
		const x = Math.min(mx - 1, Math.floor(Math.floor(p / ny) / factor));
		const y = Math.min(my - 1, Math.floor((p % ny) / factor));
		const bin = x * my + y;
		return share[bin] > 0 ? weights[bin] / share[bin] : 0;
	});
}
