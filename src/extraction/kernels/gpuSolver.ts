import type { Gpu } from "../../engine/device/gpu.ts";
import { ConjugateGradients } from "../../engine/ops/conjugateGradients.ts";
import { type Tensor, tensor } from "../../engine/tensors/tensor.ts";
import { factorsOf } from "../../qpi/posterior/blockCovariance.ts";
import type { Factors } from "../../qpi/posterior/factoredCovariance.ts";
import {
	type Accuracy,
	BLOCK,
	checkRight,
} from "../../qpi/posterior/lanczos.ts";
import type { Covariance } from "../../qpi/posterior/prior.ts";
import type { ManySolver, Right } from "../../qpi/posterior/solveMany.ts";
import {
	covarianceOn,
	normalOn,
	pad,
	type Row,
	unpad,
	widthOf,
} from "./gpuEquations.ts";

/** Right-hand sides at most that travel together: matrix products of so few rows read their weights once (ops/linear.ts). */
const TOGETHER = 32;

/**
 * Right-hand sides solved together on the GPU, in f32, by as many conjugate-gradient steps as the slowest needs; the figures that decide are read back every
 * 8 steps, the kernels at the end.
 */
export class GpuSolver implements ManySolver {
	readonly name: string;
	readonly together = TOGETHER;
	readonly #gpu: Gpu;

	constructor(gpu: Gpu) {
		this.#gpu = gpu;
		this.name = `GPU (${gpu.adapterName})`;
	}

	/** @throws RangeError when a map and half its kernel are more than the 2048 pixels that a line of ops/spectral.ts holds, or the device's memory does not do */
	async solve(
		rights: readonly Right[],
		covariance: Covariance,
		lambda: number,
		accuracy: Accuracy,
	): Promise<Float64Array[]> {
		const factors = factorsOf(covariance);
		const out = new Array<Float64Array>(rights.length);
		const items = rights.map(({ system, right }, i) => {
			checkRight(system.matrix, right);
			const normal = system.matrix.describe();
			return { i, right, normal };
		});
		const { maxStorageBufferBindingSize: limit } = this.#gpu.device.limits;
		for (const alike of grouped(items)) {
			const { shape, period } = alike[0].normal.operator;
			const each = 8 * (period[1] / 2 + 1) * Math.max(period[0], shape.size);
			const most = Math.min(TOGETHER, Math.max(1, Math.floor(limit / each)));
			for (let from = 0; from < alike.length; from += most) {
				const batch = alike.slice(from, from + most);
				const found = await this.#solve(batch, factors, lambda, accuracy);
				batch.forEach(({ i }, b) => {
					out[i] = found[b];
				});
			}
		}
		return out;
	}

	async #solve(
		batch: readonly Item[],
		factors: readonly Factors[],
		lambda: number,
		{ tolerance, steps }: Accuracy,
	): Promise<Float64Array[]> {
		const gpu = this.#gpu;
		const { size, kinds } = batch[0].normal.operator.shape;
		const area = size * widthOf(size);
		// The squares of a map's values, as volts or amperes, may lie beyond what 32 bits hold.
		const scales = batch.map(
			({ right }) =>
				right.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1,
		);
		const right = new Float32Array(batch.length * kinds * area);
		batch.forEach((item, b) => {
			const own = right.subarray(b * kinds * area, (b + 1) * kinds * area);
			pad(item.right, size, 1 / scales[b], own);
		});
		// Of no scope: between the steps' scopes there is waiting.
		const made: Tensor[] = [];
		const keep = (data: Float32Array, shape: number[]) => {
			const t = tensor(gpu, data, shape);
			made.push(t);
			return t;
		};
		let solver: ConjugateGradients | undefined;
		try {
			const equations = {
				...normalOn(gpu, keep, made, batch),
				covariance: covarianceOn(keep, factors, size),
				lambda,
			};
			const b = keep(right, [batch.length, kinds * area]);
			solver = new ConjugateGradients(b, equations);
			for (let done = 0; done < steps; ) {
				const next = Math.min(steps, done + BLOCK);
				while (done < next) {
					solver.step();
					done++;
				}
				const errors = await solver.errors();
				if (errors.every((error) => error < tolerance)) break;
			}
			const kernels = await solver.kernels.data();
			return batch.map((_, b) =>
				unpad(
					kernels.subarray(b * kinds * area, (b + 1) * kinds * area),
					size,
					scales[b],
				),
			);
		} finally {
			solver?.dispose();
			for (const t of made) t.dispose();
		}
	}
}

interface Item extends Row {
	readonly i: number;
	readonly right: Float64Array;
}

/** Those of one shape and of the same periods of the transforms: what a batch has in common. */
function grouped(items: readonly Item[]): Item[][] {
	const groups = new Map<string, Item[]>();
	for (const item of items) {
		const { shape, period } = item.normal.operator;
		const key = JSON.stringify([shape, period]);
		const group = groups.get(key);
		if (group) group.push(item);
		else groups.set(key, [item]);
	}
	return [...groups.values()];
}
