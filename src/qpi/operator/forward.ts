import type { HalfSpectrum } from "../maths/realFft.ts";
import { MapOperator } from "./mapOperator.ts";

/** A scatterer's position in Angstrom, the field's centre at (0, 0). */
export interface Position {
	readonly x: number;
	readonly y: number;
}

const HALF_FIELD = 200;

/** The (fractional) pixel of a coordinate in Angstrom on `linspace(-200, 200, size)`. */
export function pixelOf(angstrom: number, size = 64): number {
	return ((angstrom + HALF_FIELD) / (2 * HALF_FIELD)) * (size - 1);
}

/**
 * The superposition `Y = A K`: Y(r) = sum_j w_j K(r - r_j), linear in the kernel, with scatterers at known positions.
 *
 * - The image has 64 x 64 pixels at -200 + i dx; the kernel 128 x 128 nodes at the half-integer lags (m - 63.5) dx, so that its
 *   central 64 x 64 nodes are the pixels of a kernel image (one scatterer at (0, 0), which is no pixel), and every lag between
 *   a scatterer in the field and a pixel is inside. Nothing wraps around the image's edges.
 * - Subpixel positions are exact for band-limited kernels: the shift of each scatterer is a Fourier phase on the 128 x 128
 *   grid. At the Nyquist frequency the phase exp(i pi s) is replaced by its real part, for then a real kernel gives a real image and
 *   shifts by whole nodes stay exact.
 * - A is a Toeplitz matrix, `gram` = A A^T too; both are applied by transforms of period 128, the smallest that separates all lags.
 *
 * Images and kernels are Float64Arrays, first index x. Instances of a size share work arrays: use them from one thread.
 */
export class ForwardOperator {
	/** Pixels along an image's side. */
	readonly size: number;
	/** Nodes along the kernel's side, 2 * size. */
	readonly support: number;
	/** The scatterers inside the field, with their weights. */
	readonly scatterers: readonly Position[];
	readonly weights: readonly number[];
	readonly #map: MapOperator;

	/**
	 * @param scatterers positions in Angstrom; those more than a pixel outside the field (absent places hold 1000) are left out
	 * @param weights amplitude of each scatterer, 1 when not given
	 * @param size pixels along the image's side, a multiple of 8; 64 but in tests
	 * @throws when the numbers of weights and scatterers differ, or a position is not finite
	 */
	constructor(
		scatterers: readonly Position[],
		weights?: readonly number[],
		size = 64,
	) {
		if (weights && weights.length !== scatterers.length)
			throw new Error(
				`ForwardOperator: ${scatterers.length} scatterers but ${weights.length} weights`,
			);
		const bad = scatterers.findIndex(
			({ x, y }) => !Number.isFinite(x) || !Number.isFinite(y),
		);
		if (bad >= 0)
			throw new Error(
				`ForwardOperator: scatterer ${bad} has a position that is not a finite number`,
			);
		const margin = HALF_FIELD + (2 * HALF_FIELD) / (size - 1);
		const inside = scatterers
			.map(({ x, y }, i) => ({ x, y, weight: weights?.[i] ?? 1 }))
			.filter(({ x, y }) => Math.max(Math.abs(x), Math.abs(y)) <= margin);
		this.size = size;
		this.support = 2 * size;
		this.scatterers = inside.map(({ x, y }) => ({ x, y }));
		this.weights = inside.map(({ weight }) => weight);
		this.#map = new MapOperator(
			{ nx: size, ny: size, size: this.support },
			inside.map(({ x, y, weight }) => ({
				x: pixelOf(x, size),
				y: pixelOf(y, size),
				weight,
			})),
			[this.support, this.support],
		);
	}

	/** A K: kernel (support x support) -> image (size x size). */
	apply(
		kernel: Float64Array,
		out = new Float64Array(this.size ** 2),
	): Float64Array {
		return this.#map.apply(kernel, out);
	}

	/** A kernel's half spectrum, the same for every operator of this size: to apply one kernel to many arrangements. */
	spectrum(kernel: Float64Array): HalfSpectrum {
		return this.#map.spectrum(kernel);
	}

	/** `apply`, from `spectrum(kernel)`. */
	applySpectrum(
		spectrum: HalfSpectrum,
		out = new Float64Array(this.size ** 2),
	): Float64Array {
		return this.#map.applySpectrum(spectrum, out);
	}

	/** A^T y: image (size x size) -> kernel (support x support). */
	adjoint(
		image: Float64Array,
		out = new Float64Array(this.support ** 2),
	): Float64Array {
		return this.#map.adjoint(image, out);
	}

	/** A A^T y: image -> image, at a third of the price of `adjoint` and `apply`. */
	gram(
		image: Float64Array,
		out = new Float64Array(this.size ** 2),
	): Float64Array {
		return this.#map.gram(image, out);
	}
}
