import "@tensorflow/tfjs-layers"; // registers the gradients
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
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

export const packages = ["@tensorflow/tfjs-backend-webgpu"];

export async function start() {
	await tf.setBackend("webgpu");
	await tf.ready();
	if (tf.getBackend() !== "webgpu")
		throw new Error(`tfjs took the backend ${tf.getBackend()}`);
	const done = async () => {
		const backend = tf.backend();
		backend.endComputePassEncoder();
		backend.submitQueue();
		await backend.queue.onSubmittedWorkDone();
	};
	return { gemm: gemm(done), ...convolution(done), step: step() };
}

function gemm(done) {
	const [a, b] = [1, 2].map((seed) =>
		tf.tensor(values(GEMM * GEMM, seed), [GEMM, GEMM]),
	);
	return {
		async run() {
			tf.matMul(a, b).dispose();
			await done();
		},
		check: async () => sample(await tf.matMul(a, b).data()),
	};
}

function convolution(done) {
	const { batch, size, channels, kernel } = CONV;
	const image = [batch, size, size, channels];
	const count = batch * size * size * channels;
	const x = tf.tensor(values(count, 3), image);
	const dy = tf.tensor(values(count, 5), image);
	const weight = permute(
		values(channels * channels * kernel * kernel, 4),
		[channels, kernel, kernel, channels],
		[1, 2, 3, 0],
	);
	const w = tf.tensor(weight.data, weight.shape);
	const forward = (x, w) => tf.conv2d(x, w, 1, "same");
	const gradients = () => tf.grads(forward)([x, w], dy);
	return {
		conv: {
			async run() {
				forward(x, w).dispose();
				await done();
			},
			check: async () => sample(await forward(x, w).data()),
		},
		convGradients: {
			async run() {
				for (const g of gradients()) g.dispose();
				await done();
			},
			async check() {
				const [dx, dw] = gradients();
				const { data } = permute(await dw.data(), dw.shape, [3, 0, 1, 2]);
				return [...sample(await dx.data()), ...sample(data)];
			},
		},
	};
}

function step() {
	const p = {};
	for (const { name, shape, transposed, weight, bias } of LAYERS) {
		// tfjs wants [kernel, kernel, inputs, outputs], transposed [kernel, kernel, outputs, inputs]: the first axis last, either way.
		const { data, shape: to } = permute(weight, shape, [1, 2, 3, 0]);
		p[name] = {
			w: tf.variable(tf.tensor(data, to)),
			b: tf.variable(tf.tensor1d(bias)),
			transposed,
		};
	}
	const target = tf.tensor(values(BATCH * 4096, 6), [BATCH, 64, 64, 1]);
	const noise = tf.tensor(values(BATCH * 256, 7), [BATCH, 8, 8, 4]);
	const optimizer = tf.train.adam(ADAM.lr, ADAM.beta1, ADAM.beta2, ADAM.eps);
	const conv = (x, { w, b }, stride) =>
		tf.add(tf.conv2d(x, w, stride, "same"), b);
	const up = (x, { w, b }) => {
		const [batch, size] = x.shape;
		const out = [batch, 2 * size, 2 * size, w.shape[2]];
		return tf.relu(tf.add(tf.conv2dTranspose(x, w, out, 2, "same"), b));
	};
	const loss = () => {
		let h = target;
		for (const name of ["down1", "down2", "down3"])
			h = tf.relu(conv(h, p[name], 2));
		const mean = conv(h, p.mean, 1);
		const logvar = tf.clipByValue(conv(h, p.logvar, 1), -30, 20);
		let z = tf.add(mean, tf.mul(noise, tf.exp(tf.mul(logvar, 0.5))));
		for (const name of ["up1", "up2", "up3"]) z = up(z, p[name]);
		const image = conv(z, p.out, 1);
		const kl = tf.mul(
			-0.5,
			tf.mean(
				tf.sub(tf.sub(tf.add(1, logvar), tf.square(mean)), tf.exp(logvar)),
			),
		);
		return tf.add(tf.mean(tf.square(tf.sub(image, target))), tf.mul(BETA, kl));
	};
	return {
		async run() {
			const value = tf.tidy(() => optimizer.minimize(loss, true));
			const [number] = await value.data();
			value.dispose();
			return number;
		},
	};
}
