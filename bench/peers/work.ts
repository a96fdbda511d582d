/**
 * The work that every library does for `npm run bench:peers`: shapes, starting values and how it is timed. What the peers do is
 * plain JavaScript: they are not installed with the project, and the type checker would miss them.
 */

/** Deterministic values on [-1, 1): a hash of index and seed, the same in torch_cpu.py. */
export function values(count: number, seed: number): Float32Array {
	const data = new Float32Array(count);
	for (let i = 0; i < count; i++) {
		let h = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
		h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
		h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
		h ^= h >>> 15;
		data[i] = h / 2 ** 31;
	}
	return data;
}

export const GEMM = 1024;

/** Batch, image size, channels in and out, kernel: stride 1, same size. */
export const CONV = { batch: 8, size: 64, channels: 64, kernel: 3 };

export const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
export const BETA = 1e-3; // of the Kullback-Leibler divergence
export const BATCH = 8;

/** The layers of the autoencoder: weights are made as [outputs, kernel, kernel, inputs], for a transposed layer as [inputs, kernel, kernel, outputs]. */
export const LAYERS = [
	{ name: "down1", kernel: 4, inputs: 1, outputs: 32 },
	{ name: "down2", kernel: 4, inputs: 32, outputs: 64 },
	{ name: "down3", kernel: 4, inputs: 64, outputs: 128 },
	{ name: "mean", kernel: 3, inputs: 128, outputs: 4 },
	{ name: "logvar", kernel: 3, inputs: 128, outputs: 4 },
	{ name: "up1", kernel: 4, inputs: 4, outputs: 128, transposed: true },
	{ name: "up2", kernel: 4, inputs: 128, outputs: 64, transposed: true },
	{ name: "up3", kernel: 4, inputs: 64, outputs: 32, transposed: true },
	{ name: "out", kernel: 3, inputs: 32, outputs: 1 },
].map((layer, i) => {
	const { kernel, inputs, outputs, transposed = false } = layer;
	const gain = Math.sqrt(3 / (kernel * kernel * inputs));
	return {
		...layer,
		transposed,
		shape: [
			transposed ? inputs : outputs,
			kernel,
			kernel,
			transposed ? outputs : inputs,
		],
		weight: values(kernel * kernel * inputs * outputs, 10 + i).map(
			(v) => v * gain,
		),
		bias: new Float32Array(outputs),
	};
});

/** The pieces of work, with 1e9 floating-point operations of each. */
export const WORKS = {
	gemm: { title: "GEMM 1024^3", gflop: 2.147 },
	conv: {
		title: "conv2d 3x3 64->64, 64x64, batch 8, forward",
		gflop: 2.416,
	},
	convGradients: { title: "the same with both gradients", gflop: 7.248 },
	step: {
		title: "VAE training step, batch 8",
		gflop: 4.15,
	},
};

/** Axes of `data` in another order: result axis i is axis order[i]. */
export function permute(
	data: Float32Array,
	shape: readonly number[],
	order: readonly number[],
) {
	const strides = shape.map((_, i) =>
		shape.slice(i + 1).reduce((a, b) => a * b, 1),
	);
	const to = order.map((axis) => shape[axis]);
	const result = new Float32Array(data.length);
	const index = to.map(() => 0);
	for (let i = 0; i < data.length; i++) {
		result[i] = data[index.reduce((at, n, k) => at + n * strides[order[k]], 0)];
		for (let k = to.length - 1; k >= 0 && ++index[k] === to[k]; k--)
			index[k] = 0;
	}
	return { data: result, shape: to };
}

/** A few numbers by which a result is known: values at 16 places, spread over the whole array. */
export function sample(data: Float32Array): number[] {
	return Array.from(
		{ length: 16 },
		(_, i) => data[Math.floor(((i + 0.5) * data.length) / 16)],
	);
}

/** A piece of work as a library does it. */
export interface Work {
	/** Does it once and resolves when the device is done; a training step returns its loss. */
	run(): Promise<unknown>;
	/** Numbers by which the result is known; where there is none, they are what the runs returned. */
	check?(): Promise<number[]>;
}

/** Milliseconds, and the numbers to compare. */
export interface Timing {
	readonly cold: number;
	readonly median: number;
	readonly least: number;
	readonly most: number;
	readonly check: number[];
}

/** Milliseconds beyond which a run is repeated less often: a table of minutes, not of hours. */
const SLOW = 3000;

/** Times one piece of work: the first run (cold: compilation included), two to warm up, then seven (three if they are slow) of which the median counts. */
export async function time({ run, check }: Work): Promise<Timing> {
	const once = async () => {
		const start = performance.now();
		const result = await run();
		return { ms: performance.now() - start, result };
	};
	const rounds = [await once(), await once()];
	const [warmUp, timed] = rounds[1].ms > SLOW ? [2, 3] : [3, 7];
	while (rounds.length < warmUp + timed) rounds.push(await once());
	const warm = rounds
		.slice(warmUp)
		.map(({ ms }) => ms)
		.sort((a, b) => a - b);
	return {
		cold: rounds[0].ms,
		median: warm[(timed - 1) / 2],
		least: warm[0],
		most: warm[timed - 1],
		check: check ? await check() : rounds.map(({ result }) => Number(result)),
	};
}
