/**
 * `npm run bench:latent`: the decoder as a prior. The kernel with the greatest posterior among those that the kernel VAE's decoder can make: the latent is searched by
 * gradient through decoder and forward operator, from the aligner's answer on, and compared with `refined` on images of kernels of families that neither has seen.
 */
import { Command } from "commander";
import { positiveWhole } from "../src/cli/command.ts";
import { detached, scope } from "../src/engine/basics/scope.ts";
import type { Gpu } from "../src/engine/device/gpu.ts";
import { Parameter, Parameters } from "../src/engine/layers/parameters.ts";
import type { State } from "../src/engine/layers/state.ts";
import { add, mul, scale } from "../src/engine/ops/elementwise.ts";
import { mseLoss } from "../src/engine/ops/loss.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { backward, noGrad } from "../src/engine/tensors/autograd.ts";
import { tensor } from "../src/engine/tensors/tensor.ts";
import { refine } from "../src/extraction/kernels/refined.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import type { NetworkInput } from "../src/models/latent.ts";
import { makeEmptyNetwork } from "../src/models/networks.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { PIXELS } from "../src/qpi/dataset/format.ts";
import { makeSplit } from "../src/qpi/dataset/split.ts";
import { makeKernel, planKernels } from "../src/qpi/generator/generator.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { INPUTS, inputsOf } from "../src/qpi/operator/inputs.ts";
import { centre, embed } from "../src/qpi/operator/ridge.ts";
import { compareKernels } from "../src/qpi/scores/metrics.ts";

const { kernels, steps, json } = new Command("npm run bench:latent --")
	.option("--kernels <n>", "unseen kernels", positiveWhole, 16)
	.option("--steps <n>", "of the search", positiveWhole, 150)
	.option("--json <file>", "where the figures go")
	.parse()
	.opts<{ kernels: number; steps: number; json?: string }>();

const NOISES = [0.1, 0.5];
/** What a latent counts that is one of the aligner's standard deviations away from its mean, against the misfit over the noise. */
const TRUST = [0, 0.01, 0.1];
const RATE = 0.02;

const specs = planKernels(100, 1);
const split = makeSplit(specs, { seed: 1 });
const unseen = [...split.unseenFamily, ...split.unseenEnergy];
const every = Math.max(1, Math.floor(unseen.length / kernels));
const chosen = unseen.filter((_, i) => i % every === 0).slice(0, kernels);

const weights = await openWeights();
const prior = await weights.prior();
const gpu = await openGpu();
console.log(describeAdapter(gpu));
const { inputs: kind, manifest } = weights;
const { size } = manifest.preset;
const load = async (
	file: string,
	parts: { encoder?: NetworkInput; decoder: boolean },
) => {
	const network = makeEmptyNetwork(gpu, size, parts);
	const { tensors } = decodeSafetensors(await weights.read(file), file);
	network.load(tensors as State);
	return network;
};
const aligner = await load("aligner.safetensors", {
	encoder: INPUTS[kind],
	decoder: false,
});
const decoder = await load("decoder.safetensors", { decoder: true });

interface Case {
	readonly truth: Float32Array;
	readonly image: Float32Array;
	readonly operator: ForwardOperator;
	readonly inputs: Float32Array;
	readonly refined: Float32Array;
	/** Of the noise, as refined has it. */
	readonly sigma: number;
}

function measure(number: number, noise: number): Case {
	const { kernel, observations } = makeKernel(specs[number - 1], {
		...{ observations: 1, seed: number, noiseLevels: [noise] },
		placement: { min: 5, max: 15 },
	});
	const [{ image, scatterers }] = observations;
	const marks = scatterers.map((s) => ({ ...s, weight: 1 }));
	const found = refine({ image, scatterers: marks }, prior);
	return {
		...{ truth: kernel, image, operator: new ForwardOperator(scatterers) },
		inputs: inputsOf(kind, image, scatterers),
		refined: centre(found.kernel),
		sigma: found.sigma,
	};
}

/** The kernel's amplitude and the constant that explain most of the image: half the misfit over sigma^2, its gradient to the kernel, and the scaled kernel. */
function judge({ image, operator, sigma }: Case, shape: Float32Array) {
	const model = operator.apply(embed(shape));
	const mean = (v: ArrayLike<number>) =>
		Array.from(v).reduce((a, b) => a + b, 0) / v.length;
	const [y, x] = [mean(image), mean(model)];
	let [xy, xx] = [0, 0];
	model.forEach((v, i) => {
		xy += (v - x) * (image[i] - y);
		xx += (v - x) ** 2;
	});
	const amplitude = xx > 0 ? xy / xx : 0;
	const rest = model.map(
		(v, i) => (amplitude * (v - x) - (image[i] - y)) / sigma ** 2,
	);
	const gradient = centre(operator.adjoint(rest)).map((v) => v * amplitude);
	return { gradient, kernel: shape.map((v) => v * amplitude) };
}

/** Latents searched for all images at once; the kernels before and after. */
async function search(gpu: Gpu, images: readonly Case[], trust: number) {
	const batch = images.length;
	const channels = INPUTS[kind].channels;
	const seen = new Float32Array(batch * PIXELS * channels);
	images.forEach(({ inputs }, i) => {
		seen.set(inputs, i * PIXELS * channels);
	});
	const given = noGrad(gpu, () =>
		scope(gpu, () => {
			const x = tensor(gpu, seen, [batch, 64, 64, channels]);
			const { mean, logvar } = aligner.encode(x);
			return [mean, logvar];
		}),
	);
	const [mean, logvar] = [await given[0].data(), await given[1].data()];
	const shape = given[0].shape;
	const list = new Map<string, Parameter>();
	list.set("z", new Parameter(shape, Float32Array.from(mean)));
	const latent = new Parameters(gpu, list);
	const start = detached(gpu, () =>
		tensor(gpu, Float32Array.from(mean), shape),
	);
	const weight = detached(gpu, () =>
		tensor(
			gpu,
			Float32Array.from(logvar, (v) => Math.exp(-v / 2)),
			shape,
		),
	);
	const adam = new Adam(latent, { lr: RATE });
	const shapes = async () => {
		const out = noGrad(gpu, () =>
			scope(gpu, () => decoder.decode(latent.get("z"))),
		);
		const data = await out.data();
		out.dispose();
		return images.map((_, i) => data.slice(i * PIXELS, (i + 1) * PIXELS));
	};
	const first = (await shapes()).map((s, i) => judge(images[i], s).kernel);
	for (let step = 0; step < steps; step++) {
		const pulls = new Float32Array(batch * PIXELS);
		for (const [i, s] of (await shapes()).entries())
			pulls.set(judge(images[i], s).gradient, i * PIXELS);
		scope(gpu, () => {
			latent.zeroGrad();
			const z = latent.get("z");
			const pull = tensor(gpu, pulls, [batch, 64, 64, 1]);
			const misfit = sum(mul(decoder.decode(z), pull));
			const away = scale(
				mseLoss(mul(z, weight), mul(start, weight)),
				(trust * z.size) / 2,
			);
			backward(add(misfit, away));
			adam.lr = RATE * (0.5 + 0.5 * Math.cos((Math.PI * step) / steps));
			adam.step();
		});
	}
	const last = (await shapes()).map((s, i) => judge(images[i], s).kernel);
	adam.dispose();
	latent.dispose();
	for (const t of [...given, start, weight]) t.dispose();
	return { first, last };
}

const average = (list: readonly number[]) =>
	list.reduce((a, b) => a + b, 0) / list.length;
const rows: object[] = [];
for (const noise of NOISES) {
	const images = chosen.map((number) => measure(number, noise));
	const report = (name: string, found: readonly Float32Array[]) => {
		const scores = found.map((k, i) => compareKernels(k, images[i].truth));
		const ncc = average(scores.map((s) => s.ncc));
		const mae = average(scores.map((s) => s.mae));
		rows.push({ noise, name, ncc, mae });
		console.log(
			`noise ${noise}  ${name.padEnd(34)} NCC ${ncc.toFixed(4)}  MAE ${mae.toFixed(4)}`,
		);
	};
	report(
		"refined",
		images.map((m) => m.refined),
	);
	for (const [i, trust] of TRUST.entries()) {
		const { first, last } = await search(gpu, images, trust);
		if (i === 0) report("two-step", first);
		report(`latent searched, trust ${trust}`, last);
	}
}
if (json)
	await writeFileAtomic(
		json,
		`${JSON.stringify({ kernels: chosen.length, steps, rows }, null, "\t")}\n`,
	);
gpu.dispose();
