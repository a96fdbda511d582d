/** The part of the picture that is extracted from: drawn, moved and resized. */
import type { Rectangle } from "../../../extraction/scan/resample.ts";
import type { Point } from "./fieldDrawing.ts";
import type { Tool } from "./fieldInput.ts";

/** Of a rectangle with sides along the axes, Angstrom, scan frame. */
interface Edges {
	readonly left: number;
	readonly right: number;
	readonly bottom: number;
	readonly top: number;
}

type Range = readonly [number, number];
type Place = (p: Point) => [number, number];

/**
 * Drag a rectangle, with Shift a square; one that is there by its middle to move it, by an edge or corner to resize it.
 * @param region what the image is cropped to
 * @param bounds of the picture
 * @param chosen is told the new one, within the bounds, its edges at tenths of an Angstrom
 */
export function cropTool(
	region: () => Rectangle | null,
	bounds: () => { readonly x: Range; readonly y: Range },
	chosen: (region: Rectangle) => void,
	redraw: () => void,
): Tool {
	let drawn: Edges | null = null;
	return {
		down(from, reach, square) {
			const before = region();
			const change = before && grabbed(edgesOf(before), from, reach);
			return {
				move(to) {
					const { x, y } = bounds();
					drawn = change ? change(to, x, y) : between(from, to, square, x, y);
					redraw();
				},
				up(_, dragged) {
					const done = drawn && inward(drawn);
					drawn = null;
					if (dragged && done && done.width > 0 && done.height > 0)
						chosen(done);
					redraw();
				},
				cancel() {
					drawn = null;
					redraw();
				},
			};
		},
		paint(ctx, place) {
			const shown = region();
			if (drawn) outline(ctx, place, drawn);
			else if (shown) outline(ctx, place, edgesOf(shown));
		},
	};
}

export const edgesOf = ({ x, y, width, height }: Rectangle): Edges => ({
	left: x - width / 2,
	right: x + width / 2,
	bottom: y - height / 2,
	top: y + height / 2,
});

/** From one corner, which stays, to the other, which ends at the picture's edge. */
function between(
	from: Point,
	to: Point,
	square: boolean,
	x: Range,
	y: Range,
): Edges {
	const room = (from: number, to: number, [low, high]: Range) =>
		to > from ? high - from : from - low;
	let [dx, dy] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
	if (square) dx = dy = Math.max(dx, dy);
	dx = Math.min(dx, room(from.x, to.x, x), square ? room(from.y, to.y, y) : dx);
	dy = Math.min(dy, room(from.y, to.y, y), square ? dx : dy);
	const [right, up] = [to.x > from.x, to.y > from.y];
	return {
		left: right ? from.x : from.x - dx,
		right: right ? from.x + dx : from.x,
		bottom: up ? from.y : from.y - dy,
		top: up ? from.y + dy : from.y,
	};
}

/** What a drag from this place does to the rectangle; null where it lies outside of it. */
function grabbed(
	{ left, right, bottom, top }: Edges,
	from: Point,
	reach: number,
): ((to: Point, x: Range, y: Range) => Edges) | null {
	const near = (a: number, b: number) => Math.abs(a - b) <= reach;
	const within = (v: number, low: number, high: number) =>
		v >= low - reach && v <= high + reach;
	if (!within(from.x, left, right) || !within(from.y, bottom, top)) return null;
	const at = {
		left: near(from.x, left),
		right: near(from.x, right),
		bottom: near(from.y, bottom),
		top: near(from.y, top),
	};
	const limit = (v: number, [low, high]: Range) =>
		Math.min(high, Math.max(low, v));
	if (at.left || at.right || at.bottom || at.top)
		return (to, x, y) =>
			ordered({
				left: at.left ? limit(to.x, x) : left,
				right: at.right && !at.left ? limit(to.x, x) : right,
				bottom: at.bottom ? limit(to.y, y) : bottom,
				top: at.top && !at.bottom ? limit(to.y, y) : top,
			});
	return (to, x, y) => {
		const dx = limit(to.x - from.x, [x[0] - left, x[1] - right]);
		const dy = limit(to.y - from.y, [y[0] - bottom, y[1] - top]);
		return {
			left: left + dx,
			right: right + dx,
			bottom: bottom + dy,
			top: top + dy,
		};
	};
}

const ordered = ({ left, right, bottom, top }: Edges): Edges => ({
	left: Math.min(left, right),
	right: Math.max(left, right),
	bottom: Math.min(bottom, top),
	top: Math.max(bottom, top),
});

/** The largest rectangle inside whose edges are whole tenths of an Angstrom: what is shown is what is cropped, and it lies within the picture. */
function inward({ left, right, bottom, top }: Edges): Rectangle {
	// Without the guard 12.3 * 10 would be beyond 123.
	const tenths = (v: number, up: boolean) =>
		up ? Math.ceil(v * 10 - 1e-6) : Math.floor(v * 10 + 1e-6);
	const [l, b] = [left, bottom].map((v) => tenths(v, true));
	const [r, t] = [right, top].map((v) => tenths(v, false));
	return {
		x: (l + r) / 20,
		y: (b + t) / 20,
		width: (r - l) / 10,
		height: (t - b) / 10,
	};
}

/** A rectangle with what lies outside of it dimmed. */
export function outline(
	ctx: CanvasRenderingContext2D,
	place: Place,
	edges: Edges,
): void {
	const [x0, y0] = place({ x: edges.left, y: edges.top });
	const [x1, y1] = place({ x: edges.right, y: edges.bottom });
	ctx.fillStyle = "#00000059";
	ctx.beginPath();
	ctx.rect(-1e4, -1e4, 2e4, 2e4);
	ctx.rect(x0, y0, x1 - x0, y1 - y0);
	ctx.fill("evenodd");
	outlinePath(ctx, place, edges);
}

/** Its sides alone. */
export function outlinePath(
	ctx: CanvasRenderingContext2D,
	place: Place,
	{ left, right, bottom, top }: Edges,
): void {
	const [x0, y0] = place({ x: left, y: top });
	const [x1, y1] = place({ x: right, y: bottom });
	ctx.strokeStyle = "#ffffff";
	ctx.lineWidth = 1.5;
	ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
}
