/** What attention is made of, on maps of 8 x 8 and 32 x 32 pixels. */

import type { Shape } from "../../src/engine/basics/shape.ts";
import {
	composedAttention,
	fusedAttention,
} from "../../src/engine/ops/attention.ts";
import { bmm } from "../../src/engine/ops/bmm.ts";
import { layerNorm } from "../../src/engine/ops/layerNorm.ts";
import { softmax } from "../../src/engine/ops/softmax.ts";
import { attention as attentionReference } from "../../test/reference/attention.ts";
import { layerNorm as layerNormReference } from "../../test/reference/norm.ts";
import { softmax as softmaxReference } from "../../test/reference/softmax.ts";
import { differences, type Given, sampled } from "./check.ts";
import { backward, FORWARD, type Op, on } from "./row.ts";

const normalised = (shape: Shape): Op => ({
	name: `softmax [${shape}]`,
	make: on([shape], ([x]) => softmax(x)),
	check: differences(([x]) => softmaxReference(x)),
	passes: [FORWARD, backward([0], [0])],
});

const layers = (shape: Shape): Op => ({
	name: `layerNorm [${shape}]`,
	make: on([shape, shape.slice(-1), shape.slice(-1)], ([x, weight, bias]) =>
		layerNorm(x, weight, bias),
	),
	check: differences(([x, weight, bias]) =>
		layerNormReference(x, weight, bias),
	),
	passes: [FORWARD, backward([0, 1, 2], [0, 1])],
});

/** An element of A B, or of its gradient to A or B; b is [B, N, K] if it is transposed. */
function productElement(
	{ inputs: [a, b], dy }: Given,
	of: number,
	i: number,
	transposeB: boolean,
): number {
	const [, m, k] = a.shape;
	const n = b.shape[transposeB ? 1 : 2];
	const atA = (s: number, r: number, c: number) => a.data[(s * m + r) * k + c];
	const atB = (s: number, r: number, c: number) =>
		b.data[transposeB ? (s * n + c) * k + r : (s * k + r) * n + c];
	const atY = (s: number, r: number, c: number) =>
		dy?.data[(s * m + r) * n + c] ?? 0;
	const sum = (count: number, f: (j: number) => number) => {
		let total = 0;
		for (let j = 0; j < count; j++) total += f(j);
		return total;
	};
	const place = (rows: number, columns: number) => [
		Math.floor(i / (rows * columns)),
		Math.floor(i / columns) % rows,
		i % columns,
	];
	if (!dy) {
		const [s, r, c] = place(m, n);
		return sum(k, (j) => atA(s, r, j) * atB(s, j, c));
	}
	if (of === 0) {
		const [s, r, c] = place(m, k);
		return sum(n, (j) => atY(s, r, j) * atB(s, c, j));
	}
	const [s, p, q] = transposeB ? place(n, k) : place(k, n);
	const [r, c] = transposeB ? [q, p] : [p, q];
	return sum(m, (j) => atA(s, j, r) * atY(s, j, c));
}

/** Queries with keys (A Bᵀ), or weights with values (A B); [B, M, K, N]. */
const product = (
	[batch, m, k, n]: readonly number[],
	transposeB: boolean,
): Op => ({
	name: `bmm ${batch} of ${m} x ${k} x ${n}${transposeB ? ", Bᵀ" : ""}`,
	make: on(
		[[batch, m, k], transposeB ? [batch, n, k] : [batch, k, n]],
		([a, b]) => bmm(a, b, { transposeB }),
	),
	check: sampled((given, of, i) => productElement(given, of, i, transposeB)),
	flop: 2 * batch * m * k * n,
	passes: [
		FORWARD,
		{ name: "dA", gradient: { to: [0], from: [1] } },
		{ name: "dB", gradient: { to: [1], from: [0] } },
	],
	twoSets: true,
});

/** Both ways; an adapter takes one of them. [B, T, C] */
const attention = (shape: readonly [number, number, number]): Op[] => {
	const [batch, tokens, channels] = shape;
	const scale = 1 / Math.sqrt(channels);
	const row = (attend: typeof fusedAttention): Op => ({
		name: `${attend.name} [${shape}]`,
		make: on([shape, shape, shape], ([q, k, v]) => attend(q, k, v, scale)),
		check: differences(([q, k, v]) => attentionReference(q, k, v, scale)),
	});
	const flop = 4 * batch * tokens * tokens * channels;
	return [
		{ ...row(fusedAttention), flop },
		// Every product of the forward pass is made again, some twice: no figure to compare.
		{ ...row(fusedAttention), passes: [backward([0, 1, 2], [0, 1, 2])] },
		{ ...row(composedAttention), flop },
	];
};

export const attentions: Op[] = [
	product([8, 64, 128, 64], true),
	product([8, 64, 64, 128], false),
	product([1, 1024, 64, 1024], true),
	product([8, 65, 37, 65], true),
	normalised([8, 64, 64]),
	normalised([1, 1024, 1024]),
	layers([512, 128]),
	...attention([8, 64, 128]),
	...attention([1, 1024, 64]),
];
