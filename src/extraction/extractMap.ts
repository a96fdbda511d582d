/** From a map of any size and its scatterers to kernels at the map's own pixel. */
import { MapOperator } from "../qpi/mapOperator.ts";
import { MapSolver } from "../qpi/mapPosterior.ts";
import type { KernelPrior } from "../qpi/prior.ts";
import { Random } from "../random.ts";
import type { AdjustedSites } from "./adjustMarks.ts";
import { binned, unbinned } from "./bin.ts";
import type {
	Explained,
	Extraction,
	FoundScatterer,
	KindKernel,
} from "./extraction.ts";
import { finished, type Native } from "./ownPixel.ts";
import {
	adjustTo,
	kindOf,
	type MapSolution,
	misfitOf,
	type RefinedMap,
	refineMap,
	ridgeMap,
	type SitedMap,
	systemOf,
} from "./refineMap.ts";
import { symmetrise } from "./rotate.ts";
import { reachOf } from "./window.ts";

/** A scatterer on a map: Angstrom from the map's middle, x to the right, y up. */
export interface MapMark {
	readonly x: number;
	readonly y: number;
	/** Relative amplitude, 1 when not given. */
	readonly weight?: number;
	/** From 1; 1 when not given. */
	readonly kind?: number;
}

/** A map as preprocess() leaves it, and its scatterers. */
export interface MarkedMap {
	/** [nx][ny], first index x. */
	readonly image: ArrayLike<number>;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom. */
	readonly pixel: number;
	/** What each pixel counts, 0 nowhere; 1 when not given. */
	readonly weights?: ArrayLike<number>;
	/** Order of the polynomial background that is fitted along, 0 (a constant) when not given. */
	readonly order?: number;
	readonly marks: readonly MapMark[];
}

export type MapMethod = "ridge" | "refined";

export interface MapOptions {
	/** "auto" takes the one that explains most of the held-out pixels. */
	readonly method?: MapMethod | "auto";
	/** Radius of the kernels, Angstrom; where they sink into the noise when not given. */
	readonly window?: number;
	/** Averages the kernels over rotations by 360/n degrees. */
	readonly symmetry?: 1 | 2 | 3 | 4 | 6;
	/** Whether to find what is explained of held-out pixels, and the jackknife; "auto" needs it. */
	readonly holdOut?: boolean;
	/** Posterior samples; 16 when not given. */
	readonly samples?: number;
	readonly seed?: number;
	/** Told before each part how many are done, of about how many, and which comes. */
	readonly onProgress?: (done: number, total: number, what: string) => void;
}

/** Parts that a map is cut into; each is held out once. */
const FOLDS = 4;
/** Radius of kernels, Angstrom: at least, and at most. */
const WINDOW = [64, 160];
/** A kernel has no more pixels than this along its side when it is solved for: finer maps are binned, and what is finer than that is added at the end. */
const SIDE = 65;
/** Held-out kernels and samples need no more digits than this. */
const ROUGH = { tolerance: 0.1, steps: 24 };

/**
 * Extracts the kernels of a map's scatterers, one of each kind.
 * @throws RangeError when no scatterer lies in the map, sizes do not fit, or fewer than a tenth of the pixels count
 */
export async function extractMap(
	marked: MarkedMap,
	{ prior }: { readonly prior?: KernelPrior },
	options: MapOptions = {},
): Promise<Extraction> {
	const { method = "refined" } = options;
	const watch = new Stopwatch(options.onProgress);
	const { map, kinds } = sited(marked);
	const wanted: MapMethod[] =
		method === "auto" ? ["ridge", "refined"] : [method];
	if (wanted.includes("refined") && !prior)
		throw new Error("the refined method needs the kernel prior");
	await watch.start("window");
	const window = windowOf(map, options.window);
	const factor = Math.max(1, Math.ceil((2 * window) / map.pixel / SIDE));
	const coarse = binned(map, factor);
	const size = 2 * Math.round(window / coarse.pixel) + 1;
	await watch.start("ridge");
	const ridge = ridgeMap(coarse, size);
	const fits: Partial<Record<MapMethod, MapSolution>> = { ridge };
	if (prior && wanted.includes("refined"))
		fits.refined = await refineMap(coarse, prior, ridge, (what) =>
			watch.start(what),
		);
	const explained: Partial<Record<MapMethod, Explained>> = {};
	const groups: Partial<Record<MapMethod, Float64Array[]>> = {};
	for (const each of wanted) {
		const fit = fits[each];
		if (!fit) continue;
		if (options.holdOut !== false || method === "auto") {
			await watch.start(`held-out parts, ${each}`);
			const held = heldOut(coarse, fit, window);
			explained[each] = {
				heldOut: held.share,
				inSample: inSample(coarse, fit),
			};
			groups[each] = held.kernels;
		} else explained[each] = { heldOut: null, inSample: inSample(coarse, fit) };
	}
	const chosen = wanted.reduce((a, b) =>
		(explained[b]?.heldOut ?? -1) > (explained[a]?.heldOut ?? -1) ? b : a,
	);
	const by = async (name: Extraction["method"]): Promise<Extraction> => {
		const fit = fits[name as MapMethod];
		if (!fit || !explained[name as MapMethod])
			throw new RangeError(
				`method ${name} was not compared, expected one of ${wanted.join(", ")}`,
			);
		return finish(name as MapMethod, fit);
	};
	return by(chosen);

	/** Draws, goes back to the map's own pixel, turns, re-convolves. */
	async function finish(
		name: MapMethod,
		fit: MapSolution,
	): Promise<Extraction> {
		const { symmetry = 1, samples = 16, seed = 0 } = options;
		await watch.start("uncertainty");
		const change = adjustTo(coarse, fit);
		const draws = drawn(coarse, fit, change, samples, seed);
		await watch.start("map's own pixel");
		const native = finished(
			map,
			fit,
			draws,
			groups[name] ?? [],
			factor,
			window,
		);
		const turned = (kernel: Float64Array) =>
			symmetry === 1 ? Float32Array.from(kernel) : symmetrise(kernel, symmetry);
		const scatterers = unbinned(fit.sites, factor).map(
			(site, j): FoundScatterer => ({
				...inAngstrom(site, map),
				weight: site.weight,
				kind: kinds[site.kind],
				errors: {
					weight: change.errors[j].weight,
					x: change.errors[j].x * coarse.pixel,
					y: change.errors[j].y * coarse.pixel,
				},
				significance: change.significances[j],
			}),
		);
		watch.stop();
		return {
			method: name,
			kinds: kinds.map(
				(kind, s): KindKernel => kindKernel(kind, s, native, turned),
			),
			size: native.size,
			nx: map.nx,
			ny: map.ny,
			...modelOf(map, native, turned),
			explained,
			scatterers,
			trust: native.trust,
			parameters: {
				window,
				pixel: map.pixel,
				...(factor > 1 ? { binned: factor } : {}),
				...("workingPixel" in fit
					? {
							workingPixel: (fit as RefinedMap).workingPixel,
							adjusted: (fit as RefinedMap).adjusted,
							robust: (fit as RefinedMap).robust,
						}
					: {}),
				lambda: fit.lambda,
				noise: fit.sigma,
				scale: fit.scale,
				evidence: fit.evidence,
				colour: fit.colour,
				order: map.order,
				symmetry,
				seed,
			},
			seconds: watch.seconds,
			by,
		};
	}
}

/** Marks as sites on pixels, their kinds numbered without gaps. */
function sited(marked: MarkedMap): { map: SitedMap; kinds: number[] } {
	const { image, nx, ny, pixel, order = 0 } = marked;
	const pixels = nx * ny;
	if (image.length !== pixels)
		throw new RangeError(
			`expected a map of ${nx} x ${ny} = ${pixels} pixels, got ${image.length}`,
		);
	if (!(pixel > 0))
		throw new RangeError(`expected a pixel above 0 A, got ${pixel}`);
	const weights = Float64Array.from({ length: pixels }, (_, p) =>
		Number.isFinite(image[p]) ? (marked.weights?.[p] ?? 1) : 0,
	);
	const counted = weights.filter((w) => w > 0).length;
	if (counted < pixels / 10)
		throw new RangeError(
			`${counted} of the map's ${pixels} pixels count; expected a tenth or more`,
		);
	const inside = marked.marks.filter(
		({ x, y }) =>
			Math.abs(x) <= (nx / 2 + 1) * pixel &&
			Math.abs(y) <= (ny / 2 + 1) * pixel,
	);
	if (inside.length === 0)
		throw new RangeError(
			`none of the ${marked.marks.length} scatterers lies in the map; expected at least one`,
		);
	const kinds = [...new Set(inside.map(({ kind = 1 }) => kind))].sort(
		(a, b) => a - b,
	);
	return {
		kinds,
		map: {
			...{ image, nx, ny, pixel, weights, order },
			kinds: kinds.length,
			sites: inside.map(({ x, y, weight = 1, kind = 1 }) => ({
				x: x / pixel + (nx - 1) / 2,
				y: y / pixel + (ny - 1) / 2,
				weight,
				kind: kinds.indexOf(kind),
			})),
		},
	};
}

const inAngstrom = (
	{ x, y }: { readonly x: number; readonly y: number },
	{ nx, ny, pixel }: SitedMap,
) => ({ x: (x - (nx - 1) / 2) * pixel, y: (y - (ny - 1) / 2) * pixel });

/** The radius asked for, or where a first ridge kernel sinks into the noise. */
function windowOf(map: SitedMap, asked: number | undefined): number {
	const most = 0.45 * Math.min(map.nx, map.ny) * map.pixel;
	if (asked !== undefined) {
		if (!(asked >= 4 * map.pixel && asked <= 2 * most))
			throw new RangeError(
				`expected a window of ${(4 * map.pixel).toPrecision(3)} to ${(2 * most).toPrecision(3)} A, got ${asked}`,
			);
		return asked;
	}
	const reach = Math.min(most, WINDOW[1]);
	// A rough kernel says enough: at most so many pixels.
	const factor = Math.max(1, Math.ceil((2 * reach) / map.pixel / SIDE));
	const coarse = binned(map, factor);
	const size = 2 * Math.round(reach / coarse.pixel) + 1;
	const rough = ridgeMap(coarse, size, { steps: 32 });
	const found = reachOf(
		Array.from({ length: map.kinds }, (_, s) => kindOf(rough, s)),
		size,
		coarse.pixel,
	);
	return Math.min(reach, Math.max(WINDOW[0], found));
}

/** The kernels without each of the parts, and the share of the variance of the pixels left out that they explain: blocks as wide as the kernels' radius, in four folds. */
function heldOut(
	map: SitedMap,
	fit: MapSolution,
	window: number,
): { share: number; kernels: Float64Array[] } {
	const { nx, ny, image } = map;
	const { weights } = fit.system;
	const block = Math.max(
		4,
		Math.min(Math.round(window / map.pixel), Math.floor(Math.min(nx, ny) / 4)),
	);
	const foldOf = (p: number) =>
		(Math.floor(Math.floor(p / ny) / block) +
			2 * Math.floor((p % ny) / block)) %
		FOLDS;
	const flat = fit.system.background(image, new Float64Array(nx * ny));
	let [left, total] = [0, 0];
	const kernels: Float64Array[] = [];
	for (let fold = 0; fold < FOLDS; fold++) {
		const seen = weights.map((w, p) => (foldOf(p) === fold ? 0 : w));
		const system = systemOf(map, fit.size, fit.sites, seen);
		const solver = new MapSolver(system, fit.covariance);
		const found = solver.answer(system.see(image).right, fit.lambda, ROUGH);
		kernels.push(found);
		const model = system.operator.apply(found);
		const background = system.background(image, model);
		weights.forEach((w, p) => {
			if (!(w > 0) || foldOf(p) !== fold) return;
			left += w * (image[p] - model[p] - background[p]) ** 2;
			total += w * (image[p] - flat[p]) ** 2;
		});
	}
	return { share: total > 0 ? 1 - left / total : 0, kernels };
}

function inSample(map: SitedMap, fit: MapSolution): number {
	const { weights } = fit.system;
	const { rest } = misfitOf(map, fit);
	const flat = fit.system.background(
		map.image,
		new Float64Array(map.nx * map.ny),
	);
	let [left, total] = [0, 0];
	weights.forEach((w, p) => {
		if (!(w > 0)) return;
		left += w * rest[p] ** 2;
		total += w * (map.image[p] - flat[p]) ** 2;
	});
	return total > 0 ? 1 - left / total : 0;
}

/** Draws of the kernels about those found: of prior and noise, and of sites within their own errors. */
function drawn(
	map: SitedMap,
	fit: MapSolution,
	{ errors }: Pick<AdjustedSites, "errors">,
	count: number,
	seed: number,
): Float64Array[] {
	const { system, kernels, lambda, sites, size } = fit;
	const solver = new MapSolver(system, fit.covariance);
	const model = system.operator.apply(kernels);
	return Array.from({ length: count }, (_, s) => {
		const random = new Random(seed, s + 1);
		const { truth, right } = solver.draw(fit, random);
		const moved = sites.map((site, j) => ({
			...site,
			weight: site.weight + errors[j].weight * random.normal(),
			x: site.x + errors[j].x * random.normal(),
			y: site.y + errors[j].y * random.normal(),
		}));
		const other = new MapOperator({ ...map, size }, moved).apply(kernels);
		const shift = system.see(other.map((v, p) => v - model[p])).right;
		const found = solver.answer(
			right.map((v, i) => v + shift[i]),
			lambda,
			ROUGH,
		);
		return truth.map((v, i) => v - found[i] + kernels[i]);
	});
}

function kindKernel(
	kind: number,
	s: number,
	{ kernels, samples, groups, size }: Native,
	turned: (kernel: Float64Array) => Float32Array,
): KindKernel {
	const part = (all: Float64Array) => turned(kindOf({ kernels: all, size }, s));
	const kernel = part(kernels);
	const without = groups.map(part);
	const wider = widening(kernel, samples.map(part), without);
	const draws = samples.map((draw) =>
		part(draw).map((v, i) => kernel[i] + wider * (v - kernel[i])),
	);
	const uncertainty = new Float32Array(kernel.length);
	for (const draw of draws)
		for (let i = 0; i < kernel.length; i++)
			uncertainty[i] += (draw[i] - kernel[i]) ** 2 / draws.length;
	return {
		kind,
		kernel,
		uncertainty: uncertainty.map(Math.sqrt),
		samples: draws,
		groups: without,
	};
}

/**
 * What the posterior's deviations are to be multiplied by: the jackknife's deviation (Shao & Tu, The Jackknife and Bootstrap, 1995) over theirs where it is greater,
 * for it holds what the model does not know of: marks, background, other species.
 */
function widening(
	kernel: Float32Array,
	draws: readonly Float32Array[],
	groups: readonly Float32Array[],
): number {
	if (groups.length < 2 || draws.length === 0) return 1;
	let [jackknife, posterior] = [0, 0];
	for (let i = 0; i < kernel.length; i++) {
		const mean = groups.reduce((sum, g) => sum + g[i] / groups.length, 0);
		for (const group of groups)
			jackknife +=
				((group[i] - mean) ** 2 * (groups.length - 1)) / groups.length;
		for (const draw of draws)
			posterior += (draw[i] - kernel[i]) ** 2 / draws.length;
	}
	return posterior > 0 ? Math.max(1, Math.sqrt(jackknife / posterior)) : 1;
}

function modelOf(
	map: SitedMap,
	{ kernels, size, system }: Native,
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

/** Seconds of each part, and a breath between them, so that who waits can stop it. */
class Stopwatch {
	readonly seconds: Record<string, number> = {};
	readonly #tell: MapOptions["onProgress"];
	#done = 0;
	#what = "";
	#since = 0;

	constructor(tell: MapOptions["onProgress"]) {
		this.#tell = tell;
	}

	async start(what: string): Promise<void> {
		this.stop();
		this.#what = what;
		this.#tell?.(this.#done++, PARTS, what);
		await new Promise((resolve) => setTimeout(resolve));
		this.#since = performance.now();
	}

	stop(): void {
		if (this.#what === "") return;
		const seconds = (performance.now() - this.#since) / 1000;
		this.seconds[this.#what] = (this.seconds[this.#what] ?? 0) + seconds;
		this.#what = "";
	}
}

/** About as many parts as an extraction has. */
const PARTS = 9;
