import type { Shape } from "../basics/shape.ts";
import { record } from "../tensors/autograd.ts";
import { empty, type Tensor } from "../tensors/tensor.ts";
import { sumSlices } from "./convGradients.ts";

/** Rows that one thread of shaders/linearTiled.wgsl takes together. */
const ROWS = 8;
/** Workgroups in one dimension: a GPU takes one an output column, and one for 128 input columns. */
const MOST_GROUPS = 65535;
/** Workgroups that keep a GPU busy, and the fewest terms worth a slice of a sum. */
const BUSY = 512;
const LEAST = 64;

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
	const rowBlocks = Math.ceil(m / ROWS);
	const columnBlocks = Math.ceil(k / 4 / 32);
	// The gradient to x may have few elements and long sums, which are then cut; the few cores of a software adapter are busy anyway.
	const { lanes } = gpu;
	const wanted = lanes
		? 1
		: Math.min(
				Math.ceil(BUSY / (rowBlocks * columnBlocks)),
				Math.ceil(n / LEAST),
			);
	const each = Math.ceil(n / wanted);
	const slices = Math.ceil(n / each);
	const sizes = { m, n, k4: k / 4 };
	const y = empty(gpu, shape);
	const kernels = lanes
		? { shader: "linearLanes", constants: { LANES: lanes }, params: sizes }
		: { shader: "linearTiled", params: { ...sizes, each } };
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
			if (grads.wants(0)) {
				const dx = grads.out(0);
				const partial = slices > 1 ? empty(gpu, [slices, x.size]) : dx;
				gpu.run({
					...kernels,
					entry: "inputGradient",
					bindings: { w, dy, dx: partial },
					workgroups: [columnBlocks, rowBlocks, slices],
				});
				if (slices > 1) sumSlices(partial, dx);
			}
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
