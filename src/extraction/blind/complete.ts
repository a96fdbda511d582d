/** Scatterers completed by the model itself: kernels from marks, marks from kernels, until neither changes. */
import { MapConvolution } from "../../qpi/convolution.ts";
import { maxOf } from "../../qpi/extremes.ts";
import type { Site } from "../../qpi/mapOperator.ts";
import { ringsOf } from "../reach.ts";
import {
	kindOf,
	type MapSolution,
	misfitOf,
	ridgeMap,
	type SitedMap,
} from "../refineMap.ts";
import { assigned } from "./assign.ts";
import { centreOf } from "./centre.ts";
import { medianOf, type Peak, peaks, spreadOf } from "./grid.ts";
import { step } from "./step.ts";

/** Rounds at most. */
const ROUNDS = 7;
/** Of the first rounds, those in which kernels and marks are shifted to have the kernel's centre in its middle, and pixels that are not worth it. */
const CENTRED = { rounds: 3, least: 0.25 };
/** Standard deviations that a mark must stand out by in the first round, and by how much more in each further one, up to LEAST: kernels are rough at first, and what they miss is no noise. */
const PATIENCE = { first: 3, more: 0.8 };
const SURE = { first: 4.5, more: 0.5 };
/** What a mark has to explain, standard deviations squared: its place is one of thousands. */
export const PRICE = 25;
/** What a mark that is added has to stand out by at least. */
const ADDED = 4.5;
/** Rounds, the last ones, of which the best is taken. */
const STRICT = 4;
/** Angstrom about a site in which its place and amplitude are sought, and pixels at most. */
const REACH = { angstrom: 40, pixels: 14 };
/** Lanczos steps for a kernel that is only looked with. */
const STEPS = 24;
/** A scatterer stands out of the noise by this many standard deviations: the highest of a million places of noise reaches 4.9. */
export const LEAST = 5.5;
/** And has this share of its kind's usual amplitude. */
const USUAL = 0.35;
/** Angstrom: two of one kind are no nearer, and pixels. */
const APART = { angstrom: 5, pixels: 1.5 };
/** Angstrom: two of one kind that are nearer and together no stronger than this many usual ones are one. */
const ONE = { angstrom: 10, weight: 1.5 };

export interface Completed {
	readonly map: SitedMap;
	readonly fit: MapSolution;
	/** Of each site: amplitude over its standard deviation, errors that go together reckoned with. */
	readonly significances: Float64Array;
	/** Of amplitude and place, pixels. */
	readonly errors: readonly { weight: number; x: number; y: number }[];
	/** What white noise would have to be, and the sum of squares that is left. */
	readonly noise: number;
	readonly left: number;
	/** Map less model, and how far it stands out at each pixel by each kind's kernel, standard deviations. */
	readonly rest: Float64Array;
	readonly matches: readonly Float64Array[];
}

/**
 * In rounds: the kernels by ridge, places and amplitudes by a Gauss-Newton step, marks that do not stand out dropped, and where what is left resembles a kernel a mark added.
 */
export async function completed(
	start: SitedMap,
	size: number,
	signed: boolean,
	{
		white,
		lambda: known,
		sure = false,
		rounds = sure ? ROUNDS - 3 : ROUNDS,
		grow = true,
		report = async () => {},
	}: {
		/** Standard deviation of a pixel's white noise: there is no less. */
		readonly white: number;
		/** Of the kernels' ridge, where it is known about. */
		readonly lambda?: number;
		/** Whether kernels are known well from the start. */
		readonly sure?: boolean;
		readonly rounds?: number;
		/** Whether marks are added. */
		readonly grow?: boolean;
		readonly report?: (sites: readonly Required<Site>[]) => Promise<void>;
	},
): Promise<Completed> {
	let map = start;
	const convolution = new MapConvolution(map.nx, map.ny, size);
	// What is left while marks are missing is no noise: the least that was seen is nearest to it.
	let noise = Number.POSITIVE_INFINITY;
	let lambda = known;
	const seen: Completed[] = [];
	for (let round = 0; ; round++) {
		const looked = look(map, size, convolution, white, noise, lambda);
		noise = Math.max(white, looked.noise);
		// It changes little from round to round, and takes as long to find as the kernels.
		lambda = looked.fit.lambda;
		seen.push(looked);
		if (round >= rounds || looked.map.sites.length === 0) break;
		const { first, more } = sure ? SURE : PATIENCE;
		const least = Math.min(LEAST, first + more * round);
		const kept = pruned(looked, signed, least);
		const added =
			grow && round > 0
				? newSites(looked, kept, signed, Math.max(ADDED, least))
				: [];
		const next = {
			...looked.map,
			sites: usual([...kept, ...added], map.kinds),
		};
		const { sites, changes } = assigned(
			next,
			looked,
			round < CENTRED.rounds ? centres(looked) : undefined,
		);
		await report(sites);
		const settled =
			changes + added.length === 0 && kept.length === looked.map.sites.length;
		if (settled && least === LEAST) break;
		map = { ...next, sites };
	}
	// Rounds of patience hold marks that are none.
	const strict = seen.slice(-STRICT);
	return strict.reduce((a, b) =>
		meritOf(b, noise) >= meritOf(a, noise) ? b : a,
	);
}

/** How well marks explain a map for their number: minus half of it is, roughly, a log likelihood. */
export const meritOf = (
	{ left, map }: Pick<Completed, "left" | "map">,
	noise: number,
): number => -left / noise ** 2 - PRICE * map.sites.length;

/** How far each kind's kernel is off its middle. */
const centres = ({ fit, map }: Completed) =>
	Array.from({ length: map.kinds }, (_, s) => {
		const { dx, dy } = centreOf(kindOf(fit, s), fit.size, map.pixel);
		const far = Math.hypot(dx, dy) > CENTRED.least;
		return far ? { dx, dy } : { dx: 0, dy: 0 };
	});

/** Pixels about a site that say where and how strong it is. */
export const reachFor = (pixel: number): number =>
	Math.min(REACH.pixels, Math.round(REACH.angstrom / pixel));

/** One round's kernels, the sites as they have to be moved, and what is left. */
export function look(
	map: SitedMap,
	size: number,
	convolution: MapConvolution,
	white = 0,
	least = Number.POSITIVE_INFINITY,
	lambda?: number,
): Completed {
	const fit = ridgeMap(map, size, { steps: STEPS, lambda });
	const rest = Float64Array.from(misfitOf(map, fit).rest);
	const { matches, noise } = matched(map, fit, rest, convolution);
	const sigma = Math.max(white, Math.min(least, maxOf(noise)));
	const { nx, ny, weights } = map;
	const stepped = step(
		{
			...{ nx, ny, rest, weights, kernels: fit.kernels, size, sigma },
			reach: reachFor(map.pixel),
		},
		map.sites,
	);
	return {
		map: { ...map, sites: stepped.sites },
		fit,
		...{ rest, noise: sigma },
		significances: stepped.significances,
		errors: stepped.errors,
		left: rest.reduce((sum, v, p) => sum + weights[p] * v * v, 0),
		matches: matches.map((match, s) =>
			match.map((v) => (v * noise[s]) / Math.min(noise[s], sigma)),
		),
	};
}

/**
 * For each kind and pixel what is left resembles the kernel by, over the standard deviation that this has where nothing is: noise that goes together over pixels is reckoned with.
 * @returns also that standard deviation, in units of the map: what white noise would have to be
 */
export function matched(
	map: SitedMap,
	fit: Pick<MapSolution, "kernels" | "size">,
	rest: Float64Array,
	convolution: MapConvolution,
): { matches: Float64Array[]; noise: number[] } {
	const { weights, kinds } = map;
	const seen = rest.map((v, p) => v * weights[p]);
	const noise: number[] = [];
	const matches = Array.from({ length: kinds }, (_, s) => {
		const kernel = quietened(kindOf(fit, s), fit.size);
		const out = convolution.mapOf(convolution.kernelSpectrum(kernel), seen);
		const power = convolution.mapOf(
			convolution.kernelSpectrum(kernel.map((v) => v * v)),
			weights,
		);
		const most = power.reduce((a, b) => Math.max(a, b), 0);
		// A quarter of the pattern must be seen.
		const statistic = out.map((v, p) =>
			power[p] > 0.25 * most && weights[p] > 0 ? v / Math.sqrt(power[p]) : 0,
		);
		const spread = spreadOf(statistic, weights) || 1;
		noise.push(spread);
		return statistic.map((v) => v / spread);
	});
	return { matches, noise };
}

/** A kernel whose rings count as far as they stand above the quietest ones. */
export function quietened(kernel: Float64Array, size: number): Float64Array {
	const { power } = ringsOf(kernel, size, 2);
	const quiet = Float64Array.from(power).sort();
	const floor = quiet[Math.floor(quiet.length / 10)];
	const middle = (size - 1) / 2;
	return kernel.map((v, p) => {
		const r = Math.hypot(Math.floor(p / size) - middle, (p % size) - middle);
		const ring = Math.floor(r / 2);
		if (ring >= power.length) return 0;
		return v * Math.max(0, 1 - floor / power[ring]);
	});
}

/** Without those that do not stand out, are much weaker than usual, or too near a stronger one of their kind. */
function pruned(
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
function newSites(
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
