/** Writers of other programs' images, by the formats' definitions and apart from the readers. Images are functions of (ix, iy), y from the bottom. */
import { deflateSync } from "node:zlib";
import { concat, type Pixels } from "./formatFixtures.ts";

/** The stack of goldens/makeFormats.py. */
export const PIXELS: Pixels = (ix, iy, e) => 1 + ix + 10 * iy + 100 * e;

/** Bytes of numbers: pack("<i4", 1, 2). */
export function pack(
	type: `${"<" | ">"}${"i1" | "i2" | "u2" | "i4" | "u4" | "f4" | "f8"}`,
	...values: number[]
): Uint8Array {
	const [little, step] = [type[0] === "<", Number(type[2])];
	const view = new DataView(new ArrayBuffer(step * values.length));
	const set = {
		i1: (at: number, v: number) => view.setInt8(at, v),
		i2: (at: number, v: number) => view.setInt16(at, v, little),
		u2: (at: number, v: number) => view.setUint16(at, v, little),
		i4: (at: number, v: number) => view.setInt32(at, v, little),
		u4: (at: number, v: number) => view.setUint32(at, v, little),
		f4: (at: number, v: number) => view.setFloat32(at, v, little),
		f8: (at: number, v: number) => view.setFloat64(at, v, little),
	}[type.slice(1) as "f4"];
	values.forEach((value, i) => {
		set(step * i, value);
	});
	return new Uint8Array(view.buffer);
}

/** Text of so many bytes, filled up with zeros. */
export const padded = (text: string, length: number): Uint8Array =>
	concat(text, new Uint8Array(length - Buffer.byteLength(text)));

/** Rows from the top. */
export const fromTop = (
	pixels: Pixels,
	nx: number,
	ny: number,
	image = 0,
): number[] =>
	Array.from({ length: nx * ny }, (_, p) =>
		pixels(p % nx, ny - 1 - Math.floor(p / nx), image),
	);

type Part = string | number | Uint8Array | { D: number[] };
/** An object of Gwyddion's: integers are numbers, and doubles are arrays of bytes by gwyDouble. */
export function gwyObject(name: string, parts: Record<string, Part>) {
	const body = concat(
		...Object.entries(parts).map(([key, value]) =>
			concat(
				`${key}\0`,
				typeof value === "string"
					? `s${value}\0`
					: typeof value === "number"
						? concat("i", pack("<i4", value))
						: value instanceof Uint8Array
							? value
							: concat(
									"D",
									pack("<u4", value.D.length),
									pack("<f8", ...value.D),
								),
			),
		),
	);
	return concat(`o${name}\0`, pack("<u4", body.length), body);
}
const gwyDouble = (value: number) => concat("d", pack("<f8", value));
const gwyUnit = (unitstr: string) => gwyObject("GwySIUnit", { unitstr });

export interface GwyImage {
	readonly title?: string;
	readonly unit?: string;
	readonly lateral?: string;
	readonly nx?: number;
	readonly ny?: number;
	readonly meta?: Record<string, string>;
}

export const gwyField = (
	image: number,
	{ unit = "A", lateral = "m", nx = 5, ny = 4 }: GwyImage = {},
) =>
	gwyObject("GwyDataField", {
		...{ xres: nx, yres: ny },
		xreal: gwyDouble(2e-9 * nx),
		yreal: gwyDouble(1e-9 * ny),
		si_unit_xy: gwyUnit(lateral),
		si_unit_z: gwyUnit(unit),
		data: { D: fromTop(PIXELS, nx, ny, image) },
	});

export function gwyFile(
	images: readonly GwyImage[] = [
		{ title: "dI/dV", meta: { Bias: "-45 mV", "Set point": "1 nA" } },
	],
	more: Record<string, Part> = {},
): Uint8Array {
	const parts: Record<string, Part> = {
		"/filename": "a.gwy",
		"/0/show": concat("b", Uint8Array.of(1)),
	};
	for (const [i, image] of images.entries()) {
		parts[`/${i}/data`] = gwyField(i, image);
		if (image.title) parts[`/${i}/data/title`] = image.title;
		if (image.meta) parts[`/${i}/meta`] = gwyObject("GwyContainer", image.meta);
	}
	const container = gwyObject("GwyContainer", { ...parts, ...more });
	return concat("GWYP", container.subarray(1));
}

/** A stack of three levels, with or without a line of calibration. */
export const gwyBrick = (calibrated: boolean): Uint8Array =>
	gwyFile([], {
		"/brick/0": gwyObject("GwyBrick", {
			...{ xres: 5, yres: 4, zres: 3 },
			xreal: gwyDouble(1e-8),
			yreal: gwyDouble(4e-9),
			zreal: gwyDouble(0.3),
			zoff: gwyDouble(-0.1),
			si_unit_x: gwyUnit("m"),
			si_unit_y: gwyUnit("m"),
			si_unit_z: gwyUnit("V"),
			si_unit_w: gwyUnit("S"),
			data: { D: [0, 1, 2].flatMap((e) => fromTop(PIXELS, 5, 4, e)) },
			...(calibrated && {
				calibration: gwyObject("GwyDataLine", {
					...{ res: 3, si_unit_y: gwyUnit("mV") },
					data: { D: [-10, 0, 20] },
				}),
			}),
		}),
		"/brick/0/title": "LIY",
	});

export function gsfFile(
	lines: Record<string, string | number> = {},
	header = Object.entries({
		XRes: 5,
		YRes: 4,
		XReal: 1e-8,
		YReal: 4e-9,
		XYUnits: "m",
		ZUnits: "m",
		Title: "Z",
		Bias: "0.05 V",
		...lines,
	})
		.map(([name, value]) => `${name} = ${value}\n`)
		.join(""),
): Uint8Array {
	const text = `Gwyddion Simple Field 1.0\n${header}`;
	return concat(
		padded(text, text.length + 4 - (text.length % 4)),
		pack("<f4", ...fromTop(PIXELS, 5, 4)),
	);
}

export interface IbwOptions {
	readonly shape?: readonly number[];
	readonly big?: boolean;
	/** Of each index: step, start, unit. */
	readonly scales?: readonly (readonly [number, number, string])[];
	readonly labels?: readonly string[];
	readonly type?: number;
	readonly note?: string;
}

/** An Igor wave of version 5, whose values are those of PIXELS along its indices. */
export function ibwFile({
	shape = [5, 4, 3],
	big = false,
	scales = [
		[2e-9, -4e-9, "m"],
		[1, 0, "nm"],
		[0.01, -0.01, "V"],
	],
	labels = [],
	type = 2,
	note = "Bias: 0.1 V\rSetpoint: 1 nA\rwhatever",
}: IbwOptions = {}): Uint8Array {
	const order = big ? ">" : "<";
	const count = shape.reduce((a, b) => a * b, 1);
	const [nx, ny = 1] = shape;
	const values = Array.from({ length: count }, (_, i) =>
		PIXELS(i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))),
	);
	const data = pack(
		`${order}${({ 2: "f4", 4: "f8", 16: "i2" } as const)[type as 2]}`,
		...values,
	);
	const extended = scales.map(([, , unit]) => (unit.length > 3 ? unit : ""));
	const labelBytes = concat(...labels.map((label) => padded(label, 32)));
	const lengths = [
		...[320 + data.length, 0, note.length, 0],
		...[0, 1, 2, 3].map((i) => extended[i]?.length ?? 0),
		...[0, 0, labelBytes.length, 0],
		...[0, 0, 0],
	];
	const four = <T>(of: (i: number) => T) => [0, 1, 2, 3].map(of);
	const wave = concat(
		pack(`${order}u4`, 0, 3.8e9, 0, count),
		pack(`${order}i2`, type, 0, 0, 0, 0, 1),
		padded("LIY", 32),
		pack(`${order}i4`, 0, 0),
		pack(`${order}i4`, ...four((i) => shape[i] ?? 0)),
		pack(`${order}f8`, ...four((i) => scales[i]?.[0] ?? 1)),
		pack(`${order}f8`, ...four((i) => scales[i]?.[1] ?? 0)),
		padded("nS", 4),
		...four((i) => padded(extended[i] ? "" : (scales[i]?.[2] ?? ""), 4)),
		new Uint8Array(152),
	);
	const head = (checksum: number) =>
		concat(
			pack(`${order}i2`, 5, checksum),
			pack(`${order}i4`, lengths[0], ...lengths.slice(1)),
		);
	const view = new DataView(Uint8Array.from(concat(head(0), wave)).buffer);
	let sum = 0;
	for (let at = 0; at < 384; at += 2) sum += view.getInt16(at, !big);
	return concat(
		head((-sum << 16) >> 16),
		wave,
		data,
		note,
		extended.join(""),
		labelBytes,
	);
}

export interface CreatecOptions {
	readonly planes?: number;
	readonly finished?: number;
	/** Lines of the header to change, or to leave out (undefined). */
	readonly keys?: Record<string, string | undefined>;
	/** Between the word DATA and the stream. */
	readonly gap?: string;
}

/** A Createc image; plane p holds the pixels of PIXELS(ix, iy, p), in units of the converter. */
export function createcFile({
	planes = 4,
	finished = 4,
	keys = {},
	gap = "",
}: CreatecOptions = {}): Uint8Array {
	const lines: Record<string, string | undefined> = {
		"DAC-Type": "20bit",
		"Titel(File) / Titel": "lHe",
		"Num.X / Num.X": "5",
		"Num.Y / Num.Y": "4",
		"GainZ / GainZ": "3",
		"BiasVoltage / BiasVolt.[mV]": "-45.00",
		"Gainpreamp / GainPre 10^": "9",
		"Channels / Channels": String(planes),
		"Channelselectval / Channelselectval": planes === 4 ? "3" : "131",
		"Dacto[A]z": "0.00020",
		ImageYPosMax: String(finished + 1),
		FBLogIset: "300.0",
		LockinAmpl: "10.0",
		"Length x[A]": "100",
		"Length y[A]": "40",
		"memo:0": "a remark",
		...keys,
	};
	const header = Object.entries(lines)
		.filter(([, value]) => value !== undefined)
		.map(([key, value]) => `${key}=${value}\r\n`)
		.join("");
	const values = Array.from({ length: planes }, (_, plane) =>
		fromTop(PIXELS, 5, 4, plane).fill(0, 5 * finished),
	);
	const data = pack("<f4", 0, ...values.flat(), 7, 7);
	return concat(
		`[Paramco32]\r\n${header}\0\0\nDATA${gap}`,
		new Uint8Array(deflateSync(data)),
	);
}

export interface WsxmOptions {
	readonly type?: "short" | "float" | "double";
	readonly lines?: Record<string, string>;
}

/** A WSxM image: rows upwards, x from right to left. 16-bit numbers are ten times the pixels. */
export function wsxmFile({ type = "short", lines = {} }: WsxmOptions = {}) {
	const all = {
		"X Amplitude": "100 Å",
		"Y Amplitude": "4 nm",
		"Topography Bias": "-45 mV",
		"Set Point": "1 nA",
		"Acquisition channel": "Topography",
		"Image Data Type": type,
		"Number of columns": "5",
		"Number of rows": "4",
		"Z Amplitude": "34 pm",
		Comments: "a remark",
		...lines,
	};
	const body = Object.entries(all)
		.map(([label, value]) => `    ${label}: ${value}\r\n`)
		.join("");
	const head = (size: number) =>
		`WSxM file copyright UAM\r\nSxM Image file\r\nImage header size: ${size}\r\n[Control]\r\n\r\n${body}\r\n[Header end]\r\n`;
	const length = Buffer.from(head(100), "latin1").length;
	const values = Array.from({ length: 20 }, (_, p) =>
		PIXELS(4 - (p % 5), Math.floor(p / 5), 0),
	);
	const data = {
		short: () => pack("<i2", ...values.map((v) => 10 * v)),
		float: () => pack("<f4", ...values),
		double: () => pack("<f8", ...values),
	}[type]();
	return concat(new Uint8Array(Buffer.from(head(length), "latin1")), data);
}

export interface Sm4Page {
	readonly kind?: number;
	readonly label?: string;
	readonly scanType?: number;
	readonly bias?: number;
	readonly nx?: number;
	/** Of x and y. */
	readonly signs?: readonly [number, number];
	/** A page of spectra of nx points on such a grid, 20 A x 10 A apart, turned by so many degrees. */
	readonly grid?: {
		readonly sides: readonly [number, number];
		readonly repeats?: number;
		readonly angle?: number;
		/** As a grid that runs back and forth. */
		readonly serpentine?: boolean;
		readonly unit?: string;
	};
}

/** Values and places of the spectra of a grid, as stored. */
function sm4Spectra(page: Sm4Page, number: number) {
	const { nx = 5, grid } = page;
	const {
		sides,
		repeats = 1,
		angle = 0,
		serpentine,
	} = grid as NonNullable<Sm4Page["grid"]>;
	const [c, s] = [Math.cos, Math.sin].map((f) => f((angle * Math.PI) / 180));
	const values: number[] = [];
	const places: number[] = [];
	for (let row = 0; row < sides[1]; row++)
		for (let k = 0; k < sides[0]; k++) {
			const column = serpentine && row % 2 ? sides[0] - 1 - k : k;
			// From the right and from the top, as the microscope did in the files that were looked at.
			const [ix, iy] = [sides[0] - 1 - column, sides[1] - 1 - row];
			const [x, y] = [2e-9 * ix, 1e-9 * iy];
			for (let r = 0; r < repeats; r++) {
				const change = r - (repeats - 1) / 2;
				for (let e = 0; e < nx; e++)
					values.push(1000 * (PIXELS(ix, iy, e) + number + change - 5));
				places.push(0, 1e-7 + c * x - s * y, s * x + c * y, 0, 0, 0, 0);
			}
		}
	return { values, places };
}

/** An RHK file of such pages; stored numbers are 1000 times PIXELS(ix, iy, page), less 5. */
export function sm4File(
	pages: readonly Sm4Page[] = [{}, { label: "LIA", scanType: 1 }],
): Uint8Array {
	const wide = (text: string) =>
		concat(...[...text].map((c) => pack("<u2", c.charCodeAt(0))));
	const text = (value: string) =>
		concat(pack("<u2", value.length), wide(value));
	const object = (id: number, at: number, length: number) =>
		pack("<u4", id, at, length);
	const indexAt = 2 + 56 + 12;
	const pagesAt = indexAt + 16 + 12;
	const firstAt = pagesAt + pages.length * (32 + 24);
	const index: Uint8Array[] = [];
	const bodies: Uint8Array[] = [];
	let at = firstAt;
	for (const [number, page] of pages.entries()) {
		const { grid, label = "Topography", scanType = 0 } = page;
		const { kind = grid ? 1 : 0, bias = 0.5, nx = 5, signs = [1, -1] } = page;
		const units = grid ? [grid.unit ?? "V", "", "A"] : ["m", "m", "A"];
		const strings = concat(
			...[label, "", "", "a remark", "", "01/02/24", "10:11:12"].map(text),
			...units.map(text),
		);
		const image = () =>
			Array.from({ length: nx * 4 }, (_, p) => {
				const [column, row] = [p % nx, Math.floor(p / nx)];
				const ix = signs[0] < 0 ? nx - 1 - column : column;
				const iy = signs[1] < 0 ? 3 - row : row;
				return 1000 * (PIXELS(ix, iy, number) - 5);
			});
		const { values, places } = grid
			? sm4Spectra(page, number)
			: { values: image(), places: [] };
		const ny = values.length / nx;
		const data = pack("<i4", ...values);
		const where = pack("<f4", ...places);
		const scale = grid ? [-0.005, 1] : [signs[0] * 2e-9, signs[1] * 1e-9];
		const header = concat(
			pack("<u2", 170, 10),
			pack("<u4", 1, 0, 0, 0, 0, nx, ny, 0, scanType, 0, data.length, 0, 0),
			pack("<f4", ...scale, 1e-3, 0, grid ? 0.3 : 0, 0, 5),
			pack("<f4", 0, bias, 1e-10, grid ? 0 : 30),
			pack("<u4", 0, ...(grid?.sides ?? [0, 0]), grid ? 2 : 1),
			new Uint8Array(64),
		);
		const stringsAt = at + header.length + (grid ? 24 : 12);
		const placesAt = stringsAt + strings.length;
		const dataAt = placesAt + where.length;
		bodies.push(header, object(10, stringsAt, strings.length));
		if (grid) bodies.push(object(8, placesAt, where.length));
		bodies.push(strings, where, data);
		index.push(
			concat(
				new Uint8Array(16).fill(number + 1),
				pack("<u4", kind, 0, 2, 6),
				object(3, at, header.length),
				object(4, dataAt, data.length),
			),
		);
		at = dataAt + data.length;
	}
	return concat(
		pack("<u2", 56),
		padded(String.fromCharCode(...wide("STiMage 005.006 1")), 36),
		pack("<u4", pages.length, 1, 12, 0, 0),
		object(1, indexAt, 16),
		pack("<u4", pages.length, 1, 0, 0),
		object(2, pagesAt, 32 * pages.length),
		...index,
		...bodies,
	);
}
