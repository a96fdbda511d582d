/** Of a table of numbers, what is no pixel: names and numbers of its rows and columns. */
import { digitsOf, type Fail, quote } from "./reading.ts";

export interface Table {
	/** values[row * columns + column]; NaN where nothing or no number stands. */
	readonly values: Float32Array;
	readonly rows: number;
	readonly columns: number;
	/** What stands in the first row's first place, where that is no number: "" where nothing does. */
	readonly corner?: string;
	/** The words of a row above the first. */
	readonly names?: readonly string[];
	/** Whether each row begins with a word. */
	readonly words: boolean;
}

export interface Labels {
	/** Is the first row none of the image? */
	readonly row: boolean;
	readonly column: boolean;
	/** Places of the rows and of the columns run downwards. */
	readonly falling?: { readonly rows: boolean; readonly columns: boolean };
	/** Angstrom from row to row and from column to column, where labels are places with a unit. */
	readonly spacing?: { readonly rows: number; readonly columns: number };
	/** The corner says which axis is which: whether rows lie along y. */
	readonly rowsAlong?: "x" | "y";
	/** What was left out, for people. */
	readonly said: readonly string[];
}

/** Names of columns that number the rows. */
const INDEX = /^(index|idx|row|rows|id|no\.?|n|#|unnamed.*)$/i;

/** In Angstrom. */
const LENGTHS: Readonly<Record<string, number>> = {
	m: 1e10,
	mm: 1e7,
	um: 1e4,
	nm: 10,
	pm: 0.01,
	a: 1,
	angstrom: 1,
};

/** Angstrom of a unit of length ("nm", "µm", "Å"); undefined of what is none. */
export function angstromOf(unit: string): number | undefined {
	const plain = unit
		.trim()
		.replace(/^[µμ](?=m$)/, "u")
		.replace(/^[Åå]$/, "a")
		.replace(/^ångström$/i, "angstrom");
	return Object.hasOwn(LENGTHS, plain) || /^A(ngstrom)?$/.test(plain)
		? LENGTHS[plain.toLowerCase()]
		: undefined;
}

/** "x (nm)" or "x [nm]" are x in nm. */
export function nameWithUnit(text: string): { name: string; unit: string } {
	const [, name, unit] = /^([^([]*)[([]([^()[\]]*)[)\]]$/.exec(text) ?? [];
	return name === undefined
		? { name: text, unit: "" }
		: { name: name.trim(), unit: unit.trim() };
}

/** Pixels of this size (Angstrom), of which nothing was ever measured otherwise. */
export function soundPixels(
	spacing: { readonly x: number; readonly y: number },
	fail: Fail,
): { readonly x: number; readonly y: number } {
	for (const side of [spacing.x, spacing.y])
		if (!(side > 1e-6 && side < 1e7))
			fail(`pixels of ${digitsOf(side)} Angstrom`, "1e-6 to 1e7");
	return spacing;
}

/** Do they count, from 0 or from 1? */
const counts = (list: Float32Array): boolean =>
	(list[0] === 0 || list[0] === 1) && list.every((v, i) => v === list[0] + i);

/** The step of numbers that are evenly spaced, as far as seven digits tell; undefined of others. */
export function stepOf(list: Float32Array): number | undefined {
	const last = list[list.length - 1];
	const step = (last - list[0]) / (list.length - 1);
	const room =
		Math.abs(step) / 1e3 + 1e-6 * Math.max(Math.abs(list[0]), Math.abs(last));
	return step !== 0 &&
		list.every((v, i) => Math.abs(v - list[0] - i * step) <= room)
		? step
		: undefined;
}

/** Numbers that may number or place rows: of two or less only those that count do. */
const areLabels = (list: Float32Array): boolean =>
	counts(list) || (list.length > 2 && stepOf(list) !== undefined);

const range = (list: Float32Array): string =>
	[list[0], list[list.length - 1]].map(digitsOf).join(" to ");

/** What of the table are labels; throws where a corner says that there are some, and there are none. */
export function findLabels(table: Table, fail: Fail): Labels {
	const { values, rows, columns, corner, names, words } = table;
	const first = values.subarray(0, columns);
	const column = Float32Array.from({ length: rows }, (_, i) =>
		columns > 0 ? values[i * columns] : Number.NaN,
	);
	const [across, down] = [first.subarray(1), column.subarray(1)];
	const shown = names?.slice(0, 4).map((name) => quote(name, 20));
	const said = shown
		? [
				`the first line holds names (${shown.join(", ")}${shown.length < (names?.length ?? 0) ? ", ..." : ""}): left out`,
			]
		: [];
	if (words) {
		const row = corner !== undefined && areLabels(across);
		return {
			...{ row, column: true },
			said: [...said, "each line begins with a word: left out"],
		};
	}
	const left = (row: boolean, col: boolean): Labels => ({
		...{ row, column: col },
		said: [
			...said,
			...(row
				? [`the first line's ${range(across)} are labels: left out`]
				: []),
			...(col
				? [
						`the first column's ${range(row ? down : column)} are labels: left out`,
					]
				: []),
		],
	});
	if (names) {
		const numbered =
			names.length < columns || names[0] === "" || INDEX.test(names[0]);
		return left(
			false,
			columns > 1 &&
				(numbered || (isIndex(column, values, columns, 1) && rows > 2)),
		);
	}
	const both = rows > 1 && columns > 1 && areLabels(across) && areLabels(down);
	if (corner && !both)
		fail(
			`${quote(corner)} in the first line, and behind and below it no even numbers`,
			"a matrix of numbers, or one whose first line and column say where its columns and rows are",
		);
	if (corner !== undefined) {
		if (!both) return left(false, false);
		const { name, unit } = nameWithUnit(corner);
		const each = angstromOf(unit);
		const [row, col] = [stepOf(down) ?? 0, stepOf(across) ?? 0];
		const [, axis] = /^q?([xy])\W+q?[xy]$/i.exec(name) ?? [];
		return {
			...left(true, true),
			falling: { rows: row < 0, columns: col < 0 },
			...(each &&
				row &&
				col && {
					spacing: {
						rows: each * Math.abs(row),
						columns: each * Math.abs(col),
					},
				}),
			...(axis && { rowsAlong: /x/i.test(axis) ? "x" : "y" }),
		};
	}
	// A number in the corner: none, or how many columns there are (gnuplot's matrices).
	if (isPlane(table)) return left(false, false);
	const places =
		both &&
		Math.min(rows, columns) > 4 &&
		(!first[0] || first[0] === columns - 1);
	if (places) return left(true, true);
	return left(
		columns > 2 && isIndex(first, values, columns, 0),
		rows > 2 && isIndex(column, values, columns, 1),
	);
}

/** Whether the first row (axis 0) or column (axis 1) counts, and what is beside it are not whole numbers all of them. */
function isIndex(
	list: Float32Array,
	values: Float32Array,
	columns: number,
	axis: 0 | 1,
): boolean {
	if (!counts(list)) return false;
	return values.some((v, p) => {
		const inside = axis === 0 ? p >= columns : p % columns > 0;
		// The other axis may count too.
		const beside = axis === 0 ? p % columns > 0 : p >= columns;
		return inside && beside && v % 1 !== 0 && !Number.isNaN(v);
	});
}

/** A ramp goes on as its first row and column begin. */
const isPlane = ({ values, columns }: Table): boolean =>
	values.every((v, p) => {
		const [row, column] = [p - (p % columns), p % columns];
		const plain = values[row] + values[column] - values[0];
		return Math.abs(v - plain) <= 1e-4 * (Math.abs(v) + Math.abs(plain));
	});
