/** Waves that outlive the kernels' window: marks where nothing is make up what the true ones' far ripples leave. */

import { maxOf } from "../../qpi/maths/extremes.ts";
import { kindOf } from "../kernels/refineMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { centreOf } from "./centre.ts";
import { completed } from "./complete.ts";
import { confirmed } from "./finish.ts";
import { firstKind } from "./first.ts";
import { prepared } from "./prepare.ts";
import type { Report, Searched } from "./searched.ts";
import { judged, type State } from "./state.ts";
import { independentWaves } from "./waves.ts";

/** A search's result and the pixels that it was found on. */
export interface Sought {
	readonly searched: Searched;
	readonly state: State;
	/** Pixels of the map along a side of one that was searched. */
	readonly factor: number;
	/** For people: why there may be fewer. */
	readonly doubt?: string;
}

/** Unknowns of a mark: x, y and amplitude. */
const UNKNOWNS = 3;
/** Shares of the shorter side that kernels reach then. */
const REACHES = [0.3, 0.45];
/** Angstrom that a centre of symmetry may be off the centre of power. */
const FAR = 24;
/** Words for each of the map's waves from which on few marks are looked for, and up to which they are believed. */
const DOUBT = -0.05;
const BELIEVED = 0.05;
/** Share of what many explain that few must. */
const ENOUGH = 0.33;
/** Scatterers that a kind needs. */
const FEW = 3;

/**
 * The state, or fewer marks with wider kernels that say the same in fewer words: half of N ln(share left) and, for each mark, what its unknowns and its place cost, N the map's independent waves. Held-out blocks do not tell, for the
 * marks in them were placed with the blocks seen, and a field of few waves is made up of kernels anywhere.
 */
export async function outlived(
	map: SitedMap,
	sought: Sought,
	report: Report,
): Promise<Sought> {
	const { searched, state } = sought;
	const { image, weights, nx, ny } = searched.map;
	const waves = independentWaves(image, weights, nx, ny);
	if (words(state, waves) < DOUBT * waves) return sought;
	let best: Sought | undefined;
	for (const share of REACHES) {
		const { searched: wide, factor } = prepared(
			...([map, searched.signed, Number.POSITIVE_INFINITY] as const),
			...([undefined, share] as const),
		);
		const rivals = [
			await firstKind(wide, undefined, report),
			await strongest(sought, wide, factor),
		];
		for (const rival of rivals) {
			const sure = rival && (await confirmed(wide, rival));
			if (!sure || words(sure, waves) > BELIEVED * waves) continue;
			const { explained } = sure.judgement;
			if (explained < ENOUGH * state.judgement.explained) continue;
			if (words(sure, waves) < words((best ?? sought).state, waves))
				best = { searched: wide, state: sure, factor };
		}
	}
	if (!best) {
		const { length } = state.map.sites;
		return words(state, waves) < 0
			? sought
			: {
					...sought,
					doubt: `there may be fewer: ${length} marks, three numbers each, stand for ${waves.toFixed(0)} independent waves, and so many make up waves that reach across the map anywhere`,
				};
	}
	return { ...best, state: await centred(best.searched, best.state) };
}

/** What the marks that stand out most, up to where significance falls most, become with wider kernels. */
async function strongest(
	{ state, factor: before }: Sought,
	{ map, size, signed, white }: Searched,
	factor: number,
): Promise<State | undefined> {
	const { sites } = state.map;
	const standing = state.significances.map(Math.abs);
	const order = [...sites.keys()].sort((a, b) => standing[b] - standing[a]);
	const falls = order
		.slice(FEW, Math.floor(order.length / 2) + 1)
		.map((j, i) => standing[order[FEW + i - 1]] / standing[j]);
	if (falls.length === 0) return undefined;
	const count = FEW + falls.indexOf(maxOf(falls));
	const at = (v: number) =>
		(before * v + (before - 1) / 2 - (factor - 1) / 2) / factor;
	const top = order.slice(0, count).map((j) => ({
		...{ ...sites[j], kind: 0 },
		...{ x: at(sites[j].x), y: at(sites[j].y) },
	}));
	const marked = { ...map, kinds: 1, sites: top };
	return judged(await completed(marked, size, signed, { white }), size);
}

/** With the kernel's centre in its middle: of one that hardly decays the centre of power says little, and symmetry is asked farther off. */
async function centred(
	{ size, signed, white }: Searched,
	state: State,
): Promise<State> {
	const { map, fit } = state;
	const { dx, dy } = centreOf(kindOf(fit, 0), size, map.pixel, FAR);
	const sites = map.sites.map((site) => ({
		...site,
		x: site.x + dx,
		y: site.y + dy,
	}));
	const options = { white, lambda: fit.lambda, rounds: 0 };
	return judged(
		await completed({ ...map, sites }, size, signed, options),
		size,
	);
}

/** Nats that it takes to say what a map shows, but for what all ways have in common. */
const words = ({ judgement, map }: State, waves: number): number =>
	(waves / 2) * Math.log(Math.max(1e-3, 1 - judgement.explained)) +
	map.sites.length * (UNKNOWNS / 2 + Math.log(waves));
