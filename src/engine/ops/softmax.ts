import { show } from "../basics/shape.ts";
import { lines, teamOf } from "../device/dispatch.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";
import { sumColumns } from "./reduce.ts";

/**
 * Softmax over the last dimension: x [..., N] -> y of the same shape, y[i] = exp(x[i] - m) / sum over j of exp(x[j] - m), where m is the row's largest
 * value, so that no exponential overflows. Throws where x has no dimension.
 */
export function softmax(x: Tensor): Tensor {
	checkTensors("softmax", { x });
	const { gpu } = x;
	const columns = x.shape.at(-1);
	if (columns === undefined)
		throw new Error(
			`softmax: x ${show(x.shape)}; expected at least one dimension`,
		);
	const rows = x.size / columns;
	const team = teamOf(gpu, rows, columns);
	const same = {
		shader: "softmax",
		params: { rows, columns },
		constants: { TEAM: team },
		workgroups: lines(gpu, rows * team),
	};
	const y = empty(gpu, x.shape);
	gpu.run({ ...same, entry: "forward", bindings: { x, y } });
	return record(
		"softmax",
		y,
		[x],
		(dy, grads) =>
			gpu.run({
				...same,
				entry: "backward",
				bindings: { s: y, dy, dx: grads.out(0) },
			}),
		[y],
	);
}

/**
 * The mean over the rows of -ln softmax(logits)[label], as torch's: logits [B, C], labels [B] whole numbers from 0, below C -> a tensor of shape [1]. It is found
 * without the softmax itself, so that large logits do no harm. A label that is no class gives NaN, in its row's gradient too. Throws where shapes do not fit, or labels require a gradient.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
	checkTensors("crossEntropy", { logits, labels });
	const { gpu } = logits;
	const [rows, columns] = logits.shape;
	const shapes = `crossEntropy: logits ${show(logits.shape)} and labels ${show(labels.shape)}`;
	if (
		logits.shape.length !== 2 ||
		labels.shape.length !== 1 ||
		labels.size !== rows
	)
		throw new Error(`${shapes}; expected [B, C] and [B]`);
	if (labels.requiresGrad)
		throw new Error(
			`${shapes}; labels require a gradient, and there is none to them`,
		);
	const team = teamOf(gpu, rows, columns);
	const losses = empty(gpu, [rows]);
	const logSums = empty(gpu, [rows]);
	const same = { shader: "softmax", params: { rows, columns } };
	gpu.run({
		...same,
		entry: "crossEntropy",
		bindings: { x: logits, labels, y: losses, logSumsOut: logSums },
		constants: { TEAM: team },
		workgroups: lines(gpu, rows * team),
	});
	const y = empty(gpu, [1]);
	sumColumns(losses, y, 1 / rows);
	losses.dispose();
	return record(
		"crossEntropy",
		y,
		[logits],
		(dy, grads) =>
			gpu.run({
				...same,
				entry: "crossEntropyBackward",
				bindings: { x: logits, labels, logSums, dy, dx: grads.out(0) },
				workgroups: lines(gpu, logits.size),
			}),
		[logits, labels, logSums],
	);
}
