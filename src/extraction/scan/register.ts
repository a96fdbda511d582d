/** How far two images of one area lie apart, and moving one onto the other. */
import { Fft2d } from "../../qpi/maths/fft.ts";
import { smooth } from "../../qpi/maths/realFft.ts";
import { resample } from "./resample.ts";
import { fill, type Scan } from "./scan.ts";

export interface Shift {
	/** Pixels: what the first image shows at a pixel, the second shows so much further. */
	readonly x: number;
	readonly y: number;
	/** Correlation coefficient of what both show, moved onto each other; from -1 to 1. */
	readonly likeness: number;
}

/** The part of both images that the other shows too, by whole pixels. */
interface Overlap {
	readonly first: Float64Array;
	readonly second: Float64Array;
	readonly nx: number;
	readonly ny: number;
}

/**
 * The shift of the second image against the first. Whole pixels by their cross-correlation, half whitened, so that neither noise nor slow waves decide alone, in
 * a Hann window, once more in the part that both show until that stays; parts of a pixel by Gauss-Newton steps for place and contrast.
 * @param most pixels that it may be at most along either axis; a quarter of the image by default
 */
export function shiftBetween(
	first: Scan,
	second: Scan,
	most = Math.min(first.nx, first.ny) / 4,
): Shift {
	let { x, y } = peakOf(overlapOf(first, second, 0, 0), most);
	for (let turn = 0; turn < MOST_TURNS; turn++) {
		const step = peakOf(overlapOf(first, second, x, y), 2);
		if (step.x === 0 && step.y === 0) break;
		if (Math.max(Math.abs(x + step.x), Math.abs(y + step.y)) > most) break;
		x += step.x;
		y += step.y;
	}
	// The window draws a peak towards the middle: what the slopes say beyond a pixel is believed.
	for (let turn = 0; ; turn++) {
		const part = overlapOf(first, second, x, y);
		const fine = partOf(part);
		const [dx, dy] = [Math.round(fine.x), Math.round(fine.y)];
		if ((dx === 0 && dy === 0) || turn === MOST_TURNS)
			return { x: x + fine.x, y: y + fine.y, likeness: correlation(part) };
		x += dx;
		y += dy;
	}
}

const MOST_TURNS = 8;

/** The rest of the shift, less than two pixels: second(p + shift) = contrast x first(p) in least squares, from slope to slope. */
function partOf(part: Overlap): { x: number; y: number } {
	const { nx, ny } = part;
	// Slopes of noise are steeper than those of waves.
	const first = smoothed(part.first, nx, ny);
	const second = smoothed(part.second, nx, ny);
	let [x, y] = [0, 0];
	for (let turn = 0; turn < MOST_TURNS; turn++) {
		const gram = new Float64Array(9);
		const right = new Float64Array(3);
		for (let ix = 2; ix < nx - 2; ix++)
			for (let iy = 2; iy < ny - 2; iy++) {
				const p = ix * ny + iy;
				// Bilinear between the pixels.
				const [fx, fy] = [Math.floor(x), Math.floor(y)];
				const [tx, ty] = [x - fx, y - fy];
				const q = p + fx * ny + fy;
				const there =
					(1 - tx) * ((1 - ty) * second[q] + ty * second[q + 1]) +
					tx * ((1 - ty) * second[q + ny] + ty * second[q + ny + 1]);
				const row = [
					first[p],
					(first[p + ny] - first[p - ny]) / 2,
					(first[p + 1] - first[p - 1]) / 2,
				];
				for (let i = 0; i < 3; i++) {
					right[i] += row[i] * there;
					for (let j = 0; j < 3; j++) gram[3 * i + j] += row[i] * row[j];
				}
			}
		const solved = solve3(gram, right);
		// Without likeness there is no slope to follow.
		if (!solved || !(solved[0] !== 0)) return { x: 0, y: 0 };
		const [sx, sy] = [solved[1] / solved[0], solved[2] / solved[0]];
		x -= sx;
		y -= sy;
		if (!(Math.abs(x) < 2 && Math.abs(y) < 2)) return { x: 0, y: 0 };
		if (Math.hypot(sx, sy) < 1e-4) break;
	}
	return { x, y };
}

/** Four times the mean of a pixel, counted twice, and its neighbours, along either axis: waves of less than some five pixels are gone. */
function smoothed(image: Float64Array, nx: number, ny: number): Float64Array {
	const out = image.slice();
	const line = new Float64Array(Math.max(nx, ny));
	const along = (start: number, step: number, n: number) => {
		for (let pass = 0; pass < 4; pass++) {
			for (let i = 0; i < n; i++) line[i] = out[start + i * step];
			for (let i = 1; i < n - 1; i++)
				out[start + i * step] = (line[i - 1] + 2 * line[i] + line[i + 1]) / 4;
		}
	};
	for (let ix = 0; ix < nx; ix++) along(ix * ny, 1, ny);
	for (let iy = 0; iy < ny; iy++) along(iy, ny, nx);
	return out;
}

/** Cramer's rule; undefined where the three are not independent. */
function solve3(a: Float64Array, b: Float64Array): number[] | undefined {
	const det = (m: ArrayLike<number>) =>
		m[0] * (m[4] * m[8] - m[5] * m[7]) -
		m[1] * (m[3] * m[8] - m[5] * m[6]) +
		m[2] * (m[3] * m[7] - m[4] * m[6]);
	const whole = det(a);
	if (!(Math.abs(whole) > 1e-12 * Math.abs(a[0] * a[4] * a[8])))
		return undefined;
	return [0, 1, 2].map(
		(k) =>
			det(a.map((v, i) => (i % 3 === k ? b[Math.floor(i / 3)] : v))) / whole,
	);
}

function overlapOf(
	{ nx, ny, ...first }: Scan,
	second: Scan,
	dx: number,
	dy: number,
): Overlap {
	const [mx, my] = [nx - Math.abs(dx), ny - Math.abs(dy)];
	const cut = (image: Float32Array, x: number, y: number) =>
		withoutPlane(
			Float64Array.from(
				{ length: mx * my },
				(_, p) => image[(x + Math.floor(p / my)) * ny + y + (p % my)],
			),
			mx,
			my,
		);
	return {
		first: cut(first.image, Math.max(0, -dx), Math.max(0, -dy)),
		second: cut(second.image, Math.max(0, dx), Math.max(0, dy)),
		...{ nx: mx, ny: my },
	};
}

/** Less its mean and its mean slopes; 0 where nothing was measured. In place. */
function withoutPlane(
	image: Float64Array,
	nx: number,
	ny: number,
): Float64Array {
	let [n, sum, sx, sy, xx, yy] = [0, 0, 0, 0, 0, 0];
	const x = (p: number) => Math.floor(p / ny) - (nx - 1) / 2;
	const y = (p: number) => (p % ny) - (ny - 1) / 2;
	for (let p = 0; p < image.length; p++) {
		if (!Number.isFinite(image[p])) continue;
		n++;
		sum += image[p];
	}
	const mean = n > 0 ? sum / n : 0;
	for (let p = 0; p < image.length; p++) {
		if (!Number.isFinite(image[p])) continue;
		sx += (image[p] - mean) * x(p);
		sy += (image[p] - mean) * y(p);
		xx += x(p) ** 2;
		yy += y(p) ** 2;
	}
	const [a, b] = [xx > 0 ? sx / xx : 0, yy > 0 ? sy / yy : 0];
	for (let p = 0; p < image.length; p++)
		image[p] = Number.isFinite(image[p])
			? image[p] - mean - a * x(p) - b * y(p)
			: 0;
	return image;
}

/** The place of the cross-correlation's maximum, in whole pixels. */
function peakOf(
	{ first, second, nx, ny }: Overlap,
	most: number,
): { x: number; y: number } {
	const [mx, my] = [smooth(2 * nx), smooth(2 * ny)];
	const fft = new Fft2d(mx, my);
	const hann = (i: number, n: number) =>
		Math.sin((Math.PI * (i + 0.5)) / n) ** 2;
	const spectrum = (image: Float64Array) => {
		const [re, im] = [new Float64Array(mx * my), new Float64Array(mx * my)];
		for (let ix = 0; ix < nx; ix++)
			for (let iy = 0; iy < ny; iy++)
				re[ix * my + iy] = image[ix * ny + iy] * hann(ix, nx) * hann(iy, ny);
		fft.transform(re, im);
		return { re, im };
	};
	const [a, b] = [spectrum(first), spectrum(second)];
	for (let k = 0; k < mx * my; k++) {
		// conj(A) B, over the root of its size.
		const re = a.re[k] * b.re[k] + a.im[k] * b.im[k];
		const im = a.re[k] * b.im[k] - a.im[k] * b.re[k];
		const size = Math.sqrt(Math.hypot(re, im)) || 1;
		a.re[k] = re / size;
		a.im[k] = im / size;
	}
	fft.transform(a.re, a.im, true);
	const at = (x: number, y: number) =>
		a.re[((x + mx) % mx) * my + ((y + my) % my)];
	const reach = Math.floor(most);
	let [bx, by] = [0, 0];
	for (let x = -reach; x <= reach; x++)
		for (let y = -reach; y <= reach; y++)
			if (at(x, y) > at(bx, by)) [bx, by] = [x, y];
	return { x: bx, y: by };
}

function correlation({ first, second }: Overlap): number {
	let [ab, aa, bb] = [0, 0, 0];
	for (let p = 0; p < first.length; p++) {
		ab += first[p] * second[p];
		aa += first[p] ** 2;
		bb += second[p] ** 2;
	}
	return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** The image as it would be without the shift; NaN where it shows nothing, or nothing measured. Shifts below a hundredth of a pixel are none. */
export function moved(
	scan: Scan,
	{ x, y }: Pick<Shift, "x" | "y">,
): Float32Array {
	const { image, nx, ny, spacing } = scan;
	if (Math.hypot(x, y) < 0.01) return image;
	const filled = { ...scan, image: fill(scan) };
	const out = resample(filled, {
		...{ nx, ny, x: x * spacing.x, y: y * spacing.y },
		...{ width: nx * spacing.x, height: ny * spacing.y },
	});
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const [jx, jy] = [Math.round(ix + x), Math.round(iy + y)];
			const there = jx >= 0 && jx < nx && jy >= 0 && jy < ny;
			if (!there || !Number.isFinite(image[jx * ny + jy]))
				out[ix * ny + iy] = Number.NaN;
		}
	return out;
}
