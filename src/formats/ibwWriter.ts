/** Igor waves, written as version 5; ibw.ts says what they are. */
import {
	bytesOfNumbers,
	type Field,
	joined,
	placeOf,
	rowsOf,
} from "./field.ts";

const FLOATS = 2;
const HEADERS = 64 + 320;

/** Text in so many bytes, the rest zeros; the last one always is. */
function fixed(value: string, length: number): Uint8Array {
	const bytes = new Uint8Array(length);
	bytes.set(new TextEncoder().encode(value).subarray(0, length - 1));
	return bytes;
}

/** A wave of x, y upward and, of a stack, energies in eV where they are known and evenly spaced; otherwise the note lists them. */
export function encodeIbw(field: Field): Uint8Array {
	const { nx, ny, images, energies, unit } = field;
	const count = images.length;
	const data = bytesOfNumbers("f4", rowsOf(field, "bottom"));
	const { step, x, y } = placeOf(field);
	const even = energies && evenStep(energies);
	const layer = even === undefined ? [1, 0, ""] : [even, energies?.[0], "eV"];
	const note = energies
		? count === 1
			? `Bias: ${energies[0]} V`
			: `Energies (eV): ${energies.join(" ")}`
		: "";
	const noteBytes = new TextEncoder().encode(note);
	// Units of more than three letters follow the data.
	const long =
		unit.length > 3 ? new TextEncoder().encode(unit) : new Uint8Array();
	const shape = count > 1 ? [nx, ny, count] : [nx, ny];
	const four = (of: (i: number) => number) => [0, 1, 2, 3].map(of);
	const steps = [step, step, count > 1 ? (layer[0] as number) : 1];
	const starts = [x, y, count > 1 ? (layer[1] as number) : 0];
	const units = ["m", "m", count > 1 ? (layer[2] as string) : "", ""];
	const wave = joined([
		bytesOfNumbers("u4", [0, 0, 0, count * nx * ny]),
		bytesOfNumbers("i2", [FLOATS, 0, 0, 0, 0, 1]),
		fixed(field.name.replaceAll(/[^A-Za-z0-9]/g, "_"), 32),
		new Uint8Array(8),
		bytesOfNumbers(
			"i4",
			four((i) => shape[i] ?? 0),
		),
		bytesOfNumbers(
			"f8",
			four((i) => steps[i] ?? 1),
		),
		bytesOfNumbers(
			"f8",
			four((i) => starts[i] ?? 0),
		),
		fixed(long.length ? "" : unit, 4),
		...units.map((of) => fixed(of, 4)),
		new Uint8Array(152),
	]);
	const lengths = [320 + data.length, 0, noteBytes.length, long.length];
	const header = joined([
		bytesOfNumbers("i2", [5, 0]),
		bytesOfNumbers("i4", [...lengths, ...Array(11).fill(0)]),
		wave,
	]);
	if (header.length !== HEADERS)
		throw new Error(`ibw: headers of ${header.length} bytes`);
	// All 16-bit numbers of both headers add up to nothing.
	const view = new DataView(header.buffer);
	let sum = 0;
	for (let at = 0; at < HEADERS; at += 2) sum += view.getInt16(at, true);
	view.setInt16(2, -sum, true);
	return joined([header, data, noteBytes, long]);
}

/** undefined where the steps are not all the same. */
function evenStep(energies: readonly number[]): number | undefined {
	const step =
		(energies[energies.length - 1] - energies[0]) / (energies.length - 1);
	const even = energies.every(
		(e, i) => Math.abs(e - energies[0] - i * step) <= 1e-6 * Math.abs(step),
	);
	return even && step !== 0 ? step : undefined;
}
