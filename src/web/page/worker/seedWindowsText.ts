/** Windows of a search as their field has them. */
import type { FindOptions } from "../../../extraction/results/findScatterers.ts";

/** "20, -35, 40; 80, 10, 30" */
export const seedWindowsText = (seeds: FindOptions["seeds"] = []): string =>
	seeds.map(({ x, y, size }) => [x, y, size].join(", ")).join("; ");
