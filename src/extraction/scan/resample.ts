/** A part of a scan on another grid: windowed sincs at exact places. */
import { mirror, type Scan } from "./scan.ts";

/** A rectangle in the scan frame: centre and sides, Angstrom. */
export interface Rectangle {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** A rectangle and its pixels: pixel i of nx lies at x + (i - (nx - 1) / 2) * width / nx, and so along y. */
export interface Raster extends Rectangle {
	readonly nx: number;
	readonly ny: number;
}

/** A square in the scan frame: centre and side, Angstrom. */
export interface Square {
	readonly x: number;
	readonly y: number;
	readonly size: number;
}

/** Half the length of the sinc, in pixels of the coarser grid: passes 0.9 of the Nyquist frequency and below, stops 1.1 of it and above. */
const REACH = 20;

/** Indices (mirrored at the edges) and weights, adding up to 1, of the n inputs that make each of the m outputs along one axis. */
function taps(
	n: number,
	spacing: number,
	centre: number,
	length: number,
	m: number,
) {
	const step = length / m / spacing;
	const scale = Math.max(1, step);
	const reach = REACH * scale;
	return Array.from({ length: m }, (_, i) => {
		const at = centre / spacing + (n - 1) / 2 + (i - (m - 1) / 2) * step;
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

/** The scan's first pixel under the raster's, when all of them coincide with pixels of the scan. */
function coincides({ nx, ny, spacing }: Scan, raster: Raster) {
	const close = (a: number, b: number) => Math.abs(a - b) < 1e-6;
	const starts = (
		[
			[nx, spacing.x, raster.x, raster.width, raster.nx],
			[ny, spacing.y, raster.y, raster.height, raster.ny],
		] as const
	).map(([n, dx, centre, length, m]) => {
		const start = centre / dx + n / 2 - m / 2;
		const whole = Math.round(start);
		return close(length / m / dx, 1) &&
			close(start, whole) &&
			whole >= 0 &&
			whole + m <= n
			? whole
			: -1;
	});
	return starts.every((s) => s >= 0) ? starts : undefined;
}

/**
 * The raster's pixels, low-passed at the coarser grid's Nyquist frequency (along each axis), exact for what is below it and far from the scan's edges, where the
 * image is continued as its mirror image. Pixels that coincide with the scan's are copied, bit for bit. No value may be NaN (see `fill`).
 */
export function resample(scan: Scan, raster: Raster): Float32Array {
	const { image, nx, ny, spacing } = scan;
	const [mx, my] = [raster.nx, raster.ny];
	const start = coincides(scan, raster);
	if (start)
		return Float32Array.from(
			{ length: mx * my },
			(_, p) =>
				image[(start[0] + Math.floor(p / my)) * ny + start[1] + (p % my)],
		);
	const half = new Float64Array(mx * ny);
	taps(nx, spacing.x, raster.x, raster.width, mx).forEach(
		({ indices, weights }, i) => {
			indices.forEach((ix, k) => {
				const w = weights[k];
				for (let iy = 0; iy < ny; iy++)
					half[i * ny + iy] += w * image[ix * ny + iy];
			});
		},
	);
	const along = taps(ny, spacing.y, raster.y, raster.height, my);
	const out = new Float32Array(mx * my);
	for (let i = 0; i < mx; i++)
		along.forEach(({ indices, weights }, j) => {
			let sum = 0;
			for (let k = 0; k < weights.length; k++)
				sum += weights[k] * half[i * ny + indices[k]];
			out[i * my + j] = sum;
		});
	return out;
}

/** The share of each of the raster's pixels that counts: the mean of `valid` over its area. */
export function coverage(
	{ nx, ny, spacing }: Omit<Scan, "image">,
	valid: ArrayLike<number>,
	raster: Raster,
): Float32Array {
	const shares = (
		n: number,
		dx: number,
		centre: number,
		length: number,
		m: number,
	) => {
		const step = length / m / dx;
		return Array.from({ length: m }, (_, i) => {
			const low = centre / dx + n / 2 + (i - m / 2) * step;
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
	const across = shares(nx, spacing.x, raster.x, raster.width, raster.nx);
	const along = shares(ny, spacing.y, raster.y, raster.height, raster.ny);
	return Float32Array.from({ length: raster.nx * raster.ny }, (_, p) => {
		let sum = 0;
		for (const x of across[Math.floor(p / raster.ny)])
			for (const y of along[p % raster.ny])
				sum += x.weight * y.weight * valid[x.index * ny + y.index];
		return Math.min(1, sum);
	});
}

/** The scan's pixels inside a rectangle, and where their own centre lies (up to half a pixel off the rectangle's), Angstrom. */
export function crop(
	scan: Scan,
	rectangle: Rectangle,
): Scan & { readonly centre: { readonly x: number; readonly y: number } } {
	const { image, nx, ny, spacing } = scan;
	const range = (n: number, dx: number, centre: number, length: number) => {
		const middle = centre / dx + n / 2;
		const from = Math.max(0, Math.round(middle - length / dx / 2));
		const to = Math.min(n, Math.round(middle + length / dx / 2));
		return { from, to, centre: ((from + to - n) / 2) * dx };
	};
	const x = range(nx, spacing.x, rectangle.x, rectangle.width);
	const y = range(ny, spacing.y, rectangle.y, rectangle.height);
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
