/** Strokes of a round brush on a scan. */
import type { Scan } from "./scan.ts";

/** Angstrom, scan frame. */
export interface Stroke {
	/** What is painted does not count; what is erased counts again, whatever was masked before it. */
	readonly kind: "brush" | "eraser";
	readonly radius: number;
	/** Where it went, from one to the next along straight lines; a single one is a dot. */
	readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Sets `value` at all pixels of [nx][ny] whose centre is no further from the stroke's path than its radius. */
export function stroke(
	into: Uint8Array,
	{ nx, ny, spacing }: Omit<Scan, "image">,
	{ radius, points }: Stroke,
	value: 0 | 1,
): void {
	const [mx, my] = [(nx - 1) / 2, (ny - 1) / 2];
	const within = (
		least: number,
		most: number,
		middle: number,
		step: number,
		count: number,
	) => [
		Math.max(0, Math.ceil((least - radius) / step + middle)),
		Math.min(count - 1, Math.floor((most + radius) / step + middle)),
	];
	points.forEach((to, k) => {
		const from = points[Math.max(0, k - 1)];
		const [dx, dy] = [to.x - from.x, to.y - from.y];
		const square = dx * dx + dy * dy;
		const [left, right] = within(
			...([Math.min(from.x, to.x), Math.max(from.x, to.x)] as const),
			...([mx, spacing.x, nx] as const),
		);
		const [low, high] = within(
			...([Math.min(from.y, to.y), Math.max(from.y, to.y)] as const),
			...([my, spacing.y, ny] as const),
		);
		for (let ix = left; ix <= right; ix++)
			for (let iy = low; iy <= high; iy++) {
				const x = (ix - mx) * spacing.x - from.x;
				const y = (iy - my) * spacing.y - from.y;
				const along = square > 0 ? (x * dx + y * dy) / square : 0;
				const t = Math.min(1, Math.max(0, along));
				if ((x - t * dx) ** 2 + (y - t * dy) ** 2 <= radius * radius)
					into[ix * ny + iy] = value;
			}
	});
}
