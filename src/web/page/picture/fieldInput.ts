/** Pointer, wheel and keys on a view. */
import type { Point } from "./fieldDrawing.ts";
import type { Link } from "./link.ts";

export interface Drag {
	/** Without it the drag moves the view. */
	move?(to: Point): void;
	/** @param dragged whether it moved further than a click may; @param inside whether it ended inside of the field */
	up(to: Point, dragged: boolean, inside: boolean): void;
	/** The browser has taken the pointer for something else: all is as before. */
	cancel(): void;
}

/** What the pointer does in a view, in the field's own coordinates; a view without tools is moved by it. */
export interface Tool {
	/** What a drag from here does; nothing moves the view instead. */
	down(at: Point, reach: number, shift: boolean): Drag | null;
	double?(at: Point, reach: number): void;
	/**
	 * What a key does; false where it means nothing.
	 * @param at the middle of what is shown, or the pointer's place
	 * @param pixel the field's units a pixel of the screen
	 */
	key?(event: KeyboardEvent, at: Point, pixel: number): boolean;
	/** Draws over the image; `place` gives canvas pixels, `room` where the image ends. */
	paint(
		ctx: CanvasRenderingContext2D,
		place: (p: Point) => [number, number],
		room: { readonly right: number; readonly top: number },
	): void;
}

/** What is listened for: a FieldView. */
interface Target {
	readonly tool: Tool | null;
	/** Whether it shows anything. */
	readonly filled: boolean;
	/** The place under the pointer, and how much a pixel of the screen is there. */
	under(at: { readonly clientX: number; readonly clientY: number }): {
		readonly at: Point;
		readonly inside: boolean;
		readonly pixel: number;
	};
	middle(): Point;
	/** The middle of what is shown, and how much a pixel of the screen is. */
	centre(): { readonly at: Point; readonly pixel: number };
	/** 0 shows all. */
	zoom(factor: number, about?: Point): void;
	pan(x: number, y: number): void;
}

/** Pixels that a press may move and still be a click. */
const STILL = 4;
/** Pixels from a mark that still mean it. */
const REACH = 12;

export function listen(
	view: Target,
	canvas: HTMLCanvasElement,
	link: Link,
): void {
	canvas.addEventListener("pointermove", (event) => {
		if (!view.filled) return;
		const { at, inside } = view.under(event);
		const middle = view.middle();
		link.cursor = inside ? { x: at.x - middle.x, y: at.y - middle.y } : null;
		link.changed();
	});
	canvas.addEventListener("pointerleave", () => {
		link.cursor = null;
		link.changed();
	});
	const fingers = new Map<number, PointerEvent>();
	let giveUp: (() => void) | undefined;
	canvas.addEventListener("pointerdown", (event) => {
		if (event.pointerType === "touch") fingers.set(event.pointerId, event);
		if (fingers.size < 2) giveUp = press(view, canvas, event);
		else {
			// A second finger means no second mark.
			giveUp?.();
			canvas.setPointerCapture(event.pointerId);
		}
	});
	canvas.addEventListener("pointermove", (event) => {
		if (fingers.size === 2 && fingers.has(event.pointerId))
			pinch(view, fingers, event);
	});
	for (const type of ["pointerup", "pointercancel"] as const)
		canvas.addEventListener(type, ({ pointerId }) => fingers.delete(pointerId));
	canvas.addEventListener("dblclick", (event) => {
		if (!view.filled) return;
		const { at, inside, pixel } = view.under(event);
		if (inside && view.tool?.double) view.tool.double(at, REACH * pixel);
		else if (!view.tool) {
			link.part = null;
			link.changed();
		}
	});
	canvas.addEventListener(
		"wheel",
		(event) => {
			// A page that scrolls must not stop at every picture: the wheel zooms where the picture has been clicked, or with Ctrl.
			if (!view.filled || !(document.activeElement === canvas || event.ctrlKey))
				return;
			event.preventDefault();
			view.zoom(Math.exp(-event.deltaY / 400), view.under(event).at);
		},
		{ passive: false },
	);
	canvas.addEventListener("keydown", (event) => {
		if (!view.filled || event.ctrlKey || event.metaKey || event.altKey) return;
		const { at, pixel } = view.centre();
		const { cursor } = link;
		const middle = view.middle();
		const place = cursor
			? { x: cursor.x + middle.x, y: cursor.y + middle.y }
			: at;
		if (view.tool?.key?.(event, place, pixel)) {
			event.preventDefault();
			return;
		}
		const step = (link.part?.half ?? 0) / 4;
		const keys: Record<string, () => void> = {
			"+": () => view.zoom(1.5),
			"=": () => view.zoom(1.5),
			"-": () => view.zoom(1 / 1.5),
			"0": () => view.zoom(0),
			ArrowLeft: () => view.pan(-step, 0),
			ArrowRight: () => view.pan(step, 0),
			ArrowUp: () => view.pan(0, step),
			ArrowDown: () => view.pan(0, -step),
		};
		const key = keys[event.key];
		if (!key) return;
		// Arrows scroll the page where there is nothing to move.
		if (event.key.startsWith("Arrow") && step === 0) return;
		event.preventDefault();
		key();
	});
}

/** Two fingers: what was between them stays there. */
function pinch(
	view: Target,
	fingers: Map<number, PointerEvent>,
	event: PointerEvent,
): void {
	if (!view.filled) return;
	const at = () => {
		const [a, b] = [...fingers.values()];
		return {
			clientX: (a.clientX + b.clientX) / 2,
			clientY: (a.clientY + b.clientY) / 2,
			apart: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
		};
	};
	const before = at();
	fingers.set(event.pointerId, event);
	const now = at();
	const { pixel } = view.centre();
	if (before.apart > 0) view.zoom(now.apart / before.apart, view.under(now).at);
	view.pan(
		(before.clientX - now.clientX) * pixel,
		(now.clientY - before.clientY) * pixel,
	);
}

/** @returns what ends it as if nothing had been done */
function press(
	view: Target,
	canvas: HTMLCanvasElement,
	event: PointerEvent,
): (() => void) | undefined {
	if (!view.filled || event.button !== 0 || !event.isPrimary) return;
	const { at, inside, pixel } = view.under(event);
	if (!inside) return;
	const drag = view.tool?.down(at, REACH * pixel, event.shiftKey) ?? null;
	canvas.setPointerCapture(event.pointerId);
	const [startX, startY] = [event.clientX, event.clientY];
	let last = event;
	let dragged = false;
	const move = (next: PointerEvent) => {
		if (next.pointerId !== event.pointerId) return;
		dragged ||=
			Math.hypot(next.clientX - startX, next.clientY - startY) > STILL;
		if (drag?.move) {
			if (dragged) drag.move(view.under(next).at);
		} else if (dragged)
			view.pan(
				(last.clientX - next.clientX) * pixel,
				(next.clientY - last.clientY) * pixel,
			);
		last = next;
	};
	const leave = () => {
		canvas.removeEventListener("pointermove", move);
		canvas.removeEventListener("pointerup", end);
		canvas.removeEventListener("pointercancel", end);
	};
	const end = (next: PointerEvent) => {
		if (next.pointerId !== event.pointerId) return;
		leave();
		const { at, inside } = view.under(next);
		if (next.type === "pointerup") drag?.up(at, dragged, inside);
		else drag?.cancel();
	};
	canvas.addEventListener("pointermove", move);
	canvas.addEventListener("pointerup", end);
	canvas.addEventListener("pointercancel", end);
	return () => {
		leave();
		drag?.cancel();
	};
}
