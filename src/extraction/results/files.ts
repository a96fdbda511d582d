/** The files of an extraction's results: arrays, tables, pictures, report.html and result.json. */

import type { Picture } from "../../drawing/picture.ts";
import type { Field } from "../../formats/field.ts";
import { encodeNpy } from "../../formats/npy.ts";
import type { Method } from "../kernels/extraction.ts";
import { intoScan, latticeEntry } from "../lattice/correction.ts";
import {
	type DetectedScatterer,
	writeScatterers,
} from "../marks/scatterers.ts";
import { writeMasks } from "../scan/masks.ts";
import { fieldsOf } from "./fields.ts";
import { foundEntry, foundTables } from "./findScatterers.ts";
import { type ExtractionFigure, extractionHtml } from "./html.ts";
import { baseName, type Input } from "./input.ts";
import {
	type Analysis,
	endOf,
	type Item,
	isEmpty,
	kernelEntry,
	labelOf,
	NAMES,
	resultOf,
	tableOf,
} from "./items.ts";
import { picturesOf } from "./pictures.ts";
import { qLimitOf } from "./qLimit.ts";
import { inUnits, latticeRows, reciprocalEntry } from "./reciprocal.ts";
import type { Taken } from "./take.ts";

export type ResultFile = readonly [name: string, data: string | Uint8Array];

export interface ResultOptions {
	readonly input: Pick<Input, "file" | "sha256" | "bytes">;
	/** The options as given, and what ran. */
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly about: Readonly<Record<string, string>>;
	/** Of the program, and of what it runs on. */
	readonly versions: Readonly<Record<string, string>>;
	/** What does it again. */
	readonly command: string;
}

/** All files of an extraction but result.json, one after the other. @param render makes a PNG of a picture */
export async function* resultFiles(
	analysis: Analysis,
	options: ResultOptions,
	render: (picture: Picture) => Uint8Array | Promise<Uint8Array>,
): AsyncGenerator<ResultFile, void> {
	yield* numbers(analysis);
	yield* analysis.more?.files ?? [];
	const figures: ExtractionFigure[] = [];
	for (const [name, title, caption, picture] of picturesOf(analysis)) {
		const png = await render(picture);
		yield [`${name}.png`, png];
		figures.push({ title, caption, png });
	}
	yield ["report.html", reportOf(analysis, options, figures)];
}

/** The names of those files, in order. */
export const resultNames = (analysis: Analysis): string[] => [
	...[...numbers(analysis), ...(analysis.more?.files ?? [])].map(
		([name]) => name,
	),
	...picturesOf(analysis).map(([name]) => `${name}.png`),
	"report.html",
];

function reportOf(
	{ taken, items, shown, findings, warnings }: Analysis,
	{ input, command, ...options }: ResultOptions,
	figures: readonly ExtractionFigure[],
): string {
	const { method, explained } = shown.extraction;
	const parameters = {
		...options.parameters,
		...shown.extraction.parameters,
		...options.about,
		...options.versions,
	};
	return extractionHtml({
		title: `Kernel of ${baseName(input.file)}`,
		findings,
		done: taken.told,
		warnings,
		methods: (Object.keys(NAMES) as Method[]).flatMap((m) => {
			const e = explained[m];
			return e ? [{ name: NAMES[m], ...e, chosen: m === method }] : [];
		}),
		found: taken.found && {
			told: taken.found.told,
			tables: foundTables(taken.found),
		},
		tables: items.length > 1 ? [tableOf(items)] : [],
		figures,
		parameters: [
			["file", input.file],
			["sha256", input.sha256],
			...Object.entries(parameters)
				.filter(([, value]) => value !== undefined)
				.map(([key, value]): [string, string] => [
					key,
					typeof value === "string" ? value : JSON.stringify(value),
				]),
		],
		command,
	});
}

/** What result.json says. */
export function resultObject(
	{
		taken,
		items,
		kinds,
		shown,
		band,
		bands,
		findings,
		warnings,
		more,
	}: Analysis,
	{
		input: { file, sha256, bytes },
		parameters,
		versions,
		about,
	}: ResultOptions,
): Record<string, unknown> {
	const { pixel } = taken;
	const images = items.length / kinds.length;
	const fileOf = (kind: number) =>
		`${images > 1 ? "kernels" : "kernel"}${endOf(kind, kinds)}.npy`;
	const { explained, seconds, parameters: solution } = shown.extraction;
	const { correction } = taken;
	const resultFor = (item: Item) => ({
		...resultOf(item, fileOf(item.kind), pixel),
		...reciprocalEntry(item, correction),
	});
	return {
		...resultFor(shown),
		...(kinds.length > 1
			? {
					kernels: items
						.filter(({ task }) => task === shown.task)
						.map((item) => kernelEntry(item, fileOf(item.kind), pixel)),
				}
			: {}),
		window: solution.window ?? null,
		workingPixel: solution.workingPixel ?? null,
		qLimit: qLimitOf({ shown, taken }),
		seconds: seconds ?? null,
		judge: explained[shown.extraction.method]?.heldOut ?? null,
		...(correction && { lattice: latticeEntry(correction) }),
		scattererList: shown.extraction.scatterers.map((s, j) => ({
			...s,
			...{ x: taken.centre.x + s.x, y: taken.centre.y + s.y },
			...(correction?.warp && { scan: scanPlace(taken, s) }),
			row: taken.used[j],
			empty: isEmpty(s),
		})),
		...(taken.found ? { found: foundEntry(taken.found) } : {}),
		...(items.length > 1
			? {
					shown: labelOf(shown, kinds),
					items: items.map((item, index) => ({
						label: labelOf(item, kinds),
						energy: item.task.energy,
						index: Math.floor(index / kinds.length),
						...resultFor(item),
					})),
				}
			: {}),
		dispersion: band && { fit: band.fit, reason: band.reason },
		...(kinds.length > 1
			? {
					dispersions: bands.map(
						(of, k) => of && { kind: kinds[k], fit: of.fit, reason: of.reason },
					),
				}
			: {}),
		...more?.result,
		warnings,
		findings,
		input: { file, sha256, bytes, ...taken.about },
		parameters,
		versions: { ...versions, ...about },
	};
}

/** Where a mark of the corrected image lies in the scan as it is. */
const scanPlace = (
	{ correction, centre }: Taken,
	{ x, y }: { readonly x: number; readonly y: number },
) => intoScan(correction, { x: centre.x + x, y: centre.y + y });

/** Says in result.json whose it is. */
export const PROGRAM = "qpi-lens";

/** The text of result.json. @param files the names of all others, in order */
export function resultJson(
	result: Readonly<Record<string, unknown>>,
	files: readonly string[],
): string {
	const whole = { program: PROGRAM, ...result, files };
	return `${JSON.stringify(whole, finite, "\t")}\n`;
}

/** JSON has no NaN: a figure that could not be had is null. Typed arrays become lists. */
function finite(_: string, value: unknown): unknown {
	if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array);
	return typeof value === "number" && !Number.isFinite(value) ? null : value;
}

/** A table of numbers: 7 digits, as many as a float32 has. */
export const csv = (rows: Iterable<readonly (string | number)[]>) =>
	[...rows]
		.map((row) =>
			row
				.map((v) => (typeof v === "number" ? Number(v.toPrecision(7)) : v))
				.join(","),
		)
		.join("\n")
		.concat("\n");

/** A square image with its axis: the first row holds y, the first column x. */
export function withAxes(
	values: ArrayLike<number>,
	axis: readonly number[],
	corner: string,
) {
	const n = axis.length;
	return csv([
		[corner, ...axis],
		...axis.map((x, ix) => [
			x,
			...Array.from({ length: n }, (_, iy) => values[ix * n + iy]),
		]),
	]);
}

/** An array of a field's images; several have a leading index. */
function arrayOf({ name, images, nx, ny }: Field): ResultFile {
	if (images.length === 1)
		return [`${name}.npy`, encodeNpy(images[0], [nx, ny])];
	const all = new Float32Array(images.length * nx * ny);
	for (const [i, of] of images.entries()) all.set(of, i * of.length);
	return [`${name}.npy`, encodeNpy(all, [images.length, nx, ny])];
}

function* numbers(analysis: Analysis): Generator<ResultFile> {
	const { taken, items, kinds, shown } = analysis;
	const { pixel, truth } = taken;
	const { size } = shown.extraction;
	const axis = Array.from(
		{ length: size },
		(_, i) => (i - (size - 1) / 2) * pixel,
	);
	for (const field of fieldsOf(analysis)) yield arrayOf(field);
	const images = items.filter(({ kind }) => kind === kinds[0]);
	// Tables for each energy; of a dataset's many images for the one that is shown.
	const numbered = images.length > 1 && !truth;
	const tabled = numbered
		? items
		: items.filter(({ task }) => task === shown.task);
	for (const [i, item] of tabled.entries()) {
		const number = String(Math.floor(i / kinds.length) + 1);
		const end = `${numbered ? `-${number.padStart(String(images.length).length, "0")}` : ""}${endOf(item.kind, kinds)}`;
		for (const name of ["kernel", "uncertainty"] as const)
			yield [
				`${name}${end}.csv`,
				withAxes(item[name], axis, "x \\ y (Angstrom)"),
			];
		const { magnitude, size: side, step } = item.spectrum;
		const q = Array.from({ length: side }, (_, k) => (k - side / 2) * step);
		yield [
			`spectrum${end}.csv`,
			withAxes(magnitude, q, "qx \\ qy (1/Angstrom)"),
		];
		const { profile, plain } = item;
		yield [
			`profile${end}.csv`,
			csv([
				[
					"q (1/Angstrom)",
					"outgoing waves",
					"its standard deviation",
					"plain |FFT|",
					...inUnits(taken.correction, "q"),
				],
				...Array.from(profile.q, (value, k) => [
					value,
					profile.value[k],
					profile.error?.[k] ?? 0,
					plain.value[k],
					...inUnits(taken.correction, value),
				]),
			]),
		];
	}
	if (taken.scatterers)
		yield ["scatterers.csv", writeScatterers(withFound(taken, shown))];
	if (taken.mask) yield ["mask.csv", writeMasks(taken.mask)];
	if (items.length > 1)
		yield ["images.csv", csv(summaryOf(items, taken.correction))];
	if (taken.correction)
		yield ["lattice.csv", csv(latticeRows(taken.correction, pixel))];
}

/** The list of scatterers with what the image says of those that were used. */
const withFound = (
	{ scatterers = [], used, correction }: Taken,
	{ extraction }: Item,
): DetectedScatterer[] =>
	scatterers.map((scatterer, i) => {
		const found = extraction.scatterers[used.indexOf(i)];
		const significance = found?.significance ?? scatterer.significance;
		// In the frame of the scan as it is: the list is to be given back with it.
		return { ...intoScan(correction, scatterer), significance };
	});

/** A row an image, for other programs to read. */
function summaryOf(
	items: readonly Item[],
	correction: Taken["correction"],
): (string | number)[][] {
	// Images that are at no energies have no column for them.
	const energies = items.some(({ task }) => task.energy !== undefined);
	return [
		[
			"image",
			...(energies ? ["energy (eV)"] : []),
			"scatterers",
			"method",
			"held-out explained variance",
			"in-sample explained variance",
			"q* (1/Angstrom)",
			"its standard deviation",
			"NCC",
			"MAE",
			...inUnits(correction, "q*"),
		],
		...items.map(
			({
				task,
				kind,
				extraction: { method, explained, kinds },
				peak,
				scores,
			}) => [
				labelOf(
					{ task, kind },
					kinds.map((k) => k.kind),
				),
				...(energies ? [task.energy ?? ""] : []),
				task.scatterers.filter(({ kind: of = 1 }) => of === kind).length,
				NAMES[method],
				explained[method]?.heldOut ?? "",
				explained[method]?.inSample ?? "",
				peak?.q ?? "",
				peak?.error ?? "",
				scores?.ncc ?? "",
				scores?.mae ?? "",
				...inUnits(correction, peak?.q ?? ""),
			],
		),
	];
}
