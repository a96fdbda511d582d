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
import type { Metrics } from "../../training/metrics.ts";
import { checkExtracts, trainedFiles } from "../../training/trainedFiles.ts";
import { VERSION } from "./package.ts";

/** The files of a folder of weights, by name, made of a finished training run's. Throws where the run is not finished or not whole, or where its networks cannot extract. */
export async function runWeights(
	path: string,
	prior: Uint8Array<ArrayBuffer>,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
	const file = (name: string) => join(path, name);
	if (!existsSync(file("metrics.json")))
		throw new Error(
			`${path} holds no finished training (no metrics.json); expected one, or a folder of weights`,
		);
	const read = async <T>(
		name: string,
		is: (found: Partial<T>) => boolean,
	): Promise<T> => {
		let found: unknown;
		try {
			found = JSON.parse(await readFile(file(name), "utf8"));
		} catch {
			found = undefined;
		}
		if (!is(Object(found)))
			throw new Error(`${file(name)} is not as a finished training writes it`);
		return found as T;
	};
	const configuration = await read<{
		inputs: InputKind;
		settings: { size: NetworkSize };
	}>(
		"run.json",
		({ inputs, settings }) =>
			Object.hasOwn(INPUTS, String(inputs)) &&
			typeof settings?.size === "object",
	);
	const { inputs, settings } = configuration;
	checkExtracts(inputs);
	const metrics = await read<Metrics>(
		"metrics.json",
		(found) => found.inputs === inputs && typeof found.seed === "number",
	);
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
		metrics,
		networks: {
			vae: await network("vae"),
			aligner: await network("aligner"),
			oneStep: await network("oneStep"),
		},
		prior,
	});
}
