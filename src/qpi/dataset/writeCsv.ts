/** Writes the published dataset's text (csv.ts says what is in it), a row at a time. */
import {
	ABSENT,
	DatasetError,
	type KernelFile,
	MAX_SCATTERERS,
	PIXELS,
	RESOLUTION,
} from "./format.ts";

const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i); // exact in float64

/** The shortest decimal that reads back as the same float32. */
export function printFloat32(value: number): string {
	const v = Math.fround(value);
	const size = Math.abs(v);
	if (size === 0) return "0";
	if (size < 1e-8 || size >= 1e6) {
		let text = "";
		for (let digits = 6; digits <= 9; digits++) {
			text = String(Number(v.toPrecision(digits)));
			if (Math.fround(Number(text)) === v) break;
		}
		return text;
	}
	// An integer over a power of ten is the double nearest to that decimal, so String() prints just its digits: no slow toPrecision().
	let power = 5 - Math.floor(Math.log10(size));
	for (let last = power + 3; power < last; power++) {
		const short = Math.round(v * POWERS[power]) / POWERS[power];
		if (Math.fround(short) === v) return String(short);
	}
	return String(Math.round(v * POWERS[power]) / POWERS[power]);
}

/**
 * Yields the file row by row, newlines included, just as it is published. Throws DatasetError on what the format cannot hold.
 * @param places for scatterers in each row
 */
export function* writeKernelFile(
	data: KernelFile,
	file: string,
	places = MAX_SCATTERERS,
): Generator<string> {
	const row = (
		image: Float32Array,
		at: KernelFile["scatterers"][0],
		n: number,
	) => imageRow(image, at, places, file, n);
	yield `${RESOLUTION},${places}\n`;
	yield `${Array.from(data.axis).join(",")}\n`;
	yield row(data.kernel, [{ x: 0, y: 0 }], 3);
	for (const [i, image] of data.images.entries())
		yield row(image, data.scatterers[i], i + 4);
}

function imageRow(
	image: Float32Array,
	scatterers: readonly { x: number; y: number }[],
	places: number,
	file: string,
	row: number,
): string {
	if (image.length !== PIXELS)
		throw new DatasetError(
			file,
			`an image of ${image.length} pixels`,
			`${PIXELS}`,
			row,
		);
	if (scatterers.length > places)
		throw new DatasetError(
			file,
			`${scatterers.length} scatterers`,
			`at most ${places}`,
			row,
		);
	const fields: string[] = new Array(PIXELS + 2 * places);
	for (let i = 0; i < fields.length; i++) {
		const place = scatterers[(i - PIXELS) >> 1];
		const value =
			i < PIXELS
				? image[i]
				: place
					? i % 2 === 0
						? place.x
						: place.y
					: ABSENT;
		if (!Number.isFinite(value))
			throw new DatasetError(file, `${value}`, "a finite number", row, i + 1);
		fields[i] = printFloat32(value);
	}
	return `${fields.join(",")}\n`;
}
