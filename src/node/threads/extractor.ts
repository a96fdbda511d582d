import { FastestSolver } from "../../extraction/kernels/chooseSolver.ts";
import { GpuSolver } from "../../extraction/kernels/gpuSolver.ts";
import {
	type Extractor,
	type ExtractorChoice,
	isNetwork,
	makeExtractor,
} from "../../extraction/results/extractor.ts";
import {
	describeAdapter,
	MachineError,
	mayHaveCard,
	openGpu,
} from "../device/adapter.ts";
import { openWeights } from "../files/shippedWeights.ts";
import { SolveThreads } from "./solveThreads.ts";

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
	const threads = new SolveThreads();
	const weights = method === "ridge" ? undefined : await openWeights(folder);
	let missing: string | undefined;
	const networks = isNetwork(method) || (square && method === "auto");
	const open = () =>
		openGpu({ adapter }).catch((error) => {
			const needed = adapter || isNetwork(method);
			if (needed || !(error instanceof MachineError)) throw error;
			if (networks) missing = error.message;
			return undefined;
		});
	let gpu = networks || adapter || mayHaveCard() ? await open() : undefined;
	// Threads are faster than a software adapter on the same cores (bench:solve), so the adapter is used only when it was asked for.
	if (gpu && !networks && !adapter && gpu.software) {
		gpu.dispose();
		gpu = undefined;
	}
	try {
		const extractor = await makeExtractor({
			...choice,
			...{ weights, missing, gpu: networks ? gpu : undefined },
			solver: gpu ? new FastestSolver([threads, new GpuSolver(gpu)]) : threads,
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
