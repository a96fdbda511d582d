/** Several files of one area, an energy each, as one stack: sorted by their bias and moved onto each other. */

import {
	FormatError,
	findChannel,
	type Measurement,
} from "../../formats/measurement.ts";
import { sha256 } from "../../formats/sha256.ts";
import { moved, type Shift, shiftBetween } from "../scan/register.ts";
import type { Scan } from "../scan/scan.ts";
import { chooseChannel } from "./choose.ts";
import { baseName, type Input, type Series } from "./input.ts";
import { partOf, type SeriesPart, sameSides, sidesOf } from "./seriesParts.ts";

/** Maps that resemble each other less than this are not moved: what was found is not the drift. */
const LEAST_LIKENESS = 0.2;
/** From this on the shift against the map in the middle is taken as it is: one by way of others gathers their errors. */
const SURE = 0.7;
const MOST_FILES = 1000;

/**
 * Stacks of the channels that all files have. The drift is that of the topography (the channel Z) where all have one, else of the chosen channel, against the map in
 * the middle of the energies.
 * @param options.channel as --channel
 * @param options.onFile told of each file that was compared
 * @throws FormatError where the files are not one image each of the same pixels, with a bias
 */
export async function seriesOf(
	inputs: readonly Input[],
	{
		channel,
		onFile,
	}: {
		channel?: string;
		onFile?: (done: number, total: number) => void;
	} = {},
): Promise<Input> {
	if (inputs.length > MOST_FILES)
		throw new FormatError(
			`a series of ${inputs.length} files, expected at most ${MOST_FILES}`,
		);
	const maps = inputs
		.map((input) => partOf(input, channel))
		.sort((a, b) => a.energy - b.energy);
	const [first] = maps;
	for (const { file, measurement } of maps) checkSame(first, file, measurement);
	const common = first.measurement.channels.filter(({ name }) =>
		maps.every(({ measurement }) => findChannel(measurement, name)),
	);
	const chosen = chooseChannel(first, channel);
	if (!common.includes(chosen))
		throw new FormatError(
			`${first.file}: found the channel "${chosen.name}" here and not in all files, expected one that all have`,
		);
	const topography = common.find(
		({ name, unit }) =>
			/^(z|height|topo\w*)( forward)?$/i.test(name) && /m$/.test(unit),
	);
	const { name: by } = topography ?? chosen;
	const middle = maps[Math.floor(maps.length / 2)];
	const at = maps.indexOf(middle);
	const shifts: Shift[] = [];
	// From the middle outwards, so that the neighbour's place is known.
	const order = [...maps.keys()].sort(
		(a, b) => Math.abs(a - at) - Math.abs(b - at),
	);
	for (const [done, i] of order.entries()) {
		onFile?.(done + 1, maps.length);
		if (i === at) {
			shifts[i] = { x: 0, y: 0, likeness: 1 };
			continue;
		}
		const next = i + Math.sign(at - i);
		shifts[i] = throughNeighbour(
			shiftBetween(scanOf(middle, by), scanOf(maps[i], by)),
			shifts[next],
			() => shiftBetween(scanOf(maps[next], by), scanOf(maps[i], by)),
		);
	}
	const used = shifts.map((shift) =>
		shift.likeness < LEAST_LIKENESS ? { ...shift, x: 0, y: 0 } : shift,
	);
	const { nx, ny, spacing } = first.measurement;
	const series = seriesFor(maps, used, middle, by);
	return {
		series,
		file:
			maps.length === 1
				? first.file
				: `${first.file} and ${maps.length - 1} more`,
		sha256: await sha256(
			new TextEncoder().encode(inputs.map((input) => input.sha256).join("\n")),
		),
		bytes: inputs.reduce((sum, { bytes }) => sum + bytes, 0),
		measurement: {
			...{ format: first.measurement.format, nx, ny, spacing },
			channels: common.map(({ name, unit }) => ({
				...{ name, unit },
				images: maps.map((map, i) => moved(scanOf(map, name), used[i])),
			})),
			energies: maps.map(({ energy }) => energy),
			details: [
				["files", maps.map(({ file }) => baseName(file)).join(", ")],
				...first.measurement.details,
			],
			done: [toldOf(series)],
			warnings: [
				...shifts.flatMap(({ likeness }, i) =>
					likeness < LEAST_LIKENESS
						? [
								`${baseName(maps[i].file)} does not resemble ${baseName(middle.file)} (${by}: correlation ${likeness.toFixed(2)}): left where it is`,
							]
						: [],
				),
				...maps.flatMap(({ file, measurement }) =>
					measurement.warnings.map((text) => `${baseName(file)}: ${text}`),
				),
			],
		},
	};
}

/**
 * The shift against the middle, or where the two hardly resemble each other, for ripples change with the energy, by way of the neighbour in energy.
 * @param known the neighbour's own shift
 * @param step the shift against the neighbour
 */
function throughNeighbour(
	direct: Shift,
	known: Shift,
	step: () => Shift,
): Shift {
	if (direct.likeness >= SURE) return direct;
	const near = step();
	const likeness = Math.min(near.likeness, known.likeness);
	return likeness > direct.likeness
		? { x: known.x + near.x, y: known.y + near.y, likeness }
		: direct;
}

function checkSame(first: SeriesPart, file: string, measurement: Measurement) {
	if (!sameSides(first.measurement, measurement))
		throw new FormatError(
			`${file}: found ${sidesOf(measurement)}, expected ${sidesOf(first.measurement)}, as in ${first.file}`,
		);
}

function scanOf({ measurement }: SeriesPart, name: string): Scan {
	const { nx, ny, spacing = { x: 1, y: 1 } } = measurement;
	const image = findChannel(measurement, name)?.images[0] as Float32Array;
	return { image, nx, ny, spacing };
}

/** Where each map was, for people and their programs. */
function seriesFor(
	maps: readonly SeriesPart[],
	shifts: readonly Shift[],
	middle: SeriesPart,
	by: string,
): Series {
	const { spacing } = middle.measurement;
	return {
		onto: baseName(middle.file),
		by,
		unit: spacing ? "A" : "pixels",
		parts: maps.map(({ file, energy }, i) => {
			const { x, y, likeness } = shifts[i];
			return {
				...{ file: baseName(file), energy, likeness },
				x: x * (spacing?.x ?? 1),
				y: y * (spacing?.y ?? 1),
			};
		}),
	};
}

const toldOf = ({ onto, by, unit, parts }: Series): string =>
	`a series of ${parts.length} files, moved onto ${onto} by ${by}; drift in x, y (${unit}): ${parts.map(({ file, x, y }) => `${file} ${x.toFixed(1)}, ${y.toFixed(1)}`).join("; ")}`;
