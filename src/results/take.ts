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
	toModel,
} from "../extraction/preprocess.ts";
import type { Square } from "../extraction/resample.ts";
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
	/** The part of the scan that is extracted from; the largest square when not given. */
	readonly area?: Square;
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
	const prepared = used.map(({ scan, ...chosen }) => {
		const result = preprocess(scan, options);
		for (const warning of result.warnings)
			warnings.add(
				used.length > 1 ? `${labelOf(chosen)}: ${warning}` : warning,
			);
		return result;
	});
	const [{ steps }] = prepared;
	return {
		file: input.file,
		channel,
		used,
		prepared,
		area: options.crop,
		told: [told, ...steps.slice(1).map(({ name, note }) => `${name}: ${note}`)],
		warnings: [...warnings],
	};
}

/** Looks for the scatterers that all images have in common; an empty list when nothing stands out. */
export const findScatterers = ({
	prepared,
	area,
}: Preparation): DetectedScatterer[] =>
	detectScatterers(common(prepared.map(wholeScan)), {
		area,
		valid: prepared[0].measured,
	});

/**
 * Puts the scatterers (scan frame) into the images.
 * @param origin how they came about, for people: "found", "from marks.csv"
 * @throws FormatError when none that is kept lies in the images
 */
export function makeTasks(
	{ file, channel, used, prepared, told, warnings }: Preparation,
	scatterers: readonly DetectedScatterer[],
	origin: string,
): Taken {
	const kept = scatterers.filter(({ keep }) => keep);
	const [{ spacing, centre, steps }] = prepared;
	const more = warningsOf(kept, prepared[0]);
	const inside = kept.filter((s) => distance(s, prepared[0]) <= half(spacing));
	const model = inside.map(({ x, y, weight }) => ({
		...toModel({ x, y }, prepared[0]),
		weight,
	}));
	return {
		tasks: prepared.map((p, i) => ({
			label: used.length > 1 ? labelOf(used[i]) : baseName(file),
			energy: used[i].energy,
			image: p.image,
			valid: p.valid,
			scatterers: model,
			prepared: p,
		})),
		unit: channel.unit,
		spacing,
		centre,
		scatterers,
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

/** The last step at the scan's own size and resolution. */
export function wholeScan({ steps }: Pick<Prepared, "steps">): Scan {
	const [{ scan: raw }] = steps;
	const whole = steps.filter(
		({ name, scan }) =>
			name !== "crop" &&
			name !== "resample" &&
			scan.nx === raw.nx &&
			scan.ny === raw.ny,
	);
	return whole[whole.length - 1].scan;
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

const MANY = 20;

/** Half the side of the 64 x 64 pixels. */
const half = (spacing: number) => 32 * spacing;

/** From their centre, along the axis where it is more. */
const distance = (
	{ x, y }: DetectedScatterer,
	{ centre }: Pick<Prepared, "centre">,
) => Math.max(Math.abs(x - centre.x), Math.abs(y - centre.y));

function warningsOf(
	kept: readonly DetectedScatterer[],
	{ centre, spacing }: Prepared,
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
		kept.length - outside > MANY
			? `${kept.length - outside} scatterers overlap in the image: more than ${MANY} leave little to tell their patterns apart; crop, or keep the clearest`
			: "",
		near.length
			? `${several(near.length)} within two pixels of the edge: their places are uncertain`
			: "",
		outside
			? `${several(outside)} outside the image${outside > 1 ? " and are" : " and is"} not used`
			: "",
	].filter(Boolean);
}
