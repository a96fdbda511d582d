/** From the options that `detect` and `extract` share to scans. */

import { type ArrayLayout, arrange, layoutNote } from "../../formats/axes.ts";
import {
	type Channel,
	FormatError,
	type Measurement,
} from "../../formats/measurement.ts";
import { PIXEL } from "../../qpi/dataset/format.ts";
import type { LatticeCorrection } from "../lattice/correction.ts";
import type { Preprocessed } from "../preprocess.ts";
import type { Shape } from "../scan/masks.ts";
import type { Scan } from "../scan/scan.ts";
import {
	type Chosen,
	chooseChannel,
	chooseImages,
	energyLabels,
} from "./choose.ts";
import { baseName, type Input } from "./input.ts";

export interface ImageOptions extends ArrayLayout {
	readonly channel?: string;
	/** eV */
	readonly energy?: number;
	/** Of several images the one of this number, from 1. */
	readonly image?: number;
	/** Angstrom: the image's longer side, where the file does not say. */
	readonly field?: number;
}

/** The images of a measurement that are meant. */
export interface MeasuredScans {
	readonly channel: Channel;
	readonly scans: readonly (Chosen & { readonly scan: Scan })[];
	/** What was read, a sentence. */
	readonly told: string;
	readonly warnings: readonly string[];
}

/** Throws FormatError where the options do not fit the file. */
export function measured(
	found: Input & { readonly measurement: Measurement },
	options: ImageOptions,
): MeasuredScans {
	const { file } = found;
	const measurement = arrange(found.measurement, options, file);
	const input = { ...found, measurement };
	const { nx, ny } = measurement;
	const warnings = [
		...(found.own ? [`${baseName(file)}: ${found.own}`] : []),
		...measurement.warnings,
	];
	const channel = chooseChannel(input, options.channel, warnings);
	const chosen = chooseImages(input, channel, options);
	const spacing = spacingOf(input, options.field, warnings);
	const name = channel.name + (channel.unit && ` (${channel.unit})`);
	const byDefault =
		options.channel === undefined && measurement.channels.length > 1;
	const energies = chosen.flatMap(({ energy }) => energy ?? []);
	const parts = [
		`channel ${name}`,
		byDefault && "taken by default",
		chosen.length > 1 &&
			(energies.length > 0
				? `${energies.length} energies from ${turnsOf(energies)
						.map(energyLabels(energies))
						.join(" to ")}`
				: `${chosen.length} images`),
		chosen.length === 1 &&
			(energies.length > 0 || channel.images.length > 1) &&
			`at ${chosen[0].label}`,
	];
	const layout = layoutNote(found.measurement, options);
	const size = [nx * spacing.x, ny * spacing.y].map((a) => a.toPrecision(4));
	return {
		channel,
		scans: chosen.map((c) => ({
			...c,
			scan: { image: c.image, nx, ny, spacing },
		})),
		told: `${baseName(file)}: ${parts.filter(Boolean).join(", ")}; ${nx} x ${ny} pixels, ${size.map(Number).join(" x ")} A${layout ? `; ${layout}` : ""}`,
		warnings,
	};
}

function spacingOf(
	{ measurement, file }: Input & { readonly measurement: Measurement },
	field: number | undefined,
	warnings: string[],
): { x: number; y: number } {
	const { nx, ny, spacing } = measurement;
	if (spacing) {
		if (field !== undefined)
			throw new FormatError(
				`${file}: found the image's size in the file, expected no --field`,
			);
		return spacing;
	}
	if (field !== undefined) {
		const each = field / Math.max(nx, ny);
		return { x: each, y: each };
	}
	if (nx !== 64 || ny !== 64)
		throw new FormatError(
			`${file}: found an image without a size, expected its longer side in Angstrom by --field`,
		);
	warnings.push(
		"the file does not say its size: taken for 64 x 64 pixels from -200 to 200 A; --field says otherwise",
	);
	return { x: PIXEL, y: PIXEL };
}

/** The images of a measurement as they are extracted from, before it is known where their scatterers are. */
export interface Preparation {
	readonly file: string;
	readonly channel: Channel;
	readonly used: MeasuredScans["scans"];
	/** Layers of a stack that are dead, and why. */
	readonly leftOut: readonly { readonly label: string; readonly why: string }[];
	/** One of each that is used. */
	readonly prepared: readonly Preprocessed[];
	readonly mask?: readonly Shape[];
	/** What the lattice says of the scan; undefined where nobody asked. */
	readonly correction?: LatticeCorrection;
	/** What was read and done, a sentence each. */
	readonly told: readonly string[];
	readonly warnings: readonly string[];
}

/** The first value, those where the list turns round, and the last: a loop's from, to and back. */
export function turnsOf(values: readonly number[]): number[] {
	return values
		.filter((v, i) => v !== values[i - 1])
		.filter((v, i, all) => {
			const turns = (v - all[i - 1]) * (all[i + 1] - v) < 0;
			return i === 0 || i === all.length - 1 || turns;
		});
}
