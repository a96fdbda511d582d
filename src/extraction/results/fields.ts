/** The arrays of an extraction's results as images with units and sizes, and their files for other programs. */
import type { Field } from "../../formats/field.ts";
import { encodeGsf } from "../../formats/gsf.ts";
import { encodeGwy } from "../../formats/gwyWriter.ts";
import { encodeIbw } from "../../formats/ibwWriter.ts";
import { encodeNexus } from "../../formats/nexusWriter.ts";
import { type Analysis, endOf } from "./items.ts";
import { shownImage } from "./pictures.ts";

/** What results are written as besides .npy and .csv. */
export const SAVED = ["gwy", "gsf", "ibw", "nxs"] as const;
export type Saved = (typeof SAVED)[number];

/** Kernel and uncertainty of each kind, then model, residual and the map that was fitted; of several images together, by a plural name. */
export function fieldsOf({ taken, items, kinds, shown }: Analysis): Field[] {
	const { pixel, unit } = taken;
	const { size, nx, ny } = shown.extraction;
	const fields: Field[] = [];
	const add = (
		name: string,
		end: string,
		of: readonly (typeof items)[number][],
		[nx, ny]: readonly [number, number],
		image: (item: (typeof items)[number]) => Float32Array,
	) => {
		const known = of.flatMap(({ task }) => task.energy ?? []);
		const plural = name.replace(/y?$/, (y) => (y ? "ies" : "s"));
		fields.push({
			name: `${of.length > 1 ? plural : name}${end}`,
			...{ unit, nx, ny, pixel, images: of.map(image) },
			...(known.length === of.length && { energies: known }),
		});
	};
	for (const kind of kinds) {
		const of = items.filter((item) => item.kind === kind);
		const end = endOf(kind, kinds);
		for (const name of ["kernel", "uncertainty"] as const)
			add(name, end, of, [size, size], (item) => item[name]);
	}
	const images = items.filter(({ kind }) => kind === kinds[0]);
	for (const name of ["model", "residual"] as const)
		add(name, "", images, [nx, ny], ({ extraction }) => extraction[name]);
	add("input", "", images, [nx, ny], ({ task }) => shownImage(task));
	return fields;
}

/** Their files: one of all for .gwy and .nxs; for .ibw one an array, for .gsf one an image. */
export async function* savedFiles(
	analysis: Analysis,
	formats: readonly Saved[],
	title: string,
): AsyncGenerator<readonly [name: string, data: Uint8Array], void> {
	const fields = fieldsOf(analysis);
	if (formats.includes("gwy")) yield ["results.gwy", encodeGwy(fields)];
	if (formats.includes("nxs"))
		yield ["results.nxs", await encodeNexus(fields, title)];
	for (const field of fields) {
		if (formats.includes("ibw")) yield [`${field.name}.ibw`, encodeIbw(field)];
		if (!formats.includes("gsf")) continue;
		const count = field.images.length;
		for (let i = 0; i < count; i++) {
			const number = String(i + 1).padStart(String(count).length, "0");
			const end = count > 1 ? `-${number}` : "";
			yield [`${field.name}${end}.gsf`, encodeGsf(field, i)];
		}
	}
}
