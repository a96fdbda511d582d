/** Scatterers, their kinds and rough kernels of a map in which nothing is marked. */

import { checked, type MarkedStack } from "../kernels/markedMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { confirmed, finished } from "./finish.ts";
import { again, firstKind } from "./first.ts";
import { joined, moreKinds } from "./kinds.ts";
import { componentsOf } from "./layers.ts";
import { leftoversOf } from "./leftovers.ts";
import { withoutHeaps } from "./outliers.ts";
import { outlived, type Sought } from "./outlived.ts";
import { whole } from "./pairs.ts";
import { prepared } from "./prepare.ts";
import type { Report } from "./searched.ts";
import { seedAt } from "./seeds.ts";
import type { SeedWindow } from "./windows.ts";
import { explains, type Found, worthOf } from "./worth.ts";

export type { SeedWindow } from "./windows.ts";

/** A map, or the layers of a stack (energies) on the same pixels, as preprocess() leaves them; nothing is marked. */
export type UnmarkedStack = Omit<MarkedStack, "marks">;

export interface BlindOptions {
	/** How many kinds there are; found when not given. */
	readonly kinds?: number;
	/** Whether amplitudes of one kind may have either sign. */
	readonly signed?: boolean;
	/** One a kind; found when not given. */
	readonly seeds?: readonly SeedWindow[];
	/** Awaited, so that a page can draw and a user can cancel by throwing. */
	readonly onProgress?: (turn: BlindTurn) => void | Promise<void>;
}

/** What is known after a turn. */
export interface BlindTurn {
	/** Parts done, of about how many. */
	readonly done: number;
	readonly total: number;
	/** What was done, for people. */
	readonly what: string;
	/** The kernel that is growing, size x size, at `pixel` Angstrom. */
	readonly kernel?: Float32Array;
	readonly size?: number;
	readonly pixel?: number;
	readonly marks?: readonly Pick<BlindMark, "x" | "y" | "kind">[];
}

/** Angstrom from the map's middle, x to the right, y up. */
export interface BlindMark {
	readonly x: number;
	readonly y: number;
	/** Amplitude over the median of its kind. */
	readonly weight: number;
	/** From 1, the kind that explains most first. */
	readonly kind: number;
	/** From 0 to 1: how alike what is seen there and its kind's kernel are. */
	readonly quality: number;
	/** Amplitude over its standard deviation. */
	readonly significance: number;
	/** Standard deviations. */
	readonly errors: {
		readonly weight: number;
		readonly x: number;
		readonly y: number;
	};
}

export interface BlindKind {
	readonly kind: number;
	/** How many. */
	readonly marks: number;
	/** size x size pixels of `pixel` Angstrom, first index x, of the layer that shows it best. */
	readonly kernel: Float32Array;
	readonly size: number;
	readonly pixel: number;
}

/** A place that no kind explains. */
export interface Leftover {
	readonly x: number;
	readonly y: number;
	/** Over the standard deviation of what noise leaves. */
	readonly significance: number;
	/** For people: "bright spot of 8 A". */
	readonly looks: string;
}

export interface BlindResult {
	/** Empty when there is nothing to extract. */
	readonly marks: readonly BlindMark[];
	readonly kinds: readonly BlindKind[];
	readonly leftovers: readonly Leftover[];
	/** The judge's score: share of the variance of held-out blocks; null when nothing was found. */
	readonly explained: number | null;
	/** Layers that were left out, for they show nothing. */
	readonly layersLeftOut: readonly number[];
	/** What was found and why no more, a sentence each. */
	readonly told: readonly string[];
}

/**
 * Finds the scatterers of a map by itself: seeds of every width and polarity, sparse deconvolution in turns with the kernel, marks completed by the model, further kinds as long as the judge
 * likes the map better with them, and in the end only what the kernels of scatterers elsewhere confirm. A kernel and its marks are known up to a common shift: its centre is the point
 * about which it resembles itself most when turned by 180 or 120 degrees, else the centre of its power (blind/centre.ts). The same map gives the same marks.
 * @throws RangeError when sizes do not fit, fewer than a tenth of the pixels count, or a number is out of range
 */
export async function findScatterers(
	stack: UnmarkedStack,
	options: BlindOptions = {},
): Promise<BlindResult> {
	check(options);
	const bare = bareMap(stack);
	const { images, leftOut } = componentsOf(stack.images, bare.weights);
	const nothing = (told: string): BlindResult => ({
		...{ marks: [], kinds: [], leftovers: [], explained: null },
		...{ layersLeftOut: leftOut, told: [told] },
	});
	if (images.length === 0)
		return nothing("the image is the same everywhere: there is nothing to see");
	let best: Found | undefined;
	let most = 0;
	for (const image of images) {
		if (best && (await explains(best, image, options.signed))) continue;
		const found = await search(
			{ ...bare, image },
			options,
			images.length === 1,
		);
		if (!found) continue;
		// Each image has a share of its own: marks of one are worth what they explain of all.
		const worth =
			images.length > 1
				? await worthOf(found, images, options.signed)
				: found.state.judgement.score;
		if (worth > most) [best, most] = [found, worth];
	}
	if (!best)
		return nothing(
			"no pattern was found at several places, beyond what noise looks like",
		);
	return resultOf(best, leftOut);
}

/** Parts of a search, about: seeds, two deconvolutions, their marks, kinds. */
const PARTS = 60;

/** @param alone whether it is all that is known, no component of a stack: the others judge its marks */
async function search(
	map: SitedMap,
	{ kinds, signed = false, seeds, onProgress }: BlindOptions,
	alone: boolean,
): Promise<Found | undefined> {
	const { searched: all, factor, image } = prepared(map, signed);
	const { pixel, nx, ny } = all.map;
	let done = 0;
	const report: Report = async (what, kernel, sites) => {
		await onProgress?.({
			...{ what, done: Math.min(done++, PARTS - 1), total: PARTS },
			...(kernel && {
				kernel: Float32Array.from(kernel.kernel),
				size: kernel.size,
				pixel,
			}),
			marks: sites?.map((site) => ({
				...inAngstrom(site, { nx, ny, pixel }),
				kind: site.kind + 1,
			})),
		});
	};
	const windows = seeds?.map((seed) => seedAt(all, seed));
	let first = await firstKind(all, windows?.slice(0, 1), report);
	if (!first) return undefined;
	const bare = withoutHeaps(all, image, first);
	const searched = bare ?? all;
	if (bare) first = await again(bare, first);
	const rest = windows?.slice(1) ?? [];
	let state = await moreKinds(searched, first, kinds, rest, report);
	if (kinds === undefined && state.map.kinds > 1)
		state = await joined(
			searched,
			state,
			finerThan(map, signed, factor),
			report,
		);
	state = await whole(searched, state, kinds !== undefined, report);
	const sure = await confirmed(searched, state);
	if (!sure) return undefined;
	const sought: Sought = { searched, state: sure, factor };
	const few =
		alone && !seeds && kinds === undefined
			? await outlived(map, sought, report)
			: sought;
	const end = await finished(map, few.searched, few.state, few.factor);
	return { map, state: few.state, finished: end, doubt: few.doubt };
}

/** The search on pixels as fine as kernels are extracted on, and how many of those a coarse one is; undefined where they are that fine. */
function finerThan(map: SitedMap, signed: boolean, factor: number) {
	const { finest } = prepared(map, signed);
	for (let fine = finest; fine <= factor / 2; fine++)
		if (factor % fine === 0)
			return {
				searched: prepared(map, signed, undefined, fine).searched,
				factor: factor / fine,
			};
	return undefined;
}

function resultOf(
	{ map, state, finished, doubt }: Found,
	leftOut: readonly number[],
): BlindResult {
	const { sites, errors, significances, qualities, last } = finished;
	const marks = sites.map((site, j): BlindMark => {
		const { weight, x, y } = errors[j];
		return {
			...inAngstrom(site, map),
			weight: site.weight,
			kind: site.kind + 1,
			quality: qualities[j],
			significance: significances[j],
			errors: { weight, x: x * map.pixel, y: y * map.pixel },
		};
	});
	const small = last.map;
	return {
		marks,
		kinds: finished.kernels.map((kernel, k) => ({
			kind: k + 1,
			marks: marks.filter(({ kind }) => kind === k + 1).length,
			kernel: Float32Array.from(kernel),
			size: finished.size,
			pixel: finished.pixel,
		})),
		leftovers: leftoversOf(small, last.rest).map(
			({ significance, looks, ...place }) => ({
				...inAngstrom(place, small),
				...{ significance, looks },
			}),
		),
		explained: state.judgement.explained,
		layersLeftOut: leftOut,
		told: doubt ? [doubt] : [],
	};
}

const inAngstrom = (
	{ x, y }: { readonly x: number; readonly y: number },
	{ nx, ny, pixel }: Pick<SitedMap, "nx" | "ny" | "pixel">,
) => ({ x: (x - (nx - 1) / 2) * pixel, y: (y - (ny - 1) / 2) * pixel });

function check({ kinds, seeds = [] }: BlindOptions): void {
	if (kinds !== undefined && !(Number.isInteger(kinds) && kinds >= 1))
		throw new RangeError(
			`findScatterers: expected kinds as a whole number from 1, got ${kinds}`,
		);
	for (const { x, y, size } of seeds)
		if (!(size > 0 && [x, y, size].every(Number.isFinite)))
			throw new RangeError(
				`findScatterers: expected a seed window of finite place and positive size, got ${x}, ${y}, ${size}`,
			);
}

/** The stack as a map without marks; its image is replaced by what is searched. */
function bareMap(stack: UnmarkedStack): SitedMap {
	const { nx, ny, pixel, order = 0 } = stack;
	const { images, weights } = checked(stack);
	return {
		...{ image: images[0], nx, ny, pixel, weights, order },
		...{ kinds: 1, sites: [] },
	};
}
