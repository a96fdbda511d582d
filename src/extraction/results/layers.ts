/** Layers of a stack that cannot be extracted from. */

import { maxOf } from "../../qpi/maths/extremes.ts";
import {
	type Preprocessed,
	type PreprocessOptions,
	preprocess,
} from "../preprocess.ts";
import type { Scan } from "../scan/scan.ts";

/** Share of the pixels that are there at one end of the scale from which an image is cut off by the amplifier. */
const SATURATED = 0.5;
/** Share of what the fullest layer has that a layer must have: where it has nothing, all of them would count nowhere. */
const LEAST = 0.5;

/**
 * Why each layer is dead, undefined where it is not: nothing was measured, one value everywhere; of several: more than half of the pixels at the highest or the lowest
 * value (saturated), or less than half of the pixels that another layer has.
 * @param images [nx][ny] each, NaN where nothing was measured
 */
export function deadLayers(
	images: readonly ArrayLike<number>[],
): (string | undefined)[] {
	// Of a single image there is no other to take: what is badly cut off may be all that there is.
	const several = images.length > 1;
	const seen = images.map((image) => {
		let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
		let [lowest, highest, there] = [0, 0, 0];
		for (let p = 0; p < image.length; p++) {
			const v = image[p];
			if (!Number.isFinite(v)) continue;
			there++;
			if (v < low) [low, lowest] = [v, 0];
			if (v > high) [high, highest] = [v, 0];
			if (v === low) lowest++;
			if (v === high) highest++;
		}
		return { there, constant: low === high, cut: Math.max(lowest, highest) };
	});
	const fullest = maxOf(seen.map(({ there }) => there));
	return seen.map(({ there, constant, cut }) => {
		const percent = (of: number, whole: number) =>
			`${Math.floor((100 * of) / whole)} %`;
		if (there === 0) return "nothing was measured";
		if (constant) return "it has one value everywhere";
		if (several && there < LEAST * fullest)
			return `only ${percent(there, images[0].length)} of its pixels were measured`;
		if (several && cut > SATURATED * there)
			return `saturated: ${percent(cut, there)} of its pixels have one value, the highest or the lowest`;
		return undefined;
	});
}

/** What prepares the images of a stack. */
export type PrepareAll = (
	scans: readonly Scan[],
	options: PreprocessOptions,
) => Promise<readonly Preprocessed[]>;

/**
 * Prepares the layers of a stack; of one that cannot be prepared, while another can, why.
 * @throws RangeError where none can be
 */
export async function prepareLayers(
	scans: readonly Scan[],
	options: PreprocessOptions,
	prepareAll: PrepareAll = async (all, how) =>
		all.map((scan) => preprocess(scan, how)),
): Promise<readonly (Preprocessed | string)[]> {
	try {
		return await prepareAll(scans, options);
	} catch (error) {
		if (!(error instanceof RangeError) || scans.length === 1) throw error;
		// One of them stops all: which?
		const each = scans.map((scan) => {
			try {
				return preprocess(scan, options);
			} catch (own) {
				if (own instanceof RangeError) return withoutName(own);
				throw own;
			}
		});
		if (each.every((one) => typeof one === "string")) throw error;
		return each;
	}
}

/** "preprocess: nothing was measured" without what said so. */
export const withoutName = ({ message }: RangeError): string =>
	message.replace(/^preprocess: /, "");
