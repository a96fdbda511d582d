import {
	blockUntilReady,
	defaultDevice,
	init,
	jit,
	lax,
	numpy as np,
	valueAndGrad,
} from "@jax-js/jax";
import {
	ADAM,
	BATCH,
	BETA,
	CONV,
	GEMM,
	LAYERS,
	permute,
	sample,
	values,
} from "./work.ts";

export const packages = ["@jax-js/jax"];

// jax-js counts references: `.ref` wherever a value is used again.
export async function start() {
	const devices = await init();
	if (!devices.includes("webgpu")) throw new Error("jax-js found no WebGPU");
	defaultDevice("webgpu");
	return { gemm: gemm(), ...convolution(), step: step() };
}

const array = (data, shape) => np.array(data).reshape(shape);

/** Images B H W C as jax-js wants them: B C H W. */
const images = (data, shape) => {
	const to = permute(data, shape, [0, 3, 1, 2]);
	return array(to.data, to.shape);
};

const finish = async (result) => {
	const ready = await blockUntilReady(result);
	for (const part of [ready].flat(2)) part.dispose();
};

function gemm() {
	const [a, b] = [1, 2].map((seed) =>
		array(values(GEMM * GEMM, seed), [GEMM, GEMM]),
	);
	const product = jit((a, b) => np.matmul(a, b));
	return {
		run: () => finish(product(a.ref, b.ref)),
		check: async () => sample(await product(a.ref, b.ref).data()),
	};
}

function convolution() {
	const { batch, size, channels, kernel } = CONV;
	const shape = [batch, size, size, channels];
	const count = batch * size * size * channels;
	const x = images(values(count, 3), shape);
	const dy = images(values(count, 5), shape);
	const w = images(values(channels * channels * kernel * kernel, 4), [
		channels,
		kernel,
		kernel,
		channels,
	]);
	const forward = (x, w) => lax.conv(x, w, [1, 1], "SAME");
	const compiled = jit(forward);
	const gradients = jit((x, w, dy) =>
		valueAndGrad(([x, w]) => forward(x, w).mul(dy).sum())([x, w]),
	);
	const back = async (result, shape) =>
		sample(permute(await result.data(), shape, [0, 2, 3, 1]).data);
	const kernels = [channels, channels, kernel, kernel];
	const planes = [batch, channels, size, size];
	return {
		conv: {
			run: () => finish(compiled(x.ref, w.ref)),
			check: () => back(compiled(x.ref, w.ref), planes),
		},
		convGradients: {
			run: () => finish(gradients(x.ref, w.ref, dy.ref)),
			async check() {
				const [value, [dx, dw]] = gradients(x.ref, w.ref, dy.ref);
				value.dispose();
				return [...(await back(dx, planes)), ...(await back(dw, kernels))];
			},
		},
	};
}

function step() {
	const target = images(values(BATCH * 4096, 6), [BATCH, 64, 64, 1]);
	const noise = images(values(BATCH * 256, 7), [BATCH, 8, 8, 4]);
	const index = new Map(LAYERS.map(({ name }, i) => [name, 2 * i]));
	let weights = LAYERS.flatMap(({ shape, weight, bias }) => [
		images(weight, shape),
		array(bias, [1, bias.length, 1, 1]),
	]);
	let m = weights.map((w) => np.zeros(w.shape));
	let v = weights.map((w) => np.zeros(w.shape));

	const loss = (p, target, noise) => {
		const layer = (name) => p.slice(index.get(name), index.get(name) + 2);
		const conv = (x, name, stride) => {
			const [w, b] = layer(name);
			const padding = [
				[1, 1],
				[1, 1],
			];
			return lax.conv(x, w, [stride, stride], padding).add(b);
		};
		const relu = (x) => np.maximum(x, 0);
		const up = (x, name) => {
			const [w, b] = layer(name);
			const padding = [
				[1, 1],
				[1, 1],
			];
			const options = { transposeKernel: true };
			return relu(lax.convTranspose(x, w, [2, 2], padding, options).add(b));
		};
		let h = target.ref;
		for (const name of ["down1", "down2", "down3"]) h = relu(conv(h, name, 2));
		const mean = conv(h.ref, "mean", 1);
		const logvar = np.clip(conv(h, "logvar", 1), -30, 20);
		let z = mean.ref.add(noise.mul(np.exp(logvar.ref.mul(0.5))));
		for (const name of ["up1", "up2", "up3"]) z = up(z, name);
		const image = conv(z, "out", 1);
		const kl = np
			.mean(logvar.ref.add(1).sub(np.square(mean)).sub(np.exp(logvar)))
			.mul(-0.5 * BETA);
		return np.mean(np.square(image.sub(target))).add(kl);
	};
	const update = jit((p, m, v, target, noise, size, root) => {
		const [value, gradients] = valueAndGrad(loss)(
			p.map((w) => w.ref),
			target,
			noise,
		);
		const next = { p: [], m: [], v: [] };
		gradients.forEach((g, i) => {
			const first = m[i].mul(ADAM.beta1).add(g.ref.mul(1 - ADAM.beta1));
			const second = v[i].mul(ADAM.beta2).add(np.square(g).mul(1 - ADAM.beta2));
			const change = size.ref
				.mul(first.ref)
				.div(np.sqrt(second.ref).div(root.ref).add(ADAM.eps));
			next.p.push(p[i].sub(change));
			next.m.push(first);
			next.v.push(second);
		});
		size.dispose();
		root.dispose();
		return [value, next.p, next.m, next.v];
	});
	let steps = 0;
	return {
		async run() {
			steps++;
			const size = ADAM.lr / (1 - ADAM.beta1 ** steps);
			const root = Math.sqrt(1 - ADAM.beta2 ** steps);
			const [value, ...state] = update(
				weights,
				m,
				v,
				target.ref,
				noise.ref,
				np.array(size),
				np.array(root),
			);
			[weights, m, v] = state;
			await blockUntilReady(state);
			return (await value.data())[0];
		},
	};
}
