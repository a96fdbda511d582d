/** The files of an extraction's results: arrays and tables (numbers.ts), pictures, report.html and result.json. */

import type { Picture } from "../../drawing/picture.ts";
import type { Method } from "../kernels/extraction.ts";
import { intoScan, latticeEntry } from "../lattice/correction.ts";
import { kernelEntry, resultOf, tableOf } from "./entries.ts";
import { foundEntry, foundTables } from "./findScatterers.ts";
import { type ExtractionFigure, extractionHtml } from "./html.ts";
import { baseName, type Input } from "./input.ts";
import type { Item } from "./item.ts";
import { type Analysis, endOf, isEmpty, labelOf, NAMES } from "./items.ts";
import { numbers, type ResultFile } from "./numbers.ts";
import { picturesOf } from "./pictures.ts";
import { qLimitOf } from "./qLimit.ts";
import { reciprocalEntry } from "./reciprocal.ts";
import type { Taken } from "./take.ts";

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
