/** Pictures of fields, each with its axes, its colour bar and marks: what an extraction shows. */
import { maxOf } from "../qpi/maths/extremes.ts";
import { type Colours, kindColour } from "./colour.ts";
import {
	type Box,
	drawGrid,
	FAINT,
	FONT,
	frame,
	type Grid,
	INK,
	inked,
	type Picture,
	paintScale,
	short,
	text,
} from "./picture.ts";

/** Values on a grid, value[ix * ny + iy], and the outer edges of its outer pixels. NaN is not used. */
export interface Field extends Grid {
	readonly values: ArrayLike<number>;
	readonly x: readonly [low: number, high: number];
	readonly y: readonly [low: number, high: number];
}

/** A scatterer, in the units of the field's axes. One that is left out is drawn faint. */
export interface Mark {
	readonly x: number;
	readonly y: number;
	readonly keep: boolean;
	/** From 1, for its colour. */
	readonly kind?: number;
	/** Written beside it. */
	readonly label?: string;
}

export interface Panel {
	readonly title: string;
	readonly field: Field;
	readonly colours: Colours;
	/** The values at the ends of the colour scale. */
	readonly range: readonly [number, number];
	/** Of the values, for the colour bar; empty where they have none. */
	readonly unit: string;
	/** Of the axes: "Å" for positions, "1/Å" for wave vectors. */
	readonly axes: "Å" | "1/Å";
	/** Interpolate between the pixels. */
	readonly smooth?: boolean;
	readonly marks?: readonly Mark[];
	/** Radii of circles about the origin, in the units of the axes. */
	readonly circles?: readonly number[];
	/** Circles elsewhere. */
	readonly rings?: readonly {
		readonly x: number;
		readonly y: number;
		readonly radius: number;
	}[];
	/** Lines to be read under the panel. */
	readonly notes?: readonly string[];
}

/** Panels in rows of `columns`; `size` is the longer side of a field. */
export function panelGrid(
	panels: readonly Panel[],
	{ columns = panels.length, size = 300 } = {},
): Picture {
	const [left, top, right, bottom] = [58, 34, 96, 48];
	const boxes = panels.map(({ field }) => fit(field, size));
	const width = Math.max(120, maxOf(boxes.map(([w]) => w))) + left + right;
	const height = Math.max(60, maxOf(boxes.map(([, h]) => h))) + top + bottom;
	const notes =
		15 * Math.max(0, maxOf(panels.map((p) => p.notes?.length ?? 0)));
	return {
		width: Math.max(1, columns) * width,
		height: Math.ceil(panels.length / Math.max(1, columns)) * (height + notes),
		draw(ctx) {
			panels.forEach((panel, i) => {
				const [w, h] = boxes[i];
				const box: Box = [
					(i % columns) * width + left,
					Math.floor(i / columns) * (height + notes) + top,
					w,
					h,
				];
				drawPanel(ctx, panel, box, width - 12);
			});
		},
	};
}

/** Width and height of a field whose longer side is `size`, true to scale. */
function fit({ x, y }: Field, size: number): [number, number] {
	const [dx, dy] = [x[1] - x[0], y[1] - y[0]];
	const scale = size / Math.max(dx, dy);
	// A field of a few lines is still to be seen.
	return [Math.max(8, dx * scale), Math.max(8, dy * scale)];
}

function drawPanel(
	ctx: CanvasRenderingContext2D,
	panel: Panel,
	box: Box,
	room: number,
): void {
	const { field, colours, range } = panel;
	const [x, y, width, height] = box;
	const smooth =
		panel.smooth && Array.from(field.values).every(Number.isFinite);
	drawGrid(ctx, field.values, field, box, colours, range, smooth);
	const place = (px: number, py: number): [number, number] => [
		x + ((px - field.x[0]) / (field.x[1] - field.x[0])) * width,
		y + (1 - (py - field.y[0]) / (field.y[1] - field.y[0])) * height,
	];
	ctx.save();
	ctx.beginPath();
	ctx.rect(x, y, width, height);
	ctx.clip();
	for (const radius of panel.circles ?? []) drawCircle(ctx, place, radius);
	for (const { x, y, radius } of panel.rings ?? [])
		drawCircle(ctx, place, radius, [x, y]);
	for (const mark of panel.marks ?? [])
		drawMark(ctx, mark, place(mark.x, mark.y), box);
	ctx.restore();
	frame(ctx, [x, y, width, height]);
	text(ctx, panel.title, x - 44, y - 12, {
		align: "left",
		size: 13,
		bold: true,
		maxWidth: room,
	});
	drawAxes(ctx, panel, box, place);
	drawBar(ctx, panel, [x + width + 12, y, 12, height]);
	panel.notes?.forEach((note, i) => {
		text(ctx, note, x - 44, y + height + 49 + 15 * i, {
			align: "left",
			size: 11,
			colour: FAINT,
			maxWidth: room,
		});
	});
}

type Place = (x: number, y: number) => [number, number];

/** A circle, about the origin if nothing is said, black with white dashes, so that it is seen on every ground. */
export function drawCircle(
	ctx: CanvasRenderingContext2D,
	place: Place,
	radius: number,
	[x, y]: readonly [number, number] = [0, 0],
): void {
	const [cx, cy] = place(x, y);
	const [rx, ry] = place(x + radius, y + radius);
	for (const [colour, width, dash] of [
		["#000000", 2.4, []],
		["#ffffff", 1.2, [5, 4]],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = width;
		ctx.setLineDash([...dash]);
		ctx.beginPath();
		ctx.ellipse(cx, cy, rx - cx, cy - ry, 0, 0, 2 * Math.PI);
		ctx.stroke();
	}
	ctx.setLineDash([]);
}

/** A ring with a white rim, so that it is seen on every ground; a cross where the scatterer is left out. */
function drawMark(
	ctx: CanvasRenderingContext2D,
	{ keep, kind = 1, label }: Mark,
	[x, y]: readonly [number, number],
	[left, top, width]: Box,
): void {
	for (const [colour, pen] of [
		["#ffffff", 3],
		[keep ? kindColour(kind) : "#8a8a8a", 1.3],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = pen;
		ctx.beginPath();
		if (keep) ctx.arc(x, y, 5, 0, 2 * Math.PI);
		else
			for (const sign of [-1, 1]) {
				ctx.moveTo(x - 4, y - 4 * sign);
				ctx.lineTo(x + 4, y + 4 * sign);
			}
		ctx.stroke();
	}
	if (!label) return;
	// Above at the right, where that is inside the field.
	const align = x > left + width - 24 ? "right" : "left";
	const at = [x + (align === "left" ? 7 : -7), y + (y < top + 14 ? 11 : -4)];
	ctx.lineJoin = "round";
	ctx.strokeStyle = "#ffffff";
	ctx.lineWidth = 2.5;
	ctx.font = `9px ${FONT}`;
	ctx.textAlign = align;
	ctx.strokeText(label, at[0], at[1]);
	// Over the field, whatever is around it.
	ctx.fillStyle = keep ? INK : FAINT;
	ctx.fillText(label, at[0], at[1]);
}

function drawAxes(
	ctx: CanvasRenderingContext2D,
	{ field, axes }: Panel,
	[x, y, width, height]: Box,
	place: Place,
): void {
	const names = axes === "Å" ? ["x (Å)", "y (Å)"] : ["qx (1/Å)", "qy (1/Å)"];
	const step = tickStep(field, width, height);
	ctx.strokeStyle = inked(ctx);
	ctx.lineWidth = 0.75;
	for (const value of multiples(field.x, step)) {
		const [px] = place(value, 0);
		line(ctx, px, y + height, px, y + height + 4);
		text(ctx, tick(value), px, y + height + 15, { size: 10 });
	}
	for (const value of multiples(field.y, step)) {
		const [, py] = place(0, value);
		line(ctx, x - 4, py, x, py);
		text(ctx, tick(value), x - 6, py + 3.5, { size: 10, align: "right" });
	}
	text(ctx, names[0], x + width / 2, y + height + 29, { size: 11 });
	text(ctx, names[1], x - 40, y + height / 2, { size: 11, turn: -Math.PI / 2 });
}

/** One step for both axes: 1, 2 or 5 times a power of ten, such that labels of the longer side stand apart. */
function tickStep({ x, y }: Field, width: number, height: number): number {
	const span = Math.max(x[1] - x[0], y[1] - y[0]);
	return niceStep((50 * span) / Math.max(width, height));
}

/** The least of 1, 2, 5 times a power of ten that is not below `least`. */
export function niceStep(least: number): number {
	const power = 10 ** Math.floor(Math.log10(least));
	return power * ([1, 2, 5].find((m) => m * power >= least * (1 - 1e-9)) ?? 10);
}

/** Multiples of `step` in an interval. */
export function multiples(
	[low, high]: readonly [number, number],
	step: number,
): number[] {
	const first = Math.ceil(low / step - 1e-6);
	const count = Math.floor(high / step + 1e-6) - first + 1;
	return Array.from(
		{ length: Math.max(0, count) },
		(_, i) => (first + i) * step,
	);
}

/** A number at an axis. */
export const tick = (value: number) =>
	String(Number(value.toPrecision(6)) || 0).replace("-", "−");

/** From (x1, y1) to (x2, y2). */
export function line(
	ctx: CanvasRenderingContext2D,
	...[x1, y1, x2, y2]: readonly [number, number, number, number]
): void {
	ctx.beginPath();
	ctx.moveTo(x1, y1);
	ctx.lineTo(x2, y2);
	ctx.stroke();
}

/** A vertical colour bar with the values at its ends and between; zero is among them where the scale is centred on it. */
function drawBar(
	ctx: CanvasRenderingContext2D,
	{ colours, range: [low, high], unit }: Panel,
	[x, y, width, height]: Box,
): void {
	paintScale(ctx, colours, [x, y, width, height]);
	for (const part of height > 40 ? [0, 0.5, 1] : [0, 1])
		text(
			ctx,
			short(low + part * (high - low), 3),
			x + width + 4,
			y + (1 - part) * height + (part === 1 ? 8 : part === 0 ? 0 : 4),
			{ size: 10, align: "left", maxWidth: 66 },
		);
	if (unit)
		text(ctx, unit, x, y - 5, { size: 10, align: "left", colour: FAINT });
}
