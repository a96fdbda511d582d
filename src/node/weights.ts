import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Weights } from "../extraction/weights.ts";

/** The folder of the weights that come with the package. */
export const SHIPPED = fileURLToPath(
	new URL("../../data/weights", import.meta.url),
);

/** The weights of a folder. Throws when it has no manifest of weights. */
export const openWeights = (folder = SHIPPED): Promise<Weights> =>
	Weights.open(folder, (name) => readFile(join(folder, name)));
