/** What extraction runs on in a page: weights, a device where there is one, and that it can be lost. */
import type { Gpu } from "../../engine/gpu.ts";
import type { Weights } from "../../extraction/weights.ts";
import {
	type Extractor,
	type ExtractorChoice,
	isNetwork,
	makeExtractor,
} from "../../results/extractor.ts";
import { createEngine, NoWebGpuError } from "../gpu.ts";
import type { Report } from "../rpc.ts";
import { openWeights, WEIGHTS } from "../weights.ts";

let weights: Weights | undefined;
let gpu: Gpu | undefined;
let lost: string | undefined;
let extractor: Extractor | undefined;

/** What the device is called, where there is one. */
export const adapterName = (): string | null => gpu?.adapterName ?? null;

/**
 * Opens weights and device where the method needs them, and makes the extractor, in place of the one before. Without a device the networks are left out with a warning,
 * unless the method is one of them: then a NoWebGpuError is thrown.
 */
export async function openExtractor(
	choice: ExtractorChoice,
	report: Report,
): Promise<Extractor> {
	extractor?.close();
	extractor = undefined;
	const missing = await prepare(choice.method, report);
	const adapter = gpu && `adapter: ${gpu.adapterName}`;
	extractor = await makeExtractor({
		...choice,
		...{ weights, gpu, adapter, missing },
	});
	return extractor;
}

/** Returns why there is no device, where the method can do without. */
async function prepare(
	method: ExtractorChoice["method"],
	report: Report,
): Promise<string | undefined> {
	if (method === "ridge") return undefined;
	weights ??= await openWeights(WEIGHTS, report);
	if (lost) {
		gpu = undefined;
		lost = undefined;
	}
	if (gpu) return undefined;
	try {
		report({ done: 0, total: 0, what: "opening the graphics device" });
		const opened = await createEngine();
		gpu = opened;
		opened.device.lost.then(({ message, reason }) => {
			if (gpu === opened) lost = message.replace(/\.$/, "") || reason;
		});
	} catch (error) {
		if (isNetwork(method) || !(error instanceof NoWebGpuError)) throw error;
		return error.message;
	}
}

/** Runs what needs the device. Where it was lost, a DeviceLostError says so: the error of what failed by it says less. */
export async function orLost<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		// The loss may be told after what failed by it.
		await new Promise((resolve) => setTimeout(resolve));
		throw lost ? deviceLost() : error;
	}
}

function deviceLost(): Error {
	const error = new Error(
		`the graphics device was lost (${lost}); file, settings and scatterers are kept`,
	);
	error.name = "DeviceLostError";
	return error;
}
