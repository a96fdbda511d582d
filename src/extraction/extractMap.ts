/** From a map of any size and its scatterers to kernels at the map's own pixel. */
import type { MapSystem } from "../qpi/mapPosterior.ts";
import type { KernelPrior } from "../qpi/prior.ts";
import { type ManySolver, onThisThread } from "../qpi/solveMany.ts";
import type { AdjustedSites } from "./adjustMarks.ts";
import { binned, unbinned } from "./bin.ts";
import { drawn, kindKernel } from "./draws.ts";
import type { Explained, Extraction, FoundScatterer } from "./extraction.ts";
import { HeldOut, inSample } from "./heldOut.ts";
import { OwnPixel } from "./ownPixel.ts";
import {
	adjustTo,
	kindOf,
	type MapSolution,
	REFINE_MAP,
	type RefinedMap,
	refineMap,
	ridgeMap,
	type SitedMap,
} from "./refineMap.ts";
import { symmetrise } from "./rotate.ts";
import {
	inAngstrom,
	type MarkedMap,
	type MarkedStack,
	SIDE,
	sited,
	windowOf,
} from "./sitedMap.ts";
import { Stopwatch } from "./stopwatch.ts";

export type { MapMark, MarkedMap, MarkedStack } from "./sitedMap.ts";

export type MapMethod = "ridge" | "refined";

export interface MapOptions {
	/** "auto" takes the one that explains most of the held-out pixels. */
	readonly method?: MapMethod | "auto";
	/** Radius of the kernels, Angstrom; where they sink into the noise when not given. */
	readonly window?: number;
	/** Averages the kernels over rotations by 360/n degrees. */
	readonly symmetry?: 1 | 2 | 3 | 4 | 6;
	/** Whether refined may move the scatterers and change their amplitudes, where the evidence pays for it; it may when not given. */
	readonly adjust?: boolean;
	/** Whether to find what is explained of held-out pixels, and the jackknife; "auto" needs it. */
	readonly holdOut?: boolean;
	/** Posterior samples; 16 when not given. */
	readonly samples?: number;
	readonly seed?: number;
	/** What solves many right-hand sides at once; one after another on this thread when not given. */
	readonly solver?: ManySolver;
	/** Told before each part how many are done, of about how many, and which comes. */
	readonly onProgress?: (done: number, total: number, what: string) => void;
}

/** Extracts the kernels of a map's scatterers, one of each kind. Throws as extractMaps does. */
export async function extractMap(
	{ image, ...rest }: MarkedMap,
	learned: { readonly prior?: KernelPrior },
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
 * so are the draws of the uncertainty, scaled by each image's own noise.
 * @throws RangeError when no scatterer lies in the map, sizes do not fit, or fewer than a tenth of the pixels count; Error when refined is asked for without a prior
 */
export async function extractMaps(
	stack: MarkedStack,
	{ prior }: { readonly prior?: KernelPrior },
	options: MapOptions = {},
): Promise<Extraction[]> {
	const { method = "refined", samples = 16, seed = 0, symmetry = 1 } = options;
	const { solver = onThisThread } = options;
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
	const first: Partial<Record<MapMethod, MapSolution>> = {};
	await watch.start("ridge");
	first.ridge = ridgeMap(coarse, size);
	if (prior && wanted.includes("refined"))
		first.refined = await refineMap(
			coarse,
			prior,
			first.ridge,
			(what) => watch.start(what),
			options.adjust === false ? { ...REFINE_MAP, rounds: 0 } : REFINE_MAP,
		);
	/** Of each method: sites, draws and what takes kernels to the map's own pixel, shared by all images. */
	const shared = new Map<MapMethod, Shared>();
	/** Of each system, its parts: further images share one. */
	const parts = new WeakMap<MapSystem, HeldOut>();
	// The reference first, for the others share what is found there; they are judged while the next ones are solved.
	const reference = stack.images.indexOf(map.image);
	const firstFound = await one(map.image);
	const rest = stack.images.map((image, i) =>
		i === reference ? firstFound : one(image),
	);
	return Promise.all(rest);

	async function one(image: ArrayLike<number>): Promise<Extraction> {
		const here: SitedMap = { ...map, image };
		const small = image === map.image ? coarse : binned(here, factor);
		const fits: Partial<Record<MapMethod, MapSolution>> = {};
		const explained: Partial<Record<MapMethod, Explained>> = {};
		const groups: Partial<Record<MapMethod, readonly Float64Array[]>> = {};
		for (const each of wanted) {
			const known = first[each];
			if (!known) continue;
			if (image !== map.image) await watch.start(`energies, ${each}`);
			const fit =
				image === map.image
					? known
					: "again" in known
						? (known as RefinedMap).again(small.image)
						: ridgeMap(small, size);
			// What is large is kept of the reference alone.
			const { covariance, system } = known;
			fits[each] = { ...fit, covariance, system };
			const held = options.holdOut !== false || method === "auto";
			if (held && image === map.image)
				await watch.start(`held-out parts, ${each}`);
			let part = parts.get(fit.system);
			if (held && !part) {
				part = new HeldOut(small, fit, window);
				parts.set(fit.system, part);
			}
			const left = held
				? await part?.judge(small.image, fit, solver)
				: undefined;
			groups[each] = left?.kernels ?? [];
			explained[each] = {
				heldOut: left?.share ?? null,
				inSample: inSample(small, fit),
			};
		}
		const by = async (name: Extraction["method"]): Promise<Extraction> => {
			const fit = fits[name as MapMethod];
			if (!fit)
				throw new RangeError(
					`method ${name} was not compared, expected one of ${wanted.join(", ")}`,
				);
			const rest = await finish(
				name as MapMethod,
				here,
				fit,
				groups[name as MapMethod] ?? [],
			);
			return { ...rest, explained, seconds: watch.seconds, by };
		};
		return by(
			wanted.reduce((a, b) =>
				(explained[b]?.heldOut ?? -1) > (explained[a]?.heldOut ?? -1) ? b : a,
			),
		);
	}

	/** Draws, goes to the map's own pixel, turns, re-convolves. */
	async function finish(
		name: MapMethod,
		here: SitedMap,
		fit: MapSolution,
		groups: readonly Float64Array[],
	): Promise<Omit<Extraction, "explained" | "by">> {
		const known = first[name] ?? fit;
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
		const { native, change, deviations } = common;
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
			scatterers: unbinned(fit.sites, factor).map(
				(site, j): FoundScatterer => ({
					...inAngstrom(site, map),
					weight: site.weight,
					kind: kinds[site.kind],
					errors: {
						weight: change.errors[j].weight,
						x: change.errors[j].x * coarse.pixel,
						y: change.errors[j].y * coarse.pixel,
					},
					amplitude: change.amplitudes[j],
					significance: change.significances[j],
				}),
			),
			trust: native.trust,
			parameters: {
				...parametersOf(fit),
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

function parametersOf(fit: MapSolution): Record<string, number | boolean> {
	const { lambda, scale, evidence, colour } = fit;
	const noise = fit.sigma / Math.sqrt(colour);
	const refined = fit as Partial<RefinedMap>;
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

function modelOf(
	map: SitedMap,
	kernels: Float64Array,
	{ size, system }: OwnPixel,
	turned: (kernel: Float64Array) => Float32Array,
): Pick<Extraction, "model" | "residual"> {
	const shown = new Float64Array(kernels.length);
	for (let s = 0; s < map.kinds; s++)
		shown.set(turned(kindOf({ kernels, size }, s)), s * size ** 2);
	const model = system.operator.apply(shown);
	const background = system.background(map.image, model);
	const whole = model.map((v, p) => v + background[p]);
	return {
		model: Float32Array.from(whole),
		residual: Float32Array.from(whole, (v, p) =>
			map.weights[p] > 0 ? map.image[p] - v : 0,
		),
	};
}
