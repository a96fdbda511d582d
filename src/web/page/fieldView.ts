/** A view of a field: axes, colour bar, and a part of it that is shared with other views, as are the pointer's place and the contrast. */
import { type Colours, putColour } from "../../report/colour.ts";
import { type Field, multiples, niceStep } from "../../report/panels.ts";
import { resampled, short, superscript } from "../../report/picture.ts";

/** What linked views have in common. Places are relative to each field's own centre, in the units of the axes. */
export class Link {
	/** Of what is shown: its centre, and half its longer side; null shows all. */
	part: { x: number; y: number; half: number } | null = null;
	/** Colour scales reach to their range over this. */
	contrast = 1;
	/** Where the pointer is. */
	cursor: { x: number; y: number } | null = null;
	#listeners = new Set<() => void>();
	#pending = false;

	subscribe(listener: () => void): void {
		this.#listeners.add(listener);
	}

	/** Draws all views anew, once a frame. */
	changed(): void {
		if (this.#pending) return;
		this.#pending = true;
		requestAnimationFrame(() => {
			this.#pending = false;
			for (const listener of this.#listeners) listener();
		});
	}
}

export interface Shown {
	readonly field: Field;
	readonly colours: Colours;
	/** The values at the ends of the colour scale at contrast 1: about zero, from zero, or of a measured image. */
	readonly range: readonly [number, number];
	/** Of the values. */
	readonly unit: string;
	readonly axes: "Å" | "1/Å";
	/** Interpolated between pixels; an image of few pixels is else drawn as squares. */
	readonly smooth?: boolean;
	/** Radii of circles about the origin. */
	readonly circles?: readonly number[];
	/** For people who do not see it. */
	readonly summary: string;
}

export interface Point {
	readonly x: number;
	readonly y: number;
}

/** What the pointer does in a view, in the field's own coordinates; a view without tools is moved by it. */
export interface Tool {
	/** What a drag from here does; nothing moves the view instead. */
	down(
		at: Point,
		reach: number,
	): { move(to: Point): void; up(to: Point, dragged: boolean): void } | null;
	double?(at: Point, reach: number): void;
	/** Draws over the image; `place` gives canvas pixels. */
	paint(
		ctx: CanvasRenderingContext2D,
		place: (p: Point) => [number, number],
	): void;
}

const MARGIN = { left: 48, right: 50, top: 14, bottom: 40 };
/** Between two numbers of an axis, pixels. */
const APART = 34;
/** Pixels that a press may move and still be a click. */
const STILL = 4;
/** Pixels from a mark that still mean it. */
const REACH = 12;
/** Images of few pixels are interpolated to so many times as many. */
const FINE = 4;

export class FieldView {
	tool: Tool | null = null;
	readonly #canvas: HTMLCanvasElement;
	readonly #readout: HTMLElement | null;
	readonly #link: Link;
	#shown: Shown | null = null;
	#bitmap: HTMLCanvasElement | null = null;
	#values: ArrayLike<number> = [];
	#grid = { nx: 0, ny: 0 };
	#painted = 0; // the contrast that the bitmap was painted at
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
		this.#listen();
	}

	show(shown: Shown | null): void {
		this.#shown = shown;
		this.#bitmap = null;
		if (shown) {
			const { values, nx, ny } = shown.field;
			const whole = shown.smooth && Array.from(values).every(Number.isFinite);
			this.#grid = whole ? { nx: nx * FINE, ny: ny * FINE } : { nx, ny };
			this.#values = whole
				? resampled(values, { nx, ny }, nx * FINE, ny * FINE, true)
				: values;
			this.#canvas.setAttribute("aria-label", shown.summary);
		}
		this.draw();
	}

	/** Of the whole field, or of the part that the views share: its edges in the field's coordinates. */
	#window(): { x: [number, number]; y: [number, number] } {
		const { x, y } = (this.#shown as Shown).field;
		const part = this.#link.part;
		if (!part) return { x: [...x], y: [...y] };
		const [cx, cy] = [(x[0] + x[1]) / 2 + part.x, (y[0] + y[1]) / 2 + part.y];
		// True to scale: the shorter side shows less.
		const long = Math.max(x[1] - x[0], y[1] - y[0]);
		const [hx, hy] = [x, y].map((e) => (part.half * (e[1] - e[0])) / long);
		return { x: [cx - hx, cx + hx], y: [cy - hy, cy + hy] };
	}

	#box(): { x: number; y: number; width: number; height: number } {
		const { x, y } = (this.#shown as Shown).field;
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
		if (!this.#bitmap || this.#painted !== this.#link.contrast) this.#paint();
		const { x, y } = this.#window();
		const box = this.#box();
		const place = (p: Point): [number, number] => [
			box.x + ((p.x - x[0]) / (x[1] - x[0])) * box.width,
			box.y + (1 - (p.y - y[0]) / (y[1] - y[0])) * box.height,
		];
		ctx.save();
		ctx.beginPath();
		ctx.rect(box.x, box.y, box.width, box.height);
		ctx.clip();
		const { field } = shown;
		const [left, top] = place({ x: field.x[0], y: field.y[1] });
		const [right, bottom] = place({ x: field.x[1], y: field.y[0] });
		ctx.imageSmoothingEnabled = this.#grid.nx !== field.nx;
		ctx.drawImage(
			this.#bitmap as HTMLCanvasElement,
			left,
			top,
			right - left,
			bottom - top,
		);
		for (const radius of shown.circles ?? [])
			circle(ctx, place({ x: 0, y: 0 }), place({ x: radius, y: 0 }));
		this.tool?.paint(ctx, place);
		this.#crosshair(ctx, place);
		ctx.restore();
		this.#axes(ctx, box, { x, y }, place);
		this.#colourBar(ctx, box);
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

	#paint(): void {
		const { colours } = this.#shown as Shown;
		const { nx, ny } = this.#grid;
		const [low, high] = this.#range();
		this.#bitmap = paintBitmap(nx, ny, (ix, up, data, at) => {
			const v = this.#values[ix * ny + up];
			putColour(data, at, colours, (v - low) / (high - low));
		});
		this.#bar = paintBitmap(1, 127, (_, up, data, at) => {
			putColour(data, at, colours, up / 126);
		});
		this.#painted = this.#link.contrast;
	}

	#axes(
		ctx: CanvasRenderingContext2D,
		box: { x: number; y: number; width: number; height: number },
		edges: { x: [number, number]; y: [number, number] },
		place: (p: Point) => [number, number],
	): void {
		const style = getComputedStyle(this.#canvas);
		ctx.fillStyle = style.color;
		ctx.strokeStyle = style.color;
		ctx.font = `11px ${style.fontFamily}`;
		ctx.lineWidth = 1;
		ctx.strokeRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
		const span = Math.max(edges.x[1] - edges.x[0], edges.y[1] - edges.y[0]);
		const step = niceStep((APART * span) / Math.max(box.width, box.height));
		const names =
			this.#shown?.axes === "Å" ? ["x (Å)", "y (Å)"] : ["qx (1/Å)", "qy (1/Å)"];
		const bottom = box.y + box.height;
		ctx.textAlign = "center";
		for (const value of multiples(edges.x, step)) {
			const [px] = place({ x: value, y: 0 });
			line(ctx, px, bottom, px, bottom + 4);
			ctx.fillText(tick(value), px, bottom + 16);
		}
		ctx.fillText(names[0], box.x + box.width / 2, bottom + 32);
		ctx.textAlign = "right";
		for (const value of multiples(edges.y, step)) {
			const [, py] = place({ x: 0, y: value });
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

	#colourBar(
		ctx: CanvasRenderingContext2D,
		box: { x: number; y: number; width: number; height: number },
	): void {
		const [low, high] = this.#range();
		const x = box.x + box.width + 10;
		ctx.imageSmoothingEnabled = true;
		ctx.drawImage(this.#bar as HTMLCanvasElement, x, box.y, 10, box.height);
		ctx.lineWidth = 1;
		ctx.strokeRect(x - 0.5, box.y - 0.5, 11, box.height + 1);
		ctx.textAlign = "left";
		const { factor, label } = scaleOf(low, high, (this.#shown as Shown).unit);
		for (const part of [0, 0.5, 1])
			ctx.fillText(
				short((low + part * (high - low)) / factor, 2),
				x + 14,
				box.y + (1 - part) * box.height + (part === 1 ? 9 : part === 0 ? 0 : 4),
			);
		ctx.fillText(label, x, box.y + box.height + 16);
	}

	#crosshair(
		ctx: CanvasRenderingContext2D,
		place: (p: Point) => [number, number],
	): void {
		const { cursor } = this.#link;
		if (!cursor) return;
		const [px, py] = place(this.#absolute(cursor));
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

	#tell(): void {
		if (!this.#readout || !this.#shown) return;
		const { cursor } = this.#link;
		const { field, axes, unit } = this.#shown;
		const at = cursor && this.#absolute(cursor);
		const value = at ? valueAt(field, at) : undefined;
		this.#readout.textContent =
			at && value !== undefined
				? `(${[at.x, at.y].map((v) => (axes === "Å" ? v.toFixed(0) : v.toFixed(3)).replace("-", "−")).join(", ")}) ${axes}: ${Number.isNaN(value) ? "not measured" : `${short(value, 3)} ${unit}`}`
				: "";
	}

	#middle(): Point {
		const { x, y } = (this.#shown as Shown).field;
		return { x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2 };
	}
	#absolute(p: Point): Point {
		const middle = this.#middle();
		return { x: p.x + middle.x, y: p.y + middle.y };
	}

	/** From a place on the screen to the field's coordinates, and Angstrom (or 1/Angstrom) a pixel of the screen. */
	#under(event: MouseEvent): { at: Point; inside: boolean; pixel: number } {
		const bounds = this.#canvas.getBoundingClientRect();
		const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
		const box = this.#box();
		const { x, y } = this.#window();
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

	/** Zooms by a factor about a point that stays where it is. */
	zoom(factor: number, about?: Point): void {
		if (!this.#shown) return;
		const { field } = this.#shown;
		const all = Math.max(field.x[1] - field.x[0], field.y[1] - field.y[0]) / 2;
		const part = this.#link.part ?? { x: 0, y: 0, half: all };
		const half = Math.max(part.half / factor, all / 100);
		if (half >= all) this.#link.part = null;
		else {
			const middle = this.#middle();
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
		const { field } = this.#shown as Shown;
		const limit = (v: number, [low, high]: readonly [number, number]) => {
			const most = Math.max(0, (high - low) / 2 - half / 2);
			return Math.min(most, Math.max(-most, v));
		};
		return { x: limit(x, field.x), y: limit(y, field.y), half };
	}

	#pan(dx: number, dy: number): void {
		const { part } = this.#link;
		if (!part) return;
		this.#link.part = this.#clamp(part.x + dx, part.y + dy, part.half);
		this.#link.changed();
	}

	#listen(): void {
		const canvas = this.#canvas;
		canvas.addEventListener("pointermove", (event) => {
			if (!this.#shown) return;
			const { at, inside } = this.#under(event);
			const middle = this.#middle();
			this.#link.cursor = inside
				? { x: at.x - middle.x, y: at.y - middle.y }
				: null;
			this.#link.changed();
		});
		canvas.addEventListener("pointerleave", () => {
			this.#link.cursor = null;
			this.#link.changed();
		});
		canvas.addEventListener("pointerdown", (event) => this.#press(event));
		canvas.addEventListener("dblclick", (event) => {
			if (!this.#shown) return;
			const { at, inside, pixel } = this.#under(event);
			if (inside && this.tool?.double) this.tool.double(at, REACH * pixel);
			else if (!this.tool) {
				this.#link.part = null;
				this.#link.changed();
			}
		});
		canvas.addEventListener(
			"wheel",
			(event) => {
				// A page that scrolls must not stop at every picture: the wheel zooms where the picture has been clicked, or with Ctrl.
				if (
					!this.#shown ||
					!(document.activeElement === canvas || event.ctrlKey)
				)
					return;
				event.preventDefault();
				this.zoom(Math.exp(-event.deltaY / 400), this.#under(event).at);
			},
			{ passive: false },
		);
		canvas.addEventListener("keydown", (event) => {
			if (!this.#shown) return;
			const step = (this.#link.part?.half ?? 0) / 4;
			const keys: Record<string, () => void> = {
				"+": () => this.zoom(1.5),
				"=": () => this.zoom(1.5),
				"-": () => this.zoom(1 / 1.5),
				"0": () => this.zoom(0),
				ArrowLeft: () => this.#pan(-step, 0),
				ArrowRight: () => this.#pan(step, 0),
				ArrowUp: () => this.#pan(0, step),
				ArrowDown: () => this.#pan(0, -step),
			};
			const key = keys[event.key];
			if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
			// Arrows scroll the page where there is nothing to move.
			if (event.key.startsWith("Arrow") && step === 0) return;
			event.preventDefault();
			key();
		});
	}

	#press(event: PointerEvent): void {
		if (!this.#shown || event.button !== 0) return;
		const { at, inside, pixel } = this.#under(event);
		if (!inside) return;
		const drag = this.tool?.down(at, REACH * pixel) ?? null;
		this.#canvas.setPointerCapture(event.pointerId);
		const [startX, startY] = [event.clientX, event.clientY];
		let last = event;
		let dragged = false;
		const move = (next: PointerEvent) => {
			dragged ||=
				Math.hypot(next.clientX - startX, next.clientY - startY) > STILL;
			if (drag) {
				if (dragged) drag.move(this.#under(next).at);
			} else if (dragged)
				this.#pan(
					(last.clientX - next.clientX) * pixel,
					(next.clientY - last.clientY) * pixel,
				);
			last = next;
		};
		const end = (next: PointerEvent) => {
			this.#canvas.removeEventListener("pointermove", move);
			this.#canvas.removeEventListener("pointerup", end);
			this.#canvas.removeEventListener("pointercancel", end);
			if (next.type === "pointerup") drag?.up(this.#under(next).at, dragged);
		};
		this.#canvas.addEventListener("pointermove", move);
		this.#canvas.addEventListener("pointerup", end);
		this.#canvas.addEventListener("pointercancel", end);
	}
}

function paintBitmap(
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
function valueAt(field: Field, at: Point): number | undefined {
	const part = (v: number, [low, high]: readonly [number, number], n: number) =>
		Math.floor(((v - low) / (high - low)) * n);
	const ix = part(at.x, field.x, field.nx);
	const iy = part(at.y, field.y, field.ny);
	if (ix < 0 || iy < 0 || ix >= field.nx || iy >= field.ny) return undefined;
	return field.values[ix * field.ny + iy];
}

const PREFIXES: Readonly<Record<number, string>> = {
	"-15": "f",
	"-12": "p",
	"-9": "n",
	"-6": "µ",
	"-3": "m",
	"3": "k",
	"6": "M",
	"9": "G",
};

/** What the numbers of a colour bar are divided by to be short, and how that is said: 2e-11 A are 20 pA. */
function scaleOf(
	low: number,
	high: number,
	unit: string,
): { factor: number; label: string } {
	const most = Math.max(Math.abs(low), Math.abs(high));
	const power = most > 0 ? 3 * Math.floor(Math.log10(most) / 3) : 0;
	if (power === 0 || (most >= 0.01 && most < 1e4))
		return { factor: 1, label: unit };
	const prefix = PREFIXES[power];
	return {
		factor: 10 ** power,
		label:
			prefix && /^(A|V|S|m|Hz|W|N)$/.test(unit)
				? prefix + unit
				: `10${superscript(power)} ${unit}`.trim(),
	};
}

const tick = (value: number) =>
	String(Number(value.toPrecision(6)) || 0).replace("-", "−");

function line(
	ctx: CanvasRenderingContext2D,
	...[x1, y1, x2, y2]: readonly [number, number, number, number]
): void {
	ctx.beginPath();
	ctx.moveTo(x1, y1);
	ctx.lineTo(x2, y2);
	ctx.stroke();
}

function circle(
	ctx: CanvasRenderingContext2D,
	[cx, cy]: readonly [number, number],
	[rx]: readonly [number, number],
): void {
	for (const [colour, width, dash] of [
		["#000000", 2.4, []],
		["#ffffff", 1.2, [5, 4]],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = width;
		ctx.setLineDash([...dash]);
		ctx.beginPath();
		ctx.arc(cx, cy, rx - cx, 0, 2 * Math.PI);
		ctx.stroke();
	}
	ctx.setLineDash([]);
}
