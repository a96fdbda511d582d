/** The weights of the run that this browser has finished, for extraction here. */
import { Weights } from "../../models/trained/weights.ts";
import { METHOD_TITLES, SPLITS } from "../../training/metrics.ts";
import { openRunStore, type RunStore } from "./store.ts";
import { folderOf, weightFilesOf } from "./weightsZip.ts";

/** A finished run whose networks see what extraction gives them. */
export interface TrainedWeights {
	/** Which run: another one has another. */
	readonly stamp: string;
	/** The name of its folder of weights. */
	readonly folder: string;
	/** When it was finished; undefined of runs that were kept without it. */
	readonly finished?: Date;
	/** What they were trained on and how well they do, for people. */
	readonly summary: string;
}

/** Undefined where there is none. */
export async function trainedWeights(
	store?: RunStore,
): Promise<TrainedWeights | undefined> {
	const kept = store ?? (await openRunStore());
	const [run, metrics] = [await kept.get("run"), await kept.get("metrics")];
	if (!run || !metrics || run.configuration.inputs === "paper")
		return undefined;
	const finished = await kept.get("finished");
	const { preset, inputs, seed, scattering = "linear" } = run.configuration;
	const scores = (["twoStep", "oneStep"] as const).flatMap((method) => {
		const ncc = metrics.methods[method]?.unseenEnergy?.ncc;
		return typeof ncc === "number"
			? [`${METHOD_TITLES[method]} ${ncc.toFixed(2)}`]
			: [];
	});
	return {
		stamp: `trained ${finished ?? 0}`,
		folder: folderOf(run.configuration),
		finished: finished === undefined ? undefined : new Date(finished),
		summary: `Preset ${preset}, ${inputs} inputs, seed ${seed}, ${scattering} scattering${scores.length > 0 ? `; correlation with the true kernel (${SPLITS.unseenEnergy.toLowerCase()}): ${scores.join(", ")}` : ""}. The kernel prior of refined is the shipped one.`,
	};
}

/** @param stamp of the run that is meant; throws where it is no longer there @param prior is asked for the shipped kernel prior */
export async function openTrained(
	stamp: string,
	prior: () => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Weights> {
	const store = await openRunStore();
	const found = await trainedWeights(store);
	const run = await store.get("run");
	if (!run || found?.stamp !== stamp)
		throw new Error(
			"the weights that were trained here are gone, with their run: choose the shipped ones, or train again",
		);
	const files = await weightFilesOf(store, run.configuration, await prior());
	return Weights.open(`${found.folder}, trained here`, async (name) => {
		const bytes = files.get(name);
		if (!bytes) throw new Error(`found no ${name} in them`);
		return bytes;
	});
}
