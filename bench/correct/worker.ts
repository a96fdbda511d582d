/** What the correcting network is shown and taught, of one image: `mapInWorkers<CorrectTask, Float32Array>(CORRECT_WORKER, tasks)`. */
import { refine } from "../../src/extraction/kernels/refined.ts";
import { openWeights } from "../../src/node/files/shippedWeights.ts";
import { serve } from "../../src/node/threads/pool.ts";
import { PIXELS } from "../../src/qpi/dataset/format.ts";
import { makeKernel, planKernels } from "../../src/qpi/generator/generator.ts";
import { view, wideKernel } from "../../src/qpi/generator/wide.ts";
import { observeWide } from "../../src/qpi/generator/wideObservation.ts";
import { physicsInputs } from "../../src/qpi/operator/inputs.ts";
import { centre } from "../../src/qpi/operator/ridge.ts";
import { posteriorSamples } from "../../src/qpi/posterior/posterior.ts";
import { Random } from "../../src/random.ts";

export const CORRECT_WORKER = new URL(import.meta.url);

/** Images a sample: the true kernel, then the channels: refined, its standard deviation, ridge, backprojection, overlap; the first four in units of refined's RMS. */
export const IMAGES = 6;

export type CorrectTask =
	/** A pattern of the wide generator by its number. */
	| { readonly wide: number }
	/** A kernel of the generator, seed 1, by its number. */
	| { readonly kernel: number; readonly noise: number };

const SEED = 3;
const DRAWS = 8;
const specs = planKernels(100, 1);
const prior = await (await openWeights()).prior();

function observed(task: CorrectTask) {
	if ("wide" in task) {
		const random = new Random(SEED, task.wide);
		const turn = random.uniform(0, 2 * Math.PI);
		const stretch = random.uniform(0.9, 1.12);
		const kernel = Float64Array.from(
			view(wideKernel(random), { turn, stretch }),
		);
		return { truth: centre(kernel), ...observeWide(kernel, random) };
	}
	const { kernel, observations } = makeKernel(specs[task.kernel - 1], {
		...{ observations: 1, seed: task.kernel, noiseLevels: [task.noise] },
		placement: { min: 5, max: 15 },
	});
	return { truth: kernel, ...observations[0] };
}

const rmsOf = (values: Float32Array) =>
	Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);

serve((task: CorrectTask): Float32Array => {
	const { truth, image, scatterers } = observed(task);
	const marks = scatterers.map(({ x, y }) => ({ x, y, weight: 1 }));
	const found = refine({ image, scatterers: marks }, prior);
	const { operator, weights, covariance } = found;
	const kernel = centre(found.kernel);
	const rms = rmsOf(kernel) || 1;
	const variance = new Float32Array(PIXELS);
	for (const draw of posteriorSamples(
		{ operator, image, weights },
		covariance,
		found,
		{ count: DRAWS, seed: 0 },
	))
		centre(draw).forEach((v, i) => {
			variance[i] += v ** 2 / DRAWS;
		});
	const { inputs, scale } = physicsInputs(image, marks);
	const spread = rmsOf(image.map((v) => v - meanOf(image)));
	const channel = (c: number, factor: number) =>
		Float32Array.from({ length: PIXELS }, (_, i) => factor * inputs[5 * i + c]);
	const out = new Float32Array(IMAGES * PIXELS);
	[
		truth.map((v) => v / rms),
		kernel.map((v) => v / rms),
		variance.map((v) => Math.sqrt(v) / rms),
		channel(4, scale / rms),
		channel(2, spread / rms),
		channel(3, 1),
	].forEach((values, k) => {
		out.set(values, k * PIXELS);
	});
	return out;
});

function meanOf(values: Float32Array): number {
	return values.reduce((s, v) => s + v, 0) / values.length;
}
