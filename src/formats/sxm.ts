/**
 * Nanonis scans (.sxm). The format: lines of ASCII, a tag between colons followed by its values, up to `:SCANIT_END:`; then the bytes 1A 04; then
 * one image after the other, 4-byte floats, row by row in the order of scanning (the vendor's description of version 1, posted in
 * Gxsm's tracker as plug-in request 3). What it leaves open (mirroring, one-way channels, passes) is as Gwyddion, SIDAM and stmpy have it.
 */
import type { Channel, Measurement } from "./measurement.ts";
import {
	decodeText,
	dropUnmeasured,
	type Fail,
	failFor,
	indexOfText,
	MAX_BYTES,
	MAX_HEADER,
	MAX_IMAGES,
	numbersOf,
	pixelSize,
	quote,
	size,
	unmeasuredWarning,
	wholeNumber,
} from "./reading.ts";

/** Tag, in capitals, to the lines below it. The first of two equal tags counts: a comment may look like a tag. */
type Header = ReadonlyMap<string, readonly string[]>;

interface ChannelInfo {
	readonly name: string;
	readonly unit: string;
	/** In the file's order. */
	readonly directions: readonly ("forward" | "backward")[];
}

const DIRECTIONS: Record<string, ChannelInfo["directions"]> = {
	both: ["forward", "backward"],
	forward: ["forward"],
	fwd: ["forward"],
	backward: ["backward"],
	bwd: ["backward"],
};

/**
 * Reads a scan. A channel that was recorded in both directions becomes two: "Z" and "Z backward", the latter un-mirrored. Values are in the units of
 * DATA_INFO as they are stored: its calibration and offset say how the instrument made them. Throws FormatError.
 */
export function readSxm(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const { header, start } = readHeader(bytes, fail);
	const warnings: string[] = [];
	const line = (tag: string) => header.get(tag)?.join(" ").trim();

	const pixels = line("SCAN_PIXELS")?.split(/\s+/) ?? [];
	const nx = wholeNumber(pixels[0], "the width in SCAN_PIXELS", fail);
	const ny = wholeNumber(pixels[1], "the height in SCAN_PIXELS", fail);
	const infos = readDataInfo(header, fail);
	const count = infos.reduce((sum, info) => sum + info.directions.length, 0);
	if (count > MAX_IMAGES)
		fail(`${count} images in DATA_INFO`, `at most ${MAX_IMAGES}`);
	const imageBytes = 4 * nx * ny;
	const expected = count * imageBytes;
	const found = bytes.length - start;
	const announced = `${count} images of ${nx} x ${ny} pixels, which are ${expected} bytes`;
	if (expected > MAX_BYTES)
		fail(`a header that announces ${announced}`, `at most ${size(MAX_BYTES)}`);
	if (found < expected)
		fail(`${found} bytes behind the header`, `${announced}: cut short?`);
	// A few bytes may be some program's; a row of pixels too many means that the sizes are wrong.
	if (found - expected >= 4 * nx)
		fail(`${found} bytes behind the header`, announced);
	if (found > expected)
		warnings.push(
			`${found - expected} bytes behind the last image are ignored`,
		);

	const up = direction(line("SCAN_DIR"), warnings, fail);
	const view = new DataView(bytes.buffer, bytes.byteOffset + start, expected);
	const little = isLittleEndian(line("SCANIT_TYPE"), view, warnings, fail);
	const bias = biasOf(header, warnings, fail);

	let infinities = 0;
	let at = 0;
	const channels: Channel[] = infos.flatMap((info) =>
		info.directions.map((way) => {
			const image = new Float32Array(nx * ny);
			for (let row = 0; row < ny; row++) {
				const iy = up ? row : ny - 1 - row;
				for (let column = 0; column < nx; column++, at += 4) {
					const ix = way === "forward" ? column : nx - 1 - column;
					image[ix * ny + iy] = view.getFloat32(at, little);
				}
			}
			infinities += dropUnmeasured(image);
			return {
				name: way === "forward" ? info.name : `${info.name} backward`,
				unit: info.unit,
				images: [image],
				...bias.own(info.name, way),
			};
		}),
	);
	const empty = emptyRows(channels[0].images[0], nx, ny);
	if (empty > 0)
		warnings.push(`${empty} of ${ny} rows were not measured: unfinished scan`);
	warnings.push(...unmeasuredWarning(infinities));

	const range = header.has("SCAN_RANGE") && numbersOf(line("SCAN_RANGE"));
	if (!range)
		warnings.push("the header has no SCAN_RANGE: the size is unknown");
	return {
		format: "sxm",
		nx,
		ny,
		...(range && {
			spacing: {
				x: pixelSize(range[0], nx, "the width in SCAN_RANGE", fail),
				y: pixelSize(range[1], ny, "the height in SCAN_RANGE", fail),
			},
		}),
		channels,
		energies: bias.common,
		details: details(header),
		warnings,
	};
}

function readHeader(
	bytes: Uint8Array,
	fail: Fail,
): { header: Header; start: number } {
	const tag = ":SCANIT_END:";
	const end = indexOfText(bytes, tag);
	if (indexOfText(bytes.subarray(0, 32), ":NANONIS_VERSION:") < 0)
		fail(
			`the opening ${quote(decodeText(bytes.subarray(0, 17)))}`,
			":NANONIS_VERSION:",
		);
	if (end < 0)
		fail(
			`no ${tag} in the first ${size(Math.min(bytes.length, MAX_HEADER))}`,
			"a header that it closes",
		);
	let start = end + tag.length;
	while (start < end + 64 && [9, 10, 13, 32].includes(bytes[start])) start++;
	if (bytes[start] !== 0x1a || bytes[start + 1] !== 0x04)
		fail(
			`no bytes 1a 04 behind ${tag} at byte ${end}`,
			"them where the data begin",
		);

	const header = new Map<string, string[]>();
	let lines: string[] = [];
	for (const line of decodeText(bytes.subarray(0, end)).split(/\r\n|\r|\n/)) {
		const name = /^:(.+):\s*$/.exec(line)?.[1].toUpperCase();
		if (name === undefined) lines.push(line);
		else {
			lines = [];
			if (!header.has(name)) header.set(name, lines);
		}
	}
	return { header, start: start + 2 };
}

/** A table of the format has some ten columns. */
const MAX_COLUMNS = 100;

/** The rows of a table whose first line names its columns: maps of a column's name, in capitals, to its field. */
function table(lines: readonly string[]): Map<string, string>[] {
	const [names, ...rows] = lines.filter((line) => line.trim() !== "");
	// Version 1 writes blanks between the names, and tabs between the fields.
	const columns = (names ?? "").trim().toUpperCase().split(/\s+/, MAX_COLUMNS);
	return rows.map((row) => {
		const fields = row.includes("\t")
			? row.replace(/^\t/, "").split("\t")
			: row.trim().split(/\s+/);
		return new Map(columns.map((name, i) => [name, fields[i]?.trim() ?? ""]));
	});
}

function readDataInfo(header: Header, fail: Fail): ChannelInfo[] {
	const rows = table(header.get("DATA_INFO") ?? []);
	if (rows.length === 0)
		fail("no channel in DATA_INFO", "a table with Name, Unit and Direction");
	return rows.map((row) => {
		const name = row.get("NAME");
		const way = row.get("DIRECTION")?.toLowerCase() ?? "";
		if (!name || !Object.hasOwn(DIRECTIONS, way))
			fail(
				`the channel ${quote(name)} with the direction ${quote(way)} in DATA_INFO`,
				"a name, and both, forward or backward",
			);
		return { name, unit: row.get("UNIT") ?? "", directions: DIRECTIONS[way] };
	});
}

/** Did the scan go up, so that the first row is the lowest? */
function direction(
	text: string | undefined,
	warnings: string[],
	fail: Fail,
): boolean {
	if (text === undefined)
		warnings.push("the header has no SCAN_DIR: taken as down");
	else if (!/^(up|down)$/i.test(text))
		fail(`SCAN_DIR = ${quote(text)}`, "up or down");
	return text?.toLowerCase() === "up";
}

/**
 * The byte order that SCANIT_TYPE says, unless the data say clearly that it is the other one: early Nanonis wrote LSBFIRST and meant MSBFIRST
 * (the first Gwyddion reader demands the word LSBFIRST and reads the opposite).
 */
function isLittleEndian(
	type: string | undefined,
	view: DataView,
	warnings: string[],
	fail: Fail,
): boolean {
	const [, order] =
		/^FLOAT\s+(MSBFIRST|LSBFIRST)$/i.exec(type ?? "FLOAT MSBFIRST") ??
		fail(`SCANIT_TYPE = ${quote(type)}`, "FLOAT MSBFIRST or FLOAT LSBFIRST");
	const said = order.toUpperCase() === "LSBFIRST";
	const spread = exponentSpread(view, said);
	const swapped = spread > 40 && exponentSpread(view, !said) < spread / 2;
	if (swapped)
		warnings.push(
			`SCANIT_TYPE says ${order}, but only the other byte order gives numbers of one size: read that way`,
		);
	return said !== swapped;
}

/** Standard deviation of the binary exponents of (at most 4096 of) the numbers. 5 to 25 for channels of a scan, 74 for numbers read backwards. */
function exponentSpread(view: DataView, little: boolean): number {
	const step = 4 * Math.ceil(view.byteLength / 4 / 4096);
	let [n, sum, squares] = [0, 0, 0];
	for (let at = 0; at < view.byteLength; at += step) {
		const exponent = (view.getUint32(at, little) >>> 23) & 255;
		// Neither zero nor NaN, nor from 2^60 on, which stands for what was not measured.
		if (exponent === 0 || exponent >= 187) continue;
		n++;
		sum += exponent;
		squares += exponent * exponent;
	}
	return n === 0 ? 0 : Math.sqrt(Math.max(squares / n - (sum / n) ** 2, 0));
}

/**
 * The energies (eV): the bias, or in a multi-pass scan that of each pass and direction. The table Multipass-Config has two rows a pass, forward
 * first; the names of channels then begin with [P1], [P2], ...
 */
function biasOf(header: Header, warnings: string[], fail: Fail) {
	const [first = NaN, ...more] = numbersOf(header.get("BIAS")?.join(" "));
	if (header.has("BIAS") && !Number.isFinite(first))
		fail(`BIAS = ${quote(header.get("BIAS")?.join(" "))}`, "a voltage in V");
	const passes = table(header.get("MULTIPASS-CONFIG") ?? []).map((row) => {
		const value = Number(row.get("BIAS_OVERRIDE_VALUE") ?? NaN);
		const own = /^(true|1)$/i.test(row.get("BIAS_OVERRIDE") ?? "");
		return own && Number.isFinite(value) ? value : first;
	});
	const several = new Set([...passes, ...more, first]).size > 1;
	if (several)
		warnings.push(
			passes.length > 0
				? `a multi-pass scan at ${[...new Set(passes)].join(", ")} V: each channel has its own energy`
				: `BIAS has several values, ${[first, ...more].join(", ")} V: the energy is unknown`,
		);
	else if (Number.isNaN(first))
		warnings.push("the header has no BIAS: the energy is unknown");
	return {
		common: several || Number.isNaN(first) ? [] : [first],
		/** What a channel has besides, for its name and direction. */
		own(name: string, way: "forward" | "backward"): Pick<Channel, "energies"> {
			const pass = Number(/^\[P(\d+)\]/.exec(name)?.[1] ?? 0);
			const own = passes[2 * (pass - 1) + (way === "backward" ? 1 : 0)];
			return several && Number.isFinite(own) ? { energies: [own] } : {};
		},
	};
}

function emptyRows(image: Float32Array, nx: number, ny: number): number {
	let count = 0;
	for (let iy = 0; iy < ny; iy++) {
		let ix = 0;
		while (ix < nx && Number.isNaN(image[ix * ny + iy])) ix++;
		if (ix === nx) count++;
	}
	return count;
}

const LABELS: readonly (readonly [string, string, string])[] = [
	["NANONIS_VERSION", "format version", ""],
	["REC_DATE", "date", ""],
	["REC_TIME", "time", ""],
	["REC_TEMP", "temperature", " K"],
	["ACQ_TIME", "acquisition time", " s"],
	["SCAN_FILE", "original file", ""],
	["SCAN_RANGE", "range", " m"],
	["SCAN_OFFSET", "centre", " m"],
	["SCAN_ANGLE", "angle", " deg"],
	["SCAN_DIR", "scan direction", ""],
	["BIAS", "bias", " V"],
	["Z-CONTROLLER>SETPOINT", "setpoint", ""],
	["Z-CONTROLLER>SETPOINT UNIT", "setpoint unit", ""],
	["LOCK-IN>AMPLITUDE", "lock-in amplitude", ""],
	["LOCK-IN>FREQUENCY (HZ)", "lock-in frequency", " Hz"],
	["COMMENT", "comment", ""],
];

function details(header: Header): [string, string][] {
	return LABELS.flatMap(([tag, label, unit]) => {
		const value = (header.get(tag) ?? [])
			.join(" ")
			.replaceAll(/\s+/g, " ")
			.trim();
		return value ? [[label, value + unit] as [string, string]] : [];
	});
}
