/** `makeWeights` on a small set: twice the same bytes, pinned figures, and files that open as weights. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { StoredTensor } from "../src/formats/safetensors.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { RunFolder } from "../src/node/files/runFolder.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { makeWeights } from "../src/node/training/makeWeights.ts";
import { HELD_OUT } from "../src/qpi/generator/wide.ts";
import { PRESETS, WEIGHTS } from "../src/training/presets.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
const scratch = await mkdtemp(join(tmpdir(), "qpi-lens-weights-"));
test.after(async () => {
	gpu.dispose();
	await rm(scratch, { recursive: true });
});

const once = { epochs: 1 };
const PRESET: typeof WEIGHTS = {
	...WEIGHTS,
	models: 5,
	bare: 3,
	components: 30,
	kept: 8,
	source: { kernels: 8, observations: 2, heldOut: 2 },
	size: PRESETS.smoke.size,
	vae: { ...PRESETS.smoke.vae, ...once, repeats: 1 },
	aligner: { ...PRESETS.smoke.aligner, ...once },
	oneStep: { ...PRESETS.smoke.oneStep, ...once },
	evaluated: 2,
};
const FILES = [
	"prior.safetensors",
	"aligner.safetensors",
	"decoder.safetensors",
	"one-step.safetensors",
];

/** Makes the small set's weights in a folder of their own, and returns it. */
async function make(name: string): Promise<string> {
	const out = join(scratch, name);
	const folder = await RunFolder.open(`${out}-run`, {}, false);
	const say = () => undefined;
	await makeWeights({ gpu, out, folder, seed: 1, preset: PRESET, say });
	return out;
}

const first = await make("first");
const manifest = JSON.parse(
	await readFile(join(first, "manifest.json"), "utf8"),
);
const tensors = new Map<string, Map<string, StoredTensor>>();
for (const name of FILES)
	tensors.set(
		name,
		decodeSafetensors(await readFile(join(first, name))).tensors,
	);
const values = (file: string, name: string): Float32Array =>
	tensors.get(file)?.get(name)?.data as Float32Array;

/** Relative to the larger one. */
function close(found: number, expected: number, tolerance: number, what = "") {
	assert.ok(
		Math.abs(found - expected) <= tolerance * Math.abs(expected),
		`${what}: found ${found}, expected ${expected}`,
	);
}

test("the same seed gives the same files, bit for bit", async () => {
	const second = await make("second");
	for (const name of FILES) {
		const [a, b] = [first, second].map((folder) => join(folder, name));
		assert.ok((await readFile(a)).equals(await readFile(b)), name);
	}
});

test("the prior has the pinned variances, floor and coefficients", () => {
	const prior = "prior.safetensors";
	const variances = (sort: string) => values(prior, `${sort}.variances`);
	const sorts = ["even+", "even-", "odd+", "odd-", "mixed"];
	const counts = sorts.map((sort) => variances(sort).length);
	assert.equal(counts, [10, 5, 5, 4, 3]);
	for (const [sort, expected] of [
		["even+", [1011.279, 604.1265, 205.811]],
		["mixed", [150.0284, 35.33578, 21.68066]],
	] as const)
		for (const [i, value] of expected.entries())
			close(variances(sort)[i], value, 1e-4, `${sort} ${i}`);
	close(values(prior, "floor")[0], 0.01816145, 1e-4, "floor");
	// The sign of a component is free.
	for (const [i, value] of [42.594, 19.328, 2.1133, 13.766].entries())
		close(Math.abs(values(prior, "kernels")[i]), value, 1e-3, `kernel ${i}`);
});

test("one epoch ends at the pinned losses", () => {
	for (const [network, train, validation] of [
		["vae", 0.006475301, 0.505747],
		["aligner", 0.0706139, 0.0325769],
		["oneStep", 0.0683317, 0.531805],
	] as const) {
		const losses = manifest.losses[network];
		close(losses.train[0][1], train, 1e-3, `${network}, training`);
		close(losses.validation[0][1], validation, 1e-3, `${network}, validation`);
	}
});

test("weights have the pinned root mean squares", () => {
	for (const [file, name, expected] of [
		["aligner.safetensors", "encoder.mean.bias", 0.00395205],
		["aligner.safetensors", "encoder.unet.out.weight", 0.00438388],
		["decoder.safetensors", "decoder.image.bias", 0.00286182],
		["decoder.safetensors", "decoder.unet.out.weight", 0.00233393],
		["one-step.safetensors", "encoder.mean.bias", 0.00383555],
		["one-step.safetensors", "decoder.image.bias", 0.00383568],
		["one-step.safetensors", "decoder.unet.out.weight", 0.00346465],
	] as const) {
		const all = values(file, name);
		const square = all.reduce((sum, v) => sum + v * v, 0);
		close(Math.sqrt(square / all.length), expected, 1e-3, `${file} ${name}`);
	}
});

test("the manifest says how they were made, and the files open as weights", async () => {
	assert.equal(manifest.neverDrawn, HELD_OUT);
	assert.equal(manifest.preset, PRESET);
	assert.is(manifest.seed, 1);
	assert.match(manifest.data, /^16 kernels .* 2 images of each of 8 /);
	assert.equal(Object.keys(manifest.files).sort(), FILES.toSorted());
	const weights = await openWeights(first);
	assert.is((await weights.prior()).length, 30);
	const networks = await weights.networks(gpu);
	assert.is(networks.inputs, "centred");
	const [kernel] = await networks.infer("twoStep", [
		new Float32Array(3 * 64 * 64),
	]);
	assert.ok(kernel.every(Number.isFinite));
	networks.dispose();
});

test.run();
