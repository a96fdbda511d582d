/** One image as text: a rectangular matrix of numbers. */
import type { Measurement } from "./measurement.ts";
import {
	decodeText,
	dropUnmeasured,
	type Fail,
	failFor,
	quote,
	size,
	unmeasuredWarning,
} from "./reading.ts";
import {
	angstromOf,
	findLabels,
	imageOfPoints,
	type Labels,
	soundPixels,
	type Table,
} from "./tableLabels.ts";

const MAX_TEXT = 2 ** 27;
/** Room for 65536 numbers. */
const MAX_LINE = 2 ** 21;
/** Comments are kept so far: what says how the numbers lie stands first. */
const MAX_COMMENTS = 50;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const MISSING = /^([+-]?nan)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;

const MATRIX = "a matrix of numbers as text";

/**
 * A line is a row of the matrix, and a row is a column of pixels: the first index is x, as in this package's npy files. Where the comments say that
 * Gwyddion wrote it, a line is a row of pixels, the top one first. Between the numbers: commas, semicolons, tabs or blanks (the first row says which);
 * where it is no comma, a comma is a decimal point, and in quotes it always is. Lines that begin with # are comments. An empty place and NaN are pixels
 * that were not measured. Names and numbers of rows and columns are no pixels: they are left out, with a warning. A list of points (x, y, value) is an
 * image where they make a grid.
 */
export function readImageCsv(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const text = textOf(bytes, fail);
	const { table, comments, open } = readTable(text, fail);
	const { values, rows, columns } = table;
	const infinities = dropUnmeasured(values);
	const points = imageOfPoints(table, fail);
	const labels: Labels = points
		? { row: false, column: false, said: [] }
		: findLabels(table, fail);
	const warnings = [
		...(open
			? [
					`no newline at the end, so the last number, and rows after it, may be cut: ${rows} rows of ${columns} numbers were read`,
				]
			: []),
		...labels.said,
		...unmeasuredWarning(infinities),
	];
	const about = { format: "csv", energies: [], details: [], warnings } as const;
	if (points) {
		const { image, nx, ny, spacing, name, unit } = points;
		return {
			...about,
			...{ nx, ny, ...(spacing && { spacing }) },
			channels: [{ name, unit, images: [image] }],
			layout: "a list of points: x from left to right, y from bottom to top",
		};
	}
	const gwyddion = readGwyddion(comments);
	const { image, nx, ny, along } = pixelsOf(
		table,
		labels,
		gwyddion ? { rows: "y", falling: { rows: true, columns: false } } : {},
	);
	if (nx < 1 || ny < 1) fail("labels and no numbers", MATRIX);
	if (image.every(Number.isNaN)) fail("no finite number", MATRIX);
	if (gwyddion) {
		const { width, height, name, unit } = gwyddion;
		return {
			...about,
			...{ nx, ny },
			spacing: soundPixels({ x: width / nx, y: height / ny }, fail),
			channels: [{ name, unit, images: [image] }],
			layout:
				"lines are rows of pixels, the top one first, as the comments say that Gwyddion wrote it",
		};
	}
	const { spacing, rowsAlong } = labels;
	const sides = spacing && {
		x: along === "x" ? spacing.rows : spacing.columns,
		y: along === "x" ? spacing.columns : spacing.rows,
	};
	return {
		...about,
		...{ nx, ny, ...(sides && { spacing: soundPixels(sides, fail) }) },
		channels: [{ name: "image", unit: "", images: [image] }],
		...(rowsAlong && {
			layout: `lines lie along ${rowsAlong === "x" ? "y" : "x"}, as the first line and column say`,
		}),
	};
}

/** The pixels without labels: image[ix * ny + iy], y upward. A row of the table is a column of pixels, unless it is said that rows lie along y. */
function pixelsOf(
	{ values, rows, columns }: Table,
	{ row, column, ...labels }: Labels,
	said: { rows?: "x" | "y"; falling?: Labels["falling"] },
) {
	const [skipped, cut] = [row ? 1 : 0, column ? 1 : 0];
	const [n, m] = [rows - skipped, columns - cut];
	const along = said.rows ?? labels.rowsAlong ?? "x";
	const falling = said.falling ?? labels.falling;
	const [nx, ny] = along === "x" ? [n, m] : [m, n];
	const plain = along === "x" && !falling?.rows && !falling?.columns;
	if (plain && n === rows && m === columns)
		return { image: values, nx, ny, along };
	const image = Float32Array.from({ length: Math.max(0, nx * ny) }, (_, p) => {
		const [ix, iy] = [Math.floor(p / ny), p % ny];
		const [i, k] = along === "x" ? [ix, iy] : [iy, ix];
		const r = skipped + (falling?.rows ? n - 1 - i : i);
		return values[r * columns + cut + (falling?.columns ? m - 1 - k : k)];
	});
	return { image, nx, ny, along };
}

/** UTF-8 or Windows-1252. */
function textOf(bytes: Uint8Array, fail: Fail): string {
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

/** What the comments of Gwyddion's text export say, lengths in Angstrom; undefined of others. */
function readGwyddion(comments: readonly string[]) {
	const said = (key: string) =>
		comments
			.find((line) => line.toLowerCase().startsWith(`${key}:`))
			?.slice(key.length + 1)
			.trim();
	const [width, height] = ["width", "height"].map((key) => {
		const [, number, unit] =
			/^([\d.,e+-]+)\s*(\S+)$/i.exec(said(key) ?? "") ?? [];
		return Number(number?.replace(",", ".")) * (angstromOf(unit ?? "") ?? NaN);
	});
	return width > 0 && height > 0
		? {
				...{ width, height },
				name: said("channel") || "image",
				unit: said("value units") ?? "",
			}
		: undefined;
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
function readTable(text: string, fail: Fail) {
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
