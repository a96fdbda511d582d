/** Maps whose pixels are far finer than the kernel's waves, in coarser ones; and kernels back at the map's own. */
import { taps } from "../../qpi/maths/interpolate.ts";
import type { SitedMap } from "./sitedMap.ts";

/** The map with means of factor x factor pixels, by their weights; pixels that fill no whole block at the far edges are left out. */
export function binned(map: SitedMap, factor: number): SitedMap {
	if (factor === 1) return map;
	const nx = Math.floor(map.nx / factor);
	const ny = Math.floor(map.ny / factor);
	const image = new Float64Array(nx * ny);
	const weights = binnedWeights(map.weights, map.nx, map.ny, factor);
	for (let ix = 0; ix < nx * factor; ix++)
		for (let iy = 0; iy < ny * factor; iy++) {
			const from = ix * map.ny + iy;
			const w = map.weights[from];
			if (!(w > 0)) continue;
			const to = Math.floor(ix / factor) * ny + Math.floor(iy / factor);
			image[to] += (w * map.image[from]) / factor ** 2;
		}
	for (let p = 0; p < image.length; p++)
		if (weights[p] > 0) image[p] /= weights[p];
	const at = (v: number) => (v - (factor - 1) / 2) / factor;
	return {
		...map,
		image,
		weights,
		nx,
		ny,
		pixel: map.pixel * factor,
		sites: map.sites.map((site) => ({ ...site, x: at(site.x), y: at(site.y) })),
	};
}

/** The mean weight of each bin of factor x factor pixels. */
export function binnedWeights(
	weights: ArrayLike<number>,
	nx: number,
	ny: number,
	factor: number,
): Float64Array {
	const [mx, my] = [Math.floor(nx / factor), Math.floor(ny / factor)];
	const out = new Float64Array(mx * my);
	for (let ix = 0; ix < mx * factor; ix++)
		for (let iy = 0; iy < my * factor; iy++)
			out[Math.floor(ix / factor) * my + Math.floor(iy / factor)] +=
				weights[ix * ny + iy] / factor ** 2;
	return out;
}

/** Sites of a binned map on the pixels of the map itself. */
export const unbinned = <S extends { readonly x: number; readonly y: number }>(
	sites: readonly S[],
	factor: number,
): S[] =>
	sites.map((site) => ({
		...site,
		x: factor * site.x + (factor - 1) / 2,
		y: factor * site.y + (factor - 1) / 2,
	}));

/** A kernel of size x size nodes (odd) on nodes `factor` times as fine, finer x finer of them (odd), about the same middle; zero outside. */
export function finer(
	kernel: ArrayLike<number>,
	size: number,
	factor: number,
	fine: number,
): Float64Array {
	const along = Array.from({ length: fine }, (_, i) =>
		taps((size - 1) / 2 + (i - (fine - 1) / 2) / factor),
	);
	const half = new Float64Array(fine * size);
	for (let i = 0; i < fine; i++)
		along[i].weights.forEach((w, p) => {
			const u = along[i].first + p;
			if (u >= 0 && u < size)
				for (let v = 0; v < size; v++)
					half[i * size + v] += w * kernel[u * size + v];
		});
	const out = new Float64Array(fine * fine);
	for (let i = 0; i < fine; i++)
		for (let j = 0; j < fine; j++) {
			let sum = 0;
			along[j].weights.forEach((w, p) => {
				const v = along[j].first + p;
				if (v >= 0 && v < size) sum += w * half[i * size + v];
			});
			out[i * fine + j] = sum;
		}
	return out;
}
