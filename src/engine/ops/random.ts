import { checkNames } from "../basics/options.ts";
import { type Shape, sameShape, show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import type { Gpu } from "../device/gpu.ts";
import type { BufferView } from "../device/pool.ts";
import { record } from "../tensors/autograd.ts";
import { checkPlace, checkTensors, empty, Tensor } from "../tensors/tensor.ts";

/**
 * Random numbers made on the device by Philox (see src/random.ts, whose streams are others): they depend on these three and the element alone, so any step of a run can be
 * repeated. seed: a whole number below 2^53; step and stream: below 2^32.
 */
export interface NoiseKey {
	readonly seed: number;
	readonly step: number;
	/** Tells apart what draws in the same step. */
	readonly stream?: number;
}

const NO_KEY = { seed: 0, step: 0, stream: 0 };

function run(
	entry: string,
	bindings: Record<string, BufferView>,
	shape: Tensor,
	key: NoiseKey = NO_KEY,
	p = 0,
): void {
	const { seed, step, stream = 0 } = key;
	shape.gpu.run({
		shader: "random",
		entry,
		bindings,
		params: {
			n: shape.size,
			step,
			stream,
			seed: [seed % 2 ** 32, Math.floor(seed / 2 ** 32)],
			p,
		},
		workgroups: lines(shape.gpu, Math.ceil(shape.size / 4)),
	});
}

function checkKey(op: string, shape: Shape, key: NoiseKey): void {
	checkNames(op, key, ["seed", "step", "stream"]);
	const { seed, step, stream = 0 } = key;
	const fits = (value: number, limit: number) =>
		Number.isInteger(value) && value >= 0 && value < limit;
	if (!fits(seed, 2 ** 53) || !fits(step, 2 ** 32) || !fits(stream, 2 ** 32))
		throw new Error(
			`${op} ${show(shape)}: seed ${seed}, step ${step}, stream ${stream}; expected whole numbers from 0, below 2^53, 2^32 and 2^32`,
		);
}

/** Standard normal numbers, the same on all adapters up to rounding (about 1e-6); no gradient. Throws on a key that does not fit. */
export function randn(gpu: Gpu, shape: Shape, key: NoiseKey): Tensor {
	checkPlace("randn", gpu, shape);
	checkKey("randn", shape, key);
	const y = empty(gpu, shape);
	run("normal", { y }, y, key);
	return y;
}

/** The generator's 32-bit words themselves, `count` of them (a multiple of 4): bit patterns, not floats. */
export function randomBits(gpu: Gpu, count: number, key: NoiseKey): Tensor {
	checkPlace("randomBits", gpu, [count]);
	checkKey("randomBits", [count], key);
	if (count % 4 !== 0)
		throw new Error(`randomBits [${count}]; expected a multiple of 4`);
	const words = empty(gpu, [count]);
	run("bits", { words }, words, key);
	return words;
}

/**
 * A sample of N(mean, exp(logvar)) that gradients pass through: mean + exp(logvar / 2) * noise (Kingma and Welling 2014), where the noise is given, or
 * drawn from a key. logvar is clamped to [-30, 20] and gets no gradient outside. All shapes are equal; noise that requires a gradient is refused.
 */
export function reparameterise(
	mean: Tensor,
	logvar: Tensor,
	noise: Tensor | NoiseKey,
): Tensor {
	checkTensors("reparameterise", { mean, logvar });
	const { gpu, shape } = mean;
	const given = noise instanceof Tensor ? [noise] : [];
	if ([logvar, ...given].some((t) => !sameShape(t.shape, shape)))
		throw new Error(
			`reparameterise: mean, logvar, noise ${[mean, logvar, ...given].map((t) => show(t.shape)).join(", ")}; expected the same shape`,
		);
	if (given.some((t) => t.requiresGrad))
		throw new Error(
			`reparameterise: noise ${show(shape)} requires a gradient, and there is none to it; expected noise.detach()`,
		);
	const eps = noise instanceof Tensor ? noise : randn(gpu, shape, noise);
	const y = empty(gpu, shape);
	run("reparameterise", { mean, logvar, noise: eps, y }, y);
	return record(
		"reparameterise",
		y,
		[mean, logvar],
		(dy, grads) => {
			if (grads.wants(0)) grads.set(0, dy);
			if (grads.wants(1)) {
				const dlogvar = grads.out(1);
				run(
					"reparameteriseBackward",
					{ logvar, noise: eps, dy, y: dlogvar },
					dlogvar,
				);
			}
		},
		[logvar, eps],
	);
}

export interface DropoutOptions extends NoiseKey {
	/** The probability of each element to go; default 0.5. */
	readonly p?: number;
}

/**
 * x with elements set to 0 at random, each with probability p, and the others divided by 1 - p (Srivastava et al. 2014). Which ones depends on the key alone: take another
 * step for each step of a training. For training; leave it out otherwise. Throws on p that is not from 0, below 1, and on a key that does not fit.
 */
export function dropout(x: Tensor, options: DropoutOptions): Tensor {
	checkTensors("dropout", { x });
	checkNames("dropout", options, ["p", "seed", "step", "stream"]);
	const { p = 0.5, ...key } = options;
	if (!(p >= 0 && p < 1))
		throw new Error(
			`dropout: x ${show(x.shape)}, p ${p}; expected a number from 0, below 1`,
		);
	checkKey("dropout", x.shape, key);
	const y = empty(x.gpu, x.shape);
	run("dropout", { mean: x, y }, y, key, p);
	return record(
		"dropout",
		y,
		[x],
		(dy, grads) => {
			const dx = grads.out(0);
			run("dropout", { mean: dy, y: dx }, dx, key, p);
		},
		[],
	);
}
