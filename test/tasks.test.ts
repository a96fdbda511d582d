/** What the three tasks teach the convolutional networks, and which parameters they move. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import type { Parameters } from "../src/engine/layers/parameters.ts";
import { reparameterise } from "../src/engine/ops/random.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { AUTOENCODERS } from "../src/models/autoencoderKL.ts";
import type { Network } from "../src/models/latent.ts";
import { makeNetwork, type NetworkName } from "../src/models/networks.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { inputBatch, kernelsOf } from "../src/training/batches.ts";
import type { Prepared } from "../src/training/data.ts";
import { readOut } from "../src/training/infer.ts";
import { train } from "../src/training/loop.ts";
import {
	alignerTask,
	oneStepTask,
	trainedOn,
	vaeTask,
} from "../src/training/tasks.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const size = AUTOENCODERS.tiny;
const CHANNELS = 2;
const schedule = {
	epochs: 1,
	batch: 2,
	learningRate: 1e-3,
	schedule: { every: 1, factor: 1 },
};

/** Rings of different widths, and images that are shifted sums of them. */
const data: Prepared = (() => {
	const ring = (k: number, shift = 0) =>
		Float32Array.from({ length: 4096 }, (_, i) => {
			const r = Math.hypot((i >> 6) - 31.5 - shift, (i & 63) - 31.5);
			return 2 * Math.cos(k * r) * Math.exp(-r / 12);
		});
	const waves = [0.4, 0.6, 0.8];
	return {
		kernels: waves.map((k, i) => ({
			number: i + 1,
			label: "ring",
			symmetry: 4 as const,
			trained: i < 2,
			image: ring(k),
		})),
		observations: waves.flatMap((_, kernel) =>
			[0, 1].map((n) => ({
				kernel,
				part: kernel < 2 ? ("train" as const) : ("unseenEnergy" as const),
				scatterers: [{ x: 0, y: 0 }],
				noise: 0.3 * n,
				index: 2 * kernel + n,
			})),
		),
		inputs: {
			channels: CHANNELS,
			read(index, into) {
				const image = ring(waves[index >> 1], 5 * (index & 1));
				image.forEach((v, i) => {
					into[2 * i] = v;
					into[2 * i + 1] = i === 0 ? 1 : 0;
				});
			},
			close() {},
		},
	};
})();

const make = (name: NetworkName) =>
	makeNetwork(
		gpu,
		name,
		size,
		{ channels: CHANNELS, kernelChannel: null },
		[],
		1,
	);
const options = { ...schedule, gpu, data, seed: 1 };

async function bits(p: Network): Promise<Map<string, Float32Array>> {
	return new Map(
		[...(await p.state())].map(([name, { data }]) => [name, data]),
	);
}

/** Sums of the squares of each parameter's gradient after one backward pass; 0 where none arrived. */
async function pulls(
	task: { parameters: Parameters; loss: ReturnType<typeof vaeTask>["loss"] },
	others: readonly Parameters[] = [],
): Promise<Map<string, number>[]> {
	const all = [task.parameters, ...others];
	scope(gpu, () => {
		for (const p of all) p.zeroGrad();
		backward(task.loss([0, 1], new Random(1), 0));
		for (const p of all) p.settleGradients();
	});
	return Promise.all(
		all.map(async (p) => {
			const found = new Map<string, number>();
			for (const [name, { grad }] of p) {
				const values = grad ? await grad.data() : new Float32Array(0);
				found.set(
					name,
					values.reduce((sum, v) => sum + v * v, 0),
				);
			}
			return found;
		}),
	);
}

test("training the aligner leaves the VAE as it is, bit by bit", async () => {
	const [vae, aligner] = [make("vae"), make("aligner")];
	const [vaeBefore, alignerBefore] = [await bits(vae), await bits(aligner)];
	await train(gpu, alignerTask({ ...options, vae, aligner }), { seed: 1 });
	assert.equal(await bits(vae), vaeBefore);
	assert.not.equal(await bits(aligner), alignerBefore);
	vae.dispose();
	aligner.dispose();
});

test("the alignment loss pulls at every parameter of the aligner and at none of the VAE", async () => {
	const [vae, aligner] = [make("vae"), make("aligner")];
	const task = alignerTask({ ...options, vae, aligner });
	const [own, frozen] = await pulls(task, [vae.packed]);
	for (const [name, pull] of own) {
		// Branches start with zero at their end, so that nothing gets past it in the first step.
		const beforeEnd =
			/(norm1|conv1|norm2)\./.test(name) ||
			/attentions\.0\.(group_norm|to_[qkv])\./.test(name);
		assert.ok(beforeEnd ? pull === 0 : pull > 0, `${name}: ${pull}`);
	}
	for (const [name, pull] of frozen) assert.is(pull, 0, name);
	vae.dispose();
	aligner.dispose();
});

test("the alignment loss is the mean squared distance of means and of log-variances", async () => {
	const [vae, aligner] = [make("vae"), make("aligner")];
	const task = alignerTask({ ...options, vae, aligner });
	// Without turns: whatever is drawn, the first of the eight.
	const still = Object.assign(new Random(1), { integer: () => 0 });
	const chosen = data.observations.slice(0, 2);
	const { loss, ...out } = scope(gpu, () => {
		const truth = vae.encode(kernelsOf(gpu, data, chosen));
		const found = aligner.encode(inputBatch(gpu, data, chosen));
		return {
			loss: task.loss([0, 1], still, 0),
			truthMean: truth.mean,
			truthLogvar: truth.logvar,
			mean: found.mean,
			logvar: found.logvar,
		};
	});
	const [truthMean, truthLogvar, mean, logvar] = await Promise.all(
		[out.truthMean, out.truthLogvar, out.mean, out.logvar].map((t) => t.data()),
	);
	const distance = (a: Float32Array, b: Float32Array) =>
		a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length;
	const expected = distance(mean, truthMean) + distance(logvar, truthLogvar);
	const found = await loss.item();
	assert.ok(expected > 1e-4);
	assert.ok(
		Math.abs(found - expected) < 1e-5 * expected,
		`${found} ${expected}`,
	);
	vae.dispose();
	aligner.dispose();
});

for (const name of ["vae", "oneStep"] as const)
	test(`the loss of ${name} is the mean squared error of a sample's kernel and the weighted KL divergence from a standard normal`, async () => {
		const network = make(name);
		const isVae = name === "vae";
		const kl = 0.5;
		// The symmetry loss has tests of its own.
		const task = isVae
			? vaeTask({ ...options, kl, symmetry: 0, vae: network })
			: oneStepTask({ ...options, kl, oneStep: network });
		const still = Object.assign(new Random(1), { integer: () => 0 });
		const draw = 5;
		// Of two images of one kernel the VAE's batch has two kernels.
		const chosen = data.observations.filter((_, i) =>
			isVae ? i === 0 || i === 2 : i < 2,
		);
		const out = scope(gpu, () => {
			const truth = kernelsOf(gpu, data, chosen);
			const { mean, logvar } = network.encode(
				isVae ? truth : inputBatch(gpu, data, chosen),
			);
			const stream = isVae ? 1 : 3;
			const z = reparameterise(mean, logvar, { seed: 1, step: draw, stream });
			return {
				loss: task.loss([0, 1], still, draw),
				...{ truth, mean, logvar, made: network.decode(z) },
			};
		});
		const loss = await out.loss.item();
		const [truth, mean, logvar, made] = await Promise.all(
			[out.truth, out.mean, out.logvar, out.made].map((t) => t.data()),
		);
		const average = (length: number, term: (i: number) => number) => {
			let sum = 0;
			for (let i = 0; i < length; i++) sum += term(i);
			return sum / length;
		};
		const error = average(made.length, (i) => (made[i] - truth[i]) ** 2);
		const divergence = average(
			mean.length,
			(i) => -(1 + logvar[i] - mean[i] ** 2 - Math.exp(logvar[i])) / 2,
		);
		const expected = error + kl * divergence;
		assert.ok(error > 1e-3 && divergence > 1e-3, `${error} ${divergence}`);
		assert.ok(
			Math.abs(loss - expected) < 1e-5 * expected,
			`${loss} ${expected}`,
		);
		network.dispose();
	});

test("the log-variance's gradient goes into the encoder, as the published model's does", async () => {
	const aligner = make("aligner");
	scope(gpu, () => {
		aligner.zeroGrad();
		const x = inputBatch(gpu, data, data.observations.slice(0, 2));
		backward(sum(aligner.encode(x).logvar));
		aligner.packed.settleGradients();
	});
	const grad = await aligner.packed.get("encoder.conv_in.weight").grad?.data();
	assert.ok(grad?.some((v) => v !== 0));
	aligner.dispose();
});

test("VAE and one-step network: every parameter that the first step can reach is pulled at", async () => {
	for (const task of [
		vaeTask({ ...options, vae: make("vae") }),
		oneStepTask({ ...options, oneStep: make("oneStep") }),
	]) {
		const [own] = await pulls(task);
		for (const name of [
			"encoder.conv_in.weight",
			"encoder.conv_out.weight",
			"quant_conv.bias",
			"post_quant_conv.weight",
			"decoder.conv_in.weight",
			"decoder.up_blocks.0.resnets.0.conv2.weight",
			"decoder.conv_out.bias",
		])
			assert.ok((own.get(name) ?? 0) > 0, `${task.name}: ${name}`);
		task.parameters.dispose();
	}
});

test("without noise only images that are known to have none are trained on, in as many steps", () => {
	assert.equal(
		trainedOn(data, true).map(({ index }) => index),
		[0, 2, 0, 2],
	);
	const networks = { vae: make("vae"), aligner: make("aligner") };
	const common = { gpu, size, seed: 1, ...schedule, ...networks };
	assert.is(alignerTask({ ...common, data }).samples, 4);
	const noiseless = { ...common, noiseless: true };
	assert.is(alignerTask({ ...noiseless, data }).samples, 4);
	const unknown = data.observations.map((o) => ({ ...o, noise: undefined }));
	assert.throws(
		() =>
			alignerTask({ ...noiseless, data: { ...data, observations: unknown } }),
		/there is no image to train on that is known to be without noise/,
	);
	for (const network of Object.values(networks)) network.dispose();
});

test("the weights of symmetry and KL loss are those that are asked for", async () => {
	const vae = make("vae");
	const lossOf = async (weights: { symmetry?: number; kl?: number }) => {
		const task = vaeTask({
			...{ gpu, size, seed: 1, ...schedule, ...weights, data, vae },
		});
		const [value] = await readOut(gpu, () =>
			task.loss([0, 1], new Random(1, 1), 0),
		);
		return value;
	};
	const plain = await lossOf({ symmetry: 0, kl: 0 });
	for (const name of ["symmetry", "kl"] as const) {
		const none = { symmetry: 0, kl: 0 };
		const one = (await lossOf({ ...none, [name]: 1 })) - plain;
		const three = (await lossOf({ ...none, [name]: 3 })) - plain;
		assert.ok(one > 1e-3, `${name}: ${one}`);
		assert.ok(Math.abs(three / one - 3) < 1e-3, `${name}: ${three / one}`);
	}
	const usual = await lossOf({});
	const published = await lossOf({ symmetry: 0.7, kl: 1e-6 });
	assert.is(usual, published);
	vae.dispose();
});

test.run();
