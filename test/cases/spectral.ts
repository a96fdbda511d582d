import type { Gpu } from "../../src/engine/device/gpu.ts";
import {
	makeFilter,
	spectralConv,
	spectralConvAdjoint,
} from "../../src/engine/ops/spectral.ts";
import { Random } from "../../src/random.ts";
import { type BadCall, type Case, type Nd, nd } from "../opTesting.ts";
import { filter, spectrumOf } from "../reference/spectral.ts";

type Size = readonly [number, number];

/** Filters of noise on a grid, `count` of them. */
function noise([n, m]: Size, count: number): Nd {
	const random = new Random(n * m);
	const each = Array.from({ length: count }, () =>
		spectrumOf(
			Float64Array.from({ length: n * m }, () => random.normal()),
			n,
			m,
		),
	);
	const size = each[0].data.length;
	return nd([count, ...each[0].shape.slice(1)], (i) =>
		// as the device has them
		Math.fround(each[Math.floor(i / size)].data[i % size]),
	);
}

const made = new Map<string, Nd>();
const spectra = (grid: Size, count: number): Nd => {
	const key = `${grid} ${count}`;
	const found = made.get(key) ?? noise(grid, count);
	made.set(key, found);
	return found;
};

const filterOf = (gpu: Gpu, grid: Size, count: number) =>
	makeFilter(gpu, grid, count, Float32Array.from(spectra(grid, count).data));

/** `count` filters on a grid, from images of one size to those of another. */
export function row(
	op: typeof spectralConv,
	grid: Size,
	[batch, count]: Size,
	from: Size,
	to: Size,
	grad = true,
): Case {
	return {
		name: `${op.name} ${batch} x ${from.join(" x ")} to ${to.join(" x ")}, ${count === 1 ? "one filter" : `${count} filters`} on ${grid.join(" x ")}`,
		inputs: [{ shape: [batch, ...from], grad }],
		run: ([x]) => op(x, filterOf(x.gpu, grid, count), to),
		reference: ([x]) =>
			filter(x, spectra(grid, count), grid[1], to, op === spectralConvAdjoint),
	};
}

/** The filter of a single point, which moves an image. */
const shift = (grid: Size, sx: number, sy: number): Case => {
	const [n, m] = grid;
	return {
		name: `spectralConv of a point at (${sx}, ${sy}) on ${n} x ${m}`,
		inputs: [{ shape: [1, n, m], grad: false }],
		run: ([x]) => {
			const values = Float32Array.from(
				{ length: (m / 2 + 1) * n },
				(_, i) => i,
			);
			const spectrum = values.reduce(
				(all, i) => {
					const [kx, ky] = [i % n, Math.floor(i / n)];
					const angle =
						-2 * Math.PI * (((kx * sx) % n) / n + ((ky * sy) % m) / m);
					all[2 * i] = Math.cos(angle);
					all[2 * i + 1] = Math.sin(angle);
					return all;
				},
				new Float32Array(2 * values.length),
			);
			return spectralConv(x, makeFilter(x.gpu, grid, 1, spectrum), grid);
		},
		reference: ([x]) =>
			nd([1, n, m], (i) => {
				const row = (Math.floor(i / m) + n - sx) % n;
				return x.data[row * m + (((i % m) + m - sy) % m)];
			}),
	};
};

export const cases: Case[] = [
	row(spectralConv, [2, 2], [1, 1], [1, 1], [2, 2]),
	row(spectralConv, [12, 10], [1, 1], [3, 5], [7, 4]),
	row(spectralConv, [15, 16], [3, 1], [5, 5], [15, 16]),
	row(spectralConv, [9, 50], [3, 3], [9, 1], [1, 50]),
	row(spectralConvAdjoint, [30, 16], [2, 2], [17, 12], [5, 8]),
	row(spectralConvAdjoint, [25, 32], [5, 1], [24, 32], [1, 1]),
	row(spectralConvAdjoint, [27, 18], [1, 1], [27, 18], [11, 12]),
	row(spectralConv, [80, 96], [5, 1], [13, 16], [61, 70], false),
	row(spectralConvAdjoint, [120, 48], [2, 2], [101, 37], [19, 20], false),
	shift([2048, 2], 1000, 1),
	shift([2, 2048], 1, 77),
	shift([8, 1944], 3, 900),
	shift([1250, 6], 1249, 5),
];

const bad = (
	name: string,
	inputs: BadCall["inputs"],
	run: (gpu: Gpu, x: Parameters<BadCall["run"]>[0]) => unknown,
	message: RegExp,
): BadCall => ({
	name,
	inputs,
	run: (x) => run(x[0].gpu, x),
	message,
});

export const badCalls: BadCall[] = [
	bad(
		"a filter on a grid with a factor of 7",
		[[1]],
		(gpu) => makeFilter(gpu, [14, 16], 1, new Float32Array(0)),
		/makeFilter: a grid of 14 x 16; expected sizes up to 2048 of the factors 2, 3 and 5/,
	),
	bad(
		"a filter on a grid of odd rows",
		[[1]],
		(gpu) => makeFilter(gpu, [16, 15], 1, new Float32Array(0)),
		/a grid of 16 x 15; .* the second even/,
	),
	bad(
		"a filter on too large a grid",
		[[1]],
		(gpu) => makeFilter(gpu, [4096, 16], 1, new Float32Array(0)),
		/a grid of 4096 x 16/,
	),
	bad(
		"a filter of another length",
		[[1]],
		(gpu) => makeFilter(gpu, [4, 6], 2, new Float32Array(5)),
		/makeFilter: 5 values; expected \[2, 4, 4, 2\]/,
	),
	bad(
		"spectralConv of an image larger than the grid",
		[[1, 13, 10]],
		(gpu, [x]) => spectralConv(x, filterOf(gpu, [12, 10], 1), [1, 1]),
		/spectralConv: image \[1, 13, 10\] to 1 x 1, 1 filters on 12 x 10; expected \[B, h, w\] within the grid/,
	),
	bad(
		"spectralConvAdjoint with the filters of another batch",
		[[3, 12, 10]],
		(gpu, [x]) => spectralConvAdjoint(x, filterOf(gpu, [12, 10], 2), [1, 1]),
		/spectralConvAdjoint: .* and one filter or B/,
	),
];
