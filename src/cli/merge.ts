/** `qpi-lens merge`: parts that several machines made become one. */
import { statSync } from "node:fs";
import { Command } from "commander";
import { mergeEvaluations } from "../node/campaign/mergeEvaluations.ts";
import { mergeFolders } from "../node/campaign/mergeFolders.ts";
import { expandInputs } from "../node/files/inputs.ts";
import { say } from "./command.ts";

interface Options {
	readonly out?: string;
	readonly json: boolean;
}

export function mergeCommand(): Command {
	return new Command("merge")
		.summary("puts together what --shard made in parts")
		.description(
			"Puts together the parts that extract, generate and evaluate made with --shard 1/n to n/n: folders into one folder, figures of evaluate --json into\n" +
				"one table. What comes out is what a single run gives, but for the times in it.",
		)
		.argument("<parts...>", "all parts: folders, or files of evaluate --json")
		.option("-o, --out <dir>", "of folders: a new folder for the whole")
		.option(
			"--json",
			"of figures: one JSON object on standard output, nothing else",
			false,
		)
		.addHelpText(
			"after",
			`
Examples:
  npx qpi-lens merge parts/* --out kernels
  npx qpi-lens merge scores-1.json scores-2.json`,
		)
		.action(merge);
}

async function merge(words: string[], { out, json }: Options): Promise<void> {
	const parts = await expandInputs(words, { folders: true });
	const files = parts.map((part) => statSync(part).isFile());
	if (files.some((isFile) => isFile !== files[0]))
		throw new RangeError("found folders and files, expected parts of one kind");
	if (files[0]) {
		if (out) throw new RangeError("--out is for folders; these are files");
		const { json: text, table } = await mergeEvaluations(parts);
		return say(json ? text : table);
	}
	if (!out) throw new RangeError("no folder for the whole; give one as --out");
	if (json) throw new RangeError("--json is for figures; these are folders");
	say(`${await mergeFolders(parts, out)} in ${out}`);
}
