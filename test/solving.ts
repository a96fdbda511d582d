/** Systems of a map with random marks, weights and covariance, as those of an extraction: for tests and timing. */

import { MapOperator } from "../src/qpi/operator/mapOperator.ts";
import { BlockCovariance } from "../src/qpi/posterior/blockCovariance.ts";
import { FactoredCovariance } from "../src/qpi/posterior/factoredCovariance.ts";
import { MapSystem } from "../src/qpi/posterior/mapPosterior.ts";
import type { Right } from "../src/qpi/posterior/solveMany.ts";
import { Random } from "../src/random.ts";

export interface Sizes {
	readonly nx: number;
	readonly ny: number;
	readonly size: number;
	readonly kinds?: number;
	readonly marks: number;
	readonly components: number;
	/** Patterns of coefficients that are more likely. */
	readonly alike?: number;
	/** Right-hand sides of one system, and systems: other pixels left out in each. */
	readonly rights: number;
	readonly systems?: number;
	/** Scatterers of each system are its own. */
	readonly moved?: boolean;
	readonly order?: number;
}

export function problem(
	{
		nx,
		ny,
		size,
		kinds = 1,
		marks,
		components,
		alike = 2,
		rights,
		systems = 1,
		moved = false,
		order = 2,
	}: Sizes,
	seed = 1,
): { rights: Right[]; covariance: BlockCovariance } {
	const random = new Random(seed);
	const sites = () =>
		Array.from({ length: marks }, (_, j) => ({
			x: random.uniform(-2, nx + 1),
			y: random.uniform(-2, ny + 1),
			weight: random.uniform(0.7, 1.3),
			kind: j % kinds,
		}));
	let operator = new MapOperator({ nx, ny, size, kinds }, sites());
	const out: Right[] = [];
	for (let s = 0; s < systems; s++) {
		if (moved && s > 0)
			operator = new MapOperator({ nx, ny, size, kinds }, sites());
		const [x, y] = [random.integer(0, nx), random.integer(0, ny)];
		const weights = Float64Array.from({ length: nx * ny }, (_, p) =>
			Math.abs(Math.floor(p / ny) - x) < nx / 6 && Math.abs((p % ny) - y) < 7
				? 0
				: random.uniform(0.5, 1),
		);
		const system = new MapSystem(operator, weights, order);
		for (let r = 0; r < rights; r++)
			out.push({ system, right: system.noise(random) });
	}
	const parts = Array.from({ length: kinds }, () =>
		smooth(random, size, components, alike),
	);
	return { rights: out, covariance: new BlockCovariance(parts) };
}

/** Waves of falling variance under an envelope, a little of every node, and kernels that are more likely. */
function smooth(
	random: Random,
	size: number,
	count: number,
	alike: number,
): FactoredCovariance {
	const components = new Float32Array(count * size * size);
	const middle = (size - 1) / 2;
	for (let c = 0; c < count; c++) {
		const q = random.uniform(0, 1.5);
		const turn = random.uniform(0, Math.PI);
		const phase = random.uniform(0, 2 * Math.PI);
		const [qx, qy] = [q * Math.cos(turn), q * Math.sin(turn)];
		for (let i = 0, k = c * size * size; i < size; i++)
			for (let j = 0; j < size; j++, k++) {
				const [x, y] = [i - middle, j - middle];
				components[k] =
					(Math.cos(qx * x + qy * y + phase) *
						Math.exp(-(x * x + y * y) / (size * size) / 0.1)) /
					size;
			}
	}
	return new FactoredCovariance({
		own: new Float64Array(size * size).map(() => random.uniform(0.001, 0.003)),
		components,
		variances: Float64Array.from({ length: count }, (_, c) => 5 / (1 + c)),
		weights: Float64Array.from({ length: alike }, (_, m) => 0.5 / (1 + m)),
		vectors: Float64Array.from({ length: alike * count }, () =>
			random.normal(),
		),
	});
}
