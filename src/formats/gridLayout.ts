/** The header of a Nanonis grid, and what it says about the numbers behind it. */
import {
	decodeText,
	type Fail,
	indexOfText,
	MAX_BYTES,
	MAX_HEADER,
	MAX_IMAGES,
	quote,
	size,
	wholeNumber,
} from "./reading.ts";

const END = ":HEADER_END:";

/** Key to value, without quotes. */
export type Header = ReadonlyMap<string, string>;

export interface Layout {
	readonly nx: number;
	readonly ny: number;
	readonly points: number;
	readonly parameters: readonly string[];
	/** 4-byte numbers before a point's first channel. */
	readonly parameterCount: number;
	readonly channels: readonly string[];
	/** 4-byte numbers of a point of the grid. */
	readonly length: number;
}

/** Do the bytes begin like a grid? */
export const isGrid = (bytes: Uint8Array): boolean =>
	indexOfText(bytes, END) >= 0 && indexOfText(bytes, "Grid dim") >= 0;

/** The header, and where the data begin. */
export function readHeader(
	bytes: Uint8Array,
	fail: Fail,
): { header: Header; start: number } {
	const end = indexOfText(bytes, END);
	if (end < 0)
		fail(
			`no ${END} in the first ${size(Math.min(bytes.length, MAX_HEADER))}`,
			"a header that it closes",
		);
	let start = end + END.length;
	if (bytes[start] === 13) start++;
	if (bytes[start] === 10) start++;

	const header = new Map<string, string>();
	let key = "";
	let parts: string[] = [];
	let open = false;
	for (const line of decodeText(bytes.subarray(0, end)).split(/\r\n|\r|\n/)) {
		const equals = line.indexOf("=");
		if (!open && equals < 0) continue;
		if (!open) key = line.slice(0, equals).trim();
		const part: string = open ? line.trim() : line.slice(equals + 1).trim();
		// What begins with a quote goes on to the line that ends with one: comments have several lines.
		const quoted: boolean = open || part[0] === '"';
		parts = open ? parts : [];
		parts.push(part);
		open = quoted && (!part.endsWith('"') || (!open && part === '"'));
		if (open || header.has(key)) continue;
		const value = parts.join(" ");
		header.set(key, quoted ? value.slice(1, -1) : value);
	}
	return { header, start };
}

/** The items between semicolons. */
export const list = (text: string | undefined) =>
	(text ?? "")
		.split(";")
		.map((item) => item.trim())
		.filter(Boolean);

/** Sizes and names; throws what does not fit together. */
export function readLayout(header: Header, fail: Fail): Layout {
	const dim = header.get("Grid dim");
	const [, width, height] = /^([^x]*)x([^x]*)$/i.exec(dim ?? "") ?? [];
	if (width === undefined)
		fail(`Grid dim = ${quote(dim)}`, "a width and a height as in 64 x 64");
	const nx = wholeNumber(width, "the width in Grid dim", fail);
	const ny = wholeNumber(height, "the height in Grid dim", fail);
	const points = wholeNumber(header.get("Points"), "Points", fail);
	const channels = list(header.get("Channels"));
	if (channels.length === 0)
		fail(`Channels = ${quote(header.get("Channels"))}`, "names of channels");
	const parameters = [
		...list(header.get("Fixed parameters")),
		...list(header.get("Experiment parameters")),
	];
	const said = header.get("# Parameters (4 byte)");
	const parameterCount =
		said === undefined
			? parameters.length
			: said.trim() === "0"
				? 0
				: wholeNumber(said, "# Parameters (4 byte)", fail);
	if (parameterCount < parameters.length)
		fail(
			`# Parameters (4 byte) = ${parameterCount}`,
			`at least the ${parameters.length} that the header names`,
		);
	if (channels.length * points > MAX_IMAGES)
		fail(
			`${channels.length} channels of ${points} points`,
			`at most ${MAX_IMAGES} images`,
		);
	const experiment = header.get("Experiment size (bytes)");
	const bytes = 4 * channels.length * points;
	if (experiment !== undefined && Number(experiment) !== bytes)
		fail(
			`Experiment size (bytes) = ${quote(experiment)}`,
			`${bytes}, for ${channels.length} channels of ${points} points`,
		);
	const length = parameterCount + channels.length * points;
	return { nx, ny, points, parameters, parameterCount, channels, length };
}

/** How many points of the grid the file holds: all, or fewer when it was stopped. */
export function heldPoints(
	{ nx, ny, length }: Layout,
	found: number,
	warnings: string[],
	fail: Fail,
): number {
	const announced = 4 * length * nx * ny;
	const whole = `${nx} x ${ny} points of ${4 * length} bytes`;
	if (announced > MAX_BYTES)
		fail(
			`a header that announces ${whole}, ${size(announced)}`,
			`at most ${size(MAX_BYTES)}`,
		);
	const held = Math.min(Math.floor(found / (4 * length)), nx * ny);
	if (held === 0)
		fail(`${found} bytes behind the header`, `at least one of ${whole}`);
	// A grid may stop early, but of a large one memory is taken for no more than four times what is there.
	if (
		(announced > 2 ** 26 && found < announced / 100) ||
		(announced > 2 ** 28 && found < announced / 4)
	)
		fail(`${found} bytes behind the header`, `${whole}, ${size(announced)}`);
	const rest = found - 4 * held * length;
	if (held === nx * ny && rest >= 4 * length)
		fail(`${found} bytes behind the header`, `${whole}, ${announced} bytes`);
	if (held === nx * ny && rest > 0)
		warnings.push(`${rest} bytes behind the last point are ignored`);
	return held;
}
