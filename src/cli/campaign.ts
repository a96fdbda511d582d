/** The options that let a command take many files, and what `extract` does with these. */
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { runCampaign } from "../node/campaign/campaign.ts";
import { PAGE } from "../node/campaign/folders.ts";
import { readText } from "../node/files/input.ts";
import { expandInputs, isPattern, readList } from "../node/files/inputs.ts";
import { readShard, type Shard } from "../node/files/shard.ts";
import { positiveWhole, say } from "./command.ts";

/** `--series`, alike in all commands: without it several files are each for themselves. */
export const SERIES =
	"the files, or a folder's, are one map at an energy each: sorted by bias, moved onto each other, one stack";

/** What `campaignOptions` adds. */
export interface CampaignChoice {
	list?: string;
	jobs?: number;
	shard?: Shard;
}

const shard = (text: string): Shard => {
	try {
		return readShard(text);
	} catch (error) {
		throw new InvalidArgumentError((error as Error).message);
	}
};

/** `--shard i/n`, of all commands whose work several machines can share. */
export const shardOption = (command: Command, what: string): Command =>
	command.option(
		"--shard <i/n>",
		`only part i of n, from 1, of ${what}; merge puts parts together`,
		shard,
	);

/** Adds the options of many files. */
export function campaignOptions(command: Command): Command {
	const listed = command
		.optionsGroup("Many files:")
		.option("--list <file>", "a list of files, one a line; # begins a comment")
		.option(
			"--jobs <n>",
			"processes at a time, which share the machine's threads (default: 1)",
			positiveWhole,
		);
	return shardOption(listed, "the files");
}

/** All files, where several are meant or may be: nothing where one plain file is given and no option of many. */
export async function manyFiles(
	words: readonly string[],
	{ list, jobs, shard }: CampaignChoice,
): Promise<string[] | undefined> {
	const listed = list ? readList(await readText(list), list) : [];
	const all = [...words, ...listed];
	if (all.length === 0)
		throw new RangeError("no file is given; expected one or more, or --list");
	const one = all.length === 1 && !list && !shard && jobs === undefined;
	return one && !isPattern(all[0]) ? undefined : expandInputs(all);
}

/** Options of the campaign itself: results depend on none of them. */
const OWN = ["out", "list", "jobs", "shard"];
/** Options that name files: what is in these counts, not what they are called. */
const FILES: Readonly<Record<string, (path: string) => string>> = {
	scatterers: (path) => path,
	mask: (path) => path,
	weights: (path) => join(path, "manifest.json"),
};

/** Does with each file, in a folder of its own below --out, what the command does with one. */
export async function doMany<
	O extends CampaignChoice & { readonly out?: string },
>(files: readonly string[], command: Command, options: O): Promise<void> {
	const { out = "kernels", jobs = 1, shard } = options;
	const counts = Object.entries(options).filter(([key]) => !OWN.includes(key));
	const words = wordsOf(command);
	const { count, failed, stopped } = await runCampaign({
		...{ files, out, jobs, shard, say },
		wordsOf: (file, folder) => [
			...[command.name(), ...words, `--out=${folder}`, "--", file],
		],
		options: Object.fromEntries(counts.filter(([key]) => !FILES[key])),
		optionFiles: Object.fromEntries(
			counts
				.filter(([key]) => FILES[key])
				.map(([key, path]) => [key, FILES[key](String(path))]),
		),
	});
	if (stopped !== undefined) {
		console.error(
			"interrupted; what was finished stays, and the same command goes on",
		);
		process.exitCode = stopped;
		return;
	}
	say(`${count - failed} of ${count} done; open ${join(out, PAGE)}`);
	if (failed > 0)
		throw new Error(`${failed} of ${count} files failed; the table says why`);
}

const typed = new WeakMap<Command, [key: string, word: string][]>();

/** Keeps the words of a command's options as the user types them. To be called once all options are there. */
export function keepWords(command: Command): Command {
	const words: [string, string][] = [];
	typed.set(command, words);
	for (const option of command.options) {
		const { long = option.flags } = option;
		command.on(`option:${option.name()}`, (value?: string | null) =>
			words.push([
				option.attributeName(),
				value === undefined || value === null ? long : `${long}=${value}`,
			]),
		);
	}
	return command;
}

/** Those words, but for the options of the campaign itself. */
export const wordsOf = (command: Command): string[] =>
	(typed.get(command) ?? [])
		.filter(([key]) => !OWN.includes(key))
		.map(([, word]) => word);
