import type { Random } from "../random.ts";
import { noGrad } from "./autograd.ts";
import * as init from "./init.ts";
import { Module } from "./module.ts";
import { Buffer, Parameter } from "./nn.ts";
import { batchNorm, channelStatistics } from "./ops/batchNorm.ts";
import {
	type ConvOptions,
	conv2d,
	convTranspose2d,
	linear,
} from "./ops/conv.ts";
import { add, scale } from "./ops/elementwise.ts";
import { embedding } from "./ops/embedding.ts";
import { layerNorm } from "./ops/layerNorm.ts";
import { type GroupNormOptions, groupNorm } from "./ops/norm.ts";
import { dropout } from "./ops/random.ts";
import { checkNames } from "./options.ts";
import { scope } from "./scope.ts";
import { named, type Shape, show, type Tensor } from "./tensor.ts";

/**
 * torch's layers, with its names, defaults and initial values: modules that hold `weight` and `bias`. Shapes are the engine's, images B H W C. Each throws on options that it does not
 * know, and its forward() as the op of that name does.
 */

/** What a network is made of where nothing else is asked of it than forward(). */
export interface Layer {
	forward(x: Tensor): Tensor;
}

type Init = (shape: Shape) => Float32Array;

export interface InitOptions {
	/** What initial values are drawn from; not needed where `weight` and `bias` say them. */
	readonly random?: Random;
	/** Initial weights in place of torch's, which are uniform within 1 / sqrt(fan-in). */
	readonly weight?: Init;
	/** Initial biases in place of torch's, which are as the weights; false: none. */
	readonly bias?: Init | boolean;
}

const INIT = ["random", "weight", "bias"];

function generator(what: string, random: Random | undefined): Random {
	if (typeof random?.uniform === "function") return random;
	throw new TypeError(
		`${what}: found ${named(random)} as random, expected a Random to draw initial values from`,
	);
}

function checkSizes(what: string, sizes: Readonly<Record<string, number>>) {
	for (const [name, size] of Object.entries(sizes))
		if (!(Number.isInteger(size) && size > 0))
			throw new Error(
				`${what}: ${name} ${named(size)}; expected a whole number from 1`,
			);
}

/** Weight and bias of a linear layer or a convolution. */
function weighted(
	what: string,
	shape: Shape,
	outputs: number,
	{ random, weight, bias = true }: InitOptions,
): { weight: Parameter; bias: Parameter | null } {
	const fan = shape.slice(1).reduce((n, size) => n * size, 1);
	const within = 1 / Math.sqrt(fan);
	const torchs: Init = (shape) =>
		init.uniform(shape, {
			random: generator(what, random),
			a: -within,
			b: within,
		});
	const drawn = new Parameter(shape, (weight ?? torchs)(shape));
	if (bias === false) return { weight: drawn, bias: null };
	const values = (bias === true ? torchs : bias)([outputs]);
	return { weight: drawn, bias: new Parameter([outputs], values) };
}

/** x wᵀ + bias: [..., in] to [..., out]. */
export class Linear extends Module implements Layer {
	readonly weight: Parameter;
	readonly bias: Parameter | null;

	constructor(
		inFeatures: number,
		outFeatures: number,
		options: InitOptions = {},
	) {
		super();
		checkNames("Linear", options, INIT);
		checkSizes("Linear", { inFeatures, outFeatures });
		const shape = [outFeatures, inFeatures];
		({ weight: this.weight, bias: this.bias } = weighted(
			"Linear",
			shape,
			outFeatures,
			options,
		));
	}

	forward(x: Tensor): Tensor {
		return linear(x, this.weight, this.bias);
	}
}

/** A side, or height and width. */
type KernelSize = number | readonly [number, number];

/** What convolutions share; `transposed` has [Cin, KH, KW, Cout] as weight, else [O, KH, KW, C]. */
class Convolution extends Module {
	readonly weight: Parameter;
	readonly bias: Parameter | null;
	readonly options: ConvOptions;

	constructor(
		what: string,
		inChannels: number,
		outChannels: number,
		kernelSize: KernelSize,
		options: ConvOptions & InitOptions,
		transposed: boolean,
	) {
		super();
		checkNames(what, options, [...INIT, "stride", "padding", "activation"]);
		const [kh, kw] =
			typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
		checkSizes(what, { inChannels, outChannels, kernelSize: kh, width: kw });
		const shape = transposed
			? [inChannels, kh, kw, outChannels]
			: [outChannels, kh, kw, inChannels];
		const { stride, padding, activation } = options;
		this.options = { stride, padding, activation };
		({ weight: this.weight, bias: this.bias } = weighted(
			what,
			shape,
			outChannels,
			options,
		));
	}
}

/** Images [B, H, W, in] to [B, OH, OW, out]; see conv2d() for stride, padding and activation. */
export class Conv2d extends Convolution implements Layer {
	constructor(
		inChannels: number,
		outChannels: number,
		kernelSize: KernelSize,
		options: ConvOptions & InitOptions = {},
	) {
		super("Conv2d", inChannels, outChannels, kernelSize, options, false);
	}

	forward(x: Tensor): Tensor {
		return conv2d(x, this.weight, this.bias, this.options);
	}
}

/** The adjoint of Conv2d: see convTranspose2d(). */
export class ConvTranspose2d extends Convolution implements Layer {
	constructor(
		inChannels: number,
		outChannels: number,
		kernelSize: KernelSize,
		options: ConvOptions & InitOptions = {},
	) {
		super(
			"ConvTranspose2d",
			inChannels,
			outChannels,
			kernelSize,
			options,
			true,
		);
	}

	forward(x: Tensor): Tensor {
		return convTranspose2d(x, this.weight, this.bias, this.options);
	}
}

/** Ones and zeros, [channels] each: what normalisations begin with. */
class Affine extends Module {
	readonly weight: Parameter;
	readonly bias: Parameter;

	constructor(what: string, channels: number) {
		super();
		checkSizes(what, { channels });
		this.weight = new Parameter([channels], init.ones([channels]));
		this.bias = new Parameter([channels]);
	}
}

/** groupNorm(), with SiLU behind it where `activation` says so. */
export class GroupNorm extends Affine implements Layer {
	readonly options: GroupNormOptions;

	constructor(
		groups: number,
		channels: number,
		options: Omit<GroupNormOptions, "groups"> = {},
	) {
		super("GroupNorm", channels);
		checkNames("GroupNorm", options, ["eps", "activation"]);
		this.options = { ...options, groups };
	}

	forward(x: Tensor): Tensor {
		return groupNorm(x, this.weight, this.bias, this.options);
	}
}

/** layerNorm() over the last dimension, of `channels`. */
export class LayerNorm extends Affine implements Layer {
	readonly options: { readonly eps?: number };

	constructor(channels: number, options: { readonly eps?: number } = {}) {
		super("LayerNorm", channels);
		checkNames("LayerNorm", options, ["eps"]);
		this.options = options;
	}

	forward(x: Tensor): Tensor {
		return layerNorm(x, this.weight, this.bias, this.options);
	}
}

/**
 * batchNorm() of images: in training with the batch's own statistics, which move the running ones by `momentum`; after eval() with these. They are part of the state, by torch's names.
 */
export class BatchNorm2d extends Affine implements Layer {
	readonly running_mean: Buffer;
	readonly running_var: Buffer;
	readonly eps: number;
	readonly momentum: number;

	constructor(
		channels: number,
		options: { readonly eps?: number; readonly momentum?: number } = {},
	) {
		super("BatchNorm2d", channels);
		checkNames("BatchNorm2d", options, ["eps", "momentum"]);
		const { eps = 1e-5, momentum = 0.1 } = options;
		if (!(momentum >= 0 && momentum <= 1))
			throw new Error(
				`BatchNorm2d: momentum ${momentum}; expected a number from 0 to 1`,
			);
		this.eps = eps;
		this.momentum = momentum;
		this.running_mean = new Buffer([channels]);
		this.running_var = new Buffer([channels], init.ones([channels]));
	}

	forward(x: Tensor): Tensor {
		const { weight, bias, eps } = this;
		if (x.shape.length !== 4)
			throw new Error(
				`BatchNorm2d: x ${show(x.shape)}; expected images [B, H, W, C]`,
			);
		const running = { mean: this.running_mean, variance: this.running_var };
		if (!this.training) return batchNorm(x, weight, bias, { eps, running });
		const y = batchNorm(x, weight, bias, { eps });
		this.#follow(x);
		return y;
	}

	#follow(x: Tensor): void {
		const { gpu } = x;
		noGrad(gpu, () =>
			scope(gpu, () => {
				const { mean, variance } = channelStatistics(x);
				for (const [running, found] of [
					[this.running_mean, mean],
					[this.running_var, variance],
				]) {
					const kept = scale(running, 1 - this.momentum);
					gpu.copy(add(kept, scale(found, this.momentum)), running);
					running.touch();
				}
			}),
		);
	}
}

/** Rows of a table [count, channels] by their numbers: see embedding(). Initial values are standard normal, as torch's. */
export class Embedding extends Module implements Layer {
	readonly weight: Parameter;

	constructor(
		count: number,
		channels: number,
		options: Omit<InitOptions, "bias"> = {},
	) {
		super();
		checkNames("Embedding", options, ["random", "weight"]);
		checkSizes("Embedding", { count, channels });
		const shape = [count, channels];
		const { random, weight } = options;
		this.weight = new Parameter(
			shape,
			weight?.(shape) ??
				init.normal(shape, { random: generator("Embedding", random) }),
		);
	}

	forward(numbers: Tensor): Tensor {
		return embedding(numbers, this.weight);
	}
}

/** dropout() in training, and nothing after eval(). Each call in training drops others; the same generator gives the same ones. */
export class Dropout extends Module implements Layer {
	readonly p: number;
	readonly seed: number;
	/** Calls in training so far; set it to go on where an earlier run stopped. */
	step = 0;

	/** @param p probability of each element to go */
	constructor(p: number, { random, ...others }: { readonly random: Random }) {
		super();
		checkNames("Dropout", others, ["random"]);
		this.p = p;
		this.seed = generator("Dropout", random).uint32();
	}

	forward(x: Tensor): Tensor {
		if (!this.training) return x;
		const { p, seed } = this;
		return dropout(x, { p, seed, step: this.step++ });
	}
}

/** Layers, and functions such as relu, one after the other. Named by their places, "0.weight". */
export class Sequential extends Module implements Layer {
	readonly #layers: readonly (Layer | ((x: Tensor) => Tensor))[];

	constructor(...layers: (Layer | ((x: Tensor) => Tensor))[]) {
		super();
		for (const [i, layer] of layers.entries())
			if (
				typeof layer !== "function" &&
				typeof (layer as Partial<Layer> | undefined)?.forward !== "function"
			)
				throw new TypeError(
					`Sequential: found ${named(layer)} at ${i}, expected a function or a module with forward(x)`,
				);
		this.#layers = layers;
		Object.assign(this, layers);
	}

	forward(x: Tensor): Tensor {
		return this.#layers.reduce(
			(y, layer) => (typeof layer === "function" ? layer(y) : layer.forward(y)),
			x,
		);
	}
}
