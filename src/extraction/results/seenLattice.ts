/** Which of a file's images show Bragg peaks, for `info`. */
import type { Measurement } from "../../formats/measurement.ts";
import { type Bragg, findBragg } from "../lattice/bragg.ts";
import { describeLattice, length } from "../lattice/lattice.ts";
import { topographyOf } from "../lattice/reference.ts";
import { chooseChannel } from "./choose.ts";

export interface SeenLattice extends Bragg {
	readonly channel: string;
}

/** Images of more pixels take seconds. */
const MOST_PIXELS = 1 << 19;

/** Of the heights and of the channel that is taken by default, the first image of each: those that show Bragg peaks. */
export function seenLattices(
	measurement: Measurement,
	file: string,
): SeenLattice[] {
	const { nx, ny, spacing } = measurement;
	if (!spacing || nx * ny > MOST_PIXELS) return [];
	const channels = new Set([
		topographyOf(measurement),
		chooseChannel({ measurement, file }, undefined),
	]);
	return [...channels].flatMap((channel) => {
		if (!channel) return [];
		try {
			const scan = { image: channel.images[0], nx, ny, spacing };
			return [{ channel: channel.name, ...findBragg(scan) }];
		} catch (error) {
			if (error instanceof RangeError) return [];
			throw error;
		}
	});
}

/** "Bragg peaks in Z at (1.144, -1.190) and (1.154, 1.195) 1/A (1.651, 1.661): a lattice of 3.809 x 3.785 A, 92.2 degrees" */
export const describeSeen = ({ channel, peaks, lattice }: SeenLattice) =>
	`Bragg peaks in ${channel} at ${peaks.map(({ x, y }) => `(${x.toFixed(3)}, ${y.toFixed(3)})`).join(" and ")} 1/A, ${peaks.map((q) => length(q).toFixed(3)).join(" and ")} 1/A long: a lattice of ${describeLattice(lattice)}`;
