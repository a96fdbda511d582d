import type { State } from "../engine/layers/state.ts";
import type { NetworkName } from "../models/networks.ts";
import {
	type FileEntry,
	fileEntry,
	weightFiles,
} from "../models/trained/weightFiles.ts";
import type { History } from "./checkpoint.ts";
import type { Metrics } from "./metrics.ts";
import type { Preset } from "./presets.ts";

/** What a folder of weights is made of after a training. */
export interface FinishedTraining {
	/** Of the program that makes the files, for people. */
	readonly version: string;
	readonly preset: Pick<Preset, "size">;
	/** All that decided what the training computed. */
	readonly configuration: object;
	readonly metrics: Omit<Metrics, "seconds">;
	readonly networks: Readonly<Record<NetworkName, State>>;
	/** Of each network by epoch, where they are at hand. */
	readonly losses?: Readonly<Record<NetworkName, History>>;
	/** The kernel prior's file: a training makes none. */
	readonly prior: Uint8Array<ArrayBuffer>;
}

/** Throws where networks with these inputs see what extraction does not give them. */
export function checkExtracts(inputs: string): void {
	if (inputs === "paper")
		throw new Error(
			"extraction works with networks that see the centred or the physics inputs; this run trained them on the paper's",
		);
}

/** The files of a folder of weights, by their names: three networks, prior and manifest. Throws as checkExtracts(). */
export async function trainedFiles({
	version,
	preset,
	configuration,
	metrics,
	networks,
	losses,
	prior,
}: FinishedTraining): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
	const { inputs, seed, adapter } = metrics;
	checkExtracts(inputs);
	const contents = weightFiles(networks).set("prior.safetensors", prior);
	const files: Record<string, FileEntry> = {};
	for (const [name, bytes] of contents) files[name] = await fileEntry(bytes);
	const manifest = {
		version,
		seed,
		adapter,
		preset: { ...preset, inputs },
		configuration,
		metrics,
		losses,
		files,
	};
	return contents.set(
		"manifest.json",
		new TextEncoder().encode(`${JSON.stringify(manifest, null, "\t")}\n`),
	);
}
