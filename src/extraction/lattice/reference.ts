/** Which of a file's images shows its lattice: the topography where there is one, else the image that is extracted from. */
import {
	type Channel,
	FormatError,
	type Measurement,
} from "../../formats/measurement.ts";
import { evenly } from "../../qpi/maths/evenly.ts";
import type { Scan } from "../scan/scan.ts";
import { findBragg } from "./bragg.ts";
import {
	type LatticeCorrection,
	type LatticeOptions,
	latticeCorrection,
} from "./correction.ts";
import { checkLattice } from "./lattice.ts";

const HEIGHT = /^z\b|topo|height/i;
const BACKWARD = /\b(backward|bwd)\b/i;

/** The forward pass's heights; undefined where there are none. */
export const topographyOf = ({ channels }: Measurement): Channel | undefined =>
	channels.find(
		({ name }) =>
			HEIGHT.test(name) && !BACKWARD.test(name.replaceAll("_", " ")),
	);

/** Layers of a stack that are looked at. */
const LAYERS = 12;

/**
 * The correction that all images of a channel get.
 * @param used the channel's images that are extracted from
 * @throws FormatError in one line where no image shows the lattice
 */
export function correctionOf(
	{ measurement, file }: { measurement: Measurement; file: string },
	channel: Channel,
	used: readonly { readonly scan: Scan }[],
	options: LatticeOptions,
): LatticeCorrection {
	if (options.lattice) checkLattice(options.lattice);
	const height = topographyOf(measurement);
	const [{ scan }] = used;
	const candidates: [name: string, scan: Scan][] = [];
	if (height)
		candidates.push([height.name, { ...scan, image: height.images[0] }]);
	if (channel !== height)
		candidates.push([channel.name, clearest(used, options)]);
	let refusal = "";
	for (const [name, image] of candidates)
		try {
			const found = latticeCorrection(image, options);
			return { ...found, told: `by ${name}; ${found.told}`, reference: name };
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
			refusal ||= error.message;
		}
	throw new FormatError(
		`${file}: ${refusal} (looked at ${candidates.map(([name]) => name).join(" and ")})`,
	);
}

/** The layer of a stack in which the peaks stand out most; the first where none has any. */
function clearest(
	used: readonly { readonly scan: Scan }[],
	{ lattice }: LatticeOptions,
): Scan {
	let best = used[0].scan;
	let most = 0;
	if (used.length === 1) return best;
	for (const { scan } of evenly(used, LAYERS))
		try {
			const { peaks } = findBragg(scan, undefined, lattice);
			const contrast = Math.min(peaks[0].contrast, peaks[1].contrast);
			if (contrast > most) [best, most] = [scan, contrast];
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
		}
	return best;
}
