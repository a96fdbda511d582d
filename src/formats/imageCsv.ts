/** One image as text: a rectangular matrix of numbers. */
import type { Measurement } from "./measurement.ts";
import {
	dropUnmeasured,
	type Fail,
	failFor,
	quote,
	size,
	unmeasuredWarning,
} from "./reading.ts";

const MAX_TEXT = 2 ** 27;
/** Room for 65536 numbers. */
const MAX_LINE = 2 ** 21;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * A line is a row of the matrix, and a row is a column of pixels: the first index is x, as in this package's npy files. Between the numbers: commas,
 * semicolons, tabs or blanks; with semicolons or tabs (in the first row) a comma is a decimal point. Lines that begin with # are comments. An empty place
 * and NaN are pixels that were not measured.
 */
export function readImageCsv(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const matrix = "a matrix of numbers as UTF-8 text";
	if (bytes.length > MAX_TEXT)
		fail(`${size(bytes.length)} of text`, `at most ${size(MAX_TEXT)}`);
	if (
		(bytes[0] === 0xff && bytes[1] === 0xfe) ||
		(bytes[0] === 0xfe && bytes[1] === 0xff)
	)
		fail("UTF-16 text", matrix);
	const zero = bytes.indexOf(0);
	if (zero >= 0) fail(`a zero byte at byte ${zero}`, matrix);
	let text = "";
	try {
		text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		fail("bytes that are no text", matrix);
	}

	const newline = text.includes("\n") ? "\n" : "\r";
	// Taken at the first row, when the number of columns is known.
	let values = new Float32Array(0);
	let count = 0;
	let separator = "";
	let closes = false;
	let nx = 0;
	let ny = 0;
	let number = 0;
	for (let at = 0, end = 0; at < text.length; at = end + 1) {
		end = text.indexOf(newline, at);
		if (end < 0) end = text.length;
		number++;
		if (end - at > MAX_LINE)
			fail(
				`${end - at} characters in line ${number}`,
				`at most ${MAX_LINE} in a row of numbers`,
			);
		const line = text.slice(at, end).trim();
		if (line === "" || line[0] === "#") continue;
		if (nx === 0) separator = /[;\t]/.exec(line)?.[0] ?? "";
		const fields = fieldsOf(text.slice(at, end), separator);
		// A separator at the end of a line closes its last number: row 1 decides, and then its length does.
		if (fields.length > 1 && fields.at(-1)?.trim() === "")
			if (nx === 0 || fields.length === ny + 1) {
				fields.pop();
				closes = true;
			}
		if (nx++ === 0) {
			ny = fields.length;
			values = new Float32Array(
				Math.min(ny * linesOf(text, newline), text.length + 1),
			);
		}
		if (fields.length !== ny)
			fail(
				`${fields.length} numbers in line ${number}`,
				`${ny}, as in the first row`,
			);
		fields.forEach((field, column) => {
			const part = field.trim();
			if (NUMBER.test(part)) values[count++] = Number(part);
			else if (part === "" || /^[+-]?nan$/i.test(part)) values[count++] = NaN;
			else if (/^[+-]?inf(inity)?$/i.test(part)) values[count++] = Infinity;
			else
				fail(
					`${quote(part)} in line ${number}, column ${column + 1}`,
					"a number",
				);
		});
	}
	if (nx === 0) fail("no numbers", matrix);
	// A copy only where comments and blank lines were counted too.
	const image = count === values.length ? values : values.slice(0, count);
	const infinities = dropUnmeasured(image);
	if (image.every(Number.isNaN)) fail("no finite number", matrix);
	const open = !/[\r\n]$/.test(text);
	// A first row that ends with a separator has taken it for the number's end.
	if (open && (/\.$/.test(text) || (/[,;\t]$/.test(text) && !closes)))
		fail(
			`the end of the text after ${quote(text.slice(-12))}`,
			"a whole last number: cut short?",
		);
	return {
		format: "csv",
		nx,
		ny,
		channels: [{ name: "image", unit: "", images: [image] }],
		energies: [],
		details: [],
		warnings: [
			...(open
				? [
						`no newline at the end, so the last number, and rows after it, may be cut: ${nx} rows of ${ny} numbers were read`,
					]
				: []),
			...unmeasuredWarning(infinities),
		],
	};
}

function linesOf(text: string, newline: string): number {
	let count = 1;
	for (let at = text.indexOf(newline); at >= 0; count++)
		at = text.indexOf(newline, at + 1);
	return count;
}

function fieldsOf(line: string, separator: string): string[] {
	if (separator) return line.replaceAll(",", ".").split(separator);
	return line.includes(",") ? line.split(",") : line.trim().split(/\s+/);
}
