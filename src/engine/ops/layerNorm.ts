import { checkNames } from "../basics/options.ts";
import { show } from "../basics/shape.ts";
import { lines, teamOf } from "../device/dispatch.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";
import { sumColumns } from "./reduce.ts";

export interface LayerNormOptions {
	/** Added to the variance; default 1e-5, torch's. */
	readonly eps?: number;
}

/** Threads that the sums over rows are cut into, and the fewest rows worth a thread's while. */
const THREADS = 16384;
const LEAST = 16;

/**
 * Layer normalisation (Ba, Kiros and Hinton 2016) over the last dimension: x [..., C], weight and bias [C] -> y of x's shape,
 * y = (x - mean) / sqrt(variance + eps) * weight + bias, with mean and (biased) variance over the C values of each row. Throws where shapes do not fit.
 */
export function layerNorm(
	x: Tensor,
	weight: Tensor,
	bias: Tensor,
	options: LayerNormOptions = {},
): Tensor {
	checkNames("layerNorm", options, ["eps"]);
	const { eps = 1e-5 } = options;
	checkTensors("layerNorm", { x, weight, bias });
	const { gpu } = x;
	const columns = x.shape.at(-1) ?? 0;
	const shapes = `layerNorm: x ${show(x.shape)}, weight ${show(weight.shape)} and bias ${show(bias.shape)}`;
	if (
		x.shape.length < 1 ||
		[weight, bias].some((p) => p.shape.length !== 1 || p.size !== columns)
	)
		throw new Error(`${shapes}; expected x [..., C], weight [C] and bias [C]`);
	if (!(eps > 0 && Number.isFinite(eps)))
		throw new Error(`${shapes}, eps ${eps}; expected a positive eps`);

	const rows = x.size / columns;
	const team = teamOf(gpu, rows, columns);
	const slices = Math.min(
		Math.ceil(rows / LEAST),
		Math.ceil(THREADS / columns),
	);
	const each = Math.ceil(rows / slices);
	const same = {
		shader: "layerNorm",
		params: { rows, columns, each, eps },
	};
	const byRow = {
		...same,
		constants: { TEAM: team },
		workgroups: lines(gpu, rows * team),
	};
	const y = empty(gpu, x.shape);
	const stats = empty(gpu, [rows, 2]);
	gpu.run({
		...byRow,
		entry: "forward",
		bindings: { x, weight, bias, y, moments: stats },
	});
	return record(
		"layerNorm",
		y,
		[x, weight, bias],
		(dy, grads) => {
			if (grads.wants(0))
				gpu.run({
					...byRow,
					entry: "inputGradient",
					bindings: { x, dy, weight, stats, dx: grads.out(0) },
				});
			if (!grads.wants(1) && !grads.wants(2)) return;
			const shape = [Math.ceil(rows / each), columns];
			const [dweight, dbias] = [empty(gpu, shape), empty(gpu, shape)];
			gpu.run({
				...same,
				entry: "parameterGradients",
				bindings: { x, dy, stats, dweight, dbias },
				workgroups: lines(gpu, dweight.size),
			});
			for (const [i, partial] of [dweight, dbias].entries()) {
				if (grads.wants(1 + i)) sumColumns(partial, grads.out(1 + i));
				partial.dispose();
			}
		},
		[x, weight, stats],
	);
}
