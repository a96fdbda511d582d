/**
 * Maps as a microscope takes them: any number of pixels, hundreds of scatterers of one or more kinds, and the flaws of real scans. Every pixel holds the
 * patterns' own values at its distance from each scatterer, so that the kernels are known at the map's pixel.
 */
import { Random } from "../../random.ts";
import { addFlaws, type MapFlaws } from "./mapFlaws.ts";
import { drawPatterns } from "./mapPatterns.ts";
import { drawPlaces, type Place } from "./mapPlaces.ts";
import { amplitudes } from "./noise.ts";

/** What one map shows. */
export interface MapRecipe extends MapFlaws {
	/** Along x and y. */
	readonly pixels: readonly [number, number];
	/** Length of the longer side, Angstrom. */
	readonly field: number;
	/** Scatterers of all kinds together; the kinds have equal shares. 0: flaws alone, and no kernels. */
	readonly marks: number;
	/** Kernels; 1 when not given. They share band and energy and differ in the scatterer. */
	readonly kinds?: number;
	/** Relative spread of the scatterers' amplitudes: even, from 1 - spread to 1 + spread. */
	readonly spread?: number;
}

/** The least and the most of what is drawn, both included. */
export type Range = readonly [number, number];

/** What several maps are drawn from: pixels in turn, noise one of the levels at random, the rest evenly from a range. */
export interface MapRanges {
	readonly pixels: readonly (readonly [number, number])[];
	readonly kinds: number;
	readonly noise: readonly number[];
	readonly field: Range;
	readonly marks: Range;
	readonly spread: Range;
	readonly background: Range;
	readonly clusters: Range;
	readonly steps: Range;
	readonly missingRows: Range;
}

/** A scatterer, Angstrom from the map's centre, x to the right, y up; to thousandths. */
export interface MapScatterer extends Place {
	/** Amplitude of the pattern. */
	readonly weight: number;
	/** Which kernel, from 1. */
	readonly kind: number;
}

export interface GeneratedMap {
	/** image[ix * ny + iy]; not a number where nothing was measured. */
	readonly image: Float32Array;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom. Pixel (ix, iy) lies at ((ix - (nx - 1) / 2) * pixel, (iy - (ny - 1) / 2) * pixel). */
	readonly pixel: number;
	readonly scatterers: readonly MapScatterer[];
	/** One a kind, in order; none where there are no scatterers. */
	readonly kernels: readonly {
		readonly family: string;
		/** size x size nodes of the map's pixel, first index x, the scatterer on the middle one; out to 120 A. */
		readonly values: Float32Array;
		readonly size: number;
	}[];
}

/** Least distance between scatterers, Angstrom. */
const APART = 12;
/** Radius of the kernels that are given, Angstrom. */
const RADIUS = 120;

/** Random streams of map i begin here: away from those of `planKernels` and `makeKernel` with the same seed. */
const START = 2 ** 31;
const PARTS = ["choice", "patterns", "places", "flaws"] as const;
const randomOf = (part: (typeof PARTS)[number], seed: number, index: number) =>
	new Random(seed, START + index * PARTS.length + PARTS.indexOf(part));

/** The recipe of map number `index` (from 0). Each takes as many random numbers as any other: to change one range changes no other choice. */
export function drawRecipe(
	ranges: MapRanges,
	seed: number,
	index: number,
): Required<MapRecipe> {
	const random = randomOf("choice", seed, index);
	const from = ([least, most]: Range) => random.uniform(least, most);
	const wholeFrom = ([least, most]: Range) => random.integer(least, most + 1);
	return {
		pixels: ranges.pixels[index % ranges.pixels.length],
		field: from(ranges.field),
		marks: wholeFrom(ranges.marks),
		kinds: ranges.kinds,
		spread: from(ranges.spread),
		noise: ranges.noise[random.integer(0, ranges.noise.length)],
		background: from(ranges.background),
		clusters: wholeFrom(ranges.clusters),
		steps: wholeFrom(ranges.steps),
		missingRows: from(ranges.missingRows),
	};
}

/**
 * Makes map number `index` (from 0): the same patterns whatever the recipe but for the number of kinds, the same places for the same field and marks, the same
 * flaws whatever the others.
 * @throws RangeError when a number is out of range or the scatterers do not fit
 */
export function makeMap(
	recipe: MapRecipe,
	seed: number,
	index = 0,
): GeneratedMap {
	check(recipe);
	const { pixels, field, kinds = 1, spread = 0 } = recipe;
	const [nx, ny] = pixels;
	const pixel = field / Math.max(nx, ny);
	const patterns =
		recipe.marks > 0
			? drawPatterns(randomOf("patterns", seed, index), kinds)
			: [];
	const random = randomOf("places", seed, index);
	const side = { x: nx * pixel, y: ny * pixel };
	const places = drawPlaces(random, recipe.marks, side, APART);
	const weights = amplitudes(places.length, random, spread);
	// Thousandths, as they are written down: the map is of what the list says.
	const round = (v: number) => Math.round(v * 1000) / 1000;
	const scatterers = places.map(({ x, y }, j) => ({
		x: round(x),
		y: round(y),
		weight: round(weights[j]),
		kind: 1 + (j % kinds),
	}));
	const at = (i: number, n: number) => (i - (n - 1) / 2) * pixel;
	const image = Float32Array.from({ length: nx * ny }, (_, p) => {
		const [px, py] = [at(Math.floor(p / ny), nx), at(p % ny, ny)];
		let sum = 0;
		for (const { x, y, weight, kind } of scatterers)
			sum += weight * patterns[kind - 1].evaluate(px - x, py - y);
		return sum;
	});
	addFlaws(
		image,
		{ nx, ny, pixel },
		scatterers,
		randomOf("flaws", seed, index),
		recipe,
	);
	const size = 2 * Math.floor(RADIUS / pixel) + 1;
	const kernels = patterns.map(({ family, evaluate }) => ({
		family,
		size,
		values: Float32Array.from({ length: size * size }, (_, p) =>
			evaluate(at(Math.floor(p / size), size), at(p % size, size)),
		),
	}));
	return { image, nx, ny, pixel, scatterers, kernels };
}

function check(recipe: MapRecipe): void {
	const { pixels, field, marks, kinds = 1, missingRows = 0 } = recipe;
	const wrong = (found: string, expected: string) =>
		new RangeError(`a map of ${found}: expected ${expected}`);
	if (!pixels.every((n) => Number.isInteger(n) && n >= 32 && n <= 1024))
		throw wrong(`${pixels.join(" x ")} pixels`, "32 to 1024 along each side");
	if (!(field >= 50 && field <= 5000))
		throw wrong(`${field} A`, "50 to 5000 A along the longer side");
	if (!(Number.isInteger(kinds) && kinds >= 1 && kinds <= 5))
		throw wrong(`${kinds} kinds`, "1 to 5");
	if (!(Number.isInteger(marks) && (marks === 0 || marks >= kinds)))
		throw wrong(
			`${marks} scatterers`,
			`${kinds} or more, one of each kind, or none`,
		);
	if (!(missingRows >= 0 && missingRows <= 0.9))
		throw wrong(`${missingRows} of the rows missing`, "0 to 0.9");
}
