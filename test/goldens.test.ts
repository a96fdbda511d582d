// The engine against torch: goldens/make.py says what the files hold. Deviations are relative to the largest value of a tensor. llvmpipe and
// SwiftShader deviate by up to 3e-7 in most ops, 2e-6 in the autoencoder's gradients and 2e-5 in the way of its weights, about as far as torch's own float32
// (see what make.py prints); the tolerances are a few times that.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import type { Shape } from "../src/engine/basics/shape.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { conv2d, convTranspose2d } from "../src/engine/ops/conv.ts";
import { add, mul, relu, scale } from "../src/engine/ops/elementwise.ts";
import { linear } from "../src/engine/ops/linear.ts";
import { klLoss, mseLoss } from "../src/engine/ops/loss.ts";
import { groupNorm } from "../src/engine/ops/norm.ts";
import { reparameterise } from "../src/engine/ops/random.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { rotate, sliceChannels } from "../src/engine/ops/sample.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { rateFactor } from "../src/engine/optim/schedules.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { symmetryLoss } from "../src/training/symmetry.ts";
import { compare } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

// Both sets of kernels, where the adapter can run the one for software adapters.
const shaders = loadShaders();
const sets = [true, false]
	.map((software) => new Gpu(gpu.device, { shaders, software }))
	.filter(({ software, lanes }) => lanes > 0 || !software)
	.map((set) => ({
		kernels: set.lanes > 0 ? "register kernels" : "tiled kernels",
		set,
	}));

interface Golden {
	readonly shape: Shape;
	readonly data: Float32Array;
}

/** The tensors of a file; find() throws where there is none of that name. */
function open(file: string) {
	const bytes = readFileSync(new URL(`goldens/${file}`, import.meta.url));
	const { tensors } = decodeSafetensors(bytes, file);
	const find = (name: string): Golden => {
		const { shape, data } = tensors.get(name) ?? {};
		if (!shape || !(data instanceof Float32Array))
			throw new Error(`${file} has no float32 tensor "${name}"`);
		return { shape, data };
	};
	return { names: [...tensors.keys()], find };
}

/** Part `k` along the first dimension. */
function part({ shape, data }: Golden, k: number): Golden {
	const size = data.length / shape[0];
	return {
		shape: shape.slice(1),
		data: data.slice(k * size, (k + 1) * size),
	};
}

const radians = (degrees: ArrayLike<number>) =>
	Array.from(degrees, (a) => (a * Math.PI) / 180);

interface Row {
	/** The case in ops.safetensors. */
	readonly name: string;
	readonly inputs: readonly string[];
	run(inputs: Tensor[]): Tensor;
	/** Default 1e-6. */
	readonly tolerance?: number;
}

const xw = ["x", "w"];
const xwb = ["x", "w", "bias"];
const norm = ["x", "gamma", "beta"];

/** WGSL asks exp(x) to be right to 3 + 2 |x| units in the last place: 9 at 3. */
const EXP = 2e-6;

const rows: Row[] = [
	{
		name: "conv2d 4x4 s2 p1",
		inputs: xw,
		run: ([x, w]) => conv2d(x, w, null, { stride: 2, padding: 1 }),
	},
	{
		name: "conv2d 3x3 p1",
		inputs: xwb,
		run: ([x, w, bias]) => conv2d(x, w, bias, { padding: 1 }),
	},
	{
		name: "conv2d 3x3 s2 p0101",
		inputs: xwb,
		run: ([x, w, bias]) =>
			conv2d(x, w, bias, { stride: 2, padding: [0, 1, 0, 1] }),
	},
	{
		name: "conv2d 4x3 s21 p2013",
		inputs: xw,
		run: ([x, w]) =>
			conv2d(x, w, null, { stride: [2, 1], padding: [2, 0, 1, 3] }),
	},
	{
		name: "conv2d relu",
		inputs: xwb,
		run: ([x, w, bias]) =>
			conv2d(x, w, bias, { padding: 1, activation: "relu" }),
	},
	{
		name: "convTranspose2d 4x4 s2 p1",
		inputs: xwb,
		run: ([x, w, bias]) =>
			convTranspose2d(x, w, bias, { stride: 2, padding: 1 }),
	},
	{
		name: "convTranspose2d leakyRelu",
		inputs: xwb,
		run: ([x, w, bias]) =>
			convTranspose2d(x, w, bias, {
				stride: 2,
				padding: 1,
				activation: "leakyRelu",
			}),
	},
	{
		name: "linear of few rows",
		inputs: xwb,
		run: ([x, w, bias]) => linear(x, w, bias),
	},
	{
		name: "linear of many rows",
		inputs: xwb,
		run: ([x, w, bias]) => linear(x, w, bias),
	},
	{
		name: "groupNorm",
		inputs: norm,
		run: ([x, gamma, beta]) => groupNorm(x, gamma, beta, { groups: 3 }),
	},
	{
		name: "groupNorm silu",
		inputs: norm,
		run: ([x, gamma, beta]) =>
			groupNorm(x, gamma, beta, { groups: 3, activation: "silu" }),
		tolerance: EXP,
	},
	{
		// A place is known to about 1e-6 pixels, between neighbours that differ by up to 2.
		name: "rotate",
		inputs: ["x"],
		run: ([x]) => rotate(x, radians([90, -120, 33])),
		tolerance: 5e-6,
	},
	{
		name: "mseLoss",
		inputs: ["a", "b"],
		run: ([a, b]) => mseLoss(a, b),
	},
	{
		name: "klLoss",
		inputs: ["mean", "logvar"],
		run: ([mean, logvar]) => klLoss(mean, logvar),
		tolerance: EXP,
	},
	{
		// 43 units at 20.
		name: "klLoss above",
		inputs: ["mean", "logvar"],
		run: ([mean, logvar]) => klLoss(mean, logvar),
		tolerance: 5e-6,
	},
];

const ops = open("ops.safetensors");

test("the table has a row for every golden", () => {
	const cases = new Set(ops.names.map((name) => name.split("/")[0]));
	const known = [...rows.map(({ name }) => name), "adam"];
	assert.equal([...cases].sort(), known.sort());
});

for (const { kernels, set } of sets) {
	for (const { name, inputs, run, tolerance = 1e-6 } of rows)
		test(`${name}, ${kernels}`, async () => {
			const golden = (key: string) => ops.find(`${name}/${key}`);
			const place = ({ data, shape }: Golden) => tensor(set, data, shape);
			const { y, gradients } = scope(set, () => {
				const leaves = inputs.map((key) => place(golden(key)));
				for (const leaf of leaves) leaf.requiresGrad = true;
				const y = run(leaves);
				backward(y, place(golden("dy")));
				return { y, gradients: leaves.map((leaf) => leaf.grad) };
			});
			const check = async (key: string, actual: Tensor | null) => {
				if (!actual) throw new Error(`${key} is missing`);
				assert.equal([...actual.shape], [...golden(key).shape]);
				compare(key, await actual.data(), golden(key).data, tolerance);
			};
			await check("y", y);
			for (const [i, key] of inputs.entries())
				await check(`d${key}`, gradients[i]);
		});

	test(`the autoencoder trains as torch's does, ${kernels}`, () =>
		trainAutoencoder(set));
}

test("clipped Adam with StepLR goes torch's way for eight steps", async () => {
	const names = ["p", "q", "r"];
	const golden = (key: string) => ops.find(`adam/${key}`);
	const parameters = network(gpu, names, golden);
	const rates = golden("lr").data;
	const adam = new Adam(parameters, { lr: 0.02 });
	const counts = { stepsAnEpoch: 1, steps: rates.length };
	for (const [k, rate] of rates.entries()) {
		adam.lr = 0.02 * rateFactor({ every: 3, factor: 0.5 }, k, counts);
		assert.is(Math.fround(adam.lr), rate);
		scope(gpu, () => {
			parameters.zeroGrad();
			// A loss with just these gradients.
			const parts = names.map((name) => {
				const { data, shape } = part(golden(`d${name}`), k);
				return sum(mul(parameters.get(name), tensor(gpu, data, shape)));
			});
			backward(parts.reduce((a, b) => add(a, b)));
			adam.step({ clip: 1 });
		});
		for (const [name, { data }] of await parameters.state())
			compare(
				`${name} after step ${k}`,
				data,
				part(golden(`${name} after`), k).data,
				1e-6,
			);
	}
});

test("rotate turns what lies on +x to +y, where images are [ix][iy]", async () => {
	const image = (ix: number, iy: number) => {
		const data = new Float32Array(49);
		data[ix * 7 + iy] = 1;
		return data;
	};
	const y = scope(gpu, () =>
		rotate(tensor(gpu, image(5, 3), [1, 7, 7, 1]), Math.PI / 2),
	);
	compare("image", await y.data(), image(3, 5), 1e-6);
});

/** Parameters with the goldens' values. */
function network(
	on: Gpu,
	names: readonly string[],
	golden: (name: string) => Golden,
): Parameters {
	const list = new Map<string, Parameter>();
	for (const name of names)
		list.set(name, new Parameter(golden(name).shape, golden(name).data));
	return new Parameters(on, list);
}

/** forward() of make.py. */
function forward(p: Parameters, x: Tensor, noise: Tensor) {
	const half = { stride: 2, padding: 1 };
	const of = (name: string) =>
		[p.get(`${name}.weight`), p.get(`${name}.bias`)] as const;
	const normSilu = (name: string, h: Tensor) =>
		groupNorm(h, p.get(`${name}.gamma`), p.get(`${name}.beta`), {
			groups: 3,
			activation: "silu",
		});
	let h = conv2d(x, ...of("down1"), { ...half, activation: "relu" });
	h = normSilu("down2", conv2d(h, ...of("down2"), half));
	h = conv2d(h, ...of("down3"), { ...half, activation: "leakyRelu" });
	h = conv2d(h, ...of("moments"), { padding: 1 });
	const mean = sliceChannels(h, 0, 4);
	const logvar = sliceChannels(h, 4, 8);
	h = reparameterise(mean, logvar, noise);
	h = normSilu("head", conv2d(h, ...of("head"), { padding: 1 }));
	h = normSilu("up1", convTranspose2d(h, ...of("up1"), half));
	h = relu(convTranspose2d(h, ...of("up2"), half));
	return { made: convTranspose2d(h, ...of("up3"), half), mean, logvar };
}

async function trainAutoencoder(on: Gpu): Promise<void> {
	const { names, find } = open("vae.safetensors");
	const weights = names.flatMap(
		(name) => name.match(/(.*)\/before$/)?.[1] ?? [],
	);
	assert.is(weights.length, 22);
	const parameters = network(on, weights, (name) => find(`${name}/before`));
	const adam = new Adam(parameters, { lr: 1e-3 });
	const images = find("images");
	const place = ({ data, shape }: Golden) => tensor(on, data, shape);

	for (let k = 0; k < 10; k++) {
		const pair = [k % 3, (k + 1) % 3].flatMap((i) => [...part(images, i).data]);
		const parts = scope(on, () => {
			parameters.zeroGrad();
			const x = tensor(on, Float32Array.from(pair), [2, 64, 64, 1]);
			const { made, mean, logvar } = forward(
				parameters,
				x,
				place(part(find("noise"), k)),
			);
			const mse = mseLoss(made, x);
			const angles = radians(part(find("degrees"), k).data);
			const symmetry = symmetryLoss(made, x, angles);
			const kl = klLoss(mean, logvar);
			const loss = add(add(mse, scale(symmetry, 0.7)), scale(kl, 1e-6));
			backward(loss);
			return [loss, mse, symmetry, kl];
		});
		for (const [i, what] of ["loss", "MSE", "symmetry loss", "KL"].entries())
			compare(
				`${what} of step ${k}`,
				[await parts[i].item()],
				[part(find("loss"), k).data[i]],
				2e-6,
			);
		if (k === 0)
			for (const [name, { grad }] of parameters)
				compare(
					`gradient of ${name}`,
					(await grad?.data()) ?? [],
					find(`${name}/gradient`).data,
					5e-6,
				);
		scope(on, () => adam.step({ clip: 1 }));
	}

	for (const [name, { data }] of await parameters.state()) {
		// Of the way, not of the weights: these move by 1 % or so.
		const { data: before } = find(`${name}/before`);
		const moved = (after: Float32Array) => after.map((w, i) => w - before[i]);
		compare(
			`way of ${name}`,
			moved(data),
			moved(find(`${name}/after`).data),
			2e-4,
		);
	}
	adam.dispose();
	parameters.dispose();
}

test.run();
