/** What a row of the table is, and how its tensors are made. */

import type { Disposable } from "../../src/engine/basics/scope.ts";
import type { Shape } from "../../src/engine/basics/shape.ts";
import type { Gpu } from "../../src/engine/device/gpu.ts";
import { randn } from "../../src/engine/ops/random.ts";
import { noGrad } from "../../src/engine/tensors/autograd.ts";
import { empty, type Tensor } from "../../src/engine/tensors/tensor.ts";
import type { Check } from "./check.ts";

/** Standard normal numbers that nothing else has had. */
export type Fresh = (shape: Shape) => Tensor;

/** An operator on given shapes. */
export interface Op {
	readonly name: string;
	make(
		fresh: Fresh,
		gpu: Gpu,
	): { inputs: Tensor[]; run: () => Tensor | Tensor[] };
	readonly check: Check;
	/** Default: forward alone. */
	readonly passes?: readonly Pass[];
	/** Floating-point operations of a pass; left out where memory is all that matters. */
	readonly flop?: number;
	/** Bytes that have to be read and written; default: inputs (of a gradient those that are named) and results, once. */
	readonly bytes?: number;
	/** Graphics cards get other kernels than software adapters. */
	readonly twoSets?: boolean;
}

export interface Pass {
	/** Behind the name of the op. */
	readonly name: string;
	/** Inputs whose gradients are computed, and inputs that are read for it besides dy; without it, the forward pass. */
	readonly gradient?: {
		readonly to: readonly number[];
		readonly from: readonly number[];
	};
}

export const FORWARD: Pass = { name: "forward" };

export const backward = (to: number[], from: number[]): Pass => ({
	name: "backward",
	gradient: { to, from },
});

/** make() of an op that is a function of random tensors. */
export const on =
	(shapes: readonly Shape[], op: (inputs: Tensor[]) => Tensor | Tensor[]) =>
	(fresh: Fresh) => {
		const inputs = shapes.map(fresh);
		return { inputs, run: () => op(inputs) };
	};

export interface Made {
	readonly inputs: Tensor[];
	readonly dy: Tensor | null;
	/** Dispatches the kernels of the pass, and nothing else. */
	readonly run: () => Tensor[];
	/** Bytes that have to be read for it. */
	readonly reads: number;
}

export const bytesOf = (tensors: readonly Tensor[]) =>
	tensors.reduce((sum, t) => sum + t.bytes, 0);

let draws = 0;

/** Makes the data of a row in the open scope; where a gradient is to be timed, the forward pass runs here. */
export function make(gpu: Gpu, op: Op, { gradient }: Pass): Made {
	const fresh = (shape: Shape) => randn(gpu, shape, { seed: 1, step: ++draws });
	const { inputs, run } = op.make(fresh, gpu);
	for (const t of inputs) t.requiresGrad = gradient !== undefined;
	if (!gradient)
		return {
			inputs,
			dy: null,
			run: () => [run()].flat(),
			reads: bytesOf(inputs),
		};
	const { to, from } = gradient;
	const [{ node, shape }] = [run()].flat();
	const dy = fresh(shape);
	return {
		inputs,
		dy,
		reads: bytesOf([dy, ...from.map((i) => inputs[i])]),
		run: () => {
			const made: Tensor[] = [];
			noGrad(gpu, () =>
				node?.backward(dy, {
					wants: (i) => to.includes(i),
					out(i) {
						made[i] = empty(gpu, inputs[i].shape);
						return made[i];
					},
					set(i, gradient) {
						made[i] = gradient;
					},
				}),
			);
			return to.map((i) => made[i]);
		},
	};
}

/** scope() for a function that waits; nothing else may run meanwhile. */
export async function longScope<T>(gpu: Gpu, fn: () => Promise<T>): Promise<T> {
	const owned = new Set<Disposable>();
	gpu.scopes.push(owned);
	try {
		return await fn();
	} finally {
		gpu.scopes.pop();
		for (const item of owned) item.dispose();
	}
}
