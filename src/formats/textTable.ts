/** The numbers of a text, and what stands above and before them. */
import { decodeText, type Fail, quote, size } from "./reading.ts";
import type { Table } from "./tableLabels.ts";

const MAX_TEXT = 2 ** 27;
/** Room for 65536 numbers. */
const MAX_LINE = 2 ** 21;
/** Comments are kept so far: what says how the numbers lie stands first. */
const MAX_COMMENTS = 50;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const MISSING = /^([+-]?nan)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;

/** What is expected of a text. */
export const MATRIX = "a matrix of numbers as text";

/** UTF-8 or Windows-1252. Throws on what is no text, or too long. */
export function textOf(bytes: Uint8Array, fail: Fail): string {
	if (bytes.length > MAX_TEXT)
		fail(`${size(bytes.length)} of text`, `at most ${size(MAX_TEXT)}`);
	if (
		(bytes[0] === 0xff && bytes[1] === 0xfe) ||
		(bytes[0] === 0xfe && bytes[1] === 0xff)
	)
		fail("UTF-16 text", `${MATRIX}, UTF-8 or Windows-1252`);
	const zero = bytes.indexOf(0);
	if (zero >= 0) fail(`a zero byte at byte ${zero}`, MATRIX);
	return decodeText(bytes);
}

/** How a row's fields are told apart, by the first: what is between them, and whether a comma is a decimal point. */
function separatorOf(line: string): string {
	const plain = line.replaceAll(/"[^"]*"/g, "");
	const [separator] = /[;\t]/.exec(plain) ?? [];
	if (separator) return separator;
	if (!plain.includes(",")) return " ";
	const words = plain.trim().split(/\s+/);
	// "1,5 2,25": the commas stand inside of numbers.
	return words.length > 1 &&
		words.every((w) => /^[^,]*\d,\d[^,]*$|^[^,]+$/.test(w))
		? " "
		: ",";
}

/** The fields of a row, without quotes, decimal points as points. */
function fieldsOf(line: string, separator: string): string[] {
	const quoted = line.includes('"');
	const point = separator !== ",";
	const plain = point && !quoted ? line.replaceAll(",", ".") : line;
	const fields = quoted
		? quotedFields(line, separator)
		: separator === " "
			? plain.trim().split(/\s+/)
			: plain.split(separator);
	return fields.map((field) => {
		const part = field.trim();
		const inner = /^"(.*)"$/.exec(part)?.[1];
		return inner === undefined
			? quoted && point
				? part.replaceAll(",", ".")
				: part
			: // A decimal comma, if it is a number at all.
				inner.trim().replace(/^([^,]*),([^,]*)$/, "$1.$2");
	});
}

/** Splits where the separator stands outside of quotes. */
function quotedFields(line: string, separator: string): string[] {
	const fields: string[] = [];
	let [start, open] = [0, false];
	for (let i = 0; i <= line.length; i++) {
		if (line[i] === '"') open = !open;
		const ends =
			separator === " " ? /\s/.test(line[i] ?? " ") : line[i] === separator;
		if (i < line.length && (open || !ends)) continue;
		if (separator !== " " || i > start) fields.push(line.slice(start, i));
		start = i + 1;
	}
	return fields;
}

/** The numbers, what stands above and before them, the first comments, and whether the text ends without a newline. */
export function readTable(text: string, fail: Fail) {
	const newline = text.includes("\n") ? "\n" : "\r";
	// Taken at the first row, when the number of columns is known.
	let values = new Float32Array(0);
	let count = 0;
	let separator = "";
	let closes = false;
	let rows = 0;
	let columns = 0;
	let number = 0;
	let corner: string | undefined;
	let names: string[] | undefined;
	let words = false;
	const comments: string[] = [];
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
		if (line === "" || line[0] === "#") {
			if (line !== "" && comments.length < MAX_COMMENTS)
				comments.push(line.slice(1).trim());
			continue;
		}
		if (rows === 0) separator = separatorOf(line);
		const fields = fieldsOf(text.slice(at, end), separator);
		// A separator at the end of a line closes its last number: row 1 decides, and then its length does.
		if (fields.length > 1 && fields.at(-1) === "")
			if (rows === 0 || fields.length === columns + 1) {
				fields.pop();
				closes = true;
			}
		if (rows === 0 && !names && isHead(fields)) {
			names = fields;
			continue;
		}
		if (rows++ === 0) {
			columns = fields.length;
			values = new Float32Array(
				Math.min(columns * linesOf(text, newline), text.length + 1),
			);
			if (names && columns !== names.length && columns !== names.length + 1)
				fail(
					`${columns} numbers in line ${number}`,
					`${names.length}, as many as there are names above`,
				);
			// What numbers the columns has a corner of its own; with names above, rows may begin with theirs.
			if (!names && columns > 1 && !isNumber(fields[0])) [corner] = fields;
			words = names !== undefined && columns > 1 && isWord(fields[0]);
		}
		if (fields.length !== columns)
			fail(
				`${fields.length} numbers in line ${number}`,
				`${columns}, as in the first row`,
			);
		// Below a corner rows may begin with words.
		if (rows === 2 && corner !== undefined) words = isWord(fields[0]);
		for (const [column, part] of fields.entries()) {
			const label =
				column === 0 && (words || (rows === 1 && corner !== undefined));
			if (NUMBER.test(part)) values[count++] = Number(part);
			else if (label || MISSING.test(part)) values[count++] = NaN;
			else if (INFINITE.test(part)) values[count++] = Infinity;
			else
				fail(
					`${quote(part)} in line ${number}, column ${column + 1}`,
					"a number",
				);
		}
	}
	if (rows === 0) fail("no numbers", MATRIX);
	const open = !/[\r\n]$/.test(text);
	// A first row that ends with a separator has taken it for the number's end.
	if (open && (/\.$/.test(text) || (/[,;\t]$/.test(text) && !closes)))
		fail(
			`the end of the text after ${quote(text.slice(-12))}`,
			"a whole last number: cut short?",
		);
	const table: Table = {
		// A copy only where comments and blank lines were counted too.
		values: count === values.length ? values : values.slice(0, count),
		...{ rows, columns, corner, names, words },
	};
	return { table, comments, open };
}

const isNumber = (part: string) =>
	NUMBER.test(part) || INFINITE.test(part) || /^[+-]?nan$/i.test(part);

const isWord = (part: string) => !isNumber(part) && part !== "";

/** A row of names: all that follows the first are words, and so is that, or nothing. */
const isHead = (fields: readonly string[]) =>
	fields.length > 1 &&
	!isNumber(fields[0]) &&
	fields.slice(1).every((part) => isWord(part));

function linesOf(text: string, newline: string): number {
	let count = 1;
	for (let at = text.indexOf(newline); at >= 0; count++)
		at = text.indexOf(newline, at + 1);
	return count;
}
