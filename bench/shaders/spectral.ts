/** The forward operator's products, batch 8, 20 points a sample at whole shifts: the filter is then a plain sum of shifted images. */
import {
	pointSpectrum,
	spectralConv,
	spectralConvAdjoint,
	spectralGram,
} from "../../src/engine/ops/spectral.ts";
import { type Tensor, tensor } from "../../src/engine/tensor.ts";
import { Random } from "../../src/random.ts";
import { type Given, sampled } from "./check.ts";
import type { Op } from "./row.ts";

const [BATCH, POINTS] = [8, 20];

export const spectral: Op[] = [32, 64, 128, 256].flatMap(onGrid);

function onGrid(n: number): Op[] {
	const half = n / 2;
	const makePoints = (fresh: (shape: number[]) => Tensor) => {
		const { gpu } = fresh([1]);
		const random = new Random(n);
		const data = Float32Array.from({ length: BATCH * POINTS * 3 }, (_, i) =>
			i % 3 === 2 ? random.normal() : random.integer(-half, half),
		);
		return tensor(gpu, data, [BATCH, POINTS, 3]);
	};
	const pointsOf = ({ inputs }: Given, b: number) =>
		Array.from({ length: POINTS }, (_, j) =>
			inputs[0].data.subarray((b * POINTS + j) * 3, (b * POINTS + j) * 3 + 3),
		);
	/** Value of an image of `side` pixels that lies at (start, start) of the periodic grid. */
	const at = (
		{ inputs }: Given,
		[b, x, y]: number[],
		side: number,
		start: number,
	) => {
		const [r, c] = [x, y].map((v) => ((((v % n) + n) % n) - start + n) % n);
		return r < side && c < side ? inputs[1].data[(b * side + r) * side + c] : 0;
	};
	const place = (i: number, side: number) => [
		Math.floor(i / side / side),
		Math.floor(i / side) % side,
		i % side,
	];
	const product = (
		name: string,
		side: number,
		op: (image: Tensor, spectrum: Tensor) => Tensor,
		element: (given: Given, i: number) => number,
	): Op => ({
		name: `${name} on ${n}`,
		make(fresh) {
			const points = makePoints(fresh);
			const image = fresh([BATCH, side, side]);
			const spectrum = pointSpectrum(points, n);
			return {
				inputs: [points, image, spectrum],
				run: () => op(image, spectrum),
			};
		},
		check: sampled((given, _, i) => element(given, i)),
		// Forth and back, each 5 N log2 N for the N = n^2 / 2 complex values of a real image. Lines out of use are not counted out.
		flop: BATCH * 2 * 5 * (n ** 2 / 2) * Math.log2(n ** 2 / 2),
	});
	return [
		{
			name: `pointSpectrum on ${n}`,
			make(fresh) {
				const points = makePoints(fresh);
				return { inputs: [points], run: () => pointSpectrum(points, n) };
			},
			check: sampled((given, _, i) => {
				const index = Math.floor(i / 2);
				const [kx, ky] = [index % n, Math.floor(index / n) % (half + 1)];
				const b = Math.floor(index / n / (half + 1));
				return pointsOf(given, b).reduce((sum, [sx, sy, weight]) => {
					const angle = (2 * Math.PI * (kx * sx + ky * sy)) / n;
					return sum + weight * (i % 2 ? Math.sin(angle) : Math.cos(angle));
				}, 0);
			}),
			// A complex product and a sum for each point and frequency.
			flop: BATCH * POINTS * (half + 1) * n * 8,
		},
		product("spectralConv", n, spectralConv, (given, i) => {
			const [b, x, y] = place(i, half);
			return pointsOf(given, b).reduce(
				(sum, [sx, sy, w]) => sum + w * at(given, [b, x + sx, y + sy], n, 0),
				0,
			);
		}),
		product("spectralConvAdjoint", half, spectralConvAdjoint, (given, i) => {
			const [b, x, y] = place(i, n);
			return pointsOf(given, b).reduce(
				(sum, [sx, sy, w]) => sum + w * at(given, [b, x - sx, y - sy], half, 0),
				0,
			);
		}),
		product("spectralGram", half, spectralGram, (given, i) => {
			const [b, x, y] = place(i, half);
			const points = pointsOf(given, b);
			let sum = 0;
			for (const [sx, sy, w] of points)
				for (const [tx, ty, v] of points)
					sum += w * v * at(given, [b, x + sx - tx, y + sy - ty], half, 0);
			return sum;
		}),
	];
}
