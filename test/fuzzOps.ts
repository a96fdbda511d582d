/** Random cases of all ops of the table against their float64 references: `npm run fuzz -- --ops`, and a few hundred in fuzzOps.test.ts. */
import type { Gpu } from "../src/engine/device/gpu.ts";
import { avgPool2d, maxPool2d } from "../src/engine/ops/pooling.ts";
import { amax, mean, sum } from "../src/engine/ops/reduce.ts";
import {
	spectralConv,
	spectralConvAdjoint,
} from "../src/engine/ops/spectral.ts";
import { Random } from "../src/random.ts";
import * as attention from "./cases/attention.ts";
import * as bmm from "./cases/bmm.ts";
import * as broadcast from "./cases/broadcast.ts";
import * as conv from "./cases/conv.ts";
import * as elementwise from "./cases/elementwise.ts";
import * as embedding from "./cases/embedding.ts";
import * as layerNorm from "./cases/layerNorm.ts";
import * as loss from "./cases/loss.ts";
import * as norm from "./cases/norm.ts";
import * as permute from "./cases/permute.ts";
import * as pooling from "./cases/pooling.ts";
import * as noise from "./cases/random.ts";
import * as reduce from "./cases/reduce.ts";
import * as sample from "./cases/sample.ts";
import * as softmax from "./cases/softmax.ts";
import * as spectral from "./cases/spectral.ts";
import * as upsampleConv from "./cases/upsampleConv.ts";
import { type Case, checkCase } from "./opTesting.ts";

/** A whole number from 1 to `most`; half of the time of its lower quarter. */
const size = (random: Random, most: number) =>
	random.integer(1, (random.uniform() < 0.5 ? Math.ceil(most / 4) : most) + 1);

const pick = <T>(random: Random, items: readonly T[]): T =>
	items[random.integer(0, items.length)];

/** Channels: often a multiple of 4, for which there are kernels of their own. */
const channels = (random: Random, most: number) =>
	random.uniform() < 0.4
		? 4 * size(random, Math.floor(most / 4))
		: size(random, most);

const image = (random: Random, side = 9): [number, number, number, number] => [
	size(random, 3),
	size(random, side),
	size(random, side),
	channels(random, 20),
];

function shapeOf(random: Random): number[] {
	const dimensions = random.integer(1, 5);
	return Array.from({ length: dimensions }, () => size(random, 11));
}

function convolution(random: Random): Case {
	const x = image(random);
	const k: [number, number] = [size(random, 5), size(random, 5)];
	const pad = (kernel: number) => random.integer(0, kernel);
	const padding: [number, number, number, number] = [
		pad(k[0]),
		pad(k[0]),
		pad(k[1]),
		pad(k[1]),
	];
	// Neither output may be empty: of the convolution, and of the transposed one.
	for (const i of [0, 1]) {
		const sides = padding[2 * i] + padding[2 * i + 1];
		x[1 + i] = Math.max(x[1 + i], k[i] - sides, sides - k[i] + 2);
	}
	const stride: [number, number] = [size(random, 4), size(random, 4)];
	const activation = pick(random, [
		"none",
		"none",
		"relu",
		"leakyRelu",
	] as const);
	// So few outputs that some draw leaves all of them away from the kink.
	const most = activation === "none" ? 70 : 3;
	if (activation !== "none") x[0] = 1;
	return pick(
		random,
		conv.both({
			x,
			o: channels(random, most),
			k,
			stride,
			pad: padding,
			bias: random.uniform() < 0.7,
			activation,
		}),
	);
}

const product = (random: Random): Case =>
	pick(
		random,
		conv.products(
			size(random, 70),
			channels(random, 140),
			channels(random, 70),
		),
	);

const products = (random: Random): Case =>
	bmm.row(
		[
			size(random, 3),
			channels(random, 70),
			channels(random, 70),
			channels(random, 140),
		],
		random.uniform() < 0.5,
		random.uniform() < 0.5,
	);

const doubled = (random: Random): Case =>
	upsampleConv.row(
		[size(random, 3), size(random, 12), size(random, 12), channels(random, 40)],
		channels(random, 40),
		random.uniform() < 0.7,
	);

const reordered = (random: Random): Case => {
	const shape = shapeOf(random).slice(0, 4);
	return permute.row(shape, random.shuffle(shape.map((_, i) => i)));
};

const attend = (random: Random): Case =>
	attention.row(
		"scaledDotProductAttention",
		attention.byOption,
		[
			size(random, 3),
			size(random, 70),
			size(random, 140),
			channels(random, 60),
		],
		random.uniform() < 0.5 ? undefined : random.uniform(-2, 2),
	);

function unary(random: Random): Case {
	const op = pick(random, elementwise.unaries);
	const wide = ["silu", "sigmoid", "tanh"].includes(op.name);
	return elementwise.unaryRow(
		op,
		shapeOf(random),
		pick(random, wide ? [1, 3, 30] : [1, 3]),
	);
}

function binary(random: Random): Case {
	const a = shapeOf(random);
	const b = random.uniform() < 0.2 ? [1] : a.slice(random.integer(0, a.length));
	return elementwise.binaryRow(pick(random, elementwise.binaries), a, b);
}

/** Operands of which each is repeated along some dimensions, and may lack the first. */
function repeated(random: Random): Case {
	const shape = shapeOf(random);
	const part = () => {
		const own = shape.map((n) => (random.uniform() < 0.3 ? 1 : n));
		return own.slice(
			random.uniform() < 0.3 ? random.integer(0, own.length) : 0,
		);
	};
	const op = pick(random, broadcast.binaries);
	// So few outputs that some draw leaves all of them away from the kink.
	if (op.kink) shape[0] = Math.min(shape[0], 2);
	return random.uniform() < 0.2
		? broadcast.chosen([part(), part(), part()])
		: broadcast.row(op, part(), part());
}

function along(random: Random): Case {
	const shape = shapeOf(random);
	const op = pick(random, [sum, mean, amax]);
	if (op === amax) shape.splice(2);
	const dims = [...shape.keys()].filter(() => random.uniform() < 0.5);
	return reduce.over(op, shape, dims, random.uniform() < 0.5);
}

const reduction = (random: Random): Case =>
	pick(random, [reduce.whole, reduce.columns])(
		random.uniform() < 0.3
			? [size(random, 3000), size(random, 9)]
			: shapeOf(random),
	);

function groupNorm(random: Random): Case {
	const groups = size(random, 4);
	const width = size(random, 6);
	const shape = [
		size(random, 3),
		size(random, 9),
		size(random, 9),
		groups * width,
	];
	// In groups of few elements the gradient to x is what is left of terms that cancel: nothing to compare with.
	const grad = shape[1] * shape[2] * width >= 16;
	const eps = pick(random, [undefined, 0.1]);
	return norm.row(shape, groups, pick(random, ["none", "silu"]), {
		eps,
		grad,
		tolerance: grad ? undefined : 2e-4,
	});
}

function layerNormOf(random: Random): Case {
	const shape = pick(random, [
		shapeOf(random),
		[size(random, 300), size(random, 300)],
	]);
	// Of few values the gradient to x is what is left of terms that cancel.
	const grad = shape[shape.length - 1] >= 16;
	const eps = pick(random, [undefined, 0.1]);
	return layerNorm.row(shape, {
		eps,
		grad,
		tolerance: grad ? undefined : 2e-4,
	});
}

const softmaxOf = (random: Random): Case =>
	softmax.row(
		pick(random, [
			shapeOf(random),
			[size(random, 40), size(random, 300)],
			[1, size(random, 3000)],
		]),
		pick(random, [1, 30]),
	);

function move(random: Random): Case {
	const shape = image(random);
	const [b, h, w, c] = shape;
	const part = (most: number) => {
		const first = random.integer(0, most);
		return [first, random.integer(first + 1, most + 1)];
	};
	const [top, bottom] = part(h);
	const [left, right] = part(w);
	const [start, end] = part(c);
	const joined = Array.from({ length: size(random, 4) }, () =>
		channels(random, 12),
	);
	return pick(random, [
		() => sample.doubling(shape),
		() => sample.joining([b, h, w], joined),
		() => sample.slicing(shape, start, end),
		() =>
			sample.cropping(shape, {
				top,
				left,
				height: bottom - top,
				width: right - left,
			}),
	])();
}

function rotation(random: Random): Case {
	const shape = image(random);
	shape[3] = size(random, 4);
	const angle = () =>
		random.uniform() < 0.3
			? 90 * random.integer(-4, 5)
			: random.uniform(-400, 400);
	const count = random.uniform() < 0.5 ? 1 : shape[0];
	return sample.rotation(shape, Array.from({ length: count }, angle));
}

function pooled(random: Random): Case {
	const op = pick(random, [maxPool2d, avgPool2d]);
	const x = image(random, op === maxPool2d ? 5 : 9);
	// So few elements that some draw keeps all of them apart.
	if (op === maxPool2d) {
		x[0] = 1;
		x[3] = Math.min(x[3], 8);
	}
	const kernel: [number, number] = [size(random, 4), size(random, 4)];
	const pad = (k: number) => random.integer(0, Math.floor(k / 2) + 1);
	const padding: [number, number] = [pad(kernel[0]), pad(kernel[1])];
	for (const d of [0, 1])
		x[1 + d] = Math.max(x[1 + d], kernel[d] - 2 * padding[d]);
	const stride: [number, number] = [size(random, 4), size(random, 4)];
	return pooling.row(op, x, { kernel, stride, padding });
}

const numbered = (random: Random): Case =>
	pick(random, [
		() => embedding.looking(shapeOf(random), size(random, 20), size(random, 9)),
		() => embedding.marking(shapeOf(random), size(random, 9)),
		() =>
			embedding.entropy(
				size(random, 40),
				size(random, 300),
				pick(random, [1, 30]),
			),
	])();

function batchNormOf(random: Random): Case {
	const shape = image(random);
	const running = random.uniform() < 0.5;
	// Of few values the gradient to x is what is left of terms that cancel.
	if (!running) shape[1] = Math.max(shape[1], 16);
	return norm.batches(shape, running);
}

const dropped = (random: Random): Case =>
	noise.dropping(shapeOf(random), pick(random, [0, 0.1, 0.5, 0.9]));

const lossOf = (random: Random): Case =>
	pick(random, [loss.squares, loss.divergence])(shapeOf(random));

const reparameterise = (random: Random): Case =>
	noise.row(shapeOf(random), -random.uniform(0, 40), random.uniform(0, 5));

function filter(random: Random): Case {
	const grid = [
		pick(random, [2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16]),
		2 * pick(random, [1, 2, 3, 4, 5, 6, 8]),
	] as const;
	const batch = size(random, 4);
	const within = (): [number, number] => [
		size(random, grid[0]),
		size(random, grid[1]),
	];
	const op = pick(random, [spectralConv, spectralConvAdjoint]);
	const filters = pick(random, [1, batch]);
	return spectral.row(op, grid, [batch, filters], within(), within());
}

/** Convolutions twice: of all ops they have the most kernels. */
const families = [
	convolution,
	convolution,
	product,
	products,
	doubled,
	reordered,
	attend,
	unary,
	binary,
	repeated,
	reduction,
	along,
	groupNorm,
	layerNormOf,
	batchNormOf,
	softmaxOf,
	move,
	rotation,
	pooled,
	numbered,
	dropped,
	lossOf,
	reparameterise,
	filter,
];

/** Case number `k` of a seed: it depends on these two alone. */
export function randomCase(seed: number, k: number): Case {
	const random = new Random(seed, k);
	const c = pick(random, families)(random);
	return { ...c, least: 0.05, name: `${c.name} (--seed ${seed} --first ${k})` };
}

export interface FuzzOptions {
	readonly seed: number;
	readonly count: number;
	/** Number of the first case. Default 0. */
	readonly first?: number;
	readonly onFailure: (message: string) => void;
}

/** Checks random cases on the engines in turn; returns how many failed. */
export async function fuzzOps(
	engines: readonly Gpu[],
	{ seed, count, first = 0, onFailure }: FuzzOptions,
): Promise<number> {
	let failures = 0;
	for (let k = first; k < first + count; k++) {
		const gpu = engines[k % engines.length];
		const c = randomCase(seed, k);
		try {
			await checkCase(gpu, c);
		} catch (error) {
			failures++;
			const { message } = error as Error;
			onFailure(`${c.name}, on ${gpu.name}: ${message}`);
		}
	}
	return failures;
}
