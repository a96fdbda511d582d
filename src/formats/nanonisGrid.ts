/**
 * Nanonis grids (.3ds): a spectrum at each point of a grid. The format: lines `key=value` or `key="value"` up to `:HEADER_END:`; then, point by
 * point, the parameters and the channels one after the other, big-endian 4-byte floats. Points run along x and then upwards: a grid
 * has no direction, its first row is the lowest. A point stands in the middle of its pixel, so a pixel's size is the side over the number of
 * points. (As nanonispy, SIDAM and stmpy have it.)
 */
import {
	type Header,
	heldPoints,
	type Layout,
	list,
	readHeader,
	readLayout,
} from "./gridLayout.ts";
import type { Channel, Measurement } from "./measurement.ts";
import {
	digitsOf,
	dropUnmeasured,
	type Fail,
	failFor,
	numbersOf,
	pixelSize,
	unmeasuredWarning,
} from "./reading.ts";

/**
 * Reads a grid. Its channels keep their names ("LIY 1 omega [AVG]", "Current [bwd]") without the unit, and have one image an energy, in the sweep's
 * order; the height before each spectrum (the parameter Z) is one more channel, whose images are one and the same array. What a grid that was stopped
 * does not hold is NaN, and a warning says how much that is. Throws FormatError.
 */
export function readGrid(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	const warnings: string[] = [];
	const { header, start } = readHeader(bytes, fail);
	const layout = readLayout(header, fail);
	const { nx, ny, points } = layout;
	const held = heldPoints(layout, bytes.length - start, warnings, fail);
	const view = new DataView(
		bytes.buffer,
		bytes.byteOffset + start,
		4 * held * layout.length,
	);
	const measured = measuredPoints(view, layout, held, warnings, fail);
	const count = measured.reduce((sum, one) => sum + one, 0);
	if (count < nx * ny)
		warnings.push(
			`${count} of ${nx * ny} points of the grid were measured: it was stopped`,
		);

	// Point p of the file is pixel (p % nx, p / nx).
	const images = (offset: number, number: number) => {
		const result = Array.from({ length: number }, () =>
			new Float32Array(nx * ny).fill(NaN),
		);
		for (let p = 0; p < held; p++) {
			if (!measured[p]) continue;
			const pixel = (p % nx) * ny + Math.floor(p / nx);
			let at = 4 * (p * layout.length + offset);
			for (let i = 0; i < number; i++, at += 4)
				result[i][pixel] = view.getFloat32(at);
		}
		infinities += result.reduce((sum, im) => sum + dropUnmeasured(im), 0);
		return result;
	};
	let infinities = 0;
	const channels: Channel[] = layout.channels.map((label, i) => ({
		...nameAndUnit(label),
		images: images(layout.parameterCount + i * points, points),
	}));
	const height = layout.parameters.findIndex((label) =>
		/^(Scan:)?Z \(m\)$/i.test(label),
	);
	if (height >= 0) {
		const [image] = images(height, 1);
		channels.push({ name: "Z", unit: "m", images: Array(points).fill(image) });
	}
	warnings.push(...unmeasuredWarning(infinities));

	const spacing = spacingOf(header, layout, fail);
	if (!spacing)
		warnings.push("the header has no Grid settings: the size is unknown");
	else warnings.push(...positionWarning(view, layout, measured, spacing));
	return {
		format: "3ds",
		nx,
		ny,
		...(spacing && { spacing }),
		channels,
		...sweepOf(header, layout, view, measured, warnings),
		details: details(header, layout),
		warnings,
	};
}

/**
 * A 1 for each point of the grid that was measured: whose parameters have the same sweep as the others. A stopped grid may be filled up with
 * zeros or NaN, which count as not measured; where no parameter tells, a point that holds nothing else. Any other sweep says that the header does not
 * describe the data, unless the file's length says it does.
 */
function measuredPoints(
	view: DataView,
	{ parameters, length, nx, ny }: Layout,
	held: number,
	warnings: string[],
	fail: Fail,
): Uint8Array {
	const ends = sweepParameters(parameters);
	const measured = new Uint8Array(held).fill(1);
	const at = (p: number, i: number) => view.getFloat32(4 * (p * length + i));
	const sweepAt = (p: number) => (ends ?? []).map((i) => at(p, i));
	const isBlank = (p: number) =>
		sweepAt(p).every((v) => v === 0 || Number.isNaN(v));
	const first = ends ? measured.findIndex((_, p) => !isBlank(p)) : -1;
	// A loop ends where it started, at 0 V as it may be.
	if (first < 0) {
		const isEmpty = (p: number) => {
			let i = 0;
			while (i < length && !at(p, i)) i++; // neither 0 nor NaN
			return i === length;
		};
		const filled = measured.map((_, p) => (isEmpty(p) ? 0 : 1));
		return filled.includes(1) ? filled : measured;
	}
	const [from, to] = sweepAt(first);
	const tolerance = 0.01 * Math.max(Math.abs(from), Math.abs(to));
	let others = 0;
	for (let p = 0; p < held; p++) {
		const [a, b] = sweepAt(p);
		if (Math.abs(a - from) + Math.abs(b - to) <= tolerance) continue;
		if (isBlank(p)) measured[p] = 0;
		else if (held < nx * ny)
			fail(
				`a sweep from ${digitsOf(a)} to ${digitsOf(b)} at point ${p + 1} of the grid`,
				`${digitsOf(from)} to ${digitsOf(to)}, as at point ${first + 1}`,
			);
		else others++;
	}
	if (others > 0)
		warnings.push(
			`${others} points have another sweep than point ${first + 1}, whose energies are taken for all`,
		);
	return measured;
}

function sweepParameters(parameters: readonly string[]): number[] | undefined {
	const ends = ["sweep start", "sweep end"].map((name) =>
		parameters.findIndex((label) => label.toLowerCase() === name),
	);
	return ends.includes(-1) ? undefined : ends;
}

/** The energies (eV), where the bias was swept; else what was, where it is said. */
function sweepOf(
	header: Header,
	layout: Layout,
	view: DataView,
	measured: Uint8Array,
	warnings: string[],
): Pick<Measurement, "energies" | "sweep"> {
	const { points } = layout;
	const signal = header.get("Sweep Signal") ?? "Bias (V)";
	const range = sweepRange(header, layout, view, measured);
	if (!/bias/i.test(signal)) {
		warnings.push(
			`the sweep is ${signal}${range ? ` from ${range.map(digitsOf).join(" to ")}` : ""}, not the bias: its images have no energies`,
		);
		return {
			energies: [],
			...(range && {
				sweep: {
					...nameAndUnit(signal),
					values: rounded(ramp(range[0], range[1], points)),
				},
			}),
		};
	}
	// A loop of segments starts where it ends.
	const segments = segmentsOf(header, points);
	if (segments) return { energies: rounded(segments) };
	if (!range) {
		warnings.push(
			"the header does not say the sweep, or only that it ends where it starts: its images have no energies",
		);
		return { energies: [] };
	}
	if (/mls/i.test(header.get("Filetype") ?? ""))
		warnings.push(
			"the segments of the sweep do not give its number of points: energies are taken as evenly spaced",
		);
	return { energies: rounded(ramp(range[0], range[1], points)) };
}

/** Start and end by the parameters of the first measured point, or else by the header. */
function sweepRange(
	header: Header,
	{ parameters, length, points }: Layout,
	view: DataView,
	measured: Uint8Array,
): [number, number] | undefined {
	const ends = sweepParameters(parameters)?.map((i) =>
		view.getFloat32(4 * (Math.max(measured.indexOf(1), 0) * length + i)),
	);
	const module = ["Start", "End"].map((end) =>
		Number(header.get(`Bias Spectroscopy>Sweep ${end} (V)`) ?? NaN),
	);
	const usable = [ends ?? [], module].find(
		([from, to]) =>
			Number.isFinite(from) &&
			Number.isFinite(to) &&
			(points === 1 || from !== to),
	);
	return usable && [usable[0], usable[1]];
}

/**
 * The biases of a multi-line-segment sweep: `Segment Start (V), Segment End (V), ..., Steps (xn), ...=-0.1,0,0.02,0.1,11;0,...`, segments that meet
 * share their point. Undefined when there are none, or when they do not give `points`.
 */
function segmentsOf(header: Header, points: number): number[] | undefined {
	const key = [...header.keys()].find((name) =>
		name.includes("Segment Start (V), Segment End (V)"),
	);
	if (key === undefined) return undefined;
	const names = key.replace(/^.*?(?=Segment Start)/, "").split(",");
	const steps = names.findIndex((name) => name.trim().startsWith("Steps"));
	const rows = list(header.get(key)).map((row) => row.split(",").map(Number));
	const counts = rows.map((row) => row[steps] ?? NaN);
	const total = counts.reduce((sum, n) => sum + n, 0);
	const shared = total === points + rows.length - 1;
	if (!shared && total !== points) return undefined;
	if (!counts.every((n) => Number.isSafeInteger(n) && n >= 1)) return undefined;
	const biases = rows.flatMap(([from, to], i) =>
		ramp(from, to, counts[i]).slice(shared && i > 0 ? 1 : 0),
	);
	return biases.every(Number.isFinite) ? biases : undefined;
}

const ramp = (from: number, to: number, count: number): number[] =>
	Array.from({ length: count }, (_, i) =>
		count === 1 ? from : from + ((to - from) * i) / (count - 1),
	);

/** A float32's seven digits of each. What is a rounding error beside the others becomes 0. */
function rounded(values: readonly number[]): number[] {
	const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
	return values.map((v) => (Math.abs(v) < 1e-7 * most ? 0 : digitsOf(v)));
}

/** "LIY 1 omega [AVG] (A)" is the channel "LIY 1 omega [AVG]" in A. */
function nameAndUnit(label: string): { name: string; unit: string } {
	const [, name, unit] = /^(.*\S)\s*\(([^()]*)\)$/.exec(label) ?? [];
	return name === undefined ? { name: label, unit: "" } : { name, unit };
}

function spacingOf(
	header: Header,
	{ nx, ny }: Layout,
	fail: Fail,
): { x: number; y: number } | undefined {
	if (!header.has("Grid settings")) return undefined;
	const [, , width, height] = numbersOf(header.get("Grid settings"));
	const side = (metres: number, points: number, what: string) =>
		pixelSize(metres, points, `the ${what} in Grid settings`, fail);
	// A line of points has no second side.
	if (ny === 1 && height === 0) {
		const x = side(width, nx, "width");
		return { x, y: x };
	}
	const y = side(height, ny, "height");
	if (nx === 1 && width === 0) return { x: y, y };
	return { x: side(width, nx, "width"), y };
}

/** A warning where the positions in the parameters do not lie as the header says: is its width that of the data? */
function positionWarning(
	view: DataView,
	{ parameters, length, nx, ny }: Layout,
	measured: Uint8Array,
	spacing: { x: number; y: number },
): string[] {
	const axes = ["X (m)", "Y (m)"].map((name) => parameters.indexOf(name));
	// Where nothing was measured no position is to be expected.
	if (axes.includes(-1) || !measured[0]) return [];
	const [x0, y0] = axes.map((i) => view.getFloat32(4 * i));
	const distance = (p: number) => {
		const [x, y] = axes.map((i) => view.getFloat32(4 * (p * length + i)));
		return 1e10 * Math.hypot(x - x0, y - y0);
	};
	const rowEnds = measured.subarray(0, nx).lastIndexOf(1);
	let lastRow = Math.floor((measured.length - 1) / nx);
	while (!measured[nx * lastRow]) lastRow--;
	return (
		[
			["along a row", rowEnds, rowEnds * spacing.x, nx],
			["from row to row", nx * lastRow, lastRow * spacing.y, ny],
		] as const
	).flatMap(([where, point, expected, count]) => {
		const found = distance(point);
		// The points of some programs reach the edges of the field: then they are n / (n - 1) times as far apart.
		const most = (1.2 * expected * count) / (count - 1);
		return found > 0 && (found < expected / 1.2 || found > most)
			? [
					`the positions of the points are ${found.toPrecision(4)} A apart ${where} where the header says ${expected.toPrecision(4)} A`,
				]
			: [];
	});
}

const LABELS: readonly (readonly [string, string, string])[] = [
	["Experiment", "experiment", ""],
	["Start time", "start", ""],
	["End time", "end", ""],
	["Grid settings", "centre x, y, width, height (m), angle (deg)", ""],
	["Sweep Signal", "sweep", ""],
	["Bias>Bias (V)", "bias", " V"],
	["Z-Controller>Setpoint", "setpoint", ""],
	["Z-Controller>Setpoint unit", "setpoint unit", ""],
	["Lock-in>Amplitude", "lock-in amplitude", ""],
	["Lock-in>Frequency (Hz)", "lock-in frequency", " Hz"],
	["Comment", "comment", ""],
];

function details(header: Header, { parameters }: Layout): [string, string][] {
	const rows = LABELS.flatMap(([key, label, unit]) => {
		const value = header.get(key);
		return value ? [[label, value + unit] as [string, string]] : [];
	});
	return [...rows, ["parameters of a point", parameters.join(", ")]];
}
