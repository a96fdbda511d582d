/** Everything that is neither a convolution nor a transform: a matter of memory. */
import { accumulate, fill, plus } from "../../src/engine/accumulate.ts";
import { ParameterList, Parameters } from "../../src/engine/nn.ts";
import { outputGradient } from "../../src/engine/ops/convKernels.ts";
import { add, mul, scale, silu } from "../../src/engine/ops/elementwise.ts";
import { leastSquares } from "../../src/engine/ops/leastSquares.ts";
import { klLoss, mseLoss } from "../../src/engine/ops/loss.ts";
import { groupNorm } from "../../src/engine/ops/norm.ts";
import { randn, reparameterise } from "../../src/engine/ops/random.ts";
import { columnSum } from "../../src/engine/ops/reduce.ts";
import {
	concat,
	rotate,
	sliceChannels,
	upsampleNearest2x,
} from "../../src/engine/ops/sample.ts";
import { Adam } from "../../src/engine/optim.ts";
import {
	empty,
	type Shape,
	sizeOf,
	type Tensor,
	zeros,
} from "../../src/engine/tensor.ts";
import { philox } from "../../src/random.ts";
import { groupNorm as normReference } from "../../test/reference/norm.ts";
import { rotate as rotateReference } from "../../test/reference/sample.ts";
import { differences, sampled } from "./check.ts";
import { FORWARD, type Op, on, type Pass } from "./row.ts";

const backward = (to: number[], from: number[]): Pass => ({
	name: "backward",
	gradient: { to, from },
});
const WIDE: Shape = [8, 64, 64, 16];
const IMAGE: Shape = [8, 64, 64, 1];

const norm = (shape: Shape, groups: number): Op => ({
	name: `groupNorm silu [${shape}] in ${groups}`,
	make: on([shape, [shape[3]], [shape[3]]], ([x, gamma, beta]) =>
		groupNorm(x, gamma, beta, { groups, activation: "silu" }),
	),
	check: differences(([x, gamma, beta]) =>
		normReference(x, gamma, beta, groups, true),
	),
	passes: [FORWARD, backward([0, 1, 2], [0, 1, 2])],
});

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

const elementwise: Op[] = [
	{
		name: `silu [${WIDE}]`,
		make: on([WIDE], ([x]) => silu(x)),
		check: sampled(({ inputs: [x], dy }, _, i) => {
			const s = sigmoid(x.data[i]);
			if (!dy) return x.data[i] * s;
			return dy.data[i] * s * (1 + x.data[i] * (1 - s));
		}),
		passes: [FORWARD, backward([0], [0])],
	},
	{
		name: `add [${WIDE}]`,
		make: on([WIDE, WIDE], ([a, b]) => add(a, b)),
		check: sampled(({ inputs: [a, b] }, _, i) => a.data[i] + b.data[i]),
	},
	{
		name: `mul [${WIDE}]`,
		make: on([WIDE, WIDE], ([a, b]) => mul(a, b)),
		check: sampled(({ inputs: [a, b], dy }, of, i) =>
			dy ? dy.data[i] * [b, a][of].data[i] : a.data[i] * b.data[i],
		),
		passes: [FORWARD, backward([0, 1], [0, 1])],
	},
	{
		name: `add bias [8,4096]`,
		make: on([[8, 4096], [4096]], ([a, b]) => add(a, b)),
		check: sampled(({ inputs: [a, b] }, _, i) => a.data[i] + b.data[i % 4096]),
	},
	{
		name: `plus [${WIDE}]`,
		make: on([WIDE, WIDE], ([a, b]) => {
			const y = empty(a.gpu, a.shape);
			plus(a, b, y);
			return y;
		}),
		check: sampled(({ inputs: [a, b] }, _, i) => a.data[i] + b.data[i]),
	},
	{
		name: `accumulate [${WIDE}]`,
		make: (fresh, gpu) => {
			const [x, y] = [fresh(WIDE), zeros(gpu, WIDE)];
			const run = () => {
				accumulate(y, x);
				return y.view(WIDE);
			};
			return { inputs: [x, y], run };
		},
		check: sampled(({ inputs: [x, y] }, _, i) => x.data[i] + y.data[i]),
		bytes: 3 * 4 * sizeOf(WIDE),
	},
];

/** Sum of a column of n values in rows of so many. */
const column = (
	value: (i: number) => number,
	n: number,
	columns: number,
	c: number,
) => {
	let sum = 0;
	for (let i = c; i < n; i += columns) sum += value(i);
	return sum;
};

const sums: Op[] = [16, 5, 1].map((columns) => ({
	name: `columnSum [32768,${columns}]`,
	make: on([[32768, columns]], ([x]) => columnSum(x)),
	check: sampled(({ inputs: [x], dy }, _, i) =>
		dy
			? dy.data[i % columns]
			: column((k) => x.data[k], x.data.length, columns, i),
	),
	passes: [FORWARD, backward([0], [])],
}));

const mean = (data: Float64Array, f: (v: number, i: number) => number) =>
	data.reduce((sum, v, i) => sum + f(v, i), 0) / data.length;

const losses: Op[] = [WIDE, IMAGE].flatMap((shape): Op[] => [
	{
		name: `mseLoss [${shape}]`,
		make: on([shape, shape], ([a, b]) => mseLoss(a, b)),
		check: sampled(({ inputs: [a, b], dy }, of, i) =>
			dy
				? (((of === 0 ? 2 : -2) * dy.data[0]) / a.data.length) *
					(a.data[i] - b.data[i])
				: mean(a.data, (v, k) => (v - b.data[k]) ** 2),
		),
		passes: [FORWARD, backward([0, 1], [0, 1])],
	},
	{
		name: `klLoss [${shape}]`,
		make: on([shape, shape], ([m, l]) => klLoss(m, l)),
		check: sampled(({ inputs: [{ data: m }, { data: l }], dy }, of, i) => {
			if (!dy)
				return mean(m, (v, k) => (v ** 2 + Math.exp(l[k]) - 1 - l[k]) / 2);
			const slope = of === 0 ? m[i] : (Math.exp(l[i]) - 1) / 2;
			return (dy.data[0] / m.length) * slope;
		}),
		passes: [FORWARD, backward([0, 1], [0, 1])],
	},
]);

/** Where an element of [.., h, w, c] lies. */
const place = (i: number, [, h, w, c]: Shape) => {
	const pixel = Math.floor(i / c);
	const row = Math.floor(pixel / w);
	return { b: Math.floor(row / h), r: row % h, q: pixel % w, k: i % c };
};

const angles = Array.from({ length: 8 }, (_, i) => 0.3 + i);

const moves: Op[] = [
	{
		name: "upsampleNearest2x [8,32,32,16]",
		make: on([[8, 32, 32, 16]], ([x]) => upsampleNearest2x(x)),
		check: sampled(({ inputs: [x], dy }, _, i) => {
			const { b, r, q, k } = place(i, dy ? x.shape : WIDE);
			const at = (row: number, column: number, side: number) =>
				((b * side + row) * side + column) * 16 + k;
			if (!dy) return x.data[at(r >> 1, q >> 1, 32)];
			const [top, bottom] = [2 * r, 2 * r + 1].map(
				(row) => dy.data[at(row, 2 * q, 64)] + dy.data[at(row, 2 * q + 1, 64)],
			);
			return top + bottom;
		}),
		passes: [FORWARD, backward([0], [])],
	},
	...[8, 5].map((c): Op => {
		const half = [8, 64, 64, c];
		return {
			name: `concat 2 x [${half}]`,
			make: on([half, half], (both) => concat(both)),
			check: sampled(({ inputs, dy }, of, i) => {
				const pixel = Math.floor(i / c);
				if (dy) return dy.data[pixel * 2 * c + of * c + (i % c)];
				const whole = Math.floor(i / 2 / c);
				const k = i % (2 * c);
				return inputs[k < c ? 0 : 1].data[whole * c + (k % c)];
			}),
			passes: [FORWARD, backward([0, 1], [])],
		};
	}),
	{
		name: `sliceChannels [${WIDE}] 8`,
		make: on([WIDE], ([x]) => sliceChannels(x, 4, 12)),
		check: sampled(
			({ inputs: [x] }, _, i) => x.data[Math.floor(i / 8) * 16 + 4 + (i % 8)],
		),
		bytes: 4 * sizeOf(WIDE), // reads a half, writes a half
	},
	{
		name: `rotate [${IMAGE}]`,
		make: on([IMAGE], ([x]) => rotate(x, angles)),
		check: differences(([x]) => rotateReference(x, angles)),
		passes: [FORWARD, backward([0], [])],
	},
];

/** Philox (src/random.ts) by the counter of a thread, which makes four normal numbers of four words (Box and Muller). */
const normal = (i: number) => {
	const words = philox([Math.floor(i / 4), 6, 7, 0], [5, 0]);
	const [u, v] = words.slice(i & 2).map((w) => ((w >>> 8) + 0.5) / 2 ** 24);
	const angle = 2 * Math.PI * (v - 0.5);
	return (
		Math.sqrt(-2 * Math.log(u)) * (i % 2 ? Math.sin(angle) : Math.cos(angle))
	);
};

const noise: Op[] = [
	{
		name: `randn [${WIDE}]`,
		make: (_, gpu) => ({
			inputs: [],
			run: () => randn(gpu, WIDE, { seed: 5, step: 6, stream: 7 }),
		}),
		check: sampled((_, __, i) => normal(i)),
	},
	{
		name: `reparameterise [${WIDE}]`,
		make: on([WIDE, WIDE, WIDE], ([m, l, e]) => reparameterise(m, l, e)),
		check: sampled(({ inputs: [m, l, e], dy }, _, i) => {
			const product = Math.exp(l.data[i] / 2) * e.data[i];
			return dy ? (dy.data[i] * product) / 2 : m.data[i] + product;
		}),
		passes: [FORWARD, backward([1], [1, 2])],
	},
];

/** What surrounds a convolution: the gradients of bias and activation. */
const outputs: Op[] = [0, 1].map((slope) => ({
	name: `outputGradient [${WIDE}] ${slope ? "bias" : "relu, bias"}`,
	make: on([WIDE, WIDE], ([y, dy]) => {
		const dbias = empty(y.gpu, [16]);
		const dz = outputGradient(y, dy, slope, dbias);
		return slope ? [dbias] : [dbias, dz];
	}),
	check: sampled(({ inputs: [y, dy] }, of, i) => {
		const dz = (k: number) => dy.data[k] * (y.data[k] > 0 ? 1 : slope);
		return of ? dz(i) : column(dz, dy.data.length, 16, i);
	}),
	// The bias alone needs no y and gives no dz.
	bytes: (slope ? 1 : 3) * 4 * sizeOf(WIDE),
}));

const WEIGHTS = 2_300_000;
const RATE = 0.1;
const EPS = 1e-3;

const adam: Op = {
	name: `Adam step, clipped, ${WEIGHTS} weights`,
	make(fresh, gpu) {
		const list = new ParameterList();
		list.add("w", [WEIGHTS], new Float32Array(WEIGHTS));
		// Not the scope's: it lives as long as the device.
		const parameters = new Parameters(gpu, list);
		const optimiser = new Adam(parameters, { lr: RATE, eps: EPS });
		const { values, gradients } = parameters;
		const inputs = [fresh(values.shape), fresh(values.shape)];
		gpu.copy(inputs[0], values);
		gpu.copy(inputs[1], gradients);
		parameters.get("w").gradIsFresh = false;
		const run = () => {
			optimiser.step({ clip: 1 });
			return values.view(values.shape);
		};
		return { inputs, run };
	},
	// After the first step both moments are those of one gradient.
	check: sampled(({ inputs: [w, { data }] }, _, i) => {
		const norm = Math.sqrt(data.reduce((sum, g) => sum + g * g, 0));
		const g = data[i] / norm;
		return w.data[i] - (RATE * g) / (Math.abs(g) + EPS);
	}),
	// The gradients twice, for their norm comes first; values and moments in and out.
	bytes: 8 * 4 * WEIGHTS,
};

const IMAGES: Shape = [8, 64, 64];

/** One step with the identity for an operator: half of y without its mean. */
const solver: Op = {
	name: `leastSquares [${IMAGES}], 1 step`,
	make(fresh, gpu) {
		const y = fresh(IMAGES);
		const weights = fill(empty(gpu, IMAGES), 1);
		const lambda = fill(empty(gpu, [IMAGES[0]]), 1);
		const gram = (z: Tensor) => scale(z, 1);
		const run = () => leastSquares(y, { gram, weights, lambda, steps: 1 });
		return { inputs: [y], run };
	},
	check: sampled(({ inputs: [{ data }] }, _, i) => {
		const first = i - (i % 4096);
		const own = data.subarray(first, first + 4096);
		return (data[i] - mean(own, (v) => v)) / 2;
	}),
	// begin: y, weights -> r, u; gram: r -> gr; advance: r, gr, weights, u -> p, gp, u, r.
	bytes: 14 * 4 * sizeOf(IMAGES),
};

export const others: Op[] = [
	norm([8, 64, 64, 8], 1),
	norm([8, 64, 64, 16], 2),
	norm([8, 32, 32, 16], 2),
	norm([8, 16, 16, 32], 4),
	norm([8, 8, 8, 64], 8),
	norm([8, 13, 17, 37], 1),
	...elementwise,
	...sums,
	...losses,
	...moves,
	...noise,
	...outputs,
	adam,
	solver,
];
