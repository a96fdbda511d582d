/** The fields of search and analysis as a session fills them. */
import type { ExtractSettings } from "../../extraction/results/commandLine.ts";
import { seedWindowsText } from "./seedWindowsText.ts";

/** Whether its lattice changes the scan. */
export const isCorrected = ({
	lattice,
	calibrate,
	drift,
	bragg,
}: Partial<ExtractSettings>): boolean =>
	drift === true ||
	bragg === "remove" ||
	(lattice !== undefined && calibrate !== false);

/** By the fields' ids. A lattice that the scan was corrected by is none of them: here it stays as it is. */
export function analysisFields({
	cut,
	peakShape,
	ring,
	symmetrised,
	lattice,
	seedWindow,
	...correction
}: Partial<ExtractSettings>): Record<string, string> {
	const list = (values?: readonly (number | string)[]) =>
		values?.join(", ") ?? "";
	const given = lattice && !isCorrected({ lattice, ...correction });
	const { a, b, angle } = given ? lattice : {};
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
