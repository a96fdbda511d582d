/** Scatterers that nobody marked: they are left in the residual, and look like the kernel. */

import { column, RealFft2d } from "../../qpi/maths/realFft.ts";
import { MapOperator } from "../../qpi/operator/mapOperator.ts";
import { robustSigma } from "../scan/scan.ts";
import { interpolate, maxima } from "./maxima.ts";

export interface Missed {
	/** Pixels. */
	readonly x: number;
	readonly y: number;
	/** Times the kernel: 1 is a scatterer like the known ones. */
	readonly amplitude: number;
	/** Robust standard deviations of the matched filter's output. */
	readonly significance: number;
}

/** An image less what its kernel explains at the known places. */
export interface Left {
	/** [nx][ny], first index x. */
	readonly residual: ArrayLike<number>;
	readonly nx: number;
	readonly ny: number;
	/** [nx][ny]: what each pixel counts; all of them when not given. */
	readonly weights?: ArrayLike<number>;
	/** size x size, the scatterer in the middle. */
	readonly kernel: ArrayLike<number>;
	/** Pixels, (0, 0) the first one's middle. */
	readonly known: readonly { readonly x: number; readonly y: number }[];
}

export interface MissedOptions {
	/** Least significance and amplitude; 5 and 0.3 by default. */
	readonly sigmas?: number;
	readonly amplitude?: number;
	/** Stop after so many; 10 by default. */
	readonly most?: number;
	/** Pixels about a known scatterer, where the residual says nothing about others; 2 by default. */
	readonly near?: number;
}

/** The least share of the kernel's power that has to be seen. */
const SEEN = 0.2;

/**
 * Looks for the kernel in a residual by the matched filter `sum R(r) K(r - s) / |K|` over the pixels that count, for places s on which the kernel's lags fall on pixels; maxima are refined
 * between them. One at a time: the strongest is subtracted before the next is sought. Places close to a known scatterer are left out.
 *
 * @returns in the order found
 * @throws RangeError when sizes do not fit
 */
export function findMissed(
	left: Left,
	{ sigmas = 5, amplitude = 0.3, most = 10, near = 2 }: MissedOptions = {},
): Missed[] {
	const { nx, ny, kernel, known } = left;
	const size = Math.sqrt(kernel.length);
	for (const [name, array] of [
		["residual", left.residual],
		["weights", left.weights],
	] as const)
		if (array && array.length !== nx * ny)
			throw new RangeError(
				`findMissed: expected ${name} of ${nx} x ${ny} = ${nx * ny} values, got ${array.length}`,
			);
	if (!Number.isInteger(size))
		throw new RangeError(
			`findMissed: expected a square kernel, got ${kernel.length} values`,
		);
	const weights = Float64Array.from({ length: nx * ny }, (_, p) =>
		left.weights ? left.weights[p] : 1,
	);
	const rest = Float64Array.from(left.residual, (v, p) => v * weights[p]);
	const pattern = Float64Array.from(kernel);
	const filter = new MatchedFilter(nx, ny, pattern, size);
	const seen = filter.correlate(
		weights,
		pattern.map((k) => k * k),
	);
	const found: Missed[] = [];
	while (found.length < most) {
		const next = filter.strongest(rest, seen, [...known, ...found], near);
		if (!next || next.significance < sigmas || next.amplitude < amplitude)
			break;
		found.push(next);
		// Its side lobes are no scatterers.
		const site = { ...next, weight: next.amplitude };
		const drawn = new MapOperator({ nx, ny, size }, [site]).apply(pattern);
		for (let p = 0; p < rest.length; p++) rest[p] -= weights[p] * drawn[p];
	}
	return found;
}

/** Correlations with a kernel of size x size at the places in and just around a map. */
class MatchedFilter {
	readonly #nx: number;
	readonly #ny: number;
	readonly #size: number;
	readonly #kernel: Float64Array;
	readonly #fft: RealFft2d;

	constructor(nx: number, ny: number, kernel: Float64Array, size: number) {
		this.#nx = nx;
		this.#ny = ny;
		this.#size = size;
		this.#kernel = kernel;
		this.#fft = new RealFft2d(...RealFft2d.sizes(nx + size, ny + size));
	}

	/** Places along an axis of n pixels: whole pixels for odd kernels; for even ones half a pixel off, from -1/2 to n - 1/2. */
	#places(n: number): number {
		return this.#size % 2 ? n : n + 1;
	}

	/** Of a place's index, where it lies, less the index. */
	get #offset(): number {
		return this.#size % 2 ? 0 : -0.5;
	}

	/** sum_r map(r) kernel(r - s) at all places s. */
	correlate(map: Float64Array, kernel: Float64Array): Float64Array {
		const fft = this.#fft;
		const { nx, ny } = fft;
		const [a, b] = [fft.spectrum(), fft.spectrum()];
		fft.forward(map, this.#nx, this.#ny, a);
		fft.forward(kernel, this.#size, this.#size, b);
		// Kernel's middle instead of its corner at each place.
		const middle = Math.floor(this.#size / 2);
		for (let ky = 0; ky <= ny / 2; ky++) {
			const { base, step } = column(nx, ny, ky);
			for (let kx = 0, i = base; kx < nx; kx++, i += step) {
				const angle =
					-2 *
					Math.PI *
					(((kx * middle) % nx) / nx + ((ky * middle) % ny) / ny);
				const [c, s] = [Math.cos(angle), Math.sin(angle)];
				const re = a.re[i] * b.re[i] + a.im[i] * b.im[i];
				const im = a.im[i] * b.re[i] - a.re[i] * b.im[i];
				a.re[i] = re * c - im * s;
				a.im[i] = re * s + im * c;
			}
		}
		const [px, py] = [this.#places(this.#nx), this.#places(this.#ny)];
		const out = new Float64Array(px * py);
		fft.inverse(a, out, px, py);
		return out;
	}

	/** The highest maximum away from what is known. */
	strongest(
		rest: Float64Array,
		seen: Float64Array,
		known: Left["known"],
		near: number,
	): Missed | undefined {
		const [nx, ny] = [this.#places(this.#nx), this.#places(this.#ny)];
		const total = this.#kernel.reduce((sum, k) => sum + k * k, 0);
		const sum = this.correlate(rest, this.#kernel);
		const visible = (i: number) => seen[i] > SEEN * total;
		const score = sum.map((v, i) => (visible(i) ? v / Math.sqrt(seen[i]) : 0));
		const fitted = sum.map((v, i) => (visible(i) ? v / seen[i] : 0));
		const noise = robustSigma(score);
		const at = (map: Float64Array, x: number, y: number) =>
			interpolate(map, [nx, ny], [x, y], [1, 1])[0];
		for (const place of maxima(score, nx, ny, 0)) {
			const [u, v] = refine((x, y) => at(score, x, y), place.x, place.y);
			const [x, y] = [u + this.#offset, v + this.#offset];
			if (known.some((k) => Math.hypot(k.x - x, k.y - y) < near)) continue;
			return {
				...{ x, y },
				amplitude: at(fitted, u, v),
				significance: at(score, u, v) / noise,
			};
		}
		return undefined;
	}
}

/** Climbs from a grid's maximum to that between its points, by parabolas through ever closer values. */
function refine(
	value: (x: number, y: number) => number,
	x: number,
	y: number,
): [number, number] {
	for (const step of [0.5, 0.25, 0.25]) {
		const middle = value(x, y);
		const vertex = (low: number, high: number) => {
			const bend = low + high - 2 * middle;
			const way = bend < 0 ? (low - high) / (2 * bend) : 0;
			return step * Math.max(-1, Math.min(1, way));
		};
		const dx = vertex(value(x - step, y), value(x + step, y));
		const dy = vertex(value(x, y - step), value(x, y + step));
		x += dx;
		y += dy;
	}
	return [x, y];
}
