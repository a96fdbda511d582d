/** From a scan of any size to the 64 x 64 pixels that extraction works on: windowed sincs at exact places. */
import { mirror, type Scan } from "./scan.ts";

/** Pixels along the side of the images that extraction works on. */
export const SIDE = 64;

/** A square in the scan frame: centre and side, Angstrom. Its 64 pixels a side lie at centre + (i - 31.5) * size / 64. */
export interface Square {
	readonly x: number;
	readonly y: number;
	readonly size: number;
}

/** Half the length of the sinc, in pixels of the coarser grid: passes 0.9 of the Nyquist frequency and below, stops 1.1 of it and above. */
const REACH = 20;

/** Indices (mirrored at the edges) and weights, adding up to 1, of the inputs that make each of the 64 outputs along one axis. */
function taps(n: number, spacing: number, centre: number, size: number) {
	const step = size / SIDE / spacing;
	const scale = Math.max(1, step);
	const reach = REACH * scale;
	return Array.from({ length: SIDE }, (_, i) => {
		const at = centre / spacing + (n - 1) / 2 + (i - (SIDE - 1) / 2) * step;
		const first = Math.ceil(at - reach);
		const count = Math.floor(at + reach) - first + 1;
		const weights = Float64Array.from({ length: count }, (_, k) => {
			const d = (Math.PI * (first + k - at)) / scale;
			const sinc = Math.abs(d) < 1e-9 ? 1 : Math.sin(d) / d;
			return sinc * Math.cos(d / (2 * REACH)) ** 2; // a Hann window
		});
		const total = weights.reduce((sum, w) => sum + w, 0);
		return {
			indices: Int32Array.from(weights, (_, k) => mirror(first + k, n)),
			weights: weights.map((w) => w / total),
		};
	});
}

/** The scan's first pixel under the square's, when all 64 x 64 coincide with pixels of the scan. */
function coincides({ nx, ny, spacing }: Scan, square: Square) {
	const close = (a: number, b: number) => Math.abs(a - b) < 1e-6;
	const starts = [
		[nx, spacing.x, square.x],
		[ny, spacing.y, square.y],
	].map(([n, dx, centre]) => {
		const start = centre / dx + n / 2 - SIDE / 2;
		const whole = Math.round(start);
		return close(square.size / SIDE / dx, 1) &&
			close(start, whole) &&
			whole >= 0 &&
			whole + SIDE <= n
			? whole
			: -1;
	});
	return starts.every((s) => s >= 0) ? starts : undefined;
}

/**
 * The 64 x 64 pixels of a square of the scan, low-passed at the coarser grid's Nyquist frequency (along each axis), exact for what is below it and far from the
 * scan's edges, where the image is continued as its mirror image. Pixels that coincide with the scan's are copied, bit for bit. No value may be NaN (see `fill`).
 */
export function resample(scan: Scan, square: Square): Float32Array {
	const { image, nx, ny, spacing } = scan;
	const start = coincides(scan, square);
	if (start)
		return Float32Array.from(
			{ length: SIDE * SIDE },
			(_, p) =>
				image[(start[0] + Math.floor(p / SIDE)) * ny + start[1] + (p % SIDE)],
		);
	const half = new Float64Array(SIDE * ny);
	taps(nx, spacing.x, square.x, square.size).forEach(
		({ indices, weights }, i) => {
			indices.forEach((ix, k) => {
				const w = weights[k];
				for (let iy = 0; iy < ny; iy++)
					half[i * ny + iy] += w * image[ix * ny + iy];
			});
		},
	);
	const along = taps(ny, spacing.y, square.y, square.size);
	return Float32Array.from({ length: SIDE * SIDE }, (_, p) => {
		const { indices, weights } = along[p % SIDE];
		const row = Math.floor(p / SIDE) * ny;
		let sum = 0;
		for (let k = 0; k < weights.length; k++)
			sum += weights[k] * half[row + indices[k]];
		return sum;
	});
}

/** The share of each of the square's 64 x 64 pixels that was measured: the mean of `valid` over its area. */
export function coverage(
	{ nx, ny, spacing }: Scan,
	valid: ArrayLike<number>,
	square: Square,
): Float32Array {
	const shares = (n: number, dx: number, centre: number) => {
		const step = square.size / SIDE / dx;
		return Array.from({ length: SIDE }, (_, i) => {
			const low = centre / dx + n / 2 + (i - SIDE / 2) * step;
			const found: { index: number; weight: number }[] = [];
			// Rounding must not make a sliver of the next pixel count.
			for (let k = Math.floor(low + 1e-6); k < low + step - 1e-6; k++) {
				const weight = (Math.min(low + step, k + 1) - Math.max(low, k)) / step;
				found.push({ index: mirror(k, n), weight });
			}
			const total = found.reduce((sum, { weight }) => sum + weight, 0);
			return found.map(({ index, weight }) => ({
				index,
				weight: weight / total,
			}));
		});
	};
	const across = shares(nx, spacing.x, square.x);
	const along = shares(ny, spacing.y, square.y);
	return Float32Array.from({ length: SIDE * SIDE }, (_, p) => {
		let sum = 0;
		for (const x of across[Math.floor(p / SIDE)])
			for (const y of along[p % SIDE])
				sum += x.weight * y.weight * valid[x.index * ny + y.index];
		return Math.min(1, sum);
	});
}

/** The scan's pixels inside a square, and where their own centre lies (up to half a pixel off the square's), Angstrom. */
export function crop(
	scan: Scan,
	square: Square,
): Scan & { readonly centre: { readonly x: number; readonly y: number } } {
	const { image, nx, ny, spacing } = scan;
	const range = (n: number, dx: number, centre: number) => {
		const middle = centre / dx + n / 2;
		const from = Math.max(0, Math.round(middle - square.size / dx / 2));
		const to = Math.min(n, Math.round(middle + square.size / dx / 2));
		return { from, to, centre: ((from + to - n) / 2) * dx };
	};
	const x = range(nx, spacing.x, square.x);
	const y = range(ny, spacing.y, square.y);
	const [width, height] = [x.to - x.from, y.to - y.from];
	const out = new Float32Array(width * height);
	for (let i = 0; i < width; i++) {
		const start = (x.from + i) * ny;
		out.set(image.subarray(start + y.from, start + y.to), i * height);
	}
	return {
		image: out,
		nx: width,
		ny: height,
		spacing,
		centre: { x: x.centre, y: y.centre },
	};
}
