import { show } from "../basics/shape.ts";
import type { Gpu } from "../device/gpu.ts";
import { record } from "../tensors/autograd.ts";
import { checkFits, empty, type Tensor, tensor } from "../tensors/tensor.ts";

/**
 * Convolutions of real images with filters that are given by their spectra, on a periodic grid of n x m, by transforms in shaders/spectral.wgsl. Images
 * lie in the grid's corner and are zero outside of it; what does not fit wraps around.
 */

type Size = readonly [number, number];

/** Filters on a grid of n x m, one for all samples or one a sample. Its tensors belong to the scope that it is made in. */
export interface Filter {
	readonly grid: Size;
	/** [B or 1, m/2 + 1, n, 2], over n m; kx in the order in which the transform leaves it. */
	readonly spectra: Tensor;
	/** Of lines along x and y. */
	readonly plans: readonly [Plan, Plan];
}

interface Plan {
	readonly length: number;
	readonly factors: readonly number[];
	/** [length, 4] */
	readonly table: Tensor;
}

/** Values in a workgroup's memory. */
const CAPACITY = 2048;

/**
 * @param grid n and m, up to 2048, made of the factors 2, 3 and 5; m is even
 * @param spectra [count, m/2 + 1, n, 2]: index ky, then kx modulo n, then real and imaginary part of the filter's transform, which is a real filter's also within the rows ky = 0 and m/2
 * @throws for another grid, or when there are not so many values
 */
export function makeFilter(
	gpu: Gpu,
	grid: Size,
	count: number,
	spectra: Float32Array,
): Filter {
	const [n, m] = grid;
	const [fx, fy] = grid.map(factorsOf);
	if (!fx || !fy || m % 2 !== 0)
		throw new RangeError(
			`makeFilter: a grid of ${n} x ${m}; expected sizes up to ${CAPACITY} of the factors 2, 3 and 5, the second even`,
		);
	const frequencies = m / 2 + 1;
	if (spectra.length !== count * frequencies * n * 2)
		throw new RangeError(
			`makeFilter: ${spectra.length} values; expected [${count}, ${frequencies}, ${n}, 2]`,
		);
	const order = orderOf(fx, n);
	const ordered = new Float32Array(spectra.length);
	for (let row = 0; row < spectra.length; row += 2 * n)
		for (let k = 0; k < n; k++)
			for (const part of [0, 1])
				ordered[row + 2 * order[k] + part] =
					spectra[row + 2 * k + part] / (n * m);
	return {
		grid,
		spectra: tensor(gpu, ordered, [count, frequencies, n, 2]),
		plans: [planOf(gpu, n, fx), planOf(gpu, m, fy)],
	};
}

/**
 * y = A x: x [B, h, w] -> the corner y [B, ...size] of its convolution with the filter,
 * y[r] = 1/(n m) sum_k S(k) X(k) exp(2 pi i (kx rx / n + ky ry / m)). Differentiable in x; the filter is a constant.
 */
export function spectralConv(x: Tensor, filter: Filter, size: Size): Tensor {
	const y = run("spectralConv", x, filter, size, false);
	return record(
		"spectralConv",
		y,
		[x],
		(dy, grads) => grads.set(0, spectralConvAdjoint(dy, filter, sizeOf(x))),
		[],
	);
}

/** x = A^T y: the corner [B, ...size] of the correlation of y [B, h, w] with the filter. Differentiable in y; the filter is a constant. */
export function spectralConvAdjoint(
	y: Tensor,
	filter: Filter,
	size: Size,
): Tensor {
	const x = run("spectralConvAdjoint", y, filter, size, true);
	return record(
		"spectralConvAdjoint",
		x,
		[y],
		(dx, grads) => grads.set(0, spectralConv(dx, filter, sizeOf(y))),
		[],
	);
}

const sizeOf = ({ shape }: Tensor): Size => [shape[1], shape[2]];

/** 4, 5, 3 and 2, in this order; undefined for a length that is not made of them or too large. */
function factorsOf(length: number): number[] | undefined {
	const factors: number[] = [];
	let rest = length;
	for (const factor of [4, 5, 3, 2])
		for (; rest > 1 && rest % factor === 0; rest /= factor)
			factors.push(factor);
	return rest === 1 && length <= CAPACITY ? factors : undefined;
}

/** Where the transform leaves each frequency. */
function orderOf(factors: readonly number[], length: number): number[] {
	return Array.from({ length }, (_, k) => {
		let [place, rest, apart] = [0, k, length];
		for (const factor of factors) {
			apart /= factor;
			place += (rest % factor) * apart;
			rest = Math.floor(rest / factor);
		}
		return place;
	});
}

function planOf(gpu: Gpu, length: number, factors: readonly number[]): Plan {
	const order = orderOf(factors, length);
	const table = order.flatMap((place, k) => {
		const angle = (-2 * Math.PI * k) / length;
		return [Math.cos(angle), Math.sin(angle), place, 0];
	});
	return { length, factors, table: tensor(gpu, table, [length, 4]) };
}

function run(
	op: string,
	x: Tensor,
	{ grid: [n, m], spectra, plans }: Filter,
	[rowsAfter, columnsAfter]: Size,
	conjugated: boolean,
): Tensor {
	const { gpu } = x;
	const [batch, rows, columns] = x.shape;
	const [count, frequencies] = spectra.shape;
	const within = (size: number, most: number) =>
		Number.isInteger(size) && size >= 1 && size <= most;
	const fits = (h: number, w: number) => within(h, n) && within(w, m);
	if (
		x.shape.length !== 3 ||
		!fits(rows, columns) ||
		!fits(rowsAfter, columnsAfter) ||
		(count !== 1 && count !== batch)
	)
		throw new Error(
			`${op}: image ${show(x.shape)} to ${rowsAfter} x ${columnsAfter}, ${count} filters on ${n} x ${m}; expected [B, h, w] within the grid, and one filter or B`,
		);
	const between = Math.max(rows, rowsAfter);
	checkFits(op, [batch, frequencies, between, 2], x);
	const dispatch = (
		entry: string,
		{ length, factors, table }: Plan,
		lines: number,
		bindings: Record<string, Tensor>,
	) => {
		const together = Math.min(lines, Math.floor(CAPACITY / length));
		const groups = Math.ceil(lines / together);
		const limit = gpu.limits.workgroups;
		const high = Math.ceil(groups / limit);
		gpu.run({
			shader: "spectral",
			entry,
			bindings: { plan: table, ...bindings },
			params: {
				...{ lines, length, together, frequencies },
				factors: factors.reduce((sum, f, i) => sum + f * 16 ** i, 0),
				passes: factors.length,
				conjugated: conjugated ? 1 : 0,
				oneFilter: count === 1 ? 1 : 0,
				...{ rows, columns, rowsAfter, columnsAfter },
			},
			workgroups: [Math.ceil(groups / high), high],
		});
	};
	const pairs = (rows: number) => batch * Math.ceil(rows / 2);
	const z = empty(gpu, [batch, frequencies, rows, 2]);
	dispatch("rowsIn", plans[1], pairs(rows), { image: x, z });
	const zOut = empty(gpu, [batch, frequencies, rowsAfter, 2]);
	const columnLines = batch * frequencies;
	dispatch("columns", plans[0], columnLines, {
		zIn: z,
		spectrum: spectra,
		zOut,
	});
	z.dispose();
	const y = empty(gpu, [batch, rowsAfter, columnsAfter]);
	dispatch("rowsOut", plans[1], pairs(rowsAfter), { zBack: zOut, result: y });
	zOut.dispose();
	return y;
}
