/** How many scatterers there are, and how many of them are extracted from. */
import type { Rectangle } from "../../../extraction/scan/resample.ts";
import { byId } from "../basics/dom.ts";
import type { Frame } from "../picture/frame.ts";
import type { Scatterers } from "../picture/scatterers.ts";

/** @param area that is extracted from, in the picture's frame; undefined where nothing is prepared */
export function showMarksCount(
	scatterers: Scatterers,
	frame: Frame,
	area: Rectangle | undefined,
): void {
	const kept = scatterers.list.filter(({ keep }) => keep);
	const outside = area
		? kept.filter((s) => isOutside(frame.toPicture(s), area)).length
		: 0;
	const left = scatterers.list.length - kept.length;
	byId("marks-count").textContent = [
		`${kept.length - outside} used`,
		outside && `${outside} outside the image`,
		left && `${left} left out`,
	]
		.filter(Boolean)
		.join(", ");
}

/** Whether a scatterer lies outside of the rectangle that is extracted from. */
const isOutside = (
	{ x, y }: { readonly x: number; readonly y: number },
	area: Rectangle,
): boolean =>
	Math.abs(x - area.x) > area.width / 2 ||
	Math.abs(y - area.y) > area.height / 2;
