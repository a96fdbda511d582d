/** What is read of a microscope's file, whatever its format: images with their sizes, units and energies. */

export { FormatError } from "./reading.ts";

/** Where a stack's images are counted in the file. */
export type StackOrder = "exy" | "xey" | "xye";

export interface Channel {
	readonly name: string;
	readonly unit: string;
	/** One an energy; image[ix * ny + iy], x from left to right and y from bottom to top; NaN = not measured. */
	readonly images: readonly Float32Array[];
	/** eV, where they are not the measurement's: the passes of a multi-pass scan. See energiesOf. */
	readonly energies?: readonly number[];
}

/** What the images of a stack run over where it is no energy: the height of a Z sweep, say. */
export interface Sweep {
	readonly name: string;
	readonly unit: string;
	/** One an image, in the file's order. */
	readonly values: readonly number[];
}

export type Format =
	| ("sxm" | "3ds" | "npy" | "csv" | "png")
	| ("npz" | "mat" | "gwy" | "gsf" | "ibw")
	| ("createc" | "wsxm" | "sm4" | "tiff" | "nexus" | "hdf5");

export interface Measurement {
	readonly format: Format;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom a pixel; undefined when the file does not say. */
	readonly spacing?: { readonly x: number; readonly y: number };
	/** At least one; no two of the same name. */
	readonly channels: readonly Channel[];
	/** Where the file counts a stack's images, of formats that are arrays without names of axes; "exy" when not given. */
	readonly stacked?: StackOrder;
	/** eV, one an image of a channel, in the file's order; empty where the file does not say, or its images are not at energies. */
	readonly energies: readonly number[];
	/** What the images run over instead, where the file says it. */
	readonly sweep?: Sweep;
	/** Of a text that says itself how its numbers lie: how, for people. */
	readonly layout?: string;
	/** What else the header says, for people: [label, value]. */
	readonly details: readonly (readonly [string, string])[];
	/** What was done to it since, sentences for people. */
	readonly done?: readonly string[];
	readonly warnings: readonly string[];
}

/** A channel's energies in eV, one an image; empty when the file does not say. */
export const energiesOf = (
	measurement: Measurement,
	channel: Channel,
): readonly number[] => channel.energies ?? measurement.energies;

/**
 * The channel of this name, or undefined. Case, blanks for underscores and a unit behind the name do not matter: "liy 1 omega (A)" is LIY_1_omega.
 */
export function findChannel(
	measurement: Measurement,
	name: string,
): Channel | undefined {
	const plain = (text: string) =>
		text
			.toLowerCase()
			.replaceAll(/[\s_]+/g, " ")
			.trim();
	const { channels } = measurement;
	return (
		channels.find((channel) => channel.name === name) ??
		channels.find((channel) =>
			[channel.name, `${channel.name} (${channel.unit})`]
				.map(plain)
				.includes(plain(name)),
		)
	);
}
