/** Kernel files in binary, so that their text is parsed once. What does not match its source or its own checksums counts as not there. */
import { open, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";
import {
	ABSENT,
	type KernelFile,
	OPEN_END,
	PIXELS,
	RESOLUTION,
} from "../../qpi/dataset/format.ts";
import { makeFolder, writeFileAtomic } from "./files.ts";

/*
 * Header, 48 bytes, little-endian: u32 magic, version, images, places a row, 1 if the source's last line is open, crc32 of the body;
 * f64 source size, source time in ms; u32 crc32 of these 40 bytes; 4 spare bytes.
 * Body: f64 axis[64], positions[images][places][2]; f32 kernel[4096], images[images][4096].
 */
const MAGIC = 0x43495051; // "QPIC"
const VERSION = 1;
const HEADER = 48;

/** What tells one state of a source file from another. */
export interface Stamp {
	readonly size: number;
	readonly time: number;
}

/** The present state of a file. */
export async function stampOf(file: string): Promise<Stamp> {
	const { size, mtimeMs } = await stat(file);
	return { size, time: mtimeMs };
}

const same = (a: Stamp, b: Stamp) => a.size === b.size && a.time === b.time;

/** What the header tells of a cached kernel. */
export interface Cached {
	readonly observations: number;
	readonly warning: string | undefined;
}

interface Header extends Cached {
	readonly places: number;
	readonly bodyCrc: number;
	readonly source: Stamp;
}

const bodyBytes = (images: number, places: number) =>
	8 * (RESOLUTION + 2 * images * places) + 4 * PIXELS * (images + 1);

function encode(data: KernelFile, source: Stamp): Uint8Array {
	const count = data.images.length;
	const places = data.scatterers.reduce((n, s) => Math.max(n, s.length), 0);
	const bytes = new Uint8Array(HEADER + bodyBytes(count, places));
	const doubles = new Float64Array(
		bytes.buffer,
		HEADER,
		RESOLUTION + 2 * count * places,
	).fill(ABSENT);
	doubles.set(data.axis);
	for (const [i, scatterers] of data.scatterers.entries())
		for (const [j, { x, y }] of scatterers.entries())
			doubles.set([x, y], RESOLUTION + 2 * (i * places + j));
	const floats = new Float32Array(
		bytes.buffer,
		HEADER + doubles.byteLength,
		PIXELS * (count + 1),
	);
	floats.set(data.kernel);
	for (const [i, image] of data.images.entries())
		floats.set(image, PIXELS * (i + 1));
	const view = new DataView(bytes.buffer);
	const words = [
		MAGIC,
		VERSION,
		count,
		places,
		data.warning ? 1 : 0,
		crc32(bytes.subarray(HEADER)),
	];
	for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
	view.setFloat64(24, source.size, true);
	view.setFloat64(32, source.time, true);
	view.setUint32(40, crc32(bytes.subarray(0, 40)), true);
	return bytes;
}

function decodeHeader(bytes: Uint8Array): Header | undefined {
	if (bytes.length < HEADER) return undefined;
	const view = new DataView(bytes.buffer, bytes.byteOffset);
	const word = (i: number) => view.getUint32(4 * i, true);
	if (word(0) !== MAGIC || word(1) !== VERSION) return undefined;
	if (word(10) !== crc32(bytes.subarray(0, 40))) return undefined;
	return {
		observations: word(2),
		places: word(3),
		warning: word(4) ? OPEN_END : undefined,
		bodyCrc: word(5),
		source: {
			size: view.getFloat64(24, true),
			time: view.getFloat64(32, true),
		},
	};
}

function decode(
	bytes: Uint8Array,
	source: Stamp,
	most: number,
): KernelFile | undefined {
	const header = decodeHeader(bytes);
	if (!header || !same(header.source, source)) return undefined;
	const { observations, places, warning } = header;
	if (bytes.length !== HEADER + bodyBytes(observations, places))
		return undefined;
	if (crc32(bytes.subarray(HEADER)) !== header.bodyCrc) return undefined;
	const body = new Uint8Array(bytes.subarray(HEADER)).buffer; // a copy is aligned for both kinds of numbers
	const doubles = new Float64Array(
		body,
		0,
		RESOLUTION + 2 * observations * places,
	);
	const floats = new Float32Array(body, doubles.byteLength);
	const images: Float32Array[] = [];
	const scatterers: { x: number; y: number }[][] = [];
	for (let i = 0; i < Math.min(observations, most); i++) {
		images.push(floats.slice(PIXELS * (i + 1), PIXELS * (i + 2)));
		const list: { x: number; y: number }[] = [];
		for (let j = i * places; j < (i + 1) * places; j++) {
			const [x, y] = doubles.subarray(RESOLUTION + 2 * j);
			if (x !== ABSENT) list.push({ x, y });
		}
		scatterers.push(list);
	}
	return {
		kernel: floats.slice(0, PIXELS),
		axis: doubles.slice(0, RESOLUTION),
		images,
		scatterers,
		...(warning ? { warning } : {}),
	};
}

/** The cache in one folder, one file a source; without a folder it holds nothing. */
export class KernelCache {
	readonly #folder: string | undefined;
	/** Why nothing can be written, once that was tried. */
	fault: string | undefined;

	constructor(folder: string | undefined) {
		this.#folder = folder;
	}

	#path(file: string): string | undefined {
		return this.#folder && join(this.#folder, `${basename(file)}.bin`);
	}

	/** What the cache says of `file`, by its header and length alone (`read` checks the rest); undefined if it is not there, stale or damaged. */
	async peek(file: string): Promise<Cached | undefined> {
		const path = this.#path(file);
		const cached = path && (await open(path, "r").catch(() => undefined));
		if (!cached) return undefined;
		try {
			const bytes = new Uint8Array(HEADER);
			const { bytesRead } = await cached.read(bytes, 0, HEADER, 0);
			const header = decodeHeader(bytes.subarray(0, bytesRead));
			if (!header || !same(header.source, await stampOf(file)))
				return undefined;
			const length = HEADER + bodyBytes(header.observations, header.places);
			return (await cached.stat()).size === length ? header : undefined;
		} finally {
			await cached.close();
		}
	}

	/** The kernel of `file` with its first `most` images, or undefined if it is not there, stale or damaged. */
	async read(file: string, most: number): Promise<KernelFile | undefined> {
		const path = this.#path(file);
		const bytes = path && (await readFile(path).catch(() => undefined));
		return bytes ? decode(bytes, await stampOf(file), most) : undefined;
	}

	/** Keeps what was parsed from `file` when it was in state `source`; if the folder cannot be written, `fault` says why, and nothing more is written to it. */
	async write(file: string, data: KernelFile, source: Stamp): Promise<void> {
		const path = this.#path(file);
		if (!this.#folder || !path || this.fault) return;
		if (!same(source, await stampOf(file))) return; // it changed while it was read
		try {
			await makeFolder(this.#folder);
			await writeFileAtomic(path, encode(data, source));
		} catch (error) {
			this.fault = (error as Error).message;
		}
	}
}
