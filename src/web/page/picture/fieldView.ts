/** A view of a field: axes, colour bar, and a part of it that is shared with other views, as are the pointer's place and the contrast. */

import type { Colours } from "../../../drawing/colour.ts";
import { drawCircle, type Field } from "../../../drawing/panels.ts";
import { resampled } from "../../../drawing/picture.ts";
import { inTurn } from "../basics/inTurn.ts";
import {
	type Axes,
	drawAxes,
	drawColourBar,
	drawCrosshair,
	drawRing,
	type Frame,
	type Point,
	paintBar,
	paintingOf,
	place,
	valueAt,
} from "./fieldDrawing.ts";
import { listen, type Tool } from "./fieldInput.ts";
import type { Link } from "./link.ts";
import { scaleOf } from "./scale.ts";

export interface Shown {
	readonly field: Field;
	readonly colours: Colours;
	/** The values at the ends of the colour scale at contrast 1: about zero, from zero, or of a measured image. */
	readonly range: readonly [number, number];
	/** Of the values. */
	readonly unit: string;
	readonly axes: Axes;
	/** Interpolated between pixels, "linear" by the canvas itself; an image of few pixels is else drawn as squares. */
	readonly smooth?: boolean | "linear";
	/** Of what is shown, where that is not just the field: fields of different steps on one scale. */
	readonly edges?: Pick<Field, "x" | "y">;
	/** Radii of circles about the origin. */
	readonly circles?: readonly number[];
	/** Places that are ringed. */
	readonly marks?: readonly Point[];
	/** For people who do not see it. */
	readonly summary: string;
}

/** Whether two have one bitmap. */
const isAlike = (one: Shown | null, other: Shown): boolean =>
	one?.field.values === other.field.values &&
	one.colours === other.colours &&
	one.smooth === other.smooth &&
	one.range.join() === other.range.join();

const MARGIN = { left: 47, right: 58, top: 22, bottom: 40 };
/** Images of so few pixels a side are interpolated to so many times as many; between more of them the canvas does it. */
const [FEW, FINE] = [72, 4];

export class FieldView {
	tool: Tool | null = null;
	readonly #canvas: HTMLCanvasElement;
	readonly #readout: HTMLElement | null;
	readonly #link: Link;
	#shown: Shown | null = null;
	#bitmap: HTMLCanvasElement | null = null;
	#values: ArrayLike<number> = [];
	#extremes: [least: number, most: number] = [0, 0];
	#grid = { nx: 0, ny: 0 };
	#smooth = false;
	#painted = 0; // the contrast that the bitmap was painted at
	#stale = true; // whether the bitmap is of what was shown before
	#painting = false;
	#area = "";
	#bar: HTMLCanvasElement | null = null;

	/** @param figure holds a canvas, and an element of class "readout" for the value under the pointer */
	constructor(figure: HTMLElement, link: Link) {
		this.#canvas = figure.querySelector("canvas") as HTMLCanvasElement;
		this.#readout = figure.querySelector(".readout");
		this.#link = link;
		link.subscribe(() => this.draw());
		new ResizeObserver(() => this.draw()).observe(this.#canvas);
		// Text and axes take their colours from the style sheet.
		addEventListener("themechange", () => this.draw());
		listen(this, this.#canvas, link);
	}

	/** Whether there is anything to point at. */
	get filled(): boolean {
		return this.#shown !== null;
	}

	show(shown: Shown): void {
		const { x, y } = shown.edges ?? shown.field;
		const area = [...x, ...y].join();
		// Of another area another part is of interest, if there is such a part at all.
		if (this.#shown && this.#area !== area) this.#link.part = null;
		if (this.#area !== area) this.#bitmap = null;
		if (!isAlike(this.#shown, shown)) this.#stale = true;
		[this.#shown, this.#area] = [shown, area];
		const { values, nx, ny } = shown.field;
		let [least, most] = [Infinity, -Infinity];
		let whole = true;
		for (let p = 0; p < values.length; p++) {
			const v = values[p];
			if (!Number.isFinite(v)) {
				whole = false;
				continue;
			}
			if (v < least) least = v;
			if (v > most) most = v;
		}
		this.#smooth = shown.smooth === "linear" || (whole && !!shown.smooth);
		const coarse = shown.smooth === true && whole && Math.max(nx, ny) <= FEW;
		this.#grid = coarse ? { nx: nx * FINE, ny: ny * FINE } : { nx, ny };
		this.#values = coarse
			? resampled(values, { nx, ny }, nx * FINE, ny * FINE, true)
			: values;
		this.#extremes = [least, most];
		this.#canvas.setAttribute("aria-label", shown.summary);
		this.draw();
	}

	/** Of all that there is to show. */
	get #edges(): Pick<Field, "x" | "y"> {
		const { edges, field } = this.#shown as Shown;
		return edges ?? field;
	}

	/** Of the whole field, or of the part that the views share: its edges in the field's coordinates. */
	#window(): { x: [number, number]; y: [number, number] } {
		const { x, y } = this.#edges;
		const part = this.#link.part;
		if (!part) return { x: [...x], y: [...y] };
		const [cx, cy] = [(x[0] + x[1]) / 2 + part.x, (y[0] + y[1]) / 2 + part.y];
		// True to scale: the shorter side shows less.
		const long = Math.max(x[1] - x[0], y[1] - y[0]);
		const [hx, hy] = [x, y].map((e) => (part.half * (e[1] - e[0])) / long);
		return { x: [cx - hx, cx + hx], y: [cy - hy, cy + hy] };
	}

	#box(): { x: number; y: number; width: number; height: number } {
		const { x, y } = this.#edges;
		const width = this.#canvas.clientWidth - MARGIN.left - MARGIN.right;
		const height = this.#canvas.clientHeight - MARGIN.top - MARGIN.bottom;
		const scale = Math.min(width / (x[1] - x[0]), height / (y[1] - y[0]));
		return {
			x: MARGIN.left,
			y: MARGIN.top,
			width: Math.max(1, scale * (x[1] - x[0])),
			height: Math.max(1, scale * (y[1] - y[0])),
		};
	}

	#frame(): Frame {
		return { edges: this.#window(), box: this.#box() };
	}

	draw(): void {
		const { clientWidth, clientHeight } = this.#canvas;
		const ctx = this.#canvas.getContext("2d");
		if (!ctx || clientWidth === 0) return;
		const ratio = devicePixelRatio;
		const [width, height] = [clientWidth, clientHeight].map((n) =>
			Math.round(n * ratio),
		);
		if (this.#canvas.width !== width || this.#canvas.height !== height)
			[this.#canvas.width, this.#canvas.height] = [width, height];
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		ctx.clearRect(0, 0, clientWidth, clientHeight);
		const shown = this.#shown;
		if (!shown) return;
		if (this.#stale || this.#painted !== this.#link.contrast) this.#paint();
		const frame = this.#frame();
		const { box } = frame;
		const to = (p: Point) => place(frame, p);
		ctx.save();
		ctx.beginPath();
		ctx.rect(box.x, box.y, box.width, box.height);
		ctx.clip();
		const { field } = shown;
		const [left, top] = to({ x: field.x[0], y: field.y[1] });
		const [right, bottom] = to({ x: field.x[1], y: field.y[0] });
		// Pixels are seen as squares where there is room for them; left out where there is not, rings would beat with the grid.
		ctx.imageSmoothingEnabled =
			this.#smooth || (right - left) * ratio < field.nx;
		ctx.imageSmoothingQuality = "high";
		if (this.#bitmap)
			ctx.drawImage(this.#bitmap, left, top, right - left, bottom - top);
		for (const mark of shown.marks ?? []) drawRing(ctx, to(mark));
		for (const radius of shown.circles ?? [])
			drawCircle(ctx, (x, y) => to({ x, y }), radius);
		this.tool?.paint(ctx, to, { right: box.x + box.width, top: box.y });
		const { cursor } = this.#link;
		if (cursor) drawCrosshair(ctx, to(this.#absolute(cursor)));
		ctx.restore();
		drawAxes(ctx, frame, shown.axes);
		drawColourBar(
			ctx,
			frame,
			this.#bar as HTMLCanvasElement,
			this.#range(),
			this.#extremes,
			shown.unit,
		);
		this.#tell();
	}

	#range(): [number, number] {
		const { range } = this.#shown as Shown;
		const [low, high] = range;
		const { contrast } = this.#link;
		// A scale from zero keeps its zero, others their middle.
		if (low === 0) return [0, high / contrast];
		const middle = (low + high) / 2;
		const reach = (high - low) / 2 / contrast;
		return [middle - reach, middle + reach];
	}

	/** A field of many pixels by parts, each a task of its own: until all are there the view has those before. */
	#paint(): void {
		if (this.#painting) return; // once it has come to its end, again
		const { colours } = this.#shown as Shown;
		const { nx, ny } = this.#grid;
		this.#bar = paintBar(colours);
		this.#painted = this.#link.contrast;
		this.#stale = false;
		const area = this.#area;
		const { bitmap, parts } = paintingOf(
			...([this.#values, nx, ny, colours, this.#range()] as const),
		);
		const done = () => {
			this.#painting = false;
			if (area === this.#area) this.#bitmap = bitmap;
		};
		if (parts.length > 1) {
			this.#painting = true;
			parts.push(done, () => this.draw());
			void inTurn(() => true, parts);
		} else {
			parts[0]();
			done();
		}
	}

	#tell(): void {
		if (!this.#readout || !this.#shown) return;
		const { cursor } = this.#link;
		const { field, axes, unit } = this.#shown;
		const at = cursor && this.#absolute(cursor);
		const value = at ? valueAt(field, at) : undefined;
		const scale = scaleOf(...this.#range(), unit);
		const { label } = scale;
		const said = (v: number) => scale.said(v, 3);
		this.#readout.textContent =
			at && value !== undefined
				? `(${[at.x, at.y].map((v) => (axes === "1/Å" ? v.toFixed(3) : v.toFixed(0)).replace("-", "−")).join(", ")}) ${axes}: ${Number.isNaN(value) ? "not used" : `${said(value)} ${label}`}`
				: `${this.#extremes.map(said).join(" to ")} ${label}`;
	}

	/** Of the field, in its coordinates. */
	middle(): Point {
		const { x, y } = this.#edges;
		return { x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2 };
	}
	#absolute(p: Point): Point {
		const middle = this.middle();
		return { x: p.x + middle.x, y: p.y + middle.y };
	}

	/** From a place on the screen to the field's coordinates, and Angstrom (or 1/Angstrom) a pixel of the screen. */
	under(event: { readonly clientX: number; readonly clientY: number }): {
		at: Point;
		inside: boolean;
		pixel: number;
	} {
		const bounds = this.#canvas.getBoundingClientRect();
		const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
		const {
			edges: { x, y },
			box,
		} = this.#frame();
		const [fx, fy] = [(px - box.x) / box.width, 1 - (py - box.y) / box.height];
		return {
			at: {
				x: x[0] + fx * (x[1] - x[0]),
				y: y[0] + fy * (y[1] - y[0]),
			},
			inside: fx >= 0 && fx <= 1 && fy >= 0 && fy <= 1,
			pixel: (x[1] - x[0]) / box.width,
		};
	}

	/** The middle of what is shown, and Angstrom (or 1/Angstrom) a pixel of the screen. */
	centre(): { at: Point; pixel: number } {
		const {
			edges: { x, y },
			box,
		} = this.#frame();
		return {
			at: { x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2 },
			pixel: (x[1] - x[0]) / box.width,
		};
	}

	/** Zooms by a factor about a point that stays where it is. */
	zoom(factor: number, about?: Point): void {
		if (!this.#shown) return;
		const { x, y } = this.#edges;
		const all = Math.max(x[1] - x[0], y[1] - y[0]) / 2;
		const part = this.#link.part ?? { x: 0, y: 0, half: all };
		const half = Math.max(part.half / factor, all / 100);
		if (half >= all) this.#link.part = null;
		else {
			const middle = this.middle();
			const fixed = about
				? { x: about.x - middle.x, y: about.y - middle.y }
				: part;
			const shrink = half / part.half;
			this.#link.part = this.#clamp(
				fixed.x + (part.x - fixed.x) * shrink,
				fixed.y + (part.y - fixed.y) * shrink,
				half,
			);
		}
		this.#link.changed();
	}

	/** No further than where the middle is at an edge of the field. */
	#clamp(x: number, y: number, half: number) {
		const edges = this.#edges;
		const limit = (v: number, [low, high]: readonly [number, number]) => {
			const most = Math.max(0, (high - low) / 2 - half / 2);
			return Math.min(most, Math.max(-most, v));
		};
		return { x: limit(x, edges.x), y: limit(y, edges.y), half };
	}

	/** Moves the part that is shown by so much of the axes' units. */
	pan(dx: number, dy: number): void {
		const { part } = this.#link;
		if (!part) return;
		this.#link.part = this.#clamp(part.x + dx, part.y + dy, part.half);
		this.#link.changed();
	}
}
