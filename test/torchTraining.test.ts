/** Optimisers, clipping, schedules, initial values and layers against torch: goldens/makeTraining.py says what the file holds. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { detached, scope } from "../src/engine/basics/scope.ts";
import type { Shape } from "../src/engine/basics/shape.ts";
import * as init from "../src/engine/layers/init.ts";
import { Module } from "../src/engine/layers/module.ts";
import {
	BatchNorm2d,
	GroupNorm,
	LayerNorm,
} from "../src/engine/layers/norms.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import { Sequential } from "../src/engine/layers/sequential.ts";
import {
	Conv2d,
	ConvTranspose2d,
	Embedding,
	Linear,
} from "../src/engine/layers/weighted.ts";
import { add, mul, relu } from "../src/engine/ops/elementwise.ts";
import { mean, sum } from "../src/engine/ops/reduce.ts";
import { crossEntropy } from "../src/engine/ops/softmax.ts";
import { Adam, AdamW } from "../src/engine/optim/adam.ts";
import { clipGradNorm } from "../src/engine/optim/clip.ts";
import { rateFactor } from "../src/engine/optim/schedules.ts";
import { SGD } from "../src/engine/optim/sgd.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { compare } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

interface Golden {
	readonly shape: Shape;
	readonly data: Float32Array;
}
const file = "training.safetensors";
const bytes = readFileSync(new URL(`goldens/${file}`, import.meta.url));
const { tensors } = decodeSafetensors(bytes, file);
const golden = (name: string): Golden => {
	const found = tensors.get(name);
	if (!found) throw new Error(`no golden "${name}"`);
	return found as Golden;
};
/** Row k. */
const at = ({ shape, data }: Golden, k: number): Golden => {
	const each = data.length / shape[0];
	return { shape: shape.slice(1), data: data.slice(k * each, (k + 1) * each) };
};
const place = ({ data, shape }: Golden) => tensor(gpu, data, shape);

const NAMES = ["p", "q", "r"];
const OPTIMISERS: Readonly<
	Record<string, (p: Record<string, Parameter>) => SGD | Adam>
> = {
	sgd: ({ p, q, r }) => new SGD([p, q, r], { lr: 0.1 }),
	"sgd momentum": ({ p, q, r }) =>
		new SGD([p, q, r], { lr: 0.05, momentum: 0.9, weightDecay: 0.1 }),
	"sgd nesterov": ({ p, q, r }) =>
		new SGD([p, q, r], { lr: 0.05, momentum: 0.8, nesterov: true }),
	"sgd clipped": ({ p, q, r }) =>
		new SGD([p, q, r], { lr: 0.5, momentum: 0.9 }),
	"sgd groups": ({ p, q, r }) =>
		new SGD(
			[
				{ params: [p, r] },
				{ params: [q], lr: 0.2, momentum: 0.5, weightDecay: 0.1 },
			],
			{ lr: 0.05, momentum: 0.9 },
		),
	"adam groups": ({ p, q, r }) =>
		new Adam(
			[{ params: [p, r] }, { params: [q], lr: 0.05, betas: [0.5, 0.9] }],
			{ lr: 0.01, weightDecay: 0.1 },
		),
	"adamw groups": ({ p, q, r }) =>
		new AdamW(
			[
				{ params: [p, r] },
				{ params: [q], lr: 0.05, weightDecay: 0.5, eps: 1e-3 },
			],
			{ lr: 0.01 },
		),
};

/** Eight steps with the goldens' gradients; `prepare` is called before each. */
async function follow(
	name: string,
	optimiser: string,
	prepare: (parameters: Parameters, step: number) => void,
	clip?: number,
): Promise<void> {
	const made = Object.fromEntries(
		NAMES.map((key) => {
			const { shape, data } = golden(`weights/${key}`);
			return [key, new Parameter(shape, data)];
		}),
	);
	const parameters = new Parameters(gpu, Object.entries(made));
	const adapt = OPTIMISERS[optimiser](made);
	for (let k = 0; k < 8; k++) {
		scope(gpu, () => {
			parameters.zeroGrad();
			const parts = NAMES.map((key) =>
				sum(mul(made[key], place(at(golden(`gradients/${key}`), k)))),
			);
			backward(parts.reduce((a, b) => add(a, b)));
			prepare(parameters, k);
			adapt.step({ clip });
		});
		for (const key of NAMES)
			compare(
				`${key} after step ${k}`,
				await made[key].data(),
				at(golden(`${name}/${key}`), k).data,
				2e-6,
			);
	}
	adapt.dispose();
	parameters.dispose();
}

for (const name of Object.keys(OPTIMISERS).filter((n) => n !== "sgd clipped"))
	test(`${name}: goes torch's way for eight steps`, () =>
		follow(name, name, () => {}));

test("SGD whose step clips goes torch's way", () =>
	follow("sgd clipped", "sgd clipped", () => {}, 1));

test("clipGradNorm scales gradients as torch does, and gives the norm that they had", async () => {
	const norms: Tensor[] = [];
	await follow("sgd clipped", "sgd clipped", (parameters) => {
		const all = [...parameters].map(([, p]) => p);
		norms.push(detached(gpu, () => clipGradNorm(all, 1)));
	});
	for (const [k, norm] of norms.entries()) {
		compare(
			`norm ${k}`,
			await norm.data(),
			[golden("sgd clipped/norms").data[k]],
			1e-6,
		);
		norm.dispose();
	}
	assert.is(norms.length, 8);
	assert.ok(golden("sgd clipped/norms").data.some((norm) => norm > 2));
});

test("the rate rises and falls as torch's LinearLR and CosineAnnealingLR one after the other", () => {
	const { data } = golden("rates");
	const counts = { stepsAnEpoch: 1, steps: 20 };
	const found = Array.from(data, (_, step) =>
		rateFactor({ warmUp: 5, floor: 0.1 }, step, counts),
	);
	compare("rates", found, data, 1e-6);
});

const SHAPES: Readonly<Record<string, Shape>> = {
	linear: [250, 400],
	conv: [50, 3, 3, 222],
	transposed: [100, 4, 4, 63],
};
const DRAWS: Readonly<
	Record<string, (shape: Shape, random: Random) => Float32Array>
> = {
	kaimingUniform: (s, random) => init.kaimingUniform(s, { random }),
	"kaimingUniform a fanOut": (s, random) =>
		init.kaimingUniform(s, { random, a: 2, mode: "fanOut" }),
	kaimingNormal: (s, random) => init.kaimingNormal(s, { random }),
	"kaimingNormal tanh": (s, random) =>
		init.kaimingNormal(s, { random, nonlinearity: "tanh" }),
	"kaimingNormal relu fanOut": (s, random) =>
		init.kaimingNormal(s, { random, nonlinearity: "relu", mode: "fanOut" }),
	xavierUniform: (s, random) => init.xavierUniform(s, { random }),
	"xavierNormal gain": (s, random) =>
		init.xavierNormal(s, { random, gain: 2.5 }),
};

function spread(values: Float32Array) {
	let [total, square, largest] = [0, 0, 0];
	for (const v of values) {
		total += v;
		square += v * v;
		largest = Math.max(largest, Math.abs(v));
	}
	const mean = total / values.length;
	return { mean, deviation: Math.sqrt(square / values.length), largest };
}

for (const [name, draw] of Object.entries(DRAWS))
	test(`init.${name} draws as widely as torch's`, () => {
		for (const [kind, shape] of Object.entries(SHAPES)) {
			const values = draw(shape, new Random(4));
			const { mean, deviation, largest } = spread(values);
			const [std, bound] = golden(`init/${name}/${kind}`).data;
			// Both of a hundred thousand.
			compare(`${kind}: deviation`, [deviation], [std], 1e-2);
			assert.ok(Math.abs(mean) < 1e-2 * std, `${kind}: mean ${mean}`);
			if (bound) compare(`${kind}: bound`, [largest], [bound], 1e-4);
			assert.equal(draw(shape, new Random(4)).slice(0, 9), values.slice(0, 9));
		}
	});

test("gains are torch's", () => {
	const found = [
		init.calculateGain("linear"),
		init.calculateGain("sigmoid"),
		init.calculateGain("tanh"),
		init.calculateGain("relu"),
		init.calculateGain("leakyRelu"),
		init.calculateGain("leakyRelu", 0.3),
		init.calculateGain("selu"),
	];
	compare("gains", found, golden("init/gains").data, 1e-6);
});

test("layers begin as widely as torch's", async () => {
	const random = new Random(5);
	const layers = {
		Linear: new Linear(400, 1000, { random }),
		Conv2d: new Conv2d(50, 500, 4, { random }),
		ConvTranspose2d: new ConvTranspose2d(50, 500, 4, { random }),
		Embedding: new Embedding(500, 800, { random }),
	};
	for (const [name, layer] of Object.entries(layers)) {
		const found: number[] = [];
		for (const p of layer.parameters())
			found.push(spread(await p.data()).deviation);
		// There are few biases.
		compare(
			name,
			found.slice(0, 1),
			golden(`init/${name}`).data.slice(0, 1),
			5e-3,
		);
		compare(name, found, golden(`init/${name}`).data, 0.15);
	}
});

/** Net of makeTraining.py. */
class Net extends Module {
	readonly conv: Conv2d;
	readonly norm = new BatchNorm2d(6);
	readonly up: ConvTranspose2d;
	readonly group = new GroupNorm(2, 4);
	readonly table: Embedding;
	readonly row = new LayerNorm(4);
	readonly head: Sequential;

	constructor(random: Random) {
		super();
		const halving = { stride: 2, padding: 1 };
		this.conv = new Conv2d(2, 6, 3, { ...halving, bias: false, random });
		this.up = new ConvTranspose2d(6, 4, 4, { ...halving, random });
		this.table = new Embedding(5, 4, { random });
		this.head = new Sequential(
			new Linear(4, 7, { random }),
			relu,
			new Linear(7, 3, { random }),
		);
	}

	forward(x: Tensor, numbers: Tensor): Tensor {
		const h = relu(this.norm.forward(this.conv.forward(x)));
		const image = this.group.forward(this.up.forward(h));
		const row = mean(image, { dim: [1, 2] });
		return this.head.forward(
			this.row.forward(add(row, this.table.forward(numbers))),
		);
	}
}

test("a network of all layers has torch's names, trains as torch's, and is used as torch's after eval()", async () => {
	const part = (prefix: string) =>
		new Map(
			[...tensors]
				.filter(([name]) => name.startsWith(`net/${prefix}/`))
				.map(([name, value]) => [
					name.slice(`net/${prefix}/`.length),
					value as Golden,
				]),
		);
	const net = new Net(new Random(1)).to(gpu);
	net.load(part("before"));
	const sgd = new SGD(net.parameters(), {
		lr: 0.05,
		momentum: 0.9,
		nesterov: true,
		weightDecay: 1e-2,
	});
	const out = (k: number) =>
		net.forward(
			place(at(golden("net/x"), k)),
			place(at(golden("net/numbers"), k)),
		);
	for (const [k, expected] of golden("net/losses").data.entries()) {
		const loss = scope(gpu, () => {
			net.zeroGrad();
			const loss = crossEntropy(out(k), place(at(golden("net/labels"), k)));
			backward(loss);
			sgd.step();
			return loss;
		});
		compare(`loss ${k}`, await loss.data(), [expected], 1e-5);
		loss.dispose();
	}
	const after = part("after");
	const state = await net.state();
	assert.equal([...state.keys()].sort(), [...after.keys()].sort());
	for (const [name, { data }] of state)
		compare(name, data, after.get(name)?.data ?? [], 2e-5);
	net.eval();
	const y = scope(gpu, () => out(0));
	compare("y", await y.data(), golden("net/y").data, 2e-5);
	assert.equal(await net.state(), state, "eval() moves no statistics");
	y.dispose();
	sgd.dispose();
	net.dispose();
});

test.run();
