import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Weights } from "../../models/trained/weights.ts";
import { RunFolder } from "./runFolder.ts";
import { runWeights } from "./runWeights.ts";

/** The folder of the weights that come with the package; none in a bundle of CommonJS, which does not know where it is. */
export const SHIPPED = import.meta.url
	? fileURLToPath(new URL("../../../data/weights", import.meta.url))
	: "";

/**
 * Opens the weights of a folder, by default those of the package, or those of a finished training run, with the package's kernel prior. Files are read when they are needed, and checked
 * against the manifest. Rejects where the folder has no manifest of weights and is no run, or where the run's networks cannot extract.
 */
export async function openWeights(
	place: string | URL = SHIPPED,
): Promise<Weights> {
	if (!place)
		throw new Error(
			"openWeights(): found no folder; expected the package's data/weights, which a bundle of CommonJS does not find by itself",
		);
	const folder = place instanceof URL ? fileURLToPath(place) : place;
	if (
		RunFolder.holdsRun(folder) &&
		!existsSync(join(folder, "manifest.json"))
	) {
		const prior = await (await openWeights()).read("prior.safetensors");
		const files = await runWeights(folder, prior);
		return Weights.open(folder, async (name) => {
			const bytes = files.get(name);
			if (!bytes) throw new Error(`${folder}: a training makes no ${name}`);
			return bytes;
		});
	}
	return Weights.open(folder, (name) => readFile(join(folder, name)));
}
