/** Colour scales, as tables of 127 RGB triplets, and the limits that images are drawn at. */
import {
	interpolateGreys,
	interpolateViridis,
	schemeRdBu,
} from "d3-scale-chromatic";

/** `3 * 127` bytes; the middle triplet, number 63, stands for the middle of the scale exactly. */
export type Colours = Uint8ClampedArray;

/** Odd, and few enough to leave half of a 256-colour palette to text and frames. */
const COUNT = 127;

function table(colour: (t: number) => readonly number[]): Colours {
	const colours = new Uint8ClampedArray(3 * COUNT);
	for (let i = 0; i < COUNT; i++) colours.set(colour(i / (COUNT - 1)), 3 * i);
	return colours;
}

/** "#rrggbb" or "rgb(r, g, b)" to numbers. */
function parse(colour: string): number[] {
	if (colour.startsWith("#"))
		return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
	return (colour.match(/\d+/g) ?? []).map(Number);
}

/**
 * ColorBrewer's RdBu, reversed: blue below zero, red above, safe for colour-blind eyes. Linear between its 11 stops, since d3's own spline
 * passes beside them and tints zero; here zero is a neutral, nearly white grey.
 */
const stops = [...schemeRdBu[11]].reverse().map(parse);
export const diverging: Colours = table((t) => {
	const at = t * (stops.length - 1);
	const low = Math.min(Math.floor(at), stops.length - 2);
	return stops[low].map((c, i) => c + (at - low) * (stops[low + 1][i] - c));
});

/** White to black, for activation maps. */
export const greys: Colours = table((t) => parse(interpolateGreys(t)));

/** Dark blue to yellow, for what has no sign. */
export const sequential: Colours = table((t) => parse(interpolateViridis(t)));

/** Missing values (NaN). */
const MISSING = [170, 170, 170] as const;

/** Writes the colour of `t` in [0, 1] (clamped; NaN is grey) into RGBA bytes at `at`. */
export function putColour(
	rgba: Uint8ClampedArray,
	at: number,
	colours: Colours,
	t: number,
): void {
	const from = 3 * Math.round(Math.min(Math.max(t, 0), 1) * (COUNT - 1));
	for (let i = 0; i < 3; i++)
		rgba[at + i] = Number.isNaN(t) ? MISSING[i] : colours[from + i];
	rgba[at + 3] = 255;
}

/**
 * The limit v of a zero-centred scale [-v, v]: the given quantile of |value|, so that one bright centre does not whiten the rings. Not
 * finite values do not count. An image that is zero at the quantile takes its largest |value|, and 1 when there is none.
 */
export function clipLimit(image: ArrayLike<number>, quantile = 0.99): number {
	const sizes = Float64Array.from(image, Math.abs)
		.filter((v) => Number.isFinite(v))
		.sort();
	const limit = sizes[Math.round(quantile * (sizes.length - 1))];
	return limit || sizes.at(-1) || 1;
}

/** Okabe and Ito's colours, which colour-blind eyes tell apart (M. Okabe and K. Ito, Color Universal Design, 2002). */
export const OKABE_ITO = {
	blue: "#0072B2",
	orange: "#E69F00",
	green: "#009E73",
	vermilion: "#D55E00",
	purple: "#CC79A7",
	grey: "#777777",
} as const;

const KINDS = [
	"#111111",
	OKABE_ITO.green,
	OKABE_ITO.purple,
	OKABE_ITO.blue,
	OKABE_ITO.orange,
];

/** Of the scatterers of a kind, from 1; after the fifth they come again. */
export const kindColour = (kind: number): string =>
	KINDS[(kind - 1) % KINDS.length];
