/** What people mask on the picture: shapes that they draw, strokes of a brush, and shapes of a file. */
import type { Stroke } from "../../../extraction/scan/brush.ts";
import type { Shape } from "../../../extraction/scan/masks.ts";
import type { Undoable } from "../basics/history.ts";
import type { Point } from "./fieldDrawing.ts";
import type { Tool } from "./fieldInput.ts";
import { drawBrush, drawMasks } from "./maskDrawing.ts";

/** The shapes that count nowhere. */
export class Masks implements Undoable {
	#list: readonly Shape[] = [];
	readonly #before: (readonly Shape[])[] = [];
	readonly #after: (readonly Shape[])[] = [];
	readonly #changed: () => void;
	/** Told of each edit that can be undone. */
	onEdit: () => void = () => {};

	/** @param changed when there are others */
	constructor(changed: () => void) {
		this.#changed = changed;
	}

	get list(): readonly Shape[] {
		return this.#list;
	}

	get canUndo(): boolean {
		return this.#before.length > 0;
	}

	get canRedo(): boolean {
		return this.#after.length > 0;
	}

	/** Takes others; it can be undone. */
	replace(list: readonly Shape[]): void {
		this.#before.push(this.#list);
		this.#after.length = 0;
		this.onEdit();
		this.#set(list);
	}

	/** Those of another image: nothing of before comes back. */
	reset(list: readonly Shape[]): void {
		this.#before.length = 0;
		this.#after.length = 0;
		if (list.length > 0 || this.#list.length > 0) this.#set(list);
	}

	undo(): void {
		this.#go(this.#before, this.#after);
	}

	redo(): void {
		this.#go(this.#after, this.#before);
	}

	#go(from: (readonly Shape[])[], to: (readonly Shape[])[]): void {
		const list = from.pop();
		if (!list) return;
		to.push(this.#list);
		this.#set(list);
	}

	#set(list: readonly Shape[]): void {
		this.#list = list;
		this.#changed();
	}
}

/** A tenth of an Angstrom is what a pointer can say. */
const tenth = (v: number) => Number(v.toFixed(1));
const tenths = ({ x, y }: Point): Point => ({ x: tenth(x), y: tenth(y) });

export interface MaskChoice {
	readonly shape: "rectangle" | "outline" | "brush" | "eraser";
	/** Of the brush, Angstrom. */
	readonly radius: number;
}

/**
 * Drag a rectangle, along an outline, or a round brush; a click, or Enter, is a dot of the brush.
 * @param cursor where the pointer is
 */
export function maskTool(
	masks: Masks,
	choice: () => MaskChoice,
	cursor: () => Point | null,
	redraw: () => void,
): Tool & { paintBrush: Tool["paint"] } {
	let drawn: Shape | null = null;
	const brushOf = (): Pick<Stroke, "kind" | "radius"> | undefined => {
		const { shape: kind, radius } = choice();
		return kind === "brush" || kind === "eraser" ? { kind, radius } : undefined;
	};
	const done = (shape: Shape | null) => {
		drawn = null;
		// Where nothing is masked nothing is erased.
		const idle = shape?.kind === "eraser" && masks.list.length === 0;
		if (shape && holds(shape) && !idle) masks.replace([...masks.list, shape]);
		redraw();
	};
	return {
		down(from, reach) {
			const brush = brushOf();
			let points: readonly Point[] = [tenths(from)];
			if (brush) drawn = { ...brush, points };
			redraw();
			return {
				move(to) {
					const { x, y } = points[points.length - 1];
					const far = Math.hypot(to.x - x, to.y - y);
					if (far > reach * THIN) points = [...points, tenths(to)];
					if (brush) drawn = { ...brush, points };
					else if (choice().shape === "rectangle") drawn = rectangle(from, to);
					else drawn = { kind: "polygon", points };
					redraw();
				},
				up: (_, dragged) => done(dragged || brush ? drawn : null),
				cancel: () => done(null),
			};
		},
		key(event, at) {
			const brush = brushOf();
			if (event.key !== "Enter" || !brush) return false;
			done({ ...brush, points: [tenths(at)] });
			return true;
		},
		paint: (ctx, place) =>
			drawMasks(ctx, drawn ? [...masks.list, drawn] : masks.list, place),
		paintBrush(ctx, place) {
			const [brush, at] = [brushOf(), cursor()];
			if (brush && at) drawBrush(ctx, at, brush.radius, place);
		},
	};
}

/** Corners of an outline, and places of a brush, are so far apart, of what a mark is meant by. */
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
		: "radius" in shape || shape.points.length > 2;
