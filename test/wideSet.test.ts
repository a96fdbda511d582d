/** The wide set as a file, and the images that are made of it. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWideSet, type WideSet } from "../src/node/datasets/wideSet.ts";
import { wideSource } from "../src/node/datasets/wideSource.ts";
import { bareKernel, view, wideKernel } from "../src/qpi/generator/wide.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { Random } from "../src/random.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-lens-wide-"));
test.after(() => rm(scratch, { recursive: true }));

const OPTIONS = { models: 6, bare: 2, seed: 1 };
const sha = async (file: string) =>
	createHash("sha256")
		.update(await readFile(file))
		.digest("hex");

const folder = join(scratch, "first");
const set = await openWideSet(folder, OPTIONS);
test.after(() => set.close());

const same = (a: Float32Array, b: Float32Array) =>
	a.length === b.length && a.every((v, i) => v === b[i]);

/** The wide set's definition: a stream a pattern, and two views of each. */
function expected(number: number, bare: boolean) {
	const random = new Random(OPTIONS.seed, number);
	const kernel = bare ? bareKernel(random) : wideKernel(random);
	const views = [0, 1].map(() => {
		const turn = random.uniform(0, 2 * Math.PI);
		return view(kernel, { turn, stretch: random.uniform(0.9, 1.12) });
	});
	return { kind: kernel.kind, views };
}

test("every pattern is there from two sides, the formula's last", async () => {
	assert.is(set.kinds.length, 16);
	for (const number of [0, 5, 6, 7]) {
		const { kind, views } = expected(number, number >= 6);
		for (const [v, values] of views.entries()) {
			assert.is(set.kinds[2 * number + v], kind);
			assert.ok(same(await set.read(2 * number + v), values), `${kind} ${v}`);
		}
	}
	assert.ok(set.kinds.every((kind, i) => kind.startsWith("bare") === i >= 12));
});

test("the same options give the same bytes, and a set that is there is not made again", async () => {
	const again = join(scratch, "again");
	const made = async (path: string, options = OPTIONS) => {
		let done = 0;
		const onProgress = (n: number) => {
			done = n;
		};
		await (await openWideSet(path, { ...options, onProgress })).close();
		return done;
	};
	assert.is(await made(again), 8);
	for (const name of ["kernels.f32", "kernels.json"])
		assert.is(await sha(join(again, name)), await sha(join(folder, name)));
	assert.is(await made(again), 0);
	const before = await sha(join(again, "kernels.f32"));
	assert.is(await made(again, { ...OPTIONS, models: 0, seed: 2 }), 2);
	assert.is.not(await sha(join(again, "kernels.f32")), before);
});

test("a cut file names the kernel; an interrupted set leaves nothing", async () => {
	const path = join(scratch, "cut");
	const options = { models: 0, bare: 2, seed: 1 };
	await (await openWideSet(path, options)).close();
	await truncate(join(path, "kernels.f32"), 3 * 65536 - 4);
	const cut = await openWideSet(path, options);
	assert.is((await cut.read(1)).length, 128 * 128);
	const reason = await cut.read(2).catch((error: Error) => error.message);
	assert.match(`${reason}`, /kernels\.f32 ends before kernel 2 of 4/);
	await cut.close();

	const stopped = join(scratch, "stopped");
	const signal = AbortSignal.abort(new Error("stop"));
	const error = await openWideSet(stopped, { ...options, signal }).catch(
		(e: Error) => e.message,
	);
	assert.is(error, "stop");
	assert.equal(await readdir(stopped), []);
});

/** A set of a thousand kernels, each a single node with the kernel's number, that needs no file. */
const numbered: WideSet = {
	identity: "numbered",
	kinds: Array.from({ length: 1000 }, (_, i) => `kind ${i}`),
	async read(i) {
		const kernel = new Float32Array(128 * 128);
		kernel[64 * 128 + 64] = i + 1;
		return kernel;
	},
	close: async () => undefined,
};

test("training kernels come from all of the set, and those held out are not among them", async () => {
	const { kernels, split } = wideSource(numbered, {
		kernels: 400,
		observations: 3,
		heldOut: 40,
		seed: 5,
	});
	assert.equal(
		kernels.map(({ number }) => number),
		Array.from({ length: 400 }, (_, i) => i + 1),
	);
	assert.is(kernels[0].family, "kind 0");
	assert.is(kernels[399].family, "kind 997");
	assert.is(new Set(kernels.map((k) => k.family)).size, 400);
	const { train, unseenEnergy, unseenFamily } = split;
	assert.is(unseenFamily.length, 40);
	assert.is(unseenEnergy.length, 0);
	assert.equal(
		[...train, ...unseenFamily].toSorted((a, b) => a - b),
		kernels.map(({ number }) => number),
	);
	for (let i = 1; i < 40; i++)
		assert.is(unseenFamily[i] - unseenFamily[i - 1], 10);
	assert.is(split.maxTraining, 3);
});

const source = (seed: number, observations = 60) =>
	wideSource(set, { kernels: 16, observations, heldOut: 2, seed });

test("an image is the pattern at its scatterers and noise of the level that is said, and half have flaws besides", async () => {
	let clean = 0;
	const levels: number[] = [];
	const counts: number[] = [];
	const number = 14;
	const truth = Float64Array.from(await set.read(number - 1));
	const { kernel, observations } = await source(1).load(number);
	assert.is(kernel.length, 64 * 64);
	assert.is(kernel[0], Math.fround(truth[32 * 128 + 32]));
	for (const { image, scatterers, noise = Number.NaN } of observations) {
		levels.push(noise);
		counts.push(scatterers.length);
		const signal = new ForwardOperator(scatterers).apply(truth);
		const share = unexplained(image, signal);
		const due = noise ** 2 / (1 + noise ** 2);
		assert.ok(share > due * 0.8, `${share} unexplained, noise ${noise}`);
		// Lines make the noise of one image vary by some per cent; a flaw adds far more.
		if (share < 1.15 * due) clean++;
	}
	assert.ok(clean >= 20 && clean <= 40, `${clean} of 60 without flaws`);
	const mean = levels.reduce((sum, v) => sum + v, 0) / levels.length;
	assert.ok(mean > 0.21 && mean < 0.29, `mean noise ${mean}`);
	assert.ok(Math.min(...levels) < 0.05 && Math.max(...levels) > 0.45);
	assert.ok(levels.every((level) => level >= 0 && level <= 0.5));
	assert.equal([Math.min(...counts), Math.max(...counts)], [1, 20]);
});

/** The share of an image's variance that no multiple of `signal` explains. */
function unexplained(image: Float32Array, signal: Float64Array): number {
	const n = image.length;
	const mean = (values: ArrayLike<number>) => {
		let sum = 0;
		for (let i = 0; i < n; i++) sum += values[i];
		return sum / n;
	};
	const [a, b] = [mean(image), mean(signal)];
	let [xx, xy, yy] = [0, 0, 0];
	for (let i = 0; i < n; i++) {
		xx += (image[i] - a) ** 2;
		xy += (image[i] - a) * (signal[i] - b);
		yy += (signal[i] - b) ** 2;
	}
	return 1 - xy ** 2 / (xx * yy);
}

test("images are the same for the same seed and others for another", async () => {
	const image = async (seed: number, number: number, j: number) =>
		(await source(seed, 2).load(number)).observations[j].image;
	const first = await image(1, 3, 0);
	assert.ok(same(await image(1, 3, 0), first));
	for (const [seed, number, j] of [
		[2, 3, 0],
		[1, 4, 0],
		[1, 3, 1],
	])
		assert.is.not((await image(seed, number, j))[0], first[0]);
});

test.run();
