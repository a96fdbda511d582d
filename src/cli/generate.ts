/** `qpi-lens generate`, `npm run data`: makes a dataset in the published format. */
import { Command, InvalidArgumentError, Option } from "commander";
import { makeDataset } from "../node/makeDataset.ts";
import { startProgress } from "../node/progress.ts";
import { callOf, whole } from "./command.ts";

const levels = (text: string) =>
	text.split(",").map((part) => {
		const level = Number(part);
		if (part.trim() === "" || !(level >= 0 && level <= 10))
			throw new InvalidArgumentError(
				"Expected numbers from 0 to 10, with commas between.",
			);
		return level;
	});

interface Options {
	out: string;
	kernels: number;
	observations: number;
	noise: number[];
	seed: number;
	scattering: "linear" | "full";
	augment: boolean;
	force: boolean;
}

export function generateCommand(name = "generate"): Command {
	const call = callOf(name);
	return new Command(name)
		.summary("makes a dataset in the published format")
		.description(
			"Makes quasiparticle-interference kernels and images of their scatterers, one CSV file a kernel as in the published set,\n" +
				"and a manifest.json with each kernel's family, energy and noise levels, and the split for training.\n" +
				"The same seed gives the same files. An interrupted run goes on when the same command is given again.",
		)
		.requiredOption("-o, --out <dir>", "folder to write into; made if needed")
		.option(
			"-k, --kernels <n>",
			"kernels, over all classes of symmetry",
			whole,
			100,
		)
		.option("-n, --observations <n>", "images a kernel", whole, 500)
		.option("-s, --seed <n>", "seed", whole, 1)
		.addOption(
			new Option(
				"--scattering <kind>",
				"images by plain superposition, or by full multiple scattering",
			)
				.choices(["linear", "full"] as const)
				.default("linear" as const),
		)
		.option(
			"--noise <levels>",
			"noise over the signal's standard deviation; each image takes one of these",
			levels,
			[0, 0.1, 0.3, 0.5],
		)
		.option(
			"--augment",
			"also tip blur, streaks, missing lines, drift and wrong marks",
			false,
		)
		.option(
			"-f, --force",
			"replace the kernel files, manifest and cache in the folder",
			false,
		)
		.addHelpText(
			"after",
			`
Examples:
  ${call} --out runs/data --kernels 100 --observations 500 --seed 1
      the full set: 100 files, about 2 GB, made in some ten minutes
  ${call} --out runs/small --kernels 12 --observations 20
      a small one, to look at
  ${call} --out runs/full --scattering full --noise 0.1,0.3`,
		)
		.action(generate);
}

async function generate(options: Options): Promise<void> {
	const { out, kernels, observations, noise, ...rest } = options;
	if (observations < 1)
		throw new RangeError("--observations is 0, expected 1 or more");
	let bar: ReturnType<typeof startProgress> | undefined;
	const { split } = await makeDataset({
		...rest,
		out,
		kernels,
		observations,
		noiseLevels: noise,
		onKernel(done, total, family) {
			bar ??= startProgress("kernels", total, {
				unit: "kernels",
				start: done,
			});
			bar.update(done, family ? { family } : {});
		},
	}).finally(() => bar?.stop());
	console.log(
		`${kernels} kernels of ${observations} images in ${out}: ${split.train.length} to train on, ` +
			`${split.unseenEnergy.length} unseen energies, ${split.unseenFamily.length} in unseen families`,
	);
}
