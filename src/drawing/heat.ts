/** Intensity maps over two axes of different units, such as energy over wave vector: a row of values for each y, with points and curves on top. */
import { maxOf } from "../qpi/maths/extremes.ts";
import type { Colours } from "./colour.ts";
import { line, multiples, niceStep, tick } from "./panels.ts";
import {
	type Box,
	drawGrid,
	FAINT,
	frame,
	inked,
	type Picture,
	paintScale,
	short,
	text,
} from "./picture.ts";

export interface HeatRow {
	readonly y: number;
	/** Evenly over the x range. */
	readonly values: ArrayLike<number>;
}

/** Points with their errors along x, or a line through them. */
export interface HeatLayer {
	readonly name: string;
	readonly colour: string;
	readonly points: readonly {
		readonly x: number;
		readonly y: number;
		readonly error?: number;
		readonly hollow?: boolean;
	}[];
	/** A line in place of points. */
	readonly line?: boolean;
	readonly dashed?: boolean;
}

export interface HeatPanel {
	readonly title: string;
	/** In any order. */
	readonly rows: readonly HeatRow[];
	/** The x of the first and of the last value of a row. */
	readonly x: readonly [number, number];
	/** What of x is shown; all by default. */
	readonly shown?: readonly [number, number];
	readonly names: readonly [x: string, y: string];
	/** Between the numbers at the x axis; a round one by default. */
	readonly step?: number;
	readonly colours: Colours;
	readonly range: readonly [number, number];
	readonly unit: string;
	readonly layers?: readonly HeatLayer[];
	readonly notes?: readonly string[];
}

const [LEFT, TOP, RIGHT, BOTTOM] = [64, 34, 70, 46];
const LEGEND = 15;

/** Panels in rows of `columns`, each of width x height. */
export function heatGrid(
	panels: readonly HeatPanel[],
	{ columns = Math.min(2, panels.length), width = 340, height = 300 } = {},
): Picture {
	const lines = maxOf([
		0,
		...panels.map(
			({ layers = [], notes = [] }) =>
				layers.filter(({ name }) => name).length + notes.length,
		),
	]);
	const [w, h] = [
		LEFT + width + RIGHT,
		TOP + height + BOTTOM + LEGEND * lines + 6,
	];
	return {
		width: columns * w,
		height: Math.ceil(panels.length / columns) * h,
		draw(ctx) {
			panels.forEach((panel, i) => {
				drawPanel(ctx, panel, [
					(i % columns) * w + LEFT,
					Math.floor(i / columns) * h + TOP,
					width,
					height,
				]);
			});
		},
	};
}

/** Between neighbours' middles; the outer rows as wide as their neighbours. */
export function edgesOf(sorted: readonly number[]): number[] {
	const n = sorted.length;
	if (n === 1) return [sorted[0] - 0.5, sorted[0] + 0.5];
	const middles = sorted.slice(1).map((y, i) => (y + sorted[i]) / 2);
	return [
		sorted[0] - (middles[0] - sorted[0]),
		...middles,
		sorted[n - 1] + (sorted[n - 1] - middles[n - 2]),
	];
}

function drawPanel(
	ctx: CanvasRenderingContext2D,
	panel: HeatPanel,
	box: Box,
): void {
	const { names, colours, range, unit, layers = [], notes = [] } = panel;
	const [left, top, width, height] = box;
	const rows = [...panel.rows].sort((a, b) => a.y - b.y);
	const edges = edgesOf(rows.map(({ y }) => y));
	const [y0, y1] = [edges[0], edges[edges.length - 1]];
	const [low, high] = panel.x;
	const [x0, x1] = panel.shown ?? panel.x;
	const place = (x: number, y: number): [number, number] => [
		left + ((x - x0) / (x1 - x0)) * width,
		top + (1 - (y - y0) / (y1 - y0)) * height,
	];
	rows.forEach(({ values }, i) => {
		const n = values.length;
		const across = Math.round(width);
		const line = Float64Array.from({ length: across }, (_, c) => {
			const x = x0 + ((c + 0.5) / across) * (x1 - x0);
			const at = ((x - low) / (high - low)) * (n - 1);
			const k = Math.min(n - 2, Math.max(0, Math.floor(at)));
			const s = at - k;
			return s < -0.5 || s > 1.5
				? Number.NaN
				: (1 - s) * values[k] + s * values[k + 1];
		});
		// Whole pixels, so that rows meet without seams.
		const upper = Math.floor(place(0, edges[i + 1])[1]);
		const lower = Math.floor(place(0, edges[i])[1]);
		if (lower > upper)
			drawGrid(
				ctx,
				line,
				{ nx: across, ny: 1 },
				[left, upper, width, lower - upper],
				colours,
				range,
			);
	});
	ctx.save();
	ctx.beginPath();
	ctx.rect(...box);
	ctx.clip();
	for (const layer of layers) drawLayer(ctx, layer, place);
	ctx.restore();
	frame(ctx, box);
	text(ctx, panel.title, left - 48, top - 12, {
		align: "left",
		size: 13,
		bold: true,
		maxWidth: width + LEFT + RIGHT - 12,
	});
	const step = panel.step ?? niceStep((60 * (x1 - x0)) / width);
	drawAxes(ctx, names, step, [x0, x1], [y0, y1], box, place);
	paintScale(ctx, colours, [left + width + 12, top, 12, height]);
	for (const part of [0, 0.5, 1])
		text(
			ctx,
			short(range[0] + part * (range[1] - range[0]), 2),
			left + width + 28,
			top + (1 - part) * height + (part === 1 ? 8 : part === 0 ? 0 : 4),
			{ size: 10, align: "left" },
		);
	if (unit)
		text(ctx, unit, left + width + 12, top - 5, {
			size: 10,
			align: "left",
			colour: FAINT,
		});
	let row = top + height + BOTTOM;
	for (const { name, colour, line: isLine, dashed } of layers) {
		if (!name) continue;
		ctx.strokeStyle = colour;
		ctx.fillStyle = colour;
		ctx.lineWidth = 2;
		ctx.setLineDash(dashed ? [5, 3] : []);
		if (isLine) line(ctx, left - 48, row - 4, left - 28, row - 4);
		else dot(ctx, left - 38, row - 4);
		ctx.setLineDash([]);
		text(ctx, name, left - 20, row, {
			align: "left",
			size: 11,
			maxWidth: width + RIGHT,
		});
		row += LEGEND;
	}
	for (const note of notes) {
		text(ctx, note, left - 48, row, {
			align: "left",
			size: 11,
			colour: FAINT,
			maxWidth: width + LEFT + RIGHT - 20,
		});
		row += LEGEND;
	}
}

function dot(ctx: CanvasRenderingContext2D, x: number, y: number): void {
	ctx.beginPath();
	ctx.arc(x, y, 2.6, 0, 2 * Math.PI);
	ctx.fill();
}

/** With a white rim, so that it is seen on every ground. */
function drawLayer(
	ctx: CanvasRenderingContext2D,
	{ points, colour, line: isLine, dashed }: HeatLayer,
	place: (x: number, y: number) => [number, number],
): void {
	if (isLine) {
		for (const [pen, ink] of [
			[3.4, "#ffffff"],
			[1.8, colour],
		] as const) {
			ctx.strokeStyle = ink;
			ctx.lineWidth = pen;
			ctx.setLineDash(dashed ? [6, 4] : []);
			ctx.beginPath();
			points.forEach(({ x, y }, i) => {
				if (i) ctx.lineTo(...place(x, y));
				else ctx.moveTo(...place(x, y));
			});
			ctx.stroke();
		}
		ctx.setLineDash([]);
		return;
	}
	for (const { x, y, error = 0, hollow } of points) {
		const [px, py] = place(x, y);
		ctx.strokeStyle = colour;
		ctx.lineWidth = 1.4;
		if (error > 0)
			line(ctx, place(x - error, y)[0], py, place(x + error, y)[0], py);
		ctx.fillStyle = "#ffffff";
		ctx.beginPath();
		ctx.arc(px, py, 3.6, 0, 2 * Math.PI);
		ctx.fill();
		ctx.fillStyle = colour;
		dot(ctx, px, py);
		if (!hollow) continue;
		ctx.fillStyle = "#ffffff";
		ctx.beginPath();
		ctx.arc(px, py, 1.4, 0, 2 * Math.PI);
		ctx.fill();
	}
}

function drawAxes(
	ctx: CanvasRenderingContext2D,
	names: readonly [string, string],
	step: number,
	x: readonly [number, number],
	y: readonly [number, number],
	[left, top, width, height]: Box,
	place: (x: number, y: number) => [number, number],
): void {
	ctx.strokeStyle = inked(ctx);
	ctx.lineWidth = 0.75;
	for (const value of multiples(x, step)) {
		const [px] = place(value, y[0]);
		line(ctx, px, top + height, px, top + height + 4);
		text(ctx, tick(value), px, top + height + 15, { size: 10 });
	}
	for (const value of multiples(y, niceStep((40 * (y[1] - y[0])) / height))) {
		const [, py] = place(x[0], value);
		line(ctx, left - 4, py, left, py);
		text(ctx, tick(value), left - 6, py + 3.5, { size: 10, align: "right" });
	}
	text(ctx, names[0], left + width / 2, top + height + 29, { size: 11 });
	text(ctx, names[1], left - 46, top + height / 2, {
		size: 11,
		turn: -Math.PI / 2,
	});
}
