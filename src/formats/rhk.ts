/**
 * RHK's .sm4 (the layout as RHK's programs write it and rhkpy and spym read it): a file header, and objects, each a type, a place and a length, that
 * lead to an index of pages; a page has a header, strings and data, 32-bit numbers with a scale and an offset. Little-endian.
 */
import { Cursor } from "./cursor.ts";
import type { Channel, Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import {
	dropUnmeasured,
	type Fail,
	failFor,
	quote,
	size,
	unmeasuredWarning,
} from "./reading.ts";
import {
	checkHeader,
	type Header,
	IMAGE,
	LINE,
	OBJECT,
	type Page,
	readHeader,
	readPages,
	STRING,
	seek,
} from "./rhkPages.ts";
import { type SpectraGrid, spectraGrid } from "./rhkSpectra.ts";
import { metresIn } from "./units.ts";

/** "STiMage 005." in two bytes a letter, behind the header's length. */
export const isSm4 = (bytes: Uint8Array): boolean =>
	[..."STiMage"].every(
		(letter, i) =>
			bytes[2 + 2 * i] === letter.charCodeAt(0) && bytes[3 + 2 * i] === 0,
	);

const DIRECTIONS = ["", " backward", " up", " down"];

/** Points a side: a smaller grid of spectra is no map. */
const SMALLEST_GRID = 32;

/** What is read of the pages: images, or spectra as a stack of images. */
type Layers = Pick<
	Measurement,
	"nx" | "ny" | "spacing" | "channels" | "energies" | "sweep" | "warnings"
>;

/**
 * Reads a grid of spectra as a stack where there is one of at least 32 points a side, else the image pages of the first one's size; those of scans to the
 * left are "... backward". What is left out is named in a warning. Throws FormatError.
 */
export function readSm4(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const cursor = new Cursor(bytes, fail);
	const pages = readPages(cursor, fail)
		.filter(({ kind }) => kind === IMAGE || kind === LINE)
		.map((page) => ({ page, header: readHeader(cursor, page) }));
	const images = pages.filter(({ page }) => page.kind === IMAGE);
	for (const { header } of images) checkHeader(header, fail);
	const spectra = pages.filter(({ page }) => page.kind === LINE);
	const read: Reading = { cursor, fail, fileBytes: bytes.length };
	const layers =
		stackLayers(spectra, images, read) ?? imageLayers(images, spectra, read);
	const { header } = images[0] ?? spectra[0];
	return {
		format: "sm4",
		...layers,
		details: worthShowing([
			["bias", `${shown(header.bias)} V`],
			["setpoint", `${shown(header.current)} A`],
			["angle", `${shown(header.angle)} deg`],
			["date", header.strings[STRING.date] ?? ""],
			["time", header.strings[STRING.time] ?? ""],
			["comment", header.strings[STRING.user] ?? ""],
		]),
	};
}

interface Reading {
	readonly cursor: Cursor;
	readonly fail: Fail;
	readonly fileBytes: number;
}

interface ReadPage {
	readonly page: Page;
	readonly header: Header;
}

const labelOf = ({ strings }: Header, otherwise: string) =>
	(strings[STRING.label] ?? "").trim() || otherwise;

/** "1 page of spectra", "2 pages of spectra" */
const pagesOf = (count: number, what: string) =>
	`${count} ${count === 1 ? "page" : "pages"} of ${what}`;

/** The spectra as a stack, where they lie on a grid. */
function stackLayers(
	spectra: readonly ReadPage[],
	images: readonly ReadPage[],
	{ cursor, fail, fileBytes }: Reading,
): Layers | undefined {
	const main = spectra.find(
		({ header: { grid } }) => Math.min(grid[0], grid[1]) >= SMALLEST_GRID,
	);
	if (!main) return undefined;
	const { header } = main;
	checkHeader(header, fail);
	const { nx: points, ny: count, grid: sides } = header;
	if (4 * points * count > fileBytes)
		fail(
			`${count} spectra of ${points} points in ${size(fileBytes)}`,
			"as many as have room in it: cut short?",
		);
	const places = placesOf(cursor, header);
	const along = places.find(
		([x, y]) => x !== places[0][0] || y !== places[0][1],
	);
	const own = along
		? (Math.atan2(along[1] - places[0][1], along[0] - places[0][0]) * 180) /
			Math.PI
		: 0;
	// The page of spectra itself has no angle in files that were seen; a direction is the x axis up to its sign.
	const turned = own - 180 * Math.round(own / 180);
	const angles = [...images.map((i) => i.header.angle), header.angle, turned];
	const found = spectraGrid(sides, places, angles);
	if (!found) return undefined;
	const same = spectra.filter(
		({ header: h }) =>
			h.nx === points &&
			h.ny === count &&
			h.scale[0] === header.scale[0] &&
			h.xOffset === header.xOffset,
	);
	const names = same.map(({ header: h }) => labelOf(h, "spectrum"));
	let infinities = 0;
	const channels = same.map(({ page, header: h }, i): Channel => {
		const values = valuesOf(cursor, page, h, fail);
		infinities += dropUnmeasured(values);
		const twice = names.indexOf(names[i]) !== names.lastIndexOf(names[i]);
		return {
			name: `${names[i]}${twice ? (DIRECTIONS[h.scanType] ?? "") : ""}`,
			unit: (h.strings[STRING.z] ?? "").trim(),
			images: stackOf(values, h, found),
		};
	});
	const axis = Array.from({ length: points }, (_, i) =>
		shown(header.xOffset + i * header.scale[0]),
	);
	const unit = (header.strings[STRING.x] ?? "").trim();
	const warnings: string[] = [];
	if (found.repeats > 1)
		warnings.push(`the ${found.repeats} spectra at each point are averaged`);
	if (same.length < spectra.length)
		warnings.push(
			`${pagesOf(spectra.length - same.length, "spectra with another axis")} left out`,
		);
	if (images.length > 0)
		warnings.push(
			`beside the ${sides.join(" x ")} spectra, images are left out: ${[...new Set(images.map(({ header: h }) => `${labelOf(h, "image")} (${h.nx} x ${h.ny})`))].slice(0, 8).join(", ")}`,
		);
	const volts = unit === "V";
	return {
		...{ nx: sides[0], ny: sides[1] },
		spacing: { x: 1e10 * found.step.x, y: 1e10 * found.step.y },
		channels,
		energies: volts ? axis : [],
		...(!volts && { sweep: { name: "x", unit, values: axis } }),
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

function imageLayers(
	images: readonly ReadPage[],
	spectra: readonly ReadPage[],
	{ cursor, fail, fileBytes }: Reading,
): Layers {
	if (images.length === 0)
		fail(
			spectra.length > 0
				? `${pagesOf(spectra.length, "spectra")} on no grid of ${SMALLEST_GRID} x ${SMALLEST_GRID} points or more, and no image`
				: "no image",
			"an image or a grid of spectra",
		);
	const main = images[0].header;
	const { nx, ny } = main;
	if (4 * nx * ny * images.length > fileBytes)
		fail(
			`${images.length} pages of ${nx} x ${ny} pixels in ${size(fileBytes)}`,
			"as many as have room in it: cut short?",
		);
	const warnings: string[] = [];
	const leftOut: string[] = [];
	let infinities = 0;
	const sides = (h: Header) => Math.abs(h.scale[0] * h.nx);
	const channels = images.flatMap(({ page, header }): Channel[] => {
		const name = labelOf(header, "image");
		if (
			header.nx !== nx ||
			header.ny !== ny ||
			Math.abs(sides(header) - sides(main)) > 1e-6 * sides(main)
		) {
			leftOut.push(`${name} (${header.nx} x ${header.ny})`);
			return [];
		}
		const image = imageOf(valuesOf(cursor, page, header, fail), header);
		infinities += dropUnmeasured(image);
		return [
			{
				name: `${name}${DIRECTIONS[header.scanType] ?? ""}`.trim(),
				unit: (header.strings[STRING.z] ?? "").trim(),
				images: [image],
				energies: [header.bias],
			},
		];
	});
	if (leftOut.length)
		warnings.push(
			`images of other sizes than ${nx} x ${ny} are left out: ${leftOut.slice(0, 8).join(", ")}`,
		);
	if (spectra.length > 0)
		warnings.push(
			`${pagesOf(spectra.length, "spectra")} left out: not on a grid of ${SMALLEST_GRID} x ${SMALLEST_GRID} points or more`,
		);
	const unit = [STRING.x, STRING.y].map((i) => metresIn(main.strings[i] ?? ""));
	const [x, y] = [0, 1].map(
		(i) => Math.abs(main.scale[i]) * 1e10 * (unit[i] ?? NaN),
	);
	const known = [x, y].every((a) => a > 1e-6 && a < 1e6);
	if (!known)
		warnings.push(
			"the scales of x and y have no unit of length: the size is unknown",
		);
	const finite = channels.every(({ energies }) =>
		Number.isFinite(energies?.[0]),
	);
	const same =
		new Set(channels.map(({ energies }) => energies?.[0])).size === 1;
	const plain = channels.map(({ name, unit, images }) => ({
		name,
		unit,
		images,
	}));
	return {
		...{ nx, ny },
		...(known && { spacing: { x, y } }),
		channels: finite && !same ? channels : plain,
		energies: finite && same ? [main.bias] : [],
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

/** The page's numbers in the unit of z. */
function valuesOf(
	cursor: Cursor,
	{ objects }: Page,
	{ nx, ny, bytes, scale, zOffset, floats, strings }: Header,
	fail: Fail,
): Float32Array {
	if (bytes !== 4 * nx * ny)
		fail(
			`${bytes} bytes of data in the page ${quote(strings[STRING.label])}`,
			`${4 * nx * ny} for ${nx} x ${ny} pixels`,
		);
	seek(cursor, objects, OBJECT.data, "data of a page");
	const data = cursor.numbers(nx * ny, floats ? "f4" : "i4", "a page's data");
	return Float32Array.from(data, (v) => v * scale[2] + zOffset);
}

/** A pixel lies at column times the x scale, and row times the y scale: a negative one of y means rows from the top. */
function imageOf(values: Float32Array, { nx, ny, scale }: Header) {
	const [sx, sy] = scale;
	const image = new Float32Array(nx * ny);
	for (let row = 0, at = 0; row < ny; row++)
		for (let column = 0; column < nx; column++, at++) {
			const ix = sx < 0 ? nx - 1 - column : column;
			const iy = sy < 0 ? ny - 1 - row : row;
			image[ix * ny + iy] = values[at];
		}
	return image;
}

/** An image for each point of the spectra; those of one pixel are averaged. */
function stackOf(
	values: Float32Array,
	{ nx: points, ny: spectra }: Header,
	{ pixels, repeats }: SpectraGrid,
): Float32Array[] {
	const images = Array.from(
		{ length: points },
		() => new Float32Array(spectra / repeats),
	);
	for (const [k, pixel] of pixels.entries())
		for (const [i, image] of images.entries())
			image[pixel] += values[k * points + i] / repeats;
	return images;
}

/** Where the page's spectra were measured, metres. */
function placesOf(
	cursor: Cursor,
	{ inner, ny }: Header,
): (readonly [number, number])[] {
	const found = inner.get(OBJECT.places);
	if (!found || found.at === 0) return [];
	cursor.seek(found.at, "the places of spectra");
	// Time, x, y, drift in x and y, and their sums.
	const numbers = cursor.numbers(7 * ny, "f4", "the places of spectra");
	return Array.from(
		{ length: ny },
		(_, k) => [numbers[7 * k + 1], numbers[7 * k + 2]] as const,
	);
}

/** A number as the program shows it: it is a 32-bit one, after a conversion. */
const shown = (value: number) => Number(value.toPrecision(6));
