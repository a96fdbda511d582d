/** Masks on a picture: grey, with a white rim; what was erased is not there. */
import type { Shape } from "../../../extraction/scan/masks.ts";
import type { Point } from "./fieldDrawing.ts";

type Place = (p: Point) => [number, number];
type Pen = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Width of the rim, pixels. */
const RIM = 1.5;

export function drawMasks(
	ctx: CanvasRenderingContext2D,
	shapes: readonly Shape[],
	place: Place,
): void {
	if (shapes.length === 0) return;
	const inside = layer(ctx, shapes, place, 0, "#888888");
	const rim = layer(ctx, shapes, place, RIM, "#ffffff");
	const pen = rim.getContext("2d");
	if (!pen) return;
	pen.setTransform(1, 0, 0, 1, 0, 0);
	pen.globalCompositeOperation = "destination-out";
	pen.drawImage(inside, 0, 0);
	ctx.save();
	ctx.setTransform(1, 0, 0, 1, 0, 0);
	ctx.drawImage(rim, 0, 0);
	ctx.globalAlpha = 0.55;
	ctx.drawImage(inside, 0, 0);
	ctx.restore();
}

/** All shapes in one colour, one after the other, larger by `more` pixels. */
function layer(
	ctx: CanvasRenderingContext2D,
	shapes: readonly Shape[],
	place: Place,
	more: number,
	colour: string,
): OffscreenCanvas {
	const { width, height } = ctx.canvas;
	const canvas = new OffscreenCanvas(width, height);
	const pen = canvas.getContext("2d");
	if (!pen) return canvas;
	pen.setTransform(ctx.getTransform());
	pen.fillStyle = pen.strokeStyle = colour;
	pen.lineJoin = pen.lineCap = "round";
	for (const shape of shapes) {
		const erased = shape.kind === "eraser";
		pen.globalCompositeOperation = erased ? "destination-out" : "source-over";
		path(pen, shape, place);
		if ("radius" in shape) {
			const [from] = place({ x: 0, y: 0 });
			const [to] = place({ x: 2 * shape.radius, y: 0 });
			pen.lineWidth = Math.max(1, to - from + (erased ? -2 : 2) * more);
			pen.stroke();
		} else {
			pen.fill();
			pen.lineWidth = 2 * more;
			if (more > 0) pen.stroke();
		}
	}
	return canvas;
}

function path(pen: Pen, shape: Shape, place: Place): void {
	pen.beginPath();
	const points = shape.kind === "rectangle" ? corners(shape) : shape.points;
	// A dot is a line to where it began.
	pen.moveTo(...place(points[0]));
	for (const point of points) pen.lineTo(...place(point));
	if (!("radius" in shape)) pen.closePath();
}

const corners = ({
	x,
	y,
	width,
	height,
}: Extract<Shape, { kind: "rectangle" }>) =>
	[
		[-1, -1],
		[1, -1],
		[1, 1],
		[-1, 1],
	].map(([i, j]) => ({ x: x + (i * width) / 2, y: y + (j * height) / 2 }));

/** Where the brush is, and how large. */
export function drawBrush(
	ctx: CanvasRenderingContext2D,
	at: Point,
	radius: number,
	place: Place,
): void {
	const [x, y] = place(at);
	const [right] = place({ x: at.x + radius, y: at.y });
	for (const [colour, width] of [
		["#ffffff", 3],
		["#111111", 1],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = width;
		ctx.beginPath();
		ctx.arc(x, y, right - x, 0, 2 * Math.PI);
		ctx.stroke();
	}
}
