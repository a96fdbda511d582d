import type { Random } from "../../random.ts";
import { isList, named } from "../basics/named.ts";
import { checkNames } from "../basics/options.ts";
import type { Shape } from "../basics/shape.ts";
import { type ConvOptions, conv2d, convTranspose2d } from "../ops/conv.ts";
import { embedding } from "../ops/embedding.ts";
import { linear } from "../ops/linear.ts";
import type { Tensor, Values } from "../tensors/tensor.ts";
import * as init from "./init.ts";
import { checkSizes, generator, type Layer } from "./layer.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameters.ts";

/** Row-major, what tensor() takes. */
type Init = (shape: Shape) => Values;

export interface InitOptions {
	/** What initial values are drawn from; not needed where `weight` and `bias` say them. */
	readonly random?: Random;
	/** Initial weights in place of torch's, which are uniform within 1 / sqrt(fan-in). */
	readonly weight?: Init;
	/** Initial biases in place of torch's, which are as the weights; false: none. */
	readonly bias?: Init | boolean;
}

const INIT = ["random", "weight", "bias"];

/** Throws on what is to give initial values and is no function. */
function checkInit(what: string, options: InitOptions): void {
	for (const [name, value] of Object.entries(options))
		if (
			["weight", "bias"].includes(name) &&
			!["function", "undefined"].includes(typeof value) &&
			(name === "weight" || typeof value !== "boolean")
		)
			throw new TypeError(
				`${what}: found ${named(value)} as ${name}, expected a function of the shape that gives the values`,
			);
}

/** Weight and bias of a linear layer or a convolution. */
function weighted(
	what: string,
	shape: Shape,
	outputs: number,
	options: InitOptions,
): { weight: Parameter; bias: Parameter | null } {
	checkInit(what, options);
	const { random, weight, bias = true } = options;
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
		if (typeof kernelSize !== "number" && !isList(kernelSize))
			throw new TypeError(
				`${what}: found ${named(kernelSize)} as kernelSize, expected a whole number or two`,
			);
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
		checkInit("Embedding", options);
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
