/** A marked map on its own pixels: sites, weights, and how far its kernels reach. */
import { maxOf } from "../../qpi/maths/extremes.ts";
import { dot } from "../../qpi/operator/ridge.ts";
import { binned } from "./bin.ts";
import { reachOf } from "./reach.ts";
import { kindOf, ridgeMap, systemOf } from "./refineMap.ts";
import type { SitedMap } from "./sitedMap.ts";

/** A scatterer on a map: Angstrom from the map's middle, x to the right, y up. */
export interface MapMark {
	readonly x: number;
	readonly y: number;
	/** Relative amplitude, 1 when not given. */
	readonly weight?: number;
	/** From 1; 1 when not given. */
	readonly kind?: number;
}

/** A map as preprocess() leaves it, and its scatterers. */
export interface MarkedMap {
	/** [nx][ny], first index x. */
	readonly image: ArrayLike<number>;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom. */
	readonly pixel: number;
	/** What each pixel counts, 0 nowhere; 1 when not given. */
	readonly weights?: ArrayLike<number>;
	/** Order of the polynomial background that was taken away: it is fitted along once more, and what is weaker up to the second order always. */
	readonly order?: number;
	readonly marks: readonly MapMark[];
}

/** Images of one area at several energies, on the same pixels and with the same scatterers. */
export interface MarkedStack extends Omit<MarkedMap, "image"> {
	readonly images: readonly ArrayLike<number>[];
}

/** Radius of kernels, Angstrom: at least, and at most. */
const WINDOW = [64, 160];
/** And pixels, at least: fewer hold no pattern. */
const LEAST = 16;
/** Of the polynomials that are fitted along, at least. */
const ORDER = 2;
/** A kernel has no more pixels than this along its side when it is solved for: finer maps are binned, and what is finer than that is added at the end. */
export const SIDE = 65;

/**
 * A stack's images and what their pixels count: nothing where any is not finite.
 * @throws RangeError when sizes do not fit or fewer than a tenth of the pixels count
 */
export function checked(stack: Omit<MarkedStack, "marks">): {
	images: readonly ArrayLike<number>[];
	weights: Float64Array;
} {
	const { images, nx, ny, pixel } = stack;
	const pixels = nx * ny;
	if (images.length === 0) throw new RangeError("expected an image, got none");
	for (const image of images)
		if (image.length !== pixels)
			throw new RangeError(
				`expected a map of ${nx} x ${ny} = ${pixels} pixels, got ${image.length}`,
			);
	if (stack.weights && stack.weights.length !== pixels)
		throw new RangeError(
			`expected weights of ${nx} x ${ny} = ${pixels} pixels, got ${stack.weights.length}`,
		);
	if (!(pixel > 0))
		throw new RangeError(`expected a pixel above 0 A, got ${pixel}`);
	const weights = Float64Array.from({ length: pixels }, (_, p) =>
		images.every((image) => Number.isFinite(image[p]))
			? (stack.weights?.[p] ?? 1)
			: 0,
	);
	const counted = weights.filter((w) => w > 0).length;
	if (counted < pixels / 10)
		throw new RangeError(
			`${counted} of the map's ${pixels} pixels count; expected a tenth or more`,
		);
	return { images, weights };
}

/** Marks as sites on pixels, their kinds numbered without gaps; the image is the one that shows them best. */
export function sited(stack: MarkedStack): { map: SitedMap; kinds: number[] } {
	const { nx, ny, pixel, marks } = stack;
	const order = Math.max(ORDER, stack.order ?? 0);
	const { images, weights } = checked(stack);
	const inside = marks.filter(
		({ x, y }) =>
			Math.abs(x) <= (nx / 2 + 1) * pixel &&
			Math.abs(y) <= (ny / 2 + 1) * pixel,
	);
	if (inside.length === 0)
		throw new RangeError(
			`none of the ${marks.length} scatterers lies in the map; expected at least one`,
		);
	const kinds = [...new Set(inside.map(({ kind = 1 }) => kind))].sort(
		(a, b) => a - b,
	);
	const map = {
		...{ image: images[0], nx, ny, pixel, weights, order },
		kinds: kinds.length,
		sites: inside.map(({ x, y, weight = 1, kind = 1 }) => ({
			x: x / pixel + (nx - 1) / 2,
			y: y / pixel + (ny - 1) / 2,
			weight,
			kind: kinds.indexOf(kind),
		})),
	};
	return { kinds, map: { ...map, image: clearest(images, map) } };
}

/** The image whose backprojection on the scatterers holds the largest share of its power. */
function clearest(
	images: readonly ArrayLike<number>[],
	map: SitedMap,
): ArrayLike<number> {
	if (images.length === 1) return images[0];
	const most = Math.min(WINDOW[0], 0.45 * Math.min(map.nx, map.ny) * map.pixel);
	const size = 2 * Math.round(most / map.pixel) + 1;
	const system = systemOf(map, size, map.sites, map.weights);
	const shares = images.map((image) => {
		const { right, power } = system.see(image);
		return power > 0 ? dot(right, right) / power : 0;
	});
	return images[shares.indexOf(maxOf(shares))];
}

export const inAngstrom = (
	{ x, y }: { readonly x: number; readonly y: number },
	{ nx, ny, pixel }: SitedMap,
) => ({ x: (x - (nx - 1) / 2) * pixel, y: (y - (ny - 1) / 2) * pixel });

/** The radius asked for, or where a first ridge kernel sinks into the noise. */
export function windowOf(map: SitedMap, asked: number | undefined): number {
	const most = 0.45 * Math.min(map.nx, map.ny) * map.pixel;
	if (asked !== undefined) {
		if (!(asked >= 4 * map.pixel && asked <= 2 * most))
			throw new RangeError(
				`expected a window of ${(4 * map.pixel).toPrecision(3)} to ${(2 * most).toPrecision(3)} A, got ${asked}`,
			);
		return asked;
	}
	const reach = Math.min(most, WINDOW[1]);
	// A rough kernel says enough: at most so many pixels.
	const factor = Math.max(1, Math.ceil((2 * reach) / map.pixel / SIDE));
	const coarse = binned(map, factor);
	const size = 2 * Math.round(reach / coarse.pixel) + 1;
	const rough = ridgeMap(coarse, size, { steps: 32 });
	const found = reachOf(
		Array.from({ length: map.kinds }, (_, s) => kindOf(rough, s)),
		size,
		coarse.pixel,
	);
	return Math.min(reach, Math.max(WINDOW[0], LEAST * map.pixel, found));
}
