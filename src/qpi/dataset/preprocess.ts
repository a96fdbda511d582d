/** What is done to images before a network or a metric sees them; images are (64, 64), x first. */
import { PIXELS, RESOLUTION } from "./format.ts";

function checkFinite(value: number, image: ArrayLike<number>): void {
	if (!Number.isFinite(value) || image.length === 0)
		throw new RangeError(
			`an image of ${image.length} pixels holds a value that is not finite`,
		);
}

/** The image scaled to [0, 1] by its own minimum and maximum, as the reference does; a constant image becomes zeros. Throws RangeError on NaN. */
export function minMax(image: ArrayLike<number>): Float32Array {
	let low = Number.POSITIVE_INFINITY;
	let high = Number.NEGATIVE_INFINITY;
	let sum = 0; // carries any NaN, which comparisons would pass over
	for (let i = 0; i < image.length; i++) {
		const v = image[i];
		sum += v;
		if (v < low) low = v;
		if (v > high) high = v;
	}
	checkFinite(sum, image);
	const range = high - low || 1;
	return Float32Array.from(image, (v) => (v - low) / range);
}

/** The image less its mean, over its standard deviation, and both numbers; a constant image becomes zeros (std 0). Throws RangeError on NaN. */
export function standardise(image: ArrayLike<number>): {
	image: Float32Array;
	mean: number;
	std: number;
} {
	let mean = 0;
	for (let i = 0; i < image.length; i++) mean += image[i] / image.length;
	checkFinite(mean, image);
	let variance = 0;
	for (let i = 0; i < image.length; i++)
		variance += (image[i] - mean) ** 2 / image.length;
	// Rounding of the mean leaves a constant image with a spread of some 1e-16 of it: that is no signal.
	const spread = Math.sqrt(variance);
	const std = spread > 1e-12 * Math.abs(mean) ? spread : 0;
	return {
		image: Float32Array.from(image, (v) => (std > 0 ? (v - mean) / std : 0)),
		mean,
		std,
	};
}

/** The image over its root mean square, and that number: zero stays at zero. An image of zeros stays as it is (rms 0). Throws RangeError on NaN. */
export function unitRms(image: ArrayLike<number>): {
	image: Float32Array;
	rms: number;
} {
	let square = 0;
	for (let i = 0; i < image.length; i++) square += image[i] ** 2 / image.length;
	checkFinite(square, image);
	const rms = Math.sqrt(square);
	return {
		image: Float32Array.from(image, (v) => (rms > 0 ? v / rms : 0)),
		rms,
	};
}

/**
 * Where the scatterers are, as an image (64, 64), x first.
 *
 * - `paper`: the reference's binary map, `grid[floor((x + 200) / (400/64))][...] = 1`: 64 cells, so up to a pixel off from the image's grid.
 * - `bilinear`: each scatterer has weight 1, shared among the four pixels around it, pixel i being at -200 + i * 400/63 as in the images. Scatterers add up.
 *
 * Scatterers with |x| or |y| above `limit` (Angstrom) are left out. The default is the whole field; the reference stops at 100, which
 * hides from its networks the scatterers near the edges although their waves are in the image: give 100 to do as it does.
 */
export function activationMap(
	scatterers: readonly { readonly x: number; readonly y: number }[],
	kind: "paper" | "bilinear",
	limit = 200,
): Float32Array {
	const map = new Float32Array(PIXELS);
	const last = RESOLUTION - 1;
	for (const { x, y } of scatterers) {
		if (
			!(
				Math.abs(x) <= Math.min(limit, 200) &&
				Math.abs(y) <= Math.min(limit, 200)
			)
		)
			continue;
		if (kind === "paper") {
			const ix = Math.min(last, Math.floor((x + 200) / (400 / RESOLUTION)));
			const iy = Math.min(last, Math.floor((y + 200) / (400 / RESOLUTION)));
			map[ix * RESOLUTION + iy] = 1;
			continue;
		}
		const px = ((x + 200) * last) / 400;
		const py = ((y + 200) * last) / 400;
		// The last cell's start, so that a scatterer on the far edge has a right neighbour of weight one.
		const ix = Math.min(last - 1, Math.floor(px));
		const iy = Math.min(last - 1, Math.floor(py));
		const [fx, fy] = [px - ix, py - iy];
		const at = ix * RESOLUTION + iy;
		map[at] += (1 - fx) * (1 - fy);
		map[at + 1] += (1 - fx) * fy;
		map[at + RESOLUTION] += fx * (1 - fy);
		map[at + RESOLUTION + 1] += fx * fy;
	}
	return map;
}
