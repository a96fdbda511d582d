/** A scan on the places that a correction gives it: windowed sincs at exact places. */
import { maxOf } from "../../qpi/maths/extremes.ts";
import { taps } from "../../qpi/maths/interpolate.ts";
import { fill, mirror, type Scan } from "../scan/scan.ts";
import { asScanned, corrected, type Distortion } from "./drift.ts";

/** Where each pixel of the corrected scan lies in the scan as it is. Plain data: the same for all layers and channels. */
export interface Warp {
	readonly nx: number;
	readonly ny: number;
	/** Pixels of the scan from the first one's middle, [nx][ny]. */
	readonly x: Float32Array;
	readonly y: Float32Array;
}

type Frame = Omit<Scan, "image">;

/**
 * The pixels of the corrected scan: as large as the scan's and as many; where its size or shear changes, as many as hold all of it.
 */
export function warpOf(
	frame: Frame,
	distortion: Pick<Distortion, "matrix" | "field">,
): Warp {
	const { spacing } = frame;
	const [nx, ny] = sizeOf(frame, distortion);
	const x = new Float32Array(nx * ny);
	const y = new Float32Array(nx * ny);
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const r = asScanned(distortion, {
				x: (ix - (nx - 1) / 2) * spacing.x,
				y: (iy - (ny - 1) / 2) * spacing.y,
			});
			x[ix * ny + iy] = r.x / spacing.x + (frame.nx - 1) / 2;
			y[ix * ny + iy] = r.y / spacing.y + (frame.ny - 1) / 2;
		}
	return { nx, ny, x, y };
}

function sizeOf(
	{ nx, ny, spacing }: Frame,
	{ matrix }: Pick<Distortion, "matrix">,
): [number, number] {
	const [hx, hy] = [(nx * spacing.x) / 2, (ny * spacing.y) / 2];
	const corners = [
		[hx, hy],
		[hx, -hy],
	].map(([x, y]) => corrected({ matrix }, { x, y }));
	const most = (axis: "x" | "y") =>
		maxOf(corners.map((c) => Math.abs(c[axis])));
	// A tenth of a pixel is none.
	return [
		Math.ceil((2 * most("x")) / spacing.x - 0.1),
		Math.ceil((2 * most("y")) / spacing.y - 0.1),
	];
}

/** Pixels that a place may lie beyond the first and last one's middle. */
const BEYOND = 0.5;

/** The scan as corrected: NaN where it lies outside the scan, or beside a pixel that does not count or is not finite. */
export function warped(
	{ image, nx, ny, spacing }: Scan,
	warp: Warp,
	counts?: ArrayLike<number>,
): Scan {
	const known = (p: number) =>
		Number.isFinite(image[p]) && (counts?.[p] ?? 1) > 0;
	const full = image.every((_, p) => known(p));
	const filled = full ? image : fill({ image, nx, ny }, counts);
	const at = (i: number, n: number) => Math.max(0, Math.min(n - 1, i));
	const out = new Float32Array(warp.nx * warp.ny);
	for (let p = 0; p < out.length; p++) {
		const [x, y] = [warp.x[p], warp.y[p]];
		const inside =
			x >= -BEYOND &&
			x <= nx - 1 + BEYOND &&
			y >= -BEYOND &&
			y <= ny - 1 + BEYOND;
		const nearest = at(Math.round(x), nx) * ny + at(Math.round(y), ny);
		const whole = Math.abs(x - Math.round(x)) + Math.abs(y - Math.round(y));
		if (!inside) {
			out[p] = Number.NaN;
			continue;
		}
		if (whole < 1e-4) {
			out[p] = known(nearest) ? image[nearest] : Number.NaN;
			continue;
		}
		const [ix, iy] = [at(Math.floor(x), nx), at(Math.floor(y), ny)];
		const [jx, jy] = [at(Math.ceil(x), nx), at(Math.ceil(y), ny)];
		if (
			!full &&
			![ix * ny + iy, ix * ny + jy, jx * ny + iy, jx * ny + jy].every(known)
		) {
			out[p] = Number.NaN;
			continue;
		}
		const across = taps(x);
		const along = taps(y);
		let sum = 0;
		for (let i = 0; i < across.weights.length; i++) {
			const row = mirror(across.first + i, nx) * ny;
			let part = 0;
			for (let j = 0; j < along.weights.length; j++)
				part += along.weights[j] * filled[row + mirror(along.first + j, ny)];
			sum += across.weights[i] * part;
		}
		out[p] = sum;
	}
	return { image: out, nx: warp.nx, ny: warp.ny, spacing };
}
