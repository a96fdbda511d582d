/**
 * What every picture is made of. A picture knows its size and how to draw itself on a 2-D canvas, of a browser or of src/node/drawing/canvas.ts;
 * nothing here touches either.
 */
import { FIELD } from "../qpi/dataset/format.ts";
import { type Colours, putColour } from "./colour.ts";

export type NewCanvas = (width: number, height: number) => HTMLCanvasElement;

/** Sizes are CSS pixels; the context comes with its ground painted and scaled to the resolution wanted. */
export interface Picture {
	width: number;
	height: number;
	draw(ctx: CanvasRenderingContext2D, newCanvas: NewCanvas): void;
}

export const FONT = '"DejaVu Sans", Verdana, sans-serif';
export const INK = "#1a1a1a";
export const FAINT = "#5c5c5c";

/** What pictures are drawn on and with; what lies over colour scales is the same on both. */
export interface Palette {
	readonly ground: string;
	/** In place of INK. */
	readonly ink: string;
	/** In place of FAINT. */
	readonly faint: string;
	/** Of charts. */
	readonly lines: string;
}
export const PAPER: Palette = {
	...{ ground: "#ffffff", ink: INK },
	...{ faint: FAINT, lines: "#e4e4e4" },
};
/** For a dark theme. */
export const NIGHT: Palette = {
	...{ ground: "#202327", ink: "#e7e8ea" },
	...{ faint: "#a8adb5", lines: "#3a3f46" },
};

const palettes = new WeakMap<object, Palette>();

/** Paints the ground, and has pictures drawn on the context by this palette; without it they are drawn on paper. */
export function setPalette(
	ctx: CanvasRenderingContext2D,
	palette: Palette,
): void {
	palettes.set(ctx, palette);
	ctx.fillStyle = palette.ground;
	ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
}

export const paletteOf = (ctx: CanvasRenderingContext2D): Palette =>
	palettes.get(ctx) ?? PAPER;

/** A colour as the context's palette has it. */
export function inked(ctx: CanvasRenderingContext2D, colour = INK): string {
	const { ink, faint } = paletteOf(ctx);
	return colour === INK ? ink : colour === FAINT ? faint : colour;
}

/** Pixels a side of an image: image[ix * 64 + iy]. */
const SIDE = 64;
/** Outer pixels' centres lie at +-200 Angstrom (REFERENCE.md of the published set), so the image reaches half a pixel further. */
const HALF_FIELD = FIELD / 2;
export const HALF_EXTENT = HALF_FIELD * (1 + 1 / (SIDE - 1));

/** Upper left corner and side. */
export type Square = readonly [x: number, y: number, size: number];

/** Upper left corner, width and height. */
export type Box = readonly [
	x: number,
	y: number,
	width: number,
	height: number,
];

/** Pixels of an image: value[ix * ny + iy]. */
export interface Grid {
	readonly nx: number;
	readonly ny: number;
}

export interface TextStyle {
	size?: number;
	bold?: boolean;
	colour?: string;
	align?: CanvasTextAlign;
	/** Radians, about the point of the text. */
	turn?: number;
	/** Longer text is cut with an ellipsis, never drawn over its neighbour. */
	maxWidth?: number;
}

/** Text on an alphabetic baseline at (x, y); negative numbers get a minus sign for their hyphen. */
export function text(
	ctx: CanvasRenderingContext2D,
	words: string,
	x: number,
	y: number,
	style: TextStyle = {},
): void {
	const { size = 12, bold, colour, align = "center", turn = 0 } = style;
	ctx.save();
	ctx.font = `${bold ? "bold " : ""}${size}px ${FONT}`;
	ctx.fillStyle = inked(ctx, colour);
	ctx.textAlign = align;
	ctx.textBaseline = "alphabetic";
	ctx.translate(x, y);
	ctx.rotate(turn);
	const maxWidth = style.maxWidth ?? Infinity;
	let shown = words.replace(/(^|\s)-(?=\d)/g, "$1−");
	while (shown.length > 1 && ctx.measureText(shown).width > maxWidth)
		shown = `${shown.replace(/…$/, "").slice(0, -1).trimEnd()}…`;
	ctx.fillText(shown, 0, 0);
	ctx.restore();
}

/** Half the length of the sinc that interpolates, in image pixels. */
const REACH = 8;

/**
 * For each of `side` pixels, those of `count` image pixels that make it and their weights, which add up to 1. Sharp: what it covers. Smooth: a sinc
 * under a Hann window, as befits a band-limited pattern; drawn as squares, rings near Nyquist beat with the grid and look four-fold.
 */
function resampling(side: number, count: number, smooth: boolean): Sampling[] {
	const step = count / side;
	return Array.from({ length: side }, (_, i) => {
		const [begin, end] = [i * step, (i + 1) * step];
		const centre = (begin + end - 1) / 2;
		const reach = smooth ? REACH : 0;
		const first =
			Math.floor(smooth ? centre : begin) - reach + (smooth ? 1 : 0);
		const taps = smooth ? 2 * reach : Math.ceil(end - 1e-9) - first;
		const weights = Float64Array.from({ length: taps }, (_, k) => {
			const index = first + k;
			if (!smooth) return Math.min(end, index + 1) - Math.max(begin, index);
			const d = Math.PI * (index - centre);
			return Math.abs(d) < 1e-9
				? 1
				: (Math.sin(d) / d) * Math.cos(d / (2 * REACH)) ** 2;
		});
		const total = weights.reduce((sum, w) => sum + w, 0);
		return {
			indices: Int32Array.from({ length: taps }, (_, k) =>
				Math.min(Math.max(first + k, 0), count - 1),
			),
			weights: weights.map((w) => w / total),
		};
	});
}

interface Sampling {
	readonly indices: Int32Array;
	readonly weights: Float64Array;
}

/**
 * An image at another size, out[column * height + up]: its pixels as squares or, `smooth` and with at least as many pixels, interpolated between them without
 * changing them. Throws where the image has not as many values as its grid.
 */
export function resampled(
	image: ArrayLike<number>,
	{ nx, ny }: Grid,
	width: number,
	height: number,
	smooth: boolean,
): Float64Array {
	if (image.length !== nx * ny)
		throw new Error(
			`picture: an image has ${image.length} values; ${nx}x${ny} are expected`,
		);
	const fine = smooth && width >= nx && height >= ny;
	const samples = resampling(height, ny, fine);
	const out = new Float64Array(width * height);
	const line = new Float64Array(ny);
	// Along x first; loops without closures, for a page draws this many times a second.
	resampling(width, nx, fine).forEach(({ indices, weights }, column) => {
		line.fill(0);
		for (let k = 0; k < indices.length; k++) {
			const [from, weight] = [indices[k] * ny, weights[k]];
			for (let iy = 0; iy < ny; iy++) line[iy] += weight * image[from + iy];
		}
		for (let up = 0; up < height; up++) {
			const { indices, weights } = samples[up];
			let sum = 0;
			for (let k = 0; k < indices.length; k++)
				sum += weights[k] * line[indices[k]];
			out[column * height + up] = sum;
		}
	});
	return out;
}

/**
 * A 64x64 image in a square of `size`, x to the right and y up. Values map linearly from [low, high] to the colour scale. A sharp picture
 * shows the pixels; a smooth one interpolates between them (where the square has at least as many), without changing them.
 */
export function drawImage(
	ctx: CanvasRenderingContext2D,
	image: ArrayLike<number>,
	[x, y, size]: Square,
	colours: Colours,
	range: readonly [number, number],
	smooth = false,
): void {
	const grid = { nx: SIDE, ny: SIDE };
	drawGrid(ctx, image, grid, [x, y, size, size], colours, range, smooth);
}

/** `drawImage` for an image of any size in a box. */
export function drawGrid(
	ctx: CanvasRenderingContext2D,
	image: ArrayLike<number>,
	grid: Grid,
	[x, y, boxWidth, boxHeight]: Box,
	colours: Colours,
	[low, high]: readonly [number, number],
	smooth = false,
): void {
	// putImageData knows no transformation: work in the canvas's own pixels.
	const { a: scale, e, f } = ctx.getTransform();
	const width = Math.round(boxWidth * scale);
	const height = Math.round(boxHeight * scale);
	const values = resampled(image, grid, width, height, smooth);
	const pixels = ctx.createImageData(width, height);
	const { data } = pixels;
	for (let column = 0, i = 0; column < width; column++)
		for (let up = 0; up < height; up++, i++) {
			const at = 4 * ((height - 1 - up) * width + column);
			putColour(data, at, colours, (values[i] - low) / (high - low));
		}
	ctx.putImageData(
		pixels,
		Math.round(x * scale + e),
		Math.round(y * scale + f),
	);
}

/** A thin frame around a square or a box. */
export function frame(
	ctx: CanvasRenderingContext2D,
	[x, y, width, height = width]: Square | Box,
	colour = "#888888",
	pen = 0.5,
): void {
	ctx.strokeStyle = colour;
	ctx.lineWidth = pen;
	ctx.strokeRect(x - pen / 2, y - pen / 2, width + pen, height + pen);
}

/** Where a position in Angstrom lies in an image's square. */
export function toSquare(
	[x, y, size]: Square,
	position: { x: number; y: number },
): [number, number] {
	const fraction = (r: number) => (r + HALF_EXTENT) / (2 * HALF_EXTENT);
	return [
		x + fraction(position.x) * size,
		y + (1 - fraction(position.y)) * size,
	];
}

/** Ticks and numbers in Angstrom along the lower or the left edge of the square of an image of this field. */
export function axis(
	ctx: CanvasRenderingContext2D,
	square: Square,
	edge: "lower" | "left",
	field = FIELD,
): void {
	const [x, y, size] = square;
	const name = edge === "lower" ? "x (Å)" : "y (Å)";
	ctx.strokeStyle = inked(ctx);
	ctx.lineWidth = 0.75;
	for (const value of [-HALF_FIELD, 0, HALF_FIELD]) {
		const [px, py] = toSquare(square, { x: value, y: value });
		const label = String((value * field) / FIELD).replace("-", "−");
		ctx.beginPath();
		if (edge === "lower") {
			ctx.moveTo(px, y + size);
			ctx.lineTo(px, y + size + 4);
			text(ctx, label, px, y + size + 15, { size: 10 });
		} else {
			ctx.moveTo(x - 4, py);
			ctx.lineTo(x, py);
			text(ctx, label, x - 7, py + 3.5, { size: 10, align: "right" });
		}
		ctx.stroke();
	}
	if (edge === "lower")
		text(ctx, name, x + size / 2, y + size + 29, { size: 11 });
	else text(ctx, name, x - 37, y + size / 2, { size: 11, turn: -Math.PI / 2 });
}

/** The colours from one end to the other, from left to right or, where the box is upright, from bottom to top; with a frame. */
export function paintScale(
	ctx: CanvasRenderingContext2D,
	colours: Colours,
	[x, y, width, height]: Box,
): void {
	const { a: scale, e, f } = ctx.getTransform();
	const [across, up] = [width, height].map((n) => Math.round(n * scale));
	const pixels = ctx.createImageData(across, up);
	for (let row = 0, at = 0; row < up; row++)
		for (let i = 0; i < across; i++, at += 4)
			putColour(
				pixels.data,
				at,
				colours,
				height > width ? 1 - row / (up - 1) : i / (across - 1),
			);
	ctx.putImageData(
		pixels,
		Math.round(x * scale + e),
		Math.round(y * scale + f),
	);
	ctx.strokeStyle = "#888888";
	ctx.lineWidth = 0.5;
	ctx.strokeRect(x, y, width, height);
}

/** A horizontal colour bar with labels, spread evenly, below it and a note of one or two lines at its right. */
export function colourBar(
	ctx: CanvasRenderingContext2D,
	[x, y, width]: readonly [number, number, number],
	colours: Colours,
	labels: readonly string[],
	note: string,
): void {
	const height = 10;
	paintScale(ctx, colours, [x, y, width, height]);
	labels.forEach((label, i) => {
		const at = x + (width * i) / (labels.length - 1);
		text(ctx, label, at, y + height + 13, { size: 11 });
	});
	note.split("\n").forEach((line, l) => {
		text(ctx, line, x + width + 22, y + height - 0.5 + 14 * l, {
			size: 11,
			align: "left",
		});
	});
}

/** A number of about `digits` digits for a label: 0.0312, 4.1×10⁻⁵. */
export function short(value: number, digits = 2): string {
	const minus = (s: string) => s.replace("-", "−");
	if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4))
		return minus(String(Number(value.toPrecision(digits))));
	const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
	return `${minus(mantissa)}×10${superscript(Number(exponent))}`;
}

export const superscript = (n: number): string =>
	[...String(n)]
		.map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]))
		.join("");
