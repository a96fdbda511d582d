/** Extraction with the weights that come with the package. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { refine } from "../src/extraction/kernels/refined.ts";
import { extract } from "../src/extraction/methods/extract.ts";
import { makeDataset } from "../src/node/datasets/makeDataset.ts";
import { evaluateFolder } from "../src/node/evaluation/evaluateFolder.ts";
import { openWeights, SHIPPED } from "../src/node/files/shippedWeights.ts";
import { kernelFileName } from "../src/qpi/dataset/format.ts";
import { makeKernel, planKernels } from "../src/qpi/generator/generator.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { centre, ridgeGcv } from "../src/qpi/operator/ridge.ts";
import { compareKernels } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const prior = await (await openWeights()).prior();
// A family of those that the weights have never seen in any form.
const spec = planKernels(100, 1).filter(
	(s) => s.family === "c4 pocket c4=300 black dot",
)[1];
const made = makeKernel(spec, {
	observations: 1,
	seed: 3,
	noiseLevels: [0.3],
	placement: { count: 9 },
});
const [{ image, scatterers }] = made.observations;
const marks = scatterers.map((s) => ({ ...s, weight: 1 }));
const scores = (kernel: ArrayLike<number>) =>
	compareKernels(kernel, made.kernel);
const ridgeScores = (at: typeof marks) =>
	scores(centre(ridgeGcv(new ForwardOperator(at), image).kernel));

test("refined: a kernel of a family never seen, at noise 0.3", () => {
	const found = refine({ image, scatterers: marks }, prior);
	const { ncc, mae } = scores(centre(found.kernel));
	assert.ok(ncc > 0.97 && mae < 0.04, `NCC ${ncc}, MAE ${mae}`);
	assert.ok(mae < ridgeScores(marks).mae);
	assert.equal(found.adjusted, false, "good marks stay");
});

test("refined: marks half a pixel off are adjusted, where they may be", async () => {
	const random = new Random(8);
	const off = marks.map((s) => ({
		...s,
		x: s.x + 3.2 * random.normal(),
		y: s.y + 3.2 * random.normal(),
	}));
	const found = refine({ image, scatterers: off }, prior);
	const { ncc } = scores(centre(found.kernel));
	assert.ok(found.adjusted);
	assert.ok(
		ncc > ridgeScores(off).ncc + 0.1,
		`NCC ${ncc}, ridge ${ridgeScores(off).ncc}`,
	);
	const distance = (list: typeof marks) =>
		list.reduce(
			(sum, s, j) => sum + Math.hypot(s.x - marks[j].x, s.y - marks[j].y),
			0,
		);
	assert.ok(distance([...found.scatterers]) < 0.5 * distance(off));
	const kept = await extract(
		{ image, scatterers: off, adjust: false },
		{ prior },
		{ method: "refined", holdOut: false, samples: 2 },
	);
	assert.is(kept.parameters.adjusted, false);
});

test("refined: what is around a scatterer that was not marked counts for less", () => {
	const found = refine({ image, scatterers: marks.slice(1) }, prior);
	assert.ok(found.robust);
	const { x, y } = marks[0];
	const pixel =
		Math.round(((x + 200) / 400) * 63) * 64 +
		Math.round(((y + 200) / 400) * 63);
	assert.ok(found.weights[pixel] < 0.7, `weight ${found.weights[pixel]}`);
});

test("extract: rows that were not measured say nothing, whatever they hold", async () => {
	const valid = Float32Array.from(image, (_, i) => (i % 64 < 12 ? 0 : 1));
	const options = { method: "refined", samples: 2 } as const;
	const [a, b] = await Promise.all(
		[0, Number.NaN].map((filler) =>
			extract(
				{
					image: image.map((v, i) => (valid[i] ? v : filler)),
					valid,
					scatterers,
				},
				{ prior },
				options,
			),
		),
	);
	assert.equal(b.kinds, a.kinds);
	assert.ok(
		scores(a.kinds[0].kernel).ncc > 0.95,
		`NCC ${scores(a.kinds[0].kernel).ncc}`,
	);
});

test("extract: auto takes what explains held-out pixels, and its uncertainty holds", async () => {
	const found = await extract(
		{ image, scatterers },
		{ prior },
		{ samples: 24 },
	);
	assert.equal(found.method, "refined");
	const { refined, ridge } = found.explained;
	assert.ok((refined?.heldOut ?? 0) > (ridge?.heldOut ?? 1) + 0.02);
	assert.ok(
		(ridge?.inSample ?? 0) > (ridge?.heldOut ?? 1),
		"in-sample flatters",
	);
	const [{ kernel, uncertainty }] = found.kinds;
	let [one, two] = [0, 0];
	made.kernel.forEach((truth, i) => {
		const away = Math.abs(kernel[i] - truth) / uncertainty[i];
		if (away < 1) one++;
		if (away < 2) two++;
	});
	assert.ok(
		one > 0.5 * 4096 && one < 0.97 * 4096,
		`${one / 4096} within one standard deviation`,
	);
	assert.ok(two > 0.83 * 4096, `${two / 4096} within two`);
});

test("extract: an image without scatterers, or almost without pixels, is refused", async () => {
	const attempt = async (
		scatterers: { x: number; y: number }[],
		valid?: Float32Array,
	) => {
		try {
			await extract(
				{ image, valid, scatterers },
				{ prior },
				{ method: "ridge" },
			);
		} catch (error) {
			assert.instance(error, RangeError);
			return (error as Error).message;
		}
		return "";
	};
	assert.match(
		await attempt([{ x: 1000, y: 1000 }]),
		/none of the 1 scatterers/,
	);
	assert.match(
		await attempt([{ x: 0, y: 0 }], new Float32Array(4096)),
		/0 of the image's 4096 pixels/,
	);
});

test("weights: a changed file is refused", async () => {
	const folder = await mkdtemp(join(tmpdir(), "qpi-lens-weights-"));
	try {
		await writeFile(
			join(folder, "manifest.json"),
			await readFile(join(SHIPPED, "manifest.json")),
		);
		const bytes = await readFile(join(SHIPPED, "prior.safetensors"));
		bytes[bytes.length >> 1] ^= 1;
		await writeFile(join(folder, "prior.safetensors"), bytes);
		const weights = await openWeights(folder);
		await weights.prior().then(
			() => assert.unreachable(),
			(error) => assert.match(error.message, /SHA-256/),
		);
	} finally {
		await rm(folder, { recursive: true });
	}
});

test("evaluate: a small folder without a manifest", async () => {
	const folder = await mkdtemp(join(tmpdir(), "qpi-lens-evaluate-"));
	try {
		await makeDataset({ out: folder, kernels: 6, observations: 1, seed: 4 });
		await rm(join(folder, "manifest.json"));
		for (const number of [4, 5, 6])
			await rm(join(folder, kernelFileName(number)));
		const { methods, parts, perKernel } = await evaluateFolder(folder);
		assert.is(methods.refined.n, 3);
		assert.equal(Object.keys(parts), ["unseenFamily"]);
		assert.is(perKernel.length, 3);
		const [refined, ridge] = [methods.refined.mae, methods.ridge.mae];
		assert.ok(refined !== null && ridge !== null && refined < ridge);
		assert.ok(
			(methods.twoStep.ncc ?? 0) > 0.8,
			`two-step ${methods.twoStep.ncc}`,
		);
	} finally {
		await rm(folder, { recursive: true });
	}
});

test("by another method that was compared: the same as if it had been asked for, without fitting again", async () => {
	const told: [number, number, string][] = [];
	const options = { compare: ["ridge", "refined"], seed: 4 } as const;
	const best = await extract(
		{ image, scatterers: marks },
		{ prior },
		{
			...{ ...options, method: "refined" },
			onProgress: (...progress) => told.push(progress),
		},
	);
	assert.equal(
		told.map(([done]) => done),
		[...told.keys()],
	);
	assert.ok(told.every(([, total]) => total === told.length));
	assert.equal(
		new Set(told.map(([, , method]) => method)),
		new Set(["ridge", "refined"]),
	);
	const fits = told.length;
	const other = await best.by("ridge");
	assert.is(told.length, fits);
	const asked = await extract(
		{ image, scatterers: marks },
		{ prior },
		{
			...{ ...options, method: "ridge" },
		},
	);
	const plain = ({ by, ...rest }: typeof asked) => rest;
	assert.equal(plain(other), plain(asked));
	assert.throws(
		() => best.by("oneStep"),
		/method oneStep was not compared, expected one of ridge, refined/,
	);
});

test.run();
