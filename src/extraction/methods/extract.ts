/** From one image and its scatterers to a kernel: four methods, one interface, and what each explains of pixels that it has not seen. */
import { PIXELS } from "../../qpi/dataset/format.ts";
import { centre } from "../../qpi/operator/ridge.ts";
import {
	type MeasuredImage,
	posteriorSamples,
} from "../../qpi/posterior/posterior.ts";
import { symmetrise } from "../findings/symmetry.ts";
import type { Explained, Extraction } from "../kernels/extraction.ts";
import {
	type Fit,
	fitBy,
	type Learned,
	type MarkedImage,
	type Method,
	measuredOf,
	offsetOf,
} from "./methods.ts";

export type { Explained, Extraction } from "../kernels/extraction.ts";
export type { Learned, MarkedImage, Method } from "./methods.ts";

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
	/** All fits take seconds together: told before each how many are done, of how many, and whose comes. */
	readonly onProgress?: (done: number, total: number, next: Method) => void;
}

/** Pixels along the side of image and kernel. */
const IMAGE = 64;
/** Parts that the image is cut into; each is held out once. */
const FOLDS = 4;
/** Side of a block of pixels that are held out together: beyond the reach of a scan line's noise, below that of a ripple. */
const BLOCK = 8;

/**
 * Extracts a kernel.
 * @throws RangeError when no scatterer lies in the image, or fewer than a tenth of the pixels were measured; Error when a network method is asked for without networks
 */
export async function extract(
	observation: MarkedImage,
	learned: Learned,
	{
		method = "auto",
		compare = [],
		symmetry = 1,
		holdOut = true,
		samples = 16,
		seed = 0,
		onProgress,
	}: ExtractOptions = {},
): Promise<Extraction> {
	const { measured, weights } = measuredOf(observation);
	const all: Method[] = learned.networks
		? ["ridge", "oneStep", "twoStep", "refined"]
		: ["ridge", "refined"];
	const wanted = method === "auto" ? all : [...new Set([...compare, method])];
	const explained: Partial<Record<Method, Explained>> = {};
	const fits = new Map<Method, Fit>();
	/** Of each method, the kernels without one of the parts each. */
	const parts = new Map<Method, Float64Array[]>();
	const folds = holdOut || method === "auto" ? FOLDS : 0;
	let done = 0;
	for (const each of wanted) {
		const begin = () => onProgress?.(done++, wanted.length * (1 + folds), each);
		begin();
		const fit = await fitBy(each, measured, weights, observation, learned);
		fits.set(each, fit);
		const held =
			folds > 0 ? await heldOut(measured, weights, fit, begin) : undefined;
		if (held) parts.set(each, held.kernels);
		explained[each] = {
			heldOut: held?.share ?? null,
			inSample: share(measured, weights, weights, fit),
		};
	}
	const chosen =
		method === "auto"
			? wanted.reduce((a, b) =>
					(explained[b]?.heldOut ?? -1) > (explained[a]?.heldOut ?? -1) ? b : a,
				)
			: method;
	const by = (method: Method): Promise<Extraction> => {
		const fit = fits.get(method);
		if (!fit)
			throw new RangeError(
				`method ${method} was not compared, expected one of ${[...fits.keys()].join(", ")}`,
			);
		return finish(fit, method);
	};
	return by(chosen);

	/** Turns, draws and re-convolves. */
	async function finish(fit: Fit, method: Method): Promise<Extraction> {
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
		const groups = (parts.get(method) ?? []).map((part) =>
			centre(turned(part)),
		);
		const uncertainty =
			draws.length > 0
				? spread(draws, image, draws.length)
				: groups.length > 0
					? jackknife(groups)
					: jackknife(
							(await refits(weights, fit)).map((part) => centre(turned(part))),
						);
		const model = modelOf(
			{ ...measured, operator: fit.operator },
			weights,
			kernel,
		);
		return {
			method,
			kinds: [{ kind: 1, kernel: image, uncertainty, samples: draws, groups }],
			size: IMAGE,
			nx: IMAGE,
			ny: IMAGE,
			model,
			residual: Float32Array.from(model, (v, i) =>
				weights[i] > 0 ? observation.image[i] - v : 0,
			),
			explained,
			scatterers: (fit.refined?.scatterers ?? observation.scatterers).map(
				(s) => ({
					weight: 1,
					kind: 1,
					...s,
				}),
			),
			trust: Float32Array.from(weights, (w, i) =>
				w > 0 ? (fit.refined?.weights[i] ?? w) / w : 0,
			),
			parameters: { ...fit.parameters, symmetry, seed },
			by,
		};
	}
}

function modelOf(
	measured: MeasuredImage,
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

/** The kernels without one of the parts each, and the share of the variance of the pixels left out that they explain: blocks of 8 x 8 in four folds. */
async function heldOut(
	measured: MeasuredImage,
	weights: Float64Array,
	{ refit }: Fit,
	begin: () => void,
): Promise<{ share: number; kernels: Float64Array[] }> {
	let left = 0;
	let total = 0;
	const kernels: Float64Array[] = [];
	for (let fold = 0; fold < FOLDS; fold++) {
		begin();
		const fit = await refit(without(weights, fold));
		kernels.push(fit.kernel);
		const [l, t] = sums(measured, weights, only(weights, fold), fit);
		left += l;
		total += t;
	}
	return { share: total > 0 ? 1 - left / total : 0, kernels };
}

/** The kernels without one of the parts each. */
async function refits(
	weights: Float64Array,
	{ refit }: Fit,
): Promise<Float64Array[]> {
	const kernels: Float64Array[] = [];
	for (let fold = 0; fold < FOLDS; fold++)
		kernels.push((await refit(without(weights, fold))).kernel);
	return kernels;
}

function share(
	measured: MeasuredImage,
	weights: Float64Array,
	on: Float64Array,
	fit: Fit,
): number {
	const [left, total] = sums(measured, weights, on, fit);
	return total > 0 ? 1 - left / total : 0;
}

/** Weighted sums over the pixels `on`: of the squares of what the fit leaves, and of the deviations from the whole image's mean. */
function sums(
	{ image }: MeasuredImage,
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
function jackknife(kernels: readonly Float32Array[]): Float32Array {
	const mean = new Float32Array(PIXELS);
	for (const kernel of kernels)
		for (let i = 0; i < PIXELS; i++) mean[i] += kernel[i] / FOLDS;
	return spread(kernels, mean, FOLDS / (FOLDS - 1));
}
