/** The convolutional autoencoder against torch: goldens/makeAutoencoderKL.py says what the files hold. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import type { Shape } from "../src/engine/basics/shape.ts";
import { collect } from "../src/engine/layers/state.ts";
import { add, scale } from "../src/engine/ops/elementwise.ts";
import { klLoss, mseLoss } from "../src/engine/ops/loss.ts";
import { reparameterise } from "../src/engine/ops/random.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { tensor } from "../src/engine/tensors/tensor.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import {
	AUTOENCODERS,
	AutoencoderKL,
	type AutoencoderKLConfig,
} from "../src/models/autoencoderKL.ts";
import { fromDiffusers, toDiffusers } from "../src/models/diffusers.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { compare } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const TINY: AutoencoderKLConfig = {
	blockOutChannels: [4, 8],
	layersPerBlock: 1,
	normNumGroups: 2,
	midBlockAddAttention: true,
};
/** For networks whose weights nobody looks at. */
class Zeros extends Random {
	override normal = () => 0;
}

/** Of about unit variance and in no time, where there are millions of them. */
class Sines extends Random {
	#count = 0;
	override normal = () => Math.SQRT2 * Math.sin(this.#count++);
}

type Weights = { readonly shape: Shape; readonly data: Float32Array };

function open(file: string): Map<string, Weights> {
	const bytes = readFileSync(new URL(`goldens/${file}`, import.meta.url));
	return decodeSafetensors(bytes, file).tensors as Map<string, Weights>;
}

const goldens = open("autoencoderKL.safetensors");
const golden = (name: string): Weights => {
	const found = goldens.get(name);
	if (!found) throw new Error(`no golden "${name}"`);
	return found;
};
/** The tensors below a prefix, under the library's names and in its layout. */
const part = (prefix: string) =>
	new Map(
		[...goldens]
			.filter(([name]) => name.startsWith(prefix))
			.map(([name, weights]) => [name.slice(prefix.length), weights]),
	);

const make = (
	config: AutoencoderKLConfig,
	{ inputs = 0, decoder = false },
	random = new Random(1),
) =>
	new AutoencoderKL(random, config, {
		encoder: inputs ? { channels: inputs, kernelChannel: null } : undefined,
		decoder,
	});

function tiny(parts: { inputs?: number; decoder?: boolean }): AutoencoderKL {
	const p = make(TINY, parts).to(gpu);
	const wanted = p.namedParameters();
	p.load(fromDiffusers(part("weights/"), wanted, "autoencoderKL.safetensors"));
	return p;
}

const place = ({ data, shape }: Weights) => tensor(gpu, data, shape);
const step = ({ shape, data }: Weights, k: number): Weights => {
	const each = data.length / shape[0];
	return { shape: shape.slice(1), data: data.slice(k * each, (k + 1) * each) };
};

test("the encoder alone gives torch's moments", async () => {
	const p = tiny({ inputs: 1 });
	const { mean, logvar } = scope(gpu, () => {
		const { mean, logvar } = p.encode(place(golden("x")));
		return { mean, logvar };
	});
	assert.equal(mean.shape, [2, 8, 8, 4]);
	compare("mean", await mean.data(), golden("mean").data, 2e-6);
	compare("logvar", await logvar.data(), golden("logvar").data, 2e-6);
	p.dispose();
});

test("the decoder alone gives torch's image", async () => {
	const p = tiny({ decoder: true });
	const y = scope(gpu, () => p.decode(place(step(golden("noise"), 0))));
	assert.equal(y.shape, [2, 16, 16, 1]);
	compare("image", await y.data(), golden("decoded").data, 2e-6);
	p.dispose();
});

test("all gradients and ten steps of Adam are torch's", async () => {
	const p = tiny({ inputs: 1, decoder: true });
	const adam = new Adam(p.parameters(), { lr: 1e-3 });
	for (const [k, expected] of golden("losses").data.entries()) {
		const loss = scope(gpu, () => {
			p.zeroGrad();
			const x = place(golden("x"));
			const { mean, logvar } = p.encode(x);
			const noise = place(step(golden("noise"), k));
			const y = p.decode(reparameterise(mean, logvar, noise));
			const loss = add(mseLoss(y, x), scale(klLoss(mean, logvar), 1e-2));
			backward(loss);
			return loss;
		});
		if (k === 0)
			for (const [name, { shape, data }] of await collect(
				toDiffusers(
					new Map(
						[...p.packed].map(([name, { shape, grad }]) => {
							if (!grad) throw new Error(`${name} has no gradient`);
							return [name, { shape, read: () => grad.data() }] as const;
						}),
					),
				),
			)) {
				const expected = golden(`gradients/${name}`);
				assert.equal([...shape], [...expected.shape], name);
				// A key's bias shifts all scores of a query alike: softmax takes it out, and what is left is rounding.
				if (name.endsWith("to_k.bias")) continue;
				compare(`gradient of ${name}`, data, expected.data, 2e-5);
			}
		compare(`loss ${k}`, [await loss.item()], [expected], 1e-5);
		adam.step();
	}
	for (const [name, { data }] of await collect(toDiffusers(p.packed.lazy()))) {
		if (name.endsWith("to_k.bias")) continue;
		compare(`${name} after`, data, golden(`after/${name}`).data, 1e-3);
	}
	adam.dispose();
	p.dispose();
});

test("weights go out as the library's file has them, and come back the same", async () => {
	const p = tiny({ inputs: 1, decoder: true });
	const out = await collect(toDiffusers(p.packed.lazy()));
	for (const [name, { shape, data }] of part("weights/")) {
		assert.equal([...(out.get(name)?.shape ?? [])], [...shape], name);
		assert.equal(out.get(name)?.data, data, name);
	}
	assert.is(out.size, part("weights/").size);
	p.dispose();
});

test("colour weights under the older names, in half precision, start a network of one or two channels", () => {
	const file = open("pretrainedKL.safetensors");
	const shapes = (inputs: number) =>
		make(TINY, { inputs, decoder: true }).namedParameters();
	const stored = file.get("encoder.conv_in.weight");
	assert.equal(stored?.shape, [4, 3, 3, 3]);
	const at = (o: number, i: number, tap: number) =>
		stored?.data[(o * 3 + i) * 9 + tap] ?? Number.NaN;
	const one = fromDiffusers(file, shapes(1), "file");
	const two = fromDiffusers(file, shapes(2), "file");
	const first = one.get("encoder.conv_in.weight")?.data ?? [];
	const pair = two.get("encoder.conv_in.weight")?.data ?? [];
	for (let o = 0; o < 4; o++)
		for (let tap = 0; tap < 9; tap++) {
			const mean = (at(o, 0, tap) + at(o, 1, tap) + at(o, 2, tap)) / 3;
			assert.ok(Math.abs(first[o * 9 + tap] - mean) < 1e-7);
			for (const i of [0, 1])
				assert.is(
					pair[(o * 9 + tap) * 2 + i],
					Math.fround(1.5 * at(o, i, tap)),
				);
		}
	const bias = file.get("decoder.conv_out.bias")?.data ?? [];
	const made = one.get("decoder.conv_out.bias")?.data ?? [];
	assert.is(made.length, 1);
	assert.ok(Math.abs(made[0] - (bias[0] + bias[1] + bias[2]) / 3) < 1e-7);
	const query = "encoder.mid_block.attentions.0.";
	assert.equal(
		one.get(`${query}to_q.weight`)?.data,
		file.get(`${query}query.weight`)?.data,
	);
});

test("weights of another network are refused with the tensor's name and both shapes", () => {
	const wanted = (config: AutoencoderKLConfig) =>
		make(config, { inputs: 1 }).namedParameters();
	assert.throws(
		() =>
			fromDiffusers(
				part("weights/"),
				wanted({ ...TINY, blockOutChannels: [4, 12] }),
				"vae.safetensors",
			),
		/vae\.safetensors: tensor "encoder\.down_blocks\.1\.resnets\.0\.conv1\.weight" has shape \[8, 4, 3, 3\], which does not fit this network's \[12, 3, 3, 4\]/,
	);
	assert.throws(
		() =>
			fromDiffusers(
				part("weights/"),
				wanted({ ...TINY, layersPerBlock: 2 }),
				"vae.safetensors",
			),
		/vae\.safetensors holds no tensor "encoder\.down_blocks\.0\.resnets\.1\.norm1\.weight"/,
	);
});

test("the paper's networks have 34 and 50 million parameters", () => {
	const count = (parts: { inputs?: number; decoder?: boolean }) =>
		make(AUTOENCODERS.paper, parts, new Zeros(1))
			.parameters()
			.reduce((n, { size }) => n + size, 0);
	// Counted from diffusers' own definition of the SDXL autoencoder, with one colour channel instead of three.
	assert.is(Math.round(count({ inputs: 1 }) / 1e5), 342);
	assert.is(Math.round(count({ decoder: true }) / 1e5), 495);
});

test("the paper's networks run, forward and backward, and have the library's 248 tensors", async () => {
	const parts = { inputs: 1, decoder: true };
	const network = make(AUTOENCODERS.paper, parts, new Sines(1)).to(gpu);
	const names = [...network.namedParameters()].map(([name]) => name);
	assert.is(names.length, 248);
	for (const name of [
		"encoder.down_blocks.3.resnets.1.conv2.weight",
		"encoder.mid_block.attentions.0.to_out.0.bias",
		"decoder.up_blocks.0.upsamplers.0.conv.weight",
		"decoder.up_blocks.3.resnets.2.norm2.bias",
	])
		assert.ok(names.includes(name), name);
	// A sixteenth of the image's pixels: a latent of 2 x 2.
	const random = new Random(2);
	const image = Float32Array.from({ length: 256 }, () => random.normal());
	const [mean, made] = scope(gpu, () => {
		network.zeroGrad();
		const x = tensor(gpu, image, [1, 16, 16, 1]);
		const { mean, logvar } = network.encode(x);
		const y = network.decode(mean);
		backward(add(mseLoss(y, x), klLoss(mean, logvar)));
		network.packed.settleGradients();
		return [mean, y];
	});
	assert.equal(
		[mean.shape, made.shape],
		[
			[1, 2, 2, 4],
			[1, 16, 16, 1],
		],
	);
	for (const t of [mean, made])
		assert.ok((await t.data()).every(Number.isFinite));
	for (const name of [
		"encoder.conv_in.weight",
		"encoder.mid_block.attentions.0.to_out.0.weight",
		"decoder.up_blocks.3.resnets.2.conv2.weight",
	]) {
		const grad = await network.packed.get(name).grad?.data();
		assert.ok(grad?.every(Number.isFinite) && grad.some((v) => v !== 0), name);
	}
	network.dispose();
});

test("channels that the groups do not divide are refused", () => {
	assert.throws(
		() => make({ ...TINY, blockOutChannels: [4, 7] }, { inputs: 1 }),
		/channels \[4,7\], 1 layers a block and 2 groups; expected/,
	);
});

test.run();
