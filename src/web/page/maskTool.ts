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

/** Drag a rectangle. */
export function maskTool(masks: Masks, redraw: () => void): Tool {
	let drawn: Shape | null = null;
	return {
		down: (from) => ({
			move(to) {
				drawn = {
					kind: "rectangle",
					x: tenth((from.x + to.x) / 2),
					y: tenth((from.y + to.y) / 2),
					width: tenth(Math.abs(to.x - from.x)),
					height: tenth(Math.abs(to.y - from.y)),
				};
				redraw();
			},
			up(_, dragged) {
				const done = drawn;
				drawn = null;
				if (
					dragged &&
					done?.kind === "rectangle" &&
					done.width * done.height > 0
				)
					masks.replace([...masks.list, done]);
				redraw();
			},
			cancel() {
				drawn = null;
				redraw();
			},
		}),
		paint(ctx, place) {
			for (const shape of drawn ? [...masks.list, drawn] : masks.list)
				outlineOf(ctx, shape, place);
		},
	};
}

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
