/** The files of an extraction's results: arrays, tables, pictures, report.html and result.json. */
import type { Method } from "../extraction/extract.ts";
import { writeMasks } from "../extraction/masks.ts";
import { writeScatterers } from "../extraction/scatterers.ts";
import { encodeNpy } from "../formats/npy.ts";
import {
	type ExtractionFigure,
	extractionHtml,
} from "../report/extractionHtml.ts";
import type { Picture } from "../report/picture.ts";
import { baseName, type Input } from "./input.ts";
import { type Analysis, type Item, NAMES, resultOf, tableOf } from "./items.ts";
import { picturesOf, shownImage } from "./pictures.ts";

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
	...[...numbers(analysis)].map(([name]) => name),
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
	{ taken, items, shown, band, findings, warnings }: Analysis,
	{
		input: { file, sha256, bytes },
		parameters,
		versions,
		about,
	}: ResultOptions,
): Record<string, unknown> {
	const several = items.length > 1;
	return {
		...resultOf(shown, several ? "kernels.npy" : "kernel.npy"),
		...(several
			? {
					shown: shown.task.label,
					items: items.map((item, index) => ({
						label: item.task.label,
						energy: item.task.energy,
						index,
						...resultOf(item, "kernels.npy"),
					})),
				}
			: {}),
		dispersion: band && { fit: band.fit, reason: band.reason },
		warnings,
		findings,
		input: { file, sha256, bytes, ...taken.about },
		parameters,
		versions: { ...versions, ...about },
	};
}

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
const csv = (rows: Iterable<readonly (string | number)[]>) =>
	[...rows]
		.map((row) =>
			row
				.map((v) => (typeof v === "number" ? Number(v.toPrecision(7)) : v))
				.join(","),
		)
		.join("\n")
		.concat("\n");

/** A square image with its axis: the first row holds y, the first column x. */
function withAxes(
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

function* numbers({ taken, items, shown }: Analysis): Generator<ResultFile> {
	const { spacing, scatterers, mask, truth } = taken;
	const several = items.length > 1;
	const axis = Array.from({ length: 64 }, (_, i) => (i - 31.5) * spacing);
	const arrays = {
		kernel: (i: Item) => i.extraction.kernel,
		uncertainty: (i: Item) => i.extraction.uncertainty,
		model: (i: Item) => i.extraction.model,
		residual: (i: Item) => i.extraction.residual,
		input: ({ task }: Item) => shownImage(task),
	};
	for (const [name, of] of Object.entries(arrays)) {
		const all = new Float32Array(items.length * 4096);
		for (const [i, item] of items.entries()) all.set(of(item), i * 4096);
		const [file, shape] = several
			? [name.replace(/y?$/, (y) => (y ? "ies" : "s")), [items.length, 64, 64]]
			: [name, [64, 64]];
		yield [`${file}.npy`, encodeNpy(all, shape)];
	}
	// Tables for each energy; of a dataset's many images for the one that is shown.
	const numbered = several && !truth;
	for (const [i, item] of (numbered ? items : [shown]).entries()) {
		const end = numbered
			? `-${String(i + 1).padStart(String(items.length).length, "0")}`
			: "";
		for (const name of ["kernel", "uncertainty"] as const)
			yield [
				`${name}${end}.csv`,
				withAxes(item.extraction[name], axis, "x \\ y (Angstrom)"),
			];
		const { magnitude, size, step } = item.spectrum;
		const q = Array.from({ length: size }, (_, k) => (k - size / 2) * step);
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
				],
				...Array.from(profile.q, (value, k) => [
					value,
					profile.value[k],
					profile.error?.[k] ?? 0,
					plain.value[k],
				]),
			]),
		];
	}
	if (scatterers) yield ["scatterers.csv", writeScatterers(scatterers)];
	if (mask?.length) yield ["mask.csv", writeMasks(mask)];
	if (several) yield ["images.csv", csv(summaryOf(items))];
}

/** A row an image, for other programs to read. */
function summaryOf(items: readonly Item[]): (string | number)[][] {
	return [
		[
			"image",
			"energy (eV)",
			"scatterers",
			"method",
			"held-out explained variance",
			"in-sample explained variance",
			"q* (1/Angstrom)",
			"its standard deviation",
			"NCC",
			"MAE",
		],
		...items.map(
			({ task, extraction: { method, explained }, peak, scores }) => [
				task.label,
				task.energy ?? "",
				task.scatterers.length,
				NAMES[method],
				explained[method]?.heldOut ?? "",
				explained[method]?.inSample ?? "",
				peak?.q ?? "",
				peak?.error ?? "",
				scores?.ncc ?? "",
				scores?.mae ?? "",
			],
		),
	];
}
