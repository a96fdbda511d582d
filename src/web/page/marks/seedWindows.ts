/** Squares that show one scatterer of a kind each, for a search to start from: typed, and seen on the picture. */
import { seedWindowOf } from "../../../extraction/results/analysisText.ts";
import type { FindOptions } from "../../../extraction/results/findScatterers.ts";
import { input } from "../basics/dom.ts";
import type { PictureView } from "../picture/pictureView.ts";

/** Undefined where there are none, or what is typed cannot be read: the field says so. */
export function seedWindows(): FindOptions["seeds"] {
	const field = input("seed-windows");
	field.setCustomValidity("");
	const parts = field.value.split(";").filter((part) => part.trim() !== "");
	try {
		return parts.length > 0 ? parts.map(seedWindowOf) : undefined;
	} catch (error) {
		field.setCustomValidity((error as Error).message);
		return undefined;
	}
}

export function showSeedWindows(picture: PictureView): void {
	const field = input("seed-windows");
	field.addEventListener("input", () => picture.changed());
	field.addEventListener("change", () => field.reportValidity());
	picture.overlayInScan((ctx, place) => {
		for (const { x, y, size } of seedWindows() ?? []) {
			const [left, top] = place({ x: x - size / 2, y: y + size / 2 });
			const [right, bottom] = place({ x: x + size / 2, y: y - size / 2 });
			for (const [colour, pen, dash] of [
				["#ffffff", 4, []],
				["#a03c00", 2, [6, 4]],
			] as const) {
				ctx.strokeStyle = colour;
				ctx.lineWidth = pen;
				ctx.setLineDash([...dash]);
				ctx.strokeRect(left, top, right - left, bottom - top);
			}
			ctx.setLineDash([]);
		}
	});
}
