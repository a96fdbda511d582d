/** What a request of the page means: for the extraction, and on the command line. */
import packageJson from "../../../../package.json" with { type: "json" };
import { intoCorrected } from "../../../extraction/lattice/correction.ts";
import {
	readScatterers,
	writeScatterers,
} from "../../../extraction/marks/scatterers.ts";
import {
	commandOf,
	type ExtractSettings,
} from "../../../extraction/results/commandLine.ts";
import {
	PROGRAM,
	type ResultOptions,
} from "../../../extraction/results/files.ts";
import type { Preparation } from "../../../extraction/results/measured.ts";
import { LISTS } from "../../../extraction/results/session.ts";
import {
	makeTasks,
	type Taken,
	tasksOf,
} from "../../../extraction/results/take.ts";
import type { ExtractRequest } from "./extractTypes.ts";
import { type Held, needed } from "./held.ts";

const { version } = packageJson;

/** What results say of how they came about. */
export function optionsOf(
	held: Held,
	request: ExtractRequest,
	about: ResultOptions["about"],
): ResultOptions {
	const files = held.source.parts.map(({ file }) => file);
	const chosen = settingsOf(held, request);
	return {
		input: held.input,
		parameters: { ...chosen },
		about,
		versions: { [PROGRAM]: version, browser: navigator.userAgent },
		command: commandOf(files, chosen),
	};
}

/** What the command line would be given. */
export function settingsOf(
	{ dataset }: Held,
	request: ExtractRequest,
): ExtractSettings {
	const { settings, scatterers, found } = request;
	const { method, window, symmetry, seed, weights } = request;
	const { seeds: seedWindow, ...search } = found?.options ?? {};
	return {
		...settings,
		...request.analysis,
		// Of a lattice that is for q alone the scan stays as it is.
		...(request.analysis?.lattice
			? { calibrate: false }
			: { lattice: settings.lattice }),
		stepEdges: settings.stepEdges ?? true,
		clusters: settings.clusters ?? true,
		scatterers: scatterers && !dataset ? LISTS.scatterers : undefined,
		mask: settings.mask?.length ? LISTS.mask : undefined,
		detect: found ? true : undefined,
		...{ ...search, seedWindow },
		method,
		window,
		symmetry,
		seed,
		// Ridge asks nothing of them.
		weights: method === "ridge" ? undefined : weights?.folder,
	};
}

/** The images with their scatterers. With the list as its file has it, to a thousandth of an Angstrom: so the command line gives the same from that file. */
export function takeAgain(
	images: Preparation,
	{ scatterers, found }: ExtractRequest,
	square: boolean,
): Taken {
	if (found) return tasksOf(images, found.result, square);
	return makeTasks(
		images,
		readScatterers(
			writeScatterers(needed(scatterers ?? undefined)),
			LISTS.scatterers,
		).map((mark) => intoCorrected(images.correction, mark)),
		`from ${LISTS.scatterers}`,
		{ square },
	);
}
