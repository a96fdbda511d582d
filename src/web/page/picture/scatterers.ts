/** The list of scatterers as people edit it: on the picture, in the table, and back again. */

import { kindColour } from "../../../drawing/colour.ts";
import type { BlindTurn } from "../../../extraction/blind/blind.ts";
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import { maxOf } from "../../../qpi/maths/extremes.ts";
import type { Undoable } from "../basics/history.ts";
import type { Point } from "./fieldDrawing.ts";
import type { Tool } from "./fieldInput.ts";

/** A list, and whether it is as it was found. */
interface Marked {
	readonly list: readonly DetectedScatterer[];
	asFound: boolean;
}

export class Scatterers implements Undoable {
	/** Scan frame, Angstrom. */
	list: readonly DetectedScatterer[] = [];
	/** Whether they are as they were found: extraction then says so, and needs no list. */
	asFound = false;
	/** Of the list, marked in picture and table. */
	chosen = -1;
	/** Of the list, what becomes a new kind. */
	readonly selected = new Set<number>();
	/** What a search has found so far, shown but not part of the list. */
	growing: NonNullable<BlindTurn["marks"]> = [];
	readonly #before: Marked[] = [];
	readonly #after: Marked[] = [];
	readonly #changed: () => void;
	/** Told of each edit that can be undone. */
	onEdit: () => void = () => {};

	constructor(changed: () => void) {
		this.#changed = changed;
	}

	get canUndo(): boolean {
		return this.#before.length > 0;
	}

	get canRedo(): boolean {
		return this.#after.length > 0;
	}

	/** Takes another list; it can be undone. */
	replace(list: readonly DetectedScatterer[], asFound = false): void {
		this.#before.push({ list: this.list, asFound: this.asFound });
		this.#after.length = 0;
		this.onEdit();
		this.#set(list, asFound);
	}

	/** A list for another image: nothing of before comes back. */
	reset(list: readonly DetectedScatterer[] = [], asFound = false): void {
		this.#before.length = 0;
		this.#after.length = 0;
		this.#set(list, asFound);
	}

	undo(): void {
		this.#go(this.#before, this.#after);
	}

	redo(): void {
		this.#go(this.#after, this.#before);
	}

	#go(from: Marked[], to: Marked[]): void {
		const next = from.pop();
		if (!next) return;
		to.push({ list: this.list, asFound: this.asFound });
		this.#set(next.list, next.asFound);
	}

	/** Other settings would find others: no list of before counts as found any more. */
	settle(): void {
		for (const marked of [...this.#before, ...this.#after])
			marked.asFound = false;
	}

	add({ x, y }: Point): void {
		const usual = { weight: 1, quality: 1, keep: true, kind: 1 };
		this.replace([...this.list, { x, y, ...usual }]);
		this.choose(this.list.length - 1);
	}

	remove(index: number): void {
		this.replace(this.list.filter((_, i) => i !== index));
	}

	change(index: number, change: Partial<DetectedScatterer>): void {
		// What was found of its amplitude and place holds for those that were found.
		const stale =
			"keep" in change ? {} : { significance: undefined, errors: undefined };
		this.replace(
			this.list.map((s, i) =>
				i === index ? { ...s, ...stale, ...change } : s,
			),
		);
		this.choose(index);
	}

	/** Numbers of the kinds there are. */
	get kinds(): readonly number[] {
		return [...new Set(this.list.map(({ kind }) => kind))].sort(
			(a, b) => a - b,
		);
	}

	changeAll(
		which: (scatterer: DetectedScatterer, index: number) => boolean,
		change: Pick<Partial<DetectedScatterer>, "keep" | "kind">,
	): void {
		this.replace(
			this.list.map((s, i) => (which(s, i) ? { ...s, ...change } : s)),
		);
	}

	/** Those selected become a new kind. */
	split(): void {
		const selected = new Set(this.selected);
		this.selected.clear();
		this.changeAll((_, i) => selected.has(i), {
			kind: maxOf(this.kinds) + 1,
		});
	}

	select(index: number, is = !this.selected.has(index)): void {
		if (is) this.selected.add(index);
		else this.selected.delete(index);
		this.#changed();
	}

	selectOnly(indices: readonly number[]): void {
		this.selected.clear();
		for (const index of indices) this.selected.add(index);
		this.#changed();
	}

	removeSelected(): void {
		this.replace(this.list.filter((_, i) => !this.selected.has(i)));
	}

	choose(index: number): void {
		this.chosen = index;
		this.#changed();
	}

	#set(list: readonly DetectedScatterer[], asFound: boolean): void {
		if (list.length !== this.list.length) this.selected.clear();
		this.list = list;
		this.asFound = asFound;
		this.chosen = -1;
		this.#changed();
	}
}

/** Click to add, drag to move, double-click to remove, click with Shift to select. */
export function markTool(
	scatterers: Scatterers,
	redraw: () => void,
	fixed: () => boolean,
): Tool {
	let dragged: { index: number; to: Point } | null = null;
	const near = (at: Point, reach: number): number => {
		let [best, found] = [reach, -1];
		scatterers.list.forEach(({ x, y }, i) => {
			const distance = Math.hypot(x - at.x, y - at.y);
			if (distance <= best) [best, found] = [distance, i];
		});
		return found;
	};
	return {
		down(at, reach, shift) {
			if (fixed()) return null;
			const index = near(at, reach);
			// A drag from where no mark is moves the picture.
			const move = (to: Point) => {
				dragged = { index, to };
				redraw();
			};
			return {
				move: index < 0 ? undefined : move,
				up(to, moved, inside) {
					dragged = null;
					// The list may have become another one meanwhile.
					if (index >= scatterers.list.length) return redraw();
					if (index >= 0 && moved && inside) scatterers.change(index, to);
					else if (moved) redraw();
					else if (index >= 0 && shift) scatterers.select(index);
					else if (index >= 0) scatterers.choose(index);
					else if (!moved) scatterers.add(at);
				},
				cancel() {
					dragged = null;
					redraw();
				},
			};
		},
		key(event, at, pixel) {
			if (fixed()) return false;
			const { list, chosen } = scatterers;
			const steps: Record<string, readonly [number, number]> = {
				ArrowLeft: [-1, 0],
				ArrowRight: [1, 0],
				ArrowUp: [0, 1],
				ArrowDown: [0, -1],
			};
			const step = steps[event.key];
			const go = (by: number) =>
				scatterers.choose((chosen + by + list.length) % list.length);
			if (event.key === "Enter") scatterers.add(tenths(at));
			else if (event.key === "]" && list.length > 0) go(1);
			else if (event.key === "[" && list.length > 0) go(chosen < 0 ? 0 : -1);
			else if (chosen < 0) return false;
			else if (event.key === "Escape") scatterers.choose(-1);
			else if (event.key === " ") scatterers.select(chosen);
			else if (event.key === "Delete" || event.key === "Backspace")
				scatterers.remove(chosen);
			else if (step) {
				const by = pixel * (event.shiftKey ? 10 : 1);
				const { x, y } = list[chosen];
				const to = { x: x + by * step[0], y: y + by * step[1] };
				scatterers.change(chosen, to);
			} else return false;
			return true;
		},
		double(at, reach) {
			if (fixed()) return;
			const index = near(at, reach);
			if (index >= 0) scatterers.remove(index);
		},
		paint(ctx, place, room) {
			scatterers.list.forEach((scatterer, i) => {
				const at = dragged?.index === i ? dragged.to : scatterer;
				const about = {
					...scatterer,
					chosen: scatterers.chosen === i,
					selected: scatterers.selected.has(i),
				};
				mark(ctx, place(at), String(i + 1), about, room);
			});
			for (const { kind, ...at } of scatterers.growing)
				mark(ctx, place(at), "", { kind, keep: true }, room);
		},
	};
}

/** What a key can say of a place, Angstrom. */
const tenths = ({ x, y }: Point): Point => ({
	x: Number(x.toFixed(1)),
	y: Number(y.toFixed(1)),
});

/** A ring, or a cross where it is left out, with a white rim so that it is seen on every ground. */
function mark(
	ctx: CanvasRenderingContext2D,
	[x, y]: readonly [number, number],
	label: string,
	about: { kind: number; keep: boolean; chosen?: boolean; selected?: boolean },
	room: { readonly right: number; readonly top: number },
): void {
	const { kind, keep, chosen, selected } = about;
	const own = keep ? kindColour(kind) : "#666666";
	for (const [colour, pen] of [
		["#ffffff", 4],
		[chosen ? "#b35900" : own, chosen || selected ? 2.5 : 1.5],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = pen;
		ctx.beginPath();
		if (keep) ctx.arc(x, y, 7, 0, 2 * Math.PI);
		else
			for (const sign of [-1, 1]) {
				ctx.moveTo(x - 5, y - 5 * sign);
				ctx.lineTo(x + 5, y + 5 * sign);
			}
		ctx.stroke();
		if (selected) ctx.strokeRect(x - 11, y - 11, 22, 22);
	}
	ctx.font = "11px system-ui, sans-serif";
	// Where there is no room to the right or above, it stands on the other side.
	const { right, top } = room;
	const atRight = x + 9 + ctx.measureText(label).width <= right;
	ctx.textAlign = atRight ? "left" : "right";
	const [tx, ty] = [x + (atRight ? 9 : -9), y - 16 < top ? y + 14 : y - 6];
	ctx.lineJoin = "round";
	ctx.strokeStyle = "#ffffff";
	ctx.lineWidth = 3;
	ctx.strokeText(label, tx, ty);
	ctx.fillStyle = "#111111";
	ctx.fillText(label, tx, ty);
}
