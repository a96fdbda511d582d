/** The arrays and tables of an extraction's results. */

import type { Field } from "../../formats/field.ts";
import { encodeNpy } from "../../formats/npy.ts";
import { intoScan } from "../lattice/correction.ts";
import {
	type DetectedScatterer,
	writeScatterers,
} from "../marks/scatterers.ts";
import { writeMasks } from "../scan/masks.ts";
import { csv, withAxes } from "./csv.ts";
import { fieldsOf } from "./fields.ts";
import type { Item } from "./item.ts";
import { type Analysis, endOf, labelOf, NAMES } from "./items.ts";
import { inUnits, latticeRows } from "./reciprocal.ts";
import type { Taken } from "./take.ts";

export type ResultFile = readonly [name: string, data: string | Uint8Array];

/** An array of a field's images; several have a leading index. */
function arrayOf({ name, images, nx, ny }: Field): ResultFile {
	if (images.length === 1)
		return [`${name}.npy`, encodeNpy(images[0], [nx, ny])];
	const all = new Float32Array(images.length * nx * ny);
	for (const [i, of] of images.entries()) all.set(of, i * of.length);
	return [`${name}.npy`, encodeNpy(all, [images.length, nx, ny])];
}

/** All of them, one after the other. */
export function* numbers(analysis: Analysis): Generator<ResultFile> {
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
