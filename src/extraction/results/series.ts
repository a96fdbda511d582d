/** Several files of one area, an energy each, as one stack: sorted by their bias and moved onto each other. */

import {
	energiesOf,
	FormatError,
	findChannel,
	type Measurement,
} from "../../formats/measurement.ts";
import { sha256 } from "../../formats/sha256.ts";
import { moved, type Shift, shiftBetween } from "../scan/register.ts";
import type { Scan } from "../scan/scan.ts";
import { chooseChannel } from "./choose.ts";
import { baseName, type Input } from "./input.ts";

/** Maps that resemble each other less than this are not moved: what was found is not the drift. */
const LEAST_LIKENESS = 0.2;
/** From this on the shift against the map in the middle is taken as it is: one by way of others gathers their errors. */
const SURE = 0.7;
const MOST_FILES = 1000;

interface One {
	readonly file: string;
	readonly energy: number;
	readonly measurement: Measurement;
}

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
		.map((input) => oneOf(input, channel))
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
	return {
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
			done: [toldOf(maps, used, middle, by)],
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

function oneOf({ file, measurement }: Input, channel: string | undefined): One {
	if (!measurement)
		throw new FormatError(
			`${file} is of the dataset's format, expected a measured image for a series`,
		);
	const chosen = chooseChannel({ measurement, file }, channel);
	const energies = energiesOf(measurement, chosen);
	if (chosen.images.length !== 1 || energies.length !== 1)
		throw new FormatError(
			chosen.images.length !== 1
				? `${file}: found ${chosen.images.length} images, expected one a file of a series`
				: `${file}: found no bias, expected one in each file of a series`,
		);
	return { file, measurement, energy: energies[0] };
}

function checkSame(first: One, file: string, { nx, ny, spacing }: Measurement) {
	const { measurement: m } = first;
	const close = (a = 0, b = 0) => Math.abs(a - b) <= 1e-3 * Math.abs(a);
	const sides = (m: Pick<Measurement, "nx" | "ny" | "spacing">) =>
		`${m.nx} x ${m.ny} pixels of ${m.spacing ? `${m.spacing.x.toPrecision(4)} x ${m.spacing.y.toPrecision(4)} A` : "unknown size"}`;
	if (
		nx !== m.nx ||
		ny !== m.ny ||
		!close(m.spacing?.x, spacing?.x) ||
		!close(m.spacing?.y, spacing?.y)
	)
		throw new FormatError(
			`${file}: found ${sides({ nx, ny, spacing })}, expected ${sides(m)}, as in ${first.file}`,
		);
}

function scanOf({ measurement }: One, name: string): Scan {
	const { nx, ny, spacing = { x: 1, y: 1 } } = measurement;
	const image = findChannel(measurement, name)?.images[0] as Float32Array;
	return { image, nx, ny, spacing };
}

function toldOf(
	maps: readonly One[],
	shifts: readonly Shift[],
	middle: One,
	by: string,
): string {
	const { spacing } = middle.measurement;
	const places = maps.map(({ file }, i) => {
		const { x, y } = shifts[i];
		const [a, b] = spacing ? [x * spacing.x, y * spacing.y] : [x, y];
		return `${baseName(file)} ${a.toFixed(1)}, ${b.toFixed(1)}`;
	});
	return `a series of ${maps.length} files, moved onto ${baseName(middle.file)} by ${by}; drift in x, y (${spacing ? "A" : "pixels"}): ${places.join("; ")}`;
}
