import { record } from "../autograd.ts";
import { lines, teamOf } from "../dispatch.ts";
import { empty, show, type Tensor } from "../tensor.ts";

/**
 * Softmax over the last dimension: x [..., N] -> y of the same shape, y[i] = exp(x[i] - m) / sum over j of exp(x[j] - m), where m is the row's largest
 * value, so that no exponential overflows. Throws where x has no dimension.
 */
export function softmax(x: Tensor): Tensor {
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
