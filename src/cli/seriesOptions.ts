/** The options of `generate` for one area at several energies. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { SeriesRecipe } from "../qpi/generator/mapSeries.ts";
import type { Range } from "../qpi/generator/maps.ts";
import { parseFormula } from "../qpi/theory/source.ts";
import { number, positive } from "./command.ts";
import type { MapOptions } from "./mapOptions.ts";

/** What `seriesOptions` adds. */
export interface SeriesChoice {
	/** meV */
	energies?: number[];
	band?: SeriesRecipe["band"];
	/** eV */
	broadening: number;
	phase: number;
	drift: number;
}

const MOST = 200;

const energies = (text: string): number[] => {
	const list = text
		.split(",")
		.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	if (list.length > MOST || !list.every(Number.isFinite))
		throw new InvalidArgumentError(
			`Expected 1 to ${MOST} energies in meV, with commas between.`,
		);
	return list;
};

const band = (text: string): SeriesRecipe["band"] => {
	try {
		return parseFormula(text);
	} catch (error) {
		throw new InvalidArgumentError((error as Error).message);
	}
};

const drift = (text: string): number => {
	const value = number(text);
	if (!(value >= 0 && value <= 50))
		throw new InvalidArgumentError("Expected 0 to 50 A.");
	return value;
};

/** Adds the options to a command. */
export function seriesOptions(command: Command): Command {
	return command
		.optionsGroup("Series, one area at several energies:")
		.addOption(
			new Option(
				"--energies <meV>",
				"makes a map at each of these energies of --band, a .gsf file each: -20,0,20; waves beyond 0.36 1/A fade, beyond 0.49 there are none",
			)
				.argParser(energies)
				.conflicts(["maps", "shard"]),
		)
		.option(
			"--band <band>",
			'the electrons, a formula as extract --band has it: \'{"kind": "free", "mass": 0.4, "bottom": -0.065}\'',
			band,
		)
		.option("--broadening <eV>", "of the band", positive, 0.006)
		.option(
			"--phase <rad>",
			"phase shift of the scatterers, which are points",
			number,
			0.6,
		)
		.option(
			"--drift <A>",
			"how far the area moves along each axis from map to map, at most",
			drift,
			2,
		);
}

/** One number where a map takes a range. */
const single = (name: string, [from, to]: Range): number => {
	if (from !== to)
		throw new RangeError(
			`--${name} is ${from}-${to}, expected one number for a series`,
		);
	return from;
};

/** The series that is asked for; undefined where none is. Throws RangeError where options do not go together. */
export function seriesOf(
	command: Command,
	choice: SeriesChoice,
	maps: MapOptions,
	noise: readonly number[] = [0.3],
): SeriesRecipe | undefined {
	const { energies, band, broadening, phase, drift } = choice;
	if (!energies) {
		const lone = (["band", "broadening", "phase", "drift"] as const).find(
			(name) => command.getOptionValueSource(name) === "cli",
		);
		if (lone)
			throw new RangeError(
				`--${lone} is of a series; give --energies <meV> with it`,
			);
		return undefined;
	}
	if (!band)
		throw new RangeError("--energies without --band: expected the band too");
	if (maps.pixels.length > 1 || noise.length > 1)
		throw new RangeError(
			"--pixels and --noise: expected one value each for a series",
		);
	return {
		...{ band, broadening, phase, drift, noise: noise[0] },
		energies: energies.map((meV) => meV / 1000),
		pixels: maps.pixels[0],
		field: single("field", maps.field),
		marks: single("marks", maps.marks),
		spread: single("spread", maps.spread),
	};
}
