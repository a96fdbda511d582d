/** The fields of search and analysis as a session fills them. */
import type { ExtractSettings } from "../../extraction/results/commandLine.ts";
import { seedWindowsText } from "./seedWindowsText.ts";

/** By the fields' ids. A lattice that the scan was corrected by is none of them: here it stays as it is. */
export function analysisFields({
	cut,
	peakShape,
	ring,
	symmetrised,
	lattice,
	calibrate,
	drift,
	seedWindow,
}: Partial<ExtractSettings>): Record<string, string> {
	const list = (values?: readonly (number | string)[]) =>
		values?.join(", ") ?? "";
	const known = calibrate === false && !drift ? lattice : undefined;
	const { a, b, angle } = known ?? {};
	return {
		"seed-windows": seedWindowsText(seedWindow),
		cuts: list(cut),
		"peak-shape": peakShape ?? "",
		rings: ring === true ? "q*" : list(ring),
		symmetrised: list(symmetrised),
		"lattice-a": String(a ?? ""),
		"lattice-b": String(b ?? ""),
		"lattice-angle": String(angle ?? ""),
	};
}
