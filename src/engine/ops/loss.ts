import { sameShape, show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import type { BufferView } from "../device/pool.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";
import { sumColumns } from "./reduce.ts";

/** Losses: tensors of shape [1]; add them with add() and scale(). */

/** vec4s that one thread of the first pass adds up. */
const EACH = 16;

function checkShapes(
	op: string,
	operands: Readonly<Record<string, Tensor>>,
): void {
	checkTensors(op, operands);
	const names = Object.keys(operands);
	const [a, b] = Object.values(operands);
	if (!sameShape(a.shape, b.shape))
		throw new Error(
			`${op}: ${names[0]} ${show(a.shape)} and ${names[1]} ${show(b.shape)}; expected the same shape`,
		);
}

/** factor times the sum over all elements of what the shader's `entry` computes from a and b. */
function total(entry: string, a: Tensor, b: Tensor, factor: number): Tensor {
	const { gpu } = a;
	const threads = Math.ceil(a.size / (4 * EACH));
	const partial = empty(gpu, [threads]);
	gpu.run({
		shader: "loss",
		entry,
		bindings: { a, b, y: partial },
		params: { n: a.size, threads, factor: 0 },
		workgroups: lines(gpu, threads),
	});
	const y = empty(gpu, [1]);
	sumColumns(partial, y, factor);
	partial.dispose();
	return y;
}

function gradient(
	entry: string,
	bindings: Record<string, BufferView>,
	dx: Tensor,
	factor: number,
): void {
	dx.gpu.run({
		shader: "loss",
		entry,
		bindings: { ...bindings, dx },
		params: { n: dx.size, threads: 0, factor },
		workgroups: lines(dx.gpu, Math.ceil(dx.size / 4)),
	});
}

/** mean((a - b)^2), with gradients to both. Throws unless they have the same shape. */
export function mseLoss(a: Tensor, b: Tensor): Tensor {
	checkShapes("mseLoss", { a, b });
	return record(
		"mseLoss",
		total("squares", a, b, 1 / a.size),
		[a, b],
		(dy, grads) => {
			for (const [i, sign] of [1, -1].entries())
				if (grads.wants(i))
					gradient(
						"squaresBackward",
						{ a, b, dy },
						grads.out(i),
						(2 * sign) / a.size,
					);
		},
	);
}

/**
 * -1/2 mean(1 + logvar - mean^2 - exp(logvar)): the Kullback-Leibler divergence of N(mean, exp(logvar)) from N(0, 1), per element (Kingma and Welling
 * 2014, eq. 10). logvar is clamped to [-30, 20] and gets no gradient outside. Throws unless both have the same shape.
 */
export function klLoss(mean: Tensor, logvar: Tensor): Tensor {
	checkShapes("klLoss", { mean, logvar });
	const y = total("divergence", mean, logvar, -0.5 / mean.size);
	return record("klLoss", y, [mean, logvar], (dy, grads) => {
		if (grads.wants(0))
			gradient(
				"divergenceToMean",
				{ a: mean, dy },
				grads.out(0),
				1 / mean.size,
			);
		if (grads.wants(1))
			gradient(
				"divergenceToLogvar",
				{ b: logvar, dy },
				grads.out(1),
				1 / mean.size,
			);
	});
}
