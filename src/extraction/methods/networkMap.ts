/** From a map of any size and its scatterers to kernels, by networks that see images of the kernel's window alone. */

import type {
	NetworkMethod,
	Networks,
} from "../../models/trained/trainedNetworks.ts";
import { RESOLUTION } from "../../qpi/dataset/format.ts";
import { cholesky, choleskySolve } from "../../qpi/maths/cholesky.ts";
import { dot } from "../../qpi/operator/ridge.ts";
import { independent } from "../../qpi/posterior/factoredCovariance.ts";
import { symmetrise } from "../findings/rotate.ts";
import { binned, finer } from "../kernels/bin.ts";
import { kindKernel } from "../kernels/draws.ts";
import type { Extraction } from "../kernels/extraction.ts";
import type { MapKernels } from "../kernels/furtherImages.ts";
import { FOLDS, foldsOf, inSample } from "../kernels/heldOut.ts";
import { foundScatterers, modelOf } from "../kernels/mapModel.ts";
import {
	type MarkedStack,
	SIDE,
	sited,
	windowOf,
} from "../kernels/markedMap.ts";
import {
	adjustTo,
	kindOf,
	misfitOf,
	ridgeMap,
	systemOf,
} from "../kernels/refineMap.ts";
import type { SitedMap } from "../kernels/sitedMap.ts";
import { Stopwatch } from "../kernels/stopwatch.ts";
import { waveVector } from "../kernels/workingPixel.ts";
import type { MapOptions } from "./mapOptions.ts";
import { mapInputs } from "./networkInputs.ts";

/**
 * The kernels of each image of a stack by a network, at the map's own pixel: the network sees them on 64 x 64 nodes that are so many of the map's pixels apart that the waves are
 * about a radian a node, as in training; the amplitude of each kind is the one that explains most of the map. Uncertainties are the jackknife's, of four parts
 * of the map.
 * @throws RangeError as extractMaps() does, and where the networks were trained on other inputs
 */
export async function extractByNetwork(
	method: NetworkMethod,
	stack: MarkedStack,
	networks: Networks,
	{ window: asked, symmetry = 1, holdOut = true, onProgress }: MapOptions,
): Promise<Extraction[]> {
	if (networks.inputs !== "centred")
		throw new RangeError(
			`the ${method} method: these networks see the ${networks.inputs} inputs, of images of 64 x 64 pixels; expected networks of the centred inputs for a map`,
		);
	const watch = new Stopwatch(stack.images.length, onProgress);
	await watch.start("window");
	const { map, kinds } = sited(stack);
	const window = windowOf(map, asked);
	const factor = nodesApart(map, window);
	const size = 2 * Math.round(window / map.pixel) + 1;
	const turned = (kernel: Float64Array) =>
		symmetry === 1 ? Float32Array.from(kernel) : symmetrise(kernel, symmetry);
	const found: Extraction[] = [];
	for (const image of stack.images) {
		await watch.start(method);
		found.push(await one({ ...map, image }));
	}
	return found;

	async function fitted(here: SitedMap): Promise<MapKernels> {
		const seen = mapInputs(binned(here, factor));
		const shapes = (await networks.infer(method, seen)).map((kernel) =>
			finer(kernel, RESOLUTION, factor, size),
		);
		return withAmplitudes(here, size, shapes);
	}

	async function one(here: SitedMap): Promise<Extraction> {
		const fit = await fitted(here);
		const { system, kernels } = fit;
		const groups: Float64Array[] = [];
		let [left, total] = [0, 0];
		const folds = foldsOf(here, window);
		const flat = system.background(
			here.image,
			system.weights.map(() => 0),
		);
		for (let fold = 0; fold < FOLDS; fold++) {
			const weights = here.weights.map((w, p) => (folds[p] === fold ? 0 : w));
			const part = await fitted({ ...here, weights });
			groups.push(part.kernels);
			const model = part.system.operator.apply(part.kernels);
			const background = part.system.background(here.image, model);
			here.weights.forEach((w, p) => {
				if (!(w > 0) || folds[p] !== fold) return;
				left += w * (here.image[p] - model[p] - background[p]) ** 2;
				total += w * (here.image[p] - flat[p]) ** 2;
			});
		}
		const change = adjustTo(here, fit);
		const extraction: Extraction = {
			method,
			kinds: kinds.map((kind, s) =>
				kindKernel(kind, s, { kernels, samples: [], groups }, size, turned),
			),
			...{ size, nx: map.nx, ny: map.ny },
			...modelOf(here, kernels, fit, turned),
			explained: {
				[method]: {
					heldOut: holdOut && total > 0 ? 1 - left / total : null,
					inSample: inSample(here, fit),
				},
			},
			scatterers: foundScatterers(map, map.sites, kinds, change, map.pixel),
			trust: Float32Array.from(here.weights, (w) => (w > 0 ? 1 : 0)),
			parameters: {
				...{ window, pixel: map.pixel, workingPixel: factor * map.pixel },
				...{ noise: fit.sigma, order: map.order, symmetry },
			},
			seconds: watch.seconds,
			by: async (name) => {
				if (name !== method)
					throw new RangeError(
						`method ${name} was not compared, expected ${method}`,
					);
				return extraction;
			},
		};
		return extraction;
	}
}

/** How many of the map's pixels the network's nodes are apart: the waves of a rough kernel are about a radian a node then. */
function nodesApart(map: SitedMap, window: number): number {
	const coarse = Math.max(1, Math.ceil((2 * window) / map.pixel / SIDE));
	const rough = binned(map, coarse);
	const size = 2 * Math.round(window / rough.pixel) + 1;
	const ridge = ridgeMap(rough, size, { steps: 32 });
	let sum = 0;
	for (let s = 0; s < map.kinds; s++)
		sum += waveVector(kindOf(ridge, s)) / map.kinds;
	return Math.max(1, Math.round(coarse / sum));
}

/** The kernels of these shapes that explain most of the map. */
function withAmplitudes(
	map: SitedMap,
	size: number,
	shapes: readonly Float64Array[],
): MapKernels {
	const { weights, sites, kinds } = map;
	const system = systemOf(map, size, sites, weights);
	const each = size ** 2;
	const alone = shapes.map((shape, s) => {
		const all = new Float64Array(kinds * each);
		all.set(shape, s * each);
		return all;
	});
	const { right } = system.see(map.image);
	const products = alone.map((kernels) => system.matrix.apply(kernels));
	// A shape of nothing gets the amplitude nothing.
	const normal = Float64Array.from({ length: kinds * kinds }, (_, i) => {
		const [s, t] = [Math.floor(i / kinds), i % kinds];
		const value = dot(alone[s], products[t]);
		return s === t && !(value > 0) ? 1 : value;
	});
	const amplitudes = choleskySolve(
		cholesky(normal, kinds),
		kinds,
		Float64Array.from(alone, (kernels) => dot(kernels, right)),
	);
	const kernels = new Float64Array(kinds * each);
	for (const [s, shape] of shapes.entries())
		kernels.set(
			shape.map((v) => amplitudes[s] * v),
			s * each,
		);
	const { rest } = misfitOf(map, { system, kernels });
	let square = 0;
	for (let p = 0; p < rest.length; p++) square += weights[p] * rest[p] ** 2;
	return {
		...{ kernels, size, system, sites, colour: 1 },
		...{ sigma: Math.sqrt(square / system.n), scale: 1, lambda: 0 },
		evidence: Number.NaN,
		covariance: independent(new Float64Array(kinds * each).fill(1)),
	};
}
