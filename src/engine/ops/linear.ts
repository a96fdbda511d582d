import { record } from "../autograd.ts";
import { empty, type Shape, type Tensor } from "../tensor.ts";

/** Rows that one thread of shaders/linear.wgsl takes together. */
const ROWS = 8;
/** Workgroups in one dimension: a GPU takes one an output column. */
const MOST_COLUMNS = 65535;

/**
 * Whether a matrix product has so few rows that it is a matter of reading the weights once; with more, the tiles of the
 * convolution kernels are faster.
 */
export function hasFewRows(rows: number, k: number, n: number): boolean {
	return rows <= 4 * ROWS && k % 4 === 0 && n <= MOST_COLUMNS;
}

/** y = x wᵀ for few rows: x [..., K], w [O, K] -> `shape`, which is [..., O]. The shapes have been checked. */
export function linearFewRows(x: Tensor, w: Tensor, shape: Shape): Tensor {
	const { gpu } = x;
	const [n, k] = w.shape;
	const m = x.size / k;
	const params = { m, n, k4: k / 4 };
	const rowBlocks = Math.ceil(m / ROWS);
	const columnBlocks = Math.ceil(k / 4 / 32);
	const y = empty(gpu, shape);
	// On a CPU adapter lanes share their loads of x, an output each. A GPU would be idle with so few threads: it splits each sum.
	gpu.run({
		shader: "linear",
		entry: gpu.software ? "forward" : "forwardSplit",
		bindings: { x, w, y },
		params,
		workgroups: [gpu.software ? Math.ceil(n / 32) : n, rowBlocks],
	});
	return record("linear", y, [x, w], (dy, grads) => {
		if (grads.wants(0))
			gpu.run({
				shader: "linear",
				entry: "inputGradient",
				bindings: { w, dy, dx: grads.out(0) },
				params,
				workgroups: [columnBlocks, rowBlocks],
			});
		if (grads.wants(1))
			gpu.run({
				shader: "linear",
				entry: "weightGradient",
				bindings: { x, dy, dw: grads.out(1) },
				params,
				workgroups: [columnBlocks, Math.ceil(n / ROWS)],
			});
	});
}
