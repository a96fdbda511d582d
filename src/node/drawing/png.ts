/**
 * PNG with a palette (ISO/IEC 15948), for pictures made of one colour scale and some text. The canvas library's own encoder knows only 32-bit
 * pixels at a fixed compression: its files are two and a half times as large.
 */
import { crc32, deflateSync } from "node:zlib";
import { minOf } from "../../qpi/maths/extremes.ts";

/**
 * Opaque RGBA pixels, row by row, to a PNG of the 256 most frequent colours. A rarer one (the smoothed edge of a letter over an image)
 * takes the nearest of them; a picture of no more colours than that loses nothing.
 */
export function encodePng(
	rgba: Uint8ClampedArray,
	width: number,
	height: number,
): Uint8Array<ArrayBuffer> {
	const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, width * height);
	const counts = new Map<number, number>();
	// Run by run: most of a picture is ground.
	for (let from = 0, to = 0; from < pixels.length; from = to) {
		const pixel = pixels[from];
		while (to < pixels.length && pixels[to] === pixel) to++;
		counts.set(pixel, (counts.get(pixel) ?? 0) + to - from);
	}
	const colours = [...counts].sort((a, b) => b[1] - a[1]).map(([c]) => c);
	const palette = colours.slice(0, 256);
	const indices = new Map(colours.map((c, i) => [c, i]));
	for (const colour of colours.slice(256))
		indices.set(colour, nearest(palette, colour));

	const rows = new Uint8Array((width + 1) * height);
	let [last, index] = [pixels[0], indices.get(pixels[0]) ?? 0];
	for (let y = 0, from = 0, to = 0; y < height; y++) {
		to++; // Filter 0: palette indices are not smooth.
		for (let x = 0; x < width; x++) {
			const pixel = pixels[from++];
			if (pixel !== last) [last, index] = [pixel, indices.get(pixel) ?? 0];
			rows[to++] = index;
		}
	}
	const header = new Uint8Array(13);
	const view = new DataView(header.buffer);
	view.setUint32(0, width);
	view.setUint32(4, height);
	header.set([8, 3], 8); // 8 bits, palette
	return concatenate([
		Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
		chunk("IHDR", header),
		chunk("PLTE", Uint8Array.from(palette.flatMap(channels))),
		chunk("IDAT", deflateSync(rows, { level: 9 })),
		chunk("IEND", new Uint8Array()),
	]);
}

/** Red, green and blue of a pixel read as a little-endian number. */
const channels = (pixel: number) => [0, 8, 16].map((s) => (pixel >>> s) & 255);

function nearest(palette: readonly number[], colour: number): number {
	const wanted = channels(colour);
	const distances = palette.map((c) =>
		channels(c).reduce((sum, v, i) => sum + (v - wanted[i]) ** 2, 0),
	);
	return distances.indexOf(minOf(distances));
}

function chunk(type: string, data: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(data.length + 12);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, data.length);
	bytes.set(new TextEncoder().encode(type), 4);
	bytes.set(data, 8);
	view.setUint32(data.length + 8, crc32(bytes.subarray(4, -4)));
	return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}
