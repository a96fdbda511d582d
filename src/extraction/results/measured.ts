/** From the options that `detect` and `extract` share to scans. */

import { type ArrayLayout, arrange } from "../../formats/axes.ts";
import {
	type Channel,
	FormatError,
	type Measurement,
} from "../../formats/measurement.ts";
import type { LatticeCorrection } from "../lattice/correction.ts";
import type { Shape } from "../scan/masks.ts";
import type { Prepared } from "../scan/preprocess.ts";
import type { Scan } from "../scan/scan.ts";
import { type Chosen, chooseChannel, chooseImages } from "./choose.ts";
import { baseName, type Input } from "./input.ts";

export interface ImageOptions extends ArrayLayout {
	readonly channel?: string;
	/** eV */
	readonly energy?: number;
	/** Angstrom: the image's longer side, where the file does not say. */
	readonly field?: number;
}

/** The images of a measurement that are meant. */
export interface Measured {
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
): Measured {
	const { file } = found;
	const measurement = arrange(found.measurement, options, file);
	const input = { ...found, measurement };
	const { nx, ny } = measurement;
	const channel = chooseChannel(input, options.channel);
	const chosen = chooseImages(input, channel, options.energy);
	const warnings = [...measurement.warnings];
	const spacing = spacingOf(input, options.field, warnings);
	const name = channel.name + (channel.unit && ` (${channel.unit})`);
	const byDefault =
		options.channel === undefined && measurement.channels.length > 1;
	// An array's images have numbers where others have energies.
	const numbered = measurement.format === "npy";
	const [first, last] = [chosen[0], chosen[chosen.length - 1]];
	const parts = [
		`channel ${name}`,
		byDefault && "taken by default",
		numbered && chosen.length > 1 && `${chosen.length} images`,
		!numbered &&
			chosen.length > 1 &&
			`${chosen.length} energies from ${meV(first)} to ${meV(last)}`,
		chosen.length === 1 && first.energy !== undefined && `at ${meV(first)}`,
	];
	const size = [nx * spacing.x, ny * spacing.y].map((a) => a.toPrecision(4));
	return {
		channel,
		scans: chosen.map((c) => ({
			...c,
			energy: numbered ? undefined : c.energy,
			scan: { image: c.image, nx, ny, spacing },
		})),
		told: `${baseName(file)}: ${parts.filter(Boolean).join(", ")}; ${nx} x ${ny} pixels, ${size.map(Number).join(" x ")} A`,
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
	return { x: 400 / 63, y: 400 / 63 };
}

/** "45 meV", or the image's number where its energy is not known. */
export const labelOf = (chosen: Pick<Chosen, "energy" | "index">): string =>
	chosen.energy === undefined ? `image ${chosen.index + 1}` : meV(chosen);

/** "45 meV" */
const meV = ({ energy }: { readonly energy?: number }): string =>
	energy === undefined ? "?" : `${Number((1000 * energy).toPrecision(5))} meV`;

/** The images of a measurement as they are extracted from, before it is known where their scatterers are. */
export interface Preparation {
	readonly file: string;
	readonly channel: Channel;
	readonly used: Measured["scans"];
	/** Layers of a stack that are dead, and why. */
	readonly leftOut: readonly { readonly label: string; readonly why: string }[];
	/** One of each that is used. */
	readonly prepared: readonly Prepared[];
	readonly mask?: readonly Shape[];
	/** What the lattice says of the scan; undefined where nobody asked. */
	readonly correction?: LatticeCorrection;
	/** What was read and done, a sentence each. */
	readonly told: readonly string[];
	readonly warnings: readonly string[];
}
