/** Writers of other programs' images, by the formats' definitions and apart from the readers. Images are functions of (ix, iy), y from the bottom. */
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
