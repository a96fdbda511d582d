/** From what a file holds to the images that are extracted from, with their scatterers. */

import { FormatError } from "../../formats/measurement.ts";
import {
	fieldOf,
	type KernelFile,
	RESOLUTION,
} from "../../qpi/dataset/format.ts";
import type { BlindOptions } from "../blind/blind.ts";
import {
	intoCorrected,
	type LatticeCorrection,
} from "../lattice/correction.ts";
import { type DetectedScatterer, readScatterers } from "../marks/scatterers.ts";
import type { MapMark } from "../methods/extractMap.ts";
import { type Preprocessed, type Shape, squareOf } from "../preprocess.ts";
import {
	type FindOptions,
	type Found,
	findScatterers,
} from "./findScatterers.ts";
import { baseName, type Input } from "./input.ts";
import type { Preparation } from "./measured.ts";
import { type PrepareOptions, prepareScans } from "./prepareScans.ts";

export interface TakeOptions extends PrepareOptions {
	/** A CSV file of scatterers, its name and what is in it; they are looked for when not given. */
	readonly scatterers?: { readonly file: string; readonly text: string };
	/** Says so: a list is not to be given too. */
	readonly detect?: boolean;
	/** What is known of the scatterers that are looked for. */
	readonly find?: FindOptions;
	/** Told of each turn of the search. */
	readonly onFind?: BlindOptions["onProgress"];
	/** Resample maps to the 64 x 64 pixels that the networks take. */
	readonly square?: boolean;
}

/** One image as it is extracted from, and its scatterers. */
export interface ExtractionTask {
	readonly label: string;
	/** eV */
	readonly energy?: number;
	/** [nx][ny], first index x. */
	readonly image: Float32Array;
	readonly nx: number;
	readonly ny: number;
	/** What each pixel counts; all of them when not given. */
	readonly weights?: Float32Array;
	/** Angstrom from the image's middle. */
	readonly scatterers: readonly MapMark[];
	readonly prepared?: Preprocessed;
}

/** What a file gives to extract from. */
export interface Taken {
	readonly tasks: readonly ExtractionTask[];
	/** Whether the images are squares of 64 x 64 pixels, as the networks take them and datasets have them, or maps. */
	readonly square: boolean;
	readonly unit: string;
	/** Angstrom a pixel. */
	readonly pixel: number;
	/** Of the images, in the scan's frame. */
	readonly centre: { readonly x: number; readonly y: number };
	/** Of the polynomial background, which is fitted along. */
	readonly order: number;
	/** What was done by the lattice; undefined: nothing. */
	readonly correction?: LatticeCorrection;
	/** In the scan's frame, the corrected one where there is a correction; a dataset file has its own for each image. */
	readonly scatterers?: readonly DetectedScatterer[];
	/** Of those, the places in the list of the ones that are used. */
	readonly used: readonly number[];
	/** What the search for them found, where they are as it found them. */
	readonly found?: Found;
	/** What the user masked. */
	readonly mask?: readonly Shape[];
	/** The kernel that a dataset file holds. */
	readonly truth?: Float32Array;
	/** What was read and done, for people. */
	readonly told: readonly string[];
	readonly warnings: readonly string[];
	/** For result.json: what of the file was taken. */
	readonly about: Record<string, unknown>;
}

/** Chooses, prepares and marks. Throws FormatError, RangeError or DatasetError where file and options do not fit, and where there is nothing to extract. */
export async function take(input: Input, options: TakeOptions): Promise<Taken> {
	const { measurement, dataset, file } = input;
	if (dataset) return takeDataset(input, dataset, options);
	if (!measurement) throw new Error(`${file}: nothing was read`);
	const { scatterers: list, detect, find, square, onFind } = options;
	if (list && detect)
		throw new FormatError(
			"both --scatterers and --detect are given, expected one of them",
		);
	const given = list && givenOf(find);
	if (given)
		throw new FormatError(
			`--${given} is for scatterers that are looked for, and --scatterers says where they are: expected one of them`,
		);
	const preparation = await prepareScans({ ...input, measurement }, options);
	if (list) {
		const listed = readScatterers(list.text, list.file).map((mark) =>
			intoCorrected(preparation.correction, mark),
		);
		return makeTasks(preparation, listed, `from ${list.file}`, { square });
	}
	return tasksOf(
		preparation,
		await findScatterers(preparation, find, onFind),
		square,
	);
}

/** The first of the options of the search that is given, as it is typed. */
const givenOf = ({ kinds, signed, seeds }: FindOptions = {}) =>
	(kinds && "kinds") || (signed && "signed") || (seeds && "seed-window");

/** Puts the scatterers that were found into the images. Throws FormatError when there are none. */
export function tasksOf(
	preparation: Preparation,
	found: Found,
	square?: boolean,
): Taken {
	if (found.kinds.length === 0)
		throw new FormatError(
			`nothing to extract: ${found.told.join("; ") || "no scatterer was found"}`,
		);
	return makeTasks(preparation, found.scatterers, "found", { square, found });
}

/**
 * Puts the scatterers (scan frame, the corrected one where there is a correction) into the images.
 * @param origin how they came about, for people: "found", "from marks.csv"
 * @param options.square whether the maps become squares of 64 x 64 pixels
 * @param options.found what the search said, where they are as it found them
 * @throws FormatError when none that is kept lies in the images
 */
export function makeTasks(
	{
		file,
		channel,
		used,
		leftOut,
		prepared,
		correction,
		mask,
		told,
		warnings,
	}: Preparation,
	scatterers: readonly DetectedScatterer[],
	origin: string,
	{ square = false, found }: { square?: boolean; found?: Found } = {},
): Taken {
	const images = square
		? prepared.map((p) => {
				const { image, valid: weights, spacing, centre } = squareOf(p);
				return { image, weights, nx: 64, ny: 64, pixel: spacing, centre };
			})
		: prepared.map(({ scan, weights, centre }) => {
				const { image, nx, ny, spacing } = scan;
				return { image, weights, nx, ny, pixel: spacing.x, centre };
			});
	const [{ pixel, centre, nx, ny }] = images;
	const kept = [...scatterers.keys()].filter((i) => scatterers[i].keep);
	const [reachX, reachY] = [(nx / 2) * pixel, (ny / 2) * pixel];
	const inside = kept.filter((i) => {
		const { x, y } = scatterers[i];
		return Math.abs(x - centre.x) <= reachX && Math.abs(y - centre.y) <= reachY;
	});
	const marks = inside.map((i): MapMark => {
		const { x, y, weight, kind } = scatterers[i];
		return { x: x - centre.x, y: y - centre.y, weight, kind };
	});
	const [{ steps, order, masks, weights }] = prepared;
	const out = kept.length - inside.length;
	if (inside.length === 0)
		throw new FormatError(
			kept.length
				? `none of the ${kept.length} scatterers lies inside the image, expected at least one (x and y in Angstrom from its centre)`
				: "there is no scatterer to extract from, expected at least one",
		);
	const kinds = new Set(marks.map(({ kind }) => kind)).size;
	const more = [
		out
			? `${out === 1 ? "1 scatterer lies" : `${out} scatterers lie`} outside the image${out > 1 ? " and are" : " and is"} not used`
			: "",
		square
			? `the networks see 64 x 64 pixels: the map was resampled to squares of ${Number(pixel.toPrecision(3))} A`
			: "",
		...(square ? squareOf(prepared[0]).warnings : []),
		square && kinds > 1
			? "the networks know one kind of scatterers: all are taken for it"
			: "",
	].filter(Boolean);
	return {
		tasks: prepared.map((p, i) => ({
			label: used.length > 1 ? used[i].label : baseName(file),
			energy: used[i].energy,
			image: images[i].image,
			weights: images[i].weights,
			nx,
			ny,
			scatterers: marks,
			prepared: p,
		})),
		square,
		unit: channel.unit,
		pixel,
		centre,
		order,
		scatterers,
		used: inside,
		found,
		correction,
		mask,
		told: [
			...told,
			`${kept.length} scatterers ${origin}${kept.length < scatterers.length ? `, ${scatterers.length - kept.length} more left out (keep = 0)` : ""}`,
			...(found?.told ?? []),
		],
		warnings: [...new Set([...warnings, ...more])],
		about: {
			channel: channel.name,
			unit: channel.unit,
			energies: used.map(({ energy }) => energy ?? null),
			...(leftOut.length > 0 && { leftOut }),
			pixel,
			size: [nx, ny],
			centre,
			background: { order },
			masked: 1 - weights.reduce((sum, w) => sum + w, 0) / weights.length,
			masks,
			steps: steps.map(({ name, note }) => ({ name, note })),
		},
	};
}

function takeDataset(
	{ file }: Input,
	dataset: KernelFile,
	options: TakeOptions,
): Taken {
	const given = (
		[
			"scatterers",
			"crop",
			"lowPass",
			"flatten",
			"background",
			"mask",
			"pixel",
			"clip",
			"channel",
			"energy",
			"image",
			"field",
			"lattice",
			"drift",
			"normalise",
		] as const
	).find((name) => options[name] !== undefined);
	const asked = given ?? givenOf(options.find) ?? (options.detect && "detect");
	if (asked)
		throw new FormatError(
			`${file} is of the dataset's format, with its own scatterers and size: expected no --${asked.replace("lowPass", "low-pass")}`,
		);
	const images = dataset.images.slice(0, options.max);
	const field = fieldOf(dataset);
	return {
		tasks: images.map((image, i) => ({
			label: `image ${i + 1}`,
			image,
			nx: 64,
			ny: 64,
			scatterers: dataset.scatterers[i],
		})),
		square: true,
		unit: "",
		pixel: field / (RESOLUTION - 1),
		centre: { x: 0, y: 0 },
		order: 0,
		used: [],
		truth: dataset.kernel,
		told: [
			`${baseName(file)}: the dataset's format, 64 x 64 pixels over ${field} A, ${images.length} of ${dataset.images.length} images with their scatterers, and a kernel to compare with`,
		],
		warnings: dataset.warning ? [dataset.warning] : [],
		about: { images: images.length },
	};
}
