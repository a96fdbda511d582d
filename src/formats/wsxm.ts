/**
 * WSxM images (.stp, .top, .tom, .cur): lines `Label: value` in sections, then one matrix (Nanotec's "Files format" and the file specifications of the UAM's
 * SPM image repository). A row is a line of the image, y upwards and x from right to left, as that text says of the matrix.
 */
import { Cursor, type NumberType } from "./cursor.ts";
import type { Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import {
	dropUnmeasured,
	type Fail,
	failFor,
	MAX_HEADER,
	quote,
	unmeasuredWarning,
	wholeNumber,
} from "./reading.ts";
import { metresIn, voltage } from "./units.ts";

const TYPES: Readonly<Record<string, NumberType>> = {
	...{ short: "i2", integer: "i2", float: "f4", double: "f8" },
};

export const isWsxm = (bytes: Uint8Array): boolean =>
	String.fromCharCode(...bytes.subarray(0, 19)) === "WSxM file copyright";

/** Reads the image. 16-bit numbers are scaled so that they span the Z Amplitude; others are in its unit already. Throws FormatError. */
export function readWsxm(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const head = new TextDecoder("windows-1252").decode(
		bytes.subarray(0, MAX_HEADER),
	);
	const lines = head.split(/\r?\n/, 3);
	if (!/image file/i.test(lines[1] ?? ""))
		fail(`a WSxM file of the kind ${quote(lines[1])}`, "SxM Image file");
	const end = head.indexOf("[Header end]");
	const said = /^Image header size:\s*(\d+)/i.exec(lines[2] ?? "")?.[1];
	if (end < 0) fail("no [Header end]", "a header that it closes");
	const newline = head.indexOf("\n", end);
	const start = Number(said) > end ? Number(said) : newline + 1;

	const entries = head
		.slice(0, end)
		.split(/\r?\n/)
		.flatMap((line): [string, string][] => {
			const colon = line.indexOf(":");
			return colon < 0
				? []
				: [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]];
		});
	const header = new Map(
		entries.toReversed().map(([key, value]) => [key.toLowerCase(), value]),
	);
	const nx = wholeNumber(
		header.get("number of columns"),
		"Number of columns",
		fail,
	);
	const ny = wholeNumber(header.get("number of rows"), "Number of rows", fail);
	const typed = header.get("image data type") ?? "short";
	const type = TYPES[typed.toLowerCase()];
	if (!type)
		fail(`Image Data Type ${quote(typed)}`, "short, integer, float or double");
	const cursor = new Cursor(bytes, fail);
	cursor.seek(start, "the image");
	const data = cursor.numbers(nx * ny, type, `${nx} x ${ny} pixels`);
	const warnings: string[] = [];
	if (cursor.left >= nx * Number(type[1]))
		fail(
			`${cursor.left} bytes behind the image`,
			`nothing behind ${nx} x ${ny} pixels of type ${typed}`,
		);

	const [, amplitude, unit] = lengthOf(header.get("z amplitude"));
	let [min, max] = [Infinity, -Infinity];
	for (const v of data) [min, max] = [Math.min(min, v), Math.max(max, v)];
	const whole = type === "i2";
	const calibrated = whole && amplitude > 0 && max > min;
	const scale = calibrated ? amplitude / (max - min) : 1;
	if (whole && !calibrated)
		warnings.push("the header has no Z Amplitude: values are as stored");
	const image = new Float32Array(nx * ny);
	for (let iy = 0, at = 0; iy < ny; iy++)
		for (let column = 0; column < nx; column++, at++)
			image[(nx - 1 - column) * ny + iy] = scale * data[at];
	warnings.push(...unmeasuredWarning(dropUnmeasured(image)));

	const sides = ["x amplitude", "y amplitude"].map((key) => {
		const [, length, of] = lengthOf(header.get(key));
		return length * (metresIn(of) ?? NaN);
	});
	const known = sides.every((side) => side > 1e-13 && side < 1e-3);
	if (!known)
		warnings.push(
			"X and Y Amplitude are no lengths of a scan: the size is unknown",
		);
	const energy = voltage(header.get("topography bias") ?? "");
	return {
		...{ format: "wsxm", nx, ny },
		...(known && {
			spacing: { x: (sides[0] * 1e10) / nx, y: (sides[1] * 1e10) / ny },
		}),
		channels: [
			{
				name: header.get("acquisition channel") || "image",
				unit: whole && !calibrated ? "" : unit,
				images: [image],
			},
		],
		energies: Number.isFinite(energy) ? [energy] : [],
		details: worthShowing(
			entries.filter(([key]) => !/light|tilt|^rotation/i.test(key)),
		),
		warnings,
	};
}

/** "500 nm": the whole, 500, "nm". */
function lengthOf(text: string | undefined): [string, number, string] {
	const found = /^([-+\d.e]+)\s*(.*)$/i.exec(text ?? "");
	return found ? [found[0], Number(found[1]), found[2]] : ["", NaN, ""];
}
