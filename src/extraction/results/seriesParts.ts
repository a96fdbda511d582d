/** Which files can be one series: one image and one bias each, the same pixels in all. */
import {
	energiesOf,
	FormatError,
	type Measurement,
} from "../../formats/measurement.ts";
import { chooseChannel } from "./choose.ts";
import type { Input } from "./input.ts";

/** A file of a series. */
export interface SeriesPart {
	readonly file: string;
	/** eV */
	readonly energy: number;
	readonly measurement: Measurement;
}

/**
 * The file as a part of a series.
 * @param channel as --channel
 * @throws FormatError where it is not one image with a bias
 */
export function partOf(
	{ file, measurement }: Input,
	channel?: string,
): SeriesPart {
	if (!measurement)
		throw new FormatError(
			`${file} is of the dataset's format, expected a measured image for a series`,
		);
	const chosen = chooseChannel({ measurement, file }, channel);
	const energies = energiesOf(measurement, chosen);
	if (chosen.images.length !== 1 || energies.length !== 1)
		throw new FormatError(
			chosen.images.length !== 1
				? `${file}: found ${chosen.images.length} images, expected one a file of a series`
				: `${file}: found no bias, expected one in each file of a series`,
		);
	return { file, measurement, energy: energies[0] };
}

type Sides = Pick<Measurement, "nx" | "ny" | "spacing">;

/** "192 x 192 pixels of 2.500 x 2.500 A": what all files of a series have in common. */
export const sidesOf = ({ nx, ny, spacing }: Sides): string =>
	`${nx} x ${ny} pixels of ${spacing ? `${spacing.x.toPrecision(4)} x ${spacing.y.toPrecision(4)} A` : "unknown size"}`;

/** Whether maps have the same pixels, their sides to a thousandth. */
export function sameSides(a: Sides, b: Sides): boolean {
	const close = (v = 0, w = 0) => Math.abs(v - w) <= 1e-3 * Math.abs(v);
	return (
		a.nx === b.nx &&
		a.ny === b.ny &&
		close(a.spacing?.x, b.spacing?.x) &&
		close(a.spacing?.y, b.spacing?.y)
	);
}
