/** From what a file holds to the images that are meant, prepared. */

import { FormatError, type Measurement } from "../../formats/measurement.ts";
import { minOf } from "../../qpi/maths/extremes.ts";
import { asksForLattice, type LatticeOptions } from "../lattice/correction.ts";
import { correctionOf } from "../lattice/reference.ts";
import type { Preprocessed, PreprocessOptions, Scan } from "../preprocess.ts";
import { checkCrop } from "../scan/map.ts";
import { covered } from "../scan/masks.ts";
import { crop } from "../scan/resample.ts";
import type { Input } from "./input.ts";
import {
	deadLayers,
	type PrepareAll,
	prepareLayers,
	withoutName,
} from "./layers.ts";
import {
	type ImageOptions,
	type MeasuredScans,
	measured,
	type Preparation,
} from "./measured.ts";
import { type Normalisation, normalise, setPointWarning } from "./normalise.ts";

export interface PrepareOptions
	extends ImageOptions,
		Omit<PreprocessOptions, "correction">,
		LatticeOptions {
	/** How the set-point effect is taken out of a stack; "none" by default. */
	readonly normalise?: Normalisation;
	/** Of a dataset file or a stack: at most so many images. */
	readonly max?: number;
	/** What prepares the images of a stack; preprocess() one after the other when not given. */
	readonly prepareAll?: PrepareAll;
}

/** Chooses and prepares; dead layers of a stack are left out with a warning. Throws FormatError or RangeError where file and options do not fit, or all layers are dead. */
export async function prepareScans(
	found: Input & { readonly measurement: Measurement },
	options: PrepareOptions,
): Promise<Preparation> {
	const normal = normalisedInput(found, options);
	const { input } = normal;
	const { scans, channel, told, warnings: first } = normal.measured;
	const all = scans.slice(0, options.max);
	const dead = deadLayers(all.map(({ scan }) => counting(scan, options)));
	const alive = all.filter((_, i) => !dead[i]);
	const leftOut = all.flatMap((chosen, i) => {
		const why = dead[i];
		return why ? [{ label: chosen.label, why }] : [];
	});
	if (alive.length === 0) {
		const [{ label, why }] = leftOut;
		const where =
			all.length > 1 ? `any of its ${all.length} layers (` : `${label} (`;
		const part = options.crop || options.mask ? " inside of crop and mask" : "";
		throw new FormatError(
			`${input.file}: found nothing to extract from in channel ${channel.name}, in ${where}${all.length > 1 ? `${label}: ` : ""}${why}${part}), expected an image`,
		);
	}
	const { flatten, background, stepEdges, repair, clip, clusters } = options;
	const { mask, lowPass, crop: part, pixel, prepareAll } = options;
	const correction = asksForLattice(options)
		? correctionOf(input, channel, alive, options)
		: undefined;
	const rest: PreprocessOptions = {
		...{ flatten, background, stepEdges, repair, clip, clusters },
		...{ mask, lowPass, crop: part, pixel, correction },
	};
	const layers = await prepareLayers(
		alive.map(({ scan }) => scan),
		rest,
		prepareAll,
	).catch((error) => {
		if (!(error instanceof RangeError)) throw error;
		throw new FormatError(`${input.file}: ${withoutName(error)}`);
	});
	const prepared = layers.filter((layer) => typeof layer !== "string");
	const used = alive.filter((_, i) => typeof layers[i] !== "string");
	layers.forEach((layer, i) => {
		if (typeof layer === "string")
			leftOut.push({ label: alive[i].label, why: layer });
	});
	const warnings = new Set([
		...first,
		...setPointWarning(input.measurement, channel, energiesIn(used)),
	]);
	for (const { label, why } of leftOut)
		warnings.add(`${label}: left out, ${why}`);
	used.forEach((chosen, i) => {
		for (const warning of prepared[i].warnings)
			warnings.add(used.length > 1 ? `${chosen.label}: ${warning}` : warning);
	});
	const [{ steps }] = prepared;
	return {
		file: input.file,
		channel,
		...{ used, leftOut, prepared, correction },
		mask,
		told: [
			told,
			...(input.measurement.done ?? []),
			...normal.told,
			...steps.slice(1).map(({ name, note }) => `${name}: ${note}`),
		],
		warnings: [...warnings],
	};
}

/** The values of what is asked for and not masked; all of them where that is nothing. */
function counting(
	scan: Scan,
	{ crop: wanted, mask = [] }: PreprocessOptions,
): Float32Array {
	if (!wanted && mask.length === 0) return scan.image;
	const part = checkCrop(scan, wanted);
	const covers = Float32Array.from(covered(scan, mask));
	const hidden = crop({ ...scan, image: covers }, part).image;
	const left = crop(scan, part).image.filter((_, p) => !hidden[p]);
	return left.length > 0 ? left : scan.image;
}

/** The images that are meant, without the set-point effect where it is asked for. */
function normalisedInput(
	found: Input & { readonly measurement: Measurement },
	options: PrepareOptions,
) {
	const { normalise: how = "none" } = options;
	if (how === "none")
		return { input: found, measured: measured(found, options), told: [] };
	const { measurement, channel, told } = normalise(found, options.channel, how);
	const input = { ...found, measurement };
	return {
		input,
		measured: measured(input, { ...options, channel }),
		told: [told],
	};
}

const energiesIn = (used: MeasuredScans["scans"]) =>
	used.filter(({ energy }) => energy !== undefined).length;

/** For each of the scan's pixels: 1 where it counts at all energies. */
export const countsInAll = (prepared: readonly Preprocessed[]): Float32Array =>
	prepared[0].counts.map((_, p) =>
		minOf(prepared.map(({ counts }) => counts[p])),
	);

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
