/** Windows that kernels of sparse blind deconvolution start from, grow into and are kept in the middle of. */
import { dot } from "../../qpi/operator/ridge.ts";
import { Random } from "../../random.ts";
import type { Grid } from "./activationMarks.ts";

/** A square of the map that shows one kind of scatterer, Angstrom from the map's middle: where its kernel starts from. */
export interface SeedWindow {
	readonly x: number;
	readonly y: number;
	/** Side. */
	readonly size: number;
}

/** Of a random window, Angstrom. */
const SIDE = 60;

/** An odd number of pixels for a side in Angstrom. */
export function pixelsOf(side: number, { nx, ny, pixel }: Grid): number {
	const size = 2 * Math.round((side / pixel - 1) / 2) + 1;
	const most = Math.min(nx, ny);
	if (!(size >= 3 && size <= most))
		throw new RangeError(
			`expected kernels of ${(3 * pixel).toPrecision(3)} to ${(most * pixel).toPrecision(3)} A, got ${side}`,
		);
	return size;
}

/** The user's windows, or a random one that lies in the map. */
export function windowsOf(
	{ nx, ny, pixel }: Grid,
	windows: readonly SeedWindow[] = [],
	size = SIDE,
	seed = 0,
): readonly SeedWindow[] {
	const random = new Random(seed);
	const within = (n: number) =>
		(random.uniform() - 0.5) * Math.max(0, n * pixel - size);
	if (windows.length === 0) return [{ x: within(nx), y: within(ny), size }];
	for (const { x, y, size: side } of windows)
		if (
			!(Math.abs(x) <= (nx * pixel) / 2 && Math.abs(y) <= (ny * pixel) / 2) ||
			!(side > 0)
		)
			throw new RangeError(
				`a window of ${side} A at (${x}, ${y}): expected its middle in the map and a side above 0`,
			);
	return windows;
}

/** The map about the middle of a window, size x size pixels, zero outside the window and the map. */
export function cut(
	map: Float64Array,
	{ nx, ny, pixel }: Grid,
	window: SeedWindow,
	size: number,
): Float64Array {
	const { x, y, size: side } = window;
	const half = (size - 1) / 2;
	const x0 = Math.round(x / pixel + (nx - 1) / 2);
	const y0 = Math.round(y / pixel + (ny - 1) / 2);
	const out = new Float64Array(size ** 2);
	const reach = Math.min(half, Math.round((side / pixel - 1) / 2));
	for (let i = Math.max(-reach, -x0); i <= Math.min(reach, nx - 1 - x0); i++)
		for (let j = Math.max(-reach, -y0); j <= Math.min(reach, ny - 1 - y0); j++)
			out[(i + half) * size + j + half] = map[(x0 + i) * ny + y0 + j];
	return out;
}

/** A square of odd side in one of another, about the same middle; zero where it does not reach. */
export function resized(
	kernel: Float64Array,
	from: number,
	to: number,
): Float64Array {
	const out = new Float64Array(to ** 2);
	const shift = (from - to) / 2;
	for (let i = 0; i < to; i++)
		for (let j = 0; j < to; j++) {
			const [u, v] = [i + shift, j + shift];
			if (u >= 0 && v >= 0 && u < from && v < from)
				out[i * to + j] = kernel[u * from + v];
		}
	return out;
}

/** An image moved by whole pixels; what leaves it is lost, and zeros come in. */
export function moved(
	image: Float64Array,
	nx: number,
	ny: number,
	dx: number,
	dy: number,
): Float64Array {
	return image.map((_, p) => {
		const [x, y] = [Math.floor(p / ny) - dx, (p % ny) - dy];
		return x >= 0 && y >= 0 && x < nx && y < ny ? image[x * ny + y] : 0;
	});
}

/** How far (pixels) the size x size window that holds most of a kernel's power lies from the middle of its `wide` x `wide`. */
export function heaviest(
	kernel: Float64Array,
	wide: number,
	size: number,
): [number, number] {
	// Power in the corner up to each node.
	const n = wide + 1;
	const sum = new Float64Array(n * n);
	for (let i = 0; i < wide; i++)
		for (let j = 0; j < wide; j++)
			sum[(i + 1) * n + j + 1] =
				kernel[i * wide + j] ** 2 +
				sum[i * n + j + 1] +
				sum[(i + 1) * n + j] -
				sum[i * n + j];
	const middle = (wide - size) / 2;
	let best = { power: -1, far: 0, at: [0, 0] as [number, number] };
	for (let i = 0; i <= wide - size; i++)
		for (let j = 0; j <= wide - size; j++) {
			const [u, v] = [i + size, j + size];
			const power =
				sum[u * n + v] - sum[i * n + v] - sum[u * n + j] + sum[i * n + j];
			const at: [number, number] = [i - middle, j - middle];
			const far = Math.hypot(...at);
			// Of equal windows the one in the middle.
			const more = power > best.power * (1 + 1e-12);
			if (more || (power >= best.power * (1 - 1e-12) && far < best.far))
				best = { power, far, at };
		}
	return best.at;
}

/** Of norm 1; zero stays zero. */
export function unit(kernel: Float64Array): Float64Array {
	const norm = Math.sqrt(dot(kernel, kernel));
	return norm > 0 ? kernel.map((v) => v / norm) : kernel;
}
