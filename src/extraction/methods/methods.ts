/** The four methods: each makes of an image and its scatterers a kernel, and can do it again without some of the pixels. */

import type { Networks } from "../../models/trained/trainedNetworks.ts";
import { PIXELS } from "../../qpi/dataset/format.ts";
import { ForwardOperator } from "../../qpi/operator/forward.ts";
import { embed, ridgeGcv } from "../../qpi/operator/ridge.ts";
import {
	type MeasuredImage,
	type Posterior,
	posterior,
} from "../../qpi/posterior/posterior.ts";
import type { Covariance, KernelPrior } from "../../qpi/posterior/prior.ts";
import type { Method } from "../kernels/extraction.ts";
import { REFINE, type Refined, refine } from "../kernels/refined.ts";

export type { Method } from "../kernels/extraction.ts";

export interface MarkedImage {
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
	/** Whether refined may move them and change their amplitudes, where the evidence pays for it; it may when not given. */
	readonly adjust?: boolean;
}

/** What was learned beforehand. */
export interface Learned {
	readonly prior: KernelPrior;
	/** Without them neither network method. */
	readonly networks?: Networks;
}

/** Ridge's prior: every node on its own. */
const INDEPENDENT: Covariance = {
	apply: (kernel) => kernel,
	sample: (random) =>
		Float64Array.from({ length: 4 * PIXELS }, () => random.normal()),
};

/** A kernel on all nodes, and what is needed to fit it again to parts of the image. */
export interface Fit {
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

export function measuredOf({ image, valid, scatterers }: MarkedImage): {
	measured: MeasuredImage;
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

export function fitBy(
	method: Method,
	measured: MeasuredImage,
	weights: Float64Array,
	observation: MarkedImage,
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
	measured: MeasuredImage,
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
	observation: MarkedImage,
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
		observation.adjust === false ? { ...REFINE, rounds: 0 } : REFINE,
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
	measured: MeasuredImage,
	weights: Float64Array,
	observation: MarkedImage,
	networks: Networks,
): Promise<Fit> {
	let image = observation.image;
	if (weights.some((w) => w < 1)) {
		const { kernel, offset } = await ridgeFit(measured, weights);
		const known = measured.operator.apply(kernel);
		image = filled(measured, weights, (_, i) => known[i] + offset);
	}
	const inputs = networks.inputsOf(image, observation.scatterers);
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
	{ image }: MeasuredImage,
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
	{ operator, image }: MeasuredImage,
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
export function offsetOf(
	{ image }: MeasuredImage,
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
