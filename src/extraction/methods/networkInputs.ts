/** What networks see of a map: images of the kernel's window, whatever the size of the map and the number of scatterers. */
import { RESOLUTION as SIDE } from "../../qpi/dataset/format.ts";
import { unitRms } from "../../qpi/dataset/preprocess.ts";
import { GAIN } from "../../qpi/operator/inputs.ts";
import { MapOperator, type Site } from "../../qpi/operator/mapOperator.ts";
import { centre } from "../../qpi/operator/ridge.ts";
import { kindOf, ridgeMap, systemOf } from "../kernels/refineMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";

/** Nodes along the side of the ridge kernel, of which the middle SIDE are shown: as in centredInputs(). */
const NODES = 2 * SIDE;
const RIDGE = { lambda: 1, steps: 12 };

/**
 * Of each kind, the channels of centredInputs() (qpi/operator/inputs.ts) on a map: backprojection, overlap and ridge kernel on 64 x 64 nodes one pixel of the map apart, the scatterer in
 * their middle. The map's background is taken away, and from the backprojection of a kind what ridge says of the others. Float32Array [64][64][3] each.
 */
export function mapInputs(map: SitedMap): Float32Array[] {
	const { nx, ny, kinds, weights, sites } = map;
	const image = standardised(map);
	const ridge = ridgeMap({ ...map, image }, NODES, RIDGE);
	return Array.from({ length: kinds }, (_, s) => {
		const own = sites
			.filter(({ kind }) => kind === s)
			.map((site) => ({ ...site, kind: 0 }));
		const others = ridge.kernels.map((v, i) =>
			Math.floor(i / NODES ** 2) === s ? 0 : v,
		);
		const known = kinds > 1 ? ridge.system.operator.apply(others) : undefined;
		const rest = image.map((v, p) => weights[p] * (v - (known?.[p] ?? 0)));
		const operator = new MapOperator({ nx, ny, size: SIDE }, own);
		const back = operator.adjoint(rest);
		const count = coverage(map, own);
		const overlap = operator.adjoint(marks(map, own));
		const kernel = unitRms(centre(kindOf({ ...ridge, size: NODES }, s))).image;
		const n = Math.max(1, own.length);
		const out = new Float32Array(3 * SIDE ** 2);
		for (let i = 0; i < SIDE ** 2; i++) {
			out[3 * i] = back[i] / Math.max(1, count[i]);
			out[3 * i + 1] = (GAIN * overlap[i]) / n;
			out[3 * i + 2] = kernel[i];
		}
		return out;
	});
}

/** The map less its background, to unit standard deviation over what counts; 0 elsewhere. */
function standardised(map: SitedMap): Float64Array {
	const { image, nx, ny, sites, weights } = map;
	const system = systemOf(map, 1, sites, weights);
	const background = system.background(image, new Float64Array(nx * ny));
	const rest = background.map((v, p) => (weights[p] > 0 ? image[p] - v : 0));
	let [square, total] = [0, 0];
	rest.forEach((v, p) => {
		square += weights[p] * v * v;
		total += weights[p];
	});
	const deviation = Math.sqrt(square / total);
	return rest.map((v) => (deviation > 0 ? v / deviation : 0));
}

/** For each node, the amplitudes of the scatterers whose surroundings at that lag are measured, added up. */
function coverage(
	{ nx, ny, weights }: SitedMap,
	sites: readonly Required<Site>[],
): Float64Array {
	const count = new Float64Array(SIDE ** 2);
	const middle = (SIDE - 1) / 2;
	for (const { x, y, weight } of sites)
		for (let i = 0; i < SIDE; i++) {
			const px = Math.round(x + i - middle);
			if (px < 0 || px >= nx) continue;
			for (let j = 0; j < SIDE; j++) {
				const py = Math.round(y + j - middle);
				if (py >= 0 && py < ny)
					count[i * SIDE + j] += weight * weights[px * ny + py];
			}
		}
	return count;
}

/** [nx][ny]: each scatterer shared among the four pixels around it, as activationMap() has it. */
function marks(
	{ nx, ny }: SitedMap,
	sites: readonly Required<Site>[],
): Float64Array {
	const out = new Float64Array(nx * ny);
	for (const { x, y } of sites) {
		const [ix, iy] = [Math.floor(x), Math.floor(y)];
		const [fx, fy] = [x - ix, y - iy];
		for (const [px, wx] of [
			[ix, 1 - fx],
			[ix + 1, fx],
		])
			for (const [py, wy] of [
				[iy, 1 - fy],
				[iy + 1, fy],
			])
				if (px >= 0 && px < nx && py >= 0 && py < ny)
					out[px * ny + py] += wx * wy;
	}
	return out;
}
