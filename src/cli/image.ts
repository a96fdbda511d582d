/** The options that choose and prepare an image: `detect` and `extract` share them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Crop, Order, Shape } from "../extraction/preprocess.ts";
import { readMasks } from "../extraction/scan/masks.ts";
import {
	AXES,
	type Axes,
	ORIENTATIONS,
	type Orientation,
} from "../formats/axes.ts";
import { readText } from "../node/files/input.ts";
import { number, positive, positiveWhole } from "./command.ts";
import { type LatticeChoice, latticeOptions } from "./latticeOptions.ts";

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

function crop(text: string): Crop {
	const numbers = text
		.split(",")
		.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	const [x, y, width, height] = numbers;
	const fits = numbers.length === 3 || numbers.length === 4;
	if (
		!fits ||
		!numbers.every(Number.isFinite) ||
		!(width > 0 && !(height <= 0))
	)
		throw new InvalidArgumentError(
			"Expected a centre and the side of a square, or both sides, in Angstrom from the image's centre: x,y,size or x,y,width,height.",
		);
	return height === undefined ? { x, y, size: width } : { x, y, width, height };
}

/** 0 to 4, or auto. */
function order(text: string): Order | "auto" {
	const orders = [0, 1, 2, 3, 4] as const;
	const found = orders.find((n) => String(n) === text.trim());
	if (found === undefined && text !== "auto")
		throw new InvalidArgumentError("Expected auto, 0, 1, 2, 3 or 4.");
	return found ?? "auto";
}

const notNegative = (text: string): number => {
	const value = number(text);
	if (value < 0) throw new InvalidArgumentError("Expected 0 or more.");
	return value;
};

/** What `imageOptions` adds. */
export interface ImageChoice extends LatticeChoice {
	channel?: string;
	energy?: number;
	image?: number;
	field?: number;
	axes?: Axes;
	orientation?: Orientation;
	crop?: Crop;
	mask?: string;
	flatten?: "auto" | "none" | "plane" | "line";
	background?: Order | "auto";
	steps: boolean;
	repair: boolean;
	clip?: number;
	clusters: boolean;
	lowPass?: number;
	pixel?: number;
	max?: number;
}

/** What the program calls them, with the mask's file read. */
export async function prepareOptions<O extends ImageChoice>(
	options: O,
): Promise<
	Omit<O, "mask" | "steps"> & { mask?: readonly Shape[]; stepEdges: boolean }
> {
	const { mask, steps, ...others } = options;
	return {
		...others,
		mask: mask ? readMasks(await readText(mask), mask) : undefined,
		stepEdges: steps,
	};
}

/** Adds the options that say which image is meant and how it is prepared. */
export function imageOptions(command: Command): Command {
	return latticeOptions(command)
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
			"--image <n>",
			"of a file with several: the image of this number, from 1",
			positiveWhole,
		)
		.option(
			"--field <A>",
			"longer side of the image in Angstrom, where the file does not say it",
			positive,
		)
		.option(
			"--crop <x,y,size>",
			"centre and side of a square, or x,y,width,height, in Angstrom from the image's centre (default: all)",
			crop,
		)
		.addOption(
			new Option(
				"--axes <indices>",
				"of .npy, .csv and .txt: what the indices are, in their order, e a stack's images (default: xy, or exy, or xye of n x n x m: the first index runs along x; pictures have yx; Gwyddion's text and lists of points say it themselves)",
			).choices(AXES),
		)
		.addOption(
			new Option(
				"--orientation <where>",
				"of .npy, .csv and .txt: where y's index 0 lies (default: bottom; pictures have it at the top)",
			).choices(ORIENTATIONS),
		)
		.option(
			"--mask <file.csv>",
			"what does not count: rows of rectangle,x,y,width,height (x, y its centre), polygon,x1,y1,x2,y2,... and brush or eraser,radius,x1,y1,x2,y2,..., in Angstrom from the whole image's centre",
		)
		.addOption(
			new Option(
				"--flatten <how>",
				"take away a tilt, or a tilt and the lines' offsets (default: a polynomial and the lines' offsets where there is evidence for them)",
			).choices(["auto", "none", "plane", "line"]),
		)
		.option(
			"--background <order>",
			"order of the polynomial in x and y that is taken away, 0 to 4 (default: by evidence)",
			order,
		)
		.option("--no-steps", "look for no step edges and terraces")
		.option("--no-repair", "leave streaks and bad rows as they are")
		.option(
			"--clip <sigmas>",
			"single pixels further off their neighbours are replaced; 0: none (default: 8)",
			notNegative,
		)
		.option("--no-clusters", "mask no clusters")
		.option(
			"--low-pass <q>",
			"keep what is slower than this, in 1/Angstrom (q = 2 pi / wavelength)",
			positive,
		)
		.option(
			"--pixel <A>",
			"resample to pixels of this side, in Angstrom (default: as measured; not square ones to their finer side, and at most 1024 a side)",
			positive,
		)
		.option("--max <n>", "of several images only the first n", positiveWhole);
}
