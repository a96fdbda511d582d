import { fill } from "../engine/accumulate.ts";
import { noGrad } from "../engine/autograd.ts";
import type { Gpu } from "../engine/gpu.ts";
import { add, sub } from "../engine/ops/elementwise.ts";
import { leastSquares, weightedOffset } from "../engine/ops/leastSquares.ts";
import {
	pointSpectrum,
	spectralConv,
	spectralConvAdjoint,
	spectralGram,
} from "../engine/ops/spectral.ts";
import { empty, show, type Tensor, tensor } from "../engine/tensor.ts";
import { type Position, pixelOf } from "../qpi/forward.ts";

/** A scatterer in the model frame, Angstrom; its amplitude, 1 when not given. */
export interface WeightedPosition extends Position {
	readonly weight?: number;
}

export interface GpuRidgeOptions {
	/** At least 0; one for all, or one a sample. Default 1. */
	readonly lambda?: number | readonly number[];
	/** Steps of conjugate gradients; default 12, which regularise by themselves. */
	readonly steps?: number;
	/** [B, m, m]: shrink toward this kernel (zero around it) instead of toward zero. */
	readonly toward?: Tensor;
	/** [B, N, N], at least 0: the weight of each pixel, 0 where it was not measured (the image may be NaN there). Default 1. */
	readonly weights?: Tensor;
	/** Of the kernel that is returned, a multiple of 4 up to 2 N. Default: the side of `toward`, else all of the 2 N. */
	readonly side?: number;
}

/** See GpuForward.ridge. */
export interface GpuRidge {
	/** [B, side, side], in the image's units. */
	readonly kernel: Tensor;
	/** [B, N, N]: A K of the whole kernel, without the constant. */
	readonly model: Tensor;
	/** [B]: the constant b. */
	readonly offset: Tensor;
}

const HALF_FIELD = 200;

/**
 * `ForwardOperator` (src/qpi/forward.ts) for a batch of arrangements of scatterers on the GPU: Y = A K, one A a sample. Images are tensors [B, N, N], kernels
 * [B, m, m] with m = 2 N (every lag between a scatterer in the field and a pixel) or less (the middle of that; zero around it): m = N is a kernel
 * image. The three products are differentiable in their argument. The operator's tensors belong to the scope that it is made in.
 */
export class GpuForward {
	readonly gpu: Gpu;
	readonly batch: number;
	/** N, pixels along an image's side. */
	readonly size: number;
	/** [B, J, 3]: where kernel nodes lie relative to pixels, N - 1/2 - (pixel of the scatterer), along x and y; weight. Absent places have weight 0. */
	readonly points: Tensor;
	/** Scatterers in the field, by sample. */
	readonly counts: readonly number[];
	readonly spectrum: Tensor;

	/**
	 * @param scatterers of each sample, in the model frame (Angstrom); those more than a pixel outside of the field are left out
	 * @param size 8, 16, 32, 64, 128 or 256 pixels on `linspace(-200, 200, size)`
	 * @throws when there is no sample, or a position or weight is not finite
	 */
	constructor(
		gpu: Gpu,
		scatterers: readonly (readonly WeightedPosition[])[],
		size = 64,
	) {
		const margin = HALF_FIELD + (2 * HALF_FIELD) / (size - 1);
		const inside = scatterers.map((sample, b) =>
			sample.filter(({ x, y, weight = 1 }, j) => {
				if (![x, y, weight].every(Number.isFinite))
					throw new Error(
						`GpuForward: scatterer ${j} of sample ${b} is at (${x}, ${y}) with weight ${weight}; expected finite numbers`,
					);
				return Math.max(Math.abs(x), Math.abs(y)) <= margin;
			}),
		);
		const places = Math.max(1, ...inside.map((sample) => sample.length));
		const values = new Float32Array(scatterers.length * places * 3);
		inside.forEach((sample, b) => {
			sample.forEach(({ x, y, weight = 1 }, j) => {
				const shift = (at: number) => size - 0.5 - pixelOf(at, size);
				values.set([shift(x), shift(y), weight], (b * places + j) * 3);
			});
		});
		this.gpu = gpu;
		this.batch = scatterers.length;
		this.size = size;
		this.counts = inside.map((sample) => sample.length);
		this.points = tensor(gpu, values, [scatterers.length, places, 3]);
		this.spectrum = pointSpectrum(this.points, 2 * size);
	}

	/** A K: kernels [B, m, m] -> images [B, N, N]. */
	apply(kernel: Tensor): Tensor {
		return spectralConv(kernel, this.spectrum);
	}

	/** Aᵀ y: images [B, N, N] -> the middle [B, side, side] of the kernels; by default all of them. */
	adjoint(image: Tensor, side = 2 * this.size): Tensor {
		return spectralConvAdjoint(image, this.spectrum, side);
	}

	/** A Aᵀ y: images -> images, A from kernels of 2 N. */
	gram(image: Tensor): Tensor {
		return spectralGram(image, this.spectrum);
	}

	/**
	 * Known-position ridge least squares as `ridge` of src/qpi/ridge.ts does it (conjugate gradients from `toward`, stopped after `steps`): kernel K and constant
	 * b toward the least `|W^(1/2) (Y - A K - b)|² + lambda |K - toward|²`, sample by sample, over kernels of 2 N. Nothing is read back. No gradient.
	 * @throws when an option's shape does not fit, or a lambda is negative
	 */
	ridge(image: Tensor, options: GpuRidgeOptions = {}): GpuRidge {
		const { toward, side = toward?.shape[1] } = options;
		if (toward && toward.shape[1] !== side)
			throw new Error(
				`GpuForward.ridge: toward ${show(toward.shape)} for kernels of side ${side}; expected the same side`,
			);
		return noGrad(this.gpu, () => {
			const weights = options.weights ?? this.#ones();
			const before = toward && this.apply(toward);
			const u = this.dual(before ? sub(image, before) : image, options);
			const step = this.adjoint(u, side);
			const change = this.gram(u);
			const kernel = toward ? add(step, toward) : step;
			const model = before ? add(change, before) : change;
			return { kernel, model, offset: weightedOffset(image, model, weights) };
		});
	}

	/** The image u [B, N, N] for which Aᵀ u is ridge's kernel, less `toward`; `image` is what is left to explain. */
	dual(
		image: Tensor,
		{ lambda = 1, steps = 12, weights }: GpuRidgeOptions = {},
	): Tensor {
		const list =
			typeof lambda === "number" ? Array(this.batch).fill(lambda) : lambda;
		if (list.length !== this.batch || !list.every((l) => l >= 0))
			throw new Error(
				`GpuForward.dual: lambda ${list.join(", ")}; expected one number of at least 0, or ${this.batch}`,
			);
		return leastSquares(image, {
			gram: (z) => this.gram(z),
			weights: weights ?? this.#ones(),
			lambda: tensor(this.gpu, Float32Array.from(list), [this.batch]),
			steps,
		});
	}

	#ones(): Tensor {
		return fill(empty(this.gpu, [this.batch, this.size, this.size]), 1);
	}
}
