/** Clusters: high areas that are too wide for a single scatterer. */
import { distances, parts } from "./areas.ts";
import { median, type Scan, spread } from "./scan.ts";

/** Robust sigmas beyond which a pixel is part of one. */
const SIGMAS = 8;
/** Angstrom: what is narrower is a scatterer, what is wider is none whatever the others look like. And pixels that tell wide from narrow. */
const WIDTH = { least: 9, most: 18, pixels: 4 };
/** Where there are so many high areas, the usual one is a scatterer, and a cluster wider by this. */
const USUAL = { count: 4, times: 1.5 };
/** Angstrom around them that do not count either. */
const MARGIN = 20;
/** More of the scan than this are no clusters. */
const MOST = 1 / 3;

export interface Clusters {
	/** A pixel: 1 on a cluster or near it. */
	readonly mask: Uint8Array;
	readonly count: number;
	/** Of the highest, robust sigmas. */
	readonly height: number;
	/** Share of the scan that would have been masked, where that was too much and nothing is. */
	readonly tooMuch?: number;
}

/**
 * Connected areas beyond eight robust sigmas, of either sign, in which a disc of some 9 A has room (what survives an opening by it), and 20 A about them. A tall adatom is
 * narrower; where many areas are high, one is a cluster when it is clearly wider than the usual one.
 */
export function findClusters(scan: Scan, weights: ArrayLike<number>): Clusters {
	const { image, spacing } = scan;
	const counted = image.map((v, p) => (weights[p] > 0 ? v : Number.NaN));
	const middle = median(counted);
	const sigma = spread(counted);
	const none = { mask: new Uint8Array(image.length), count: 0, height: 0 };
	const high = Uint8Array.from(counted, (v) =>
		Math.abs(v - middle) > SIGMAS * sigma ? 1 : 0,
	);
	if (!(sigma > 0) || !high.includes(1)) return none;
	const { labels, sizes } = parts(high, scan);
	const inside = distances(
		high.map((h) => 1 - h),
		scan,
	);
	const heights = new Float64Array(sizes.length);
	const widths = new Float64Array(sizes.length);
	const pixel = Math.max(spacing.x, spacing.y);
	labels.forEach((label, p) => {
		if (label === 0) return;
		heights[label] = Math.max(heights[label], Math.abs(image[p] - middle));
		widths[label] = Math.max(widths[label], 2 * inside[p] - pixel);
	});
	const usual =
		sizes.length > USUAL.count ? USUAL.times * median(widths.subarray(1)) : 0;
	const least = Math.max(
		WIDTH.pixels * pixel,
		Math.min(WIDTH.most, Math.max(WIDTH.least, usual)),
	);
	const wide = Array.from(widths, (w, label) => label > 0 && w >= least);
	const count = wide.filter(Boolean).length;
	if (count === 0) return none;
	const away = distances(
		labels.map((label) => (wide[label] ? 1 : 0)),
		scan,
	);
	const mask = Uint8Array.from(away, (d) => (d <= MARGIN ? 1 : 0));
	const share = mask.reduce((sum, m) => sum + m, 0) / mask.length;
	if (share > MOST) return { ...none, tooMuch: share };
	return {
		mask,
		count,
		height: Math.max(...heights.filter((_, label) => wide[label])) / sigma,
	};
}
