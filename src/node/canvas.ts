/** Pictures to PNG under Node, by Skia (@napi-rs/canvas). A bare machine has no fonts, so the text's own comes along from npm. */
import { createRequire } from "node:module";
import { createCanvas, GlobalFonts } from "@napi-rs/canvas";
import type { NewCanvas, Picture } from "../report/picture.ts";
import { encodePng } from "./png.ts";

const require = createRequire(import.meta.url);
for (const file of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"])
	GlobalFonts.registerFromPath(
		require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
		"DejaVu Sans",
	);

/** Skia's canvas has all that the pictures use of the DOM's. */
const newCanvas = ((width: number, height: number) =>
	createCanvas(width, height)) as unknown as NewCanvas;

/** PNG bytes of a picture on white, `scale` pixels for each of its own. */
export function renderPng(picture: Picture, scale = 2): Uint8Array {
	const canvas = createCanvas(
		Math.ceil(picture.width * scale),
		Math.ceil(picture.height * scale),
	);
	const ctx = canvas.getContext("2d");
	ctx.fillStyle = "#ffffff";
	ctx.fillRect(0, 0, canvas.width, canvas.height);
	ctx.scale(scale, scale);
	picture.draw(ctx as unknown as CanvasRenderingContext2D, newCanvas);
	const { data } = ctx.getImageData(0, 0, canvas.width, canvas.height);
	return encodePng(data, canvas.width, canvas.height);
}
