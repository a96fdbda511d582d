/** Clusters: high areas that are too wide for a single scatterer. */
import { distances, parts } from "./areas.ts";
import { median, robustSigma, type Scan, spread } from "./scan.ts";

/** Robust sigmas beyond which a pixel is part of one. */
const SIGMAS = 8;
/**
 * Angstrom: what is narrower is a scatterer, what is wider is none. Between them the usual high area decides, where there are so many: a cluster is wider by this. Where there
 * are few, they may be all scatterers there are, and have to be `alone` wide. And pixels that tell wide from narrow.
 */
const WIDTH = { least: 9, most: 18, alone: 16, pixels: 4 };
const USUAL = { count: 4, times: 1.5 };
/** Angstrom around them that do not count either. */
const MARGIN = 20;
/** Angstrom around that, where a scatterer's own ripples are. */
const NEAR = 40;
/** More of the scan than this are no clusters. */
const MOST = 0.45;

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
 * Connected areas beyond eight robust sigmas, of either sign, in which a disc of 9 to 18 A has room (what survives an opening by it), and 20 A about them. A tall adatom is
 * narrower.
 */
export function findClusters(scan: Scan, weights: ArrayLike<number>): Clusters {
	const counted = scan.image.map((v, p) => (weights[p] > 0 ? v : Number.NaN));
	const first = wideAreas(scan, counted, robustSigma(counted));
	if (!first) return none(scan);
	// What is left without them says how high the ripples are; where few scatterers stand on an empty ground, what is left near them does.
	const away = distances(first.mask, scan);
	const [rest, near] = [Number.POSITIVE_INFINITY, NEAR].map((reach) =>
		spread(
			counted.map((v, p) => (away[p] > 0 && away[p] < reach ? v : Number.NaN)),
		),
	);
	// NaN where nothing is near.
	const sigma = near > 0 ? Math.max(near, rest) : rest;
	const found = wideAreas(scan, counted, sigma);
	if (!found) return none(scan);
	const share = found.mask.reduce((sum, m) => sum + m, 0) / found.mask.length;
	return share > MOST ? { ...none(scan), tooMuch: share } : found;
}

const none = ({ image }: Scan) => ({
	mask: new Uint8Array(image.length),
	count: 0,
	height: 0,
});

/** The areas beyond eight sigmas that are wide, and 20 A about them; undefined when there are none. */
function wideAreas(
	scan: Scan,
	counted: Float32Array,
	sigma: number,
): Clusters | undefined {
	const { spacing } = scan;
	const middle = median(counted);
	const high = Uint8Array.from(counted, (v) =>
		Math.abs(v - middle) > SIGMAS * sigma ? 1 : 0,
	);
	if (!(sigma > 0) || !high.includes(1)) return undefined;
	const { labels, sizes } = parts(high, scan);
	// What does not count may hide the rest of a cluster.
	const inside = distances(
		high.map((h, p) => (Number.isNaN(counted[p]) ? 0 : 1 - h)),
		scan,
	);
	const heights = new Float64Array(sizes.length);
	const widths = new Float64Array(sizes.length);
	const pixel = Math.max(spacing.x, spacing.y);
	labels.forEach((label, p) => {
		if (label === 0) return;
		heights[label] = Math.max(heights[label], Math.abs(counted[p] - middle));
		widths[label] = Math.max(widths[label], 2 * inside[p] - pixel);
	});
	const usual =
		sizes.length > USUAL.count
			? USUAL.times * median(widths.subarray(1))
			: WIDTH.alone;
	const least = Math.max(
		WIDTH.pixels * pixel,
		Math.min(WIDTH.most, Math.max(WIDTH.least, usual)),
	);
	const wide = Array.from(widths, (w, label) => label > 0 && w >= least);
	const count = wide.filter(Boolean).length;
	if (count === 0) return undefined;
	const away = distances(
		labels.map((label) => (wide[label] ? 1 : 0)),
		scan,
	);
	return {
		mask: Uint8Array.from(away, (d) => (d <= MARGIN ? 1 : 0)),
		count,
		height:
			heights.reduce(
				(h, v, label) => (wide[label] ? Math.max(h, v) : h),
				Number.NEGATIVE_INFINITY,
			) / sigma,
	};
}
