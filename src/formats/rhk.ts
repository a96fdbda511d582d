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
	MAX_IMAGES,
	quote,
	size,
	unmeasuredWarning,
} from "./reading.ts";
import { metresIn } from "./units.ts";

const OBJECT = {
	pageIndexHeader: 1,
	pageIndex: 2,
	pageHeader: 3,
	data: 4,
	strings: 10,
};
const IMAGE = 0;
const LINE = 1;
const MAX_OBJECTS = 1000;
/** Places in the strings of a page. */
const STRING = { label: 0, user: 3, date: 5, time: 6, x: 7, y: 8, z: 9 };

/** "STiMage 005." in two bytes a letter, behind the header's length. */
export const isSm4 = (bytes: Uint8Array): boolean =>
	[..."STiMage"].every(
		(letter, i) =>
			bytes[2 + 2 * i] === letter.charCodeAt(0) && bytes[3 + 2 * i] === 0,
	);

type Objects = ReadonlyMap<number, { at: number; length: number }>;

interface Page {
	readonly kind: number;
	readonly objects: Objects;
}

interface Header {
	readonly nx: number;
	readonly ny: number;
	readonly scanType: number;
	readonly bytes: number;
	readonly scale: readonly [x: number, y: number, z: number];
	readonly zOffset: number;
	readonly bias: number;
	readonly current: number;
	readonly angle: number;
	readonly floats: boolean;
	readonly strings: readonly string[];
}

/** Line types whose pages hold floats. */
const FLOATS = [1, 6, 9, 10, 11, 13, 18, 19, 21, 22];
const DIRECTIONS = ["", " backward", " up", " down"];

/**
 * Reads the image pages of the first one's size; those of scans to the left are "... backward". Pages of spectra are left out, with a warning: a stack of
 * them has no place in the file that says which pixel each belongs to. Throws FormatError.
 */
export function readSm4(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const cursor = new Cursor(bytes, fail);
	const pages = readPages(cursor, fail);
	const images = pages.filter(({ kind }) => kind === IMAGE);
	if (images.length === 0)
		fail(
			`${pages.length} pages${pages.some(({ kind }) => kind === LINE) ? " of spectra" : ""} and no image`,
			"an image",
		);
	const read = images.map((page) => readHeader(cursor, page, fail));
	const [main] = read;
	const { nx, ny } = main;
	if (4 * nx * ny * images.length > bytes.length)
		fail(
			`${images.length} pages of ${nx} x ${ny} pixels in ${size(bytes.length)}`,
			"as many as have room in it: cut short?",
		);
	const warnings: string[] = [];
	const leftOut: string[] = [];
	let infinities = 0;
	const channels = images.flatMap((page, i): Channel[] => {
		const header = read[i];
		const name = (header.strings[STRING.label] ?? "").trim() || "image";
		const sides = (h: Header) => Math.abs(h.scale[0] * h.nx);
		if (
			header.nx !== nx ||
			header.ny !== ny ||
			Math.abs(sides(header) - sides(main)) > 1e-6 * sides(main)
		) {
			leftOut.push(`${name} (${header.nx} x ${header.ny})`);
			return [];
		}
		const image = imageOf(cursor, page, header, fail);
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
	const spectra = pages.filter(({ kind }) => kind === LINE).length;
	if (spectra)
		warnings.push(
			`${spectra} pages of spectra are left out: only images are read`,
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
		...{ format: "sm4", nx, ny },
		...(known && { spacing: { x, y } }),
		channels: finite && !same ? channels : plain,
		energies: finite && same ? [main.bias] : [],
		details: worthShowing([
			["bias", `${main.bias} V`],
			["setpoint", `${main.current} A`],
			["angle", `${main.angle} deg`],
			["date", main.strings[STRING.date] ?? ""],
			["time", main.strings[STRING.time] ?? ""],
			["comment", main.strings[STRING.user] ?? ""],
		]),
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

function readObjects(cursor: Cursor, count: number): Objects {
	if (count > MAX_OBJECTS)
		cursor.fail(`a list of ${count} objects`, `at most ${MAX_OBJECTS}`);
	const objects = new Map<number, { at: number; length: number }>();
	for (let i = 0; i < count; i++) {
		const id = cursor.number("u4", "an object");
		const at = cursor.number("u4", "an object");
		objects.set(id, { at, length: cursor.number("u4", "an object") });
	}
	return objects;
}

function seek(
	cursor: Cursor,
	objects: Objects,
	id: number,
	what: string,
): void {
	const found = objects.get(id);
	if (!found || found.at === 0) cursor.fail(`no ${what}`, "one");
	else cursor.seek(found.at, what);
}

function readPages(cursor: Cursor, fail: Fail): Page[] {
	const headerBytes = cursor.number("u2", "the header");
	cursor.take(36, "the header");
	cursor.number("u4", "the header");
	const lists = cursor.number("u4", "the header");
	const field = cursor.number("u4", "the header");
	if (field !== 12) fail(`objects of ${field} bytes`, "12");
	cursor.seek(headerBytes + 2, "the file's objects");
	const objects = readObjects(cursor, lists);
	seek(cursor, objects, OBJECT.pageIndexHeader, "page index header");
	const count = cursor.number("u4", "the page index header");
	const inner = cursor.number("u4", "the page index header");
	cursor.take(8, "the page index header");
	if (count > MAX_IMAGES) fail(`${count} pages`, `at most ${MAX_IMAGES}`);
	seek(cursor, readObjects(cursor, inner), OBJECT.pageIndex, "page index");
	return Array.from({ length: count }, () => {
		// Its own number comes first.
		cursor.take(16, "a page");
		const kind = cursor.number("u4", "a page");
		cursor.take(4, "a page");
		const own = cursor.number("u4", "a page");
		cursor.take(4, "a page");
		return { kind, objects: readObjects(cursor, own) };
	});
}

function readHeader(cursor: Cursor, page: Page, fail: Fail): Header {
	seek(cursor, page.objects, OBJECT.pageHeader, "page header");
	const u4 = () => cursor.number("u4", "a page's header");
	const f4 = () => cursor.number("f4", "a page's header");
	cursor.take(2, "a page's header");
	const count = cursor.number("u2", "a page's header");
	u4();
	u4();
	const lineType = u4();
	u4();
	u4();
	const [nx, ny] = [u4(), u4()];
	u4();
	const scanType = u4();
	u4();
	const bytes = u4();
	u4();
	u4();
	const scale = [f4(), f4(), f4()] as const;
	f4();
	f4();
	f4();
	const zOffset = f4();
	f4();
	const [bias, current, angle] = [f4(), f4(), f4()];
	u4();
	u4();
	u4();
	const lists = u4();
	cursor.take(64, "a page's header");
	if (!(nx >= 1 && ny >= 1))
		fail(`a page of ${nx} x ${ny} pixels`, "at least one");
	if (!scale.every(Number.isFinite) || !Number.isFinite(zOffset))
		fail(`the scales ${scale.join(", ")} of a page`, "numbers");
	const objects = readObjects(cursor, lists);
	const strings = objects.get(OBJECT.strings);
	const texts: string[] = [];
	if (strings && strings.at !== 0) {
		cursor.seek(strings.at, "a page's strings");
		for (let i = 0; i < Math.min(count, 64); i++) texts.push(readText(cursor));
	}
	return {
		...{ nx, ny, scanType, bytes, scale, zOffset, bias, current, angle },
		...{ floats: FLOATS.includes(lineType), strings: texts },
	};
}

/** Its length, then two bytes a letter. */
function readText(cursor: Cursor): string {
	const length = cursor.number("u2", "a string");
	return new TextDecoder("utf-16le")
		.decode(cursor.take(2 * length, "a string"))
		.replace(/\0+$/, "");
}

/** A pixel lies at column times the x scale, and row times the y scale: a negative one of y means rows from the top. */
function imageOf(
	cursor: Cursor,
	page: Page,
	{ nx, ny, bytes, scale: [sx, sy, sz], zOffset, floats, strings }: Header,
	fail: Fail,
): Float32Array {
	if (bytes !== 4 * nx * ny)
		fail(
			`${bytes} bytes of data in the page ${quote(strings[STRING.label])}`,
			`${4 * nx * ny} for ${nx} x ${ny} pixels`,
		);
	seek(cursor, page.objects, OBJECT.data, "data of a page");
	const data = cursor.numbers(nx * ny, floats ? "f4" : "i4", "a page's data");
	const image = new Float32Array(nx * ny);
	for (let row = 0, at = 0; row < ny; row++)
		for (let column = 0; column < nx; column++, at++) {
			const ix = sx < 0 ? nx - 1 - column : column;
			const iy = sy < 0 ? ny - 1 - row : row;
			image[ix * ny + iy] = data[at] * sz + zOffset;
		}
	return image;
}
