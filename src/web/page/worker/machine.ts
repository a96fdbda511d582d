/** What extraction runs on in a page: weights, a device where there is one, and that it can be lost. */
import type { Gpu } from "../../../engine/device/gpu.ts";
import { FastestSolver } from "../../../extraction/kernels/chooseSolver.ts";
import { GpuSolver } from "../../../extraction/kernels/gpuSolver.ts";
import {
	type Extractor,
	type ExtractorChoice,
	isNetwork,
	makeExtractor,
} from "../../../extraction/results/extractor.ts";
import { Weights } from "../../../models/trained/weights.ts";
import { onThisThread } from "../../../qpi/posterior/solveMany.ts";
import { openWeights, WEIGHTS } from "../../fetchWeights.ts";
import { createEngine, NoWebGpuError } from "../../gpu.ts";
import type { Report } from "../../rpc.ts";
import { openTrained } from "../../training/trainedWeights.ts";
import { current } from "./held.ts";

interface MachineChoice {
	readonly method: ExtractorChoice["method"];
	/** The stamp of weights that were trained here or came with the file; the shipped ones when not given. */
	readonly weights?: string;
}

/** Those that are open, and which they are. */
let weights: Weights | undefined;
let opened = "";
let gpu: Gpu | undefined;
let lost: string | undefined;
/** Of the call that is being answered. */
let tell: Report = () => {};
let extractor: Extractor | undefined;

/** What the device is called, where there is one. */
export const adapterName = (): string | null => gpu?.adapterName ?? null;

/** Whether a method sees images of 64 x 64 pixels alone: a network that was trained on such. */
export async function seesSquares(
	{ method, weights }: MachineChoice,
	report: Report,
): Promise<boolean> {
	if (!isNetwork(method)) return false;
	return (await weightsOf(report, weights)).inputs !== "centred";
}

/**
 * Opens weights and device where the method needs them, and makes the extractor, in place of the one before. Without a device the networks are left out with a warning,
 * unless the method is one of them: then a NoWebGpuError is thrown.
 */
export async function openExtractor(
	{
		square,
		weights: wanted,
		...choice
	}: ExtractorChoice & MachineChoice & { readonly square: boolean },
	report: Report,
): Promise<Extractor> {
	const { method } = choice;
	try {
		const missing = await prepare(method, wanted, report);
		const networks = isNetwork(method) || (square && method === "auto");
		// A software adapter is slower than this thread (npm run bench:solve).
		const solving =
			!square && method !== "ridge" && !gpu?.software ? gpu : undefined;
		const used = networks || solving ? gpu : undefined;
		const made = await makeExtractor({
			...{ ...choice, weights },
			gpu: networks ? gpu : undefined,
			missing: networks ? missing : undefined,
			adapter: used && `adapter: ${used.adapterName}`,
			solver: solving
				? new FastestSolver([onThisThread, new GpuSolver(solving)])
				: onThisThread,
		});
		// Not before: where none is made, methods can still be switched by the one before.
		await extractor?.close();
		extractor = made;
		return made;
	} catch (error) {
		weights = undefined; // a file may have come damaged: it is asked for anew
		throw error;
	}
}

/** Returns why there is no device, where the method can do without. */
async function prepare(
	method: ExtractorChoice["method"],
	wanted: string | undefined,
	report: Report,
): Promise<string | undefined> {
	if (lost) {
		gpu = undefined;
		extractor = undefined;
		lost = undefined;
	}
	if (method === "ridge") return undefined;
	await weightsOf(report, wanted);
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

/** Those that are open or, in their place, the wanted ones. */
async function weightsOf(report: Report, wanted = ""): Promise<Weights> {
	tell = report;
	if (!weights || opened !== wanted) {
		const shipped = await openWeights(WEIGHTS, (progress) => tell(progress));
		weights = wanted ? await ownWeights(wanted, shipped) : shipped;
		opened = wanted;
	}
	return weights;
}

function ownWeights(stamp: string, shipped: Weights): Promise<Weights> {
	const packed = current().weights;
	if (packed?.stamp !== stamp)
		return openTrained(stamp, () => shipped.read("prior.safetensors"));
	return Weights.open(`${packed.folder} of the session`, async (name) => {
		const file = packed.files.find((each) => each.name === name);
		if (!file) throw new Error(`found no ${name} in it`);
		return new Uint8Array(await file.arrayBuffer());
	});
}

/** The files of weights by name, for a session. */
export const weightFiles = async (stamp: string, report: Report) =>
	(await weightsOf(report, stamp)).files();

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
