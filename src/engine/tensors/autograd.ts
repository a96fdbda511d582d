import { isList, named } from "../basics/named.ts";
import { alongside, checkCall, refusePromise } from "../basics/scope.ts";
import { sameShape, show } from "../basics/shape.ts";
import type { Gpu } from "../device/gpu.ts";
import { accumulate, fill, plus } from "./accumulate.ts";
import {
	checkTensors,
	empty,
	type Gradients,
	type TapeNode,
	type Tensor,
} from "./tensor.ts";

/**
 * The tape. An op computes its output, then calls record() with the closure that turns the output's gradient into those of
 * the inputs; backward() runs the closures from the newest to the oldest.
 */

/** Runs `fn` without recording: for inference and for frozen networks. Throws where `fn` is async, as scope() does, since recording goes on when it returns. */
export function noGrad<T>(gpu: Gpu, fn: () => T): T {
	checkCall("noGrad()", gpu, fn);
	const before = gpu.gradEnabled;
	gpu.gradEnabled = false;
	try {
		const result = fn();
		refusePromise("noGrad()", result);
		return result;
	} finally {
		gpu.gradEnabled = before;
	}
}

/**
 * Puts an op on the tape if any of its inputs requires a gradient, and returns `output`. An op of your own ends with this, after it has dispatched its forward pass.
 *
 * @param op its name, for messages
 * @param output made by empty() and written by the forward pass
 * @param inputs the tensors that a gradient may flow to
 * @param backward is given `dy`, the gradient of `output`. For each input i that `grads.wants(i)` it dispatches what overwrites `grads.out(i)` with the gradient
 * of input i, or hands over a tensor of its own by `grads.set(i, tensor)`; where there is only one input it need not ask. It runs within noGrad(), at most once
 * @param saved the tensors that `backward` reads; by default inputs and output. They must live until then. backward() throws where one of them was overwritten
 * in the meantime
 */
export function record(
	op: string,
	output: Tensor,
	inputs: readonly Tensor[],
	backward: (dy: Tensor, grads: Gradients) => void,
	saved?: readonly Tensor[],
): Tensor {
	const expected = "record(name, output, inputs, backward): found";
	if (typeof op !== "string")
		throw new TypeError(`${expected} ${named(op)} as name, expected a text`);
	if (!isList(inputs))
		throw new TypeError(
			`${expected} ${named(inputs)} as inputs, expected a list of tensors`,
		);
	checkTensors(`record("${op}")`, { output, ...inputs });
	const { gpu } = output;
	output.op = op;
	if (!gpu.gradEnabled || !inputs.some((t) => t.requiresGrad)) return output;
	output.requiresGrad = true;
	output.node = {
		id: gpu.nextNode++,
		inputs,
		output,
		saved: (saved ?? [...inputs, output]).map((t) => [t, t.version] as const),
		backward,
		done: false,
	};
	return output;
}

/** Throws if a backward() has gone through this op before, or if a tensor that the op saved has been overwritten since. */
function checkNode({ output, saved, done }: TapeNode): void {
	if (done)
		throw new Error(
			`backward(): another one has gone through ${output.op} ${show(output.shape)} before, and its gradients would be added twice; expected one backward() of the sum of all losses, or a new forward pass`,
		);
	for (const [tensor, version] of saved)
		if (!tensor.disposed && tensor.version !== version)
			throw new Error(
				`backward(): a tensor ${show(tensor.shape)} of ${output.op} was overwritten after the forward pass (write(), load() or an optimiser's step); expected backward() before that`,
			);
}

/**
 * Computes the gradient of `output` with respect to every leaf that requires one, and adds it to the leaf's `.grad`. `seed` is the gradient to start from; it is
 * needed unless `output` has one element. Call it in the scope of the forward pass, or in one inside that. Throws where nothing that requires a gradient leads to
 * `output`, where a tensor that an op saved has been overwritten, and, as torch does, where a backward() has gone through one of the ops before.
 */
export function backward(output: Tensor, seed?: Tensor): void {
	checkTensors("backward()", seed ? { output, seed } : { output });
	const { gpu, node: last } = output;
	if (output.size !== 1 && !seed)
		throw new Error(
			`backward() of a tensor of shape ${show(output.shape)}; expected a scalar, or the gradient to start from`,
		);
	if (seed && !sameShape(seed.shape, output.shape))
		throw new Error(
			`backward(): gradient ${show(seed.shape)} for an output ${show(output.shape)}`,
		);
	if (!last)
		throw new Error(
			"backward(): nothing that requires a gradient leads to this tensor",
		);
	const nodes = new Set([last]);
	for (const { inputs } of nodes)
		for (const { node } of inputs) if (node) nodes.add(node);
	for (const node of nodes) checkNode(node);

	const start = seed ? seed.detach() : fill(empty(gpu, output.shape), 1);
	const gradients = new Map<Tensor, Tensor>([[output, start]]);
	noGrad(gpu, () => {
		for (const node of [...nodes].sort((a, b) => b.id - a.id)) {
			const dy = gradients.get(node.output);
			if (!dy) continue;
			const made: { input: Tensor; gradient: Tensor }[] = [];
			const inputOf = (i: number): Tensor => {
				const input = node.inputs[i];
				if (input) return input;
				throw new RangeError(
					`the gradient of ${node.output.op ?? "an op"}: input ${i}, expected 0 to ${node.inputs.length - 1}`,
				);
			};
			node.done = true;
			const result: unknown = node.backward(dy, {
				wants: (i) => inputOf(i).requiresGrad,
				out(i) {
					const input = inputOf(i);
					const gradient = ownPlace(input) ?? empty(gpu, input.shape);
					made.push({ input, gradient });
					return gradient;
				},
				set(i, gradient) {
					const input = inputOf(i);
					const what = `the gradient of ${node.output.op ?? "an op"} to its input ${i}`;
					checkTensors(what, { gradient });
					if (!sameShape(gradient.shape, input.shape))
						throw new Error(
							`${what}: set() of a tensor ${show(gradient.shape)}, expected ${show(input.shape)}`,
						);
					// A view, so that an op that hands over dy itself does not lose it when this is disposed of.
					made.push({ input, gradient: gradient.view(input.shape) });
				},
			});
			const op = node.output.op ?? "an op";
			refusePromise(`the gradient of ${op}`, result);
			const without = node.inputs.findIndex(
				(input) =>
					input.requiresGrad && !made.some((one) => one.input === input),
			);
			if (without >= 0)
				throw new Error(
					`the gradient of ${op} says nothing about its input ${without}, which requires one; expected out(${without}) or set(${without}, ...)`,
				);
			for (const { input, gradient } of made)
				if (input.node) addTo(gradients, input, gradient);
				else {
					keep(input, gradient);
					input.gradIsSeeded = seed !== undefined;
				}
			gradients.delete(node.output);
			dy.dispose();
		}
	});
}

/** A parameter's first gradient is written straight into the optimiser's packed buffer. */
function ownPlace(input: Tensor): Tensor | null {
	if (input.node || !input.gradIsFresh) return null;
	input.gradIsFresh = input.gpu.rehearsed !== null; // nothing is written then
	return input.grad;
}

function keep(leaf: Tensor, gradient: Tensor): void {
	if (gradient === leaf.grad) return;
	const { rehearsed } = leaf.gpu;
	if (rehearsed && !leaf.grad) {
		gradient.dispose();
		return;
	}
	if (!leaf.grad || leaf.grad.disposed) {
		// Memory of its own: what an op hands over may be another leaf's gradient too, and this one will be added to.
		leaf.grad = alongside(leaf.gpu, leaf, () => empty(leaf.gpu, leaf.shape));
		leaf.grad.op = "backward";
		leaf.gradIsFresh = true;
	}
	if (leaf.gradIsFresh) leaf.gpu.copy(gradient, leaf.grad);
	else accumulate(leaf.grad, gradient);
	if (!rehearsed) leaf.gradIsFresh = false;
	gradient.dispose();
}

function addTo(
	gradients: Map<Tensor, Tensor>,
	input: Tensor,
	gradient: Tensor,
): void {
	const earlier = gradients.get(input);
	if (!earlier) {
		gradients.set(input, gradient);
		return;
	}
	// Either may share its memory with a gradient that is still needed, so the sum gets its own.
	const sum = empty(input.gpu, input.shape);
	plus(earlier, gradient, sum);
	earlier.dispose();
	gradient.dispose();
	gradients.set(input, sum);
}
