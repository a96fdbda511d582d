/**
 * `npm run bench:correct`: whether a network that sees what `refined` found, how sure it is, ridge and backprojection, knows better. It is trained on images of the wide generator and judged on kernels
 * of families that it has not seen. Samples are kept in --out, a training goes on from them.
 */
import { appendFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { positiveWhole } from "../src/cli/command.ts";
import { add } from "../src/engine/ops/elementwise.ts";
import { mseLoss } from "../src/engine/ops/loss.ts";
import { sliceChannels } from "../src/engine/ops/sample.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { Unet, type UnetSize } from "../src/models/unet.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { startProgress } from "../src/node/files/progress.ts";
import { mapInWorkers } from "../src/node/threads/pool.ts";
import { PIXELS } from "../src/qpi/dataset/format.ts";
import { makeSplit } from "../src/qpi/dataset/split.ts";
import { planKernels } from "../src/qpi/generator/generator.ts";
import { pairedDifference } from "../src/qpi/scores/bootstrap.ts";
import { correlation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";
import { copyTurned } from "../src/training/data.ts";
import { readOut } from "../src/training/infer.ts";
import { train } from "../src/training/loop.ts";
import { CORRECT_WORKER, type CorrectTask, IMAGES } from "./correct/worker.ts";

const options = new Command("npm run bench:correct --")
	.option("--samples <n>", "images to train on", positiveWhole, 3000)
	.option("--epochs <n>", "times that they are seen", positiveWhole, 20)
	.option("--out <dir>", "where samples are kept", "runs/correct")
	.option("--json <file>", "where the figures go")
	.parse()
	.opts<{ samples: number; epochs: number; out: string; json?: string }>();

const EACH = IMAGES * PIXELS;
const CHANNELS = IMAGES - 1;
const SIZE: UnetSize = { channels: [24, 48, 64], blocks: [1, 1] };
const NOISES = [0.1, 0.3, 0.5];

await mkdir(options.out, { recursive: true });
const file = join(options.out, "samples.f32");
const bytes = (await stat(file).catch(() => undefined))?.size ?? 0;
const done = Math.floor(bytes / 4 / EACH);
if (done < options.samples) {
	const bar = startProgress("samples", options.samples, {
		unit: "images",
		start: done,
	});
	const tasks: CorrectTask[] = Array.from(
		{ length: options.samples - done },
		(_, i) => ({ wide: done + i }),
	);
	let count = done;
	for await (const sample of mapInWorkers<CorrectTask, Float32Array>(
		CORRECT_WORKER,
		tasks,
		{ batch: 1 },
	)) {
		await appendFile(file, Buffer.from(sample.buffer));
		bar.update(++count);
	}
	bar.stop();
}
const raw = await readFile(file);
const all = new Float32Array(
	raw.buffer,
	raw.byteOffset,
	options.samples * EACH,
);
const imageOf = (sample: Float32Array, k: number) =>
	sample.subarray(k * PIXELS, (k + 1) * PIXELS);
const samples = Array.from({ length: options.samples }, (_, i) =>
	all.subarray(i * EACH, (i + 1) * EACH),
);

const specs = planKernels(100, 1);
const split = makeSplit(specs, { seed: 1 });
const unseen = [...split.unseenFamily, ...split.unseenEnergy];
const judged = NOISES.flatMap((noise) =>
	unseen.map((kernel) => ({ kernel, noise })),
);
const tests: Float32Array[] = [];
for await (const sample of mapInWorkers<CorrectTask, Float32Array>(
	CORRECT_WORKER,
	judged,
	{ batch: 1 },
))
	tests.push(sample);

const gpu = await openGpu();
console.log(describeAdapter(gpu));
const network = new Unet(new Random(1), CHANNELS, SIZE, 0).to(gpu);

/** Channels of samples, each turned, as [B, 64, 64, channels]. */
function shown(
	chosen: readonly Float32Array[],
	turns: readonly number[],
	first: number,
	channels: number,
): Tensor {
	const batch = new Float32Array(chosen.length * PIXELS * channels);
	const together = new Float32Array(PIXELS * channels);
	chosen.forEach((sample, b) => {
		for (let k = 0; k < channels; k++)
			imageOf(sample, first + k).forEach((v, i) => {
				together[i * channels + k] = v;
			});
		copyTurned(together, channels, turns[b], batch, b * PIXELS * channels);
	});
	return tensor(gpu, batch, [chosen.length, 64, 64, channels]);
}

const corrected = (x: Tensor) =>
	add(sliceChannels(x, 0, 1), network.forward(x));

async function judge(): Promise<Float32Array[]> {
	const found: Float32Array[] = [];
	for (let i = 0; i < tests.length; i += 16) {
		const chosen = tests.slice(i, i + 16);
		const still = chosen.map(() => 0);
		const made = await readOut(gpu, () =>
			corrected(shown(chosen, still, 1, CHANNELS)),
		);
		for (let k = 0; k < chosen.length; k++)
			found.push(made.slice(k * PIXELS, (k + 1) * PIXELS));
	}
	return found;
}

const meanOf = (v: readonly number[]) =>
	v.reduce((a, b) => a + b, 0) / v.length;
const bar = startProgress(
	"correcting network",
	options.epochs * Math.ceil(samples.length / 8),
	{ unit: "steps" },
);
await train(
	gpu,
	{
		...{ name: "correcting network", parameters: network.packed, clip: 1 },
		...{ samples: samples.length, epochs: options.epochs, batch: 8 },
		...{ learningRate: 1e-3, schedule: { warmUp: 100 }, average: 0.999 },
		loss(chosen, random) {
			const picked = chosen.map((i) => samples[i]);
			const turns = picked.map(() => random.integer(0, 8));
			return mseLoss(
				corrected(shown(picked, turns, 1, CHANNELS)),
				shown(picked, turns, 0, 1),
			);
		},
		async validate() {
			const found = await judge();
			return meanOf(found.map((k, i) => correlation(k, imageOf(tests[i], 0))));
		},
	},
	{
		seed: 1,
		onStep: (step, loss) => bar.update(step, { loss }),
		async onEpoch({ history }) {
			const [epoch, ncc] = history.validation[history.validation.length - 1];
			console.log(
				`epoch ${epoch}: loss ${history.train[epoch - 1][1].toExponential(2)}, NCC on unseen kernels ${ncc.toFixed(4)}`,
			);
		},
	},
);
bar.stop();
const found = await judge();
const rows = [...NOISES, undefined].map((noise) => {
	const at = judged.flatMap((j, i) =>
		noise === undefined || j.noise === noise ? [i] : [],
	);
	const ours = at.map((i) => correlation(found[i], imageOf(tests[i], 0)));
	const refined = at.map((i) =>
		correlation(imageOf(tests[i], 1), imageOf(tests[i], 0)),
	);
	const groups = at.map((i) => `${judged[i].kernel}`);
	const difference = pairedDifference(ours, refined, groups, { seed: 1 });
	console.log(
		`${noise === undefined ? "all noises" : `noise ${noise} `}  refined ${meanOf(refined).toFixed(4)}, corrected ${meanOf(ours).toFixed(4)}: ${difference.mean.toFixed(4)} [${difference.low.toFixed(4)}, ${difference.high.toFixed(4)}]`,
	);
	return {
		noise,
		refined: meanOf(refined),
		corrected: meanOf(ours),
		difference,
	};
});
if (options.json)
	await writeFileAtomic(
		options.json,
		`${JSON.stringify({ samples: samples.length, epochs: options.epochs, rows }, null, "\t")}\n`,
	);
network.dispose();
gpu.dispose();
