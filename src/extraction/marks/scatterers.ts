/** The list of scatterers as text that people edit: comma-separated, one a row. */
import { FormatError } from "../../formats/measurement.ts";
import { quote as shortQuote } from "../../text.ts";

export interface DetectedScatterer {
	/** Angstrom, scan frame: origin at the scan's centre, x to the right, y up. */
	x: number;
	y: number;
	/** Amplitude, 1 for the usual one. */
	weight: number;
	/** How sure it is, from 0 to 1. */
	quality: number;
	/** Whether extraction uses it. */
	keep: boolean;
	/** Which kernel it has, from 1: scatterers of one kind share one. */
	kind: number;
	/** Of its amplitude in the image, standard deviations; near zero where there is nothing. */
	significance?: number;
	/** Standard deviations of amplitude and place, Angstrom. */
	errors?: {
		readonly weight: number;
		readonly x: number;
		readonly y: number;
	};
}

const COLUMNS = ["x", "y", "weight", "quality", "keep", "kind"] as const;
/** Written where they are known. */
const ERRORS = ["x_error", "y_error", "weight_error"] as const;
type Column =
	| (typeof COLUMNS)[number]
	| (typeof ERRORS)[number]
	| "significance";

const HEAD = `# Scatterers. x, y: Angstrom from the centre of the whole scan, x to the right, y up.
# weight: amplitude, 1 is usual. quality: 0 (doubtful) to 1. keep: 1 used, 0 left out. kind: from 1; those of one kind share a kernel.
# significance: amplitude over its standard deviation. x_error, y_error, weight_error: standard deviations. Both may be left out.
`;

/** The text of a list: lines of comment, a header, and a row each to a thousandth. */
export function writeScatterers(
	scatterers: readonly DetectedScatterer[],
): string {
	const number = (v: number) => String(Number(v.toFixed(3)));
	const judged = scatterers.some((s) => s.significance !== undefined);
	const measured = scatterers.some((s) => s.errors !== undefined);
	const rows = scatterers.map(
		({ x, y, weight, quality, keep, kind, significance, errors }) =>
			[
				...[x, y, weight, quality].map(number),
				...[keep ? 1 : 0, kind],
				...(judged ? [significance?.toFixed(1) ?? ""] : []),
				...(measured
					? [errors?.x, errors?.y, errors?.weight].map((v) =>
							v === undefined ? "" : number(v),
						)
					: []),
			].join(","),
	);
	const columns = [
		...COLUMNS,
		...(judged ? ["significance"] : []),
		...(measured ? ERRORS : []),
	];
	return `${HEAD}${[columns.join(","), ...rows].map((row) => `${row}\n`).join("")}`;
}

/**
 * Reads such a text, or what other programs make of it: columns in any order by their header (unknown columns are passed over; lengths may be in A, pm, nm, um or m by a unit in brackets), or x, y, weight, quality, keep, kind without one. Separated by commas, or by
 * semicolons or tabs where the first row has some: then a comma is a decimal point. Comments (#) and blank lines anywhere. Only x and y are needed: weight, quality and kind are 1 and keep is yes where they are missing.
 * @param name the file, for errors
 * @throws FormatError with the row (as an editor counts) of the first fault
 */
export function readScatterers(
	text: string,
	name: string,
): DetectedScatterer[] {
	const scatterers: DetectedScatterer[] = [];
	let columns: readonly string[] | undefined;
	let scales: readonly number[] = [];
	let separator = ",";
	text
		.replace(/^\uFEFF/, "")
		.split(/\r\n|\r|\n/)
		.forEach((line, i) => {
			if (line.trim() === "" || line.trim().startsWith("#")) return;
			const fail = (found: string, expected: string) =>
				new FormatError(
					`${name}, row ${i + 1}: found ${found}, expected ${expected}`,
				);
			if (!columns) separator = /[;\t]/.exec(line)?.[0] ?? ",";
			const fields = line.split(separator).map((field) => field.trim());
			if (!columns) {
				const header = fields.every((field) =>
					Number.isNaN(Number(field.replace(",", "."))),
				);
				if (fields.length > MAX_COLUMNS)
					throw fail(`${fields.length} columns`, `at most ${MAX_COLUMNS}`);
				columns = header ? names(fields) : COLUMNS;
				const bad = ["x", "y"].find(
					(c) => columns?.filter((other) => other === c).length !== 1,
				);
				if (bad) throw fail(quote(line), `a header with one column ${bad}`);
				scales = columns.map((column, at) => {
					if (!header || !LENGTHS.includes(column)) return 1;
					const unit = unitOf(fields[at]);
					const scale = UNITS.get(unit);
					if (scale === undefined)
						throw fail(`${column} in ${quote(unit)}`, "A, pm, nm, um or m");
					return scale;
				});
				if (header) return;
			}
			if (
				fields.length > columns.length &&
				fields.slice(columns.length).some(Boolean)
			)
				throw fail(`${fields.length} columns`, `at most ${columns.length}`);
			const place = (column: Column) => columns?.indexOf(column) ?? -1;
			const field = (column: Column) => fields[place(column)] ?? "";
			const number = (column: Column, missing?: number) => {
				const found = field(column);
				if (found === "" && missing !== undefined) return missing;
				const value = Number(
					separator === "," ? found : found.replace(",", "."),
				);
				if (found === "" || !Number.isFinite(value))
					throw fail(
						`${found === "" ? "nothing" : quote(found)} as ${column}`,
						"a number",
					);
				return value * (scales[place(column)] ?? 1);
			};
			const quality = number("quality", 1);
			if (quality < 0 || quality > 1)
				throw fail(`${quality} as quality`, "a number from 0 to 1");
			const keep = KEEP.get(field("keep").toLowerCase());
			if (keep === undefined)
				throw fail(
					`${quote(field("keep"))} as keep`,
					"1, 0, true, false, yes or no",
				);
			const kind = number("kind", 1);
			if (!Number.isInteger(kind) || kind < 1)
				throw fail(`${kind} as kind`, "a whole number from 1");
			const known = (column: Column) =>
				field(column) === "" ? undefined : number(column);
			const significance = known("significance");
			const [x, y, weight] = ERRORS.map(known);
			scatterers.push({
				x: number("x"),
				y: number("y"),
				weight: number("weight", 1),
				quality,
				keep,
				kind,
				...(significance === undefined ? {} : { significance }),
				...(x === undefined || y === undefined || weight === undefined
					? {}
					: { errors: { x, y, weight } }),
			});
		});
	return scatterers;
}

const KEEP = new Map([
	...["", "1", "true", "yes"].map((word) => [word, true] as const),
	...["0", "false", "no"].map((word) => [word, false] as const),
]);

/** Each row is searched for them. */
const MAX_COLUMNS = 100;
const LENGTHS: readonly string[] = ["x", "y", "x_error", "y_error"];
/** Units of a length to Angstrom. */
const UNITS = new Map([
	...["", "a", "\u00e5", "\u212b", "ang", "angstrom"].map(
		(unit) => [unit, 1] as const,
	),
	...([
		["pm", 1e-2],
		["nm", 10],
		["um", 1e4],
		["\u00b5m", 1e4],
		["\u03bcm", 1e4],
		["m", 1e10],
	] as const),
]);

/** What stands in brackets behind a column's name, in small letters. */
const unitOf = (field: string): string =>
	(field.split(/[([]/)[1] ?? "").split(/[)\]]/, 1)[0].trim().toLowerCase();

/** Column names without quotes, units in brackets, and capitals. */
const names = (fields: readonly string[]) =>
	fields.map((field) =>
		field.replaceAll('"', "").split(/[([]/, 1)[0].trim().toLowerCase(),
	);

const quote = (text: string) => shortQuote(text, 24);
