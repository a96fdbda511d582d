/** Text from outside (files, their names, the command line) made safe to show: on a terminal, in a report, in a shell. */

/** Control characters, C1 controls, and those that reorder or break a line. */
const HIDDEN =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (character: string): string =>
	({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[character] ??
	`\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** The text with what a terminal would obey rather than show written out as in JSON: ESC becomes \u001b. */
export const visible = (text: string): string => text.replace(HIDDEN, escaped);

/** The same, of text with lines and tabs of its own. */
export const visibleLines = (text: string): string =>
	text.replace(HIDDEN, (c) => (c === "\n" || c === "\t" ? c : escaped(c)));

/** Names and units longer than this are cut. */
const MAX_NAME = 200;

/** A name out of a file: visible, and of a length that can be printed. */
export const nameOf = (text: string): string =>
	visible(text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}...` : text);

/** Text as an error quotes it: short, and without control characters. */
export const quote = (text: string | undefined, most = 60): string =>
	text === undefined
		? "nothing"
		: visible(
				JSON.stringify(text.length > most ? `${text.slice(0, most)}...` : text),
			);

/** A value out of JSON as an error says it; of lists and objects never more than a short list of plain values. */
export function said(value: unknown): string {
	if (value === undefined) return "nothing";
	if (typeof value === "string") return quote(value);
	if (typeof value !== "object" || value === null) return String(value);
	if (!Array.isArray(value)) return "an object";
	const short =
		value.length <= 8 && value.every((v) => Object(v) !== v || v === null);
	return short
		? `[${value.map(said).join(", ")}]`
		: `a list of ${value.length}`;
}

/** A message longer than this loses its middle. */
const MAX_MESSAGE = 2000;

/** A message as one line without control characters; of a very long one its beginning and end. */
export function oneLine(text: string): string {
	const line = text
		.split(/[\r\n\u2028\u2029]/)
		.map((part) => part.trim())
		.filter(Boolean)
		.join(" ");
	if (line.length <= MAX_MESSAGE) return visible(line);
	const end = MAX_MESSAGE / 4;
	return visible(`${line.slice(0, MAX_MESSAGE - end)} ... ${line.slice(-end)}`);
}

/** One word of a command line as a POSIX shell reads it; control characters are printed by the shell, so that pasting them does nothing. */
export function shellWord(text: string): string {
	if (/^[\w./,=-]+$/.test(text)) return text;
	const body = text.replace(/\n+$/, "");
	// "$(...)" loses newlines at its end: they follow as they are.
	const rest = text.length > body.length ? `'${text.slice(body.length)}'` : "";
	if (visible(body) === body) return `'${text.replaceAll("'", "'\\''")}'`;
	const octal = (byte: number) => `\\${byte.toString(8).padStart(3, "0")}`;
	const printed = [...new TextEncoder().encode(body)].map((byte) =>
		/[\w./,=-]/.test(String.fromCharCode(byte))
			? String.fromCharCode(byte)
			: octal(byte),
	);
	return `"$(printf '${printed.join("")}')"${rest}`;
}

/** A sentence with numbers as print has it: ±, ×, a minus sign, Å, and a band's symbols in place of what a terminal shows. An A after a power of ten is an ampere: no length here has one. */
export const typeset = (text: string): string =>
	text
		.replaceAll("+-", "±")
		.replace(/(?<=\d) x (?=\d)/g, " × ")
		.replace(/(?<=\d )m_e\b/g, "mₑ")
		.replace(/\bE0(?= = )/g, "E₀")
		.replace(/\bchi2(?=\/dof)/g, "χ²")
		.replace(/(^|[\s(=,])-(?=[\d.])/g, "$1−")
		.replace(/(?<!e[+-]?\d*)(\d |1\/)A\b(?!\.\w)/g, "$1Å");

/** Rows of cells as lines of a table: names in the first column, figures below each other's last digits, and what the last column says as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
	const last = rows[0].length - 1;
	const widths = rows[0].map((_, c) =>
		rows.reduce((width, row) => Math.max(width, row[c].length), 0),
	);
	return rows
		.map((row) =>
			row
				.map((cell, c) => {
					if (c === 0) return cell.padEnd(widths[c]);
					return c < last ? cell.padStart(widths[c]) : cell;
				})
				.join("  "),
		)
		.join("\n");
}
