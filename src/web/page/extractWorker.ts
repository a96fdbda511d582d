/** The worker of the page's extraction: reads the file, prepares, detects, extracts and makes the files of results, as the command line does. */
import about from "../../../package.json" with { type: "json" };
import type { Gpu } from "../../engine/gpu.ts";
import type { DetectedScatterer } from "../../extraction/detect.ts";
import type { Method } from "../../extraction/extract.ts";
import {
	readScatterers,
	writeScatterers,
} from "../../extraction/scatterers.ts";
import type { Weights } from "../../extraction/weights.ts";
import { energiesOf } from "../../formats/measurement.ts";
import { scanField } from "../../report/extractionPictures.ts";
import type { Field } from "../../report/panels.ts";
import { resampled } from "../../report/picture.ts";
import { chooseChannel } from "../../results/choose.ts";
import { commandOf, type ExtractSettings } from "../../results/commandLine.ts";
import { isNetwork, makeExtractor } from "../../results/extractor.ts";
import {
	PROGRAM,
	type ResultOptions,
	resultFiles,
	resultJson,
	resultObject,
} from "../../results/files.ts";
import { checkSize, type Input, parseInput } from "../../results/input.ts";
import {
	type Analysis,
	analyseAll,
	METHODS,
	NAMES,
} from "../../results/items.ts";
import { labelOf } from "../../results/measured.ts";
import { picturesOf, shownImage } from "../../results/pictures.ts";
import {
	findScatterers,
	makeTasks,
	type Preparation,
	type PrepareOptions,
	prepareScans,
	type Taken,
	take,
	wholeScan,
} from "../../results/take.ts";
import { createEngine, NoWebGpuError } from "../gpu.ts";
import { render } from "../render.ts";
import { answer, type Report } from "../rpc.ts";
import { openWeights } from "../weights.ts";
import type {
	ExtractRequest,
	Opened,
	Outcome,
	PreparedImages,
} from "./extractTypes.ts";

/** The longer side of a scan as it is shown, pixels. */
const SHOWN = 512;

let input: Input | undefined;
let preparation: Preparation | undefined;
let dataset: Taken | undefined;
let analysis: Analysis | undefined;
let options: ResultOptions | undefined;
let weights: Weights | undefined;
let gpu: Gpu | undefined;
let lost: string | undefined;

const handlers = {
	/** Reads a file: no other call makes sense before. */
	async open(file: File): Promise<Opened> {
		checkSize(file.name, file.size);
		const bytes = new Uint8Array(await file.arrayBuffer());
		// A file that cannot be read leaves the one before, and its results.
		const read = await parseInput(bytes, file.name);
		const { measurement } = read;
		input = read;
		preparation = undefined;
		dataset = undefined;
		analysis = undefined;
		if (!measurement)
			return {
				format: "dataset",
				nx: 64,
				ny: 64,
				size: { x: 400, y: 400 },
				channels: [{ name: "image", unit: "", energies: [] }],
				chosen: "image",
				dataset: true,
				details: [],
			};
		const { format, nx, ny, spacing, channels, details } = measurement;
		return {
			format,
			nx,
			ny,
			size: spacing && { x: nx * spacing.x, y: ny * spacing.y },
			channels: channels.map((channel) => ({
				name: channel.name,
				unit: channel.unit,
				energies: energiesOf(measurement, channel),
			})),
			chosen: chooseChannel({ measurement, file: file.name }, undefined).name,
			dataset: false,
			details,
		};
	},

	/** Chooses and prepares images; throws what the command line says. */
	prepare(settings: PrepareOptions): PreparedImages {
		const { measurement } = needed(input);
		if (!measurement) {
			dataset = take(needed(input), { ...settings, detect: false });
			const { tasks, spacing, centre, told, warnings } = dataset;
			return {
				labels: tasks.map(({ label }) => label),
				energies: tasks.map(() => undefined),
				square: { ...centre, size: 64 * spacing },
				unit: "",
				told,
				warnings,
				scatterers: tasks.map(({ scatterers }) =>
					scatterers.map(({ x, y, weight = 1 }) => ({
						...{ x, y, weight },
						quality: 1,
						keep: true,
					})),
				),
			};
		}
		preparation = prepareScans({ ...needed(input), measurement }, settings);
		const { used, prepared, channel, told, warnings } = preparation;
		const [{ spacing, centre }] = prepared;
		return {
			labels: used.map(labelOf),
			energies: used.map(({ energy }) => energy),
			square: { ...centre, size: 64 * spacing },
			unit: channel.unit,
			told,
			warnings,
		};
	},

	/** A prepared image as it is shown, at no more than SHOWN pixels. */
	image(index: number): Field {
		if (dataset) {
			const { spacing } = dataset;
			return scanField({
				image: dataset.tasks[index].image,
				nx: 64,
				ny: 64,
				spacing: { x: spacing, y: spacing },
			});
		}
		const scan = wholeScan(needed(preparation).prepared[index]);
		const field = scanField(scan);
		const shrink = SHOWN / Math.max(scan.nx, scan.ny);
		if (shrink >= 1) return field;
		const [nx, ny] = [scan.nx, scan.ny].map((n) =>
			Math.max(1, Math.round(n * shrink)),
		);
		const values = Float32Array.from(
			resampled(scan.image, scan, nx, ny, false),
		);
		return { ...field, values, nx, ny };
	},

	detect: (): DetectedScatterer[] => findScatterers(needed(preparation)),

	readScatterers: ({ text, file }: { text: string; file: string }) =>
		readScatterers(text, file),

	async extract(request: ExtractRequest, report: Report): Promise<Outcome> {
		const { method: name, symmetry, seed, settings } = request;
		const method = METHODS[name];
		const taken = dataset ?? takeAgain(request);
		const missing = await prepareMachine(method, report);
		const adapter = gpu && `adapter: ${gpu.adapterName}`;
		try {
			const extractor = await makeExtractor({
				...{ method, symmetry, seed, weights, gpu, adapter, missing },
			});
			try {
				const extractions = [];
				for (const [i, task] of taken.tasks.entries())
					extractions.push(
						await extractor.extract(task, (done, total, next) =>
							report({
								done: i * total + done,
								total: taken.tasks.length * total,
								what: `${task.label}: ${NAMES[next]}`,
							}),
						),
					);
				analysis = analyseAll(
					{ ...taken, warnings: [...taken.warnings, ...extractor.warnings] },
					extractions,
				);
				const chosen: ExtractSettings = {
					...settings,
					scatterers: request.scatterers && !dataset ? SCATTERERS : undefined,
					detect: !request.scatterers && !dataset,
					method: name,
					symmetry,
					seed,
				};
				options = {
					input: needed(input),
					parameters: { ...chosen },
					about: extractor.about,
					versions: { [PROGRAM]: about.version, browser: navigator.userAgent },
					command: commandOf(needed(input).file, chosen),
				};
			} finally {
				extractor.close();
			}
		} catch (error) {
			// The device's own error says less than that it is gone.
			await Promise.resolve();
			if (lost) throw deviceLost();
			throw error;
		}
		// A device that an earlier call opened says nothing about this one.
		const ran = options.about.adapter ? gpu?.adapterName : undefined;
		return shown(analysis, options, ran ?? null);
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

	/** One file of the results by its name. */
	async file(name: string): Promise<Blob> {
		const [analysed, made] = extracted();
		const names: string[] = [];
		for await (const [found, data] of resultFiles(analysed, made, render)) {
			if (found === name) return new Blob([data as BlobPart]);
			names.push(found);
		}
		if (name !== RESULT) throw new Error(`there is no result ${name}`);
		return new Blob([resultJson(resultObject(analysed, made), names)]);
	},
};

export type ExtractHandlers = typeof handlers;
answer(handlers);

const RESULT = "result.json";
/** What the edited list is called where it is written out. */
const SCATTERERS = "scatterers.csv";

/** With the list as its file has it, to a thousandth of an Angstrom: so the command line gives the same from that file. */
function takeAgain({ scatterers }: ExtractRequest): Taken {
	const images = needed(preparation);
	if (!scatterers) return makeTasks(images, findScatterers(images), "found");
	return makeTasks(
		images,
		readScatterers(writeScatterers(scatterers), SCATTERERS),
		`from ${SCATTERERS}`,
	);
}

/** Fetches the weights and opens a device where they are needed. Returns why there is no device, where the method can do without. */
async function prepareMachine(
	method: Method | "auto",
	report: Report,
): Promise<string | undefined> {
	if (method === "ridge") return undefined;
	weights ??= await openWeights(report);
	if (lost) {
		gpu = undefined;
		lost = undefined;
	}
	if (gpu) return undefined;
	try {
		report({ done: 0, total: 0, what: "opening the graphics device" });
		const opened = await createEngine();
		gpu = opened;
		opened.device.lost.then(({ message, reason }) => {
			if (gpu === opened) lost = message.replace(/\.$/, "") || reason;
		});
	} catch (error) {
		if (isNetwork(method) || !(error instanceof NoWebGpuError)) throw error;
		return error.message;
	}
}

function deviceLost(): Error {
	const error = new Error(
		`the graphics device was lost (${lost}); file, settings and scatterers are kept`,
	);
	error.name = "DeviceLostError";
	return error;
}

async function shown(
	{ items, shown, taken, findings, warnings, band }: Analysis,
	{ command }: ResultOptions,
	adapter: string | null,
): Promise<Outcome> {
	const charts: Record<string, Blob> = {};
	for (const [name, , , picture] of picturesOf({
		items,
		shown,
		taken,
		band,
		findings,
		warnings,
	}))
		if (name === "profile" || name === "dispersion")
			charts[name] = new Blob([await render(picture)], { type: "image/png" });
	const scale = taken.spacing / (400 / 63);
	return {
		items: items.map(({ task, extraction, spectrum, peak }) => ({
			label: task.label,
			energy: task.energy,
			method: NAMES[extraction.method],
			kernel: extraction.kernel,
			uncertainty: extraction.uncertainty,
			image: shownImage(task),
			model: extraction.model,
			residual: extraction.residual,
			spectrum,
			q: peak,
			explained: (Object.keys(NAMES) as Method[]).flatMap((m) => {
				const e = extraction.explained[m];
				return e
					? [{ ...e, name: NAMES[m], chosen: m === extraction.method }]
					: [];
			}),
			places: task.scatterers.map(({ x, y }) => ({
				x: taken.centre.x + x * scale,
				y: taken.centre.y + y * scale,
			})),
		})),
		shown: items.indexOf(shown),
		spacing: taken.spacing,
		centre: taken.centre,
		unit: taken.unit,
		findings,
		warnings,
		command,
		charts,
		adapter,
	};
}

function extracted(): [Analysis, ResultOptions] {
	if (analysis && options) return [analysis, options];
	throw new Error(
		"the numbers of these results went with the extraction that was stopped: extract again",
	);
}

function needed<T>(value: T | undefined): T {
	if (value === undefined)
		throw new Error(
			"the worker was started anew and has to open the file first",
		);
	return value;
}
