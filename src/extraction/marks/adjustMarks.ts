/** Places and amplitudes of scatterers on a map, from a given kernel. */
import {
	cholesky,
	choleskySolve,
	inverseDiagonal,
} from "../../qpi/maths/cholesky.ts";
import type { Site } from "../../qpi/operator/mapOperator.ts";
import {
	type Explained,
	freeAmplitudes,
	markEquations,
} from "./markEquations.ts";

/** What is expected of marks before the map is looked at, one standard deviation. */
export interface MarkPrior {
	/** Relative. */
	readonly amplitude: number;
	/** Pixels. */
	readonly shift: number;
}

export interface AdjustedSites {
	readonly sites: readonly Required<Site>[];
	/** Of each site as it was found: standard deviations of its amplitude and place (pixels, along x and y), the kernel taken as known. */
	readonly errors: readonly {
		readonly weight: number;
		readonly x: number;
		readonly y: number;
	}[];
	/** Of each site, the amplitude that the map alone asks for, whatever was expected of it, and that over its standard deviation. */
	readonly amplitudes: Float64Array;
	readonly significances: Float64Array;
	/** By how much the logarithm of the evidence would grow if the kernel stayed as it is; negative where the map asks for no change. */
	readonly promise: number;
	/**
	 * Logarithm of what the adjustment costs in evidence (negative): how unlikely the changes were beforehand, and how much of what
	 * was thought possible the map rules out (Laplace's approximation; MacKay, Neural Comput. 4, 415 (1992)).
	 */
	readonly occam: number;
}

/**
 * One Gauss-Newton step for the amplitudes and places of all sites together, with normal priors about the marks. The mean amplitude of each kind stays (it is the kernel's own).
 * Each site is seen on a patch about it, so that the price grows with the number of neighbours and not with the map.
 *
 * @param marks where and how strong the sites were thought to be at first: what the priors are about
 */
export function adjustSites(
	map: Explained,
	sites: readonly Required<Site>[],
	marks: readonly Required<Site>[],
	prior: MarkPrior,
): AdjustedSites {
	const { normal, toward } = markEquations(map, sites);
	const n = 3 * sites.length;
	const scales = (j: number) => [
		prior.amplitude * Math.abs(marks[j].weight || 1),
		prior.shift,
		prior.shift,
	];
	const bare = toward.filter((_, a) => a % 3 === 0);
	const { amplitudes, significances } = freeAmplitudes(normal, bare, sites);
	const right = toward.map((v, a) => {
		const [mark, site] = [marks[Math.floor(a / 3)], sites[Math.floor(a / 3)]];
		const away = [site.weight - mark.weight, site.x - mark.x, site.y - mark.y];
		return v - away[a % 3] / scales(Math.floor(a / 3))[a % 3] ** 2;
	});
	// in units of the priors' deviations
	const unit = Float64Array.from(
		{ length: n },
		(_, a) => scales(Math.floor(a / 3))[a % 3],
	);
	for (let a = 0; a < n; a++) {
		right[a] *= unit[a];
		for (let b = 0; b <= a; b++) normal[a * n + b] *= unit[a] * unit[b];
		normal[a * n + a] += 1;
	}
	const root = cholesky(normal, n);
	const change = choleskySolve(root, n, right);
	const spread = inverseDiagonal(root, n).map((v, a) => Math.sqrt(v) * unit[a]);
	let [logdet, gain] = [0, 0];
	for (let a = 0; a < n; a++) {
		logdet += 2 * Math.log(root[a * n + a]);
		gain += right[a] * change[a];
	}
	const step = (a: number) => unit[a] * change[a];
	const moved = sites.map((site, j) => ({
		...site,
		weight: plausible(site.weight + step(3 * j), marks[j].weight),
		x: site.x + within(step(3 * j + 1), prior.shift),
		y: site.y + within(step(3 * j + 2), prior.shift),
	}));
	const scaled = keepMean(moved, marks);
	let unlikely = 0;
	scaled.forEach((site, j) => {
		const [amplitude, shift] = scales(j);
		const mark = marks[j];
		unlikely +=
			((site.weight - mark.weight) / amplitude) ** 2 +
			((site.x - mark.x) ** 2 + (site.y - mark.y) ** 2) / shift ** 2;
	});
	return {
		sites: scaled,
		errors: sites.map((_, j) => ({
			weight: spread[3 * j],
			x: spread[3 * j + 1],
			y: spread[3 * j + 2],
		})),
		amplitudes,
		significances,
		promise: (gain - logdet) / 2,
		occam: -(unlikely + logdet) / 2,
	};
}

/** No amplitude is believed to be off by more than a factor of two: where a scatterer's centre is not seen, a little noise would say anything. */
function plausible(weight: number, mark: number): number {
	if (mark === 0) return 0;
	return mark * Math.max(0.5, Math.min(2, weight / mark));
}

/** A Gauss-Newton step trusts its slopes no further than two deviations. */
function within(shift: number, deviation: number): number {
	return Math.max(-2 * deviation, Math.min(2 * deviation, shift));
}

function keepMean(
	moved: readonly Required<Site>[],
	marks: readonly Required<Site>[],
): Required<Site>[] {
	const sums = (list: readonly Required<Site>[]) => {
		const sum = new Map<number, number>();
		for (const { kind, weight } of list)
			sum.set(kind, (sum.get(kind) ?? 0) + weight);
		return sum;
	};
	const [now, before] = [sums(moved), sums(marks)];
	return moved.map((site) => {
		const ratio = (before.get(site.kind) ?? 1) / (now.get(site.kind) ?? 1);
		return { ...site, weight: ratio > 0 ? site.weight * ratio : site.weight };
	});
}
