/** First guesses of where scatterers are: sets of bumps or dips of one width. */
import { radialFilter } from "./filter.ts";
import { maxima } from "./match.ts";
import { median, robustSigma, type Scan } from "./scan.ts";
import type { Field } from "./template.ts";

/** Widths of the blobs (sigma of the inner Gaussian) in 64ths of the scan's shorter side, and the outer Gaussian's over the inner's. */
const WIDTHS = [0.7, 1, 1.4, 2, 2.8, 4];
const OUTER = 1.6;
/** A blob counts above these: robust sigmas of the filtered image, and share of the highest three. */
const BLOB = { sigmas: 4, share: 0.45 };
/** What a lone blob counts for that resembles no other. */
const ALONE = 0.7;
/** The share of common places that makes two sets the same. */
const SAME = 0.7;

/** Pixels. */
export type Places = readonly { readonly x: number; readonly y: number }[];

/**
 * For every width and sign the blobs that stand out in the difference of two Gaussians, the most convincing set first: high above the rest, with like surroundings
 * (within `reach` pixels), and few.
 */
export function blobs(
	small: Scan,
	field: Field,
	side: number,
	apart: number,
	reach: number,
	max: number,
	sign: "+" | "-" | "auto",
): Places[] {
	const { nx, ny, spacing } = small;
	const found: { places: Places; merit: number }[] = [];
	for (const width of WIDTHS) {
		const sigma = (width * side) / 64;
		const filtered = radialFilter(
			small,
			(q) =>
				Math.exp(-((q * sigma) ** 2) / 2) -
				Math.exp(-((q * sigma * OUTER) ** 2) / 2),
			4 * OUTER * sigma,
		).image;
		const top = filtered.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
		const noise = Math.max(robustSigma(filtered), 1e-6 * top);
		for (const s of sign === "auto" ? [1, -1] : [sign === "+" ? 1 : -1]) {
			const map = filtered.map((v, p) => (field.weight[p] > 0.5 ? s * v : 0));
			const peaks = maxima(map, nx, ny, BLOB.sigmas * noise);
			const reference = median(peaks.slice(0, 3).map(({ value }) => value));
			const places: { x: number; y: number }[] = [];
			const distance = Math.max(1.25 * apart, 1.5 * sigma);
			for (const { x, y, value } of peaks) {
				if (value < BLOB.share * reference || places.length === max) break;
				const near = (q: { x: number; y: number }) =>
					Math.hypot((q.x - x) * spacing.x, (q.y - y) * spacing.y) < distance;
				if (!places.some(near)) places.push({ x, y });
			}
			if (places.length === 0) continue;
			const alike = alikeness(field, places, reach);
			const merit =
				((reference / noise) * alike ** 2) / Math.sqrt(places.length);
			found.push({ places, merit });
		}
	}
	return found.sort((a, b) => b.merit - a.merit).map(({ places }) => places);
}

/** Median over the places of how well the others' mean shows what surrounds each: a normalised correlation within a disc. */
function alikeness(field: Field, places: Places, reach: number): number {
	// One place has no others to be like; it must stand out by itself.
	if (places.length === 1) return ALONE;
	const { image, weight, nx, ny } = field;
	const lags: [number, number][] = [];
	for (let i = -reach; i <= reach; i++)
		for (let j = -reach; j <= reach; j++)
			if (Math.hypot(i, j) <= reach) lags.push([i, j]);
	const patches = places.map(({ x, y }) =>
		Float64Array.from(lags, ([i, j]) => {
			const [px, py] = [x + i, y + j];
			const inside = px >= 0 && py >= 0 && px < nx && py < ny;
			return inside && weight[px * ny + py] > 0.5
				? image[px * ny + py]
				: Number.NaN;
		}),
	);
	const [sum, count] = [0, 0].map(() => new Float64Array(lags.length));
	for (const patch of patches)
		patch.forEach((v, l) => {
			if (Number.isNaN(v)) return;
			sum[l] += v;
			count[l]++;
		});
	return median(
		patches.map((patch) => {
			let [both, mine, theirs] = [0, 0, 0];
			patch.forEach((v, l) => {
				if (Number.isNaN(v) || count[l] < 2) return;
				const other = (sum[l] - v) / (count[l] - 1);
				both += v * other;
				mine += v * v;
				theirs += other * other;
			});
			return both > 0 ? both / Math.sqrt(mine * theirs) : 0;
		}),
	);
}

/** The first sets, at most `count`, without those that share most of their places (within `near` pixels) with an earlier one. */
export function distinct(
	sets: readonly Places[],
	near: number,
	count: number,
): Places[] {
	const chosen: Places[] = [];
	for (const places of sets) {
		const like = (others: Places) => {
			const common = places.filter(({ x, y }) =>
				others.some((q) => Math.hypot(q.x - x, q.y - y) < near),
			).length;
			return common > SAME * Math.max(places.length, others.length);
		};
		if (!chosen.some(like)) chosen.push(places);
		if (chosen.length === count) break;
	}
	return chosen;
}
