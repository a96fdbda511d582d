/** Areas of pixels: how far it is to them, and which hang together. */
import type { Scan } from "./scan.ts";

type Grid = Pick<Scan, "nx" | "ny" | "spacing">;

/**
 * The distance in Angstrom from each pixel to the nearest one of an area, between the pixels' centres; Infinity where the area is empty. Exact: lower envelopes of parabolas, first along
 * y and then along x (Felzenszwalb & Huttenlocher, Theory of Computing 8, 415 (2012)).
 */
export function distances(
	area: ArrayLike<number>,
	{ nx, ny, spacing }: Grid,
): Float64Array {
	const squares = Float64Array.from({ length: nx * ny }, (_, p) =>
		area[p] > 0 ? 0 : Number.POSITIVE_INFINITY,
	);
	for (let ix = 0; ix < nx; ix++) envelope(squares, ix * ny, 1, ny, spacing.y);
	for (let iy = 0; iy < ny; iy++) envelope(squares, iy, ny, nx, spacing.x);
	return squares.map(Math.sqrt);
}

/** In place: min over k of values[k] + (dx (i - k))^2, for the `n` values from `start`, `stride` apart. */
function envelope(
	values: Float64Array,
	start: number,
	stride: number,
	n: number,
	dx: number,
): void {
	const [height, place, from] = [0, 0, 0].map(() => new Float64Array(n));
	let top = -1;
	for (let i = 0; i < n; i++) {
		const value = values[start + i * stride];
		if (value === Number.POSITIVE_INFINITY) continue;
		// Where the new parabola goes below the last one; the last one is gone where that is before its own beginning.
		let cross = Number.NEGATIVE_INFINITY;
		for (; top >= 0; top--) {
			const k = place[top];
			cross = ((value - height[top]) / dx ** 2 + i * i - k * k) / (2 * (i - k));
			if (cross > from[top]) break;
			cross = Number.NEGATIVE_INFINITY;
		}
		top++;
		height[top] = value;
		place[top] = i;
		from[top] = cross;
	}
	if (top < 0) return;
	for (let i = n - 1; i >= 0; i--) {
		while (from[top] > i) top--;
		values[start + i * stride] = height[top] + (dx * (i - place[top])) ** 2;
	}
}

/**
 * The connected parts (by sides, not corners) of an area.
 * @returns the number of each pixel's part from 1, 0 outside the area; sizes[number] in pixels
 */
export function parts(
	area: ArrayLike<number>,
	{ nx, ny }: Pick<Grid, "nx" | "ny">,
): { labels: Int32Array; sizes: number[] } {
	const labels = new Int32Array(nx * ny);
	const sizes = [0];
	const stack: number[] = [];
	for (let first = 0; first < labels.length; first++) {
		if (!(area[first] > 0) || labels[first]) continue;
		const label = sizes.length;
		let size = 0;
		const add = (p: number) => {
			if (!(area[p] > 0) || labels[p]) return;
			labels[p] = label;
			size++;
			stack.push(p);
		};
		add(first);
		for (let p = stack.pop(); p !== undefined; p = stack.pop()) {
			const iy = p % ny;
			if (iy > 0) add(p - 1);
			if (iy < ny - 1) add(p + 1);
			if (p >= ny) add(p - ny);
			if (p < labels.length - ny) add(p + ny);
		}
		sizes.push(size);
	}
	return { labels, sizes };
}
