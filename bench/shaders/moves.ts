/** What moves, repeats or resamples pixels, and the optimisers. */

import { type Shape, sizeOf } from "../../src/engine/basics/shape.ts";
import { Parameter, Parameters } from "../../src/engine/layers/parameters.ts";
import { embedding } from "../../src/engine/ops/embedding.ts";
import { permute } from "../../src/engine/ops/permute.ts";
import { avgPool2d, maxPool2d } from "../../src/engine/ops/pooling.ts";
import {
	concat,
	rotate,
	sliceChannels,
	upsampleNearest2x,
} from "../../src/engine/ops/sample.ts";
import { Adam } from "../../src/engine/optim/adam.ts";
import { tensor } from "../../src/engine/tensors/tensor.ts";
import { permute as permuteReference } from "../../test/reference/permute.ts";
import { pool } from "../../test/reference/pooling.ts";
import { rotate as rotateReference } from "../../test/reference/sample.ts";
import { differences, sampled } from "./check.ts";
import { backward, FORWARD, type Op, on } from "./row.ts";

const WIDE: Shape = [8, 64, 64, 16];
const IMAGE: Shape = [8, 64, 64, 1];

/** Where an element of [.., h, w, c] lies. */
const place = (i: number, [, h, w, c]: Shape) => {
	const pixel = Math.floor(i / c);
	const row = Math.floor(pixel / w);
	return { b: Math.floor(row / h), r: row % h, q: pixel % w, k: i % c };
};

const angles = Array.from({ length: 8 }, (_, i) => 0.3 + i);

const reordered = (shape: Shape, dims: readonly number[]): Op => ({
	name: `permute [${shape}] to ${dims}`,
	make: on([shape], ([x]) => permute(x, dims)),
	check: differences(([x]) => permuteReference(x, dims)),
	passes: [FORWARD, backward([0], [])],
});

const halves = {
	kernel: [2, 2],
	stride: [2, 2],
	padding: [0, 0],
} as const;

const pools: Op[] = [
	{
		name: `maxPool2d [${WIDE}] 2`,
		make: on([WIDE], ([x]) => maxPool2d(x, halves)),
		check: differences(([x]) => pool(x, halves, (v) => Math.max(...v))),
	},
	{
		name: `avgPool2d [${WIDE}] 2`,
		make: on([WIDE], ([x]) => avgPool2d(x, halves)),
		check: sampled(({ inputs: [x], dy }, _, i) => {
			const { b, r, q, k } = place(i, dy ? WIDE : [8, 32, 32, 16]);
			if (dy)
				return dy.data[((b * 32 + (r >> 1)) * 32 + (q >> 1)) * 16 + k] / 4;
			const row = (down: number) => (b * 64 + 2 * r + down) * 64 + 2 * q;
			return (
				[row(0), row(0) + 1, row(1), row(1) + 1].reduce(
					(sum, pixel) => sum + x.data[pixel * 16 + k],
					0,
				) / 4
			);
		}),
		passes: [FORWARD, backward([0], [])],
	},
];

const WORDS = Array.from({ length: 2048 }, (_, i) => (i * 37) % 512);

const lookup: Op = {
	name: "embedding [2048] in [512,64]",
	make: on([[512, 64]], ([table]) =>
		embedding(tensor(table.gpu, WORDS), table),
	),
	check: sampled(({ inputs: [table], dy }, _, i) => {
		const [row, column] = [Math.floor(i / 64), i % 64];
		if (!dy) return table.data[WORDS[row] * 64 + column];
		return WORDS.reduce(
			(sum, word, k) => sum + (word === row ? dy.data[k * 64 + column] : 0),
			0,
		);
	}),
	passes: [FORWARD, backward([0], [])],
};

export const moves: Op[] = [
	...pools,
	lookup,
	reordered([8, 64, 64, 16], [0, 3, 1, 2]),
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

const WEIGHTS = 2_300_000;
const RATE = 0.1;
const EPS = 1e-3;

const adam: Op = {
	name: `Adam step, clipped, ${WEIGHTS} weights`,
	make(fresh, gpu) {
		const list = new Map<string, Parameter>();
		list.set("w", new Parameter([WEIGHTS], new Float32Array(WEIGHTS)));
		// Not the scope's: it lives as long as the device.
		const parameters = new Parameters(gpu, list);
		const optimiser = new Adam(parameters, { lr: RATE, eps: EPS });
		const [values] = parameters.values.packs;
		const [gradients] = parameters.gradients.packs;
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

export const optimisers: Op[] = [adam];
