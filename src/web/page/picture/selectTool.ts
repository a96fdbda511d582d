/** Many scatterers at once: those in a rectangle. */
import { edgesOf, outlinePath } from "./cropTool.ts";
import type { Point } from "./fieldDrawing.ts";
import type { Tool } from "./fieldInput.ts";
import type { Scatterers } from "./scatterers.ts";

/** Drag a rectangle about them, with Shift to those that are selected already; click where there is none to select nothing. */
export function selectTool(scatterers: Scatterers, redraw: () => void): Tool {
	let drawn: [Point, Point] | null = null;
	return {
		down: (from, _, add) => ({
			move(to) {
				drawn = [from, to];
				redraw();
			},
			up(to, dragged) {
				drawn = null;
				const [x, y] = [
					[from.x, to.x].sort((a, b) => a - b),
					[from.y, to.y].sort((a, b) => a - b),
				];
				const inside = scatterers.list.flatMap((s, i) =>
					dragged && s.x >= x[0] && s.x <= x[1] && s.y >= y[0] && s.y <= y[1]
						? [i]
						: [],
				);
				scatterers.selectOnly(
					add ? [...scatterers.selected, ...inside] : inside,
				);
				redraw();
			},
			cancel() {
				drawn = null;
				redraw();
			},
		}),
		paint(ctx, place) {
			if (!drawn) return;
			const [a, b] = drawn;
			outlinePath(
				ctx,
				place,
				edgesOf({
					x: (a.x + b.x) / 2,
					y: (a.y + b.y) / 2,
					width: Math.abs(a.x - b.x),
					height: Math.abs(a.y - b.y),
				}),
			);
		},
	};
}
