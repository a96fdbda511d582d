/**
 * Times the convolution kernels over the shapes of our networks, after checking each against sums made on the CPU, and then the spectral operators:
 *   node bench/shaders.ts [--filter TEXT] [--adapter NAME]
 */
import { Command } from "commander";
import type { Gpu } from "../src/engine/gpu.ts";
import type { ConvGeometry } from "../src/engine/ops/convFamily.ts";
import { weightGradient } from "../src/engine/ops/convGradients.ts";
import { convolve, convolveTransposed } from "../src/engine/ops/convKernels.ts";
import {
	pointSpectrum,
	spectralConv,
	spectralConvAdjoint,
	spectralGram,
} from "../src/engine/ops/spectral.ts";
import { scope } from "../src/engine/scope.ts";
import { sizeOf, type Tensor, tensor } from "../src/engine/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/adapter.ts";
import { Random } from "../src/random.ts";

interface Row {
	name: string;
	g: ConvGeometry;
}

function conv(
	batch: number,
	size: number,
	channels: number,
	outChannels: number,
	kernel: number,
	stride = 1,
	pad = 1,
): Row {
	const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
	return {
		name: `conv ${kernel}x${kernel} s${stride} ${size}x${size} ${channels}->${outChannels}`,
		g: {
			batch,
			size: [size, size],
			channels,
			outSize: [out, out],
			outChannels,
			kernel: [kernel, kernel],
			stride: [stride, stride],
			pad: [pad, pad],
		},
	};
}

const rows: Row[] = [
	conv(8, 64, 64, 64, 3),
	conv(8, 64, 5, 16, 3),
	conv(8, 64, 1, 16, 3),
	conv(8, 64, 16, 32, 3),
	conv(8, 32, 32, 32, 3),
	conv(8, 16, 64, 64, 3),
	conv(8, 8, 64, 64, 3),
	conv(8, 8, 128, 4, 3),
	conv(8, 64, 32, 1, 3),
	conv(8, 64, 1, 32, 4, 2),
	conv(8, 32, 32, 64, 4, 2),
	conv(8, 16, 64, 128, 4, 2),
	conv(8, 64, 16, 32, 3, 2, 1),
	{ name: "conv 1x1 64x64 64->64", g: conv(8, 64, 64, 64, 1, 1, 0).g },
	{
		name: "matmul 512",
		g: {
			...conv(1, 1, 512, 512, 1, 1, 0).g,
			size: [1, 512],
			outSize: [1, 512],
		},
	},
	{ name: "linear 8 x 512 -> 512", g: conv(8, 1, 512, 512, 1, 1, 0).g },
];

const options = new Command()
	.option("--filter <text>", "only rows whose name contains it", "")
	.option("--adapter <name>", "as in training", "")
	.parse()
	.opts<{ filter: string; adapter: string }>();

const gpu = await openGpu({ adapter: options.adapter });
console.log(describeAdapter(gpu));
console.log(
	`${"".padEnd(30)}${["forward", "dx", "dw"].map((s) => `${s}: ms  GFLOP/s`.padStart(24)).join("")}`,
);
for (const { name, g } of rows) {
	if (!name.includes(options.filter)) continue;
	const columns = await measure(gpu, g);
	console.log(`${name.padEnd(30)}${columns.join("")}`);
}
await timeSpectral(gpu);
gpu.dispose();

/** The forward operator's products, batch 8, 20 points a sample. */
async function timeSpectral(gpu: Gpu): Promise<void> {
	const random = new Random(2);
	const make = (...shape: number[]) => {
		const values = { length: sizeOf(shape) };
		const data = Float32Array.from(values, () => random.uniform(-1, 1));
		return tensor(gpu, data, shape);
	};
	for (const n of [32, 64, 128, 256]) {
		const points = make(8, 20, 3);
		const spectrum = pointSpectrum(points, n);
		const kernel = make(8, n, n);
		const image = make(8, n / 2, n / 2);
		const rows: [string, () => Tensor][] = [
			["pointSpectrum", () => pointSpectrum(points, n)],
			["spectralConv", () => spectralConv(kernel, spectrum)],
			["spectralConvAdjoint", () => spectralConvAdjoint(image, spectrum)],
			["spectralGram", () => spectralGram(image, spectrum)],
		];
		for (const [op, run] of rows) {
			const name = `${op} on ${n}`;
			if (!name.includes(options.filter)) continue;
			const ms = await time(gpu, run);
			console.log(`${name.padEnd(30)}${ms.toFixed(2).padStart(14)} ms`);
		}
		for (const t of [points, spectrum, kernel, image]) t.dispose();
	}
}

async function measure(gpu: Gpu, g: ConvGeometry): Promise<string[]> {
	const { batch, channels, outChannels, kernel, size, outSize } = g;
	const random = new Random(1);
	const make = (shape: number[]) => {
		const data = Float32Array.from({ length: sizeOf(shape) }, () =>
			random.uniform(-1, 1),
		);
		return { data, tensor: tensor(gpu, data, shape) };
	};
	const flop =
		2 *
		batch *
		outSize[0] *
		outSize[1] *
		outChannels *
		kernel[0] *
		kernel[1] *
		channels;
	const x = make([batch, ...size, channels]);
	const w = make([outChannels, ...kernel, channels]);
	const y = make([batch, ...outSize, outChannels]);
	const out = {
		y: make([batch, ...outSize, outChannels]),
		x: make([batch, ...size, channels]),
		w: make([outChannels, ...kernel, channels]),
	};
	const kernels: [Tensor, () => void, (index: number) => number][] = [
		[
			out.y.tensor,
			() => convolve(g, x.tensor, w.tensor, null, 1, out.y.tensor),
			(i) => referenceY(g, x.data, w.data, i),
		],
		[
			out.x.tensor,
			() => convolveTransposed(g, y.tensor, w.tensor, null, 1, out.x.tensor),
			(i) => referenceX(g, y.data, w.data, i),
		],
		[
			out.w.tensor,
			() => weightGradient(g, x.tensor, y.tensor, out.w.tensor),
			(i) => referenceW(g, x.data, y.data, i),
		],
	];
	const columns: string[] = [];
	for (const [result, run, reference] of kernels) {
		scope(gpu, run);
		const actual = await result.data();
		let largest = 0;
		const differences = Array.from({ length: 50 }, () => {
			const i = random.integer(0, actual.length);
			const expected = reference(i);
			largest = Math.max(largest, Math.abs(expected));
			return Math.abs(actual[i] - expected);
		});
		if (!(Math.max(...differences) <= 2e-5 * largest))
			throw new Error(
				`wrong by ${Math.max(...differences)} where values reach ${largest}`,
			);
		const ms = await time(gpu, run);
		columns.push(
			`${ms.toFixed(2).padStart(14)}${(flop / ms / 1e6).toFixed(1).padStart(10)}`,
		);
	}
	for (const { tensor } of [x, w, y, ...Object.values(out)]) tensor.dispose();
	return columns;
}

/** Median of seven, of as many runs as fill 30 ms. */
async function time(gpu: Gpu, run: () => unknown): Promise<number> {
	const once = async (runs: number) => {
		const start = performance.now();
		for (let i = 0; i < runs; i++) scope(gpu, run);
		await gpu.idle();
		return (performance.now() - start) / runs;
	};
	const runs = Math.max(1, Math.ceil(30 / (await once(1))));
	const times: number[] = [];
	for (let i = 0; i < 7; i++) times.push(await once(runs));
	return times.sort((a, b) => a - b)[3];
}

type Data = Float32Array;

/** One element of y, summed in float64. */
function referenceY(g: ConvGeometry, x: Data, w: Data, index: number): number {
	const o = index % g.outChannels;
	const pixel = Math.floor(index / g.outChannels);
	let sum = 0;
	for (let ky = 0; ky < g.kernel[0]; ky++)
		for (let kx = 0; kx < g.kernel[1]; kx++) {
			const at = meet(g, pixel, ky, kx);
			if (at < 0) continue;
			for (let c = 0; c < g.channels; c++)
				sum +=
					x[at * g.channels + c] *
					w[((o * g.kernel[0] + ky) * g.kernel[1] + kx) * g.channels + c];
		}
	return sum;
}

function referenceX(g: ConvGeometry, y: Data, w: Data, index: number): number {
	const c = index % g.channels;
	const place = Math.floor(index / g.channels);
	const image = g.outSize[0] * g.outSize[1];
	const b = Math.floor(place / (g.size[0] * g.size[1]));
	let sum = 0;
	for (let pixel = b * image; pixel < (b + 1) * image; pixel++)
		for (let ky = 0; ky < g.kernel[0]; ky++)
			for (let kx = 0; kx < g.kernel[1]; kx++) {
				if (meet(g, pixel, ky, kx) !== place) continue;
				for (let o = 0; o < g.outChannels; o++)
					sum +=
						y[pixel * g.outChannels + o] *
						w[((o * g.kernel[0] + ky) * g.kernel[1] + kx) * g.channels + c];
			}
	return sum;
}

function referenceW(g: ConvGeometry, x: Data, y: Data, index: number): number {
	const c = index % g.channels;
	const kx = Math.floor(index / g.channels) % g.kernel[1];
	const ky = Math.floor(index / g.channels / g.kernel[1]) % g.kernel[0];
	const o = Math.floor(index / g.channels / g.kernel[1] / g.kernel[0]);
	let sum = 0;
	for (let pixel = 0; pixel < g.batch * g.outSize[0] * g.outSize[1]; pixel++) {
		const at = meet(g, pixel, ky, kx);
		if (at >= 0) sum += x[at * g.channels + c] * y[pixel * g.outChannels + o];
	}
	return sum;
}

/** The pixel of x that pixel (b, i, j) of y reads at a tap; -1 in the padding. */
function meet(g: ConvGeometry, pixel: number, ky: number, kx: number): number {
	const j = pixel % g.outSize[1];
	const i = Math.floor(pixel / g.outSize[1]) % g.outSize[0];
	const b = Math.floor(pixel / g.outSize[1] / g.outSize[0]);
	const h = i * g.stride[0] + ky - g.pad[0];
	const v = j * g.stride[1] + kx - g.pad[1];
	if (h < 0 || h >= g.size[0] || v < 0 || v >= g.size[1]) return -1;
	return (b * g.size[0] + h) * g.size[1] + v;
}
