/** `qpi-lens evaluate`: all methods on a dataset whose kernels are known. */
import { Command } from "commander";
import { evaluateFolder } from "../node/evaluateFolder.ts";
import { startProgress } from "../node/progress.ts";
import { positiveWhole } from "./command.ts";

interface Options {
	data: string;
	json: boolean;
	weights?: string;
	max?: number;
	unseen: boolean;
	adapter?: string;
}

export function evaluateCommand(): Command {
	return new Command("evaluate")
		.summary("compares all methods on a dataset")
		.description(
			"Extracts the kernels of a dataset's images by every method and compares them with the true ones: mean absolute, mean squared and root mean squared error\n" +
				"on the [-1, 1] scale, and normalised cross-correlation. Without a manifest of ours in the folder all its kernels count as unseen.",
		)
		.requiredOption(
			"-d, --data <dir>",
			"a folder in the published format (generate makes one)",
		)
		.option("--json", "one JSON object on standard output, nothing else", false)
		.option(
			"--weights <dir>",
			"a folder of weights in place of the shipped ones",
		)
		.option(
			"--unseen",
			"only the kernels that the folder's manifest does not train on",
			false,
		)
		.option("--max <n>", "at most so many images a kernel", positiveWhole)
		.option(
			"-a, --adapter <name>",
			"a part of the adapter's name, or swiftshader (also: QPI_LENS_ADAPTER)",
		)
		.addHelpText(
			"after",
			`
Example:
  npx qpi-lens evaluate --data runs/data --json > evaluation.json`,
		)
		.action(evaluate);
}

async function evaluate({ data, json, ...options }: Options): Promise<void> {
	let bar: ReturnType<typeof startProgress> | undefined;
	const evaluation = await evaluateFolder(data, {
		...options,
		say: (line: string) => {
			if (!json) console.log(line);
		},
		onProgress(done: number, total: number) {
			bar ??= startProgress("evaluating", total, { unit: "images" });
			bar.update(done);
		},
	}).finally(() => bar?.stop());
	if (json) {
		console.log(JSON.stringify(evaluation));
		return;
	}
	const columns = ["mae", "mse", "rmse", "ncc"] as const;
	console.log(
		`${"".padEnd(12)}${columns.map((c) => c.toUpperCase().padStart(9)).join("")}${"n".padStart(7)}`,
	);
	for (const [method, scores] of Object.entries(evaluation.methods)) {
		const cells = columns.map((c) =>
			(scores[c]?.toFixed(4) ?? "-").padStart(9),
		);
		console.log(
			`${method.padEnd(12)}${cells.join("")}${String(scores.n).padStart(7)}`,
		);
	}
}
