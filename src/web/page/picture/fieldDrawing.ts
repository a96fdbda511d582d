/** The parts of a view's picture: bitmaps, axes, colour bar, marks of places. */
import { type Colours, putColour } from "../../../drawing/colour.ts";
import {
	type Field,
	line,
	multiples,
	niceStep,
	tick,
} from "../../../drawing/panels.ts";
import { maxOf } from "../../../qpi/maths/extremes.ts";
import { scaleOf } from "./scale.ts";

export interface Point {
	readonly x: number;
	readonly y: number;
}

/** The part of a field that is shown, in the field's coordinates, and where on the canvas it is. */
export interface Frame {
	readonly edges: {
		readonly x: readonly [number, number];
		readonly y: readonly [number, number];
	};
	readonly box: {
		readonly x: number;
		readonly y: number;
		readonly width: number;
		readonly height: number;
	};
}

/** From the field's coordinates to canvas pixels. */
export const place = (
	{ edges: { x, y }, box }: Frame,
	p: Point,
): [number, number] => [
	box.x + ((p.x - x[0]) / (x[1] - x[0])) * box.width,
	box.y + (1 - (p.y - y[0]) / (y[1] - y[0])) * box.height,
];

/** Units of the axes. */
export type Axes = "Å" | "1/Å" | "pixels";

/** Between two numbers of an axis, pixels. */
const APART = 30;

export function drawAxes(
	ctx: CanvasRenderingContext2D,
	frame: Frame,
	axes: Axes,
): void {
	const { edges, box } = frame;
	// Text and axes take their colours from the style sheet.
	const style = getComputedStyle(ctx.canvas);
	ctx.fillStyle = style.color;
	ctx.strokeStyle = style.color;
	ctx.font = `11px ${style.fontFamily}`;
	ctx.lineWidth = 1;
	ctx.strokeRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
	const span = Math.max(edges.x[1] - edges.x[0], edges.y[1] - edges.y[0]);
	const stepOf = (apart: number) =>
		niceStep((apart * span) / Math.max(box.width, box.height));
	const step = stepOf(APART);
	const widths = multiples(edges.x, step).map(
		(value) => ctx.measureText(tick(value)).width,
	);
	// Beside each other they need more room than one above the other.
	const across = stepOf(Math.max(APART, maxOf(widths) + 8));
	const names = ["x", "y"].map((name) =>
		axes === "1/Å" ? `q${name} (1/Å)` : `${name} (${axes})`,
	);
	const bottom = box.y + box.height;
	ctx.textAlign = "center";
	for (const value of multiples(edges.x, across)) {
		const [px] = place(frame, { x: value, y: 0 });
		line(ctx, px, bottom, px, bottom + 4);
		ctx.fillText(tick(value), px, bottom + 16);
	}
	ctx.fillText(names[0], box.x + box.width / 2, bottom + 32);
	ctx.textAlign = "right";
	for (const value of multiples(edges.y, step)) {
		const [, py] = place(frame, { x: 0, y: value });
		line(ctx, box.x - 4, py, box.x, py);
		ctx.fillText(tick(value), box.x - 7, py + 4);
	}
	ctx.save();
	ctx.translate(12, box.y + box.height / 2);
	ctx.rotate(-Math.PI / 2);
	ctx.textAlign = "center";
	ctx.fillText(names[1], 0, 0);
	ctx.restore();
}

/** All colours of a scale, one above the other. */
export const paintBar = (colours: Colours): HTMLCanvasElement =>
	paintBitmap(1, 127, (_, up, data, at) => {
		putColour(data, at, colours, up / 126);
	});

/** Beside the box, in the pen that the axes were drawn with. */
export function drawColourBar(
	ctx: CanvasRenderingContext2D,
	{ box }: Frame,
	bar: HTMLCanvasElement,
	[low, high]: readonly [number, number],
	/** Of the values that are shown. */
	[least, most]: readonly [number, number],
	unit: string,
): void {
	const x = box.x + box.width + 10;
	ctx.imageSmoothingEnabled = true;
	ctx.drawImage(bar, x, box.y, 10, box.height);
	ctx.lineWidth = 1;
	ctx.strokeRect(x - 0.5, box.y - 0.5, 11, box.height + 1);
	ctx.textAlign = "left";
	const { label, said } = scaleOf(low, high, unit);
	// The middle of -0.27 to 0.2699 is zero, and no power of ten.
	const whole = (value: number) =>
		Math.abs(value) < (high - low) / 200 ? 0 : value;
	for (const part of [0, 0.5, 1])
		ctx.fillText(
			said(whole(low + part * (high - low))),
			x + 14,
			box.y + (1 - part) * box.height + (part === 1 ? 9 : part === 0 ? 0 : 4),
		);
	// A long one ends where the canvas does.
	const end = ctx.canvas.clientWidth - 2;
	const fits = x + ctx.measureText(label).width <= end;
	ctx.textAlign = fits ? "left" : "right";
	ctx.fillText(label, fits ? x : end, box.y - 9);
	// Values beyond the scale have the colour of its end: that has to be said.
	const bottom = box.y + box.height;
	if (most > high) triangle(ctx, x + 5, box.y - 1, -6);
	if (least < low) triangle(ctx, x + 5, bottom + 1, 6);
}

function triangle(
	ctx: CanvasRenderingContext2D,
	x: number,
	y: number,
	height: number,
): void {
	ctx.beginPath();
	ctx.moveTo(x - 5, y);
	ctx.lineTo(x + 5, y);
	ctx.lineTo(x, y + height);
	ctx.fill();
}

/** Light with a dark core, so that it is seen on every ground. */
export function drawCrosshair(
	ctx: CanvasRenderingContext2D,
	[px, py]: readonly [number, number],
): void {
	for (const [colour, width] of [
		["#ffffffcc", 3],
		["#000000cc", 1],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = width;
		line(ctx, px - 9, py, px + 9, py);
		line(ctx, px, py - 9, px, py + 9);
	}
}

/** Rows that are painted together. */
const STRIP = 16;
/** Pixels that are painted without a break, in some ten milliseconds. */
const AT_ONCE = 2 ** 18;

/** Values in colours, low to high, as putColour() has them. @returns what gives the bytes of some rows, from the top */
export function rowsOf(
	values: ArrayLike<number>,
	nx: number,
	ny: number,
	colours: Colours,
	[low, high]: readonly [number, number],
): (from: number, to: number) => Uint8ClampedArray<ArrayBuffer> {
	// One more for what is no number.
	const count = colours.length / 3;
	const bytes = new Uint8ClampedArray(4 * (count + 1));
	for (let c = 0; c < count; c++)
		putColour(bytes, 4 * c, colours, c / (count - 1));
	putColour(bytes, 4 * count, colours, Number.NaN);
	const table = new Uint32Array(bytes.buffer);
	const scale = (count - 1) / (high - low);
	const least = 0.5 - low * scale;
	return (from, to) => {
		const pixels = new Uint32Array(nx * (to - from));
		// By strips, whose pixels stay in the cache, and without branches on values, which no processor foresees: a fifth of the time.
		for (let top = from; top < to; top += STRIP)
			for (let ix = 0; ix < nx; ix++)
				for (let row = top; row < Math.min(to, top + STRIP); row++) {
					const v = values[ix * ny + ny - 1 - row];
					const colour = Math.max(0, Math.min(count - 1, v * scale + least));
					pixels[(row - from) * nx + ix] =
						table[Number.isNaN(v) ? count : colour | 0];
				}
		return new Uint8ClampedArray(pixels.buffer);
	};
}

/** Paints values in colours: a canvas, and what fills it, by parts that each take no time that is felt. */
export function paintingOf(
	...[values, nx, ny, colours, range]: Parameters<typeof rowsOf>
): { bitmap: HTMLCanvasElement; parts: (() => void)[] } {
	const bytes = rowsOf(values, nx, ny, colours, range);
	const bitmap = document.createElement("canvas");
	[bitmap.width, bitmap.height] = [nx, ny];
	const ctx = bitmap.getContext("2d");
	const rows = Math.max(STRIP, Math.floor(AT_ONCE / nx));
	return {
		bitmap,
		parts: Array.from({ length: Math.ceil(ny / rows) }, (_, i) => () => {
			const [from, to] = [i * rows, Math.min(ny, (i + 1) * rows)];
			ctx?.putImageData(new ImageData(bytes(from, to), nx), 0, from);
		}),
	};
}

/** A pixel of the canvas for each of the field; `up` counts from the bottom, `at` is where the pixel's bytes are. */
export function paintBitmap(
	nx: number,
	ny: number,
	pixel: (ix: number, up: number, data: Uint8ClampedArray, at: number) => void,
): HTMLCanvasElement {
	const canvas = document.createElement("canvas");
	[canvas.width, canvas.height] = [nx, ny];
	const image = new ImageData(nx, ny);
	for (let ix = 0; ix < nx; ix++)
		for (let up = 0; up < ny; up++)
			pixel(ix, up, image.data, 4 * ((ny - 1 - up) * nx + ix));
	canvas.getContext("2d")?.putImageData(image, 0, 0);
	return canvas;
}

/** The pixel that a place lies in; undefined outside. */
export function valueAt(field: Field, at: Point): number | undefined {
	const part = (v: number, [low, high]: readonly [number, number], n: number) =>
		Math.floor(((v - low) / (high - low)) * n);
	const ix = part(at.x, field.x, field.nx);
	const iy = part(at.y, field.y, field.ny);
	if (ix < 0 || iy < 0 || ix >= field.nx || iy >= field.ny) return undefined;
	return field.values[ix * field.ny + iy];
}

/** Small and thin: what lies under it is what is looked at. */
export function drawRing(
	ctx: CanvasRenderingContext2D,
	[x, y]: readonly [number, number],
): void {
	for (const [colour, width] of [
		["#ffffff", 2.5],
		["#333333", 1],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = width;
		ctx.beginPath();
		ctx.arc(x, y, 4, 0, 2 * Math.PI);
		ctx.stroke();
	}
}
