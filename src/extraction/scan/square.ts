/**
 * The 64 x 64 pixels that the networks work on. This is the only place that knows how the scan's frame (Angstrom, origin at the scan's centre) and the
 * networks' (a field of linspace(-200, 200, 64)) hang together.
 */
import { PIXEL, RESOLUTION } from "../../qpi/dataset/format.ts";
import { powerBeyond } from "./filter.ts";
import { coverage, crop, type Raster, resample } from "./resample.ts";
import type { Scan } from "./scan.ts";
import { num, percent } from "./told.ts";

/** Pixels along the side of the images that the networks work on. */
const SIDE = RESOLUTION;
const ALIASED = 0.05;
const FEW_PIXELS = 32;

/** A map, and the scan that it is a part of, as Preprocessed (preprocess.ts) has them. */
interface MapOnScan {
	readonly scan: Scan;
	readonly centre: { readonly x: number; readonly y: number };
	readonly whole: Scan;
	readonly counts: Float32Array;
}

export interface Square64 {
	/** 64 x 64, first index x, in the scan's units, finite throughout. */
	readonly image: Float32Array;
	/** 64 x 64: 1 counts, 0 does not (filled from neighbours), between: the share of the pixel's area. */
	readonly valid: Float32Array;
	/** Angstrom a pixel. */
	readonly spacing: number;
	/** In the scan's frame; pixel i lies at centre + (i - 31.5) * spacing. */
	readonly centre: { readonly x: number; readonly y: number };
	/** Share of the map's power that 64 pixels cannot carry and the resampling has cut off. */
	readonly aliased: number;
	readonly warnings: readonly string[];
}

/** 64 x 64 anti-aliased pixels of the largest square about the map's middle; the same pixels where the map has 64 x 64. */
export function squareOf({ scan, centre, whole, counts }: MapOnScan): Square64 {
	const { nx, ny, spacing } = scan;
	const [width, height] = [nx * spacing.x, ny * spacing.y];
	const size = Math.min(width, height);
	const raster: Raster = {
		...centre,
		width: size,
		height: size,
		nx: SIDE,
		ny: SIDE,
	};
	const warnings: string[] = [];
	if (Math.abs(width - height) > spacing.x)
		warnings.push(
			`the map is not square (${num(width)} x ${num(height)} A): only its central ${num(size)} A are used; crop to choose another part`,
		);
	const cut = crop(whole, raster);
	if (Math.min(cut.nx, cut.ny) < FEW_PIXELS)
		warnings.push(
			`the square holds only ${cut.nx} x ${cut.ny} pixels of the scan: the 64 x 64 are interpolated, and the kernel has no finer detail than that`,
		);
	const pixel = size / SIDE;
	const nyquist = Math.PI / pixel;
	const beyond = powerBeyond(cut);
	const aliased = beyond(nyquist * (1 + 1e-9));
	if (aliased > ALIASED) {
		const finest = Math.PI / Math.min(whole.spacing.x, whole.spacing.y);
		warnings.push(
			`${percent(aliased)} of the power lies beyond what 64 pixels over ${num(size)} A can carry (${num(nyquist)} 1/A) and is cut off: crop to at most ${num((SIDE * Math.PI) / reach(beyond, nyquist, finest))} A to keep it, or low-pass below ${num(nyquist / 1.15)} 1/A if it is the lattice or noise`,
		);
	}
	return {
		image: resample(whole, raster),
		valid: coverage(whole, counts, raster),
		spacing: pixel,
		centre,
		aliased,
		warnings,
	};
}

/** A place in the scan's frame (Angstrom) in the networks'. */
export function toModel(
	{ x, y }: { readonly x: number; readonly y: number },
	{ centre, spacing }: Pick<Square64, "centre" | "spacing">,
): { x: number; y: number } {
	const scale = PIXEL / spacing;
	return { x: (x - centre.x) * scale, y: (y - centre.y) * scale };
}

/** A place in the networks' frame in the scan's (Angstrom): the inverse of `toModel`. */
export function toScan(
	{ x, y }: { readonly x: number; readonly y: number },
	{ centre, spacing }: Pick<Square64, "centre" | "spacing">,
): { x: number; y: number } {
	const scale = spacing / PIXEL;
	return { x: centre.x + x * scale, y: centre.y + y * scale };
}

/** The q beyond which less than ALIASED of the power lies, by bisection between the two given. */
function reach(
	beyond: (q: number) => number,
	low: number,
	high: number,
): number {
	for (let round = 0; round < 12; round++) {
		const middle = (low + high) / 2;
		if (beyond(middle) > ALIASED) low = middle;
		else high = middle;
	}
	return high;
}
