/** The folder of an extraction's results: arrays, tables, pictures, report.html and result.json. */

import type { Extraction, Method } from "../extraction/extract.ts";
import { writeScatterers } from "../extraction/scatterers.ts";
import { encodeNpy } from "../formats/npy.ts";
import {
	type ExtractionFigure,
	extractionHtml,
} from "../report/extractionHtml.ts";
import type { Input } from "../results/input.ts";
import { renderPng } from "./canvas.ts";
import {
	analyse,
	bandOf,
	doubtsOf,
	findingsOf,
	heldOut,
	type Item,
	NAMES,
	resultOf,
	tableOf,
} from "./extractItems.ts";
import { picturesOf, shownImage } from "./extractPictures.ts";
import type { OutFolder } from "./outFolder.ts";
import { VERSION } from "./package.ts";
import type { Taken } from "./takeFile.ts";

export interface WriteOptions {
	readonly input: Input;
	readonly taken: Taken;
	readonly extractions: readonly Extraction[];
	/** The options as given, and what ran. */
	readonly parameters: Record<string, unknown>;
	readonly about: Record<string, string>;
	readonly command: string;
}

/** Analyses the kernels and writes everything. Returns what was found, a line each, and the warnings. */
export async function writeExtraction(
	folder: OutFolder,
	options: WriteOptions,
): Promise<{ findings: readonly string[]; warnings: readonly string[] }> {
	const { input, taken, extractions } = options;
	const items = taken.tasks.map((task, i) =>
		analyse(task, extractions[i], taken),
	);
	const shown = items.reduce((a, b) => (heldOut(b) > heldOut(a) ? b : a));
	const band = bandOf(items, taken.spacing);
	const findings = findingsOf(items, shown, taken, band);
	const warnings = [...taken.warnings, ...doubtsOf(shown)];
	await writeNumbers(folder, items, shown, taken);
	const figures: ExtractionFigure[] = [];
	for (const [name, title, caption, picture] of picturesOf(
		items,
		shown,
		taken,
		band,
	)) {
		const png = renderPng(picture);
		await folder.write(`${name}.png`, png);
		figures.push({ title, caption, png });
	}
	const { method, explained } = shown.extraction;
	const parameters = {
		...options.parameters,
		...shown.extraction.parameters,
		...options.about,
		"qpi-lens": VERSION,
		node: process.version,
	};
	await folder.write(
		"report.html",
		extractionHtml({
			title: `Kernel of ${input.file.replace(/^.*[\\/]/, "")}`,
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
			command: options.command,
		}),
	);
	const several = items.length > 1;
	await folder.commit({
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
		input: {
			file: input.file,
			sha256: input.sha256,
			bytes: input.bytes,
			...taken.about,
		},
		parameters: options.parameters,
		versions: { "qpi-lens": VERSION, node: process.version, ...options.about },
	});
	return { findings, warnings };
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

async function writeNumbers(
	folder: OutFolder,
	items: readonly Item[],
	shown: Item,
	{ spacing, scatterers, truth }: Taken,
): Promise<void> {
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
		await folder.write(`${file}.npy`, encodeNpy(all, shape));
	}
	// Tables for each energy; of a dataset's many images for the one that is shown.
	const numbered = several && !truth;
	for (const [i, item] of (numbered ? items : [shown]).entries()) {
		const end = numbered
			? `-${String(i + 1).padStart(String(items.length).length, "0")}`
			: "";
		for (const name of ["kernel", "uncertainty"] as const)
			await folder.write(
				`${name}${end}.csv`,
				withAxes(item.extraction[name], axis, "x \\ y (Angstrom)"),
			);
		const { magnitude, size, step } = item.spectrum;
		const q = Array.from({ length: size }, (_, k) => (k - size / 2) * step);
		await folder.write(
			`spectrum${end}.csv`,
			withAxes(magnitude, q, "qx \\ qy (1/Angstrom)"),
		);
		const { profile, plain } = item;
		await folder.write(
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
		);
	}
	if (scatterers)
		await folder.write("scatterers.csv", writeScatterers(scatterers));
	if (several) {
		await folder.write("images.csv", csv(summaryOf(items)));
	}
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
