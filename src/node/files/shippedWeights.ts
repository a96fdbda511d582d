import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Weights } from "../../models/trained/weights.ts";

/** The folder of the weights that come with the package; none in a bundle of CommonJS, which does not know where it is. */
export const SHIPPED = import.meta.url
	? fileURLToPath(new URL("../../../data/weights", import.meta.url))
	: "";

/**
 * Opens the weights of a folder, by default those of the package. Files are read when they are needed, and checked against the manifest. Rejects where the
 * folder has no manifest of weights.
 */
export async function openWeights(
	place: string | URL = SHIPPED,
): Promise<Weights> {
	if (!place)
		throw new Error(
			"openWeights(): found no folder; expected the package's data/weights, which a bundle of CommonJS does not find by itself",
		);
	const folder = place instanceof URL ? fileURLToPath(place) : place;
	return Weights.open(folder, (name) => readFile(join(folder, name)));
}
