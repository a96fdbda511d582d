import { type Nd, nd } from "../opTesting.ts";

/** Value of x [B, H, W, C] at an index. */
export const at = (
	{ shape: [, h, w, c], data }: Nd,
	b: number,
	r: number,
	col: number,
	k: number,
) => data[((b * h + r) * w + col) * c + k];

/** An image made of a function of sample, row, column and channel. */
export function image(
	shape: readonly number[],
	value: (b: number, r: number, c: number, k: number) => number,
): Nd {
	const [, h, w, c] = shape;
	return nd(shape, (i) => {
		const pixel = Math.floor(i / c);
		const row = Math.floor(pixel / w);
		return value(Math.floor(row / h), row % h, pixel % w, i % c);
	});
}

export function upsampleNearest2x(x: Nd): Nd {
	const [b, h, w, c] = x.shape;
	return image([b, 2 * h, 2 * w, c], (i, r, q, k) =>
		at(x, i, r >> 1, q >> 1, k),
	);
}

/** torch: grid_sample(x, affine_grid([[cos, -sin, 0], [sin, cos, 0]]), "bilinear", "border", align_corners=False), in pixels. */
export function rotate(x: Nd, angles: readonly number[]): Nd {
	const [, h, w] = x.shape;
	const held = (v: number, size: number) => Math.min(Math.max(v, 0), size - 1);
	return image(x.shape, (b, r, c, k) => {
		const cos = Math.cos(angles[b]);
		const sin = Math.sin(angles[b]);
		// Coordinates from the centre, where pixel i of n is centred at i + 1/2 - n/2.
		const u = c + 0.5 - w / 2;
		const v = r + 0.5 - h / 2;
		const px = held(cos * u - sin * v + w / 2 - 0.5, w);
		const py = held(sin * u + cos * v + h / 2 - 0.5, h);
		const [left, top] = [Math.floor(px), Math.floor(py)];
		let sum = 0;
		for (const [row, wr] of [
			[top, 1 - (py - top)],
			[top + 1, py - top],
		])
			for (const [column, wc] of [
				[left, 1 - (px - left)],
				[left + 1, px - left],
			])
				if (row < h && column < w) sum += wr * wc * at(x, b, row, column, k);
		return sum;
	});
}
