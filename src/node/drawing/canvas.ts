/** Pictures to PNG under Node, by Skia (@napi-rs/canvas). A bare machine has no fonts, so the font comes from npm, too. */
import { createRequire } from "node:module";
import type { NewCanvas, Picture } from "../../drawing/picture.ts";
import { MachineError } from "../device/adapter.ts";
import { encodePng } from "./png.ts";

type Skia = typeof import("@napi-rs/canvas");

let skia: Skia | undefined;

/** Loaded only when something is drawn, so that commands that draw nothing also run where Skia does not. Throws a MachineError where it cannot be loaded. */
function loadSkia(): Skia {
	if (skia) return skia;
	const require = createRequire(import.meta.url);
	try {
		const loaded: Skia = require("@napi-rs/canvas");
		for (const file of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"])
			loaded.GlobalFonts.registerFromPath(
				require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
				"DejaVu Sans",
			);
		skia = loaded;
		return loaded;
	} catch (error) {
		throw new MachineError(
			`pictures cannot be drawn: the package @napi-rs/canvas does not load here (${(error as Error).message})`,
		);
	}
}

/** Skia's canvas has all that the pictures use of the DOM's. */
const newCanvas = ((width: number, height: number) =>
	loadSkia().createCanvas(width, height)) as unknown as NewCanvas;

/** PNG bytes of a picture on white, `scale` pixels for each of its own. */
export function renderPng(picture: Picture, scale = 2): Uint8Array {
	const canvas = loadSkia().createCanvas(
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
