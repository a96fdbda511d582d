import {
	type Extractor,
	type ExtractorChoice,
	isNetwork,
	makeExtractor,
} from "../results/extractor.ts";
import { describeAdapter, MachineError, openGpu } from "./adapter.ts";
import { SolveThreads } from "./solveThreads.ts";
import { openWeights } from "./weights.ts";

export interface OpenOptions extends ExtractorChoice {
	/** A folder; the shipped one by default. */
	readonly weights?: string;
	readonly adapter?: string;
	/** Whether the images are squares of 64 x 64 pixels, which networks can take part in. */
	readonly square?: boolean;
}

/**
 * An extractor with what its method needs of weights, threads and device. A device is looked for where networks take part; where none can be had, they stay out of it with a
 * warning, unless one of them or an adapter was asked for: then openGpu's MachineError is thrown.
 */
export async function openExtractor({
	weights: folder,
	adapter,
	square = false,
	...choice
}: OpenOptions): Promise<Extractor> {
	const { method } = choice;
	const solver = new SolveThreads();
	const weights = method === "ridge" ? undefined : await openWeights(folder);
	let missing: string | undefined;
	const networks = isNetwork(method) || (square && method === "auto");
	const gpu = networks
		? await openGpu({ adapter }).catch((error) => {
				const needed = adapter || isNetwork(method);
				if (needed || !(error instanceof MachineError)) throw error;
				missing = error.message;
				return undefined;
			})
		: undefined;
	try {
		const extractor = await makeExtractor({
			...choice,
			...{ weights, gpu, solver, missing },
			adapter: gpu && describeAdapter(gpu),
		});
		return {
			...extractor,
			async close() {
				await extractor.close();
				gpu?.dispose();
			},
		};
	} catch (error) {
		gpu?.dispose();
		throw error;
	}
}
