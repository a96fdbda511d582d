/** The kind that explains most of what is seen. */

import { misfitOf, ridgeMap } from "../kernels/refineMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { centreOf } from "./centre.ts";
import { completed, meritOf } from "./complete.ts";
import type { Seen } from "./deconvolve.ts";
import { spreadOf } from "./grid.ts";
import { placesOf } from "./places.ts";
import type { Searched } from "./searched.ts";
import { type Seed, seedsOf } from "./seeds.ts";
import { judged, type State } from "./state.ts";
import { type Activated, inTurns } from "./turns.ts";

/** Seeds that are tried on a part of the map, and of those, on all of it. */
const TRIED = 8;
const TAKEN = 2;
/** Pixels along the side of the part that they are tried on. */
const PART = 96;
/** Turns of a trial, and of the whole map. */
const TURNS = { trial: 6, whole: 10 };
/**
 * The kernel whose marks explain most for their number: seeds are tried on a part of the map, the best ones deconvolve all of it in turns, and their marks are completed.
 * @returns undefined where nothing is found
 */
export async function firstKind(
	searched: Searched,
	given: readonly Seed[] | undefined,
	report: (
		what: string,
		kernel?: Activated,
		marks?: SitedMap["sites"],
	) => Promise<void>,
): Promise<State | undefined> {
	const { map, seen, size, white, signed, seedReach, doubtful } = searched;
	const { nx, ny, pixel } = map;
	const seeds = given ?? seedsOf(seen, nx, ny, pixel, seedReach);
	const best = given ?? (await tried(searched, seeds.slice(0, TRIED), report));
	let found: State | undefined;
	for (const seed of best.slice(0, doubtful ? 1 : TAKEN)) {
		const active = await inTurns(
			...([seen, nx, ny, seed, size, signed, TURNS.whole] as const),
			(_, __, kernel) => report("deconvolution", kernel),
		);
		const next = await complete(centredPlaces(active, map), "marks");
		if (!found || next.judgement.score > found.judgement.score) found = next;
	}
	// What the judge does not believe in no further work makes true.
	return found && found.judgement.score > 0 ? found : undefined;

	async function complete(
		sites: SitedMap["sites"],
		what: string,
	): Promise<State> {
		const done = await completed({ ...map, kinds: 1, sites }, size, signed, {
			white,
			report: (marks) => report(what, undefined, marks),
		});
		return judged(done, size);
	}
}

/** A state's marks on a search that some of the map was taken from. */
export async function again(
	{ map: { weights }, size, signed, white }: Searched,
	{ map, fit }: State,
): Promise<State> {
	const sites = map.sites.filter(({ x, y }) => {
		const p = Math.round(x) * map.ny + Math.round(y);
		return !(weights[p] === 0);
	});
	const done = await completed({ ...map, weights, sites }, size, signed, {
		...{ white, sure: true, lambda: fit.lambda },
	});
	return judged(done, size);
}

/** Where an activation gathers, seen from the kernel's own centre. */
export function centredPlaces(
	{ activation, kernel, size }: Activated,
	{ nx, ny, pixel }: SitedMap,
): SitedMap["sites"] {
	const { dx, dy } = centreOf(kernel, size, pixel);
	return placesOf(activation, nx, ny, pixel).map((site) => ({
		...site,
		x: site.x + dx,
		y: site.y + dy,
	}));
}

/** The seeds with what they became on a part of the map, the one that explains most for its marks first. */
async function tried(
	{ map, seen, seedReach, white, signed, doubtful }: Searched,
	seeds: readonly Seed[],
	report: (what: string, kernel?: Activated) => Promise<void>,
): Promise<Seed[]> {
	const part = liveliest(map, seen);
	const found: { seed: Seed; merit: number }[] = [];
	const noise = white || spreadOf(part.seen.image, part.seen.weights);
	const nothing = -power(part.seen) / noise ** 2;
	for (const seed of doubtful ? seeds.slice(0, TRIED / 2) : seeds) {
		const active = await inTurns(
			...([
				part.seen,
				part.map.nx,
				part.map.ny,
				seed,
				seed.size,
				signed,
			] as const),
			TURNS.trial,
			async () => {},
		);
		await report("seeds", active);
		const sites = placesOf(
			active.activation,
			part.map.nx,
			part.map.ny,
			map.pixel,
		);
		if (sites.length === 0) continue;
		const marked = { ...part.map, kinds: 1, sites };
		const fit = ridgeMap(marked, 2 * seedReach + 1, { steps: 16 });
		const { rest } = misfitOf(marked, fit);
		const left = Array.from(rest).reduce(
			(sum, v, p) => sum + part.seen.weights[p] * v * v,
			0,
		);
		const merit = meritOf({ left, map: marked }, noise);
		if (!doubtful || merit > nothing)
			found.push({ seed: { ...active, merit: seed.merit }, merit });
	}
	return found.sort((a, b) => b.merit - a.merit).map(({ seed }) => seed);
}

const power = ({ image, weights }: Seen) =>
	image.reduce((sum, v, p) => sum + weights[p] * v * v, 0);

/** The square part that holds most power. */
function liveliest(map: SitedMap, seen: Seen): { map: SitedMap; seen: Seen } {
	const [nx, ny] = [Math.min(PART, map.nx), Math.min(PART, map.ny)];
	let best = { x: 0, y: 0, power: -1 };
	const steps = (n: number, part: number) =>
		n > part
			? [0, 0.25, 0.5, 0.75, 1].map((s) => Math.round(s * (n - part)))
			: [0];
	for (const x of steps(map.nx, nx))
		for (const y of steps(map.ny, ny)) {
			let power = 0;
			for (let i = 0; i < nx; i++)
				for (let j = 0; j < ny; j++) {
					const p = (x + i) * map.ny + y + j;
					power += seen.weights[p] * seen.image[p] ** 2;
				}
			if (power > best.power) best = { x, y, power };
		}
	const cut = (from: ArrayLike<number>) =>
		Float64Array.from(
			{ length: nx * ny },
			(_, p) =>
				from[(best.x + Math.floor(p / ny)) * map.ny + best.y + (p % ny)],
		);
	const part = { image: cut(seen.image), weights: cut(seen.weights) };
	return { seen: part, map: { ...map, ...part, nx, ny, sites: [] } };
}
