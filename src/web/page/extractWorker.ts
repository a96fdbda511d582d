/** The worker of the page's extraction: reads the file, prepares, detects, extracts and makes the files of results, as the command line does. */
import packageJson from "../../../package.json" with { type: "json" };
import type { SpotOptions } from "../../extraction/blind/spots.ts";
import {
	intoCorrected,
	intoScan,
} from "../../extraction/lattice/correction.ts";
import {
	readScatterers,
	writeScatterers,
} from "../../extraction/marks/scatterers.ts";
import type { Extraction } from "../../extraction/methods/extract.ts";
import type { Preprocessed } from "../../extraction/preprocess.ts";
import {
	commandOf,
	type ExtractSettings,
} from "../../extraction/results/commandLine.ts";
import {
	aboutMedian,
	squareField,
} from "../../extraction/results/drawPictures.ts";
import {
	PROGRAM,
	type ResultOptions,
	resultFiles,
	resultJson,
	resultNames,
	resultObject,
} from "../../extraction/results/files.ts";
import {
	type FindOptions,
	type Found,
	findScatterers,
} from "../../extraction/results/findScatterers.ts";
import type { Input } from "../../extraction/results/input.ts";
import {
	type Analysis,
	analyseAll,
	METHOD_OPTIONS,
} from "../../extraction/results/items.ts";
import type { Preparation } from "../../extraction/results/measured.ts";
import { withPhysics } from "../../extraction/results/physics.ts";
import { picturesOf } from "../../extraction/results/pictures.ts";
import {
	type PrepareOptions,
	prepareScans,
} from "../../extraction/results/prepareScans.ts";
import {
	describeSeen,
	type SeenLattice,
	seenLattices,
} from "../../extraction/results/seenLattice.ts";
import { LISTS } from "../../extraction/results/session.ts";
import {
	makeTasks,
	type Taken,
	take,
	tasksOf,
} from "../../extraction/results/take.ts";
import { type ArrayLayout, arrange } from "../../formats/axes.ts";
import { render } from "../render.ts";
import { answer, type Report } from "../rpc.ts";
import { physicsOf, withTaken } from "./analyse.ts";
import type { AnalysisChoice, MapFft, MapFftWanted } from "./analysisTypes.ts";
import type {
	Analysed,
	ExtractRequest,
	Opened,
	Outcome,
	Pixels,
	PreparedImages,
	SeriesSeat,
	ShownImage,
	Turn,
} from "./extractTypes.ts";
import { latticeTold } from "./latticeTold.ts";
import { adapterName, openExtractor, orLost, seesSquares } from "./machine.ts";
import { mapFftOf } from "./mapFft.ts";
import { openedOf, pixelsOf } from "./opened.ts";
import {
	byChannel,
	type OpenSource,
	readFile,
	readSource,
	seatOf,
} from "./openSource.ts";
import { analysedOf, byMethod, layerOf, outcomeOf, small } from "./outcome.ts";
import { preparingAll } from "./prepareAll.ts";
import { packSession, unpackSession } from "./sessionFile.ts";
import { spotsOf } from "./spotMarks.ts";

let input: Input | undefined;
/** The files that it is made of. */
let source: OpenSource | undefined;
/** How the indices of its arrays are taken. */
let layout: ArrayLayout = {};
let preparation: Preparation | undefined;
let dataset: Taken | undefined;
let analysis: Analysis | undefined;
let options: ResultOptions | undefined;
/** What the last extraction found, to take another method's kernels from. */
let fits:
	| {
			readonly taken: Taken;
			readonly extractions: readonly Extraction[];
			readonly about: ResultOptions["about"];
	  }
	| undefined;
/** Of the last extraction, without what was asked for besides. */
let base: { readonly analysis: Analysis; readonly lattice: string } | undefined;
/** With what was asked of the lattice last. */
let latticed:
	| { readonly key: string; readonly preparation: Preparation }
	| undefined;
let lastChoice: AnalysisChoice = {};
let seen: readonly SeenLattice[] | undefined;

const handlers = {
	/** Reads a file, or several as one series: no other call makes sense before. */
	async open(files: readonly File[], report: Report): Promise<Opened> {
		// A file that cannot be read leaves the one before, and its results.
		source = await readSource(files, report);
		const { input: read } = source;
		input = read;
		preparation = undefined;
		dataset = undefined;
		analysis = undefined;
		fits = undefined;
		base = undefined;
		seen = undefined;
		latticed = undefined;
		layout = {};
		return openedOf(read, {});
	},

	/** What a series would ask of a file, which is not opened. */
	seat: async (file: File): Promise<SeriesSeat> => seatOf(await readFile(file)),

	/** The same file with its indices taken otherwise. */
	arranged(asked: ArrayLayout): Opened {
		const found = openedOf(needed(input), asked);
		layout = asked;
		seen = undefined;
		return found;
	},

	/** An image as it is in the file: for before its size is known. */
	pixels(wanted: Parameters<typeof pixelsOf>[2]): Pixels {
		const { measurement, file } = needed(input);
		return pixelsOf(needed(measurement), file, wanted);
	},

	/** Chooses and prepares images; throws what the command line says. */
	async prepare(
		settings: PrepareOptions,
		report: Report,
	): Promise<PreparedImages> {
		source = await byChannel(needed(source), settings.channel, report);
		input = source.input;
		const { measurement } = input;
		if (!measurement) {
			dataset = await take(needed(input), settings);
			const { tasks, pixel, centre, told, warnings } = dataset;
			return {
				labels: tasks.map(({ label }) => label),
				area: { ...centre, width: 64 * pixel, height: 64 * pixel },
				unit: "",
				told,
				warnings,
				scatterers: tasks.map(({ scatterers }) =>
					scatterers.map(({ x, y, weight = 1 }) => ({
						...{ x, y, weight },
						quality: 1,
						keep: true,
						kind: 1,
					})),
				),
			};
		}
		preparation = await prepareScans(measuredInput(), {
			...settings,
			prepareAll: preparingAll(report),
		});
		const { used, prepared, channel, told, warnings } = preparation;
		const [{ scan, centre }] = prepared;
		return {
			labels: used.map(({ label }) => label),
			area: {
				...centre,
				width: scan.nx * scan.spacing.x,
				height: scan.ny * scan.spacing.y,
			},
			unit: channel.unit,
			told,
			warnings,
			...latticeOf(preparation),
		};
	},

	/** A prepared image by its number. */
	image(index: number): ShownImage {
		const field = dataset
			? squareField(dataset.tasks[index].image, dataset.pixel)
			: shownField(needed(preparation).prepared[index]);
		return { field, range: aboutMedian(field.values) };
	},

	layer: layerOf,

	/** Looks for scatterers; progress is a Turn each. */
	detect: (options: FindOptions, report: Report): Promise<Found> =>
		findScatterers(needed(preparation), options, (turn) => {
			const { done, total, what } = turn;
			const progress: Turn = { done, total, what, turn };
			report(progress);
		}),

	/** Spots of a prepared image, by its number, in the scan's own frame. */
	spots({ index, options }: { index: number; options: SpotOptions }) {
		const { prepared, correction } = needed(preparation);
		return spotsOf(prepared[index], options).map((spot) =>
			intoScan(correction, spot),
		);
	},

	/** The lattice that an image of the file shows, before anything is asked of it. */
	seenLattice() {
		const [first] = latticesSeen();
		return first
			? { lattice: first.lattice, told: describeSeen(first), given: false }
			: null;
	},

	/** Packs the work on a file; the settings are those of the request. */
	session: ({ files, request }: SessionWanted) =>
		packSession(files, {
			settings: settingsOf(request),
			scatterers: dataset ? undefined : request.scatterers,
			mask: request.settings.mask,
		}),

	/** Unpacks it; undefined for any other file. */
	unpack: unpackSession,

	readScatterers: ({ text, file }: { text: string; file: string }) =>
		readScatterers(text, file),

	async extract(request: ExtractRequest, report: Report): Promise<Outcome> {
		const { method: name, window, symmetry, seed, weights } = request;
		const method = METHOD_OPTIONS[name];
		const square = await seesSquares(
			{ method, weights: weights?.stamp },
			report,
		);
		const taken = dataset ?? takeAgain(request, square);
		// What cannot be had is said before the work.
		if (request.analysis?.lattice) await preparedWith(request);
		return orLost(async () => {
			const extractor = await openExtractor(
				{
					...{ method, window, symmetry, seed, square: taken.square },
					weights: weights?.stamp,
				},
				report,
			);
			const { about } = extractor;
			const found = await extractor.extract(taken, (done, total, what) =>
				report({ done, total, what }),
			);
			const warnings = [...taken.warnings, ...extractor.warnings];
			fits = { taken: { ...taken, warnings }, extractions: found, about };
			return outcome(request, fits.taken, found, about);
		});
	},

	/** The same by another method: a key of METHODS, of those that Outcome's `methods` names. */
	byMethod: (request: ExtractRequest): Promise<Outcome> =>
		orLost(async () => {
			const { taken, extractions, about } = needed(fits);
			const method = METHOD_OPTIONS[request.method];
			const found = [];
			for (const extraction of extractions)
				found.push(await byMethod(extraction, method));
			// Ridge alone asks nothing of weights and device, here as on the command line.
			return outcome(request, taken, found, method === "ridge" ? {} : about);
		}),

	/** What is asked of the kernels besides, anew; they stay. */
	async analyse(request: ExtractRequest): Promise<Analysed> {
		const { about } = needed(fits);
		const analysed = await asked(request);
		const made = optionsOf(request, about);
		[analysis, options] = [analysed, made];
		return analysedOf(analysed, made.command);
	},

	/** Of the map that a kernel was extracted from or, where it is yet to be, would be. */
	mapFft({ index, items, linear }: MapFftWanted): MapFft | null {
		const { tasks, pixel, correction } =
			analysis?.taken ?? dataset ?? asMaps(needed(preparation));
		const map = tasks[Math.floor((index * tasks.length) / items)];
		const [first] = latticesSeen();
		return mapFftOf({ ...map, spacing: pixel }, correction, first, linear);
	},

	/** PNG of the chart of a kernel's profile. */
	async profile(index: number): Promise<Blob> {
		const [analysed] = extracted();
		const shown = analysed.items[index];
		const profile = picturesOf({ ...analysed, shown }).find(
			([name]) => name === "profile",
		);
		const [, , , picture] = needed(profile);
		return new Blob([await render(picture)], { type: "image/png" });
	},

	/** All files of the results, packed. */
	async files(_: null, report: Report): Promise<Blob> {
		const { zipSync } = await import("fflate");
		const files: Record<string, Uint8Array> = {};
		const text = new TextEncoder();
		const [analysed, made] = extracted();
		for await (const [name, data] of resultFiles(analysed, made, render)) {
			files[name] = typeof data === "string" ? text.encode(data) : data;
			report({ done: 0, total: 0, what: name });
		}
		const names = Object.keys(files);
		files[RESULT] = text.encode(
			resultJson(resultObject(analysed, made), names),
		);
		return new Blob([zipSync(files, { level: 6 }) as Uint8Array<ArrayBuffer>], {
			type: "application/zip",
		});
	},

	/** One file of the results by its name; a picture or table of one kernel is of the one of that index. */
	async file({ name, index }: { name: string; index: number }): Promise<Blob> {
		const [analysed, made] = extracted();
		const shown = analysed.items[index];
		if (name === RESULT)
			return new Blob([
				resultJson(resultObject(analysed, made), resultNames(analysed)),
			]);
		for await (const [found, data] of resultFiles(
			name === "report.html"
				? analysed
				: withPhysics(
						{ ...needed(base).analysis, shown },
						physicsOf(lastChoice),
					),
			made,
			render,
		))
			if (found === name) return new Blob([data as BlobPart]);
		throw new Error(`there is no result ${name}`);
	},
};

interface SessionWanted {
	readonly files: readonly File[];
	readonly request: ExtractRequest;
}

export type ExtractHandlers = typeof handlers;
answer(handlers);

function latticesSeen(): readonly SeenLattice[] {
	const { measurement, file } = needed(input);
	seen ??= measurement
		? seenLattices(arrange(measurement, layout, file), file)
		: [];
	return seen;
}

/** What the page is told of the correction by the lattice. */
function latticeOf({
	correction,
}: Preparation): Pick<PreparedImages, "moves" | "lattice"> {
	if (!correction) return {};
	const { matrix, field } = correction.distortion;
	return {
		moves: correction.warp && { matrix, field },
		lattice: latticeTold(correction),
	};
}

/** Images without their scatterers. */
const asMaps = ({ prepared, correction }: Preparation) => ({
	tasks: prepared.map(({ scan, weights }) => ({ ...scan, weights })),
	pixel: prepared[0].scan.spacing.x,
	correction,
});

const shownField = ({ whole, counts }: Preprocessed) => small(whole, counts);

const { version } = packageJson;
const RESULT = "result.json";

async function outcome(
	request: ExtractRequest,
	taken: Taken,
	extractions: readonly Extraction[],
	about: ResultOptions["about"],
): Promise<Outcome> {
	base = { analysis: analyseAll(taken, extractions), lattice: "" };
	analysis = await asked(request);
	options = optionsOf(request, about);
	const compared = Object.keys(needed(fits).extractions[0].explained);
	const methods = Object.keys(METHOD_OPTIONS).filter((name) => {
		const method = METHOD_OPTIONS[name];
		return method === "auto" ? compared.length > 1 : compared.includes(method);
	});
	const shown = await outcomeOf(
		...([analysis, options, methods, adapterOf(options)] as const),
	);
	return { ...shown, files: needed(input).series?.parts.length };
}

/** The last extraction's kernels with what the request asks of them. */
async function asked(request: ExtractRequest): Promise<Analysis> {
	const { analysis: choice = {} } = request;
	const { taken } = needed(fits);
	const lattice = choice.lattice ? JSON.stringify(choice.lattice) : "";
	let now = needed(base);
	if (now.lattice !== lattice) {
		const of = lattice
			? takeAgain(request, taken.square, await preparedWith(request))
			: taken;
		now = { analysis: withTaken(now.analysis, of), lattice };
	}
	const analysed = withPhysics(now.analysis, physicsOf(choice));
	[base, lastChoice] = [now, choice];
	return analysed;
}

/** The same images, of which the lattice that was given is known. Throws where none of them shows it. */
async function preparedWith({
	settings,
	analysis: { lattice } = {},
}: ExtractRequest): Promise<Preparation> {
	if (dataset)
		throw new Error("a file of the dataset's format shows no atomic lattice");
	const key = JSON.stringify([settings, lattice]);
	if (latticed?.key !== key)
		latticed = {
			key,
			preparation: await prepareScans(measuredInput(), {
				...settings,
				...{ lattice, calibrate: false },
				prepareAll: preparingAll(),
			}),
		};
	return latticed.preparation;
}

/** What results say of how they came about. */
function optionsOf(
	request: ExtractRequest,
	about: ResultOptions["about"],
): ResultOptions {
	const files = needed(source).parts.map(({ file }) => file);
	const chosen = settingsOf(request);
	return {
		input: needed(input),
		parameters: { ...chosen },
		about,
		versions: { [PROGRAM]: version, browser: navigator.userAgent },
		command: commandOf(files, chosen),
	};
}

/** What the command line would be given. */
function settingsOf(request: ExtractRequest): ExtractSettings {
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

/** With the list as its file has it, to a thousandth of an Angstrom: so the command line gives the same from that file. */
function takeAgain(
	{ scatterers, found }: ExtractRequest,
	square: boolean,
	images = needed(preparation),
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

/** A device that an earlier call opened says nothing about this one. */
const adapterOf = ({ about }: ResultOptions) =>
	about.adapter ? adapterName() : null;

function extracted(): [Analysis, ResultOptions] {
	if (analysis && options) return [analysis, options];
	throw new Error(
		"the numbers of these results went with the extraction that was stopped: extract again",
	);
}

function measuredInput() {
	const read = needed(input);
	return { ...read, measurement: needed(read.measurement) };
}

function needed<T>(value: T | undefined): T {
	if (value === undefined)
		throw new Error(
			"the worker was started anew and has to open the file first",
		);
	return value;
}
