/** The options that choose and prepare an image: `detect` and `extract` share them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { number, positive } from "./command.ts";

/** "0.045", "45meV", "45 mV" or "0.045 eV" to eV. */
function energy(text: string): number {
	const match = /^\s*([-+.\de]+)\s*(m?)(e?V)?\s*$/i.exec(text);
	const value = match ? Number(match[1]) : Number.NaN;
	if (!match || !Number.isFinite(value) || (match[2] && !match[3]))
		throw new InvalidArgumentError(
			"Expected an energy in eV, or with its unit: 0.045 or 45meV.",
		);
	return match[2] ? value / 1000 : value;
}

function crop(text: string): { x: number; y: number; size: number } {
	const [x, y, size, ...rest] = text
		.split(",")
		.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	if (rest.length > 0 || ![x, y, size].every(Number.isFinite) || !(size > 0))
		throw new InvalidArgumentError(
			"Expected the centre and side of a square in Angstrom, from the image's centre: x,y,size.",
		);
	return { x, y, size };
}

const notNegative = (text: string): number => {
	const value = number(text);
	if (value < 0) throw new InvalidArgumentError("Expected 0 or more.");
	return value;
};

/** What `imageOptions` adds. */
export interface ImageChoice {
	channel?: string;
	energy?: number;
	field?: number;
	crop?: { x: number; y: number; size: number };
	flatten?: "auto" | "none" | "plane" | "line";
	repair: boolean;
	clip?: number;
	lowPass?: number;
}

/** Adds the options that say which image is meant and how it is prepared. */
export function imageOptions(command: Command): Command {
	return command
		.option(
			"-c, --channel <name>",
			"channel, or a part of its name that only it has (default: dI/dV or the lock-in's, else the first)",
		)
		.option(
			"-e, --energy <E>",
			"of a file with several: the image nearest to this energy, in eV or as 45meV",
			energy,
		)
		.option(
			"--field <A>",
			"longer side of the image in Angstrom, where the file does not say it",
			positive,
		)
		.option(
			"--crop <x,y,size>",
			"centre and side of a square, in Angstrom from the image's centre (default: the largest)",
			crop,
		)
		.addOption(
			new Option(
				"--flatten <how>",
				"take away a tilt, or a tilt and the lines' offsets (default: what there is evidence for)",
			).choices(["auto", "none", "plane", "line"]),
		)
		.option("--no-repair", "leave streaks and bad rows as they are")
		.option(
			"--clip <sigmas>",
			"single pixels further off their neighbours are replaced; 0: none (default: 8)",
			notNegative,
		)
		.option(
			"--low-pass <q>",
			"keep what is slower than this, in 1/Angstrom (q = 2 pi / wavelength)",
			positive,
		);
}
