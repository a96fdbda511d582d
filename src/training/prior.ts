import type { Gpu } from "../engine/device/gpu.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import {
	fold,
	packTriangle,
	SORTS,
	unfold,
} from "../qpi/operator/quadrants.ts";
import { principalDirections } from "./components.ts";

/** Kernels to learn from, all of one (even) size, to unit RMS. */
export interface KernelSource {
	readonly count: number;
	read(i: number): Promise<Float32Array>;
}

/** Principal components of one sort (qpi/operator/quadrants.ts), as quadrants of unit norm, with the variances of their coefficients. */
interface SortComponents {
	readonly sort: (typeof SORTS)[number];
	readonly count: number;
	readonly quadrants: Float32Array;
	readonly variances: Float32Array;
}

/** The even-even, odd-odd, even-odd and exchanged odd-even quadrants of all kernels, one after the other. */
interface Parts {
	readonly count: number;
	/** Nodes of a quadrant. */
	readonly length: number;
	readonly parts: readonly Float32Array[];
	/** Sum of the squares of all nodes of all kernels. */
	readonly power: number;
}

/**
 * Learns the kernel prior (qpi/posterior/prior.ts) from kernels of 128 x 128 nodes: the `components` principal components of the kernels in the eight orientations
 * of the square, their variances, the coefficients of `kept` kernels, and the variance per node that remains. Returns
 * the tensors of its file.
 *
 * @param onSort told before each of the five sorts of components
 */
export async function learnPrior(
	gpu: Gpu,
	kernels: KernelSource,
	{ components, kept }: { components: number; kept: number },
	onSort?: (name: string) => void,
): Promise<Map<string, StoredTensor>> {
	const all = await foldAll(kernels);
	const { count, length, power } = all;
	const sorts = await principalSorts(gpu, all, components, onSort);
	const tensors = new Map<string, StoredTensor>();
	for (const { sort, count, quadrants, variances } of sorts) {
		const quadrant = (c: number) =>
			quadrants.subarray(c * length, (c + 1) * length);
		// Of the sorts with a symmetry under exchange half says all.
		const stored = Array.from({ length: count }, (_, c) =>
			sort.swap === 0 ? quadrant(c) : packTriangle(quadrant(c)),
		);
		const width = stored[0]?.length ?? 0;
		const data = new Float32Array(count * width);
		stored.forEach((values, c) => {
			data.set(values, c * width);
		});
		tensors.set(`${sort.name}.components`, {
			shape: [count, width],
			data,
			dtype: "F16",
		});
		tensors.set(`${sort.name}.variances`, { shape: [count], data: variances });
	}
	const [ee, oo, eo, oe] = all.parts;
	const [evenPlus, evenMinus, oddPlus, oddMinus, mixed] = sorts;
	const blocks = [
		{ ...evenPlus, from: ee },
		{ ...evenMinus, from: ee },
		{ ...oddPlus, from: oo },
		{ ...oddMinus, from: oo },
		{ ...mixed, from: eo },
		{ ...mixed, from: oe },
	];
	const width = blocks.reduce((sum, { count }) => sum + count, 0);
	const stored = Math.min(kept, count);
	const coefficients = new Float32Array(stored * width);
	for (let s = 0, at = 0; s < stored; s++) {
		// Every so-many-th: the sorts of patterns come one after the other.
		const i = Math.floor((s * count) / stored);
		for (const { count, quadrants, from } of blocks)
			for (let c = 0; c < count; c++, at++) {
				let overlap = 0;
				for (let k = 0; k < length; k++)
					overlap += quadrants[c * length + k] * from[i * length + k];
				coefficients[at] = overlap;
			}
	}
	let rest = power / count;
	for (const { sort, variances } of sorts)
		for (const variance of variances)
			rest -= variance * (sort.swap === 0 ? 2 : 1);
	tensors.set("kernels", {
		shape: [stored, width],
		data: coefficients,
		dtype: "F16",
	});
	tensors.set("floor", {
		shape: [1],
		data: Float32Array.of(Math.max(0, rest) / (4 * length)),
	});
	return tensors;
}

/** The `count` leading principal components of kernels of any even size in their eight orientations, as whole images, the first one first. */
export async function principalImages(
	gpu: Gpu,
	kernels: KernelSource,
	count: number,
): Promise<Float32Array[]> {
	const all = await foldAll(kernels);
	const images: { image: Float32Array; variance: number }[] = [];
	for (const { sort, ...found } of await principalSorts(gpu, all, count))
		for (let c = 0; c < found.count; c++) {
			const quadrant = found.quadrants.subarray(
				c * all.length,
				(c + 1) * all.length,
			);
			const variance = found.variances[c];
			const none = new Float32Array(all.length);
			const places = sort.swap === 0 ? [2, 3] : [sort.x > 0 ? 0 : 1];
			for (const place of places) {
				const parts: Float32Array<ArrayBufferLike>[] = [none, none, none, none];
				parts[place] = quadrant;
				images.push({ image: Float32Array.from(unfold(parts)), variance });
			}
		}
	return images
		.sort((a, b) => b.variance - a.variance)
		.slice(0, count)
		.map(({ image }) => image);
}

async function foldAll(kernels: KernelSource): Promise<Parts> {
	const { count } = kernels;
	let parts: Float32Array<ArrayBufferLike>[] = [];
	let power = 0;
	let length = 0;
	for (let i = 0; i < count; i++) {
		const kernel = await kernels.read(i);
		length = kernel.length / 4;
		if (i === 0)
			parts = Array.from({ length: 4 }, () => new Float32Array(count * length));
		for (const v of kernel) power += v * v;
		fold(kernel).forEach((part, p) => {
			parts[p].set(part, i * length);
		});
	}
	return { count, length, parts, power };
}

/** The components of each sort, as many as belong to the `components` largest variances of all. */
async function principalSorts(
	gpu: Gpu,
	{ count, length, parts }: Parts,
	components: number,
	onSort?: (name: string) => void,
): Promise<SortComponents[]> {
	const [ee, oo, eo, oe] = parts;
	const side = Math.sqrt(length);
	const rowsOf = ({ x, swap }: (typeof SORTS)[number]) => {
		if (swap === 0)
			return {
				count: 2 * count,
				length,
				read: (i: number, into: Float32Array) =>
					into.set(
						i < count
							? eo.subarray(i * length, (i + 1) * length)
							: oe.subarray((i - count) * length, (i - count + 1) * length),
					),
			};
		const from = x > 0 ? ee : oo;
		return {
			count,
			length,
			dimension: (side * (side + swap)) / 2,
			read(i: number, into: Float32Array) {
				const at = i * length;
				for (let a = 0; a < side; a++)
					for (let b = 0; b < side; b++)
						into[a * side + b] =
							(from[at + a * side + b] + swap * from[at + b * side + a]) / 2;
			},
		};
	};
	const found = [];
	for (const sort of SORTS) {
		onSort?.(sort.name);
		// No sort has nearly as many as this of the largest.
		const most = Math.ceil(components * 0.4);
		found.push({
			sort,
			...(await principalDirections(gpu, rowsOf(sort), most)),
		});
	}
	const least = found
		.flatMap(({ sort, values }) =>
			sort.swap === 0 ? [...values, ...values] : [...values],
		)
		.sort((a, b) => b - a)[components - 1];
	return found.map(({ sort, vectors, values }) => {
		const count = values.filter((v) => v >= (least ?? 0)).length;
		return {
			sort,
			count,
			quadrants: vectors.slice(0, count * length),
			variances: Float32Array.from(values.slice(0, count)),
		};
	});
}
