/** Local maxima of what is on a grid, and values between its nodes. */

/** Taps on either side of a Lanczos interpolation. */
const TAPS = 4;

/** Local maxima of a map (3 x 3 pixels) above a value, the highest first. */
export function maxima(
	map: ArrayLike<number>,
	nx: number,
	ny: number,
	least: number,
): { x: number; y: number; value: number }[] {
	const found: { x: number; y: number; value: number }[] = [];
	for (let x = 0; x < nx; x++)
		for (let y = 0; y < ny; y++) {
			const value = map[x * ny + y];
			if (!(value > least)) continue;
			let highest = true;
			for (let jx = Math.max(0, x - 1); jx <= Math.min(nx - 1, x + 1); jx++)
				for (let jy = Math.max(0, y - 1); jy <= Math.min(ny - 1, y + 1); jy++)
					if (map[jx * ny + jy] > value) highest = false;
			if (highest) found.push({ x, y, value });
		}
	return found.sort((a, b) => b.value - a.value);
}

/** The values of a grid between its pixels, zero outside: `width` x `height` points at steps of one pixel from (x, y), by Lanczos interpolation. */
export function interpolate(
	grid: ArrayLike<number>,
	[nx, ny]: readonly [number, number],
	[x, y]: readonly [number, number],
	[width, height]: readonly [number, number],
): Float64Array {
	const [x0, y0] = [Math.floor(x), Math.floor(y)];
	const [a, b] = [taps(x - x0), taps(y - y0)];
	const tall = height + 2 * TAPS - 1;
	const half = new Float64Array(width * tall);
	for (let i = 0; i < width; i++)
		for (let k = 0; k < 2 * TAPS; k++) {
			const ix = x0 + i + k - TAPS + 1;
			if (ix < 0 || ix >= nx) continue;
			const shift = y0 - TAPS + 1;
			const last = Math.min(tall, ny - shift);
			for (let j = Math.max(0, -shift); j < last; j++)
				half[i * tall + j] += a[k] * grid[ix * ny + j + shift];
		}
	const out = new Float64Array(width * height);
	for (let i = 0; i < width; i++)
		for (let j = 0; j < height; j++) {
			let sum = 0;
			for (let k = 0; k < 2 * TAPS; k++) sum += b[k] * half[i * tall + j + k];
			out[i * height + j] = sum;
		}
	return out;
}

function taps(fraction: number): Float64Array {
	const weights = Float64Array.from({ length: 2 * TAPS }, (_, k) => {
		const d = Math.PI * (k - TAPS + 1 - fraction);
		return Math.abs(d) < 1e-9
			? 1
			: ((Math.sin(d) / d) * Math.sin(d / TAPS)) / (d / TAPS);
	});
	const total = weights.reduce((sum, w) => sum + w, 0);
	return weights.map((w) => w / total);
}
