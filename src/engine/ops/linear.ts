import { record } from "../autograd.ts";
import { empty, type Shape, type Tensor } from "../tensor.ts";

/** Rows that one thread of shaders/linear.wgsl takes together. */
const ROWS = 8;
/** Workgroups in one dimension: a GPU takes one an output column, and one for 128 input columns. */
const MOST_GROUPS = 65535;

/**
 * Whether a matrix product has so few rows that it is a matter of reading the weights once; with more, the tiles of the
 * convolution kernels are faster.
 */
export function hasFewRows(rows: number, k: number, n: number): boolean {
	return (
		rows <= 4 * ROWS &&
		k % 4 === 0 &&
		n <= MOST_GROUPS &&
		k <= 128 * MOST_GROUPS
	);
}

/** y = x wᵀ for few rows: x [..., K], w [O, K] -> `shape`, which is [..., O]. The shapes have been checked. */
export function linearFewRows(x: Tensor, w: Tensor, shape: Shape): Tensor {
	const { gpu } = x;
	const [n, k] = w.shape;
	const m = x.size / k;
	const flop = 2 * m * n * k;
	const params = { m, n, k4: k / 4 };
	const rowBlocks = Math.ceil(m / ROWS);
	const columnBlocks = Math.ceil(k / 4 / 32);
	const y = empty(gpu, shape);
	const { lanes } = gpu;
	const kernels = lanes
		? { shader: "linearShared", constants: { LANES: lanes }, params }
		: { shader: "linear", params };
	// A workgroup computes 32 columns, or one whose sum its threads split.
	gpu.run({
		...kernels,
		entry: "forward",
		bindings: { x, w, y },
		workgroups: [lanes ? Math.ceil(n / 32) : n, rowBlocks],
	});
	gpu.statistics.flop += flop;
	return record(
		"linear",
		y,
		[x, w],
		(dy, grads) => {
			for (const i of [0, 1]) if (grads.wants(i)) gpu.statistics.flop += flop;
			if (grads.wants(0))
				gpu.run({
					...kernels,
					entry: "inputGradient",
					bindings: { w, dy, dx: grads.out(0) },
					workgroups: [columnBlocks, rowBlocks],
				});
			if (grads.wants(1))
				gpu.run({
					...kernels,
					entry: "weightGradient",
					bindings: { x, dy, dw: grads.out(1) },
					workgroups: [columnBlocks, Math.ceil(n / ROWS)],
				});
		},
		[x, w],
	);
}
