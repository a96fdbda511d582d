/** The products of a map's forward operator, batch 8, 20 points at whole shifts, of which the filter is a plain sum of shifted images; and a step of conjugate gradients. */
import { ConjugateGradients } from "../../src/engine/ops/conjugateGradients.ts";
import { scale } from "../../src/engine/ops/elementwise.ts";
import {
	makeFilter,
	spectralConv,
	spectralConvAdjoint,
} from "../../src/engine/ops/spectral.ts";
import { zeros } from "../../src/engine/tensors/tensor.ts";
import { Random } from "../../src/random.ts";
import { type Given, sampled } from "./check.ts";
import type { Op } from "./row.ts";

type Size = readonly [number, number];

const [BATCH, POINTS] = [8, 20];

/** Maps, kernels and grids as they belong together. */
const products: Op[] = (
	[
		[
			[64, 64],
			[20, 20],
			[75, 80],
		],
		[
			[256, 256],
			[57, 60],
			[288, 288],
		],
		[
			[512, 480],
			[101, 104],
			[576, 540],
		],
	] as const
).flatMap(([map, kernel, grid]) => onGrid(map, kernel, grid));

function onGrid(map: Size, kernel: Size, grid: Size): Op[] {
	const [n, m] = grid;
	const random = new Random(n);
	const points = Array.from({ length: POINTS }, () => ({
		x: random.integer(0, n),
		y: random.integer(0, m),
		weight: random.normal(),
	}));
	const spectra = new Float32Array((m / 2 + 1) * n * 2);
	for (let i = 0; i < spectra.length; i += 2) {
		const [kx, ky] = [(i / 2) % n, Math.floor(i / 2 / n)];
		for (const { x, y, weight } of points) {
			const angle = -2 * Math.PI * (((kx * x) % n) / n + ((ky * y) % m) / m);
			spectra[i] += weight * Math.cos(angle);
			spectra[i + 1] += weight * Math.sin(angle);
		}
	}
	/** The value of the image that came in, at a place of the periodic grid. */
	const at = ({ inputs }: Given, [b, x, y]: number[], [h, w]: Size) => {
		const [r, c] = [((x % n) + n) % n, ((y % m) + m) % m];
		return r < h && c < w ? inputs[0].data[(b * h + r) * w + c] : 0;
	};
	const product = (
		op: typeof spectralConv,
		from: Size,
		to: Size,
		sign: 1 | -1,
	): Op => ({
		name: `${op.name} ${from.join("x")} to ${to.join("x")} on ${n}x${m}`,
		make(fresh, gpu) {
			const x = fresh([BATCH, ...from]);
			const filter = makeFilter(gpu, grid, 1, spectra);
			return { inputs: [x], run: () => op(x, filter, to) };
		},
		check: sampled((given, _, i) => {
			const [h, w] = to;
			const b = Math.floor(i / h / w);
			const [r, c] = [Math.floor(i / w) % h, i % w];
			return points.reduce(
				(sum, { x, y, weight }) =>
					sum + weight * at(given, [b, r - sign * x, c - sign * y], from),
				0,
			);
		}),
		// Forth and back, each 5 N log2 N for the N = n m / 2 complex values of a real image. Lines out of use are not counted out.
		flop: BATCH * 2 * 5 * ((n * m) / 2) * Math.log2((n * m) / 2),
	});
	return [
		product(spectralConv, kernel, map, 1),
		product(spectralConvAdjoint, map, kernel, -1),
	];
}

/** The kernels of 16 right-hand sides of 57 x 60. */
const VECTORS = [16, 3420];
const LAMBDA = 0.5;

/** With the identity for system and covariance one step solves it. */
const step: Op = {
	name: `conjugate gradients [${VECTORS}], 1 step`,
	make(fresh, gpu) {
		const right = fresh(VECTORS);
		const seen = zeros(gpu, [1, 3, VECTORS[1], 4]);
		const same = (x: typeof right) => scale(x, 1);
		const equations = { normal: same, covariance: same, seen, lambda: LAMBDA };
		const run = () => {
			const solver = new ConjugateGradients(right, equations);
			solver.step();
			const kernels = scale(solver.kernels, 1);
			solver.dispose();
			return kernels;
		};
		return { inputs: [right], run };
	},
	check: sampled(({ inputs: [{ data }] }, _, i) => data[i] / (1 + LAMBDA)),
	// turn twice: r, C r, p, C p, u, C u -> p, C p; measure: w, p, C p -> w, and 3 times w, C p -> w; advance: six -> three; five times the identity, begin.
	bytes: 4 * VECTORS[0] * VECTORS[1] * (16 + 4 + 9 + 9 + 10 + 7),
};

export const spectral: Op[] = [...products, step];
