/** Parts of a scan that do not count, as text that people edit: comma-separated, one a row. */
import { FormatError } from "../../formats/measurement.ts";
import { quote as shortQuote } from "../../text.ts";
import { type Stroke, stroke } from "./brush.ts";
import type { Scan } from "./scan.ts";

/** Angstrom, scan frame: origin at the scan's centre, x to the right, y up. One after the other: an eraser takes from those before it. */
export type Shape =
	| Stroke
	| {
			readonly kind: "rectangle";
			/** Its centre. */
			readonly x: number;
			readonly y: number;
			readonly width: number;
			readonly height: number;
	  }
	| {
			readonly kind: "polygon";
			/** At least three corners; its last side leads back to the first. */
			readonly points: readonly { readonly x: number; readonly y: number }[];
	  };

const HEAD = `# What does not count. Angstrom from the centre of the whole scan, x to the right, y up.
# rectangle, its centre's x and y, width, height; polygon, x and y of each corner.
# brush, radius, x and y of each place it went to; eraser, the same: what it goes over counts again.
`;

/** The text of a list: three lines of comment, and a row each to a thousandth. */
export function writeMasks(shapes: readonly Shape[]): string {
	const number = (v: number) => String(Number(v.toFixed(3)));
	return `${HEAD}${shapes
		.map((shape) =>
			shape.kind === "rectangle"
				? [shape.x, shape.y, shape.width, shape.height]
				: [
						...("radius" in shape ? [shape.radius] : []),
						...shape.points.flatMap(({ x, y }) => [x, y]),
					],
		)
		.map((numbers, i) => `${[shapes[i].kind, ...numbers.map(number)].join()}\n`)
		.join("")}`;
}

/**
 * Reads such a text: separated by commas, or by semicolons or tabs where the first row has some (then a comma is a decimal point); comments (#) and blank lines anywhere; a first row that begins with "shape" is a header.
 * @param name the file, for errors
 * @throws FormatError with the row (as an editor counts) of the first fault
 */
export function readMasks(text: string, name: string): Shape[] {
	const shapes: Shape[] = [];
	let first = true;
	let separator = ",";
	text
		.replace(/^\uFEFF/, "")
		.split(/\r\n|\r|\n/)
		.forEach((line, i) => {
			if (line.trim() === "" || line.trim().startsWith("#")) return;
			if (first) separator = /[;\t]/.exec(line)?.[0] ?? ",";
			const fields = line.split(separator).map((field) => field.trim());
			const header = first && /^"?shape"?$/i.test(fields[0]);
			first = false;
			const decimal = (field: string) =>
				separator === "," ? field : field.replace(",", ".");
			if (!header)
				shapes.push(shapeOf(fields.map(decimal), `${name}, row ${i + 1}`));
		});
	return shapes;
}

/** Every column of pixels is cut with each side. */
const MAX_CORNERS = 10_000;

function shapeOf(fields: readonly string[], where: string): Shape {
	const fail = (found: string, expected: string) =>
		new FormatError(`${where}: found ${found}, expected ${expected}`);
	const [kind, ...rest] = fields;
	const name = kind.replaceAll('"', "").toLowerCase();
	if (!isKind(name))
		throw fail(quote(kind), "rectangle, polygon, brush or eraser");
	// Spreadsheets fill all rows up to the longest.
	while (rest.at(-1) === "") rest.pop();
	const numbers = rest.map((field) => {
		const value = Number(field);
		if (field === "" || !Number.isFinite(value))
			throw fail(field === "" ? "nothing" : quote(field), "a number");
		return value;
	});
	if (name === "rectangle") {
		if (numbers.length !== 4)
			throw fail(
				`${numbers.length} numbers`,
				"4 of a rectangle: x, y, width, height",
			);
		const [x, y, width, height] = numbers;
		if (!(width > 0 && height > 0))
			throw fail(`${width} x ${height} A`, "a width and a height above 0");
		return { kind: name, x, y, width, height };
	}
	if (numbers.length > 2 * MAX_CORNERS)
		throw fail(
			`${numbers.length} numbers`,
			`a ${name} of at most ${MAX_CORNERS} ${name === "polygon" ? "corners" : "places"}`,
		);
	if (name !== "polygon") return strokeOf(name, numbers, fail);
	if (numbers.length < 6 || numbers.length % 2 === 1)
		throw fail(
			`${numbers.length} numbers`,
			"x and y of each of a polygon's corners, three or more",
		);
	return { kind: name, points: pairs(numbers) };
}

const KINDS = ["rectangle", "polygon", "brush", "eraser"] as const;
const isKind = (name: string): name is Shape["kind"] =>
	KINDS.some((kind) => kind === name);

const pairs = (numbers: readonly number[]) =>
	Array.from({ length: numbers.length / 2 }, (_, k) => ({
		x: numbers[2 * k],
		y: numbers[2 * k + 1],
	}));

function strokeOf(
	kind: Stroke["kind"],
	[radius = 0, ...places]: readonly number[],
	fail: (found: string, expected: string) => FormatError,
): Stroke {
	if (!(radius > 0)) throw fail(`radius ${radius}`, "a radius above 0");
	if (places.length < 2 || places.length % 2 === 1)
		throw fail(
			`${places.length} numbers after the radius`,
			"x and y of each place that the brush went to, one or more",
		);
	return { kind, radius, points: pairs(places) };
}

const quote = (text: string) => shortQuote(text, 24);

/** 1 for each of the scan's pixels whose centre lies in one of the shapes, and in no later stroke of an eraser; of a polygon that crosses itself what an odd number of its sides is left of. */
export function covered(
	scan: Omit<Scan, "image">,
	shapes: readonly Shape[],
): Uint8Array {
	const { nx, ny, spacing } = scan;
	const out = new Uint8Array(nx * ny);
	for (const shape of shapes) {
		if ("radius" in shape) {
			stroke(out, scan, shape, shape.kind === "brush" ? 1 : 0);
			continue;
		}
		const points = cornersOf(shape);
		for (let ix = 0; ix < nx; ix++) {
			const x = (ix - (nx - 1) / 2) * spacing.x;
			// Where the sides cross this column of pixels.
			const crossings = points
				.flatMap((a, k) => {
					const b = points[(k + 1) % points.length];
					if (a.x <= x === b.x <= x) return [];
					return [a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y)];
				})
				.map((y) => y / spacing.y + (ny - 1) / 2)
				.sort((a, b) => a - b);
			for (let k = 0; k + 1 < crossings.length; k += 2) {
				const from = Math.max(0, Math.ceil(crossings[k]));
				const to = Math.min(ny - 1, Math.floor(crossings[k + 1]));
				if (to >= from) out.fill(1, ix * ny + from, ix * ny + to + 1);
			}
		}
	}
	return out;
}

function cornersOf(shape: Exclude<Shape, Stroke>) {
	if (shape.kind === "polygon") return shape.points;
	const { x, y, width, height } = shape;
	return [
		{ x: x - width / 2, y: y - height / 2 },
		{ x: x + width / 2, y: y - height / 2 },
		{ x: x + width / 2, y: y + height / 2 },
		{ x: x - width / 2, y: y + height / 2 },
	];
}
