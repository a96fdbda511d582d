/** The options that say what `generate --maps` draws its maps from. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { ABSENT, FIELD } from "../qpi/dataset/format.ts";
import type { MapRanges, Range } from "../qpi/generator/maps.ts";

export type MapOptions = Omit<MapRanges, "noise">;

/** "300" or "40-300", numbers from `least` on. */
const range =
	(least: number, most: number, whole = false) =>
	(text: string): Range => {
		const parts = text.split("-").map((part) => part.trim());
		const [from, to = from] = parts.map(Number);
		const fits =
			parts.length <= 2 &&
			!parts.includes("") &&
			from >= least &&
			to >= from &&
			to <= most &&
			(!whole || (Number.isInteger(from) && Number.isInteger(to)));
		if (!fits)
			throw new InvalidArgumentError(
				`Expected a ${whole ? "whole " : ""}number from ${least} to ${most}, or a range of them such as ${least}-${most}.`,
			);
		return [from, to];
	};

/** "256", "384x256" or several of these with commas between. */
const shapes = (text: string): [number, number][] =>
	text.split(",").map((part) => {
		const [nx, ny = nx] = part.split("x").map((n) => n.trim());
		const shape: [number, number] = [Number(nx), Number(ny)];
		if (
			part.split("x").length > 2 ||
			!shape.every((n) => Number.isInteger(n) && n >= 32 && n <= 1024)
		)
			throw new InvalidArgumentError(
				"Expected pixels such as 256 or 384x256, 32 to 1024 a side, with commas between.",
			);
		return shape;
	});

const kinds = (text: string): number => {
	if (!/^[1-5]$/.test(text)) throw new InvalidArgumentError("Expected 1 to 5.");
	return Number(text);
};

/** [flags, what it says, how it is read, default, the default in words] */
const OPTIONS: readonly [
	flags: string,
	description: string,
	read: (text: string) => unknown,
	value: unknown,
	words: string,
][] = [
	[
		"--pixels <sizes>",
		"pixels along x and y, 384x256, or of a square; several with commas: the maps take them in turn",
		shapes,
		[[256, 256]],
		"256",
	],
	[
		"--field <A>",
		"length of the longer side in Angstrom, a range; without --maps the field of a dataset, one number (default: 400)",
		range(50, 5000),
		[500, 500],
		"500",
	],
	[
		"--marks <n>",
		"scatterers of all kinds together, a range; the kinds have equal shares; 0: flaws alone, their heights as they are",
		range(0, 2000, true),
		[50, 50],
		"50",
	],
	["--kinds <n>", "kinds of scatterers, each with a kernel", kinds, 1, "1"],
	[
		"--spread <share>",
		"amplitudes lie between 1 - spread and 1 + spread, a range",
		range(0, 1),
		[0.15, 0.15],
		"0.15",
	],
	[
		"--background <s.d.>",
		"standard deviation of a surface of third order in x and y over that of the ripples, a range",
		range(0, 1000),
		[0, 0],
		"0",
	],
	[
		"--clusters <n>",
		"clusters, 60 standard deviations of the ripples high, a range",
		range(0, 20, true),
		[0, 0],
		"0",
	],
	[
		"--steps <n>",
		"straight step edges, 10 to 30 standard deviations of the ripples high, a range",
		range(0, 10, true),
		[0, 0],
		"0",
	],
	[
		"--missing-rows <share>",
		"share of the rows, the last ones, that was not measured, a range",
		range(0, 0.9),
		[0, 0],
		"0",
	],
];

const options = () =>
	OPTIONS.map(([flags, description, read, value, words]) =>
		new Option(flags, description).argParser(read).default(value, words),
	);

/** Adds the options to a command. */
export function addMapOptions(command: Command): Command {
	for (const option of options()) command.addOption(option);
	return command;
}

/** What maps are drawn from, out of all that the user gave. */
export function rangesOf(
	options: MapOptions,
	noise: readonly number[] = [0.3, 0.5, 1],
): MapRanges {
	const { pixels, field, marks, kinds, spread } = options;
	const { background, clusters, steps, missingRows } = options;
	return {
		...{ pixels, field, marks, kinds, spread, noise },
		...{ background, clusters, steps, missingRows },
	};
}

const isGiven = (command: Command, name: string) =>
	command.getOptionValueSource(name) === "cli";

/** The first of the options that the user gave and that datasets have not, as it is typed. */
export function givenMapOption(command: Command): string | undefined {
	return options().find(
		(option) =>
			option.long !== "--field" && isGiven(command, option.attributeName()),
	)?.long;
}

/** The field of a dataset, Angstrom; undefined where it is the usual one. Throws RangeError where it is a range, or reaches where absent scatterers are. */
export function datasetField(
	command: Command,
	{ field: [from, to] }: Pick<MapOptions, "field">,
): number | undefined {
	if (!isGiven(command, "field") || (from === FIELD && to === FIELD))
		return undefined;
	if (from !== to || from >= 2 * ABSENT)
		throw new RangeError(
			`--field is ${from === to ? from : `${from}-${to}`}, expected one number below ${2 * ABSENT} for a dataset; ranges are for --maps`,
		);
	return from;
}
