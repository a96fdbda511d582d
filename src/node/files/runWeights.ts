import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors } from "../../formats/safetensors.ts";
import {
	type NetworkName,
	type NetworkSize,
	parametersIn,
} from "../../models/networks.ts";
import { INPUTS, type InputKind } from "../../qpi/operator/inputs.ts";
import { checkExtracts, trainedFiles } from "../../training/trainedFiles.ts";
import { VERSION } from "./package.ts";

/** The files of a folder of weights, by name, made of a finished training run's. Throws where the run is not finished, or where its networks cannot extract. */
export async function runWeights(
	path: string,
	prior: Uint8Array<ArrayBuffer>,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
	const file = (name: string) => join(path, name);
	if (!existsSync(file("metrics.json")))
		throw new Error(
			`${path} holds no finished training (no metrics.json); expected one, or a folder of weights`,
		);
	const read = async (name: string) =>
		JSON.parse(await readFile(file(name), "utf8"));
	const configuration: {
		inputs: InputKind;
		settings: { size: NetworkSize };
	} = await read("run.json");
	const { inputs, settings } = configuration;
	checkExtracts(inputs);
	const network = async (name: NetworkName) => {
		const source = file(`${name}.safetensors`);
		const { tensors } = decodeSafetensors(await readFile(source), source);
		return parametersIn(
			{ source, tensors },
			name,
			settings.size,
			INPUTS[inputs],
		);
	};
	return trainedFiles({
		version: VERSION,
		preset: settings,
		configuration,
		metrics: await read("metrics.json"),
		networks: {
			vae: await network("vae"),
			aligner: await network("aligner"),
			oneStep: await network("oneStep"),
		},
		prior,
	});
}
