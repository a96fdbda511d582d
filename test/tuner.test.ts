// Variants of kernels: that all of them compute the same bits, and how one is chosen and remembered.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";

import { Gpu } from "../src/engine/device/gpu.ts";
import {
	nameOfVariant,
	Tuner,
	type Variant,
} from "../src/engine/device/tuner.ts";
import { conv2d, convTranspose2d } from "../src/engine/ops/conv.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { openAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { openTuner } from "../src/node/device/tuning.ts";
import { Random } from "../src/random.ts";
import { cases } from "./cases/conv.ts";
import { checkCase, uniform } from "./opTesting.ts";

const gpu = await openGpu();
const shaders = loadShaders();
test.after(() => gpu.dispose());

/** Takes one variant wherever there is a choice, even one that would not be offered. */
class Fixed extends Tuner {
	readonly #variant: Variant;
	constructor(variant: Variant) {
		super();
		this.#variant = variant;
	}
	override pick(_: string, [first]: readonly Variant[]): Variant {
		const here = Object.keys(this.#variant).every((name) => name in first);
		return here ? this.#variant : first;
	}
}

const sets: { software: boolean; variants: Variant[] }[] = [
	{ software: true, variants: [2, 4, 8].map((QUADS) => ({ QUADS })) },
	{ software: false, variants: [4, 8].map((PIXELS) => ({ PIXELS })) },
];

// Larger than a tile of any variant, with remainders.
async function everything(on: Gpu): Promise<Float32Array[]> {
	const random = new Random(7);
	const make = (shape: number[]) => {
		const size = shape.reduce((a, b) => a * b, 1);
		const made = tensor(on, uniform(random, size), shape);
		made.requiresGrad = true;
		return made;
	};
	const results = scope(on, () => {
		const x = make([2, 13, 17, 12]);
		const w = make([37, 3, 3, 12]);
		const b = make([37]);
		const y = conv2d(x, w, b, { padding: 1, activation: "relu" });
		const v = make([37, 4, 4, 20]);
		const z = convTranspose2d(y, v, null, { stride: 2, padding: 1 });
		backward(z, make([...z.shape]));
		// Several slices of a weight gradient, all by vectors.
		const many = make([2, 16, 16, 64]);
		const u = make([64, 3, 3, 64]);
		const s = conv2d(many, u, null, { padding: 1 });
		backward(s, make([...s.shape]));
		const leaves = [x, w, b, v, many, u];
		return [y, z, s, ...(leaves.map((t) => t.grad) as Tensor[])];
	});
	return Promise.all(results.map((t) => t.data()));
}

for (const { software, variants } of sets) {
	if (software && gpu.lanes === 0) {
		console.log("skipped: kernels in registers; this adapter takes tiles");
		continue;
	}
	const all = variants.map(
		(v) =>
			new Gpu(gpu.device, {
				shaders,
				software,
				tuner: new Fixed(v),
			}),
	);
	test(`${variants.map(nameOfVariant).join(", ")} give the same bits`, async () => {
		const [first, ...others] = await Promise.all(all.map(everything));
		for (const other of others) assert.equal(other, first);
	});
	for (const [i, on] of all.entries())
		for (const c of cases)
			test(`${nameOfVariant(variants[i])}: ${c.name}`, () => checkCase(on, c));
}

/** Takes the variant's number for its time. */
let ran = 0;
const timed = (tuner: Tuner): Tuner =>
	Object.assign(tuner, {
		async time(_: Gpu, run: () => void) {
			run();
			if (ran === 0) throw new Error("this variant does not compile");
			return ran;
		},
	});

const ask = (tuner: Tuner, ...candidates: number[]) =>
	tuner.pick(
		"class",
		(candidates.length > 0 ? candidates : [5, 2]).map((N) => ({ N })),
		({ N }) => {
			ran = N;
		},
	).N;

test("the default until it is measured, then the fastest, once", async () => {
	const tuner = timed(new Tuner());
	assert.is(ask(tuner), 5);
	assert.equal(await tuner.tune(gpu), { class: { "N=5": 5, "N=2": 2 } });
	assert.is(ask(tuner), 2);
	assert.equal(await tuner.tune(gpu), {}, "nothing is left to measure");
});

test("noise does not choose, and a variant that fails is no choice", async () => {
	for (const candidates of [
		[100, 95],
		[100, 0],
	]) {
		const tuner = timed(new Tuner());
		ask(tuner, ...candidates);
		await tuner.tune(gpu);
		assert.is(ask(tuner, ...candidates), 100);
	}
	const broken = timed(new Tuner());
	ask(broken, 0, 2);
	const error = await broken.tune(gpu).catch((e: Error) => e.message);
	assert.is(error, "this variant does not compile");
});

test("after an abort, and without measuring, the default stays", async () => {
	const hasty = timed(new Tuner());
	ask(hasty);
	const reason = new Error("stop");
	const thrown = await hasty
		.tune(gpu, AbortSignal.abort(reason))
		.catch((e) => e);
	assert.is(thrown, reason);
	assert.is(ask(hasty), 5);
	const { tuner } = await openGpu({ tune: false });
	const measured = new Tuner({ measure: false, choices: { class: "N=2" } });
	for (const off of [tuner, measured].map(timed)) {
		assert.is(ask(off), 5);
		assert.equal(await off.tune(gpu), {});
	}
});

test("choices are kept in a file by adapter; a broken file, or an unknown variant, counts as none", async () => {
	const folder = mkdtempSync(join(tmpdir(), "tuner-"));
	const file = join(folder, "new", "tuning.json");
	const adapter = await openAdapter();
	const open = (of = adapter) => timed(openTuner(of, file));
	const [tuner, beside] = [open(), open()];
	ask(tuner);
	await tuner.tune(gpu);
	beside.pick("another class", [{ N: 3 }, { N: 1 }], ({ N }) => {
		ran = N;
	});
	await beside.tune(gpu);
	assert.is(ask(open()), 2, "two processes at once");
	assert.is(ask(open({ info: { vendor: "another" } } as GPUAdapter)), 5);
	assert.is(ask(open(), 5, 3), 5);
	writeFileSync(file, readFileSync(file, "utf8").slice(0, -9));
	assert.is(ask(open()), 5);
	for (const text of ["5", "[]", "null", '"a"', "[1]"]) {
		writeFileSync(file, text);
		const healing = open();
		assert.is(ask(healing), 5, text);
		await healing.tune(gpu);
		assert.is(ask(open()), 2, `healed from ${text}`);
	}
	rmSync(folder, { recursive: true });
});

test("convolutions ask for what has a choice, and every candidate is measured", async () => {
	const own = new Gpu(gpu.device, {
		shaders,
		software: false,
	});
	await everything(own);
	const measured = await own.tuner.tune(own);
	assert.ok(Object.keys(measured).length >= 3, JSON.stringify(measured));
	for (const times of Object.values(measured)) {
		assert.equal(Object.keys(times), ["PIXELS=4", "PIXELS=8"]);
		for (const ms of Object.values(times)) assert.ok(ms > 0);
	}
});

test.run();
