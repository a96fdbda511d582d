/** From one image and its scatterers to a kernel: four methods, one interface, and what each explains of pixels that it has not seen. */
import { PIXELS } from "../qpi/format.ts";
import { ForwardOperator } from "../qpi/forward.ts";
import { physicsInputs } from "../qpi/inputs.ts";
import {
	type Measured,
	type Posterior,
	posterior,
	posteriorSamples,
} from "../qpi/posterior.ts";
import type { Covariance, KernelPrior } from "../qpi/prior.ts";
import { centre, embed, ridgeGcv } from "../qpi/ridge.ts";
import type { Weighted } from "./adjust.ts";
import type { Networks } from "./networks.ts";
import { type Refined, refine } from "./refined.ts";
import { symmetrise } from "./symmetry.ts";

export type Method = "ridge" | "oneStep" | "twoStep" | "refined";

export interface Observation {
	/** 64 x 64, first index x. */
	readonly image: Float32Array;
	/** 64 x 64: 1 measured, 0 not; all measured when not given. */
	readonly valid?: Float32Array;
	/** Model frame (the image spans -200 to 200 in x and y), with relative amplitudes. */
	readonly scatterers: readonly {
		readonly x: number;
		readonly y: number;
		readonly weight?: number;
	}[];
}

/** Share of the variance explained: of pixels held out in blocks, and of those that were fitted. */
export interface Explained {
	readonly heldOut: number | null;
	readonly inSample: number;
}

export interface Extraction {
	readonly method: Method;
	/** 64 x 64, in the image's units. */
	readonly kernel: Float32Array;
	/** 64 x 64: one standard deviation. */
	readonly uncertainty: Float32Array;
	/** Draws from the distribution of the kernel, for the uncertainty of what is computed from it; refined and ridge. */
	readonly samples: readonly Float32Array[];
	/** 64 x 64: the kernel at every scatterer, and the constant. */
	readonly model: Float32Array;
	/** 64 x 64: image less model; 0 where nothing was measured. */
	readonly residual: Float32Array;
	readonly explained: Partial<Record<Method, Explained>>;
	/** Where the method holds the scatterers to be, and how strong; the marks but for refined. */
	readonly scatterers: readonly Weighted[];
	/** 64 x 64: 1 where the image was taken at its word, less where it could not be explained, 0 where nothing was measured. */
	readonly trust: Float32Array;
	readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

/** What was learned beforehand. */
export interface Learned {
	readonly prior: KernelPrior;
	/** Without them neither network method. */
	readonly networks?: Networks;
}

export interface ExtractOptions {
	/** "auto" takes the one that explains most of the held-out pixels. */
	readonly method?: Method | "auto";
	/** Other methods whose explained variance is wanted too; all where "auto". */
	readonly compare?: readonly Method[];
	/** Averages the kernel over rotations by 360/n degrees. */
	readonly symmetry?: 1 | 2 | 3 | 4 | 6;
	/** Whether to find what is explained of held-out pixels, at the price of four more fits a method; "auto" needs it. */
	readonly holdOut?: boolean;
	/** Posterior samples. */
	readonly samples?: number;
	readonly seed?: number;
}

/** Ridge's prior: every node on its own. */
const INDEPENDENT: Covariance = {
	apply: (kernel) => kernel,
	sample: (random) =>
		Float64Array.from({ length: 4 * PIXELS }, () => random.normal()),
};

/** A kernel on all nodes, and what is needed to fit it again to parts of the image. */
interface Fit {
	readonly operator: ForwardOperator;
	readonly kernel: Float64Array;
	readonly offset: number;
	readonly parameters: Record<string, number | string | boolean>;
	readonly refit: (weights: Float64Array) => Promise<Fit>;
	/** Of the linear methods. */
	readonly posterior?: Posterior & { readonly covariance: Covariance };
	/** What refine() made of marks and pixels. */
	readonly refined?: Refined;
}

/** Parts that the image is cut into; each is held out once. */
const FOLDS = 4;
/** Side of a block of pixels that are held out together: beyond the reach of a scan line's noise, below that of a ripple. */
const BLOCK = 8;

/**
 * Extracts a kernel.
 * @throws RangeError when no scatterer lies in the image, or fewer than a tenth of the pixels were measured; Error when a network method is asked for without networks
 */
export async function extract(
	observation: Observation,
	learned: Learned,
	{
		method = "auto",
		compare = [],
		symmetry = 1,
		holdOut = true,
		samples = 16,
		seed = 0,
	}: ExtractOptions = {},
): Promise<Extraction> {
	const { measured, weights } = measuredOf(observation);
	const all: Method[] = learned.networks
		? ["ridge", "oneStep", "twoStep", "refined"]
		: ["ridge", "refined"];
	const wanted = method === "auto" ? all : [...new Set([...compare, method])];
	const explained: Partial<Record<Method, Explained>> = {};
	const fits = new Map<Method, Fit>();
	for (const each of wanted) {
		const fit = await fitBy(each, measured, weights, observation, learned);
		fits.set(each, fit);
		explained[each] = {
			heldOut:
				holdOut || method === "auto"
					? await heldOut(measured, weights, fit)
					: null,
			inSample: share(measured, weights, weights, fit),
		};
	}
	const chosen =
		method === "auto"
			? wanted.reduce((a, b) =>
					(explained[b]?.heldOut ?? -1) > (explained[a]?.heldOut ?? -1) ? b : a,
				)
			: method;
	const fit = fits.get(chosen) as Fit;
	const turned = (kernel: Float64Array) =>
		symmetry === 1 ? kernel : Float64Array.from(symmetrise(kernel, symmetry));
	const kernel = turned(fit.kernel);
	const draws: Float32Array[] = [];
	if (fit.posterior) {
		const { covariance, ...rest } = fit.posterior;
		for (const deviation of posteriorSamples(
			{
				operator: fit.operator,
				image: measured.image,
				weights: fit.refined?.weights ?? weights,
			},
			covariance,
			rest,
			{ count: samples, seed },
		))
			draws.push(centre(turned(deviation.map((v, i) => v + fit.kernel[i]))));
	}
	const image = centre(kernel);
	const uncertainty =
		draws.length > 0
			? spread(draws, image, draws.length)
			: await jackknife(weights, fit, turned);
	const model = modelOf(
		{ ...measured, operator: fit.operator },
		weights,
		kernel,
	);
	return {
		method: chosen,
		kernel: image,
		uncertainty,
		samples: draws,
		model,
		residual: Float32Array.from(model, (v, i) =>
			weights[i] > 0 ? observation.image[i] - v : 0,
		),
		explained,
		scatterers:
			fit.refined?.scatterers ??
			observation.scatterers.map((s) => ({ weight: 1, ...s })),
		trust: Float32Array.from(weights, (w, i) =>
			w > 0 ? (fit.refined?.weights[i] ?? w) / w : 0,
		),
		parameters: { ...fit.parameters, symmetry, seed },
	};
}

function measuredOf({ image, valid, scatterers }: Observation): {
	measured: Measured;
	weights: Float64Array;
} {
	const operator = new ForwardOperator(
		scatterers,
		scatterers.map((s) => s.weight ?? 1),
	);
	if (operator.scatterers.length === 0)
		throw new RangeError(
			`none of the ${scatterers.length} scatterers lies in the image; expected at least one`,
		);
	// A partly measured pixel is an average over fewer: it is taken for what it is worth.
	const weights = Float64Array.from({ length: PIXELS }, (_, i) =>
		Number.isFinite(image[i]) ? Math.min(1, Math.max(0, valid?.[i] ?? 1)) : 0,
	);
	const there = weights.filter((w) => w > 0).length;
	if (there < PIXELS / 10)
		throw new RangeError(
			`${there} of the image's ${PIXELS} pixels were measured; expected a tenth or more`,
		);
	return { measured: { operator, image }, weights };
}

function fitBy(
	method: Method,
	measured: Measured,
	weights: Float64Array,
	observation: Observation,
	learned: Learned,
): Promise<Fit> {
	if (method === "ridge") return ridgeFit(measured, weights);
	if (method === "refined")
		return refinedFit(observation, weights, learned.prior);
	if (!learned.networks)
		throw new Error(`the ${method} method needs the networks' weights`);
	return networkFit(method, measured, weights, observation, learned.networks);
}

/** Ridge least squares; lambda by generalised cross-validation on the whole image, missing pixels at the mean. */
async function ridgeFit(
	measured: Measured,
	weights: Float64Array,
	lambda = ridgeGcv(
		measured.operator,
		filled(measured, weights, (mean) => mean),
	).lambda,
): Promise<Fit> {
	const found = posterior({ ...measured, weights }, INDEPENDENT, { lambda });
	return {
		operator: measured.operator,
		kernel: found.kernel,
		offset: found.offset,
		parameters: { lambda },
		posterior: { ...found, covariance: INDEPENDENT },
		refit: (weights) => ridgeFit(measured, weights, lambda),
	};
}

async function refinedFit(
	observation: Observation,
	weights: Float64Array,
	prior: KernelPrior,
): Promise<Fit> {
	const found = refine(
		{
			image: observation.image,
			weights,
			scatterers: observation.scatterers.map((s) => ({ weight: 1, ...s })),
		},
		prior,
	);
	return {
		operator: found.operator,
		kernel: found.kernel,
		offset: found.offset,
		parameters: {
			lambda: found.lambda,
			noise: found.sigma,
			scale: found.scale,
			evidence: found.evidence,
			adjusted: found.adjusted,
			robust: found.robust,
		},
		posterior: found,
		refined: found,
		// Positions, amplitudes, lambda: everything is found again without the pixels held out.
		refit: (weights) => refinedFit(observation, weights, prior),
	};
}

/** A network's kernel, amplitude and constant fitted. Pixels that it may not see are filled in by ridge. */
async function networkFit(
	method: "oneStep" | "twoStep",
	measured: Measured,
	weights: Float64Array,
	observation: Observation,
	networks: Networks,
): Promise<Fit> {
	let image = observation.image;
	if (weights.some((w) => w < 1)) {
		const { kernel, offset } = await ridgeFit(measured, weights);
		const known = measured.operator.apply(kernel);
		image = filled(measured, weights, (_, i) => known[i] + offset);
	}
	const { inputs } = physicsInputs(image, observation.scatterers);
	const [found] = await networks.infer(method, [inputs]);
	const kernel = embed(found);
	const amplitude = amplitudeOf(measured, weights, kernel);
	for (let i = 0; i < kernel.length; i++) kernel[i] *= amplitude;
	return {
		operator: measured.operator,
		kernel,
		offset: offsetOf(measured, weights, measured.operator.apply(kernel)),
		parameters: { amplitude },
		refit: (weights) =>
			networkFit(method, measured, weights, observation, networks),
	};
}

/** The image, with what was not measured (or not wholly) filled in. */
function filled(
	{ image }: Measured,
	weights: Float64Array,
	value: (mean: number, pixel: number) => number,
): Float32Array {
	let [sum, total] = [0, 0];
	weights.forEach((w, i) => {
		if (w === 0) return;
		sum += w * image[i];
		total += w;
	});
	return Float32Array.from(weights, (w, i) =>
		w === 1 ? image[i] : value(sum / total, i),
	);
}

/** a of the least |W^1/2 (Y - a A K - b)|. */
function amplitudeOf(
	{ operator, image }: Measured,
	weights: Float64Array,
	kernel: Float64Array,
): number {
	const fit = operator.apply(kernel);
	const total = weights.reduce((a, b) => a + b, 0);
	let [y, x] = [0, 0];
	weights.forEach((w, i) => {
		if (w === 0) return;
		y += (w * image[i]) / total;
		x += (w * fit[i]) / total;
	});
	let [xy, xx] = [0, 0];
	weights.forEach((w, i) => {
		if (w === 0) return;
		xy += w * (image[i] - y) * (fit[i] - x);
		xx += w * (fit[i] - x) ** 2;
	});
	return xx > 0 ? xy / xx : 0;
}

/** The weighted mean of what a fit leaves. */
function offsetOf(
	{ image }: Measured,
	weights: Float64Array,
	fit: Float64Array,
): number {
	let [sum, total] = [0, 0];
	weights.forEach((w, i) => {
		if (w === 0) return;
		sum += w * (image[i] - fit[i]);
		total += w;
	});
	return total > 0 ? sum / total : 0;
}

function modelOf(
	measured: Measured,
	weights: Float64Array,
	kernel: Float64Array,
): Float32Array {
	const fit = measured.operator.apply(kernel);
	const offset = offsetOf(measured, weights, fit);
	return Float32Array.from(fit, (v) => v + offset);
}

/** Which part of the image a pixel is held out with. */
function foldOf(pixel: number): number {
	const bx = Math.floor(Math.floor(pixel / 64) / BLOCK);
	const by = Math.floor((pixel % 64) / BLOCK);
	return (bx + 2 * by) % FOLDS;
}

const without = (weights: Float64Array, fold: number) =>
	weights.map((w, i) => (foldOf(i) === fold ? 0 : w));
const only = (weights: Float64Array, fold: number) =>
	weights.map((w, i) => (foldOf(i) === fold ? w : 0));

/** Share of the variance that is explained of pixels that the kernel was not fitted to: blocks of 8 x 8 in four folds. */
async function heldOut(
	measured: Measured,
	weights: Float64Array,
	{ refit }: Fit,
): Promise<number> {
	let left = 0;
	let total = 0;
	for (let fold = 0; fold < FOLDS; fold++) {
		const fit = await refit(without(weights, fold));
		const [l, t] = sums(measured, weights, only(weights, fold), fit);
		left += l;
		total += t;
	}
	return total > 0 ? 1 - left / total : 0;
}

function share(
	measured: Measured,
	weights: Float64Array,
	on: Float64Array,
	fit: Fit,
): number {
	const [left, total] = sums(measured, weights, on, fit);
	return total > 0 ? 1 - left / total : 0;
}

/** Weighted sums over the pixels `on`: of the squares of what the fit leaves, and of the deviations from the whole image's mean. */
function sums(
	{ image }: Measured,
	weights: Float64Array,
	on: Float64Array,
	{ operator, kernel, offset }: Fit,
): [number, number] {
	const fit = operator.apply(kernel);
	const total = weights.reduce((a, b) => a + b, 0);
	let mean = 0;
	weights.forEach((w, i) => {
		if (w > 0) mean += (w * image[i]) / total;
	});
	let [left, all] = [0, 0];
	on.forEach((w, i) => {
		if (w === 0) return;
		left += w * (image[i] - fit[i] - offset) ** 2;
		all += w * (image[i] - mean) ** 2;
	});
	return [left, all];
}

/** Root mean square deviation of images from one, over `divisor` of them. */
function spread(
	images: readonly Float32Array[],
	from: Float32Array,
	divisor: number,
): Float32Array {
	const out = new Float32Array(from.length);
	for (const image of images)
		for (let i = 0; i < out.length; i++)
			out[i] += (image[i] - from[i]) ** 2 / divisor;
	return out.map(Math.sqrt);
}

/** Uncertainty of a method without a distribution of its own: the delete-a-group jackknife over the held-out parts (Shao & Tu, The Jackknife and Bootstrap, 1995). */
async function jackknife(
	weights: Float64Array,
	{ refit }: Fit,
	turned: (kernel: Float64Array) => Float64Array,
): Promise<Float32Array> {
	const kernels: Float32Array[] = [];
	for (let fold = 0; fold < FOLDS; fold++)
		kernels.push(centre(turned((await refit(without(weights, fold))).kernel)));
	const mean = new Float32Array(PIXELS);
	for (const kernel of kernels)
		for (let i = 0; i < PIXELS; i++) mean[i] += kernel[i] / FOLDS;
	return spread(kernels, mean, FOLDS / (FOLDS - 1));
}
