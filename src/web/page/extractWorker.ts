/** The worker of the page's extraction: reads the file, prepares, detects, extracts and makes the files of results, as the command line does. */
import type { Gpu } from "../../engine/gpu.ts";
import type { DetectedScatterer } from "../../extraction/detect.ts";
import type {
	Explained,
	ExtractOptions,
	Method,
} from "../../extraction/extract.ts";
import {
	readScatterers,
	writeScatterers,
} from "../../extraction/scatterers.ts";
import type { Peak } from "../../extraction/spectrum.ts";
import { Weights } from "../../extraction/weights.ts";
import { energiesOf } from "../../formats/measurement.ts";
import { scanField } from "../../report/extractionPictures.ts";
import type { Field } from "../../report/panels.ts";
import type { NewCanvas, Picture } from "../../report/picture.ts";
import { resampled } from "../../report/picture.ts";
import { chooseChannel } from "../../results/choose.ts";
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
import { answer, type Report } from "../rpc.ts";

declare const VERSION: string; // of the package, put in when the page is built

/** What a file holds. */
export interface Opened {
	readonly format: string;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom; undefined when the file does not say. */
	readonly size?: { readonly x: number; readonly y: number };
	readonly channels: readonly {
		readonly name: string;
		readonly unit: string;
		/** eV */
		readonly energies: readonly number[];
	}[];
	/** Of the channels, the one that is taken unless another is asked for. */
	readonly chosen: string;
	/** A file of the dataset's format, which says where its scatterers are. */
	readonly dataset: boolean;
	readonly details: readonly (readonly [string, string])[];
}

/** The images as they are extracted from. */
export interface PreparedImages {
	readonly labels: readonly string[];
	/** eV, one an image, or undefined. */
	readonly energies: readonly (number | undefined)[];
	/** Side of the square that is extracted from, and its centre in the scan's frame, Angstrom. */
	readonly square: {
		readonly x: number;
		readonly y: number;
		readonly size: number;
	};
	readonly unit: string;
	readonly told: readonly string[];
	readonly warnings: readonly string[];
	/** Of a dataset's file, of each image. */
	readonly scatterers?: readonly (readonly DetectedScatterer[])[];
}

export interface ExtractRequest {
	/** Those of prepare(). */
	readonly settings: PrepareOptions;
	/** As edited; null takes them as detection finds them. */
	readonly scatterers: readonly DetectedScatterer[] | null;
	/** A key of METHODS. */
	readonly method: string;
	readonly symmetry?: ExtractOptions["symmetry"];
	readonly seed: number;
}

/** One kernel, for the views: 64 x 64 pixels each, in the image's unit. */
export interface ShownItem {
	readonly label: string;
	readonly energy?: number;
	readonly method: string;
	readonly kernel: Float32Array;
	readonly uncertainty: Float32Array;
	/** NaN where not measured. */
	readonly image: Float32Array;
	readonly model: Float32Array;
	readonly residual: Float32Array;
	readonly spectrum: {
		readonly magnitude: Float32Array | Float64Array;
		readonly size: number;
		readonly step: number;
	};
	readonly q: Peak | null;
	readonly explained: readonly (Explained & {
		readonly name: string;
		readonly chosen: boolean;
	})[];
	readonly places: readonly { readonly x: number; readonly y: number }[];
}

export interface Outcome {
	readonly items: readonly ShownItem[];
	/** Of the items, the one that is explained best. */
	readonly shown: number;
	/** Angstrom a pixel. */
	readonly spacing: number;
	readonly centre: { readonly x: number; readonly y: number };
	readonly unit: string;
	readonly findings: readonly string[];
	readonly warnings: readonly string[];
	/** What does the same on the command line. */
	readonly command: string;
	/** PNG of charts by name: profile, dispersion. */
	readonly charts: Readonly<Record<string, Blob>>;
	/** What ran. */
	readonly adapter: string | null;
}

/** The longer side of a scan as it is shown, pixels. */
const SHOWN = 512;
/** Where the weights are, from the page. */
const WEIGHTS = "weights";

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
		[input, preparation, dataset, analysis] = [];
		checkSize(file.name, file.size);
		const bytes = new Uint8Array(await file.arrayBuffer());
		const read = await parseInput(bytes, file.name);
		const { measurement } = read;
		input = read;
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
				const marks = request.scatterers && { scatterers: SCATTERERS };
				options = {
					input: needed(input),
					parameters: {
						...settings,
						...marks,
						detect: !marks && !dataset,
						method: name,
						symmetry,
						seed,
					},
					about: extractor.about,
					versions: { [PROGRAM]: VERSION, browser: navigator.userAgent },
					command: commandOf(
						needed(input).file,
						request,
						dataset !== undefined,
					),
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
		return shown(analysis, options, gpu?.adapterName ?? null);
	},

	/** All files of the results, packed. */
	async files(_: null, report: Report): Promise<Blob> {
		const { zipSync } = await import("fflate");
		const files: Record<string, Uint8Array> = {};
		const text = new TextEncoder();
		for await (const [name, data] of resultFiles(
			needed(analysis),
			needed(options),
			render,
		)) {
			files[name] = typeof data === "string" ? text.encode(data) : data;
			report({ done: 0, total: 0, what: name });
		}
		const names = Object.keys(files);
		files["result.json"] = text.encode(
			resultJson(resultObject(needed(analysis), needed(options)), names),
		);
		return new Blob([zipSync(files, { level: 6 }) as Uint8Array<ArrayBuffer>], {
			type: "application/zip",
		});
	},

	/** One file of the results by its name. */
	async file(name: string): Promise<Blob> {
		const made: string[] = [];
		for await (const [found, data] of resultFiles(
			needed(analysis),
			needed(options),
			// Pictures that nobody asked for are not drawn.
			name.endsWith(".png") || name.endsWith(".html")
				? render
				: async () => new Uint8Array(),
		)) {
			if (found === name) return new Blob([data as BlobPart]);
			made.push(found);
		}
		if (name !== "result.json") throw new Error(`there is no result ${name}`);
		return new Blob([
			resultJson(resultObject(needed(analysis), needed(options)), made),
		]);
	},
};

export type ExtractHandlers = typeof handlers;
answer(handlers);

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
	weights ??= await Weights.open(WEIGHTS, keep(report));
	if (lost) {
		[gpu, lost] = [];
	}
	if (gpu) return undefined;
	try {
		report({ done: 0, total: 0, what: "opening the graphics device" });
		const opened = await createEngine();
		gpu = opened;
		opened.device.lost.then(({ message, reason }) => {
			if (gpu === opened) lost = message || reason;
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

/** Fetches a file of weights, once. */
function keep(report: Report) {
	const kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
	return (name: string) => {
		const found = kept.get(name) ?? download(`${WEIGHTS}/${name}`, report);
		kept.set(name, found);
		found.catch(() => kept.delete(name));
		return found;
	};
}

async function download(
	url: string,
	report: Report,
): Promise<Uint8Array<ArrayBuffer>> {
	const response = await fetch(url);
	if (!response.ok || !response.body)
		throw new Error(`${url}: found ${response.status}, expected the weights`);
	const total = Number(response.headers.get("content-length") ?? 0);
	const parts: Uint8Array<ArrayBuffer>[] = [];
	let done = 0;
	for await (const part of response.body) {
		parts.push(part);
		done += part.length;
		report({ done, total, what: `downloading ${url}` });
	}
	return new Uint8Array(await new Blob(parts).arrayBuffer());
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

/** PNG of a picture on white, two pixels for each of its own. */
async function render(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
	const newCanvas = ((width: number, height: number) =>
		new OffscreenCanvas(width, height)) as unknown as NewCanvas;
	const canvas = new OffscreenCanvas(
		Math.ceil(2 * picture.width),
		Math.ceil(2 * picture.height),
	);
	const ctx = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
	ctx.fillStyle = "#ffffff";
	ctx.fillRect(0, 0, canvas.width, canvas.height);
	ctx.scale(2, 2);
	picture.draw(ctx as unknown as CanvasRenderingContext2D, newCanvas);
	const blob = await canvas.convertToBlob({ type: "image/png" });
	return new Uint8Array(await blob.arrayBuffer());
}

/** The command line that gives the same results. */
function commandOf(
	file: string,
	{ settings, scatterers, method, symmetry, seed }: ExtractRequest,
	dataset: boolean,
): string {
	const { channel, energy, field, crop, flatten, repair, clip, lowPass, max } =
		settings;
	const word = (value: unknown) => {
		const text = String(value);
		return /^[\w./,=-]+$/.test(text) ? text : JSON.stringify(text);
	};
	const given: [string, unknown][] = [
		["channel", channel],
		["energy", energy],
		["field", field],
		["crop", crop && [crop.x, crop.y, crop.size].join()],
		["flatten", flatten],
		["clip", clip],
		["low-pass", lowPass],
		["max", max],
		["scatterers", scatterers && !dataset ? SCATTERERS : undefined],
		["method", method === "auto" ? undefined : method],
		["symmetry", symmetry],
		["seed", seed === 1 ? undefined : seed],
	];
	return [
		`npx qpi-lens extract ${word(file)}`,
		...given.flatMap(([name, value]) =>
			value === undefined || value === null ? [] : [`--${name} ${word(value)}`],
		),
		...(repair === false ? ["--no-repair"] : []),
		...(scatterers || dataset ? [] : ["--detect"]),
	].join(" ");
}

function needed<T>(value: T | undefined): T {
	if (value === undefined)
		throw new Error(
			"the worker was started anew and has to open the file first",
		);
	return value;
}
