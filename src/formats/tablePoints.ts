/** A list of points as an image. */
import { digitsOf, type Fail } from "./reading.ts";
import {
	angstromOf,
	nameWithUnit,
	soundPixels,
	stepOf,
	type Table,
} from "./tableLabels.ts";

export interface Points {
	readonly image: Float32Array;
	readonly nx: number;
	readonly ny: number;
	readonly spacing?: { readonly x: number; readonly y: number };
	readonly name: string;
	readonly unit: string;
}

/**
 * The image of a list of points, a line x, y, value each, in any order; undefined of a table that is no such list. Three columns are, where the first
 * two make a whole grid, or are named x and y.
 * @throws where points that are named so make no grid
 */
export function imageOfPoints(table: Table, fail: Fail): Points | undefined {
	const { values, rows, columns, names = [] } = table;
	const heads = names.map(nameWithUnit);
	const named = /^x\b/i.test(names[0] ?? "") && /^y\b/i.test(names[1] ?? "");
	const want = "x, y and a value in each line, whose points make a grid";
	if (named && columns !== 3)
		fail(
			`a list of points with ${columns} columns (${names.join(", ")})`,
			want,
		);
	if (columns !== 3 || (!named && rows < 9)) return undefined;
	const axis = (column: number) =>
		Float32Array.from(
			new Set(Array.from({ length: rows }, (_, i) => values[3 * i + column])),
		).sort();
	const [xs, ys] = [axis(0), axis(1)];
	const [nx, ny] = [xs.length, ys.length];
	const [dx, dy] = [stepOf(xs), stepOf(ys)];
	const whole = nx * ny === rows && nx > 2 && ny > 2;
	if (!whole && !named) return undefined;
	if (!dx || !dy || nx * ny > 2 * rows) {
		if (!named) return undefined;
		fail(
			`${rows} points with ${nx} different x and ${ny} different y`,
			"a grid with even steps, no more than half of it missing",
		);
	}
	const image = new Float32Array(nx * ny).fill(Number.NaN);
	const taken = new Uint8Array(nx * ny);
	for (let i = 0; i < rows; i++) {
		const [ix, iy] = [
			Math.round((values[3 * i] - xs[0]) / dx),
			Math.round((values[3 * i + 1] - ys[0]) / dy),
		];
		if (taken[ix * ny + iy]) {
			if (!named) return undefined;
			fail(
				`the point (${digitsOf(values[3 * i])}, ${digitsOf(values[3 * i + 1])}) twice`,
				want,
			);
		}
		taken[ix * ny + iy] = 1;
		image[ix * ny + iy] = values[3 * i + 2];
	}
	const units = heads.slice(0, 2).map(({ unit }) => angstromOf(unit));
	const each =
		units.length === 2 && units[0] === units[1] ? units[0] : undefined;
	if (!each && Math.abs(dx - dy) > 0.01 * dx)
		fail(
			`steps of ${digitsOf(dx)} along x and ${digitsOf(dy)} along y without a unit`,
			"a first line that says it, as in x (nm), y (nm), value",
		);
	return {
		...{ image, nx, ny },
		...(each && { spacing: soundPixels({ x: each * dx, y: each * dy }, fail) }),
		name: heads[2]?.name || "image",
		unit: heads[2]?.unit ?? "",
	};
}
