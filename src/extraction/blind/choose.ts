/** Which scatterers stay, and where others are added. */
import type { Site } from "../../qpi/operator/mapOperator.ts";
import { medianOf, type Peak, peaks } from "./grid.ts";
import type { Completed } from "./look.ts";

/** And has this share of its kind's usual amplitude. */
const USUAL = 0.35;
/** Angstrom: two of one kind are no nearer, and pixels. */
const APART = { angstrom: 5, pixels: 1.5 };
/** Angstrom: two of one kind that are nearer and together no stronger than this many usual ones are one. */
const ONE = { angstrom: 10, weight: 1.5 };

/** Median amplitude of each kind. */
export function medianWeights(
	sites: readonly Required<Site>[],
	kinds: number,
): number[] {
	return Array.from({ length: kinds }, (_, s) =>
		medianOf(
			sites.filter(({ kind }) => kind === s).map((k) => Math.abs(k.weight)),
		),
	);
}

/** Amplitudes over the usual one of their kind. */
export function usual(
	sites: readonly Required<Site>[],
	kinds: number,
): Required<Site>[] {
	const medians = medianWeights(sites, kinds);
	return sites.map((site) => ({
		...site,
		weight: site.weight / (medians[site.kind] || 1),
	}));
}

/** Without those that do not stand out, are much weaker than usual, or too near a stronger one of their kind. */
export function pruned(
	{ map, significances }: Completed,
	signed: boolean,
	least: number,
): Required<Site>[] {
	const medians = medianWeights(map.sites, map.kinds);
	const order = [...map.sites.keys()].sort(
		(a, b) => Math.abs(significances[b]) - Math.abs(significances[a]),
	);
	const kept: Required<Site>[] = [];
	const inside = (v: number, n: number) => v > -1.5 && v < n + 0.5;
	for (const j of order) {
		const site = map.sites[j];
		const share = site.weight / (medians[site.kind] || 1);
		const strong = signed ? Math.abs(share) : share;
		const z = signed ? Math.abs(significances[j]) : significances[j];
		if (!(z > least && strong > USUAL)) continue;
		if (!inside(site.x, map.nx) || !inside(site.y, map.ny)) continue;
		const twin = kept.findIndex((k) => k.kind === site.kind && same(k, site));
		if (twin < 0) kept.push(site);
		else kept[twin] = joined(kept[twin], site);
	}
	return kept;

	function same(a: Required<Site>, b: Required<Site>): boolean {
		if (near(a, b, map.pixel)) return true;
		const together = (a.weight + b.weight) / (medians[a.kind] || 1);
		return (
			Math.hypot(a.x - b.x, a.y - b.y) * map.pixel < ONE.angstrom &&
			Math.abs(together) < ONE.weight
		);
	}
}

/** Two that are one: between them, as strong as both. */
function joined(a: Required<Site>, b: Required<Site>): Required<Site> {
	const weight = a.weight + b.weight;
	const part = weight === 0 ? 0 : Math.max(0, Math.min(1, b.weight / weight));
	return {
		...a,
		weight,
		x: a.x + part * (b.x - a.x),
		y: a.y + part * (b.y - a.y),
	};
}

const near = (
	a: { x: number; y: number },
	b: { x: number; y: number },
	pixel: number,
) =>
	Math.hypot(a.x - b.x, a.y - b.y) <
	Math.max(APART.pixels, APART.angstrom / pixel);

/** Where what is left resembles a kernel, each place as the kind that it resembles most. */
export function newSites(
	{ map, matches, significances }: Completed,
	kept: readonly Required<Site>[],
	signed: boolean,
	enough: number,
): Required<Site>[] {
	const found: (Required<Site> & { value: number })[] = [];
	const medians = medianWeights(map.sites, map.kinds);
	matches.forEach((match, kind) => {
		const strength = signed ? match.map(Math.abs) : match;
		const standing = medianOf(
			significances.filter((_, j) => map.sites[j].kind === kind).map(Math.abs),
		);
		const least = Math.max(enough, USUAL * standing);
		for (const { x, y, value } of peaks(
			strength,
			map.nx,
			map.ny,
			Math.max(APART.pixels, APART.angstrom / map.pixel),
			least,
		))
			found.push({
				...subpixel(match, map.nx, map.ny, { x, y, value }),
				weight: Math.sign(match[x * map.ny + y]) * Math.abs(medians[kind] || 1),
				kind,
				value,
			});
	});
	found.sort((a, b) => b.value - a.value);
	const added: Required<Site>[] = [];
	for (const { value: _, ...site } of found)
		if (![...kept, ...added].some((k) => near(k, site, map.pixel)))
			added.push(site);
	return added;
}

function subpixel(
	match: Float64Array,
	nx: number,
	ny: number,
	{ x, y }: Peak,
): { x: number; y: number } {
	const at = (i: number, j: number) =>
		match[
			Math.max(0, Math.min(nx - 1, i)) * ny + Math.max(0, Math.min(ny - 1, j))
		];
	const vertex = (a: number, b: number, c: number) => {
		const bend = a - 2 * b + c;
		return bend === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (a - c) / 2 / bend));
	};
	return {
		x: x + vertex(at(x - 1, y), at(x, y), at(x + 1, y)),
		y: y + vertex(at(x, y - 1), at(x, y), at(x, y + 1)),
	};
}
