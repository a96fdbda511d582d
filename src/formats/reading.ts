/** What the readers of measurement files share: their error, and careful ways to take numbers and text out of bytes that may lie. */
import { oneLine, quote } from "../text.ts";

export { quote };

/** A file that cannot be read: its name, what was found (and where), what was expected. */
export class FormatError extends Error {
	override readonly name = "FormatError";

	/** @param message made one line without control characters */
	constructor(message: string) {
		super(oneLine(message));
	}
}

export type Fail = (found: string, expected: string) => never;

/** A `fail` for this file. Annotate the constant (`const fail: Fail = ...`), then the compiler knows that it does not return. */
export const failFor =
	(file: string): Fail =>
	(found, expected) => {
		throw new FormatError(`${file}: found ${found}, expected ${expected}`);
	};

/** Headers are searched for their end in so many bytes and no more. */
export const MAX_HEADER = 2 ** 20;
/** The most bytes that a file may have, or announce. */
export const MAX_BYTES = 2 ** 31;

/** The most images that a file may hold: each costs memory of its own, however small it is. */
export const MAX_IMAGES = 2 ** 16;

/** A size: a whole number from 1. */
export function wholeNumber(
	text: string | undefined,
	what: string,
	fail: Fail,
): number {
	const value = Number(text);
	if (!text?.trim() || !Number.isSafeInteger(value) || value < 1)
		fail(`${what} = ${quote(text)}`, "a whole number from 1");
	return value;
}

/** The numbers of a line, whatever is between them; NaN for what is no number. A decimal comma is one. */
export const numbersOf = (text: string | undefined): number[] =>
	(text ?? "")
		.split(/[\s;]+/)
		.filter(Boolean)
		.map((part) => Number(part.replace(",", ".")));

/** A side of the scan field in metres to Angstrom a pixel. Microscopes scan no more than a millimetre. */
export function pixelSize(
	metres: number | undefined,
	pixels: number,
	what: string,
	fail: Fail,
): number {
	if (metres === undefined || !(metres > 1e-13 && metres < 1e-3))
		fail(
			metres === undefined
				? `nothing as ${what}`
				: `${what} = ${digitsOf(metres)} m`,
			"a length between 1e-13 and 1e-3 m",
		);
	return (metres * 1e10) / pixels;
}

/** Out of a float32: its seven digits, -0.15 and not -0.15000000596. */
export const digitsOf = (value: number): number => Number(value.toPrecision(7));

/** UTF-8, or else Windows' Latin letters: instruments write both. */
export function decodeText(bytes: Uint8Array): string {
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder("windows-1252").decode(bytes);
	}
}

/** Where these letters (ASCII) first stand in the first MAX_HEADER bytes, or -1. */
export function indexOfText(bytes: Uint8Array, letters: string): number {
	const head = bytes.subarray(0, MAX_HEADER);
	const codes = new TextEncoder().encode(letters);
	let at = head.indexOf(codes[0]);
	while (at >= 0 && !codes.every((code, i) => head[at + i] === code))
		at = head.indexOf(codes[0], at + 1);
	return at;
}

/** Nothing that is measured reaches this in any unit; programs write the largest float for "no data". Squares of what is below still fit into 32-bit floats. */
const NO_DATA = 1e18;

/** Makes infinities and what is no data NaN, in place, and returns how many there were. */
export function dropUnmeasured(image: Float32Array): number {
	let count = 0;
	for (let i = 0; i < image.length; i++)
		if (image[i] >= NO_DATA || image[i] <= -NO_DATA) {
			image[i] = NaN;
			count++;
		}
	return count;
}

/** The warning for so many of them; none for none. */
export const unmeasuredWarning = (count: number): string[] =>
	count > 0
		? [
				`${count} ${count > 1 ? "values" : "value"} infinite or beyond ${NO_DATA.toExponential()}: taken as not measured`,
			]
		: [];

/** Bytes for people. */
export const size = (bytes: number): string =>
	bytes < 1e6 ? `${bytes} bytes` : `${Number((bytes / 1e6).toPrecision(3))} MB`;
