/** Gwyddion's native .gwy, written; gwyddion.ts says what it is. */
import {
	bytesOfNumbers,
	type Field,
	joined,
	placeOf,
	rowsOf,
} from "./field.ts";
import { GWY_MAGIC } from "./gwyddion.ts";

const text = (value: string) => new TextEncoder().encode(`${value}\0`);
const letter = (type: string) => new TextEncoder().encode(type);

type Part = readonly [name: string, value: Uint8Array];

const int = (name: string, value: number): Part => [
	name,
	joined([letter("i"), bytesOfNumbers("i4", [value])]),
];
const double = (name: string, value: number): Part => [
	name,
	joined([letter("d"), bytesOfNumbers("f8", [value])]),
];
const doubles = (name: string, values: ArrayLike<number>): Part => [
	name,
	joined([
		letter("D"),
		bytesOfNumbers("u4", [values.length]),
		bytesOfNumbers("f8", values),
	]),
];
const string = (name: string, value: string): Part => [
	name,
	joined([letter("s"), text(value)]),
];
/** Without the letter before it: the file is such an object. */
function body(type: string, parts: readonly Part[]): Uint8Array {
	const content = joined(parts.flatMap(([name, value]) => [text(name), value]));
	return joined([text(type), bytesOfNumbers("u4", [content.length]), content]);
}
const object = (name: string, type: string, parts: readonly Part[]): Part => [
	name,
	joined([letter("o"), body(type, parts)]),
];
const unit = (name: string, value: string): Part =>
	object(name, "GwySIUnit", [string("unitstr", value)]);

/**
 * One file of all fields: images as GwyDataField, stacks as GwyBrick with a line of their energies. Gwyddion computes with no NaN: such pixels
 * get the mean of the others, and of images a mask.
 */
export function encodeGwy(fields: readonly Field[]): Uint8Array {
	let [image, brick] = [0, 0];
	const parts = fields.flatMap((field) =>
		field.images.length === 1
			? imageParts(field, image++)
			: brickParts(field, brick++),
	);
	return joined([letter(GWY_MAGIC), body("GwyContainer", parts)]);
}

/** Sides and corner: of the area, half a pixel beyond the first pixel's middle. */
function area(field: Field): Part[] {
	const { step, x, y } = placeOf(field);
	return [
		int("xres", field.nx),
		int("yres", field.ny),
		double("xreal", field.nx * step),
		double("yreal", field.ny * step),
		double("xoff", x - step / 2),
		double("yoff", y - step / 2),
	];
}

function filled(rows: Float32Array): Float64Array {
	let [sum, count] = [0, 0];
	for (const v of rows)
		if (!Number.isNaN(v)) {
			sum += v;
			count++;
		}
	const mean = count > 0 ? sum / count : 0;
	return Float64Array.from(rows, (v) => (Number.isNaN(v) ? mean : v));
}

function imageParts(field: Field, number: number): Part[] {
	const rows = rowsOf(field, "top");
	const bias = field.energies?.[0];
	const of = (name: string, values: ArrayLike<number>, z: string) =>
		object(name, "GwyDataField", [
			...area(field),
			unit("si_unit_xy", "m"),
			unit("si_unit_z", z),
			doubles("data", values),
		]);
	return [
		of(`/${number}/data`, filled(rows), field.unit),
		string(`/${number}/data/title`, field.name),
		...(rows.some(Number.isNaN)
			? [
					of(
						`/${number}/mask`,
						rows.map((v) => (Number.isNaN(v) ? 1 : 0)),
						"",
					),
				]
			: []),
		...(bias === undefined
			? []
			: [
					object(`/${number}/meta`, "GwyContainer", [
						string("Bias", `${bias} V`),
					]),
				]),
	];
}

function brickParts(field: Field, number: number): Part[] {
	const { images, energies } = field;
	const count = images.length;
	return [
		object(`/brick/${number}`, "GwyBrick", [
			...area(field),
			int("zres", count),
			double("zreal", count),
			unit("si_unit_x", "m"),
			unit("si_unit_y", "m"),
			unit("si_unit_z", ""),
			unit("si_unit_w", field.unit),
			doubles("data", filled(rowsOf(field, "top"))),
			...(energies
				? [
						object("calibration", "GwyDataLine", [
							int("res", count),
							double("real", count),
							unit("si_unit_y", "V"),
							doubles("data", energies),
						]),
					]
				: []),
		]),
		string(`/brick/${number}/title`, field.name),
	];
}
