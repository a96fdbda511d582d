/** Gwyddion Simple Field, .gsf (user guide): a line, a header of `Name = value` lines, zeros up to a multiple of four bytes, then floats from the top row. */
import {
	bytesOfNumbers,
	type Field,
	joined,
	placeOf,
	rowsOf,
} from "./field.ts";
import type { Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import {
	decodeText,
	dropUnmeasured,
	type Fail,
	failFor,
	MAX_BYTES,
	MAX_HEADER,
	size,
	unmeasuredWarning,
	wholeNumber,
} from "./reading.ts";
import { metresIn, voltage } from "./units.ts";

export const GSF_MAGIC = "Gwyddion Simple Field 1.0";

/** Reads the one image of the file. A line "Bias" of the header is its energy. Throws FormatError. */
export function readGsf(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const end = bytes.subarray(0, MAX_HEADER).indexOf(0);
	if (end < 0)
		fail(
			`no zero in the first ${size(Math.min(bytes.length, MAX_HEADER))}`,
			"a header that zeros close",
		);
	const [, ...lines] = decodeText(bytes.subarray(0, end)).split(/\r?\n/);
	const header = new Map(
		lines.flatMap((line): [string, string][] => {
			const at = line.indexOf("=");
			return at < 0
				? []
				: [[line.slice(0, at).trim(), line.slice(at + 1).trim()]];
		}),
	);
	const nx = wholeNumber(header.get("XRes"), "XRes", fail);
	const ny = wholeNumber(header.get("YRes"), "YRes", fail);
	const start = end + 4 - (end % 4);
	const expected = 4 * nx * ny;
	if (expected > MAX_BYTES)
		fail(`${nx} x ${ny} pixels`, `at most ${size(MAX_BYTES)}`);
	const found = bytes.length - start;
	const warnings: string[] = [];
	if (found < expected || found - expected >= 4 * nx)
		fail(
			`${found} bytes behind the header`,
			`${expected} for ${nx} x ${ny} pixels${found < expected ? ": cut short?" : ""}`,
		);
	if (found > expected)
		warnings.push(`${found - expected} bytes behind the image are ignored`);

	const view = new DataView(bytes.buffer, bytes.byteOffset + start, expected);
	const image = new Float32Array(nx * ny);
	for (let row = 0, at = 0; row < ny; row++)
		for (let ix = 0; ix < nx; ix++, at += 4)
			image[ix * ny + (ny - 1 - row)] = view.getFloat32(at, true);
	warnings.push(...unmeasuredWarning(dropUnmeasured(image)));

	// Where the header does not say them they are 1, without a unit.
	const scale = metresIn(header.get("XYUnits") ?? "");
	const [x, y] = ["XReal", "YReal"].map(
		(name) => Number(header.get(name) ?? 1) * (scale ?? NaN),
	);
	const known = [x, y].every((side) => side > 1e-13 && side < 1e-3);
	if (!known)
		warnings.push(
			"XReal, YReal and XYUnits are no lengths of a scan: the size is unknown",
		);
	const bias = [...header].find(([name]) => /^bias\b/i.test(name));
	const energy = bias ? voltage(bias[1]) : NaN;
	return {
		...{ format: "gsf", nx, ny },
		...(known && { spacing: { x: (x * 1e10) / nx, y: (y * 1e10) / ny } }),
		channels: [
			{
				name: header.get("Title") || "image",
				unit: header.get("ZUnits") ?? "",
				images: [image],
			},
		],
		energies: Number.isFinite(energy) ? [energy] : [],
		details: worthShowing(header),
		warnings,
	};
}

/** One image of a field as a file; pixels that were not measured are NaN. */
export function encodeGsf(field: Field, index = 0): Uint8Array {
	const { step, x, y } = placeOf(field);
	const one = { ...field, images: [field.images[index]] };
	const bias = field.energies?.[index];
	const lines = [
		GSF_MAGIC,
		`XRes = ${field.nx}`,
		`YRes = ${field.ny}`,
		`XReal = ${field.nx * step}`,
		`YReal = ${field.ny * step}`,
		`XOffset = ${x - step / 2}`,
		`YOffset = ${y - step / 2}`,
		`Title = ${field.name}`,
		"XYUnits = m",
		...(field.unit ? [`ZUnits = ${field.unit}`] : []),
		...(bias === undefined ? [] : [`Bias = ${bias} V`]),
		"",
	];
	const header = new TextEncoder().encode(lines.join("\n"));
	// One to four zeros.
	const zeros = new Uint8Array(4 - (header.length % 4));
	return joined([header, zeros, bytesOfNumbers("f4", rowsOf(one, "top"))]);
}
