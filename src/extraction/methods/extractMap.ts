/** From a map of any size and its scatterers to kernels at the map's own pixel. */

import { onThisThread } from "../../qpi/posterior/solveMany.ts";
import { symmetrise } from "../findings/rotate.ts";
import { binned, unbinned } from "../kernels/bin.ts";
import { drawn, kindKernel } from "../kernels/draws.ts";
import type { EnergyAmplitudes } from "../kernels/energyAmplitudes.ts";
import type { Explained, Extraction } from "../kernels/extraction.ts";
import type { MapKernels } from "../kernels/furtherImages.ts";
import { foundScatterers, modelOf } from "../kernels/mapModel.ts";
import {
	type MarkedMap,
	type MarkedStack,
	SIDE,
	sited,
	windowOf,
} from "../kernels/markedMap.ts";
import { OwnPixel } from "../kernels/ownPixel.ts";
import {
	adjustTo,
	REFINE_MAP,
	type RefinedMap,
	refineMap,
	ridgeAgain,
	ridgeMap,
} from "../kernels/refineMap.ts";
import type { MapSolution, SitedMap } from "../kernels/sitedMap.ts";
import { Stopwatch } from "../kernels/stopwatch.ts";
import type { AdjustedSites } from "../marks/adjustMarks.ts";
import type { LearnedForMaps, MapMethod, MapOptions } from "./mapOptions.ts";
import { extractByNetwork } from "./networkMap.ts";
import { askedOf, type Fitted, StackFits } from "./stackFits.ts";

export type { MapMark, MarkedMap, MarkedStack } from "../kernels/markedMap.ts";

/** Extracts the kernels of a map's scatterers, one of each kind. Throws as extractMaps does. */
export async function extractMap(
	{ image, ...rest }: MarkedMap,
	learned: LearnedForMaps,
	options?: MapOptions,
): Promise<Extraction> {
	const found = await extractMaps(
		{ ...rest, images: [image] },
		learned,
		options,
	);
	return found[0];
}

/**
 * Extracts the kernels of each image of a stack. Window, working pixel, places and amplitudes of the scatterers are found in the image that shows them best and shared by all, and
 * so are the draws of the uncertainty, scaled by each image's own noise. Amplitudes are each image's own where the evidence asks for it (energyAmplitudes.ts).
 * @throws RangeError when no scatterer lies in the map, sizes do not fit, or fewer than a tenth of the pixels count; Error when refined is asked for without a prior
 */
export async function extractMaps(
	stack: MarkedStack,
	{ prior, networks }: LearnedForMaps,
	options: MapOptions = {},
): Promise<Extraction[]> {
	const { method = "refined", samples = 16, seed = 0, symmetry = 1 } = options;
	const { solver = onThisThread } = options;
	if (method === "oneStep" || method === "twoStep") {
		if (!networks)
			throw new Error(`the ${method} method needs the networks' weights`);
		return extractByNetwork(method, stack, networks, options);
	}
	const wanted: MapMethod[] =
		method === "auto" ? ["ridge", "refined"] : [method];
	if (wanted.includes("refined") && !prior)
		throw new Error("the refined method needs the kernel prior");
	const watch = new Stopwatch(stack.images.length, options.onProgress);
	await watch.start("window");
	const { map, kinds } = sited(stack);
	const window = windowOf(map, options.window);
	const factor = Math.max(1, Math.ceil((2 * window) / map.pixel / SIDE));
	const coarse = binned(map, factor);
	const size = 2 * Math.round(window / coarse.pixel) + 1;
	const own = 2 * Math.round(window / map.pixel) + 1;
	await watch.start("ridge");
	const ridge = ridgeMap(coarse, size);
	const refined =
		prior && wanted.includes("refined")
			? await refineMap(
					coarse,
					prior,
					ridge,
					(what) => watch.start(what),
					options.adjust === false ? { ...REFINE_MAP, rounds: 0 } : REFINE_MAP,
				)
			: undefined;
	const first: Partial<Record<MapMethod, MapSolution>> = { ridge, refined };
	const fits = new Map<MapMethod, StackFits>();
	for (const name of wanted) {
		const found = first[name];
		if (!found) continue;
		const again = (sites?: MapSolution["sites"]) =>
			name === "refined" && refined
				? refined.again(sites)
				: ridgeAgain(coarse, ridge, sites);
		fits.set(
			name,
			new StackFits(
				map,
				{ found, again },
				{
					...{ factor, window, solver },
					holdOut: options.holdOut !== false || method === "auto",
					many: stack.images.length > 1,
				},
			),
		);
	}
	const { images } = stack;
	const asked = askedOf(images.length, images.indexOf(map.image)).map(
		(i) => images[i],
	);
	const chosen = await compared();
	await watch.start("amplitudes");
	const amplitudes =
		options.adjust === false || images.length < 2
			? undefined
			: await fits.get(chosen)?.askFor(asked);
	/** Of each method: sites, draws and what takes kernels to the map's own pixel, shared by all images. */
	const shared = new Map<MapMethod, Shared>();
	// The reference first, for the others share what is found there.
	const firstFound = await one(map.image);
	return inFlight(images, 2 * solver.together, (image) =>
		image === map.image ? firstFound : one(image),
	);

	/** The method that explains most of what is held out of some of the images. */
	async function compared(): Promise<MapMethod> {
		const shares: [MapMethod, number][] = [];
		for (const [name, of] of fits) {
			if (fits.size > 1) await watch.start(`held-out parts, ${name}`);
			let share = 0;
			if (fits.size > 1)
				for (const image of asked)
					share += (await of.of(image)).explained.heldOut ?? -1;
			shares.push([name, share]);
		}
		return shares.reduce((a, b) => (b[1] > a[1] ? b : a))[0];
	}

	async function one(image: ArrayLike<number>): Promise<Extraction> {
		const here: SitedMap = { ...map, image };
		const known = asked.includes(image) ? wanted : [chosen];
		const by = async (name: Extraction["method"]): Promise<Extraction> => {
			const found = await fits.get(name as MapMethod)?.of(image);
			if (!found)
				throw new RangeError(
					`method ${name} was not compared, expected one of ${wanted.join(", ")}`,
				);
			const explained: Partial<Record<MapMethod, Explained>> = {};
			for (const each of known) {
				const other = await fits.get(each)?.of(image);
				if (other) explained[each] = other.explained;
			}
			explained[name as MapMethod] = found.explained;
			const rest = await finish(name as MapMethod, here, found);
			return { ...rest, explained, seconds: watch.seconds, by };
		};
		if (image !== map.image) await watch.start(`energies, ${chosen}`);
		else if (fits.size === 1) await watch.start(`held-out parts, ${chosen}`);
		return by(chosen);
	}

	/** Draws, goes to the map's own pixel, turns, re-convolves. */
	async function finish(
		name: MapMethod,
		here: SitedMap,
		{ fit, groups }: Fitted,
	): Promise<Omit<Extraction, "explained" | "by">> {
		const byEnergy = amplitudes?.byEnergy === true && name === chosen;
		const known = first[name] ?? ridge;
		let common = shared.get(name);
		if (!common) {
			await watch.start("uncertainty");
			const change = adjustTo(coarse, known);
			common = {
				...{ change, sigma: known.sigma },
				deviations: await drawn(coarse, known, change, samples, seed, solver),
				native: new OwnPixel(map, known, factor, own),
			};
			shared.set(name, common);
			await watch.start("map's own pixel");
		}
		const { change, deviations } = common;
		const native = byEnergy
			? new OwnPixel(map, fit, factor, own)
			: common.native;
		const wide = common.sigma > 0 ? fit.sigma / common.sigma : 1;
		const found = native.take(here.image, {
			kernels: fit.kernels,
			samples: deviations.map((d) =>
				d.map((v, i) => wide * v + fit.kernels[i]),
			),
			groups,
		});
		const turned = (kernel: Float64Array) =>
			symmetry === 1 ? Float32Array.from(kernel) : symmetrise(kernel, symmetry);
		return {
			method: name,
			kinds: kinds.map((kind, s) =>
				kindKernel(kind, s, found, native.size, turned),
			),
			size: native.size,
			nx: map.nx,
			ny: map.ny,
			...modelOf(here, found.kernels, native, turned),
			scatterers: foundScatterers(
				map,
				unbinned(fit.sites, factor),
				kinds,
				change,
				coarse.pixel,
			),
			trust: native.trust,
			parameters: {
				...parametersOf(fit, known),
				...amplitudesOf(byEnergy, amplitudes),
				solver: solver.name,
				window,
				pixel: map.pixel,
				binned: factor,
				order: map.order,
				symmetry,
				seed,
			},
		};
	}
}

/** What the images of a stack have in common. */
interface Shared {
	readonly change: AdjustedSites;
	/** Draws less the kernels. */
	readonly deviations: readonly Float64Array[];
	/** The noise that they were drawn with. */
	readonly sigma: number;
	readonly native: OwnPixel;
}

/** Whether amplitudes are shared by all energies, and what speaks for it; nothing of a single image. */
const amplitudesOf = (
	byEnergy: boolean,
	found: EnergyAmplitudes | undefined,
): Extraction["parameters"] =>
	found
		? {
				amplitudes: byEnergy ? "by energy" : "shared",
				amplitudeSpread: found.spread,
				amplitudeGain: found.gain,
				amplitudeImages: found.images,
			}
		: {};

/** Of items in their order, no more than `together` at a time: what is under way takes memory. */
async function inFlight<Item, Result>(
	items: readonly Item[],
	together: number,
	work: (item: Item) => Result | Promise<Result>,
): Promise<Result[]> {
	const out = new Array<Result>(items.length);
	let next = 0;
	const take = async () => {
		while (next < items.length) {
			const i = next++;
			out[i] = await work(items[i]);
		}
	};
	await Promise.all(Array.from({ length: together }, take));
	return out;
}

function parametersOf(
	fit: MapKernels,
	first: MapSolution,
): Record<string, number | boolean> {
	const { lambda, scale, evidence, colour } = fit;
	const noise = fit.sigma / Math.sqrt(colour);
	const refined = first as Partial<RefinedMap>;
	return {
		...(refined.workingPixel === undefined
			? {}
			: {
					workingPixel: refined.workingPixel,
					adjusted: refined.adjusted ?? false,
					robust: refined.robust ?? false,
				}),
		...{ lambda, noise, scale, evidence, colour },
	};
}
