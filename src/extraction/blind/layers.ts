/** One image of a stack in which its scatterers stand out. */
import { Random } from "../../random.ts";
import { medianOf, spreadOf } from "./grid.ts";

export interface Layers {
	/** The stack's first principal components, the strongest first; a single layer as it is. */
	readonly images: readonly Float64Array[];
	/** Layers that show nothing: constant, or not finite where they should count. */
	readonly leftOut: readonly number[];
}

/** Components that are searched. */
const MOST = 2;
const ROUNDS = 100;

/**
 * What all layers have in common: the first principal components of the layers about their medians, each over its own robust spread. What one layer hides another shows, and noise averages out.
 */
export function componentsOf(
	images: readonly ArrayLike<number>[],
	weights: Float64Array,
): Layers {
	const leftOut: number[] = [];
	const layers: Float64Array[] = [];
	images.forEach((image, e) => {
		const counted = Float64Array.from(image).filter((_, p) => weights[p] > 0);
		const middle = medianOf(counted);
		const flat = Float64Array.from(image, (v, p) =>
			weights[p] > 0 ? v - middle : 0,
		);
		const spread = spreadOf(flat, weights);
		if (!(spread > 0 && counted.every(Number.isFinite))) leftOut.push(e);
		else layers.push(flat.map((v) => v / spread));
	});
	if (layers.length <= 1) return { images: layers, leftOut };
	const gram = layers.map((a) =>
		Float64Array.from(layers, (b) =>
			a.reduce((sum, v, p) => sum + weights[p] * v * b[p], 0),
		),
	);
	const found: Float64Array[] = [];
	const vectors: Float64Array[] = [];
	const random = new Random(0);
	while (found.length < Math.min(MOST, layers.length)) {
		let v = Float64Array.from(layers, () => random.normal());
		for (let round = 0; round < ROUNDS; round++) {
			let next = Float64Array.from(gram, (row) =>
				row.reduce((sum, w, i) => sum + w * v[i], 0),
			);
			for (const other of vectors) {
				const along = next.reduce((sum, w, i) => sum + w * other[i], 0);
				next = next.map((w, i) => w - along * other[i]);
			}
			const norm = Math.sqrt(next.reduce((sum, w) => sum + w * w, 0)) || 1;
			v = next.map((w) => w / norm);
		}
		vectors.push(v);
		const image = new Float64Array(weights.length);
		layers.forEach((layer, e) => {
			for (let p = 0; p < image.length; p++) image[p] += v[e] * layer[p];
		});
		found.push(image);
	}
	return { images: found, leftOut };
}
