/** Everything that is neither a convolution nor a transform, and moves no pixels: a matter of memory. */

import { type Shape, sizeOf } from "../../src/engine/basics/shape.ts";
import { maximum, where } from "../../src/engine/ops/compare.ts";
import { outputGradient } from "../../src/engine/ops/convGradients.ts";
import { add, mul, silu } from "../../src/engine/ops/elementwise.ts";
import { klLoss, mseLoss } from "../../src/engine/ops/loss.ts";
import { groupNorm } from "../../src/engine/ops/norm.ts";
import { dropout, randn, reparameterise } from "../../src/engine/ops/random.ts";
import { amax, columnSum, sum } from "../../src/engine/ops/reduce.ts";
import { crossEntropy } from "../../src/engine/ops/softmax.ts";
import { accumulate, plus } from "../../src/engine/tensors/accumulate.ts";
import { empty, tensor, zeros } from "../../src/engine/tensors/tensor.ts";
import { philox } from "../../src/random.ts";
import { broadcast } from "../../test/reference/broadcast.ts";
import { groupNorm as normReference } from "../../test/reference/norm.ts";
import { along } from "../../test/reference/reduce.ts";
import { differences, sampled } from "./check.ts";
import { backward, FORWARD, type Op, on } from "./row.ts";

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

const GATES: Shape = [8, 1, 1, 16];

/** Operands that are repeated along several dimensions. */
const repeated: Op[] = [
	{
		name: `mul [${WIDE}] and [${GATES}]`,
		make: on([WIDE, GATES], ([a, b]) => mul(a, b)),
		check: differences((both) => broadcast(both, (a, b) => a * b)),
		passes: [FORWARD, backward([0, 1], [0, 1])],
	},
	{
		name: `maximum [${WIDE}]`,
		make: on([WIDE, WIDE], ([a, b]) => maximum(a, b)),
		check: sampled(({ inputs, dy }, of, i) => {
			const [own, other] = [inputs[of].data[i], inputs[1 - of].data[i]];
			if (!dy) return Math.max(own, other);
			return own > other ? dy.data[i] : 0;
		}),
		passes: [FORWARD, backward([0, 1], [0, 1])],
	},
	{
		name: `where [${WIDE}], [${WIDE}], [1]`,
		make: on([WIDE, WIDE, [1]], ([c, a, b]) => where(c, a, b)),
		check: sampled(({ inputs: [c, a, b] }, _, i) =>
			c.data[i] ? a.data[i] : b.data[0],
		),
	},
	...[[1, 2], [3]].flatMap((dim): Op[] => [
		{
			name: `sum [${WIDE}] over ${dim}`,
			make: on([WIDE], ([x]) => sum(x, { dim })),
			check: differences(([x]) => along(x, dim, false, (a, b) => a + b)),
			passes: [FORWARD, backward([0], [])],
		},
		{
			name: `amax [${WIDE}] over ${dim}`,
			make: on([WIDE], ([x]) => amax(x, { dim })),
			check: differences(([x]) => along(x, dim, false, Math.max)),
		},
	]),
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

const CLASSES = 64;
const labels = Array.from({ length: 8192 }, (_, i) => (i * 29) % CLASSES);

const classified: Op = {
	name: `crossEntropy [8192,${CLASSES}]`,
	make: on([[8192, CLASSES]], ([x]) => crossEntropy(x, tensor(x.gpu, labels))),
	check: sampled(({ inputs: [x], dy }, _, i) => {
		const row = (r: number) => x.data.subarray(r * CLASSES, (r + 1) * CLASSES);
		const total = (r: number) => row(r).reduce((s, v) => s + Math.exp(v), 0);
		if (!dy)
			return (
				labels.reduce((s, k, r) => s + Math.log(total(r)) - row(r)[k], 0) / 8192
			);
		const r = Math.floor(i / CLASSES);
		const hit = labels[r] === i % CLASSES ? 1 : 0;
		return ((Math.exp(x.data[i]) / total(r) - hit) * dy.data[0]) / 8192;
	}),
	passes: [FORWARD, backward([0], [0])],
};

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
		name: `dropout [${WIDE}]`,
		make: on([WIDE], ([x]) => dropout(x, { p: 0.25, seed: 5, step: 6 })),
		check: sampled(({ inputs: [x] }, _, i) => {
			const word = philox([Math.floor(i / 4), 6, 0, 0x6c656e73], [5, 0])[i % 4];
			return (word >>> 8) + 0.5 < 2 ** 22 ? 0 : x.data[i] / 0.75;
		}),
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

export const others: Op[] = [
	norm([8, 64, 64, 8], 1),
	norm([8, 64, 64, 16], 2),
	norm([8, 32, 32, 16], 2),
	norm([8, 16, 16, 32], 4),
	norm([8, 8, 8, 64], 8),
	norm([8, 13, 17, 37], 1),
	...elementwise,
	...repeated,
	...sums,
	...losses,
	classified,
	...noise,
	...outputs,
];
