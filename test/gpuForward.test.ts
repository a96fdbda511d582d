import { Matrix, solve } from "ml-matrix";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/scope.ts";
import { type Tensor, tensor } from "../src/engine/tensor.ts";
import {
	GpuForward,
	type GpuRidgeOptions,
	type WeightedPosition,
} from "../src/extraction/gpuForward.ts";
import { gpuPhysicsInputs } from "../src/extraction/gpuInputs.ts";
import { openGpu } from "../src/node/adapter.ts";
import { ForwardOperator, pixelOf } from "../src/qpi/forward.ts";
import { physicsInputs } from "../src/qpi/inputs.ts";
import { centre, embed, ridge } from "../src/qpi/ridge.ts";
import { Random } from "../src/random.ts";
import { compare, uniform } from "./opTesting.ts";

const gpu = await openGpu();
test.after(() => gpu.dispose());
const random = new Random(7);

const arrangement = (count: number): WeightedPosition[] =>
	Array.from({ length: count }, () => ({
		x: random.uniform(-190, 190),
		y: random.uniform(-190, 190),
		weight: random.uniform(0.5, 1.5),
	}));

/** An odd batch: nobody; one; on the edge, in a corner, on a pixel, just not left out and just left out; more than twenty; five. */
const arrangements = (size: number): WeightedPosition[][] => [
	[],
	[{ x: 31.7, y: -90.2, weight: 0.7 }],
	[
		{ x: -200, y: 12.3 },
		{ x: 200, y: 200 },
		{ x: -200 + (400 / (size - 1)) * 3, y: 17 },
		{ x: 3, y: 199.95 + 400 / (size - 1) },
		{ x: 200.05 + 400 / (size - 1), y: 3 },
		{ x: 1000, y: 3 },
	],
	arrangement(24),
	arrangement(5),
];

const onCpu = (sample: readonly WeightedPosition[], size: number) =>
	new ForwardOperator(
		sample,
		sample.map(({ weight = 1 }) => weight),
		size,
	);

/** Runs `fn` on the device and reads its tensors back. */
async function read<K extends string>(
	fn: () => Record<K, Tensor>,
): Promise<Record<K, Float32Array>> {
	const made = scope(gpu, fn);
	const values: [string, Float32Array][] = [];
	for (const [name, t] of Object.entries<Tensor>(made)) {
		values.push([name, await t.data()]);
		t.dispose();
	}
	return Object.fromEntries(values) as Record<K, Float32Array>;
}

/** Sample b of a batch. */
const part = (data: Float32Array, b: number, batch: number) => {
	const each = data.length / batch;
	return Float64Array.from(data.subarray(b * each, (b + 1) * each));
};

const images = (data: Float32Array, batch: number) => {
	const side = Math.sqrt(data.length / batch);
	return tensor(gpu, data, [batch, side, side]);
};

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
	return sum;
};

/**
 * A as a dense matrix, size² x (2 size)², from what it means: Y(r) = sum_j w_j K(r - r_j), K being the trigonometric interpolation of period 2 size
 * through its nodes at half-integer lags. The highest frequency, a cosine between the nodes, keeps only the cosine of the shift.
 */
function dense(sample: readonly WeightedPosition[], size: number) {
	const n = 2 * size;
	const matrix = Array.from(
		{ length: size * size },
		() => new Float64Array(n * n),
	);
	/** What node m gives to pixel i when the scatterer is at pixel `at`, along one axis. */
	const factors = (at: number) =>
		Array.from({ length: size }, (_, i) =>
			Float64Array.from({ length: n }, (_, m) => {
				const shift = size - 0.5 - at;
				let sum = 1 + Math.cos(Math.PI * shift) * (-1) ** (i + m);
				for (let k = 1; k < size; k++)
					sum += 2 * Math.cos((2 * Math.PI * k * (i + shift - m)) / n);
				return sum / n;
			}),
		);
	for (const { x, y, weight = 1 } of sample) {
		if (Math.max(Math.abs(x), Math.abs(y)) > 200 + 400 / (size - 1)) continue;
		const fx = factors(pixelOf(x, size));
		const fy = factors(pixelOf(y, size));
		matrix.forEach((row, i) => {
			const rx = fx[Math.floor(i / size)];
			const ry = fy[i % size];
			for (let m = 0; m < n * n; m++)
				row[m] += weight * rx[Math.floor(m / n)] * ry[m % n];
		});
	}
	return matrix;
}

const multiply = (a: readonly Float64Array[], x: Float64Array) =>
	Float64Array.from(a, (row) => dot(row, x));

const multiplyTransposed = (a: readonly Float64Array[], y: Float64Array) => {
	const out = new Float64Array(a[0].length);
	a.forEach((row, i) => {
		for (let m = 0; m < out.length; m++) out[m] += row[m] * y[i];
	});
	return out;
};

for (const size of [8, 16])
	test(`${size} x ${size}: apply, adjoint and gram are those of the dense matrix`, async () => {
		const samples = arrangements(size);
		const batch = samples.length;
		const kernels = uniform(random, batch * 4 * size ** 2);
		const ys = uniform(random, batch * size ** 2);
		const got = await read(() => {
			const a = new GpuForward(gpu, samples, size);
			return {
				apply: a.apply(images(kernels, batch)),
				adjoint: a.adjoint(images(ys, batch)),
				gram: a.gram(images(ys, batch)),
			};
		});
		samples.forEach((sample, b) => {
			const a = dense(sample, size);
			const back = multiplyTransposed(a, part(ys, b, batch));
			const expected = {
				apply: multiply(a, part(kernels, b, batch)),
				adjoint: back,
				gram: multiply(a, back),
			};
			for (const name of ["apply", "adjoint", "gram"] as const)
				compare(
					`${name} of sample ${b}`,
					part(got[name], b, batch),
					expected[name],
					5e-6,
				);
		});
	});

test("64 x 64: whole kernels and kernel images as ForwardOperator has them", async () => {
	const samples = arrangements(64);
	const batch = samples.length;
	const whole = uniform(random, batch * 128 ** 2);
	const inner = uniform(random, batch * 64 ** 2);
	const got = await read(() => {
		const a = new GpuForward(gpu, samples);
		const y = images(inner, batch);
		return {
			whole: a.apply(images(whole, batch)),
			inner: a.apply(y),
			adjoint: a.adjoint(y),
			centre: a.adjoint(y, 64),
			gram: a.gram(y),
		};
	});
	samples.forEach((sample, b) => {
		const a = onCpu(sample, 64);
		const y = part(inner, b, batch);
		const expected = {
			whole: a.apply(part(whole, b, batch)),
			inner: a.apply(embed(y)),
			adjoint: a.adjoint(y),
			centre: centre(a.adjoint(y)),
			gram: a.gram(y),
		};
		for (const name of Object.keys(expected) as (keyof typeof expected)[])
			compare(
				`${name} of sample ${b}`,
				part(got[name], b, batch),
				expected[name],
				5e-6,
			);
	});
});

test("<A k, y> = <k, Aᵀ y> and <A Aᵀ y, y> = |Aᵀ y|²", async () => {
	for (const [size, side] of [
		[8, 16],
		[16, 20],
		[64, 128],
		[64, 64],
		[128, 256],
	]) {
		const samples = [arrangement(3), arrangement(21), arrangement(1)];
		const ks = uniform(random, 3 * side ** 2);
		const ys = uniform(random, 3 * size ** 2);
		const { forth, back, gram, all } = await read(() => {
			const a = new GpuForward(gpu, samples, size);
			const y = images(ys, 3);
			return {
				forth: a.apply(images(ks, 3)),
				back: a.adjoint(y, side),
				gram: a.gram(y),
				all: a.adjoint(y),
			};
		});
		for (let b = 0; b < 3; b++) {
			const [y, ay, aty] = [ys, forth, back].map((data) => part(data, b, 3));
			const scale = Math.sqrt(dot(ay, ay) * dot(y, y));
			const left = dot(ay, y);
			const right = dot(part(ks, b, 3), aty);
			assert.ok(
				Math.abs(left - right) < 1e-6 * scale,
				`size ${size}, side ${side}: ${left} and ${right}`,
			);
			const whole = part(all, b, 3);
			compare("squares", [dot(part(gram, b, 3), y)], [dot(whole, whole)], 1e-5);
		}
	}
});

/** Images of a ring-shaped kernel, with noise and a constant. */
function observe(samples: readonly WeightedPosition[][], size: number) {
	const n = 2 * size;
	const kernel = Float64Array.from({ length: n * n }, (_, i) => {
		const r = Math.hypot(Math.floor(i / n) - size + 0.5, (i % n) - size + 0.5);
		return Math.cos(1.4 * r) / (r + 1);
	});
	return Float32Array.from(
		samples.flatMap((sample) =>
			[...onCpu(sample, size).apply(kernel)].map(
				(v) => v + 3 + 0.1 * random.normal(),
			),
		),
	);
}

test("ridge equals ridge() of src/qpi: early stopped, each sample its lambda, shrunk toward a kernel", async () => {
	const samples = arrangements(64);
	const batch = samples.length;
	const ys = observe(samples, 64);
	const guess = uniform(random, batch * 64 ** 2, -0.1, 0.1);
	const lambdas = [0.3, 10, 3, 1, 0];
	const run = (options: GpuRidgeOptions) => {
		const { kernel, model, offset } = new GpuForward(gpu, samples).ridge(
			images(ys, batch),
			options,
		);
		return { kernel, model, offset };
	};
	const cases: [
		Record<string, Float32Array>,
		(b: number) => Parameters<typeof ridge>[2],
		number,
	][] = [
		[await read(() => run({})), () => ({}), 128],
		[
			await read(() => run({ lambda: lambdas, steps: 5, side: 64 })),
			(b) => ({ lambda: lambdas[b], iterations: 5 }),
			64,
		],
		[
			await read(() => run({ lambda: 3, toward: images(guess, batch) })),
			(b) => ({ lambda: 3, toward: embed(part(guess, b, batch)) }),
			64,
		],
	];
	for (const [got, options, side] of cases)
		samples.forEach((sample, b) => {
			const a = onCpu(sample, 64);
			const expected = ridge(a, part(ys, b, batch), options(b));
			const { kernel } = expected;
			// Relative to the kernel where there is one, for the prior alone may be all that is left.
			compare(
				`kernel of sample ${b}`,
				part(got.kernel, b, batch),
				side === 64 ? centre(kernel) : kernel,
				1e-4,
			);
			compare("offset", [got.offset[b]], [expected.offset], 1e-5);
			compare("model", part(got.model, b, batch), a.apply(kernel), 1e-4);
		});
});

test("converged and weighted, it solves the dense normal equations; pixels of weight 0 may be NaN", async () => {
	const size = 8;
	const samples = arrangements(size);
	const batch = samples.length;
	const ys = observe(samples, size);
	const weights = uniform(random, ys.length, 0.2, 2);
	for (let i = 0; i < ys.length; i += 5) weights[i] = 0;
	const guess = uniform(random, batch * 256, -0.1, 0.1);
	const lambda = [1, 0.5, 0.2, 2, 0.3];
	const holes = ys.map((v, i) => (weights[i] > 0 ? v : Number.NaN));
	const got = await read(() => {
		const { kernel, model, offset } = new GpuForward(gpu, samples, size).ridge(
			images(holes, batch),
			{
				...{ lambda, steps: 80, toward: images(guess, batch) },
				weights: images(weights, batch),
			},
		);
		return { kernel, model, offset };
	});
	samples.forEach((sample, b) => {
		const a = dense(sample, size);
		const [y, w, prior] = [ys, weights, guess].map((d) => part(d, b, batch));
		// K = prior + Aᵀ z with (A Aᵀ + lambda / W) z + offset = Y - A prior where W > 0, and sum z = 0.
		const used = [...w.keys()].filter((i) => w[i] > 0);
		const rest = multiply(a, prior).map((v, i) => y[i] - v);
		const system = used.map((i) => [
			...used.map((j) => dot(a[i], a[j]) + (i === j ? lambda[b] / w[i] : 0)),
			1,
		]);
		system.push([...used.map(() => 1), 0]);
		const right = [...used.map((i) => rest[i]), 0];
		const solution = solve(
			new Matrix(system),
			Matrix.columnVector(right),
		).to1DArray();
		const z = new Float64Array(w.length);
		used.forEach((i, k) => {
			z[i] = solution[k];
		});
		const kernel = multiplyTransposed(a, z).map((v, m) => v + prior[m]);
		compare(`kernel ${b}`, part(got.kernel, b, batch), kernel, 2e-5);
		compare("offset", [got.offset[b]], [solution[used.length]], 2e-5);
		const model = multiply(a, kernel);
		compare(`model ${b}`, part(got.model, b, batch), model, 2e-5);
	});
});

test("weighted and stopped early, it is where textbook conjugate gradients are", async () => {
	const size = 8;
	const samples = [arrangement(3), arrangement(6), arrangement(2)];
	const matrices = samples.map((sample) => dense(sample, size));
	// A kernel of one sign: the constant and the signal compete.
	const kernel = uniform(random, 256, 0.5, 1.5);
	const ys = Float32Array.from(
		matrices.flatMap((a) => [...multiply(a, Float64Array.from(kernel))]),
		(v) => v + random.normal(),
	);
	const weights = uniform(random, ys.length, 0, 2);
	for (const steps of [1, 2, 4]) {
		const got = await read(() => {
			const forward = new GpuForward(gpu, samples, size);
			const options = { lambda: 0.7, steps, weights: images(weights, 3) };
			return { kernel: forward.ridge(images(ys, 3), options).kernel };
		});
		matrices.forEach((a, b) => {
			const [y, w] = [ys, weights].map((data) => part(data, b, 3));
			const projected = (v: Float64Array) => {
				const mean = dot(w, v) / w.reduce((s, v) => s + v);
				return v.map((value, i) => w[i] * (value - mean));
			};
			let r = multiplyTransposed(a, projected(y));
			let p = r;
			let x = new Float64Array(r.length);
			for (let step = 0; step < steps; step++) {
				const back = multiplyTransposed(a, projected(multiply(a, p)));
				const q = back.map((v, i) => v + 0.7 * p[i]);
				const alpha = dot(r, r) / dot(p, q);
				x = x.map((v, i) => v + alpha * p[i]);
				const next = r.map((v, i) => v - alpha * q[i]);
				const beta = dot(next, next) / dot(r, r);
				p = next.map((v, i) => v + beta * p[i]);
				r = next;
			}
			compare(`${steps} steps`, part(got.kernel, b, 3), x, 1e-5);
		});
	}
});

test("long after convergence, and undamped, nothing is spoiled", async () => {
	const samples = arrangements(64);
	const batch = samples.length;
	const ys = observe(samples, 64);
	const run = (steps: number) =>
		read(() => {
			const options = { lambda: 0, steps, side: 64 };
			const forward = new GpuForward(gpu, samples);
			return { kernel: forward.ridge(images(ys, batch), options).kernel };
		});
	const [early, late] = [await run(60), await run(180)];
	samples.forEach((_, b) => {
		const expected = part(early.kernel, b, batch);
		compare(`sample ${b}`, part(late.kernel, b, batch), expected, 2e-3);
	});
});

test("physics inputs are those of the CPU", async () => {
	const samples = [...arrangements(64), arrangement(8)].map((sample) =>
		sample.map(({ x, y }) => ({ x, y })),
	);
	const batch = samples.length;
	const ys = observe(samples, 64);
	ys.fill(2.7, 5 * 4096); // the last image is flat
	const { inputs, scale } = await read(() =>
		gpuPhysicsInputs(new GpuForward(gpu, samples), images(ys, batch)),
	);
	samples.forEach((sample, b) => {
		const expected = physicsInputs(part(ys, b, batch), sample);
		const got = part(inputs, b, batch);
		for (let c = 0; c < 5; c++) {
			const channel = (data: ArrayLike<number>) =>
				Float64Array.from({ length: 4096 }, (_, i) => data[5 * i + c]);
			compare(
				`sample ${b}, channel ${c}`,
				channel(got),
				channel(expected.inputs),
				3e-5,
			);
		}
		compare("scale", [scale[b]], [expected.scale], 1e-5);
	});
});

test("the same bits every time, and nothing is left in the pool", async () => {
	const samples = arrangements(64);
	const ys = observe(samples, 64);
	const run = () =>
		read(() => {
			const forward = new GpuForward(gpu, samples);
			const y = images(ys, samples.length);
			const { kernel, model } = forward.ridge(y);
			return { kernel, model, ...gpuPhysicsInputs(forward, y) };
		});
	const first = await run();
	const { buffersCreated } = gpu.statistics;
	const second = await run();
	for (const name of Object.keys(first) as (keyof typeof first)[])
		assert.equal(
			Buffer.compare(
				Buffer.from(first[name].buffer),
				Buffer.from(second[name].buffer),
			),
			0,
			name,
		);
	assert.is(gpu.statistics.buffersCreated, buffersCreated);
});

test("what does not fit is refused", () => {
	scope(gpu, () => {
		assert.throws(
			() => new GpuForward(gpu, [[{ x: Number.NaN, y: 0 }]]),
			/scatterer 0 of sample 0 is at \(NaN, 0\)/,
		);
		const a = new GpuForward(gpu, [[], []], 8);
		const y = images(new Float32Array(128), 2);
		const other = images(new Float32Array(512), 2);
		assert.throws(() => a.ridge(y, { lambda: -1 }), /lambda -1, -1/);
		assert.throws(() => a.ridge(y, { lambda: [1] }), /one number .* or 2/);
		assert.throws(
			() => a.ridge(y, { weights: other }),
			/leastSquares: y \[2, 8, 8\] and \[2, 16, 16\]/,
		);
		assert.throws(
			() => a.ridge(y, { toward: other, side: 8 }),
			/expected the same side/,
		);
		assert.throws(
			() => gpuPhysicsInputs(a, other),
			/images \[2, 16, 16\]; expected \[2, 8, 8\]/,
		);
	});
});

test.run();
