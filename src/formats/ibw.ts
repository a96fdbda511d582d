/**
 * Igor binary waves, .ibw (WaveMetrics' Technical Note PTN003): a header of the file and one of the wave, whose numbers add up to nothing, then the data,
 * whose first index runs fastest, then notes and units. Version 5 holds up to four indices, version 2 a single one.
 */
import { numbered } from "./axes.ts";
import { Cursor, type NumberType } from "./cursor.ts";
import type { Channel, Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import {
	dropUnmeasured,
	type Fail,
	failFor,
	MAX_IMAGES,
	unmeasuredWarning,
} from "./reading.ts";
import { metresIn, voltage, voltsIn } from "./units.ts";

/** Bytes of both headers that add up to nothing: the wave's own of the old versions goes 16 bytes into the data. */
const HEADERS: Readonly<Record<number, number>> = {
	...{ 1: 8 + 126, 2: 16 + 126, 3: 20 + 126, 5: 64 + 320 },
};
const COMPLEX = 1;
const TYPES: Readonly<Record<number, NumberType>> = {
	...{ 2: "f4", 4: "f8", 8: "i1", 16: "i2", 32: "i4" },
	...{ 72: "u1", 80: "u2", 96: "u4" },
};

/** Whether these are the headers of a wave: a version, and 16-bit numbers that add up to nothing. */
export function isIbw(bytes: Uint8Array): boolean {
	const little = bytes[0] !== 0;
	const version = little ? bytes[0] : bytes[1];
	const end = HEADERS[version];
	if ((little ? bytes[1] : bytes[0]) !== 0 || !end || bytes.length < end)
		return false;
	const view = new DataView(bytes.buffer, bytes.byteOffset, end);
	let sum = 0;
	for (let at = 0; at < end; at += 2) sum += view.getInt16(at, little);
	return (sum & 0xffff) === 0;
}

interface Wave {
	readonly name: string;
	readonly unit: string;
	readonly shape: readonly number[];
	/** Of each index: its step, its start and its unit. */
	readonly step: readonly number[];
	readonly start: readonly number[];
	readonly units: readonly string[];
	readonly labels: readonly string[];
	readonly note: string;
	readonly created: number;
	readonly data: ArrayLike<number>;
}

/**
 * Reads a wave of two or three indices: x, y from the bottom, and layers, which are energies where their unit is V or eV, and channels where they have
 * labels. Throws FormatError.
 */
export function readIbw(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const little = bytes[0] !== 0;
	const version = little ? bytes[0] : bytes[1];
	if (version !== 5)
		fail(
			`an Igor wave of version ${version}, which has one index`,
			"an image: version 5 with two or three",
		);
	const wave = readWave(new Cursor(bytes, fail, little));
	const { shape, name, unit, data, labels } = wave;
	const [nx, ny = 1, layers = 1] = shape;
	if (shape.length < 2 || shape.length > 3)
		fail(
			shape.length === 0
				? "an Igor wave without numbers"
				: `an Igor wave of ${shape.length} ${shape.length === 1 ? "index" : "indices"}, ${shape.join(" x ")}`,
			"an image (x, y) or a stack (x, y, energy)",
		);
	if (layers > MAX_IMAGES) fail(`${layers} layers`, `at most ${MAX_IMAGES}`);
	const warnings: string[] = [];
	let infinities = 0;
	const images = Array.from({ length: layers }, (_, k) => {
		const image = new Float32Array(nx * ny);
		for (let j = 0, at = k * nx * ny; j < ny; j++)
			for (let i = 0; i < nx; i++, at++) {
				// A negative step counts from the right, or from the top.
				const ix = wave.step[0] < 0 ? nx - 1 - i : i;
				const iy = wave.step[1] < 0 ? ny - 1 - j : j;
				image[ix * ny + iy] = data[at];
			}
		infinities += dropUnmeasured(image);
		return image;
	});
	const notes = wave.note
		.split(/[\r\n]+/)
		.map((line) => /^([^:=]{1,80})[:=](.*)$/.exec(line))
		.flatMap((found): [string, string][] =>
			found ? [[found[1].trim(), found[2].trim()]] : [],
		);
	const bias = notes.find(([label]) =>
		/^(sample ?)?bias( ?voltage)?$/i.test(label),
	);
	const energy = bias ? voltage(bias[1]) : NaN;
	const own = labels.some((label) => label !== "");
	const channels: Channel[] =
		own || layers === 1
			? images.map((image, k) => ({
					name: (own && labels[k]) || (layers > 1 ? `layer ${k + 1}` : name),
					unit,
					images: [image],
				}))
			: [{ name, unit, images }];
	const stack = channels[0].images.length > 1;
	const spacing = spacingOf(wave, warnings);
	return {
		...{ format: "ibw", nx, ny },
		...(spacing && { spacing }),
		channels,
		energies: stack
			? layersOf(wave, layers, warnings)
			: Number.isFinite(energy)
				? [energy]
				: [],
		details: [
			["wave", name],
			...(wave.created > 0
				? [["created", dateOf(wave.created)] as [string, string]]
				: []),
			...worthShowing(notes),
		],
		warnings: [...warnings, ...unmeasuredWarning(infinities)],
	};
}

function readWave(cursor: Cursor): Wave {
	const { fail } = cursor;
	const at = (byte: number, type: NumberType, what: string) => {
		cursor.seek(byte, what);
		return cursor.number(type, what);
	};
	const text = (byte: number, count: number, what: string) => {
		cursor.seek(byte, what);
		return cursor.text(count, what);
	};
	const lengths = Array.from({ length: 13 }, (_, i) =>
		at(8 + 4 * i, "i4", "the lengths of notes and units"),
	);
	const [formula, note, dataUnits, ...rest] = lengths;
	const [dimUnits, dimLabels] = [rest.slice(0, 4), rest.slice(4, 8)];
	const WAVE = 64;
	const type = at(WAVE + 16, "i2", "the type");
	const stored = TYPES[type & ~COMPLEX];
	if (!stored || type & COMPLEX)
		fail(
			type === 0
				? "a wave of text"
				: `numbers of type ${type}${type & COMPLEX ? " (complex)" : ""}`,
			"real numbers",
		);
	const sizes = [0, 1, 2, 3].map((i) =>
		at(WAVE + 68 + 4 * i, "i4", "the sizes"),
	);
	const ends = sizes.indexOf(0);
	const shape = ends < 0 ? sizes : sizes.slice(0, ends);
	if (shape.some((n) => n < 1))
		fail(`sizes of ${sizes.join(", ")}`, "whole numbers from 1");
	const count = shape.reduce((product, n) => product * n, 1);
	const scale = (byte: number) =>
		[0, 1, 2, 3].map((i) => at(WAVE + byte + 8 * i, "f8", "the scales"));
	const short = [0, 1, 2, 3].map((i) => text(WAVE + 152 + 4 * i, 4, "units"));
	const shortData = text(WAVE + 148, 4, "the unit");
	const created = at(WAVE + 4, "u4", "the date");
	const name = text(WAVE + 28, 32, "the name");
	const [step, start] = [scale(84), scale(116)];
	cursor.seek(WAVE + 320, "the data");
	const data =
		shape.length === 0
			? []
			: cursor.numbers(count, stored, `${shape.join(" x ")} numbers`);
	// What follows may be missing: only the data are needed.
	const optional = (length: number) =>
		length > 0 && length <= cursor.left ? cursor.text(length, "text") : "";
	optional(formula);
	const noteText = optional(note);
	const unit = optional(dataUnits) || shortData;
	const units = dimUnits.map((length, i) => optional(length) || short[i]);
	const labels = dimLabels.map((length, dim) =>
		length > 0 && length <= cursor.left
			? labelsOf(cursor, length, dim === 2)
			: [],
	);
	return {
		...{ name, unit, shape, step, start, units },
		...{ labels: labels[2], note: noteText, created, data },
	};
}

/** 32 bytes a label; the first is the whole index's. */
function labelsOf(cursor: Cursor, length: number, kept: boolean): string[] {
	const bytes = new Cursor(cursor.take(length, "labels"), cursor.fail);
	const labels: string[] = [];
	while (kept && bytes.left >= 32) labels.push(bytes.text(32, "a label"));
	return labels.slice(1);
}

function spacingOf(
	{ step, units }: Wave,
	warnings: string[],
): Measurement["spacing"] {
	const [x, y] = [0, 1].map(
		(i) => Math.abs(step[i]) * 1e10 * (metresIn(units[i]) ?? NaN),
	);
	if ([x, y].every((a) => a > 1e-6 && a < 1e6)) return { x, y };
	warnings.push(
		"the wave's scales have no unit of length: the size is unknown",
	);
	return undefined;
}

function layersOf(
	{ step, start, units }: Wave,
	count: number,
	warnings: string[],
): number[] {
	const volts = voltsIn(units[2]);
	const energies = Array.from(
		{ length: count },
		(_, k) => (start[2] + k * step[2]) * (volts ?? NaN),
	);
	if (energies.every(Number.isFinite)) return energies;
	warnings.push(numbered(count));
	return [];
}

/** Igor counts seconds from 1904. */
const dateOf = (seconds: number): string =>
	new Date(Date.UTC(1904, 0, 1) + 1000 * seconds)
		.toISOString()
		.slice(0, 19)
		.replace("T", " ");
