/** From what a file holds to the images that are extracted from, with their scatterers. */
import {
	type DetectedScatterer,
	detectScatterers,
} from "../extraction/detect.ts";
import {
	type Prepared,
	type PreprocessOptions,
	preprocess,
	type Scan,
	type Shape,
	type Square64,
	squareOf,
	toModel,
} from "../extraction/preprocess.ts";
import { readScatterers } from "../extraction/scatterers.ts";
import {
	type Channel,
	FormatError,
	type Measurement,
} from "../formats/measurement.ts";
import type { KernelFile } from "../qpi/format.ts";
import { baseName, type Input } from "./input.ts";
import {
	type ImageOptions,
	labelOf,
	type Measured,
	measured,
} from "./measured.ts";

export interface PrepareOptions extends ImageOptions, PreprocessOptions {
	/** Of a dataset file or a stack: at most so many images. */
	readonly max?: number;
}

export interface TakeOptions extends PrepareOptions {
	/** A CSV file of scatterers: its name and what is in it. */
	readonly scatterers?: { readonly file: string; readonly text: string };
	/** Look for scatterers. */
	readonly detect: boolean;
}

/** One image as it is extracted from: 64 x 64 pixels, and its scatterers in the model's frame. */
export interface Task {
	readonly label: string;
	/** eV */
	readonly energy?: number;
	readonly image: Float32Array;
	readonly valid?: Float32Array;
	readonly scatterers: readonly { x: number; y: number; weight?: number }[];
	readonly prepared?: Prepared;
	/** The 64 x 64 pixels of `prepared`, and where they lie. */
	readonly square?: Square64;
}

/** What a file gives to extract from. */
export interface Taken {
	readonly tasks: readonly Task[];
	readonly unit: string;
	/** Angstrom a pixel of the 64 x 64. */
	readonly spacing: number;
	readonly centre: { readonly x: number; readonly y: number };
	/** In the scan's frame; a dataset file has its own for each image. */
	readonly scatterers?: readonly DetectedScatterer[];
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

/** The images of a measurement as they are extracted from, before it is known where their scatterers are. */
export interface Preparation {
	readonly file: string;
	readonly channel: Channel;
	readonly used: Measured["scans"];
	/** One of each that is used. */
	readonly prepared: readonly Prepared[];
	/** The 64 x 64 pixels of each. */
	readonly squares: readonly Square64[];
	/** Whether a part of the scan was asked for. */
	readonly cropped: boolean;
	readonly mask?: readonly Shape[];
	/** What was read and done, a sentence each. */
	readonly told: readonly string[];
	readonly warnings: readonly string[];
}

/** Chooses, prepares and marks. Throws FormatError, RangeError or DatasetError where file and options do not fit. */
export function take(input: Input, options: TakeOptions): Taken {
	const { measurement, dataset, file } = input;
	if (dataset) return takeDataset(input, dataset, options);
	if (!measurement) throw new Error(`${file}: nothing was read`);
	if (!options.scatterers === !options.detect)
		throw new FormatError(
			options.detect
				? "both --scatterers and --detect are given, expected one of them"
				: `${file} does not say where its scatterers are: give --scatterers FILE.csv (x, y in Angstrom from the image's centre), or --detect to look for them`,
		);
	const preparation = prepareScans({ ...input, measurement }, options);
	const { scatterers: list } = options;
	return list
		? makeTasks(
				preparation,
				readScatterers(list.text, list.file),
				`from ${list.file}`,
			)
		: makeTasks(preparation, findScatterers(preparation), "found");
}

/** Chooses and prepares. Throws FormatError or RangeError where file and options do not fit. */
export function prepareScans(
	input: Input & { readonly measurement: Measurement },
	options: PrepareOptions,
): Preparation {
	const { scans, channel, told, warnings: first } = measured(input, options);
	const used = scans.slice(0, options.max);
	const warnings = new Set(first);
	const prepared = used.map(({ scan }) => preprocess(scan, options));
	const squares = prepared.map(squareOf);
	used.forEach((chosen, i) => {
		for (const warning of [...prepared[i].warnings, ...squares[i].warnings])
			warnings.add(
				used.length > 1 ? `${labelOf(chosen)}: ${warning}` : warning,
			);
	});
	const [{ steps }] = prepared;
	return {
		file: input.file,
		channel,
		used,
		prepared,
		squares,
		cropped: options.crop !== undefined,
		mask: options.mask,
		told: [
			told,
			...steps.slice(1).map(({ name, note }) => `${name}: ${note}`),
			`square: 64 x 64 pixels of ${Number(squares[0].spacing.toPrecision(3))} A`,
		],
		warnings: [...warnings],
	};
}

/** Looks for the scatterers that all images have in common; an empty list when nothing stands out. */
export const findScatterers = ({
	prepared,
	squares: [{ centre, spacing }],
	cropped,
}: Preparation): DetectedScatterer[] =>
	detectScatterers(common(prepared.map(({ whole }) => whole)), {
		area: cropped ? { ...centre, size: 64 * spacing } : undefined,
		valid: countsInAll(prepared),
	});

/** For each of the scan's pixels: 1 where it counts at all energies. */
export const countsInAll = (prepared: readonly Prepared[]): Float32Array =>
	prepared[0].counts.map((_, p) =>
		Math.min(...prepared.map(({ counts }) => counts[p])),
	);

/**
 * Puts the scatterers (scan frame) into the images.
 * @param origin how they came about, for people: "found", "from marks.csv"
 * @throws FormatError when none that is kept lies in the images
 */
export function makeTasks(
	{ file, channel, used, prepared, squares, mask, told, warnings }: Preparation,
	scatterers: readonly DetectedScatterer[],
	origin: string,
): Taken {
	const kept = scatterers.filter(({ keep }) => keep);
	const [{ steps, order, masks }] = prepared;
	const [square] = squares;
	const { spacing, centre } = square;
	const more = warningsOf(kept, square);
	const inside = kept.filter((s) => distance(s, square) <= half(spacing));
	const model = inside.map(({ x, y, weight }) => ({
		...toModel({ x, y }, square),
		weight,
	}));
	return {
		tasks: prepared.map((p, i) => ({
			label: used.length > 1 ? labelOf(used[i]) : baseName(file),
			energy: used[i].energy,
			image: squares[i].image,
			valid: squares[i].valid,
			scatterers: model,
			prepared: p,
			square: squares[i],
		})),
		unit: channel.unit,
		spacing,
		centre,
		scatterers,
		mask,
		told: [
			...told,
			`${kept.length} scatterers ${origin}${kept.length < scatterers.length ? `, ${scatterers.length - kept.length} more left out (keep = 0)` : ""}`,
		],
		warnings: [...new Set([...warnings, ...more])],
		about: {
			channel: channel.name,
			unit: channel.unit,
			energies: used.map(({ energy }) => energy ?? null),
			spacing,
			centre,
			background: order,
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
			"field",
		] as const
	).find((name) => options[name] !== undefined);
	if (given || options.detect)
		throw new FormatError(
			`${file} is of the dataset's format, with its own scatterers and size: expected no --${(given ?? "detect").replace("lowPass", "low-pass")}`,
		);
	const images = dataset.images.slice(0, options.max);
	return {
		tasks: images.map((image, i) => ({
			label: `image ${i + 1}`,
			image,
			scatterers: dataset.scatterers[i],
		})),
		unit: "",
		spacing: 400 / 63,
		centre: { x: 0, y: 0 },
		truth: dataset.kernel,
		told: [
			`${baseName(file)}: the dataset's format, ${images.length} of ${dataset.images.length} images with their scatterers, and a kernel to compare with`,
		],
		warnings: dataset.warning ? [dataset.warning] : [],
		about: { images: images.length },
	};
}

/**
 * The mean of scans of one area at several energies, each over its standard deviation: the ripples of different wavelengths average out, the scatterers
 * themselves stay.
 */
export function common(scans: readonly Scan[]): Scan {
	if (scans.length === 1) return scans[0];
	const image = new Float32Array(scans[0].image.length);
	for (const scan of scans) {
		const n = image.length;
		const mean = scan.image.reduce((sum, v) => sum + v / n, 0);
		const variance = scan.image.reduce((s, v) => s + (v - mean) ** 2 / n, 0);
		for (let i = 0; i < n; i++)
			image[i] +=
				(scan.image[i] - mean) / (Math.sqrt(variance) || 1) / scans.length;
	}
	return { ...scans[0], image };
}

/** Half the side of the 64 x 64 pixels. */
const half = (spacing: number) => 32 * spacing;

/** From their centre, along the axis where it is more. */
const distance = (
	{ x, y }: DetectedScatterer,
	{ centre }: Pick<Square64, "centre">,
) => Math.max(Math.abs(x - centre.x), Math.abs(y - centre.y));

function warningsOf(
	kept: readonly DetectedScatterer[],
	{ centre, spacing }: Square64,
): string[] {
	const limit = half(spacing);
	const from = (s: DetectedScatterer) => distance(s, { centre });
	const outside = kept.filter((s) => from(s) > limit).length;
	const near = kept.filter(
		(s) => from(s) <= limit && from(s) > limit - 2 * spacing,
	);
	if (kept.length === outside)
		throw new FormatError(
			kept.length
				? `none of the ${kept.length} scatterers lies inside the image, expected at least one (x and y in Angstrom from its centre)`
				: "there is no scatterer to extract from, expected at least one",
		);
	const several = (n: number) =>
		n === 1 ? "1 scatterer lies" : `${n} scatterers lie`;
	return [
		near.length
			? `${several(near.length)} within two pixels of the edge: their places are uncertain`
			: "",
		outside
			? `${several(outside)} outside the image${outside > 1 ? " and are" : " and is"} not used`
			: "",
	].filter(Boolean);
}
