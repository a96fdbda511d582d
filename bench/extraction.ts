/**
 * `npm run bench:extraction`: how extraction fares where the model is wrong, and whether its uncertainty is honest, on kernels of families that the weights have
 * not seen in any form. Seeded; writes --json FILE.
 */

import { Command } from "commander";
import { METHODS } from "../src/extraction/kernels/extraction.ts";
import { extract } from "../src/extraction/methods/extract.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { startProgress } from "../src/node/files/progress.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { mapInWorkers } from "../src/node/threads/pool.ts";
import {
	REFINE_WORKER,
	type RefineAnswer,
	type RefineTask,
} from "../src/node/threads/refineWorker.ts";
import { makeSplit } from "../src/qpi/dataset/split.ts";
import {
	type KernelSpec,
	kernelModel,
	makeKernel,
	type ObservationSetOptions,
	observation,
	placeScatterers,
	planKernels,
} from "../src/qpi/generator/generator.ts";
import { compareKernels } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";
import { mapRows } from "./mapRows.ts";

const {
	kernels: wanted,
	json,
	only,
} = new Command("npm run bench:extraction --")
	.description(
		"Speed and calibration on maps, robustness and calibration on 64 x 64 images of unseen kernels.",
	)
	.option("--only <part>", "maps, or images")
	.option("--kernels <n>", "how many kernels", Number, 11)
	.option("--json <file>", "where the figures go")
	.parse()
	.opts<{ kernels: number; json?: string; only?: string }>();

const SEED = 1;
const specs = planKernels(100, SEED);
const split = makeSplit(specs, { seed: SEED });
const unseen = [...split.unseenFamily, ...split.unseenEnergy];
const chosen = unseen
	.filter((_, i) => i % Math.max(1, Math.floor(unseen.length / wanted)) === 0)
	.slice(0, wanted)
	.map((n) => specs[n - 1]);
const other = specs[0];

type Made = RefineTask & { readonly truth: Float32Array };
const usual: ObservationSetOptions = {
	observations: 1,
	seed: 7,
	noiseLevels: [0.2],
	placement: { min: 5, max: 15 },
};
const make = (
	spec: KernelSpec,
	options: Partial<ObservationSetOptions>,
): Made => {
	const { kernel, observations } = makeKernel(spec, { ...usual, ...options });
	const [{ image, scatterers }] = observations;
	return { image, scatterers, truth: kernel };
};

/** Adds another species' pattern at a third as many places. */
function withOthers(made: Made, number: number): Made {
	const random = new Random(SEED, 0x30000000 + number);
	const places = placeScatterers(random, {
		count: Math.max(1, Math.round(made.scatterers.length / 3)),
	});
	const foreign = observation(kernelModel(other), places);
	const rms = (v: ArrayLike<number>) =>
		Math.sqrt(Array.from(v).reduce((s, x) => s + x * x, 0) / v.length);
	// As strong a scatterer as the kernel's own.
	const scale =
		rms(made.truth) / rms(observation(kernelModel(other), [{ x: 0, y: 0 }]));
	return { ...made, image: made.image.map((v, i) => v + scale * foreign[i]) };
}

/** The last quarter of the scan lines was not measured. */
function cut(made: Made): Made {
	const valid = Float32Array.from(made.image, (_, i) => (i % 64 < 48 ? 1 : 0));
	const there = made.image.filter((_, i) => valid[i] > 0);
	const mean = there.reduce((s, v) => s + v, 0) / there.length;
	return {
		...made,
		valid,
		image: made.image.map((v, i) => (valid[i] ? v : mean)),
	};
}

const CONDITIONS: Record<string, (spec: KernelSpec) => Made> = {
	"as assumed": (spec) => make(spec, {}),
	"positions off by 0.5 pixel (s.d. a coordinate)": (spec) =>
		make(spec, { augment: { jitter: 0.5 } }),
	"positions off by 1 pixel (s.d. a coordinate)": (spec) =>
		make(spec, { augment: { jitter: 1 } }),
	"amplitudes uniform within ±30 % (s.d. 17 %)": (spec) =>
		make(spec, { augment: { amplitude: 0.3 } }),
	"10 % of the marks lost, invented or elsewhere": (spec) =>
		make(spec, { augment: { wrong: 0.1 } }),
	"30 % of the marks": (spec) => make(spec, { augment: { wrong: 0.3 } }),
	"full multiple scattering": (spec) => make(spec, { scattering: "full" }),
	"a second species, a third as many": (spec) =>
		withOthers(make(spec, {}), spec.number),
	"a quarter of the rows missing": (spec) => cut(make(spec, {})),
};

const weights = await openWeights();
const maps =
	only === "images" ? undefined : await mapRows(await weights.prior());
if (only === "maps") {
	if (json)
		await writeFileAtomic(json, `${JSON.stringify({ maps }, null, "\t")}\n`);
	process.exit();
}
const gpu = await openGpu({});
const networks = await weights.networks(gpu);
const names = Object.keys(CONDITIONS);
const made = names.flatMap((name) =>
	chosen.map((spec) => CONDITIONS[name](spec)),
);
const bar = startProgress("robustness", made.length, { unit: "images" });
const answers: RefineAnswer[] = [];
for await (const answer of mapInWorkers<RefineTask, RefineAnswer>(
	REFINE_WORKER,
	made,
	{
		batch: 1,
		workerData: { weights: weights.place, inputs: networks.inputs },
		onProgress: (done) => bar.update(done),
	},
))
	answers.push(answer);
bar.stop();
const inputs = answers.map((a) => a.inputs);
const found = {
	ridge: answers.map((a) => a.ridge),
	oneStep: await networks.infer("oneStep", inputs),
	twoStep: await networks.infer("twoStep", inputs),
	refined: answers.map((a) => a.refined),
};
const mean = (values: readonly number[]) =>
	values.reduce((s, v) => s + v, 0) / values.length;
const robustness = names.map((condition, c) => ({
	condition,
	...Object.fromEntries(
		METHODS.map((method) => {
			const scores = chosen.map((_, k) => {
				const i = c * chosen.length + k;
				return compareKernels(found[method][i], made[i].truth);
			});
			return [
				method,
				{
					ncc: mean(scores.map((s) => s.ncc)),
					mae: mean(scores.map((s) => s.mae)),
				},
			];
		}),
	),
})) as ({ condition: string } & Record<
	(typeof METHODS)[number],
	{ ncc: number; mae: number }
>)[];
console.log(
	`${"NCC / MAE".padEnd(50)}${METHODS.map((m) => m.padEnd(16)).join("")}`,
);
for (const row of robustness)
	console.log(
		`${row.condition.padEnd(50)}${METHODS.map((m) => `${row[m].ncc.toFixed(3)} / ${row[m].mae.toFixed(3)}`.padEnd(16)).join("")}`,
	);

// The pixels of all kernels together: how many lie within one and two standard deviations of the truth.
const prior = await weights.prior();
const calibration = [];
for (const noise of [0.1, 0.3, 0.5]) {
	const within = [0, 0];
	let pixels = 0;
	for (const spec of chosen) {
		const one = make(spec, { noiseLevels: [noise] });
		const { kinds } = await extract(
			one,
			{ prior },
			{
				method: "refined",
				holdOut: false,
			},
		);
		const [{ kernel, uncertainty }] = kinds;
		for (let i = 0; i < kernel.length; i++) {
			const away = Math.abs(kernel[i] - one.truth[i]);
			for (const n of [1, 2]) if (away <= n * uncertainty[i]) within[n - 1]++;
		}
		pixels += kernel.length;
	}
	calibration.push({ noise, one: within[0] / pixels, two: within[1] / pixels });
	console.log(
		`noise ${noise}: truth within one standard deviation at ${((100 * within[0]) / pixels).toFixed(0)} % of the pixels (68 expected), within two at ${((100 * within[1]) / pixels).toFixed(0)} % (95)`,
	);
}
if (json)
	await writeFileAtomic(
		json,
		`${JSON.stringify({ maps, kernels: chosen.length, robustness, calibration }, null, "\t")}\n`,
	);
gpu.dispose();
