/** What people mask on the picture: rectangles that they draw, and shapes of a file. */
import type { Shape } from "../../extraction/scan/masks.ts";
import type { Point } from "./fieldDrawing.ts";
import type { Tool } from "./fieldInput.ts";

/** The shapes that count nowhere. */
export class Masks {
	#list: readonly Shape[] = [];
	readonly #changed: () => void;

	/** @param changed when there are others */
	constructor(changed: () => void) {
		this.#changed = changed;
	}

	get list(): readonly Shape[] {
		return this.#list;
	}

	replace(list: readonly Shape[]): void {
		this.#list = list;
		this.#changed();
	}
}

/** A tenth of an Angstrom is what a pointer can say. */
const tenth = (v: number) => Number(v.toFixed(1));

/** Drag a rectangle, or along an outline. */
export function maskTool(
	masks: Masks,
	outlined: () => boolean,
	redraw: () => void,
): Tool {
	let drawn: Shape | null = null;
	return {
		down(from, reach) {
			let points: Point[] = [from];
			return {
				move(to) {
					if (!outlined()) drawn = rectangle(from, to);
					else {
						const last = points[points.length - 1];
						const far = Math.hypot(to.x - last.x, to.y - last.y);
						if (far > reach * THIN)
							points = [...points, { x: tenth(to.x), y: tenth(to.y) }];
						drawn = { kind: "polygon", points };
					}
					redraw();
				},
				up(_, dragged) {
					const done = drawn;
					drawn = null;
					if (dragged && done && holds(done))
						masks.replace([...masks.list, done]);
					redraw();
				},
				cancel() {
					drawn = null;
					redraw();
				},
			};
		},
		paint(ctx, place) {
			for (const shape of drawn ? [...masks.list, drawn] : masks.list)
				outlineOf(ctx, shape, place);
		},
	};
}

/** Corners of an outline are so far apart, of what a mark is meant by. */
const THIN = 0.3;

const rectangle = (from: Point, to: Point): Shape => ({
	kind: "rectangle",
	x: tenth((from.x + to.x) / 2),
	y: tenth((from.y + to.y) / 2),
	width: tenth(Math.abs(to.x - from.x)),
	height: tenth(Math.abs(to.y - from.y)),
});

/** Whether there is anything inside. */
const holds = (shape: Shape): boolean =>
	shape.kind === "rectangle"
		? shape.width * shape.height > 0
		: shape.points.length > 2;

function outlineOf(
	ctx: CanvasRenderingContext2D,
	shape: Shape,
	place: (p: Point) => [number, number],
): void {
	const corners =
		shape.kind === "rectangle"
			? [
					[-1, -1],
					[1, -1],
					[1, 1],
					[-1, 1],
				].map(([i, j]) => ({
					x: shape.x + (i * shape.width) / 2,
					y: shape.y + (j * shape.height) / 2,
				}))
			: shape.points;
	ctx.beginPath();
	for (const corner of corners) ctx.lineTo(...place(corner));
	ctx.closePath();
	ctx.fillStyle = "#8888888c";
	ctx.fill();
	ctx.strokeStyle = "#ffffff";
	ctx.lineWidth = 1.5;
	ctx.stroke();
}
