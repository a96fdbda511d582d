/** Extraction with weights and, where networks take part, on a device. */

import type { Gpu } from "../../engine/device/gpu.ts";
import type { Weights } from "../../models/trained/weights.ts";
import { PIXEL } from "../../qpi/dataset/format.ts";
import {
	type Extraction,
	type ExtractOptions,
	extract,
	type Learned,
	type Method,
} from "../methods/extract.ts";
import { extractMaps } from "../methods/extractMap.ts";
import type { MapMethod, MapOptions } from "../methods/mapOptions.ts";
import type { Taken } from "./take.ts";

export interface Extractor {
	/** What runs: adapter and weights, for people and for result.json. */
	readonly about: Readonly<Record<string, string>>;
	readonly warnings: readonly string[];
	/**
	 * The kernels of each image.
	 * @param onProgress told before each part how many are done, of how many, and which comes
	 */
	extract(
		taken: Taken,
		onProgress?: MapOptions["onProgress"],
	): Promise<Extraction[]>;
	/** Gives back what it holds on the device, and ends its threads. */
	close(): Promise<void>;
}

export interface ExtractorChoice {
	readonly method: Method | "auto";
	/** Radius of the kernels of maps, Angstrom. */
	readonly window?: number;
	readonly symmetry?: ExtractOptions["symmetry"];
	/** Whether refined may move the scatterers; it may when not given. */
	readonly adjust?: boolean;
	readonly seed: number;
}

export interface ExtractorOptions extends ExtractorChoice {
	/** Needed by all methods but ridge. */
	readonly weights?: Weights;
	/** Needed by the networks. */
	readonly gpu?: Gpu;
	/** What `gpu` runs on, for people. */
	readonly adapter?: string;
	/** Why there is no `gpu`. */
	readonly missing?: string;
	/** What solves maps' many right-hand sides at once. */
	readonly solver?: MapOptions["solver"];
}

/** Whether a method is a network's, which needs a device. */
export const isNetwork = (method: Method | "auto"): boolean =>
	method === "oneStep" || method === "twoStep";

/** Ridge alone needs neither weights nor a device. Without a device the networks stay out of a comparison, with a warning. */
export async function makeExtractor({
	method,
	window,
	symmetry,
	adjust,
	seed,
	weights,
	gpu,
	adapter,
	missing,
	solver,
}: ExtractorOptions): Promise<Extractor> {
	if (method !== "ridge" && !weights)
		throw new Error(`method ${method}: expected weights`);
	const learned: Partial<Learned> =
		method === "ridge" || !weights
			? {}
			: {
					prior: await weights.prior(),
					networks: gpu && (await weights.networks(gpu)),
				};
	return {
		about: {
			...(adapter ? { adapter } : {}),
			...(weights && method !== "ridge"
				? { weights: `${weights.place}, version ${weights.manifest.version}` }
				: {}),
		},
		warnings: missing
			? [`one-step and two-step networks are left out: ${missing}`]
			: [],
		extract: (taken, onProgress) =>
			taken.square ? squares(taken, onProgress) : maps(taken, onProgress),
		async close() {
			learned.networks?.dispose();
			await solver?.close?.();
		},
	};

	function maps(
		{ tasks, pixel, order }: Taken,
		onProgress: MapOptions["onProgress"],
	): Promise<Extraction[]> {
		const [{ nx, ny, scatterers: marks }] = tasks;
		const stack = {
			...{ nx, ny, pixel, order, marks },
			images: tasks.map(({ image }) => image),
			weights: inAll(tasks),
		};
		return extractMaps(stack, learned, {
			...{ method: method as MapMethod | "auto", window, symmetry, seed },
			...{ adjust, solver, onProgress },
		});
	}

	async function squares(
		{ tasks, pixel }: Taken,
		onProgress: MapOptions["onProgress"],
	): Promise<Extraction[]> {
		const scale = PIXEL / pixel;
		const found: Extraction[] = [];
		for (const [i, { label, image, weights, scatterers }] of tasks.entries()) {
			const observation = {
				image,
				valid: weights,
				adjust,
				scatterers: scatterers.map(({ x, y, weight = 1 }) => ({
					...{ x: scale * x, y: scale * y, weight },
				})),
			};
			const extraction = await extract(observation, learned as Learned, {
				...{ method, symmetry, seed },
				onProgress: (done, total, next) =>
					onProgress?.(
						i * total + done,
						tasks.length * total,
						`${label}: ${next}`,
					),
			});
			found.push(inAngstrom(extraction, scale));
		}
		return found;
	}
}

/** Scatterers in the image's own frame instead of the networks'. */
const inAngstrom = (extraction: Extraction, scale: number): Extraction => ({
	...extraction,
	scatterers: extraction.scatterers.map((s) => ({
		...s,
		x: s.x / scale,
		y: s.y / scale,
	})),
	by: async (method) => inAngstrom(await extraction.by(method), scale),
});

/** What each pixel counts in all images of a stack. */
function inAll(tasks: Taken["tasks"]): Float32Array | undefined {
	const [{ weights }] = tasks;
	return weights?.map((_, p) =>
		tasks.reduce((least, t) => Math.min(least, t.weights?.[p] ?? 1), 1),
	);
}
