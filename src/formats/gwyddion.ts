/**
 * Gwyddion's native .gwy (user guide, "Gwyddion Native Data Files"): "GWYP" and one serialised GwyContainer. An object is its name, its length and its
 * components; a component its name, a letter for its type, and its value; all little-endian. Images are GwyDataField, row by row from the
 * top; volume data are GwyBrick.
 */
import { numbered } from "./axes.ts";
import { Cursor } from "./cursor.ts";
import type { Channel, Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import {
	dropUnmeasured,
	type Fail,
	failFor,
	MAX_IMAGES,
	quote,
	unmeasuredWarning,
} from "./reading.ts";
import { metresIn, voltage, voltsIn } from "./units.ts";

export const GWY_MAGIC = "GWYP";
const MAX_DEPTH = 16;
/** Bytes of the letters for numbers. */
const BYTES: Readonly<Record<string, number>> = {
	...{ b: 1, c: 1, i: 4, q: 8, d: 8, C: 1, I: 4, Q: 8, D: 8 },
};

/** A component's value: numbers of arrays stay bytes until they are asked for. */
type Value = number | string | GwyObject | DoubleArray | undefined;

interface DoubleArray {
	readonly count: number;
	numbers(): Float64Array;
}

interface GwyObject {
	readonly type: string;
	readonly parts: ReadonlyMap<string, Value>;
}

/**
 * Reads the images: the first, and all that have its size; of a file with volume data and no image the first brick as a stack. Channels have their titles;
 * where the metadata of an image say its bias that is its energy. Throws FormatError.
 */
export function readGwy(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const cursor = new Cursor(bytes, fail);
	cursor.seek(GWY_MAGIC.length, "the container");
	const { type, parts } = readObject(cursor, 0);
	if (type !== "GwyContainer")
		fail(`an object ${quote(type)} at the start`, "GwyContainer");
	const fields = numberedParts(parts, /^\/(\d+)\/data$/, "GwyDataField");
	const bricks = numberedParts(parts, /^\/brick\/(\d+)$/, "GwyBrick");
	if (fields.length > 0) return readFields(parts, fields, fail);
	if (bricks.length > 0) return readBrick(parts, bricks, fail);
	return fail("no image and no volume data", "a GwyDataField or a GwyBrick");
}

type Numbered = readonly [number: string, object: GwyObject];

function numberedParts(
	parts: GwyObject["parts"],
	name: RegExp,
	type: string,
): Numbered[] {
	return [...parts]
		.flatMap(([key, value]): Numbered[] => {
			const number = name.exec(key)?.[1];
			return number !== undefined && isObject(value) && value.type === type
				? [[number, value]]
				: [];
		})
		.sort(([a], [b]) => Number(a) - Number(b));
}

const isObject = (value: Value): value is GwyObject =>
	typeof value === "object" && "parts" in value;

function readObject(cursor: Cursor, depth: number): GwyObject {
	if (depth > MAX_DEPTH)
		cursor.fail("objects in objects in objects", `at most ${MAX_DEPTH} deep`);
	const type = cursor.line("an object's name");
	const length = cursor.number("u4", `the length of ${quote(type)}`);
	cursor.need(length, `the object ${quote(type)}`);
	const end = cursor.at + length;
	const parts = new Map<string, Value>();
	while (cursor.at < end) {
		const name = cursor.line("a component's name");
		parts.set(name, readValue(cursor, name, depth));
	}
	if (cursor.at > end)
		cursor.fail(
			`an object ${quote(type)} whose parts end at byte ${cursor.at}`,
			`byte ${end}`,
		);
	return { type, parts };
}

function readValue(cursor: Cursor, name: string, depth: number): Value {
	const what = `the component ${quote(name)}`;
	const letter = String.fromCharCode(cursor.number("u1", what));
	switch (letter) {
		case "o":
			return readObject(cursor, depth + 1);
		case "s":
			return cursor.line(what);
		case "d":
			return cursor.number("f8", what);
		case "i":
			return cursor.number("i4", what);
		case "q":
			return cursor.number("i8", what);
		case "b":
		case "c":
			return cursor.number("u1", what);
	}
	if (!"CIQDSO".includes(letter))
		cursor.fail(`the type ${quote(letter)} of ${what}`, "one of bciqdsoCIQDSO");
	const count = cursor.number("u4", what);
	if (letter === "D") {
		const data = cursor.take(8 * count, what);
		const inner = new Cursor(data, cursor.fail);
		return {
			count,
			numbers() {
				inner.at = 0;
				return inner.numbers(count, "f8", what) as Float64Array;
			},
		};
	}
	if (letter === "S" || letter === "O")
		for (let i = 0; i < count; i++)
			letter === "S" ? cursor.line(what) : readObject(cursor, depth + 1);
	else cursor.take(BYTES[letter] * count, what);
	return undefined;
}

const numberOf = (
	{ parts }: GwyObject,
	name: string,
	otherwise: number,
): number => {
	const value = parts.get(name);
	return typeof value === "number" ? value : otherwise;
};

function unitOf({ parts }: GwyObject, name: string): string {
	const unit = parts.get(name);
	const text = isObject(unit) ? unit.parts.get("unitstr") : "";
	return typeof text === "string" ? text : "";
}

function sizeOf(object: GwyObject, fail: Fail): [number, number] {
	const [nx, ny] = ["xres", "yres"].map((name) => numberOf(object, name, 0));
	if (!(nx >= 1 && ny >= 1))
		fail(`${nx} x ${ny} pixels in a ${object.type}`, "at least one");
	return [nx, ny];
}

function dataOf(object: GwyObject, count: number, fail: Fail): Float64Array {
	const data = object.parts.get("data");
	if (typeof data !== "object" || !("count" in data) || data.count !== count)
		return fail(
			`${typeof data === "object" && "count" in data ? data.count : "no"} numbers in a ${object.type}`,
			`${count}`,
		);
	return data.numbers();
}

/** Angstrom a pixel; undefined, and a warning, where the lateral unit is no length. */
function spacingOf(
	object: GwyObject,
	[nx, ny]: readonly [number, number],
	unit: string,
	warnings: string[],
): Measurement["spacing"] {
	const metres = metresIn(unit);
	const [x, y] = ["xreal", "yreal"].map((name) => numberOf(object, name, 0));
	if (
		metres === undefined ||
		![x, y].every((side) => side * metres > 1e-13 && side * metres < 1e-3)
	) {
		warnings.push(
			`the sides are ${x} and ${y} ${quote(unit)}, no lengths of a scan: the size is unknown`,
		);
		return undefined;
	}
	return { x: (x * metres * 1e10) / nx, y: (y * metres * 1e10) / ny };
}

/** Rows from the top, from where `from` counts, to image[ix * ny + iy]. */
function imageOf(data: Float64Array, from: number, nx: number, ny: number) {
	const image = new Float32Array(nx * ny);
	for (let row = 0, at = from; row < ny; row++)
		for (let ix = 0; ix < nx; ix++, at++)
			image[ix * ny + (ny - 1 - row)] = data[at];
	return image;
}

function metaOf(parts: GwyObject["parts"], key: string): [string, string][] {
	const meta = parts.get(key);
	if (!isObject(meta)) return [];
	return [...meta.parts].flatMap(([name, value]): [string, string][] =>
		typeof value === "string" ? [[name, value]] : [],
	);
}

function titleOf(parts: GwyObject["parts"], key: string, number: string) {
	const title = parts.get(key);
	return typeof title === "string" && title.trim()
		? title.trim()
		: `image ${number}`;
}

function readFields(
	parts: GwyObject["parts"],
	fields: readonly Numbered[],
	fail: Fail,
): Measurement {
	if (fields.length > MAX_IMAGES)
		fail(`${fields.length} images`, `at most ${MAX_IMAGES}`);
	const [[first, main]] = fields;
	const [nx, ny] = sizeOf(main, fail);
	const sides = (field: GwyObject) =>
		["xreal", "yreal"].map((name) => numberOf(field, name, 0));
	const [width, height] = sides(main);
	const warnings: string[] = [];
	const leftOut: string[] = [];
	let infinities = 0;
	const channels = fields.flatMap(([number, field]): Channel[] => {
		const name = titleOf(parts, `/${number}/data/title`, number);
		const [w, h] = sizeOf(field, fail);
		const [x, y] = sides(field);
		// The same area: other images may be parts of it, at other sizes.
		const same =
			Math.abs(x - width) + Math.abs(y - height) <= 1e-6 * (width + height);
		if (w !== nx || h !== ny || !same) {
			leftOut.push(`${name} (${w} x ${h})`);
			return [];
		}
		const image = imageOf(dataOf(field, nx * ny, fail), 0, nx, ny);
		infinities += dropUnmeasured(image);
		const meta = metaOf(parts, `/${number}/meta`);
		const bias = meta.find(([label]) => /^(sample )?bias\b/i.test(label));
		const energy = bias ? voltage(bias[1]) : NaN;
		return [
			{
				...{ name, unit: unitOf(field, "si_unit_z"), images: [image] },
				...(Number.isFinite(energy) && { energies: [energy] }),
			},
		];
	});
	if (leftOut.length)
		warnings.push(
			`images of other sizes than ${nx} x ${ny} are left out: ${leftOut.slice(0, 8).join(", ")}`,
		);
	const spacing = spacingOf(
		main,
		[nx, ny],
		unitOf(main, "si_unit_xy"),
		warnings,
	);
	const [one, ...more] = new Set(channels.map(({ energies }) => energies?.[0]));
	const common = one !== undefined && more.length === 0;
	return {
		...{ format: "gwy", nx, ny },
		...(spacing && { spacing }),
		channels: common
			? channels.map(({ name, unit, images }) => ({ name, unit, images }))
			: channels,
		energies: common ? [one] : [],
		details: worthShowing(metaOf(parts, `/${first}/meta`)),
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

function readBrick(
	parts: GwyObject["parts"],
	bricks: readonly Numbered[],
	fail: Fail,
): Measurement {
	const [[number, brick]] = bricks;
	const [nx, ny] = sizeOf(brick, fail);
	const count = numberOf(brick, "zres", 0);
	if (!(count >= 1 && count <= MAX_IMAGES))
		fail(`${count} levels of volume data`, `1 to ${MAX_IMAGES}`);
	const warnings: string[] = [];
	if (bricks.length > 1)
		warnings.push(`the first of ${bricks.length} sets of volume data is read`);
	const data = dataOf(brick, nx * ny * count, fail);
	let infinities = 0;
	const images = Array.from({ length: count }, (_, i) => {
		const image = imageOf(data, i * nx * ny, nx, ny);
		infinities += dropUnmeasured(image);
		return image;
	});
	const name = titleOf(parts, `/brick/${number}/title`, number);
	const spacing = spacingOf(
		brick,
		[nx, ny],
		unitOf(brick, "si_unit_x"),
		warnings,
	);
	return {
		...{ format: "gwy", nx, ny },
		...(spacing && { spacing }),
		channels: [{ name, unit: unitOf(brick, "si_unit_w"), images }],
		energies: levelsOf(brick, count, warnings, fail),
		details: worthShowing(metaOf(parts, `/brick/${number}/meta`)),
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

/** eV: the calibration of the third axis, or its even steps; none, with a warning, where that axis is no voltage. */
function levelsOf(
	brick: GwyObject,
	count: number,
	warnings: string[],
	fail: Fail,
): number[] {
	const line = brick.parts.get("calibration");
	const unit = isObject(line)
		? unitOf(line, "si_unit_y")
		: unitOf(brick, "si_unit_z");
	const volts = voltsIn(unit);
	if (volts === undefined) {
		warnings.push(
			`${numbered(count)}; the third axis is in ${quote(unit)}, no voltage`,
		);
		return [];
	}
	const step = numberOf(brick, "zreal", count) / count;
	const levels = isObject(line)
		? dataOf(line, count, fail)
		: Float64Array.from(
				{ length: count },
				(_, i) => numberOf(brick, "zoff", 0) + i * step,
			);
	const energies = Array.from(levels, (level) => level * volts);
	if (!energies.every(Number.isFinite))
		fail("a level of volume data that is no number", "volts");
	return energies;
}
