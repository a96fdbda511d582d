/** Which list of scatterers a map is for: what it explains of pixels held out, less what it takes to say where they are. */
import {
	type ManySolver,
	onThisThread,
} from "../../qpi/posterior/solveMany.ts";
import { binned } from "./bin.ts";
import { HeldOut } from "./heldOut.ts";
import { type MarkedMap, SIDE, sited } from "./markedMap.ts";
import { ridgeMap } from "./refineMap.ts";
import type { SitedMap } from "./sitedMap.ts";

export interface JudgeOptions {
	/** Radius of the kernels, Angstrom: bounded, for a kernel as large as the map explains all of it from a single place. */
	readonly window?: number;
	readonly solver?: ManySolver;
}

/** Shares of the variance of what the polynomial background leaves. */
export interface Judgement {
	/** `explained` less `penalty`: the greater the better; 0 for no scatterers. */
	readonly score: number;
	/** Of held-out blocks as wide as the window, by ridge kernels of the other blocks. */
	readonly explained: number;
	/** What as many scatterers at the best of all places explain of noise. */
	readonly penalty: number;
}

const WINDOW = 64;
/** Unknowns of a scatterer: x, y and amplitude. */
const UNKNOWNS = 3;
/** Two places nearer than this are one, Angstrom. */
const PLACE = 6;
/** Lanczos steps of the fit of the whole map: enough for lambda. */
const STEPS = 32;

/**
 * Judges scatterers and their kinds by what their kernels explain of blocks that they were not fitted to. The kernels pay for themselves, for what they take from noise does not show in
 * other blocks; places and amplitudes were chosen with all of the map seen, so each scatterer pays for its three unknowns and for the choice among the map's
 * independent places (in nats; twice as much of chi^2).
 * @throws RangeError as extractMap does
 */
export async function judgeMarks(
	{ image, ...rest }: MarkedMap,
	{ window = WINDOW, solver = onThisThread }: JudgeOptions = {},
): Promise<Judgement> {
	if (rest.marks.length === 0) return { score: 0, explained: 0, penalty: 0 };
	const { map } = sited({ ...rest, images: [image] });
	const reach = Math.min(window, 0.45 * Math.min(map.nx, map.ny) * map.pixel);
	const factor = Math.max(1, Math.ceil((2 * reach) / map.pixel / SIDE));
	const coarse = binned(map, factor);
	const size = 2 * Math.round(reach / coarse.pixel) + 1;
	return judgeSites(coarse, size, reach, solver);
}

/**
 * The same of a map whose pixels are as they are to be.
 * @param size pixels along a kernel's side
 * @param reach Angstrom, its radius
 * @param lambda of the ridge, where it is known
 */
export async function judgeSites(
	map: SitedMap,
	size: number,
	reach: number,
	solver: ManySolver = onThisThread,
	lambda?: number,
): Promise<Judgement> {
	if (map.sites.length === 0) return { score: 0, explained: 0, penalty: 0 };
	const fit = ridgeMap(map, size, { steps: STEPS, lambda });
	const held = new HeldOut(map, fit, reach);
	const { share } = await held.judge(map.image, fit, solver);
	const { power } = fit.system.see(map.image);
	const area = fit.system.weights.filter((w) => w > 0).length;
	const places = (area * map.pixel ** 2) / PLACE ** 2;
	const nats = map.sites.length * (UNKNOWNS + Math.log(Math.max(1, places)));
	const penalty = power > 0 ? (2 * nats * fit.sigma ** 2) / power : 0;
	return { score: share - penalty, explained: share, penalty };
}
