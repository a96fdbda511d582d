/** Extraction with weights and, where networks take part, on a device. */
import type { Gpu } from "../engine/gpu.ts";
import {
	type Extraction,
	type ExtractOptions,
	extract,
	type Learned,
	type Method,
	type Observation,
} from "../extraction/extract.ts";
import type { Weights } from "../extraction/weights.ts";

export interface Extractor {
	/** What runs: adapter and weights, for people and for result.json. */
	readonly about: Readonly<Record<string, string>>;
	readonly warnings: readonly string[];
	/** @param onProgress as ExtractOptions has it */
	extract(
		observation: Observation,
		onProgress?: ExtractOptions["onProgress"],
	): Promise<Extraction>;
	/** Gives back what it holds on the device. */
	close(): void;
}

export interface ExtractorChoice {
	readonly method: Method | "auto";
	readonly symmetry?: ExtractOptions["symmetry"];
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
}

/** Whether a method is a network's, which needs a device. */
export const isNetwork = (method: Method | "auto"): boolean =>
	method === "oneStep" || method === "twoStep";

/** Ridge alone needs neither weights nor a device; the other methods are compared with all there are. Without a device the networks stay out of it, with a warning. */
export async function makeExtractor({
	method,
	symmetry,
	seed,
	weights,
	gpu,
	adapter,
	missing,
}: ExtractorOptions): Promise<Extractor> {
	if (method === "ridge")
		return {
			about: {},
			warnings: [],
			extract: (observation, onProgress) =>
				extract(observation, NOTHING, { method, symmetry, seed, onProgress }),
			close() {},
		};
	if (!weights) throw new Error(`method ${method}: expected weights`);
	const prior = await weights.prior();
	const networks = gpu && (await weights.networks(gpu));
	const learned: Learned = { prior, networks };
	const compare: Method[] = networks
		? ["ridge", "oneStep", "twoStep", "refined"]
		: ["ridge", "refined"];
	return {
		about: {
			weights: `${weights.place}, version ${weights.manifest.version}`,
			...(adapter ? { adapter } : {}),
		},
		warnings: missing
			? [`one-step and two-step networks are left out: ${missing}`]
			: [],
		extract: (observation, onProgress) =>
			extract(observation, learned, {
				...{ method, compare, symmetry, seed, onProgress },
			}),
		close() {
			networks?.dispose();
		},
	};
}

/** Ridge knows nothing beforehand. */
const NOTHING = {} as Learned;
