/** The published dataset's format: its numbers, names and errors; csv.ts reads and writes the text. */

import { oneLine } from "../../text.ts";

/** Pixels along one side. */
export const RESOLUTION = 64;
/** Pixels of one image; the first index is x: `image[ix * 64 + iy]`. */
export const PIXELS = RESOLUTION * RESOLUTION;
/** Places for scatterers in a row that this package writes where nobody says another number; row 1 of a file that is read says its own. */
export const MAX_SCATTERERS = 20;
/** The most places that a row may have. */
export const MOST_SCATTERERS = 100;
/** From the first pixel to the last, Angstrom: of the larger of the published sets, of what is generated, and of the networks' frame. Row 2 says a file's own. */
export const FIELD = 400;
/** Distance of pixels in Angstrom: `linspace(-200, 200, 64)`. */
export const PIXEL = FIELD / (RESOLUTION - 1);
/** What an unused place holds, in Angstrom: far outside the field of view. */
export const ABSENT = 1000;

/** The warning of a file that may have lost the last digits of its last number: no count can tell, only the missing newline hints at it. */
export const OPEN_END =
	"no newline at the end, so the last scatterer's y may be cut";

/** One kernel and its images. Images are (64, 64), x first; positions are in Angstrom. */
export interface KernelFile {
	kernel: Float32Array;
	axis: Float32Array | Float64Array;
	images: Float32Array[];
	scatterers: { x: number; y: number }[][];
	/** Something odd that is not an error, e.g. OPEN_END. */
	warning?: string;
}

/** A file that is not what it should be: where (1-based), what was found and what was expected. */
export class DatasetError extends Error {
	override readonly name = "DatasetError";
	readonly file: string;
	readonly found: string;
	readonly expected: string;
	readonly row: number | undefined;
	readonly column: number | undefined;

	constructor(
		file: string,
		found: string,
		expected: string,
		row?: number,
		column?: number,
	) {
		const place = [
			file,
			row && `row ${row}`,
			column && `column ${column}`,
		].filter(Boolean);
		super(oneLine(`${place.join(", ")}: found ${found}, expected ${expected}`));
		this.file = file;
		this.found = found;
		this.expected = expected;
		this.row = row;
		this.column = column;
	}
}

/** The axis of the field of view: `linspace(-200, 200, 64)` Angstrom, or of another field. */
export function makeAxis(field = FIELD): Float64Array {
	return Float64Array.from(
		{ length: RESOLUTION },
		(_, i) => -field / 2 + (i * field) / (RESOLUTION - 1),
	);
}

/** The field of a file, Angstrom, as its axis says it; digits that the axis was printed with do not matter. */
export function fieldOf({ axis }: Pick<KernelFile, "axis">): number {
	const field = axis[RESOLUTION - 1] - axis[0];
	return Math.abs(field - FIELD) < FIELD / 2000
		? FIELD
		: Number(field.toPrecision(5));
}

/**
 * A file's scatterers in the frame that all that works on 64 x 64 pixels has: linspace(-200, 200, 64), whatever the field. Pixels are pixels: a set of
 * another field is one whose lengths were scaled.
 */
export function inModelFrame(file: KernelFile): KernelFile["scatterers"] {
	const scale = FIELD / fieldOf(file);
	if (scale === 1) return file.scatterers;
	return file.scatterers.map((list) =>
		list.map(({ x, y }) => ({ x: scale * x, y: scale * y })),
	);
}

/** N of a file name `Kernel numberN ... .csv` (only the first two words count), or undefined for any other name. */
export function kernelNumber(name: string): number | undefined {
	const match = /^Kernel\s+number([1-9]\d*)(\s.*)?\.csv$/i.exec(name);
	return match ? Number(match[1]) : undefined;
}

/** The file name of kernel N. */
export function kernelFileName(number: number): string {
	return `Kernel number${number}.csv`;
}
