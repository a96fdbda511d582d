/** `qpi-lens weights`: makes the weights that come with the package. */
import { existsSync } from "node:fs";
import { Command } from "commander";
import { describeAdapter, openGpu } from "../node/device/adapter.ts";
import { RunFolder } from "../node/files/runFolder.ts";
import { makeWeights } from "../node/training/makeWeights.ts";
import { WEIGHTS } from "../training/presets.ts";
import { say, whole } from "./command.ts";

interface Options {
	out: string;
	folder: string;
	seed: number;
	adapter?: string;
}

export function weightsCommand(name = "weights"): Command {
	return new Command(name)
		.summary("makes the weights that come with the package")
		.description(
			`Draws ${WEIGHTS.models} patterns, learns the kernel prior from them, trains aligner, decoder and one-step network on their images, and writes all as 16-bit safetensors.\n` +
				"An interrupted run goes on where it stopped. Takes up to an hour on two cores.",
		)
		.option("-o, --out <dir>", "where the weights go", "data/weights")
		.option(
			"--folder <dir>",
			"where kernels, inputs and checkpoints are kept meanwhile",
			"runs/weights",
		)
		.option("-s, --seed <n>", "seed of kernels, images and training", whole, 1)
		.option(
			"-a, --adapter <name>",
			"a part of the adapter's name, or swiftshader (also: QPI_LENS_ADAPTER)",
		)
		.addHelpText(
			"after",
			`
Example:
  npx qpi-lens weights --out my-weights && npx qpi-lens extract scan.sxm --detect --weights my-weights`,
		)
		.action(async ({ out, folder, seed, adapter }: Options) => {
			const stop = new AbortController();
			process.once("SIGINT", () =>
				stop.abort(
					new Error("interrupted; the same command goes on from here"),
				),
			);
			const gpu = await openGpu({ adapter });
			say(describeAdapter(gpu));
			await makeWeights({
				gpu,
				out,
				folder: await RunFolder.open(
					folder,
					{ weights: WEIGHTS, seed },
					existsSync(folder),
				),
				seed,
				signal: stop.signal,
				say,
			});
			gpu.dispose();
		});
}
