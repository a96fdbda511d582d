/** Pictures to PNG in a worker. */
import {
	type NewCanvas,
	PAPER,
	type Picture,
	setPalette,
} from "../drawing/picture.ts";

/** PNG of a picture on its ground, two pixels for each of its own. */
export async function render(
	picture: Picture,
	palette = PAPER,
): Promise<Uint8Array<ArrayBuffer>> {
	const newCanvas = ((width: number, height: number) =>
		new OffscreenCanvas(width, height)) as unknown as NewCanvas;
	const canvas = new OffscreenCanvas(
		Math.ceil(2 * picture.width),
		Math.ceil(2 * picture.height),
	);
	const ctx = canvas.getContext("2d") as unknown as CanvasRenderingContext2D;
	setPalette(ctx, palette);
	ctx.scale(2, 2);
	picture.draw(ctx, newCanvas);
	const blob = await canvas.convertToBlob({ type: "image/png" });
	return new Uint8Array(await blob.arrayBuffer());
}
