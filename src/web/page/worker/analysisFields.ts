/** The fields of search and analysis as a session fills them. */
import type { ExtractSettings } from "../../../extraction/results/commandLine.ts";
import { seedWindowsText } from "./seedWindowsText.ts";

/** By the fields' ids. */
export function analysisFields({
	cut,
	peakShape,
	ring,
	symmetrised,
	lattice,
	seedWindow,
	bragg,
	braggWidth,
	...rest
}: Partial<ExtractSettings>): Record<string, string> {
	const list = (values?: readonly (number | string)[]) =>
		values?.join(", ") ?? "";
	const { a, b, angle } = lattice ?? {};
	return {
		"seed-windows": seedWindowsText(seedWindow),
		cuts: list(cut),
		"peak-shape": peakShape ?? "",
		rings: ring === true ? "q*" : list(ring),
		symmetrised: list(symmetrised),
		"lattice-a": String(a ?? ""),
		"lattice-b": String(b ?? ""),
		"lattice-angle": String(angle ?? ""),
		calibrate: lattice && rest.calibrate !== false ? "yes" : "",
		drift: rest.drift ? "yes" : "",
		bragg: bragg === "remove" ? "yes" : "",
		"bragg-width": String(braggWidth ?? ""),
	};
}
