import { checkNames } from "../basics/options.ts";
import { sameShape, show } from "../basics/shape.ts";
import { LINE, lines } from "../device/dispatch.ts";
import type { BufferView } from "../device/pool.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";
import { bmm } from "./bmm.ts";
import { scale as scaled } from "./elementwise.ts";
import { softmax } from "./softmax.ts";

export interface AttentionOptions {
	/** Multiplies the scores; default 1 / sqrt(C). */
	readonly scale?: number;
}

/**
 * Attention with one head, as torch's: queries q [B, T, C], keys and values k and v [B, S, C] -> y [B, T, C], y[b] = softmax(scale q[b] k[b]ᵀ) v[b].
 * On GPUs a T x S matrix of scores is never kept, so that memory grows with T + S. Throws where shapes do not fit.
 */
export function scaledDotProductAttention(
	q: Tensor,
	k: Tensor,
	v: Tensor,
	options: AttentionOptions = {},
): Tensor {
	const what = "scaledDotProductAttention";
	checkNames(what, options, ["scale"]);
	checkTensors(what, { q, k, v });
	const [batch, , channels] = q.shape;
	const shapes = `${what}: q ${show(q.shape)}, k ${show(k.shape)} and v ${show(v.shape)}`;
	if (
		[q, k].some(({ shape }) => shape.length !== 3) ||
		!sameShape(k.shape, v.shape) ||
		k.shape[0] !== batch ||
		k.shape[2] !== channels
	)
		throw new Error(
			`${shapes}; expected [B, T, C], and [B, S, C] for both others`,
		);
	const { scale = 1 / Math.sqrt(channels) } = options;
	if (!Number.isFinite(scale))
		throw new Error(`${shapes}, scale ${scale}; expected a finite number`);
	// On software adapters, where threads wait for each other at a high price, the composition is four to six times as fast.
	const attend =
		q.gpu.software || channels % 4 !== 0 ? composedAttention : fusedAttention;
	return attend(q, k, v, scale);
}

/** By batched products, with the matrix of scores. */
export function composedAttention(
	q: Tensor,
	k: Tensor,
	v: Tensor,
	scale: number,
): Tensor {
	const scores = bmm(scaled(q, scale), k, { transposeB: true });
	return bmm(softmax(scores), v);
}

/** Rows of a workgroup, and quads of channels that it sums. */
const ROWS = 32;
const SLAB = 128;

/** By one kernel a pass. The channels are a multiple of 4. */
export function fusedAttention(
	q: Tensor,
	k: Tensor,
	v: Tensor,
	scale: number,
): Tensor {
	const { gpu } = q;
	const [batch, queries, channels] = q.shape;
	const keys = k.shape[1];
	const quads = channels / 4;
	const slabs = Math.ceil(quads / SLAB);
	const run = (
		entry: string,
		[rows, columns]: readonly [number, number],
		bindings: Record<string, BufferView>,
		constants?: Record<string, number>,
		threads = batch * Math.ceil(rows / ROWS) * slabs * LINE,
	) =>
		gpu.run({
			shader: "attention",
			entry,
			bindings,
			constants,
			params: { batch, rows, columns, quads, slabs, scale },
			workgroups: lines(gpu, threads),
		});
	const across = [queries, keys] as const;
	const down = [keys, queries] as const;
	/** Of one of the products, each of which takes every query with every key. */
	const flop = 2 * batch * queries * keys * channels;

	const y = empty(gpu, q.shape);
	const lse = empty(gpu, [batch, queries]);
	// Of a second product there is none, but the shader names its rows.
	run("forward", across, { a: q, b: k, a2: q, b2: v, y, lse });
	gpu.statistics.flop += 2 * flop;
	return record(
		"scaledDotProductAttention",
		y,
		[q, k, v],
		(dy, grads) => {
			const [toQ, toK, toV] = [0, 1, 2].map((i) => grads.wants(i));
			const delta = empty(gpu, lse.shape);
			run("dotRows", across, { a: dy, b: y, dots: delta }, {}, lse.size);
			const known = { sums: lse, delta };
			const rows = { a: q, b: k, a2: dy, b2: v, ...known };
			const columns = { a: k, b: q, a2: v, b2: dy, ...known };
			const gradient = (GRADIENT: number) => ({ GRADIENT });
			if (toQ)
				run("gradient", across, { ...rows, y: grads.out(0) }, gradient(0));
			if (toK)
				run("gradient", down, { ...columns, y: grads.out(1) }, gradient(1));
			if (toV)
				run("gradient", down, { ...columns, y: grads.out(2) }, gradient(2));
			delta.dispose();
			const products = [toQ, toK, toV, toQ || toK].filter(Boolean).length;
			gpu.statistics.flop += products * flop;
		},
		[q, k, v, y, lse],
	);
}
