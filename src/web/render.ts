/** Pictures to PNG in a worker. */
import type { NewCanvas, Picture } from "../drawing/picture.ts";

/** PNG of a picture on white, two pixels for each of its own. */
export async function render(
	picture: Picture,
): Promise<Uint8Array<ArrayBuffer>> {
	const newCanvas = ((width: number, height: number) =>
		new OffscreenCanvas(width, height)) as unknown as NewCanvas;
	const canvas = new OffscreenCanvas(
		Math.ceil(2 * picture.width),
		Math.ceil(2 * picture.height),
	);
	const ctx = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
	ctx.fillStyle = "#ffffff";
	ctx.fillRect(0, 0, canvas.width, canvas.height);
	ctx.scale(2, 2);
	picture.draw(ctx as unknown as CanvasRenderingContext2D, newCanvas);
	const blob = await canvas.convertToBlob({ type: "image/png" });
	return new Uint8Array(await blob.arrayBuffer());
}
