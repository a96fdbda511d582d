import {
	type Extractor,
	type ExtractorChoice,
	isNetwork,
	makeExtractor,
} from "../results/extractor.ts";
import { describeAdapter, MachineError, openGpu } from "./adapter.ts";
import { openWeights } from "./weights.ts";

export interface OpenOptions extends ExtractorChoice {
	/** A folder; the shipped one by default. */
	readonly weights?: string;
	readonly adapter?: string;
}

/**
 * An extractor with what its method needs of weights and device. Where no device can be had, the networks stay out of it with a warning, unless one of
 * them or an adapter was asked for: then openGpu's MachineError is thrown.
 */
export async function openExtractor({
	weights: folder,
	adapter,
	...choice
}: OpenOptions): Promise<Extractor> {
	if (choice.method === "ridge") return makeExtractor(choice);
	const weights = await openWeights(folder);
	let missing: string | undefined;
	const gpu = await openGpu({ adapter }).catch((error) => {
		const needed = adapter || isNetwork(choice.method);
		if (needed || !(error instanceof MachineError)) throw error;
		missing = error.message;
		return undefined;
	});
	try {
		const extractor = await makeExtractor({
			...choice,
			weights,
			gpu,
			adapter: gpu && describeAdapter(gpu),
			missing,
		});
		return {
			...extractor,
			close() {
				extractor.close();
				gpu?.dispose();
			},
		};
	} catch (error) {
		gpu?.dispose();
		throw error;
	}
}
