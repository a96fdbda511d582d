/** What marks that were found in one component of a stack are worth to the others. */
import { judgeSites } from "../kernels/judge.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import type { Finished } from "./finish.ts";
import { prepared } from "./prepare.ts";
import type { State } from "./state.ts";

export interface Found {
	readonly map: SitedMap;
	readonly state: State;
	readonly finished: Finished;
	/** For people: why there may be fewer marks. */
	readonly doubt?: string;
}

/** Share of what an image holds above its noise that marks explain which another search would not better. */
const EXPLAINED = 0.8;

/** Whether the marks found in one image are all that another shows, or that shows nothing but noise: then it need not be searched. */
export async function explains(
	found: Found,
	image: ArrayLike<number>,
	signed = false,
): Promise<boolean> {
	const { judgement, power, noise } = await judgedOn(found, image, signed);
	const signal = power > 0 ? 1 - noise / power : 0;
	return judgement.explained >= EXPLAINED * signal;
}

/**
 * The judge's score over all components, each by its power. By its own alone a component of little power may win with marks that are none: the second one of near energies is the
 * difference between their ripples, which is largest far from the scatterers, where many marks anywhere fit it.
 */
export async function worthOf(
	found: Found,
	images: readonly ArrayLike<number>[],
	signed = false,
): Promise<number> {
	let [sum, all] = [0, 0];
	for (const image of images) {
		const { judgement, power } = await judgedOn(found, image, signed);
		sum += power * judgement.score;
		all += power;
	}
	return all > 0 ? sum / all : 0;
}

/** What marks explain of an image, its sum of squares, and that of its white noise. */
async function judgedOn(
	{ map: { kinds: _, ...map }, state, finished }: Found,
	image: ArrayLike<number>,
	signed: boolean,
) {
	const marked = { ...map, image, kinds: state.map.kinds };
	const { searched, factor } = prepared(
		{ ...marked, sites: finished.sites },
		signed,
	);
	const { map: coarse, size, white } = searched;
	const reach = ((size - 1) / 2) * coarse.pixel;
	const judgement = await judgeSites(coarse, size, reach);
	const { weights } = coarse;
	const [power, area] = weights.reduce(
		([power, area], w, p) => [power + w * coarse.image[p] ** 2, area + w],
		[0, 0],
	);
	const bin = factor ** 2;
	return { judgement, power: bin * power, noise: bin * area * white ** 2 };
}
