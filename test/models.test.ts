/** The networks: how they start, and values and gradients against the same networks in float64. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { collect, type State } from "../src/engine/layers/state.ts";
import { mul } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { tensor } from "../src/engine/tensors/tensor.ts";
import {
	ComponentAutoencoder,
	type ComponentSize,
	latentBasis,
} from "../src/models/componentAutoencoder.ts";
import {
	LATENT,
	type Network,
	type NetworkInput,
} from "../src/models/latent.ts";
import { makeNetwork, type NetworkName } from "../src/models/networks.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { type Nd, nd, uniform } from "./opTesting.ts";
import { conv2d, convTranspose2d } from "./reference/conv.ts";
import { map, silu, zip } from "./reference/elementwise.ts";
import { groupNorm } from "./reference/norm.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const PIXELS = 64 * 64;
const SIZE: ComponentSize = {
	encoder: { channels: [8, 16, 8], blocks: [1, 1] },
	decoder: { channels: [8, 8, 16], blocks: [0, 2] },
};
const INPUT: NetworkInput = { channels: 5, kernelChannel: 4 };

/** Orthonormal images: products of cosines. */
const COMPONENTS = Array.from({ length: LATENT }, (_, c) => {
	const wave = (order: number, at: number) =>
		(order ? Math.SQRT2 : 1) * Math.cos((Math.PI * order * (at + 0.5)) / 64);
	return Float32Array.from(
		{ length: PIXELS },
		(_, p) => (wave(c % 16, p >> 6) * wave(c >> 4, p & 63)) / 64,
	);
});

const network = (name: NetworkName, seed = 3, input = INPUT) =>
	makeNetwork(gpu, name, SIZE, input, COMPONENTS, seed);

/** The latent of images [1, 64, 64, channels] and, where there is a decoder, the kernel. */
async function run(p: Network, values: Float32Array, decoder = true) {
	const out = scope(gpu, () => {
		const x = tensor(gpu, values, [1, 64, 64, values.length / PIXELS]);
		const { mean, logvar } = p.encode(x);
		return { mean, logvar, y: decoder ? p.decode(mean) : mean };
	});
	const [mean, logvar, y] = await Promise.all(
		[out.mean, out.logvar, out.y].map((t) => t.data()),
	);
	return { mean, logvar, y };
}

function near(
	found: ArrayLike<number>,
	expected: ArrayLike<number>,
	tolerance: number,
	what: string,
) {
	assert.is(found.length, expected.length, what);
	let [away, size] = [0, 0];
	for (let i = 0; i < found.length; i++) {
		away = Math.max(away, Math.abs(found[i] - expected[i]));
		size = Math.max(size, Math.abs(expected[i]));
	}
	assert.ok(away <= tolerance * size, `${what}: off by ${away} of ${size}`);
}

/** A kernel of unit RMS within the components' span. */
const WEIGHTS = [0.7, -0.4, 0.3, 0.2, -0.4, 0.24];
const KERNEL = Float32Array.from({ length: PIXELS }, (_, p) =>
	WEIGHTS.reduce((v, w, c) => v + 64 * w * COMPONENTS[c][p], 0),
);
/** Noise in all channels but the one that is the kernel. */
const INPUTS = uniform(new Random(8), 5 * PIXELS);
KERNEL.forEach((v, p) => {
	INPUTS[5 * p + 4] = v;
});

test("the VAE starts as the projection on the components, with a small spread", async () => {
	const { mean, logvar, y } = await run(network("vae"), KERNEL);
	near(y, KERNEL, 1e-5, "kernel");
	near(
		mean.slice(0, 6),
		WEIGHTS.map((w) => 16 * w),
		1e-4,
		"latent",
	);
	assert.ok(logvar.every((v) => v === -6));
});

test("aligner and one-step network start with the VAE's latent of the kernel's channel", async () => {
	const { mean, y } = await run(network("vae"), KERNEL);
	const aligned = await run(network("aligner"), INPUTS, false);
	near(aligned.mean, mean, 1e-5, "aligner");
	const oneStep = await run(network("oneStep"), INPUTS);
	near(oneStep.mean, mean, 1e-5, "one-step");
	near(oneStep.y, y, 1e-5, "one-step kernel");
	// where no channel is a kernel the U-Net starts with what it is
	const without = { channels: 5, kernelChannel: null };
	const blind = await run(network("aligner", 3, without), INPUTS, false);
	assert.ok(Math.max(...blind.mean.map((v, i) => Math.abs(v - mean[i]))) > 0.1);
	assert.ok(Math.max(...blind.mean.map(Math.abs)) > 0.1);
});

test("networks share the basis and nothing else; the seed names their weights", async () => {
	// One channel each and few components: what differs is drawn.
	const few = COMPONENTS.slice(0, 6);
	const drawn = async (name: NetworkName, seed: number) => {
		const input = { channels: 1, kernelChannel: 0 };
		const made = makeNetwork(gpu, name, SIZE, input, few, seed);
		const state = await made.state();
		made.dispose();
		return (part: string) => state.get(part)?.data ?? new Float32Array();
	};
	const [vae, aligner, oneStep] = [
		await drawn("vae", 3),
		await drawn("aligner", 3),
		await drawn("oneStep", 3),
	];
	const layer = "encoder.unet.down16.weight";
	const differ = (a: Float32Array, b: Float32Array) =>
		a.length > 0 && a.every((v, i) => v !== b[i]);
	for (const part of ["encoder.mean.weight", "decoder.image.weight"])
		near(oneStep(part), vae(part), 0, part);
	near(aligner("encoder.mean.weight"), vae("encoder.mean.weight"), 0, "basis");
	assert.is(aligner("decoder.image.weight").length, 0);
	assert.ok(differ(vae(layer), oneStep(layer)));
	assert.ok(differ(vae(layer), aligner(layer)));
	assert.ok(differ(aligner(layer), oneStep(layer)));
	near((await drawn("vae", 3))(layer), vae(layer), 0, "the same seed");
	assert.ok(differ((await drawn("vae", 4))(layer), vae(layer)));
	// a residual block starts as nothing
	for (const block of ["encoder.unet.residual8.0", "decoder.unet.residual8.1"])
		assert.ok(vae(`${block}.conv2.weight`).every((v) => v === 0));
});

test("a basis of too few components is filled up with directions of unit length", () => {
	const few = COMPONENTS.slice(0, 6);
	const basis = latentBasis(few, new Random(1));
	assert.is(basis.length, LATENT);
	few.forEach((image, c) => {
		assert.is(basis[c], image);
	});
	for (const row of basis) {
		const square = row.reduce((total, v) => total + v * v, 0);
		assert.ok(Math.abs(square - 1) < 0.1, `${square}`);
	}
	const many = [...COMPONENTS, ...few];
	assert.is(latentBasis(many, new Random(1)).length, LATENT);
});

/** Encoder and decoder whose every parameter counts: none is at its start. */
async function disturbed(): Promise<Network> {
	const random = new Random(5);
	const basis = latentBasis(COMPONENTS, random);
	const parts = { encoder: INPUT, decoder: true };
	const made = new ComponentAutoencoder(random, basis, SIZE, parts).to(gpu);
	for (const [, p] of made.packed)
		p.write((await p.data()).map((v) => v + 0.05 * random.normal()));
	return made;
}

/** The networks in float64, from the references of the ops. */
function reference(weights: ReadonlyMap<string, Nd>) {
	const get = (name: string) => {
		const found = weights.get(name);
		if (!found) throw new Error(`no ${name}`);
		return found;
	};
	const plus = (x: Nd, name: string) =>
		zip(x, get(`${name}.bias`), (a, b) => a + b);
	const add = (x: Nd, y: Nd) => zip(x, y, (a, b) => a + b);
	const half = { stride: [2, 2], pad: [1, 1, 1, 1] } as const;
	const same = { stride: [1, 1], pad: [1, 1, 1, 1] } as const;
	const down = (name: string, x: Nd) =>
		plus(conv2d(x, get(`${name}.weight`), half), name);
	const conv = (name: string, x: Nd) =>
		plus(conv2d(x, get(`${name}.weight`), same), name);
	const up = (name: string, x: Nd) =>
		plus(convTranspose2d(x, get(`${name}.weight`), half), name);
	const norm = (name: string, x: Nd) =>
		groupNorm(
			x,
			get(`${name}.weight`),
			get(`${name}.bias`),
			x.shape[3] / 8,
			true,
		);
	const residual = (name: string, x: Nd) => {
		const h = conv(`${name}.conv1`, norm(`${name}.norm1`, x));
		return add(x, conv(`${name}.conv2`, norm(`${name}.norm2`, h)));
	};
	const unet = (name: string, [n16, n8]: readonly [number, number], x: Nd) => {
		const h32 = down(`${name}.down32`, x);
		let h16 = down(`${name}.down16`, norm(`${name}.norm32`, h32));
		for (let i = 0; i < n16; i++)
			h16 = residual(`${name}.residual16.${i}`, h16);
		let h8 = down(`${name}.down8`, norm(`${name}.norm16`, h16));
		for (let i = 0; i < n8; i++) h8 = residual(`${name}.residual8.${i}`, h8);
		const u16 = add(h16, up(`${name}.up16`, norm(`${name}.norm8`, h8)));
		const u32 = add(h32, up(`${name}.up32`, norm(`${name}.normUp16`, u16)));
		const u64 = up(`${name}.up64`, norm(`${name}.normUp32`, u32));
		return conv(`${name}.out`, norm(`${name}.normUp64`, u64));
	};
	const dense = (name: string, x: Nd, factor: number) => {
		const w = get(`${name}.weight`);
		const [outputs, inputs] = w.shape;
		const y = nd([1, outputs], (o) => {
			let total = 0;
			for (let i = 0; i < inputs; i++)
				total += w.data[o * inputs + i] * x.data[i];
			return factor * total;
		});
		return plus(y, name);
	};
	const image = [1, 64, 64, 1];
	return {
		encode(x: Nd) {
			const select = get("encoder.select.weight").data;
			const chosen = nd(image, (p) =>
				select.reduce((total, w, c) => total + w * x.data[5 * p + c], 0),
			);
			const seen = add(chosen, unet("encoder.unet", SIZE.encoder.blocks, x));
			const mean = dense("encoder.mean", seen, 1 / 128);
			return { mean, logvar: dense("encoder.logvar", map(mean, silu), 1) };
		},
		decode(z: Nd) {
			const flat = dense("decoder.image", z, 1 / 8);
			const first = nd(image, (p) => flat.data[p]);
			return add(first, unet("decoder.unet", SIZE.decoder.blocks, first));
		},
	};
}

const P = await disturbed();
const STATE: State = await P.state();
const double = (shift: (name: string, i: number) => number = () => 0) =>
	new Map(
		[...STATE].map(([name, { shape, data }]) => [
			name,
			nd(shape, (i) => data[i] + shift(name, i)),
		]),
	);
const X = nd([1, 64, 64, 5], (i) => INPUTS[i]);

test("values are those of the networks in float64", async () => {
	const { mean, logvar, y } = await run(P, INPUTS);
	const { encode, decode } = reference(double());
	const expected = encode(X);
	near(mean, expected.mean.data, 1e-5, "mean");
	near(logvar, expected.logvar.data, 1e-5, "logvar");
	near(y, decode(expected.mean).data, 1e-5, "kernel");
});

/** Gradients of sum(part * dy) by parameter. */
async function gradients(part: "logvar" | "y", dy: Float32Array) {
	P.zeroGrad();
	scope(gpu, () => {
		const { mean, logvar } = P.encode(tensor(gpu, INPUTS, [1, 64, 64, 5]));
		const out = part === "y" ? P.decode(mean) : logvar;
		backward(sum(mul(out, tensor(gpu, dy, out.shape))));
	});
	P.packed.settleGradients();
	const all = await collect(P.packed.gradients.lazy());
	return new Map([...all].map(([name, { data }]) => [name, data]));
}

const square = (values: Float32Array) =>
	values.reduce((total, v) => total + v * v, 0);

test("every parameter's gradient is that of the networks in float64", async () => {
	const dy = uniform(new Random(6), PIXELS);
	const found = await gradients("y", dy);
	// Along this direction every parameter that the kernel depends on contributes 1.
	const step = 1e-6;
	let due = 0;
	const size = new Map<string, number>();
	for (const [name, gradient] of found) {
		if (name.startsWith("encoder.logvar")) {
			assert.is(square(gradient), 0, name);
			continue;
		}
		due++;
		size.set(name, square(gradient));
		assert.ok(square(gradient) > 0, name);
	}
	const value = (by: number) => {
		const { encode, decode } = reference(
			double((name, i) => {
				const total = size.get(name);
				return total ? (by * (found.get(name)?.[i] ?? 0)) / total : 0;
			}),
		);
		const { data } = decode(encode(X).mean);
		return data.reduce((total, v, i) => total + v * dy[i], 0);
	};
	const slope = (value(step) - value(-step)) / (2 * step);
	assert.ok(Math.abs(slope - due) < 1e-3 * due, `slope ${slope} of ${due}`);
});

test("fitting the spread pulls at nothing but its own layer", async () => {
	const found = await gradients("logvar", uniform(new Random(7), LATENT));
	for (const [name, gradient] of found)
		assert.is(square(gradient) > 0, name.startsWith("encoder.logvar"), name);
});

test.run();
