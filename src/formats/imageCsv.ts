/** One image as text: a rectangular matrix of numbers. */
import type { Measurement } from "./measurement.ts";
import {
	dropUnmeasured,
	type Fail,
	failFor,
	unmeasuredWarning,
} from "./reading.ts";
import {
	angstromOf,
	findLabels,
	type Labels,
	soundPixels,
	type Table,
} from "./tableLabels.ts";
import { imageOfPoints } from "./tablePoints.ts";
import { MATRIX, readTable, textOf } from "./textTable.ts";

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
