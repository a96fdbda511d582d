import type { Random } from "../../random.ts";
import { checkNames } from "../basics/options.ts";
import { type Shape, show, sizeOf } from "../basics/shape.ts";
import { checkShape } from "../tensors/tensor.ts";
import { generator } from "./layer.ts";

/**
 * Initial values of parameters (torch's nn.init): functions of the shape that give the values, row-major. Shapes are the engine's: weights of linear layers [O, K], of
 * convolutions [O, KH, KW, C], of transposed ones [Cin, KH, KW, Cout]; the first dimension counts as output, as torch has it.
 */

/** What values are drawn from: the same generator in the same state gives the same ones. */
interface Drawn {
	readonly random: Random;
}

export type Nonlinearity =
	| "linear"
	| "sigmoid"
	| "tanh"
	| "relu"
	| "leakyRelu"
	| "selu";

export interface KaimingOptions extends Drawn {
	/** Keeps the size of signals on their way forwards, or of gradients on their way back. Default "fanIn". */
	readonly mode?: "fanIn" | "fanOut";
	/** What follows. Default "leakyRelu". */
	readonly nonlinearity?: Nonlinearity;
	/** leakyRelu's slope below zero; default 0, which makes it relu. */
	readonly a?: number;
	/** Multiplies the values; default 1. With 0 a residual branch starts as nothing. */
	readonly gain?: number;
}

export interface XavierOptions extends Drawn {
	/** Multiplies the values; default 1. */
	readonly gain?: number;
}

/** The squares of calculateGain(). */
function squaredGain(nonlinearity: Nonlinearity, a: number): number {
	const squares = {
		linear: 1,
		sigmoid: 1,
		tanh: 25 / 9,
		relu: 2,
		leakyRelu: 2 / (1 + a * a),
		selu: 9 / 16,
	};
	const found = squares[nonlinearity];
	if (found === undefined)
		throw new Error(
			`init: nonlinearity "${nonlinearity}"; expected ${Object.keys(squares).join(", ")}`,
		);
	return found;
}

/** By how much weights are larger than 1 / sqrt(fan) to keep a signal's size through a nonlinearity. `a`: leakyRelu's slope, 0.01 by default. */
export function calculateGain(nonlinearity: Nonlinearity, a = 0.01): number {
	return Math.sqrt(squaredGain(nonlinearity, a));
}

/** Numbers that each output is made of, and outputs that each input goes into. */
function fans(what: string, shape: Shape): { fanIn: number; fanOut: number } {
	if (shape.length < 2)
		throw new Error(
			`${what}: shape ${show(shape)}; expected two dimensions or more`,
		);
	const taps = sizeOf(shape.slice(1, -1));
	return {
		fanIn: taps * (shape.at(-1) as number),
		fanOut: taps * shape[0],
	};
}

/** The options of what draws values. Throws, with its name, unless there are a shape and a generator, and on options that it does not know. */
function drawn<O extends Drawn>(
	what: string,
	shape: Shape,
	options: O,
	known: readonly string[],
): O {
	checkShape(shape, what);
	generator(what, (options as Partial<O> | undefined)?.random);
	checkNames(what, options, ["random", ...known]);
	return options;
}

/** In a loop, for Float32Array.from() takes several times as long, which networks of millions of values feel. */
function draw(shape: Shape, next: () => number): Float32Array {
	const values = new Float32Array(sizeOf(shape));
	for (let i = 0; i < values.length; i++) values[i] = next();
	return values;
}

export const zeros = (shape: Shape) => constant(shape, 0);

export const ones = (shape: Shape) => constant(shape, 1);

export function constant(shape: Shape, value: number): Float32Array {
	checkShape(shape, "init");
	return new Float32Array(sizeOf(shape)).fill(value);
}

/** Uniform on [a, b), [0, 1) by default. */
export function uniform(
	shape: Shape,
	options: Drawn & { readonly a?: number; readonly b?: number },
): Float32Array {
	const { random, a = 0, b = 1 } = drawn("uniform", shape, options, ["a", "b"]);
	return draw(shape, () => random.uniform(a, b));
}

/** Normal of mean 0 and deviation 1 by default. */
export function normal(
	shape: Shape,
	options: Drawn & { readonly mean?: number; readonly std?: number },
): Float32Array {
	const {
		random,
		mean = 0,
		std = 1,
	} = drawn("normal", shape, options, ["mean", "std"]);
	return draw(shape, () => mean + std * random.normal());
}

/** What values of mean 0 are drawn from, and their deviation. */
interface Spread extends Drawn {
	readonly std: number;
}

function kaiming(what: string, shape: Shape, options: KaimingOptions): Spread {
	const known = ["mode", "nonlinearity", "a", "gain"];
	const {
		random,
		mode = "fanIn",
		nonlinearity = "leakyRelu",
		a = 0,
		gain = 1,
	} = drawn(what, shape, options, known);
	const fan = fans(what, shape)[mode];
	if (fan === undefined)
		throw new Error(`${what}: mode "${mode}"; expected fanIn or fanOut`);
	return { random, std: gain * Math.sqrt(squaredGain(nonlinearity, a) / fan) };
}

function xavier(what: string, shape: Shape, options: XavierOptions): Spread {
	const { random, gain = 1 } = drawn(what, shape, options, ["gain"]);
	const { fanIn, fanOut } = fans(what, shape);
	return { random, std: gain * Math.sqrt(2 / (fanIn + fanOut)) };
}

/** Uniform, with the same deviation as normal() would have. */
function uniformLike(shape: Shape, { random, std }: Spread): Float32Array {
	const bound = Math.sqrt(3) * std;
	return uniform(shape, { random, a: -bound, b: bound });
}

/** Uniform within sqrt(3) times kaimingNormal's deviation (He et al. 2015). Throws on fewer than two dimensions. */
export const kaimingUniform = (
	shape: Shape,
	options: KaimingOptions,
): Float32Array =>
	uniformLike(shape, kaiming("kaimingUniform", shape, options));

/** Normal of deviation gain / sqrt(fan), times the nonlinearity's gain (He et al. 2015). Throws on fewer than two dimensions. */
export const kaimingNormal = (
	shape: Shape,
	options: KaimingOptions,
): Float32Array => normal(shape, kaiming("kaimingNormal", shape, options));

/** Uniform within sqrt(3) times xavierNormal's deviation (Glorot and Bengio 2010). Throws on fewer than two dimensions. */
export const xavierUniform = (
	shape: Shape,
	options: XavierOptions,
): Float32Array => uniformLike(shape, xavier("xavierUniform", shape, options));

/** Normal of deviation gain sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). Throws on fewer than two dimensions. */
export const xavierNormal = (
	shape: Shape,
	options: XavierOptions,
): Float32Array => normal(shape, xavier("xavierNormal", shape, options));
