/** Scatterers completed by the model itself: kernels from marks, marks from kernels, until neither changes. */

import { MapConvolution } from "../../qpi/operator/convolution.ts";
import type { Site } from "../../qpi/operator/mapOperator.ts";
import { kindOf } from "../kernels/refineMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { assigned } from "./assign.ts";
import { centreOf } from "./centre.ts";
import { newSites, pruned, usual } from "./choose.ts";
import { type Completed, look } from "./look.ts";

/** Rounds at most. */
const ROUNDS = 7;
/** Of the first rounds, those in which kernels and marks are shifted to have the kernel's centre in its middle, and pixels that are not worth it. */
const CENTRED = { rounds: 3, least: 0.25 };
/** Standard deviations that a mark must stand out by in the first round, and by how much more in each further one, up to LEAST: kernels are rough at first, and what they miss is no noise. */
const PATIENCE = { first: 3, more: 0.8 };
const SURE = { first: 4.5, more: 0.5 };
/** What a mark has to explain, standard deviations squared: its place is one of thousands. */
const PRICE = 25;
/** What a mark that is added has to stand out by at least. */
const ADDED = 4.5;
/** Rounds, the last ones, of which the best is taken. */
const STRICT = 4;
/** A scatterer stands out of the noise by this many standard deviations: the highest of a million places of noise reaches 4.9. */
const LEAST = 5.5;

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
