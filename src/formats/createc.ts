/**
 * Createc images (.dat, "[Paramco32]"): lines `Key=value` in Latin letters, the word DATA and one zlib stream of little-endian floats. Known from files,
 * as there is no published definition: the stream begins with a float that belongs to no pixel, then come planes of rows from the
 * top, all in the order of x, then floats that are no image. Heights are `Dacto[A]z` x GainZ Angstrom a unit (a copper step measures 2.0 A),
 * currents 20 V over the range of the converter and the preamplifier's gain (the median of a scan is its set point).
 */
import { mostUnpacked, unpack } from "./inflate.ts";
import type { Channel, Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import {
	decodeText,
	dropUnmeasured,
	type Fail,
	failFor,
	pixelSize,
	quote,
	size,
	unmeasuredWarning,
	wholeNumber,
} from "./reading.ts";

const MARK = "[Paramco32]";
/** The header takes 16 kB. */
const MAX_LINES = 2 ** 16;
const MAX_PLANES = 64;

export const isCreatec = (bytes: Uint8Array): boolean =>
	/^\[Par(am(co32|et32|eter)|VERT)/.test(
		String.fromCharCode(...bytes.subarray(0, 12)),
	);

/** Reads all planes; those of the way back are "... backward". Throws FormatError. */
export function readCreatec(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const mark = decodeText(bytes.subarray(0, MARK.length));
	if (mark !== MARK)
		fail(
			mark.startsWith("[ParVERT")
				? "a spectrum of Createc's (.VERT)"
				: `a Createc file of the version ${quote(mark)}`,
			`an image that begins with ${MARK}`,
		);
	const { header, at } = readHeader(bytes, fail);
	const nx = wholeNumber(header("num.x"), "Num.X", fail);
	const ny = wholeNumber(header("num.y"), "Num.Y", fail);
	const count = wholeNumber(header("channels"), "Channels", fail);
	if (count > MAX_PLANES) fail(`${count} Channels`, `at most ${MAX_PLANES}`);
	const expected = 4 * (1 + count * nx * ny);
	const most = mostUnpacked(bytes.length);
	const announced = `${count} planes of ${nx} x ${ny} pixels`;
	if (expected > most) fail(`${announced} in ${size(bytes.length)}`, "fewer");
	const { bytes: data, broken } = unpack(
		bytes.subarray(at),
		{ most, what: "a stream" },
		fail,
	);
	if (data.length < expected)
		fail(
			`${data.length} bytes unpacked${broken ? ` (${broken})` : ""}`,
			`${expected} for ${announced}: cut short?`,
		);

	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const finished = finishedRows(view, nx, ny, Number(header("imageyposmax")));
	const warnings: string[] = [];
	if (finished === 0) fail("a scan without any row", "at least one");
	if (finished < ny)
		warnings.push(
			`${ny - finished} of ${ny} rows were not measured: unfinished scan`,
		);
	let infinities = 0;
	const channels = planesOf(header, count).map(
		({ name, unit, scale }, plane): Channel => {
			const image = new Float32Array(nx * ny).fill(NaN);
			let p = 4 * (1 + plane * nx * ny);
			for (let row = 0; row < finished; row++)
				for (let ix = 0; ix < nx; ix++, p += 4)
					image[ix * ny + (ny - 1 - row)] = scale * view.getFloat32(p, true);
			infinities += dropUnmeasured(image);
			return { name, unit, images: [image] };
		},
	);
	const bias = Number(header("biasvolt.[mv]") ?? NaN);
	const side = (name: string) => {
		const text = header(name);
		return text === undefined ? undefined : Number(text) * 1e-10;
	};
	const sides = [side("length x[a]"), side("length y[a]")];
	if (sides.includes(undefined))
		warnings.push("the header has no Length x[A]: the size is unknown");
	return {
		...{ format: "createc", nx, ny },
		...(!sides.includes(undefined) && {
			spacing: {
				x: pixelSize(sides[0], nx, "Length x[A]", fail),
				y: pixelSize(sides[1], ny, "Length y[A]", fail),
			},
		}),
		channels,
		energies: Number.isFinite(bias) ? [bias / 1000] : [],
		details: detailsOf(header),
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

/** Rows of the first plane that are not empty to the end, and no more than the header counts: that number is one too many. */
function finishedRows(
	view: DataView,
	nx: number,
	ny: number,
	next: number,
): number {
	let rows = next > 1 && next <= ny ? next - 1 : ny;
	const isEmpty = (row: number) => {
		for (let p = 1 + row * nx; p < 1 + (row + 1) * nx; p++)
			if (view.getFloat32(4 * p, true) !== 0) return false;
		return true;
	};
	while (rows > 0 && isEmpty(rows - 1)) rows--;
	return rows;
}

/** The value of a key as the screen shows it, in small letters without blanks around; the first of two counts. */
type Header = (key: string) => string | undefined;

/** And where the stream begins. Some versions fill up to a fixed place, so that a 78 is looked for behind the word DATA. */
function readHeader(
	bytes: Uint8Array,
	fail: Fail,
): { header: Header; at: number } {
	const head = new TextDecoder("latin1").decode(bytes.subarray(0, MAX_LINES));
	const entries = new Map<string, string>();
	let found = -1;
	for (
		let data = head.indexOf("DATA");
		data >= 0 && found < 0;
		data = head.indexOf("DATA", data + 1)
	) {
		let at = data + 4;
		while (at < bytes.length && at < data + 4096 && bytes[at] <= 0x20) at++;
		if (bytes[at] === 0x78 && (bytes[at] * 256 + bytes[at + 1]) % 31 === 0)
			found = at;
	}
	if (found < 0)
		fail(
			`no word DATA before a zlib stream in the first ${size(Math.min(bytes.length, MAX_LINES))}`,
			"one",
		);
	for (const line of head.slice(0, found).split(/[\r\n\0]+/)) {
		const equals = line.indexOf("=");
		if (equals < 0) continue;
		// "Internal / Shown=value": both names are kept.
		for (const name of line.slice(0, equals).split(" / ")) {
			const key = name.trim().toLowerCase();
			if (key && !entries.has(key))
				entries.set(key, line.slice(equals + 1).trim());
		}
	}
	// The A of Angstrom has a ring in some versions.
	return {
		header: (key) => entries.get(key) ?? entries.get(key.replace("[a]", "[å]")),
		at: found,
	};
}

interface Plane {
	readonly name: string;
	readonly unit: string;
	readonly scale: number;
}

/** What the planes are: the bits of Channelselectval, forward and then backward; bit 0 is the height and bit 1 the current. */
function planesOf(header: Header, count: number): Plane[] {
	const selected = Number(header("channelselectval") ?? 0);
	const bits = Array.from({ length: 31 }, (_, i) => i).filter(
		(i) => (selected >> i) & 1,
	);
	const known = [count, count / 2].includes(bits.length);
	const signals = known ? bits : count % 2 === 0 ? [0, 1] : [0];
	return Array.from({ length: count }, (_, plane) => {
		const turn = Math.floor(plane / signals.length);
		const way = turn === 0 ? "" : " backward";
		if (turn > 1) return { name: `plane ${plane + 1}`, ...RAW };
		return named(signals[plane % signals.length], way, header);
	});
}

const RAW = { unit: "DAC units", scale: 1 };

function named(bit: number, way: string, header: Header): Plane {
	const height =
		Number(header("dacto[a]z") ?? NaN) * Number(header("gainz") ?? 10);
	const gain = 10 ** Number(header("gainpre 10^") ?? NaN);
	const converter = Number.parseInt(header("dac-type") ?? "20", 10);
	const ampere = 20 / 2 ** converter / gain;
	if (bit === 0)
		return Number.isFinite(height) && height !== 0
			? { name: `Z${way}`, unit: "m", scale: height * 1e-10 }
			: { name: `Z${way}`, ...RAW };
	if (bit === 1)
		return Number.isFinite(ampere) && ampere !== 0
			? { name: `Current${way}`, unit: "A", scale: ampere }
			: { name: `Current${way}`, ...RAW };
	return { name: `channel ${bit}${way}`, ...RAW };
}

function detailsOf(header: Header): [string, string][] {
	const shown: readonly (readonly [string, string, string])[] = [
		["titel", "title", ""],
		["biasvolt.[mv]", "bias", " mV"],
		["fblogiset", "setpoint", " pA"],
		["lockinampl", "lock-in amplitude", " mV"],
		["lockinfreq", "lock-in frequency", " Hz"],
		["rotation", "angle", " deg"],
		["t-stm:", "temperature", " K"],
		["sec/image:", "acquisition time", " s"],
		["pstmafm.exe_date", "date", ""],
		["memo:0", "comment", ""],
	];
	const entries = shown.flatMap(([key, label, unit]): [string, string][] => {
		const value = header(key);
		const unknown = label === "temperature" && !(Number(value) > 0);
		return value && !unknown ? [[label, value + unit]] : [];
	});
	return worthShowing(entries);
}
