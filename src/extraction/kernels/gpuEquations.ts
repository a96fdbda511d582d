import type { Gpu } from "../../engine/device/gpu.ts";
import type { Equations } from "../../engine/ops/conjugateGradients.ts";
import { add, mul } from "../../engine/ops/elementwise.ts";
import { linear } from "../../engine/ops/linear.ts";
import { concat, sliceChannels } from "../../engine/ops/sample.ts";
import {
	type Filter,
	makeFilter,
	spectralConv,
	spectralConvAdjoint,
} from "../../engine/ops/spectral.ts";
import type { Tensor } from "../../engine/tensors/tensor.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";
import { column } from "../../qpi/maths/realFft.ts";
import type { NormalDescription } from "../../qpi/operator/normalMatrix.ts";
import type { Factors } from "../../qpi/posterior/factoredCovariance.ts";

/**
 * The products of a map's equations on the device. A kernel's rows are padded with zeros to whole vec4s there: the covariance knows nothing of those nodes, so what becomes of
 * them is nobody's concern.
 */

/** Nodes of a kernel's row on the device. */
export const widthOf = (size: number) => 4 * Math.ceil(size / 4);

/** Rows of `size` -> rows of widthOf(size), zeros behind. */
export function pad(
	values: ArrayLike<number>,
	size: number,
	factor: number,
	out: Float32Array,
): void {
	const width = widthOf(size);
	for (let i = 0; i < values.length; i++)
		out[Math.floor(i / size) * width + (i % size)] = factor * values[i];
}

export function unpad(
	values: Float32Array,
	size: number,
	factor: number,
): Float64Array {
	const width = widthOf(size);
	const out = new Float64Array((values.length / width) * size);
	for (let i = 0; i < out.length; i++)
		out[i] = factor * values[Math.floor(i / size) * width + (i % size)];
	return out;
}

/** What a sample of a batch is solved with. */
export interface Row {
	readonly normal: NormalDescription;
}

/** Makes a tensor that outlives the scopes of the steps. */
type Keep = (data: Float32Array, shape: number[]) => Tensor;

/** One for all of the batch where all have the same, else one a sample. */
function distinct<T>(batch: readonly Row[], of: (row: Row) => T): T[] {
	const all = batch.map(of);
	return all.every((value) => value === all[0]) ? [all[0]] : all;
}

/** A^T W A, and what the polynomials take away from it. */
export function normalOn(
	gpu: Gpu,
	keep: Keep,
	made: Tensor[],
	batch: readonly Row[],
): Pick<Equations, "normal" | "seen"> {
	const { shape, period } = batch[0].normal.operator;
	const { nx, ny, size, kinds } = shape;
	const width = widthOf(size);
	const structures = distinct(
		batch,
		({ normal }) => normal.operator.structures,
	);
	const filters = Array.from({ length: kinds }, (_, s) => {
		const spectra = structures.map((of) => natural(of[s], period));
		const filter = makeFilter(gpu, period, spectra.length, join(spectra));
		made.push(filter.spectra, ...filter.plans.map(({ table }) => table));
		return filter;
	});
	const maps = distinct(batch, ({ normal }) => normal.weights);
	const weights = keep(
		join(maps.map((map) => Float32Array.from(map))),
		maps.length === 1 ? [nx, ny] : [maps.length, nx, ny],
	);
	const seen = distinct(batch, ({ normal }) => normal.seen);
	const fours = Math.max(1, maxOf(seen.map((of) => Math.ceil(of.length / 4))));
	const nodes = kinds * size * width;
	const packed = seen.map((of) => {
		const out = new Float32Array(fours * nodes * 4);
		of.forEach((polynomial, t) => {
			const padded = new Float32Array(nodes);
			pad(polynomial, size, 1, padded);
			const base = Math.floor(t / 4) * nodes * 4 + (t % 4);
			padded.forEach((v, i) => {
				out[base + 4 * i] = v;
			});
		});
		return out;
	});
	return {
		seen: keep(join(packed), [seen.length, fours, nodes, 4]),
		normal: (x) => {
			const images = kindsOf(x, kinds).map((kernel, s) =>
				spectralConv(kernel.view([batch.length, size, width]), filters[s], [
					nx,
					ny,
				]),
			);
			const map = mul(
				images.reduce((sum, image) => add(sum, image)),
				weights,
			);
			return together(
				filters.map((filter: Filter) =>
					spectralConvAdjoint(map, filter, [size, width]),
				),
			);
		},
	};
}

/** C of kernels, kind by kind. */
export function covarianceOn(
	keep: Keep,
	factors: readonly Factors[],
	size: number,
): Equations["covariance"] {
	const nodes = size * size;
	const padded = size * widthOf(size);
	/** Kinds that share their components share them on the device. */
	const shared = new Map<Float32Array, [Tensor, Tensor]>();
	const componentsOf = ({ components }: Factors) => {
		const count = components.length / nodes;
		let found = shared.get(components);
		if (!found) {
			const rows = new Float32Array(count * padded);
			pad(components, size, 1, rows);
			found = [
				keep(rows, [count, padded]),
				keep(transposed(rows, count), [padded, count]),
			];
			shared.set(components, found);
		}
		return found;
	};
	const parts = factors.map((of) => {
		const { own, variances, weights, vectors } = of;
		const variance = new Float32Array(padded);
		pad(own, size, 1, variance);
		const alone = keep(variance, [padded]);
		const count = variances.length;
		if (count === 0) return (x: Tensor) => mul(x, alone);
		const [v, vt] = componentsOf(of);
		const diagonal = keep(Float32Array.from(variances), [count]);
		const spread = (z: Tensor) => mul(z, diagonal);
		let whole = spread;
		if (weights.length > 0) {
			const roots = Float32Array.from(
				vectors,
				(value, i) => value * Math.sqrt(weights[Math.floor(i / count)]),
			);
			const a = keep(roots, [weights.length, count]);
			const at = keep(transposed(roots, weights.length), [
				count,
				weights.length,
			]);
			whole = (z) => add(spread(z), linear(linear(z, a, null), at, null));
		}
		return (x: Tensor) =>
			add(linear(whole(linear(x, v, null)), vt, null), mul(x, alone));
	});
	return (x) =>
		together(kindsOf(x, parts.length).map((kernel, s) => parts[s](kernel)));
}

/** [B, kinds * n] -> [B, n] of each kind. */
function kindsOf(x: Tensor, kinds: number): Tensor[] {
	const [batch, all] = x.shape;
	if (kinds === 1) return [x];
	const n = all / kinds;
	return Array.from({ length: kinds }, (_, s) =>
		sliceChannels(x.view([batch, 1, 1, all]), s * n, (s + 1) * n).view([
			batch,
			n,
		]),
	);
}

/** The kernels of each kind, [B, ...] -> [B, kinds * n]. */
function together(kernels: readonly Tensor[]): Tensor {
	const [{ shape, size }] = kernels;
	const [batch] = shape;
	const n = size / batch;
	if (kernels.length === 1) return kernels[0].view([batch, n]);
	const all = concat(kernels.map((kernel) => kernel.view([batch, 1, 1, n])));
	return all.view([batch, kernels.length * n]);
}

/** A half spectrum in the order of makeFilter. */
function natural(
	{ re, im }: { readonly re: Float64Array; readonly im: Float64Array },
	[n, m]: readonly [number, number],
): Float32Array {
	const out = new Float32Array((m / 2 + 1) * n * 2);
	for (let ky = 0, at = 0; ky <= m / 2; ky++) {
		const { base, step } = column(n, m, ky);
		for (let kx = 0; kx < n; kx++, at += 2) {
			out[at] = re[base + kx * step];
			out[at + 1] = im[base + kx * step];
		}
	}
	return out;
}

function transposed(matrix: Float32Array, rows: number): Float32Array {
	const columns = matrix.length / rows;
	const out = new Float32Array(matrix.length);
	for (let i = 0; i < rows; i++)
		for (let j = 0; j < columns; j++)
			out[j * rows + i] = matrix[i * columns + j];
	return out;
}

function join(parts: readonly Float32Array[]): Float32Array {
	if (parts.length === 1) return parts[0];
	const out = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
	let at = 0;
	for (const part of parts) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}
