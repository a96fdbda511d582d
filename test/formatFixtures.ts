/** Writers of small instrument files, by the formats' definitions and apart from the readers. Images are functions of (ix, iy), y from the bottom. */
import { crc32, deflateSync } from "node:zlib";

/** The value at pixel (ix, iy); `image` counts the images of the file, or is the energy's number. */
export type Pixels = (ix: number, iy: number, image: number) => number;

export const concat = (...parts: (string | Uint8Array)[]): Uint8Array =>
	new Uint8Array(
		Buffer.concat(
			parts.map((p) => (typeof p === "string" ? Buffer.from(p) : p)),
		),
	);

const floats = (values: readonly number[], little = false): Uint8Array => {
	const view = new DataView(new ArrayBuffer(4 * values.length));
	values.forEach((value, i) => {
		view.setFloat32(4 * i, value, little);
	});
	return new Uint8Array(view.buffer);
};

export interface SxmOptions {
	nx?: number;
	ny?: number;
	/** Metres. */
	range?: [number, number];
	channels?: { name: string; unit: string; direction: string }[];
	up?: boolean;
	/** What SCANIT_TYPE says. */
	type?: string;
	/** How the numbers are written. */
	little?: boolean;
	/** Tag to value, to change the header's lines, or to leave them out (undefined). */
	tags?: Record<string, string | undefined>;
	newline?: string;
}

export const SXM_CHANNELS = [
	{ name: "Z", unit: "m", direction: "both" },
	{ name: "LIY_1_omega", unit: "A", direction: "both" },
];

/** A Nanonis scan. `pixels` gets the number of the image as it stands in the file: channel by channel, forward before backward. */
export function sxmFile(
	pixels: Pixels = (ix, iy, image) => 1 + ix + 100 * iy + 1e4 * image,
	options: SxmOptions = {},
): Uint8Array {
	const { nx = 5, ny = 4, range = [20e-9, 8e-9], up = false } = options;
	const { channels = SXM_CHANNELS, newline = "\n" } = options;
	const tags: Record<string, string | undefined> = {
		NANONIS_VERSION: "2",
		SCANIT_TYPE: `              ${options.type ?? "FLOAT            MSBFIRST"}`,
		REC_DATE: " 22.10.2014",
		SCAN_PIXELS: `       ${nx}       ${ny}`,
		SCAN_RANGE: range
			.map((r) => `           ${r.toExponential(6).toUpperCase()}`)
			.join(""),
		SCAN_ANGLE: "            4.500E+1",
		SCAN_DIR: up ? "up" : "down",
		BIAS: "            4.500E-2",
		COMMENT: `first line${newline}second line`,
		DATA_INFO: [
			"\tChannel\tName\tUnit\tDirection\tCalibration\tOffset",
			...channels.map(
				(c, i) => `\t${i}\t${c.name}\t${c.unit}\t${c.direction}\t9.000E-9\t0`,
			),
			"",
		].join(newline),
		...options.tags,
	};
	const header = Object.entries(tags)
		.filter(([, value]) => value !== undefined)
		.map(([tag, value]) => `:${tag}:${newline}${value}${newline}`);
	const values: number[] = [];
	let image = 0;
	for (const { direction } of channels)
		for (const backward of [false, true]) {
			if (!backward && /^b[aw]/.test(direction)) continue;
			if (backward && /^f/.test(direction)) continue;
			for (let row = 0; row < ny; row++)
				for (let column = 0; column < nx; column++)
					values.push(
						pixels(
							backward ? nx - 1 - column : column,
							up ? row : ny - 1 - row,
							image,
						),
					);
			image++;
		}
	return concat(
		header.join(""),
		`:SCANIT_END:${newline}${newline}${newline}`,
		Uint8Array.of(0x1a, 0x04),
		floats(values, options.little),
	);
}

export interface GridOptions {
	nx?: number;
	ny?: number;
	points?: number;
	/** Volt. */
	sweep?: [number, number];
	/** Metres. */
	size?: [number, number];
	channels?: string[];
	/** Lines of the header to change, or to leave out (undefined). */
	keys?: Record<string, string | undefined>;
	newline?: string;
}

/** A Nanonis grid. `pixels` gets the number of the energy, plus 1000 times that of the channel; the height Z is 1e-10 ix + 1e-9 iy. */
export function gridFile(
	pixels: Pixels = (ix, iy, i) => 1 + ix + 10 * iy + 0.001 * i,
	options: GridOptions = {},
): Uint8Array {
	const { nx = 4, ny = 3, points = 5, sweep = [-0.1, 0.1] } = options;
	const { size = [8e-9, 6e-9], newline = "\r\n" } = options;
	const { channels = ["Current (A)", "LIY 1 omega [AVG] (A)"] } = options;
	const keys: Record<string, string | undefined> = {
		"Grid dim": `"${nx} x ${ny}"`,
		"Grid settings": `1.000000E-8;-2.000000E-8;${size[0].toExponential(6)};${size[1].toExponential(6)};0.000000E+0`,
		"Sweep Signal": '"Bias (V)"',
		"Fixed parameters": '"Sweep Start;Sweep End"',
		"Experiment parameters": '"X (m);Y (m);Z (m)"',
		"# Parameters (4 byte)": "5",
		"Experiment size (bytes)": String(4 * points * channels.length),
		Points: String(points),
		Channels: `"${channels.join(";")}"`,
		Experiment: '"Grid Spectroscopy"',
		Comment: `"10 K${newline}Points=7${newline}end"`,
		...options.keys,
	};
	const header = Object.entries(keys)
		.filter(([, value]) => value !== undefined)
		.map(([key, value]) => `${key}=${value}${newline}`);
	const values: number[] = [];
	for (let iy = 0; iy < ny; iy++)
		for (let ix = 0; ix < nx; ix++) {
			const x = 1e-8 + ((ix + 0.5) / nx - 0.5) * size[0];
			const y = -2e-8 + ((iy + 0.5) / ny - 0.5) * size[1];
			values.push(...sweep, x, y, 1e-10 * ix + 1e-9 * iy);
			for (let c = 0; c < channels.length; c++)
				for (let i = 0; i < points; i++)
					values.push(pixels(ix, iy, i + 1000 * c));
		}
	return concat(header.join(""), `:HEADER_END:${newline}`, floats(values));
}

export interface PngOptions {
	width?: number;
	height?: number;
	depth?: number;
	/** PNG's colour type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
	colour?: number;
	palette?: number[][];
	/** In place of the packed rows. */
	data?: Uint8Array;
	/** Chunks before the data: type and bytes. */
	extra?: [string, Uint8Array][];
}

export function pngChunk(type: string, data: Uint8Array): Uint8Array {
	const body = concat(type, data);
	const frame = new DataView(new ArrayBuffer(8));
	frame.setUint32(0, data.length);
	frame.setUint32(4, crc32(body));
	const bytes = new Uint8Array(frame.buffer);
	return concat(bytes.slice(0, 4), body, bytes.slice(4));
}

/** A picture; `samples` gives those of the pixel, whose row counts from the top as in the file. */
export function pngFile(
	samples: (column: number, row: number) => number[],
	options: PngOptions = {},
): Uint8Array {
	const { width = 5, height = 3, depth = 8, colour = 0 } = options;
	const head = new DataView(new ArrayBuffer(13));
	head.setUint32(0, width);
	head.setUint32(4, height);
	head.setUint8(8, depth);
	head.setUint8(9, colour);
	const rows: number[] = [];
	for (let row = 0; !options.data && row < height; row++) {
		let bits = "";
		for (let column = 0; column < width; column++)
			for (const sample of samples(column, row))
				bits += sample.toString(2).padStart(depth, "0");
		rows.push(0);
		for (let at = 0; at < bits.length; at += 8)
			rows.push(Number.parseInt(bits.slice(at, at + 8).padEnd(8, "0"), 2));
	}
	const { palette = [], extra = [] } = options;
	return concat(
		Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
		pngChunk("IHDR", new Uint8Array(head.buffer)),
		...extra.map(([type, data]) => pngChunk(type, data)),
		...(palette.length > 0
			? [
					pngChunk(
						"PLTE",
						Uint8Array.from(palette.flatMap((c) => c.slice(0, 3))),
					),
					pngChunk(
						"tRNS",
						Uint8Array.from(palette, (c) => c[3] ?? 255),
					),
				]
			: []),
		pngChunk(
			"IDAT",
			new Uint8Array(deflateSync(options.data ?? Uint8Array.from(rows))),
		),
		pngChunk("IEND", new Uint8Array()),
	);
}
