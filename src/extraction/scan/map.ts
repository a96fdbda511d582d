/** The part of a scan that is asked for, on square pixels. */
import { powerBeyond } from "./filter.ts";
import {
	coverage,
	crop,
	type Raster,
	type Rectangle,
	resample,
	type Square,
} from "./resample.ts";
import type { Scan } from "./scan.ts";
import { num, percent } from "./told.ts";

/** Angstrom, scan frame. */
export type Crop = Square | Rectangle;

/** More pixels a side are made fewer. */
const MOST_PIXELS = 1024;
/** Fewer pixels a side hold no pattern. */
const LEAST_PIXELS = 8;
/** Pixels whose sides differ by less are square: over 1024 of them a tenth of one. */
const SQUARE = 1e-4;
/** Pixels with one side so many times the other are not made finer: nearly all of them would be invented. */
const UNEQUAL = 16;
/** A share of the power that is worth a warning when resampling cuts it off. */
const ALIASED = 0.05;

/** The rectangle that is asked for, or all. Throws RangeError where it leaves the scan. */
export function checkCrop(
	{ nx, ny, spacing }: Scan,
	wanted: Crop | undefined,
): Rectangle {
	const [width, height] = [nx * spacing.x, ny * spacing.y];
	if (!wanted) return { x: 0, y: 0, width, height };
	const sides =
		"size" in wanted
			? { "crop.size": wanted.size }
			: { "crop.width": wanted.width, "crop.height": wanted.height };
	for (const [name, value] of Object.entries(sides))
		if (!(value > 0 && value < Number.POSITIVE_INFINITY))
			throw new RangeError(`preprocess: expected ${name} > 0, got ${value}`);
	const { x, y } = wanted;
	const rectangle =
		"size" in wanted
			? { x, y, width: wanted.size, height: wanted.size }
			: wanted;
	const over = Math.max(
		Math.abs(x) + rectangle.width / 2 - width / 2,
		Math.abs(y) + rectangle.height / 2 - height / 2,
	);
	// Rounding of numbers typed by hand must not matter.
	if (!(over <= 1e-6 * width))
		throw new RangeError(
			`preprocess: the crop of ${"size" in wanted ? num(wanted.size) : `${num(rectangle.width)} x ${num(rectangle.height)}`} A at (${num(x)}, ${num(y)}) leaves the scan, which reaches from ${num(-width / 2)} to ${num(width / 2)} A along x and from ${num(-height / 2)} to ${num(height / 2)} A along y`,
		);
	return rectangle;
}

interface MapStep {
	readonly name: string;
	readonly note: string;
	readonly scan: Scan;
	readonly weights: Float32Array;
}

/**
 * Cuts out the pixels of a rectangle, and resamples them where it is asked for, where pixels are not square (to the finer spacing), or beyond 1024 pixels a side. The whole scan is
 * there to filter across the rectangle's edges.
 */
export function mapOf(
	whole: Scan,
	counts: Float32Array,
	rectangle: Rectangle,
	options: { readonly crop?: Crop; readonly pixel?: number },
): Omit<MapStep, "name" | "note"> & {
	readonly centre: { readonly x: number; readonly y: number };
	readonly steps: readonly MapStep[];
	readonly warnings: readonly string[];
} {
	const { centre, ...scan } = crop(whole, rectangle);
	const weights = crop({ ...whole, image: counts }, rectangle).image;
	if (Math.min(scan.nx, scan.ny) < LEAST_PIXELS)
		throw new RangeError(
			`preprocess: the crop holds only ${scan.nx} x ${scan.ny} pixels, expected at least ${LEAST_PIXELS} x ${LEAST_PIXELS}`,
		);
	if (!weights.some((w) => w > 0))
		throw new RangeError(
			"preprocess: nothing counts in the crop: it was not measured or is masked",
		);
	const steps: MapStep[] = [];
	const { nx, ny, spacing } = scan;
	const [width, height] = [nx * spacing.x, ny * spacing.y];
	if (options.crop)
		steps.push({
			name: "crop",
			note: `${num(width)} x ${num(height)} A at (${num(centre.x)}, ${num(centre.y)}): ${nx} x ${ny} pixels`,
			scan,
			weights,
		});
	const [pixel, reason] = pixelOf(scan, options.pixel);
	if (pixel === undefined) {
		// Nearly square ones are taken as square.
		const square = { ...scan, spacing: { x: spacing.x, y: spacing.x } };
		return {
			scan: spacing.x === spacing.y ? scan : square,
			weights,
			centre,
			steps,
			warnings: [],
		};
	}
	const [mx, my] = [width, height].map((side) =>
		Math.floor(side / pixel + 1e-6),
	);
	if (Math.min(mx, my) < LEAST_PIXELS)
		throw new RangeError(
			`preprocess: pixels of ${num(pixel)} A leave ${mx} x ${my} of them, expected at least ${LEAST_PIXELS} x ${LEAST_PIXELS}`,
		);
	if (Math.max(mx, my) > MOST_PIXELS)
		throw new RangeError(
			`preprocess: pixels of ${num(pixel)} A make ${mx} x ${my} of them, expected at most ${MOST_PIXELS} a side`,
		);
	const raster: Raster = {
		...centre,
		width: mx * pixel,
		height: my * pixel,
		nx: mx,
		ny: my,
	};
	const result = {
		scan: {
			image: resample(whole, raster),
			nx: mx,
			ny: my,
			spacing: { x: pixel, y: pixel },
		},
		weights: coverage(whole, counts, raster),
	};
	const nyquist = Math.PI / pixel;
	const lost = powerBeyond(scan)(nyquist * (1 + 1e-9));
	steps.push({
		name: "resample",
		note: `${mx} x ${my} pixels of ${num(pixel)} A (${reason}); ${percent(lost)} of the power was beyond ${num(nyquist)} 1/A`,
		...result,
	});
	const warnings =
		lost > ALIASED
			? [
					`${percent(lost)} of the power lies beyond what pixels of ${num(pixel)} A can carry (${num(nyquist)} 1/A) and is cut off`,
				]
			: [];
	return { ...result, centre, steps, warnings };
}

/** The side of the pixels to resample to, Angstrom, and why; undefined where they stay as they are. */
function pixelOf(
	{ nx, ny, spacing }: Scan,
	wanted: number | undefined,
): [pixel: number, reason: string] | [undefined, ""] {
	if (wanted !== undefined) return [wanted, "as asked for"];
	const finer = Math.min(spacing.x, spacing.y);
	const unequal = Math.max(spacing.x, spacing.y) / finer;
	if (unequal > UNEQUAL)
		throw new RangeError(
			`preprocess: the scan's pixels are ${num(spacing.x)} x ${num(spacing.y)} A, expected sides that differ at most ${UNEQUAL} times; is its size right? A side to resample to (pixel) overrides this`,
		);
	const square = unequal - 1 <= SQUARE;
	const longest = Math.max(nx * spacing.x, ny * spacing.y);
	if (longest / finer > MOST_PIXELS * (1 + 1e-9))
		return [longest / MOST_PIXELS, `at most ${MOST_PIXELS} a side`];
	return square
		? [undefined, ""]
		: [
				finer,
				`those of the scan are not square: ${num(spacing.x)} x ${num(spacing.y)} A`,
			];
}
