/** Extraction with the weights of a folder and, where networks take part, on a device. */
import {
	type Extraction,
	type ExtractOptions,
	extract,
	type Learned,
	type Method,
	type Observation,
} from "../extraction/extract.ts";
import { describeAdapter, MachineError, openGpu } from "./adapter.ts";
import { Weights } from "./weights.ts";

export interface Extractor {
	/** What runs: adapter and weights, for people and for result.json. */
	readonly about: Readonly<Record<string, string>>;
	readonly warnings: readonly string[];
	extract(observation: Observation): Promise<Extraction>;
	close(): void;
}

export interface ExtractorOptions {
	readonly method: Method | "auto";
	readonly symmetry?: ExtractOptions["symmetry"];
	readonly seed: number;
	/** A folder; the shipped one by default. */
	readonly weights?: string;
	readonly adapter?: string;
}

/**
 * Ridge alone needs neither weights nor a device; the other methods are compared with all there are. Where no device can be had, the networks stay
 * out of it with a warning, unless one of them or an adapter was asked for: then openGpu's MachineError is thrown.
 */
export async function openExtractor({
	method,
	symmetry,
	seed,
	weights: folder,
	adapter,
}: ExtractorOptions): Promise<Extractor> {
	if (method === "ridge")
		return {
			about: {},
			warnings: [],
			extract: (observation) =>
				extract(observation, NOTHING, { method, symmetry, seed }),
			close() {},
		};
	const weights = await Weights.open(folder);
	const warnings: string[] = [];
	const gpu = await openGpu({ adapter }).catch((error) => {
		const needed = adapter || method === "oneStep" || method === "twoStep";
		if (needed || !(error instanceof MachineError)) throw error;
		warnings.push(
			`one-step and two-step networks are left out: ${error.message}`,
		);
		return undefined;
	});
	try {
		const networks = gpu && (await weights.networks(gpu));
		const learned: Learned = { prior: await weights.prior(), networks };
		const compare: Method[] = networks
			? ["ridge", "oneStep", "twoStep", "refined"]
			: ["ridge", "refined"];
		return {
			about: {
				weights: `${weights.folder}, version ${weights.manifest.version}`,
				...(gpu ? { adapter: describeAdapter(gpu) } : {}),
			},
			warnings,
			extract: (observation) =>
				extract(observation, learned, { method, compare, symmetry, seed }),
			close() {
				networks?.dispose();
				gpu?.dispose();
			},
		};
	} catch (error) {
		gpu?.dispose();
		throw error;
	}
}

/** Ridge knows nothing beforehand. */
const NOTHING = {} as Learned;
