/** How sure each mark is, in colours about it: its amplitude over that amplitude's standard deviation. */
import { putColour, sequential } from "../../../drawing/colour.ts";
import { byId } from "../basics/dom.ts";
import type { ShownItem } from "../worker/extractTypes.ts";
import { type Point, paintBitmap } from "./fieldDrawing.ts";

/** Colours go from 0 to this or to the surest, whichever is more: below three or so there is nothing. */
const LEAST = 10;
const RADIUS = 11;

/** The marks that say it. */
const known = ({ marks = [] }: ShownItem) =>
	marks.flatMap(({ significance: sigma, ...mark }) =>
		sigma === undefined ? [] : [{ ...mark, sigma }],
	);

const top = (item: ShownItem) =>
	known(item).reduce((most, { sigma }) => Math.max(most, sigma), LEAST);

function colour(part: number): string {
	const rgba = new Uint8ClampedArray(4);
	putColour(rgba, 0, sequential, part);
	return `rgb(${rgba[0]}, ${rgba[1]}, ${rgba[2]})`;
}

/** Rings about the marks, and crosses on those with nothing like the kernel; with `missed`, diamonds at what nobody marked. */
export function paintSure(
	ctx: CanvasRenderingContext2D,
	place: (p: Point) => [number, number],
	item: ShownItem,
	missed: boolean,
): void {
	const most = top(item);
	for (const mark of known(item)) {
		const [x, y] = place(mark);
		for (const [style, pen] of [
			["#111111", 6],
			[colour(mark.sigma / most), 4],
		] as const) {
			ctx.strokeStyle = style;
			ctx.lineWidth = pen;
			ctx.beginPath();
			ctx.arc(x, y, RADIUS, 0, 2 * Math.PI);
			ctx.stroke();
		}
		if (mark.empty) crossed(ctx, x, y);
	}
	if (!missed) return;
	for (const at of item.missed ?? []) {
		const [x, y] = place(at);
		for (const [style, pen] of [
			["#ffffff", 4],
			["#b3005e", 2],
		] as const) {
			ctx.strokeStyle = style;
			ctx.lineWidth = pen;
			ctx.beginPath();
			ctx.moveTo(x, y - RADIUS);
			ctx.lineTo(x + RADIUS, y);
			ctx.lineTo(x, y + RADIUS);
			ctx.lineTo(x - RADIUS, y);
			ctx.closePath();
			ctx.stroke();
		}
	}
}

function crossed(ctx: CanvasRenderingContext2D, x: number, y: number): void {
	for (const [style, pen] of [
		["#ffffff", 4],
		["#d00000", 2],
	] as const) {
		ctx.strokeStyle = style;
		ctx.lineWidth = pen;
		ctx.beginPath();
		for (const sign of [-1, 1]) {
			ctx.moveTo(x - RADIUS, y - sign * RADIUS);
			ctx.lineTo(x + RADIUS, y + sign * RADIUS);
		}
		ctx.stroke();
	}
}

/** The scale of those colours, and what else is drawn; nothing where it is not shown. */
export function showScale(item: ShownItem | undefined): void {
	byId("sure-scale").hidden = !item;
	if (!item) return;
	const marks = known(item);
	const canvas = byId<HTMLCanvasElement>("sure-bar");
	canvas.hidden = marks.length === 0;
	const bar = paintBitmap(127, 1, (i, _, data, at) => {
		putColour(data, at, sequential, i / 126);
	});
	canvas.getContext("2d")?.drawImage(bar, 0, 0, canvas.width, canvas.height);
	byId("sure-most").textContent = marks.length ? top(item).toFixed(0) : "";
	const empty = marks.filter((mark) => mark.empty).length;
	const { length: missed } = item.missed ?? [];
	byId("sure-told").textContent =
		marks.length === 0
			? "This method says nothing of single marks: refined and ridge do."
			: [
					"standard deviations: a mark's amplitude over its error, in the last extraction",
					empty && `${empty} with nothing like the kernel (red cross)`,
					missed &&
						`${missed} like the kernel and not marked (diamonds on the residual)`,
				]
					.filter(Boolean)
					.join("; ");
}
