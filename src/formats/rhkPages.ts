/** The pages of an RHK file, and what their headers say. */
import type { Cursor } from "./cursor.ts";
import { type Fail, MAX_IMAGES } from "./reading.ts";

export const OBJECT = {
	pageIndexHeader: 1,
	pageIndex: 2,
	pageHeader: 3,
	data: 4,
	places: 8,
	strings: 10,
};
/** Kinds of pages. */
export const IMAGE = 0;
export const LINE = 1;
const MAX_OBJECTS = 1000;
/** Places in the strings of a page. */
export const STRING = { label: 0, user: 3, date: 5, time: 6, x: 7, y: 8, z: 9 };

type Objects = ReadonlyMap<number, { at: number; length: number }>;

export interface Page {
	readonly kind: number;
	readonly objects: Objects;
}

export interface Header {
	readonly nx: number;
	readonly ny: number;
	readonly scanType: number;
	readonly bytes: number;
	readonly scale: readonly [x: number, y: number, z: number];
	readonly zOffset: number;
	readonly bias: number;
	readonly current: number;
	readonly angle: number;
	/** Where the first column lies, in the unit of x. */
	readonly xOffset: number;
	/** Points of a grid of spectra along its sides; 0, or all bits set, for none. */
	readonly grid: readonly [nx: number, ny: number];
	/** What the header leads to. */
	readonly inner: Objects;
	readonly floats: boolean;
	readonly strings: readonly string[];
}

/** Line types whose pages hold floats. */
const FLOATS = [1, 6, 9, 10, 11, 13, 18, 19, 21, 22];
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

export function seek(
	cursor: Cursor,
	objects: Objects,
	id: number,
	what: string,
): void {
	const found = objects.get(id);
	if (!found || found.at === 0) cursor.fail(`no ${what}`, "one");
	else cursor.seek(found.at, what);
}

export function readPages(cursor: Cursor, fail: Fail): Page[] {
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

export function readHeader(cursor: Cursor, page: Page): Header {
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
	const xOffset = f4();
	f4();
	const zOffset = f4();
	f4();
	const [bias, current, angle] = [f4(), f4(), f4()];
	u4();
	const grid = [u4(), u4()] as const;
	const lists = u4();
	cursor.take(64, "a page's header");
	const objects = readObjects(cursor, lists);
	const strings = objects.get(OBJECT.strings);
	const texts: string[] = [];
	if (strings && strings.at !== 0) {
		cursor.seek(strings.at, "a page's strings");
		for (let i = 0; i < Math.min(count, 64); i++) texts.push(readText(cursor));
	}
	return {
		...{ nx, ny, scanType, bytes, scale, zOffset, bias, current, angle },
		...{ xOffset, grid, inner: objects },
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

/** Throws where a page that is needed has no size or no scales. */
export function checkHeader(
	{ nx, ny, scale, zOffset, xOffset }: Header,
	fail: Fail,
): void {
	if (!(nx >= 1 && ny >= 1))
		fail(`a page of ${nx} x ${ny} pixels`, "at least one");
	if (![...scale, zOffset, xOffset].every(Number.isFinite))
		fail(`the scales ${scale.join(", ")} of a page`, "numbers");
}
