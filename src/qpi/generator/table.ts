/**
 * Functions of the plane, band-limited to what 6.349 A pixels can carry, on a fine grid with cubic B-spline interpolation (Unser, IEEE Signal
 * Process. Mag. 16 (6), 22 (1999)). The spline's prefilter is a division in Fourier space, where the low-pass happens anyway. A wave of
 * 1, 2 or 2.3 radians a pixel is interpolated to 0.02, 0.3 or 0.6 % of its amplitude.
 */

import { PIXEL, RESOLUTION } from "../dataset/format.ts";
import { Fft2d } from "../maths/fft.ts";
import { BOX, type ComplexGrid, frequency, rollOff } from "./bands.ts";

/** Table nodes along the box. */
export const SIZE = 512;
const WIDTH = SIZE + 3;
/** Nyquist of the reference's pixels in 1/A; tables hold nothing beyond. */
export const NYQUIST = (Math.PI * 63) / 400;
/**
 * Roll-off of what is imaged: untouched up to 2.3 radians a pixel, and wide enough that a scatterer's sharp centre does not ring
 * far out.
 */
export const IMAGE_BAND = [0.36, NYQUIST] as const;

/** Position in Angstrom of pixel i on either axis; no pixel lies at 0. */
export function pixelPosition(i: number): number {
	return -200 + i * PIXEL;
}

const transforms = new Map<number, Fft2d>();
/** The transform of a square grid, made once a size. */
export function fft(size: number): Fft2d {
	let plan = transforms.get(size);
	if (!plan) {
		plan = new Fft2d(size, size);
		transforms.set(size, plan);
	}
	return plan;
}

/** A real function of the plane, zero outside the box. */
export class Table {
	/** Spline coefficients with the origin in the middle, and a margin so that no index needs wrapping. */
	readonly #nodes = new Float32Array(WIDTH * WIDTH);

	/** From SIZE x SIZE periodic spline coefficients with the origin first. */
	constructor(coefficients: Float64Array) {
		const from = (i: number) => (i + SIZE / 2 - 1) % SIZE;
		for (let i = 0, p = 0; i < WIDTH; i++)
			for (let j = 0; j < WIDTH; j++, p++)
				this.#nodes[p] = coefficients[from(i) * SIZE + from(j)];
	}

	/** Value at (x, y) in Angstrom; 0 unless both lie within BOX / 2 = 812 A. */
	at(x: number, y: number): number {
		const u = (x / BOX + 0.5) * SIZE;
		const v = (y / BOX + 0.5) * SIZE;
		if (!(u >= 0 && v >= 0 && u < SIZE && v < SIZE)) return 0;
		// both are positive: truncation is floor, and cheaper
		const i = u | 0;
		const j = v | 0;
		const a = splineWeights(u - i);
		const b = splineWeights(v - j);
		let sum = 0;
		for (let k = 0, p = i * WIDTH + j; k < 4; k++, p += WIDTH)
			sum +=
				a[k] *
				(b[0] * this.#nodes[p] +
					b[1] * this.#nodes[p + 1] +
					b[2] * this.#nodes[p + 2] +
					b[3] * this.#nodes[p + 3]);
		return sum / 36;
	}

	/**
	 * Adds `amplitude` times the function, its origin moved to (x, y), to an image of 64 x 64 pixels; the tip's x is off by `shear * y` (drift). The
	 * same as `at` for each pixel, but since a pixel is two nodes, a scan line has one set of weights.
	 * @throws RangeError when (x, y) is more than 600 A off the centre along an axis
	 */
	addTo(
		image: Float64Array,
		x: number,
		y: number,
		amplitude = 1,
		shear = 0,
	): void {
		if (!(Math.abs(x) <= 600 && Math.abs(y) <= 600))
			throw new RangeError(
				`a scatterer at (${x}, ${y}) A: expected at most 600 A from the image's centre along each axis`,
			);
		const n = this.#nodes;
		const weights = new Float64Array(16);
		for (let iy = 0; iy < RESOLUTION; iy++) {
			const py = pixelPosition(iy);
			const u = ((pixelPosition(0) + shear * py - x) / BOX + 0.5) * SIZE;
			const v = ((py - y) / BOX + 0.5) * SIZE;
			const a = splineWeights(u - Math.floor(u));
			const b = splineWeights(v - Math.floor(v));
			for (let k = 0; k < 16; k++)
				weights[k] = (amplitude / 36) * a[k >> 2] * b[k & 3];
			const [w0, w1, w2, w3, w4, w5, w6, w7] = weights;
			const [w8, w9, w10, w11, w12, w13, w14, w15] = weights.subarray(8);
			let p = Math.floor(u) * WIDTH + Math.floor(v);
			for (
				let i = iy;
				i < RESOLUTION * RESOLUTION;
				i += RESOLUTION, p += 2 * WIDTH
			) {
				const q = p + WIDTH;
				const r = q + WIDTH;
				const s = r + WIDTH;
				image[i] +=
					w0 * n[p] +
					w1 * n[p + 1] +
					w2 * n[p + 2] +
					w3 * n[p + 3] +
					w4 * n[q] +
					w5 * n[q + 1] +
					w6 * n[q + 2] +
					w7 * n[q + 3] +
					w8 * n[r] +
					w9 * n[r + 1] +
					w10 * n[r + 2] +
					w11 * n[r + 3] +
					w12 * n[s] +
					w13 * n[s + 1] +
					w14 * n[s + 2] +
					w15 * n[s + 3];
			}
		}
	}
}

/** The cubic B-spline's four weights at a fraction t of a node's distance, times 6. */
function splineWeights(t: number): [number, number, number, number] {
	const t1 = 1 - t;
	const b0 = t1 * t1 * t1;
	const b1 = 4 - 3 * t * t * (1 + t1);
	const b3 = t * t * t;
	return [b0, b1, 6 - b0 - b1 - b3, b3];
}

export interface TablePair {
	readonly re: Table;
	readonly im: Table;
}

/**
 * The tables (real and imaginary part) of a function with the given unscaled Fourier coefficients on size x size points a box, low-passed
 * with the roll-off `band` (1/A). The function of a lattice (`cells` sites a side of the box) is known at its sites only: its periodic spectrum is windowed by a raised cosine
 * about the zone boundary, so that what lies between the sites is smooth and the values at the sites stay (Nyquist's criterion).
 */
export function spectrumTables(
	spectrum: ComplexGrid,
	size: number,
	band: readonly [number, number],
	cells = 0,
): TablePair {
	const re = new Float64Array(SIZE * SIZE);
	const im = new Float64Array(SIZE * SIZE);
	// signed frequencies up to the band's end
	const reach = Math.floor(band[1] / frequency(1, SIZE));
	const modes = Array.from({ length: 2 * reach + 1 }, (_, i) => {
		const m = i - reach;
		const spline = (2 + Math.cos((2 * Math.PI * m) / SIZE)) / 3;
		const zone = cells / 2;
		const window = zone ? rollOff(Math.abs(m), 0.3 * zone, 1.7 * zone) : 1;
		return {
			q: m * frequency(1, SIZE),
			to: (m + SIZE) % SIZE,
			from: ((m % size) + size) % size,
			weight: ((SIZE / size) * window) / spline,
		};
	});
	for (const x of modes)
		for (const y of modes) {
			const q = Math.sqrt(x.q * x.q + y.q * y.q);
			const w = x.weight * y.weight * rollOff(q, band[0], band[1]);
			re[x.to * SIZE + y.to] = w * spectrum.re[x.from * size + y.from];
			im[x.to * SIZE + y.to] = w * spectrum.im[x.from * size + y.from];
		}
	fft(SIZE).transform(re, im, true);
	return { re: new Table(re), im: new Table(im) };
}

/** The function turned by an angle. */
export function turned(table: Table, angle: number): Table {
	const re = new Float64Array(SIZE * SIZE);
	const im = new Float64Array(SIZE * SIZE);
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	for (let i = 0; i < SIZE; i++)
		for (let j = 0; j < SIZE; j++) {
			const [x, y] = [node(i), node(j)];
			re[i * SIZE + j] = table.at(c * x + s * y, c * y - s * x);
		}
	fft(SIZE).transform(re, im);
	return spectrumTables({ re, im }, SIZE, [NYQUIST, NYQUIST]).re;
}

/** Position in Angstrom of a table's node, the origin first. */
export function node(i: number): number {
	return ((i < SIZE / 2 ? i : i - SIZE) * BOX) / SIZE;
}
